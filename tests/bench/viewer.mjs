// Measures the page in headless Chromium against a local daemon and prints Markdown:
// bytes of the first visit, time to the first data, script time of an update.
//
//   node tests/bench/viewer.mjs [BUILDDIR]        (make bench-viewer)
//
// Budgets: 150 kB for a first page, 500 ms to the first data, 8 ms of script an update.
process.env.LT_BUILD = process.argv[2] ?? process.env.LT_BUILD ?? 'build';
const { chromium } = await import('playwright-core');
const { Daemon } = await import('../scenario/support/daemon.mjs');

const CARS = 60;
const SECONDS = 20;
const VISITS = 5;

const daemon = new Daemon({ env: { LIVETIMING_SERVICES: `simulator --seed 71 --cars ${CARS}` } });
const browser = await chromium.launch({ executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium', args: ['--no-sandbox', '--disable-gpu', '--disable-background-networking'] });

async function serviceId() {
  for (;;) {
    const [manifest] = await (await fetch(`${daemon.http}/directory.json`)).json();
    if (manifest && (await (await fetch(`${daemon.http}/state/${manifest.uuid}.json`)).json()).cars?.length) return manifest.uuid;
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
}

// A first visit, nothing cached: { bytes, requests, ms } until `selector` is there.
async function visit(path, selector) {
  const context = await browser.newContext({ viewport: { width: 1440, height: 900 } });
  const page = await context.newPage();
  const client = await context.newCDPSession(page);
  await client.send('Network.enable');
  let bytes = 0;
  let requests = 0;
  client.on('Network.loadingFinished', ({ encodedDataLength }) => {
    bytes += encodedDataLength;
    requests += 1;
  });
  await page.addInitScript((wanted) => {
    new MutationObserver((_, observer) => {
      if (!document.querySelector(wanted)) return;
      observer.disconnect();
      requestAnimationFrame(() => (globalThis.shownAt = performance.now()));
    }).observe(document, { childList: true, subtree: true });
  }, selector);
  await page.goto(daemon.http + path, { waitUntil: 'load' });
  await page.waitForFunction(() => globalThis.shownAt !== undefined);
  const ms = await page.evaluate(() => globalThis.shownAt);
  await page.waitForTimeout(500);
  return { page, client, bytes, requests, ms };
}

const median = (values) => [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)];

async function measureVisits(name, path, selector) {
  const all = [];
  for (let i = 0; i < VISITS; i++) {
    const { page, ...figures } = await visit(path, selector);
    await page.context().close();
    all.push(figures);
  }
  console.log(`| ${name} | ${(all[0].bytes / 1000).toFixed(1)} kB in ${all[0].requests} requests | ${median(all.map(({ ms }) => ms)).toFixed(0)} ms |`);
}

async function metric(client, name) {
  const { metrics } = await client.send('Performance.getMetrics');
  return metrics.find((each) => each.name === name).value * 1000;
}

async function measureUpdates(path) {
  const { page, client } = await visit(path, 'table.timing tbody tr');
  await client.send('Performance.enable');
  await page.waitForTimeout(2000);
  const names = ['ScriptDuration', 'LayoutDuration', 'RecalcStyleDuration', 'TaskDuration'];
  const measure = async (what) => {
    const before = await Promise.all(names.map((name) => metric(client, name)));
    await page.waitForTimeout(SECONDS * 1000);
    const after = await Promise.all(names.map((name) => metric(client, name)));
    const [script, layout, style, task] = after.map((value, i) => (value - before[i]) / SECONDS);
    console.log(`| ${what} | ${script.toFixed(1)} ms | ${(layout + style).toFixed(1)} ms | ${task.toFixed(1)} ms |`);
    return script;
  };
  const busy = await measure(`${CARS} cars, one state a second`);
  daemon.process.kill('SIGSTOP'); // clocks and playback go on, nothing comes
  const idle = await measure('the same page, no states');
  daemon.process.kill('SIGCONT');
  console.log(`\nAn update takes ${(busy - idle).toFixed(1)} ms of script.`);
  await page.context().close();
}

try {
  await daemon.start();
  const uuid = await serviceId();
  console.log('| first visit | over the line, compressed | first data on the screen |\n| --- | --- | --- |');
  await measureVisits('start page', '/', '.services a.card');
  await measureVisits(`live timing, ${CARS} cars`, `/service/${uuid}`, 'table.timing tbody tr');
  console.log('\n| a second of | script | layout and style | main thread in all |\n| --- | --- | --- | --- |');
  await measureUpdates(`/service/${uuid}`);
} finally {
  await browser.close();
  await daemon.destroy();
}
