// The page follows a race by differences, and shows exactly what the full topic
// said: an hour of it, state by state, with connections that break and stall and lose
// events on the way.
import test, { before, after } from 'node:test';
import assert from 'node:assert/strict';
import { cell } from '../../src/web/js/format.js';
import { Daemon, eventually } from './support/daemon.mjs';
import { openPage } from './support/browser.mjs';
import { colSpec, publishService, startProxy } from './support/viewer.mjs';

const daemon = new Daemon();
before(() => daemon.start());
after(() => daemon.destroy());

const HOUR = 3600;
const PACE = 3; // seconds of race from one state to the next
const CARS = 14;
const STEP = 60; // seconds

// A race from a seed: cars that overtake, stop, retire and come back, with messages.
function* race(seconds) {
  let seed = 71;
  const random = () => {
    seed = (Math.imul(seed, 1664525) + 1013904223) >>> 0;
    return seed / 2 ** 32;
  };
  const pick = (n) => Math.floor(random() * n);
  let cars = Array.from({ length: CARS }, (_, i) => [String(i + 1), 'RUN', i % 2 ? 'GT3' : 'GT4', `Driver ${i + 1}`, 0, i * 1.5, ['', '']]);
  let messages = [];
  let away = null;
  for (let second = 0; second < seconds; second += PACE) {
    cars = cars.map((car) => [...car.slice(0, 6), [...car[6]]]);
    const block = [];
    for (let i = 0; i < 4; i++) {
      const car = cars[pick(cars.length)];
      car[5] = Math.round(random() * 90000) / 1000;
      if (random() < 0.3) {
        car[4] += 1;
        car[6] = [Math.round((80 + random() * 20) * 1000) / 1000, ['', 'pb', 'sb', 'sb-new', 'old'][pick(5)]];
      }
    }
    if (random() < 0.2) {
      const at = pick(cars.length - 1);
      [cars[at], cars[at + 1]] = [cars[at + 1], cars[at]];
    }
    if (random() < 0.05) {
      const car = cars[pick(cars.length)];
      car[1] = car[1] === 'RUN' ? 'PIT' : 'RUN';
      block.push([1700000000 + second, car[2], `#${car[0]} (${car[3]}) is ${car[1]} – ß "${second}"`, 'pit', car[0]]);
    }
    if (random() < 0.01 && !away) away = cars.splice(pick(cars.length), 1)[0];
    else if (away && random() < 0.05) {
      cars.push(away);
      away = null;
    }
    messages = [...block, ...messages].slice(0, 100);
    const flagState = ['green', 'green', 'green', 'sc', 'red'][Math.floor(second / 98) % 5];
    yield { cars, messages, highlight: block.map((message) => message[4]), session: { flagState, timeElapsed: second, timeRemain: seconds - second, trackData: [String(second)] } };
  }
}

const texts = (state) => ({
  rows: state.cars.map((car, i) => [String(i + 1), ...car.map((value, column) => cell(value, colSpec[column][1]).text)]),
  messages: state.messages.map((message) => message[2]),
});

// Runs in the page: what it shows each time that the second changes.
function watch() {
  globalThis.seen = new Map();
  const look = () => {
    const second = document.querySelector('.track dd')?.textContent;
    if (second === undefined) return;
    globalThis.seen.set(second, {
      rows: [...document.querySelectorAll('table.timing tbody tr')].map((row) => [...row.cells].slice(1).map((node) => node.textContent)),
      messages: [...document.querySelectorAll('.message .text')].map((node) => node.textContent),
    });
  };
  const frame = () => {
    look();
    requestAnimationFrame(frame);
  };
  frame();
}

test('the page shows exactly the states of the full topic over an hour of race with forced disconnects, stalls and losses', async (t) => {
  const states = race(HOUR);
  const first = states.next().value;
  const expected = new Map([['0', texts(first)]]);
  const { publish } = await publishService(t, daemon, 'hour', { state: first, trackDataSpec: ['Second'] });
  const proxy = await startProxy(t, daemon);
  const page = await openPage(t);
  let keyframes = 0;
  let connections = 0;
  page.on('websocket', (socket) => {
    connections += 1;
    socket.on('framesent', ({ payload }) => (keyframes += String(payload).includes('livetiming.delta.keyframe.') ? 1 : 0));
  });
  await page.goto(`${proxy.http}/service/hour`);
  await page.locator('table.timing tbody tr').first().waitFor();
  await page.evaluate(watch);

  let second = 0;
  let cuts = 0;
  let last = first;
  for (const state of states) {
    second += PACE;
    expected.set(String(second), texts(state));
    await publish(state);
    last = state;
    if (second % 720 === 240) {
      const before = connections;
      proxy.cut();
      cuts += 1;
      await eventually(() => connections > before, 'the page to connect again', 60000);
    }
    if (second % 1440 === 420) proxy.lose(2);
    if (second % 720 === 600) proxy.hold(400);
    // The page is not to be left behind by so much that it would only see the end.
    if (second % STEP === 0) await eventually(() => page.evaluate((least) => Number(document.querySelector('.track dd').textContent) >= least, second - STEP), `second ${second - STEP} on the page`, 60000);
  }
  await eventually(() => page.evaluate((end) => document.querySelector('.track dd').textContent === end, String(second)), 'the last second of the hour', 60000);
  await page.evaluate(() => new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(resolve))));

  const seen = await page.evaluate(() => [...globalThis.seen]);
  console.log(`# ${seen.length} of ${HOUR / PACE} states were on the screen; ${cuts} connections cut, ${proxy.lost} differences lost, ${keyframes} keyframes asked for`);
  for (const [key, shown] of seen) assert.deepEqual(shown, expected.get(key), `second ${key}`);
  assert.deepEqual(seen.at(-1)[1], texts(last));
  assert.ok(seen.length >= HOUR / (2 * STEP), `${seen.length} states`);
  assert.equal(cuts, 5);
  assert.equal(proxy.lost, 6);
  assert.ok(keyframes > 0, 'a gap was filled by the procedure');
});

test('the page receives differences, not whole states', async (t) => {
  const states = [...race(120)];
  const { publish } = await publishService(t, daemon, 'bytes', { state: states[0], trackDataSpec: ['Second'] });
  const page = await openPage(t);
  const topics = [];
  page.on('websocket', (socket) => {
    socket.on('framesent', ({ payload }) => topics.push(String(payload)));
    socket.on('framereceived', ({ payload }) => topics.push(String(payload)));
  });
  await page.goto(`${daemon.http}/service/bytes`);
  await page.locator('table.timing tbody tr').first().waitFor();
  for (const state of states.slice(1)) await publish(state);
  await eventually(() => page.evaluate(() => document.querySelector('.track dd').textContent === '117'), 'the last state', 60000);
  assert.ok(topics.some((text) => text.includes('"diff"')), 'differences came');
  assert.equal(topics.filter((text) => text.startsWith('[32,') && text.includes('livetiming.service.')).length, 0);
});
