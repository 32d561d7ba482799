// A session of OpenF1 from a server that answers as documented, or does not, to
// what viewers see. The data are made up (plugins/openf1/fixtures).
import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import test from 'node:test';

import { eventually, root, startDaemon } from './support/daemon.mjs';
import { StateWatch, startService } from './support/feeds.mjs';
import { startServer } from './support/http_server.mjs';

const COLUMNS = ['Num', 'State', 'Driver', 'Team', 'T', 'TS', 'TA', 'Laps', 'Gap', 'Int', 'S1', 'S2', 'S3', 'Last', 'Best', 'Pits'];
const COLLECTIONS = ['sessions', 'drivers', 'laps', 'position', 'intervals', 'pit', 'stints', 'race_control', 'weather'];
const at = (title) => COLUMNS.indexOf(title);
const fixture = (name) => readFileSync(path.join(root, 'plugins/openf1/fixtures', `${name}.json`), 'utf8');
const collectionOf = (request) => request.path.match(/^\/v1\/(\w+)\?/)?.[1];
const FLAG_TEXTS = ['Safety car deployed', 'Green flag - track clear', 'Chequered flag'];
const json = (body) => ({ headers: { 'content-type': 'application/json' }, body });
const detail = (status, text, headers = {}) => ({ status, headers, body: { detail: text } });
const show = (daemon, uuid) => daemon.ctlJson(['service', 'show', uuid]);
const row = (state, num) => state.cars.find((car) => car[0] === num);
const isFinished = (state) => state.session.flagState === 'chequered' && row(state, '22')?.[at('Laps')] === 4;

// answer(collection, how often it was asked for before): instead of the fixture.
async function startSession(t, answer = () => undefined, ...options) {
  const asked = {};
  const server = await startServer(t, async (request) => {
    const name = collectionOf(request);
    asked[name] = (asked[name] ?? 0) + 1;
    const special = await answer(name, asked[name] - 1, request);
    if (special !== undefined) return special;
    return COLLECTIONS.includes(name) ? json(fixture(name)) : { status: 404 };
  });
  const daemon = await startDaemon(t);
  const uuid = await startService(daemon, 'openf1', '--endpoint', `${server.url}/v1/`, '--pause', '0.01', '--retry', '0.05', ...options);
  return { server, daemon, uuid, asked, watch: await StateWatch.open(t, daemon, uuid) };
}

test('a finished session is played to its documented end', async (t) => {
  const { server, daemon, uuid, watch } = await startSession(t, undefined, '--session', '9001', '--speed', '100');
  const final = await watch.until(isFinished, 'the end of the race');
  const service = await show(daemon, uuid);

  assert.deepEqual(server.requests.map(({ path: asked }) => asked), COLLECTIONS.map((name) => `/v1/${name}?session_key=9001`));
  assert.deepEqual(service.manifest.colSpec.map(([title]) => title), COLUMNS);
  assert.equal(service.manifest.description, 'Meadow Park 2024 - Race');
  assert.deepEqual(service.manifest.source, ['OpenF1', 'https://openf1.org']);
  assert.deepEqual(final.cars.map((car) => car.slice(0, 10)), [
    ['11', 'FIN', 'Ada ASH', 'Team Ash', 'S', 4, 6, 4, '', ''],
    ['22', 'FIN', 'Bea BEECH', 'Team Beech', 'H', 1, 1, 4, 21.9, 21.9],
    ['33', row(final, '33')[at('State')], 'Cid CEDAR', 'Team Cedar', 'S', 3, 5, 3, '1 lap', '1 lap'],
  ]);
  assert.deepEqual(row(final, '11').slice(at('S1'), at('Pits')), [[19.9, ''], [20.1, ''], [20, row(final, '11')[at('S3')][1]], [60, ''], [59.8, 'sb']]);
  assert.equal(row(final, '22')[at('Pits')], 1);
  assert.deepEqual(final.session.trackData, ['21.6 °C', '', '45.0 %', '2.1 m/s', 'yes']);
  assert.equal(service.counters.damaged, 1);
  assert.ok(service.counters.repeated >= 1);
  assert.equal(service.status, 'running');
});

