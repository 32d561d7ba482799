// The built-in page in a real browser against the real daemon: start page and live timing.
import test, { before, after } from 'node:test';
import assert from 'node:assert/strict';
import { Daemon, startDaemon, eventually } from './support/daemon.mjs';
import { openPage, screenshot } from './support/browser.mjs';
import { DESKTOP, PHONE, colSpec, knownState, numbers, publishService, rows, simulator } from './support/viewer.mjs';

const daemon = new Daemon(simulator());
before(() => daemon.start());
after(() => daemon.destroy());

const simulated = (page) => page.locator('.services a.card', { hasText: 'Simulated' });

async function openSimulated(page) {
  await page.goto(`${daemon.http}/`);
  await simulated(page).click();
  await page.locator('table.timing tbody tr').nth(3).waitFor();
}

async function openKnown(t, page, uuid, options) {
  const service = await publishService(t, daemon, uuid, options);
  await page.goto(`${daemon.http}/service/${uuid}`);
  await page.locator('table.timing tbody tr').first().waitFor();
  return service;
}

test('the start page lists the running services with flag and number of cars', async (t) => {
  const page = await openPage(t);
  await page.goto(`${daemon.http}/`);
  await simulated(page).waitFor();
  await page.getByText('24 cars').waitFor();
  await screenshot(page, 'home');
  assert.deepEqual(page.problems, []);
});

test('the start page says so when nothing runs; a hidden service does not count', async (t) => {
  const empty = await startDaemon(t, { env: { LIVETIMING_SERVICES: 'simulator --seed 1 --hidden' } });
  const page = await openPage(t);
  await page.goto(`${empty.http}/`);
  await page.getByText('Nothing is running at the moment').waitFor();
  assert.equal(await page.locator('.services a.card').count(), 0);
});

test('a card that is pressed while the listing comes again is still followed', async (t) => {
  const page = await openPage(t);
  const { announce } = await publishService(t, daemon, 'pressed', { name: 'Pressed Cup' });
  await page.goto(`${daemon.http}/`);
  const card = page.locator('.services a.card', { hasText: 'Pressed Cup' });
  await card.waitFor();
  const box = await card.boundingBox();
  await page.mouse.move(box.x + 20, box.y + 20);
  await page.mouse.down();
  await announce({ description: 'Race 2' });
  await page.locator('.services a.card', { hasText: 'Race 2' }).waitFor();
  await page.mouse.up();
  await page.locator('table.timing tbody tr').nth(3).waitFor();
  assert.match(page.url(), /\/service\/pressed$/);
});

test('going to and fro between pages, the listing and the state are there each time', async (t) => {
  const page = await openPage(t);
  await openSimulated(page);
  for (let i = 0; i < 5; i++) {
    await page.goBack();
    await simulated(page).waitFor();
    await page.goForward();
    await page.locator('table.timing tbody tr').nth(3).waitFor();
  }
  assert.match(await page.title(), /Simulated/);
  assert.deepEqual(page.problems, []);
});

test('the timing table shows a simulated race that goes on by itself', async (t) => {
  const page = await openPage(t);
  await openSimulated(page);
  assert.equal(await page.locator('table.timing tbody tr').count(), 24);
  const earlier = await page.locator('table.timing tbody').innerText();
  await eventually(async () => (await page.locator('table.timing tbody').innerText()) !== earlier, 'the table to change', 60000);
  await screenshot(page, 'live');
  assert.deepEqual(page.problems, []);
});

test('columns, times and best laps are shown by the column specification, with tooltips', async (t) => {
  const page = await openPage(t);
  await openKnown(t, page, 'spec');
  assert.deepEqual((await page.locator('thead th').allInnerTexts()).slice(1), ['Pos', ...colSpec.map(([title]) => title)]);
  assert.equal(await page.locator('thead th').last().getAttribute('title'), 'Last lap time');
  assert.equal(await page.locator('thead th', { hasText: 'Driver' }).getAttribute('title'), 'Driver in the car');
  assert.deepEqual((await rows(page))[0], ['1', '7', 'RUN', 'GT3', 'Ana Lima', '12', '', '1:23.400']);
  assert.deepEqual((await rows(page))[2], ['3', '8', 'RUN', 'GT3', 'Cem Kara', '11', '1 lap', '']);
  assert.match(await page.locator('tbody tr').nth(0).locator('td').last().getAttribute('class'), /time-sb-new/);
  assert.match(await page.locator('tbody tr').nth(1).locator('td').last().getAttribute('class'), /time-pb/);
  assert.equal(await page.locator('tbody tr').nth(1).locator('td').last().getAttribute('title'), 'Personal best');
  assert.equal(await page.locator('tbody tr').nth(1).locator('td.state').getAttribute('title'), 'In the pits');
});

