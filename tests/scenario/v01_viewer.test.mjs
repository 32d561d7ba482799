// The built-in page in a real browser against the real daemon.
import test from 'node:test';
import assert from 'node:assert/strict';
import { Daemon, startDaemon, eventually } from './support/daemon.mjs';
import { autobahnSession } from './support/clients.mjs';
import { openPage, screenshot } from './support/browser.mjs';

const simulator = { env: { LIVETIMING_SERVICES: 'simulator --seed 71 --cars 24 --speed 20' } };

async function openService(page, daemon) {
  await page.goto(`${daemon.http}/`);
  await page.locator('.services a.card').first().click();
  await page.locator('table.timing tbody tr').nth(3).waitFor();
}

// A service of our own, so that every cell is known.
async function publishService(t, daemon, uuid, { colSpec, state, ...manifest }) {
  const session = await autobahnSession(t, daemon, { auth: {} });
  const payload = { uuid, name: 'Club Cup', serviceClass: 'test', description: 'Race 1', colSpec, trackDataSpec: [], pollInterval: 1, hasAnalysis: false, hidden: false, ...manifest };
  const send = (topic, msgClass, value, options) =>
    session.publish(topic, [{ msgClass, date: Date.now(), payload: value, ...(options?.retain && { retain: true }) }], {}, { acknowledge: true, ...options });
  await session.register(`livetiming.service.isAlive.${uuid}`, () => true);
  await send('livetiming.control', 2, payload);
  const publish = (next) => send(`livetiming.service.${uuid}`, 4, next, { retain: true });
  await publish(state);
  return { session, publish };
}

const colSpec = [['Num', 'text', 'Car number'], ['Class', 'class'], ['Driver', 'text'], ['Last', 'time', 'Last lap time']];
const knownState = {
  cars: [
    ['7', 'GT3', 'Ana', [83.4, 'sb-new']],
    ['9', 'GT4', 'Ben', [84.5, 'pb']],
    ['8', 'GT3', 'Cem', ['', '']],
  ],
  session: { flagState: 'sc', timeElapsed: 3725, timeRemain: 60 },
  messages: [[1700000000, 'Track', 'Safety car deployed', 'yellow']],
  highlight: ['9'],
};

test('the start page lists the running services', async (t) => {
  const daemon = await startDaemon(t, simulator);
  const page = await openPage(t);
  await page.goto(`${daemon.http}/`);
  await page.locator('.services a.card').first().waitFor();
  assert.equal(await page.locator('.services a.card').count(), 1);
  await screenshot(page, 'home');
  assert.deepEqual(page.problems, []);
});

test('the start page says so when nothing runs', async (t) => {
  const daemon = await startDaemon(t);
  const page = await openPage(t);
  await page.goto(`${daemon.http}/`);
  await page.getByText('Nothing is running at the moment').waitFor();
});

test('a hidden service is not on the start page', async (t) => {
  const daemon = await startDaemon(t, { env: { LIVETIMING_SERVICES: 'simulator --seed 1 --hidden' } });
  const page = await openPage(t);
  await page.goto(`${daemon.http}/`);
  await page.getByText('Nothing is running at the moment').waitFor();
  assert.equal(await page.locator('.services a.card').count(), 0);
});

test('the timing table shows a simulated race that goes on by itself', async (t) => {
  const daemon = await startDaemon(t, simulator);
  const page = await openPage(t);
  await openService(page, daemon);
  assert.equal(await page.locator('table.timing tbody tr').count(), 24);
  const before = await page.locator('table.timing tbody').innerText();
  await eventually(async () => (await page.locator('table.timing tbody').innerText()) !== before, 'the table to change');
  await screenshot(page, 'live');
  assert.deepEqual(page.problems, []);
});

test('columns, times and best laps are shown by the column specification', async (t) => {
  const daemon = await startDaemon(t);
  await publishService(t, daemon, 'abc', { colSpec, state: knownState });
  const page = await openPage(t);
  await page.goto(`${daemon.http}/service/abc`);
  await page.locator('table.timing tbody tr').first().waitFor();

  assert.deepEqual(await page.locator('thead th').allInnerTexts(), ['Pos', 'Num', 'Class', 'Driver', 'Last']);
  assert.equal(await page.locator('thead th').last().getAttribute('title'), 'Last lap time');
  const rows = await page.locator('tbody tr').evaluateAll((all) => all.map((row) => [...row.cells].map((cell) => cell.textContent)));
  assert.deepEqual(rows, [['1', '7', 'GT3', 'Ana', '1:23.400'], ['2', '9', 'GT4', 'Ben', '1:24.500'], ['3', '8', 'GT3', 'Cem', '']]);
  assert.match(await page.locator('tbody tr').nth(0).locator('td').last().getAttribute('class'), /time-sb-new/);
  assert.match(await page.locator('tbody tr').nth(1).locator('td').last().getAttribute('class'), /time-pb/);
});

