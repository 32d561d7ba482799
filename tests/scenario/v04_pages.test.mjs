// The other pages: recordings, what comes next, links by class, private
// services, embeds and overlays, and the headers that they are served with.
import test, { before, after } from 'node:test';
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdirSync } from 'node:fs';
import http from 'node:http';
import path from 'node:path';
import { Daemon, eventually, startDaemon } from './support/daemon.mjs';
import { autobahnSession } from './support/clients.mjs';
import { writeZip } from './support/zip.mjs';
import { openPage, screenshot } from './support/browser.mjs';
import { DESKTOP, PHONE, colSpec, knownState, numbers, publishService, rows } from './support/viewer.mjs';

const RECORDINGS = 65;
const daemon = new Daemon({ env: { LIVETIMING_EMBED: 'https://series.example http://127.0.0.1:*' } });

// Recordings of three series, made by hand.
before(async () => {
  const folder = daemon.env.LIVETIMING_RECORDINGS_DIR;
  mkdirSync(folder, { recursive: true });
  for (let i = 0; i < RECORDINGS; i++) {
    const start = 1700000000 + i * 86400;
    const name = ['Club Cup', 'Endurance Series', 'Kart Trophy'][i % 3];
    const manifest = { uuid: `rec${i}`, name, description: `Round ${i}`, serviceClass: 'test', colSpec, trackDataSpec: [], version: 1, startTime: start };
    const frame = (t) => String(t).padStart(11, '0');
    writeZip(path.join(folder, `rec${i}.zip`), [
      { name: 'manifest.json', content: JSON.stringify(manifest) },
      { name: `${frame(start)}.json`, content: JSON.stringify(knownState) },
      { name: `${frame(start + 3600)}.json`, content: JSON.stringify(knownState) },
    ]);
  }
  await daemon.start();
});
after(() => daemon.destroy());

for (const [size, viewport] of Object.entries({ desktop: DESKTOP, phone: PHONE })) {
  test(`recordings are searched, filtered by series and paged through (${size})`, async (t) => {
    const page = await openPage(t, { viewport });
    await page.goto(`${daemon.http}/recordings`);
    await page.getByText('65 recordings').waitFor();
    assert.equal(await page.title(), 'Recordings – Live timing');
    assert.equal(await page.locator('.recording').count(), 30);
    assert.equal(await page.locator('.recording strong').first().textContent(), 'Endurance Series');
    await screenshot(page, `recordings-${size}`);

    await page.getByRole('link', { name: 'Older' }).click();
    await page.getByText('Page 2 of 3').waitFor();
    assert.match(page.url(), /\?page=2$/);
    await page.goBack();
    await page.getByText('Page 1 of 3').waitFor();

    await page.getByRole('combobox', { name: 'Series' }).selectOption('Kart Trophy');
    await page.getByText('21 recordings').waitFor();
    await page.getByRole('searchbox').fill('Round 62');
    await page.getByText('1 recording', { exact: true }).waitFor();
    assert.match(await page.locator('.recording').innerText(), /Kart Trophy\s+Round 62/);
    assert.match(page.url(), /q=Round\+62&series=Kart\+Trophy/);
    assert.equal(await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth), 0);
    assert.deepEqual(page.problems, []);
  });
}

test('the address of a search shows it again, and its file can be downloaded', async (t) => {
  const page = await openPage(t);
  await page.goto(`${daemon.http}/recordings?q=Round+64`);
  await page.getByText('1 recording', { exact: true }).waitFor();
  const link = page.getByRole('link', { name: /^Download/ });
  assert.equal(await link.getAttribute('href'), '/recordings/rec64.zip');
  const [download] = await Promise.all([page.waitForEvent('download'), link.click()]);
  assert.equal(download.suggestedFilename(), 'rec64.zip');
  assert.match(await page.locator('.recording-main').getAttribute('href'), /^\/replay\/rec64$/);
});

test('nothing found is said', async (t) => {
  const page = await openPage(t);
  await page.goto(`${daemon.http}/recordings?q=nothing-of-this-name`);
  await page.getByText('Nothing found.').waitFor();
});