test('cars of one class share a colour and a shape that the other class does not have', async (t) => {
  const page = await openPage(t);
  await openKnown(t, page, 'colours');
  const looks = await page.locator('tbody tr').evaluateAll((all) => all.map((row) => {
    const style = getComputedStyle(row.querySelector('.col-class'), '::before');
    return [style.backgroundColor, style.clipPath];
  }));
  assert.deepEqual(looks[0], looks[2]);
  assert.notEqual(looks[0][0], looks[1][0]);
  assert.notEqual(looks[0][1], looks[1][1]);
});

test('the banner shows the flag, track data and clocks that count between updates', async (t) => {
  const page = await openPage(t);
  await openKnown(t, page, 'banner');
  await page.locator('.banner.flag-yellow').waitFor();
  assert.equal(await page.locator('.flag-name').textContent(), 'Safety car');
  assert.match(await page.locator('.banner .clock').first().textContent(), /^1:0\d:\d\d$/);
  assert.deepEqual(await page.locator('.track div').allInnerTexts().then((texts) => texts.map((text) => text.replace(/\s+/g, ' '))), ['Air 21°C']);
  const earlier = await page.locator('.banner .clock').last().textContent();
  await eventually(async () => (await page.locator('.banner .clock').last().textContent()) !== earlier, 'the clock to count', 60000);
});

test('a car that a message names is highlighted, and its position change is marked', async (t) => {
  const page = await openPage(t);
  const { publish } = await openKnown(t, page, 'lit');
  const [first, second, ...rest] = knownState.cars;
  await publish({ ...knownState, cars: [second, first, ...rest], highlight: ['9'], messages: [[1700000009, 'GT4', '#9 leads', '', '9'], ...knownState.messages] });
  await page.locator('tbody tr.lit').waitFor();
  assert.equal(await page.locator('tbody tr.lit .num').textContent(), '9');
  await page.locator('tbody tr.gained').waitFor();
  assert.equal(await page.locator('tbody tr.gained .num').textContent(), '9');
  assert.equal(await page.locator('tbody tr.lost .num').textContent(), '7');
});

test('rows slide when cars change places, and do not for those who want less motion', async (t) => {
  const [first, second, ...rest] = knownState.cars;
  for (const reducedMotion of ['no-preference', 'reduce']) {
    const page = await openPage(t, { reducedMotion });
    const { publish } = await openKnown(t, page, `slide-${reducedMotion}`);
    await page.evaluate(() => {
      globalThis.slides = 0;
      const { animate } = Element.prototype;
      Element.prototype.animate = function count(...args) {
        globalThis.slides += 1;
        return animate.apply(this, args);
      };
    });
    await publish({ ...knownState, cars: [second, first, ...rest] });
    await eventually(async () => (await numbers(page))[0] === '9', 'the new order', 60000);
    assert.equal(await page.evaluate(() => globalThis.slides), reducedMotion === 'reduce' ? 0 : 2);
  }
});

test('a row keeps its identity when cars change position and leaves with its car', async (t) => {
  const page = await openPage(t);
  const { publish } = await openKnown(t, page, 'identity');
  await page.locator('tbody tr').first().evaluate((row) => (row.dataset.mark = 'car 7'));
  await publish({ ...knownState, cars: [knownState.cars[1], knownState.cars[0]] });
  await eventually(async () => (await page.locator('tbody tr').count()) === 2, 'the third row to go', 60000);
  assert.equal(await page.locator('tbody tr').nth(1).getAttribute('data-mark'), 'car 7');
  assert.equal(await page.locator('tbody tr').nth(1).locator('.pos').textContent(), '2');
});