test('race control is told, and its flags are those of the whole track', async (t) => {
  const { watch } = await startSession(t, undefined, '--session', '9001', '--speed', '200');
  const final = await watch.until(isFinished, 'the end');
  const said = [...final.messages].reverse();

  // those of one update have no order among them
  assert.deepEqual(said.filter((message) => message[3] === 'raceControl').map((message) => message[2]).sort(), [
    'CAR 33 (CED) UNDER INVESTIGATION', 'CHEQUERED FLAG', 'SAFETY CAR DEPLOYED', 'SAFETY CAR IN THIS LAP', 'YELLOW IN TRACK SECTOR 3']);
  assert.equal(said.find((message) => message[2].startsWith('CAR 33'))[4], '33');
  // the safety car, then green when the lap is over, then the end; never the yellow of one sector
  assert.deepEqual(said.filter((message) => message[1] === 'Track').map((message) => message[2]), FLAG_TEXTS);
});

test('an offset begins in the middle, with the laps before it and without their messages', async (t) => {
  const { watch } = await startSession(t, undefined, '--offset', '135', '--speed', '0.1');
  const state = await watch.until((found) => found.cars.length === 3 && found.cars[0][at('Laps')] === 2, 'the table at the offset');
  assert.ok(state.session.timeElapsed >= 135 && state.session.timeElapsed < 190);
  assert.deepEqual(state.messages.filter((message) => message[3] === 'raceControl'), []);
});

test('latest is asked for by its key then, with the token of a file, which is shown nowhere', async (t) => {
  const files = mkdtempSync(path.join(tmpdir(), 'livetimingd-openf1-'));
  t.after(() => rmSync(files, { recursive: true, force: true }));
  writeFileSync(path.join(files, 'token'), 'a-secret-token\nnot this\n');
  const { server, daemon, uuid, watch } = await startSession(t, undefined, '--token-file', path.join(files, 'token'), '--speed', '1000');
  await watch.until(isFinished, 'the end');
  assert.equal(server.requests[0].path, '/v1/sessions?session_key=latest');
  assert.equal(server.requests[1].path, '/v1/drivers?session_key=9001');
  assert.ok(server.requests.every(({ headers }) => headers.authorization === 'Bearer a-secret-token'));
  assert.ok(!JSON.stringify(await show(daemon, uuid)).includes('a-secret-token'));
  assert.ok(!daemon.log.includes('a-secret-token'));
});

test('401 while a session is in progress is shown with its reason until it is over', async (t) => {
  let isInProgress = true;
  const { daemon, uuid, watch } = await startSession(t, () => (isInProgress ? detail(401, 'Live F1 session in progress.') : undefined), '--speed', '1000');
  await watch.until((state) => state.session.stale, 'the feed to be called stale');
  const { staleReason, status } = await show(daemon, uuid);
  isInProgress = false;
  const final = await watch.until(isFinished, 'the end');

  assert.equal(status, 'running');
  assert.equal(staleReason, 'OpenF1 is not open to everybody now (401): a session may be in progress; it says: Live F1 session in progress.');
  assert.ok(!final.session.stale);
});

test('a session that is not there, or was not held, fails the service with a sentence', async (t) => {
  const bodies = { 123: detail(404, 'No results found.'), 124: json('[]'), 125: json(fixture('sessions').replace('"is_cancelled": false', '"is_cancelled": true')) };
  const server = await startServer(t, (request) => bodies[request.path.match(/=(\d+)$/)[1]]);
  const daemon = await startDaemon(t);
  for (const [key, sentence] of [['123', /OpenF1 has no session 123$/], ['124', /OpenF1 has no session 124$/], ['125', /no session 125 that was held: it was cancelled/]]) {
    const uuid = await startService(daemon, 'openf1', '--endpoint', `${server.url}/v1`, '--session', key);
    await eventually(async () => sentence.test((await show(daemon, uuid)).reason ?? ''), `session ${key} to fail`);
  }
});