test('the start page shows the newest recordings and what comes next, in local time, with a countdown', async (t) => {
  const session = await autobahnSession(t, daemon, { auth: {} });
  const start = Math.floor(Date.now() / 1000) + 3 * 86400 + 7200;
  await session.publish('livetiming.scheduler', [{ msgClass: 6, date: Date.now(), retain: true, payload: [
    { id: 'b', name: 'Endurance Series, race', service: 'endurance', startTime: start, hidden: false },
    { id: 'a', name: 'Practice', service: 'club', startTime: start - 2 * 86400, hidden: false },
    { id: 'x', name: 'Secret test', service: 'club', startTime: start, hidden: true },
  ] }], {}, { acknowledge: true, retain: true });
  const page = await openPage(t, { timezoneId: 'Asia/Tokyo', locale: 'en-GB' });
  await page.goto(`${daemon.http}/`);
  await page.locator('.schedule li').nth(1).waitFor();
  assert.deepEqual(await page.locator('.schedule strong').allInnerTexts(), ['Practice', 'Endurance Series, race']);
  const local = new Date(start * 1000).toLocaleTimeString('en-GB', { timeZone: 'Asia/Tokyo', hour: '2-digit', minute: '2-digit' });
  assert.equal(await page.locator('.schedule .hour').last().textContent(), local);
  assert.match(await page.locator('.countdown').last().textContent(), /^in 3 days$/);
  await page.locator('.recordings .recording').nth(5).waitFor();
  assert.equal(await page.locator('.recordings .recording').count(), 6);
  await screenshot(page, 'home-schedule');
  assert.deepEqual(page.problems, []);
});

test('the link of an announcement leads to the service of its class, also when it starts later', async (t) => {
  const page = await openPage(t);
  await page.goto(`${daemon.http}/s/Announced`);
  await page.getByText('No service of this name').waitFor();
  await publishService(t, daemon, 'announced1', { serviceClass: 'announced' });
  await page.locator('table.timing tbody tr').first().waitFor();
  assert.match(page.url(), /\/service\/announced1$/);
});

test('an address that is none says so and leads back', async (t) => {
  const page = await openPage(t);
  await page.goto(`${daemon.http}/service/a/b/c`);
  await page.getByText('There is no such page').waitFor();
  await page.getByRole('link', { name: 'To the start page' }).click();
  await page.getByText('Live now').waitFor();
});

test('a service that does not run is waited for', async (t) => {
  const page = await openPage(t);
  await page.goto(`${daemon.http}/service/later1`);
  await page.getByText('This service is not running at the moment').waitFor();
  await publishService(t, daemon, 'later1');
  await page.locator('table.timing tbody tr').nth(3).waitFor();
  assert.match(await page.title(), /Club Cup – Race 1/);
});

test('an embed shows what its address asks for, in a frame of a page elsewhere', async (t) => {
  await publishService(t, daemon, 'framed1');
  const page = await openPage(t);
  const address = `${daemon.http}/embed/framed1?theme=light&rows=2&columns=Num,Driver,Gap`;
  const host = http.createServer((_, response) => response.setHeader('Content-Type', 'text/html').end(`<link rel="icon" href="data:,"><iframe src="${address}" width="700" height="400"></iframe>`));
  host.listen(0, '127.0.0.1');
  await once(host, 'listening');
  t.after(() => host.close());
  await page.goto(`http://127.0.0.1:${host.address().port}/`);
  const frame = page.frameLocator('iframe');
  await frame.locator('tbody tr').nth(1).waitFor();
  assert.deepEqual((await frame.locator('thead th').allInnerTexts()).slice(1), ['Pos', 'Num', 'Driver', 'Gap']);
  assert.equal(await frame.locator('tbody tr').count(), 2);
  assert.equal(await frame.locator('html').getAttribute('data-theme'), 'light');
  assert.equal(await frame.locator('.top').isVisible(), false);
  assert.equal(await frame.getByRole('link', { name: 'Full timing' }).getAttribute('href'), '/service/framed1');
  assert.deepEqual(page.problems, []);
});