test('text from a feed is text, never markup', async (t) => {
  const page = await openPage(t);
  const evil = '<img src=x onerror="document.title=1">';
  const state = { ...knownState, cars: [['7', evil, evil, evil, evil, evil, [1, 'pb']]], messages: [[1700000000, evil, evil, evil, '7']], session: { ...knownState.session, flagState: evil, trackData: [evil] } };
  await openKnown(t, page, 'evil', { state, name: evil, description: evil, trackDataSpec: [evil], source: [evil, 'javascript:alert(1)'] });
  await page.locator('tbody tr').first().click();
  await page.locator('.car-card h2').waitFor();
  assert.equal(await page.locator('main img').count(), 0);
  assert.equal(await page.locator('main a[href^="javascript"]').count(), 0);
  assert.equal(await page.locator('tbody td.grow').textContent(), evil);
  assert.equal(await page.locator('.message .text').textContent(), evil);
  assert.deepEqual(page.problems, []);
});

test('a state of odd shape does not stop the page', async (t) => {
  const page = await openPage(t);
  const { publish } = await openKnown(t, page, 'odd');
  for (const odd of [{ cars: [[], ['x'], [null, null]], session: {}, messages: [[]] }, { cars: [[{}, [], true]], session: { flagState: 7, timeElapsed: 'x', trackData: 'y' }, messages: [['x', 1, 2, 3]] }]) {
    await publish(odd);
    await eventually(async () => (await page.locator('tbody tr').count()) === odd.cars.length, 'the odd state', 60000);
  }
  await publish(knownState);
  await eventually(async () => (await numbers(page)).join() === '7,9,8,12', 'the known state', 60000);
  assert.deepEqual(page.problems, []);
});

test('the page fits a phone: no sideways scrolling, major columns alone, two lines a car', async (t) => {
  const page = await openPage(t, { viewport: PHONE });
  await openSimulated(page);
  await screenshot(page, 'phone');
  const { scroll, client } = await page.evaluate(() => ({ scroll: document.documentElement.scrollWidth, client: document.documentElement.clientWidth }));
  assert.equal(scroll, client);
  const team = page.locator('thead th', { hasText: /^Team$/ });
  assert.equal(await team.isVisible(), false);
  assert.ok(await page.locator('tbody td.grow').first().getAttribute('data-sub'));
  await page.getByRole('button', { name: 'All columns' }).click();
  assert.equal(await team.isVisible(), true);
  assert.deepEqual(page.problems, []);
});

test('the table is one that a screen reader can tell: caption, headers, the number as row header', async (t) => {
  const page = await openPage(t, { viewport: DESKTOP });
  await openKnown(t, page, 'reader');
  assert.ok(await page.locator('table.timing caption').textContent());
  assert.equal(await page.locator('thead th:not([scope="col"])').count(), 0);
  assert.equal(await page.getByRole('rowheader', { name: '7', exact: true }).count(), 1);
  assert.equal(await page.locator('thead th.pos').getAttribute('aria-sort'), 'ascending');
  assert.equal(await page.locator('button:not([aria-label])').evaluateAll((all) => all.filter((button) => button.offsetParent && !button.textContent.trim()).length), 0);
});

test('the page reconnects by itself when the daemon restarts and shows data again', async (t) => {
  const first = new Daemon(simulator());
  t.after(() => first.destroy());
  await first.start();
  const page = await openPage(t);
  await page.goto(`${first.http}/`);
  await simulated(page).click();
  await page.locator('table.timing tbody tr').nth(3).waitFor();
  await first.stop('SIGKILL');
  await page.locator('#link[data-status="disconnected"]').waitFor();
  await page.getByText('Disconnected', { exact: true }).waitFor();

  const second = new Daemon({ dir: first.dir, env: { ...simulator().env, LIVETIMING_LISTEN: first.address } });
  t.after(() => second.destroy());
  await second.start();

  await page.locator('#link[data-status="connected"]').waitFor();
  const earlier = await page.locator('table.timing tbody').innerText();
  await eventually(async () => (await page.locator('table.timing tbody').innerText()) !== earlier, 'the table to go on', 60000);
});

test('nothing is loaded from anywhere but the daemon', async (t) => {
  const page = await openPage(t);
  const elsewhere = [];
  page.on('request', (request) => new URL(request.url()).host !== daemon.address && elsewhere.push(request.url()));
  await openSimulated(page);
  assert.deepEqual(elsewhere, []);
});