test('cars of one class share a colour that the other class does not have', async (t) => {
  const daemon = await startDaemon(t);
  await publishService(t, daemon, 'abc', { colSpec, state: knownState });
  const page = await openPage(t);
  await page.goto(`${daemon.http}/service/abc`);
  await page.locator('table.timing tbody tr').first().waitFor();
  const colours = await page.locator('tbody td.pos').evaluateAll((cells) => cells.map((cell) => getComputedStyle(cell).borderLeftColor));
  assert.equal(colours[0], colours[2]);
  assert.notEqual(colours[0], colours[1]);
});

test('the banner shows the flag and clocks that count between updates', async (t) => {
  const daemon = await startDaemon(t);
  await publishService(t, daemon, 'abc', { colSpec, state: knownState });
  const page = await openPage(t);
  await page.goto(`${daemon.http}/service/abc`);
  await page.locator('.banner.flag-yellow').waitFor();
  assert.equal((await page.locator('.flag-name').textContent()).toLowerCase(), 'safety car');
  assert.match(await page.locator('.banner .clock').first().textContent(), /^1:02:\d\d$/);
  const before = await page.locator('.banner .clock').last().textContent();
  await eventually(async () => (await page.locator('.banner .clock').last().textContent()) !== before, 'the clock to count');
});

test('messages are listed and the cars that they name are highlighted', async (t) => {
  const daemon = await startDaemon(t);
  await publishService(t, daemon, 'abc', { colSpec, state: knownState });
  const page = await openPage(t);
  await page.goto(`${daemon.http}/service/abc`);
  await page.locator('.message.type-yellow').waitFor();
  assert.equal(await page.locator('.message .text').first().textContent(), 'Safety car deployed');
  assert.match(await page.locator('tbody tr').nth(1).getAttribute('class'), /lit/);
});

test('a row keeps its identity when cars change position and leaves with its car', async (t) => {
  const daemon = await startDaemon(t);
  const { publish } = await publishService(t, daemon, 'abc', { colSpec, state: knownState });
  const page = await openPage(t);
  await page.goto(`${daemon.http}/service/abc`);
  await page.locator('tbody tr').nth(2).waitFor();
  await page.locator('tbody tr').first().evaluate((row) => (row.dataset.mark = 'car 7'));

  await publish({ ...knownState, cars: [knownState.cars[1], knownState.cars[0]] });

  await eventually(async () => (await page.locator('tbody tr').count()) === 2, 'the third row to go');
  assert.equal(await page.locator('tbody tr').nth(1).getAttribute('data-mark'), 'car 7');
  assert.equal(await page.locator('tbody tr').nth(1).locator('td').first().textContent(), '2');
});

test('text from a feed is text, never markup', async (t) => {
  const daemon = await startDaemon(t);
  const evil = '<img src=x onerror="document.title=1">';
  const state = { ...knownState, cars: [['7', evil, evil, [1, 'pb']]], messages: [[1700000000, evil, evil, evil]] };
  await publishService(t, daemon, 'abc', { colSpec, state, name: evil, description: evil, source: [evil, 'javascript:alert(1)'] });
  const page = await openPage(t);
  await page.goto(`${daemon.http}/service/abc`);
  await page.locator('tbody tr').first().waitFor();
  assert.equal(await page.locator('main img').count(), 0);
  assert.equal(await page.locator('main a[href^="javascript"]').count(), 0);
  assert.equal(await page.locator('tbody td').nth(3).textContent(), evil);
});

test('the page fits a phone: no sideways scrolling of the page, major columns only', async (t) => {
  const daemon = await startDaemon(t, simulator);
  const page = await openPage(t, { viewport: { width: 390, height: 844 } });
  await openService(page, daemon);
  await screenshot(page, 'phone');
  const { scroll, client } = await page.evaluate(() => ({ scroll: document.documentElement.scrollWidth, client: document.documentElement.clientWidth }));
  assert.equal(scroll, client);
  assert.equal(await page.locator('th', { hasText: /^Team$/ }).isVisible(), false);
  await page.getByRole('button', { name: 'All columns' }).click();
  assert.equal(await page.locator('th', { hasText: /^Team$/ }).isVisible(), true);
});

test('the page reconnects by itself when the daemon restarts and shows data again', async (t) => {
  const first = new Daemon(simulator);
  t.after(() => first.destroy());
  await first.start();
  const page = await openPage(t);
  await openService(page, first);
  await first.stop('SIGKILL');
  await page.locator('#link[data-status="disconnected"]').waitFor();

  const second = new Daemon({ dir: first.dir, env: { ...simulator.env, LIVETIMING_LISTEN: first.address } });
  t.after(() => second.destroy());
  await second.start();

  await page.locator('#link[data-status="connected"]').waitFor();
  const before = await page.locator('table.timing tbody').innerText();
  await eventually(async () => (await page.locator('table.timing tbody').innerText()) !== before, 'the table to go on');
});

test('nothing is loaded from anywhere but the daemon', async (t) => {
  const daemon = await startDaemon(t, simulator);
  const page = await openPage(t);
  const elsewhere = [];
  page.on('request', (request) => new URL(request.url()).host !== daemon.address && elsewhere.push(request.url()));
  await openService(page, daemon);
  assert.deepEqual(elsewhere, []);
  const response = await fetch(`${daemon.http}/`);
  assert.match(response.headers.get('content-security-policy'), /default-src 'self'/);
});