test('collections that are missing or empty leave their columns empty', async (t) => {
  const missing = ['intervals', 'pit', 'stints', 'weather'];
  const { watch } = await startSession(t, (name) => (missing.includes(name) ? detail(404, 'No results found.') : name === 'race_control' ? json('[]') : undefined), '--speed', '1000');
  const final = await watch.until((state) => row(state, '22')?.[at('Laps')] === 4, 'the end');
  assert.deepEqual(row(final, '22').slice(at('T'), at('S1')), ['', '', '', 4, 21.9, 21.9]);
  assert.equal(final.session.flagState, 'none');
  assert.deepEqual(final.session.trackData, ['', '', '', '', '']);
});

test('429 is waited for as long as the server asks', async (t) => {
  const asked = [];
  const { daemon, watch } = await startSession(t, (name, before) => {
    if (name !== 'laps') return undefined;
    asked.push(Date.now());
    return before === 0 ? detail(429, 'Too many requests', { 'retry-after': '2' }) : undefined;
  }, '--speed', '1000');
  await daemon.waitLog(/OpenF1 asks to wait \(429\); it says: Too many requests/);
  await watch.until(isFinished, 'the end');
  assert.ok(asked[1] - asked[0] >= 1900, `asked again after ${asked[1] - asked[0]} ms`);
});

test('whatever goes wrong while loading is shown, and the same is asked for again', async (t) => {
  const wrong = {
    drivers: { status: 500, body: '<html>' },
    laps: { body: '<html>hello</html>' },
    position: json('{"detail": "moved"}'),
    intervals: { body: fixture('intervals').slice(0, 150) },
    pit: null, // the connection is cut, twice: on one that was kept open a client asks again by itself
  };
  const times = (name) => (name === 'pit' ? 2 : name in wrong ? 1 : 0);
  const { daemon, asked, watch } = await startSession(t, (name, before) => (before < times(name) ? wrong[name] : undefined), '--speed', '1000');
  const final = await watch.until(isFinished, 'the end');
  for (const reason of [/OpenF1 has trouble \(500\)/, /cannot be read: laps: byte 0/, /cannot be read: position: the answer is not a list/, /cannot be read: intervals: byte/, /OpenF1 does not answer/]) {
    await daemon.waitLog(reason);
  }
  assert.deepEqual(asked, Object.fromEntries(COLLECTIONS.map((name) => [name, times(name) + 1])));
  assert.ok(!final.session.stale);
  assert.deepEqual(final.cars[0].slice(0, 3), ['11', 'FIN', 'Ada ASH']);
});

test('a session that goes on is read again, and nothing is told twice', async (t) => {
  // the fixture, moved so that its last lap ended some seconds ago
  const shift = Date.now() - 260000 - Date.parse('2024-05-04T12:00:00Z');
  const moved = (name) => fixture(name).replace(/"(2024-05-04T[^"]+)"/g, (_, date) => `"${new Date(Date.parse(date) + shift).toISOString()}"`);
  let isFirst = true;
  const { daemon, uuid, asked, watch } = await startSession(t, (name) => {
    if (name === 'laps' && isFirst) {
      isFirst = false; // the last laps were not there yet
      return json(JSON.stringify(JSON.parse(moved('laps')).filter((lap) => lap.lap_number !== 4)));
    }
    return json(moved(name));
  }, '--refresh', '5');
  await watch.until((state) => row(state, '22')?.[at('Laps')] === 3, 'the first reading');
  const later = await watch.until((state) => row(state, '22')?.[at('Laps')] === 4, 'the second reading');
  assert.equal(asked.sessions >= 2, true);
  assert.ok(later.session.timeElapsed >= 260);
  assert.deepEqual(later.messages.filter((message) => message[3] === 'raceControl'), []);
  const speed = await daemon.ctl(['desk', 'option', uuid, 'speed', '5']);
  assert.match(speed.stderr, /a session that goes on has its own speed/);
});

test('options that make no sense are refused with a sentence', async (t) => {
  const daemon = await startDaemon(t);
  for (const [options, sentence] of [
    [['--session', 'newest'], /--session: expected a number, or latest/],
    [['--endpoint', 'openf1'], /--endpoint: expected an address/],
    [['--speed', '0'], /--speed/],
  ]) {
    const { code, stderr } = await daemon.ctl(['service', 'start', 'openf1', ...options]);
    assert.equal(code, 1);
    assert.match(stderr, sentence);
  }
});