test('an overlay is transparent and has the first cars of a class', async (t) => {
  const { publish } = await publishService(t, daemon, 'overlay1');
  const page = await openPage(t, { viewport: { width: 640, height: 360 } });
  await page.goto(`${daemon.http}/overlay/overlay1?rows=2&class=GT4&bg=transparent&size=20`);
  await page.locator('.tower-rows li').nth(1).waitFor();
  const shown = () => page.locator('.tower-rows li').evaluateAll((all) => all.map((row) => [...row.children].map((node) => node.textContent)));
  assert.deepEqual(await shown(), [['1', '9', 'Roth', 'PIT'], ['2', '12', 'Pérez', 'RET']]);
  assert.equal(await page.evaluate(() => getComputedStyle(document.body).backgroundColor), 'rgba(0, 0, 0, 0)');
  await publish({ ...knownState, cars: [knownState.cars[3], ...knownState.cars.slice(0, 3)] });
  await eventually(async () => (await shown())[0][1] === '12', 'the new leader', 60000);
  await screenshot(page, 'overlay');
  assert.deepEqual(page.problems, []);
});

test('pages have a strict policy; those made for frames name who may frame them', async (t) => {
  const policy = async (base, address) => (await fetch(`${base}${address}`)).headers.get('content-security-policy');
  for (const address of ['/', '/service/x', '/recordings', '/replay/x', '/s/x', '/index.html']) {
    const text = await policy(daemon.http, address);
    assert.match(text, /default-src 'self'/, address);
    assert.match(text, /frame-ancestors 'none'/, address);
    assert.doesNotMatch(text, /unsafe/, address);
  }
  for (const address of ['/embed/x', '/overlay/x']) {
    assert.match(await policy(daemon.http, address), /frame-ancestors https:\/\/series\.example http:\/\/127\.0\.0\.1:\*$/);
  }
  const plain = await startDaemon(t);
  assert.match(await policy(plain.http, '/embed/x'), /frame-ancestors \*$/);
  const closed = await startDaemon(t, { env: { LIVETIMING_EMBED: 'no' } });
  assert.match(await policy(closed.http, '/embed/x'), /frame-ancestors 'none'$/);
});

test('a setting that would break out of the header is refused at start', async () => {
  for (const value of ["'unsafe-inline'; script-src *", 'https://a.example; x', 'example.com']) {
    const odd = new Daemon({ env: { LIVETIMING_EMBED: value } });
    await assert.rejects(odd.start(), /LIVETIMING_EMBED/);
    await odd.destroy();
  }
});

test('a private service is opened by the code in its address, and by one that is typed', async (t) => {
  await publishService(t, daemon, 'private1');
  await eventually(async () => (await fetch(`${daemon.http}/state/private1.json`)).ok, 'the service to be listed', 60000);
  const { code } = await daemon.ctlJson(['desk', 'private', 'private1']);

  const page = await openPage(t);
  const past = page.waitForResponse((response) => response.url().endsWith('/timeline/live/private1/index.json'));
  await page.goto(`${daemon.http}/service/private1#code=${encodeURIComponent(code)}`);
  await page.locator('table.timing tbody tr').nth(3).waitFor();
  // the past of it is asked for with the code, which is in no address
  const asked = (await past).request();
  assert.equal((await asked.allHeaders())['x-access-code'], code);
  assert.ok(!asked.url().includes(code));

  const other = await openPage(t);
  await other.goto(`${daemon.http}/service/private1`);
  await other.getByLabel('Access code').fill('wrong-code-1');
  await other.getByRole('button', { name: 'Open' }).click();
  await other.getByText('This code does not open the service.').waitFor();
  assert.equal(await other.locator('table.timing tbody tr').count(), 0);
  await other.getByLabel('Access code').fill(code);
  await other.getByRole('button', { name: 'Open' }).click();
  await other.locator('table.timing tbody tr').nth(3).waitFor();
  assert.equal((await numbers(other)).length, (await rows(page)).length);
});
