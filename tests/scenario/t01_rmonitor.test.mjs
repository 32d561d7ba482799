// The RMonitor feed from a real TCP server, or a capture, to what viewers see.
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import test from 'node:test';

import { eventually, root, shared, startDaemon } from './support/daemon.mjs';
import { FeedServer, StateWatch, freePort, sendInPieces, startService } from './support/feeds.mjs';

const COLUMNS = ['Num', 'State', 'Class', 'PIC', 'Driver', 'Team', 'Laps', 'Gap', 'Int', 'Last', 'Best'];

// Two cars on their fifth lap: a feed small enough to be read here.
const ENTRY = [
  '$B,7,"Heat 1"', '$C,1,"GT"',
  '$A,"11","11",1001,"Ada","Ash","",1', '$A,"12","12",1002,"Bea","Beech","",1',
];
const ORDER = ['$G,1,"11",4,"00:04:00.000"', '$H,1,"11",2,"00:00:59.500"', '$G,2,"12",4,"00:04:02.500"', '$H,2,"12",3,"00:01:00.250"'];
const REFRESH = [...ENTRY, ...ORDER];
const LAPS = ['$J,"11","00:01:00.000","00:04:00.000"', '$J,"12","00:01:00.500","00:04:02.500"'];
const heartbeat = (elapsed, flag = 'Green ') => `$F,9999,"00:05:00","12:00:00","${elapsed}","${flag}"`;
const feedText = (lines) => lines.map((line) => `${line}\r\n`).join('');

async function startFeed(t, ...options) {
  const daemon = await startDaemon(t);
  const feed = await FeedServer.listen(t);
  const uuid = await startService(daemon, 'rmonitor', '--host', '127.0.0.1', '--port', String(feed.port), ...options);
  return { daemon, feed, uuid, watch: await StateWatch.open(t, daemon, uuid) };
}

const show = (daemon, uuid) => daemon.ctlJson(['service', 'show', uuid]);
const isAt = (elapsed) => (state) => state.session.timeElapsed === elapsed;

// "2 laps" behind, or the seconds; inputs.md rule 3, when the race is over.
function distance(car, front) {
  const laps = front.laps - car.laps;
  if (laps > 0) return laps === 1 ? '1 lap' : `${laps} laps`;
  return (car.total_ms - front.total_ms) / 1000;
}

// The final table as the truth has it.
function expectedTable(truth) {
  const bestOfAll = Math.min(...truth.cars.map((car) => car.best_ms));
  const lastFlag = (car) => (car.last_ms !== car.best_ms ? '' : car.best_ms === bestOfAll ? 'sb-new' : 'pb');
  return truth.cars.map((car, i) => [
    car.num,
    car.laps >= 9 ? 'FIN' : 'STOP', // one car retired
    car.cls,
    truth.cars.slice(0, i + 1).filter((other) => other.cls === car.cls).length,
    car.driver,
    `Team ${car.driver.split(' ')[1]}`,
    car.laps,
    i === 0 ? '' : distance(car, truth.cars[0]),
    i === 0 ? '' : distance(car, truth.cars[i - 1]),
    [car.last_ms / 1000, lastFlag(car)],
    [car.best_ms / 1000, car.best_ms === bestOfAll ? 'sb' : ''],
  ]);
}

function synthetic(t) {
  const capture = shared(t, 'samples/synthetic/synth71.rmonitor.txt');
  if (!capture) return null;
  const bytes = readFileSync(capture);
  return {
    capture,
    bytes,
    lines: bytes.toString().split(/\r?\n/).filter((line) => line !== ''),
    truth: JSON.parse(readFileSync(shared(t, 'samples/synthetic/synth71.truth.json'))),
  };
}

const isFinal = (truth) => (state) =>
  state.session.flagState === 'none' && state.cars[0]?.[COLUMNS.indexOf('Laps')] === truth.cars[0].laps;

test('the synthetic capture over TCP ends in exactly the true result', async (t) => {
  const race = synthetic(t);
  if (!race) return;
  const { daemon, feed, uuid, watch } = await startFeed(t);
  (await feed.next()).write(race.bytes);
  const state = await watch.until(isFinal(race.truth), 'the end of the race');
  const service = await show(daemon, uuid);
  assert.deepEqual(state.cars, expectedTable(race.truth));
  assert.deepEqual(service.manifest.colSpec.map(([title]) => title), COLUMNS);
  assert.equal(service.manifest.description, race.truth.session);
  assert.equal(state.session.trackData[0], race.truth.track);
  assert.equal(service.counters.records, race.lines.length);
  assert.equal(service.counters.damaged ?? 0, 0);
});

test('lines cut anywhere by the network make no difference', async (t) => {
  const race = synthetic(t);
  if (!race) return;
  const { daemon, feed, uuid, watch } = await startFeed(t);
  await sendInPieces(await feed.next(), race.bytes, [1, 7, 61, 3, 211, 13, 1021]);
  const state = await watch.until(isFinal(race.truth), 'the end of the race');
  assert.deepEqual(state.cars, expectedTable(race.truth));
  assert.equal((await show(daemon, uuid)).counters.records, race.lines.length);
});

test('a connection lost in the middle of a line goes on with the next whole line', async (t) => {
  const race = synthetic(t);
  if (!race) return;
  const { daemon, feed, uuid, watch } = await startFeed(t);
  const text = race.bytes.toString();
  const cut = text.indexOf('$F', text.length / 2) + 9;
  const first = await feed.next();
  first.end(text.slice(0, cut));
  await once(first, 'close');
  (await feed.next()).write(text.slice(cut));
  const state = await watch.until(isFinal(race.truth), 'the end of the race');
  assert.deepEqual(state.cars, expectedTable(race.truth));
  assert.equal((await show(daemon, uuid)).counters.records, race.lines.length - 1);
});

test('a silent server is shown as stale, dropped, and connected to again', async (t) => {
  const { daemon, feed, uuid, watch } = await startFeed(t, '--stale', '1', '--reconnect', '2');
  const first = await feed.next();
  first.write(feedText([...REFRESH, heartbeat('00:04:03')]));
  await watch.until(isAt(243), 'the table');
  const dropped = once(first, 'close');
  const stale = await watch.until((state) => state.session.stale, 'the feed to be called stale');
  const [listed] = await daemon.ctlJson(['service', 'list']);
  await dropped;
  (await feed.next()).write(feedText([heartbeat('00:04:09')]));
  const alive = await watch.until(isAt(249), 'the feed to be alive again');
  const service = await show(daemon, uuid);

  assert.equal(stale.cars.length, 2);
  assert.equal(listed.status, 'running');
  assert.equal(listed.stale, true);
  assert.match(listed.staleReason, new RegExp(`127\\.0\\.0\\.1:${feed.port}`));
  assert.equal('stale' in alive.session, false);
  assert.equal(alive.cars.length, 2);
  assert.equal(service.stale, false);
});

test('a server that refuses at first is connected to once it is up', async (t) => {
  const daemon = await startDaemon(t);
  const port = await freePort(t);
  const uuid = await startService(daemon, 'rmonitor', '--host', '127.0.0.1', '--port', String(port));
  const watch = await StateWatch.open(t, daemon, uuid);
  await daemon.waitLog(/no connection, trying again.*refused/);
  const feed = await FeedServer.listen(t, port);
  (await feed.next()).write(feedText([...REFRESH, heartbeat('00:04:03')]));
  const state = await watch.until(isAt(243), 'the table');
  assert.deepEqual(state.cars.map(([num]) => num), ['11', '12']);
});

test('$I in the middle of a race never shows an empty table, and keeps the last laps', async (t) => {
  const { feed, watch } = await startFeed(t);
  const server = await feed.next();
  const init = '$I,"12:00:00.000","25 Apr 25"';
  server.write(feedText([...REFRESH, ...LAPS, heartbeat('00:04:03')]));
  const before = await watch.until(isAt(243), 'the table');
  const seen = watch.states.length;
  server.write(feedText([init, init, init, ...REFRESH, heartbeat('00:04:04')]));
  const after = await watch.until(isAt(244), 'the refresh', seen);
  assert.deepEqual(after.cars, before.cars);
  assert.equal(after.cars[0][COLUMNS.indexOf('Last')][0], 60);
  assert.deepEqual(watch.states.slice(seen).filter((state) => state.cars.length !== 2), []);
});

test('$I with no refresh behind it is ignored', async (t) => {
  const { feed, watch } = await startFeed(t);
  const server = await feed.next();
  server.write(feedText([...REFRESH, ...LAPS, heartbeat('00:04:03')]));
  const before = await watch.until(isAt(243), 'the table');
  const seen = watch.states.length;
  server.write(feedText(['$I,"12:00:00.000","0/0/0000"', heartbeat('00:04:04')]));
  const after = await watch.until(isAt(244), 'the next update', seen);
  assert.deepEqual(after.cars, before.cars);
  assert.deepEqual(watch.states.slice(seen).filter((state) => state.cars.length !== 2), []);
});

test('$I with a refresh of other cars replaces the table at once', async (t) => {
  const { feed, watch } = await startFeed(t);
  const server = await feed.next();
  server.write(feedText([...REFRESH, ...LAPS, heartbeat('00:04:03')]));
  await watch.until(isAt(243), 'the table');
  const seen = watch.states.length;
  server.write(feedText(['$I,"12:00:00.000","0/0/0000"', '$B,8,"Heat 2"', '$C,1,"GT"', '$A,"90","90",5,"Cy","Cedar","",1', '$G,1,"90",,"00:59:59.999"']));
  const after = await watch.until((state) => state.cars[0]?.[0] === '90', 'the next heat', seen);
  assert.deepEqual(after.cars.map(([num]) => num), ['90']);
  assert.deepEqual(after.messages, []);
});

test('after a restart the old table stays until the feed has said again who takes part', async (t) => {
  const { daemon, feed, uuid, watch } = await startFeed(t);
  (await feed.next()).write(feedText([...REFRESH, ...LAPS, heartbeat('00:04:03')]));
  const before = await watch.until(isAt(243), 'the table');
  assert.equal((await daemon.ctl(['service', 'restart', uuid])).code, 0);
  const again = await StateWatch.open(t, daemon, uuid);
  const server = await feed.next();
  server.write(feedText(['$G,1,"11",5,"00:05:00.000"', heartbeat('00:05:01')]));
  // Read, and not shown: a table of one car without a name.
  await eventually(async () => (await show(daemon, uuid)).counters.records === 2, 'the lines to be read');
  server.write(feedText([...REFRESH, heartbeat('00:05:02')]));
  const after = await again.until(isAt(302), 'the refresh');
  assert.deepEqual(after.cars.map((row) => row[COLUMNS.indexOf('Driver')]), ['Ada Ash', 'Bea Beech']);
  assert.deepEqual(again.states.filter(({ session }) => session.timeElapsed === 301), []);
  assert.deepEqual(again.states[0].cars, before.cars);
});

test('damaged lines and garbage are counted and change nothing', async (t) => {
  const { daemon, feed, uuid, watch } = await startFeed(t);
  const server = await feed.next();
  server.write(randomBytes(50000));
  server.write(`\r\n${'x'.repeat(100000)}\r\n`);
  await eventually(async () => (await show(daemon, uuid)).counters['overlong lines'] >= 1, 'the overlong line to be counted');
  const before = (await show(daemon, uuid)).counters;
  server.write(feedText(['$G,1,"11,4,"00:04:00.000"', '$J,"11","soon","later"', '$G,x,"11",4,"00:04:00.000"', '$F', '$QZ,1,2', '']));
  server.write(feedText([...REFRESH, heartbeat('00:04:03')]));
  const state = await watch.until(isAt(243), 'the table');
  const service = await show(daemon, uuid);
  assert.deepEqual(state.cars.map(([num]) => num), ['11', '12']);
  assert.equal(service.status, 'running');
  assert.equal(service.counters.damaged - (before.damaged ?? 0), 4);
  assert.equal(service.counters.ignored - (before.ignored ?? 0), 1);
  assert.equal(service.counters.records - (before.records ?? 0), REFRESH.length + 1);
  const text = (await daemon.ctl(['service', 'show', uuid])).stdout;
  assert.match(text, new RegExp(`^damaged +${service.counters.damaged}$`, 'm'));
  assert.match(text, new RegExp(`^records +${service.counters.records}$`, 'm'));
});

test('texts that are not UTF-8 are read as Windows-1252', async (t) => {
  const { feed, watch } = await startFeed(t);
  const line = Buffer.from('$A,"11","11",1001,"J\u00fcrgen","M\u00fcller","",1\r\n', 'latin1');
  (await feed.next()).write(Buffer.concat([Buffer.from(feedText(REFRESH)), line, Buffer.from(feedText([heartbeat('00:04:03')]))]));
  const state = await watch.until(isAt(243), 'the table');
  assert.equal(state.cars[0][COLUMNS.indexOf('Driver')], 'Jürgen Müller');
});

test('a capture file plays fast to the same result', async (t) => {
  const race = synthetic(t);
  if (!race) return;
  const daemon = await startDaemon(t);
  const uuid = await startService(daemon, 'rmonitor', '--file', race.capture, '--speed', '1000');
  const watch = await StateWatch.open(t, daemon, uuid);
  const state = await watch.until(isFinal(race.truth), 'the end of the race');
  assert.deepEqual(state.cars, expectedTable(race.truth));
  assert.equal((await show(daemon, uuid)).counters.records, race.lines.length);
});

test('the fixture of the plugin plays without reference data', async (t) => {
  const daemon = await startDaemon(t);
  const file = path.join(root, 'plugins/rmonitor/fixtures/short-race.txt');
  const uuid = await startService(daemon, 'rmonitor', '--file', file, '--speed', '1000');
  const watch = await StateWatch.open(t, daemon, uuid);
  await watch.until((state) => state.session.flagState === 'chequered' || state.cars.some((row) => row.includes('FIN')), 'the finish');
});

for (const name of ['orbits_mock_session', 'sebring_2009_alms_session_4', 'saturday_8h_start_2025.stamped', 'barber_2025_8h_finish_with_reset.stamped']) {
  test(`the real capture ${name} over TCP: every line read, cars on the screen`, async (t) => {
    const capture = shared(t, `samples/rmonitor/${name}.txt`);
    if (!capture) return;
    const { daemon, feed, uuid, watch } = await startFeed(t);
    const lines = readFileSync(capture, 'latin1').split(/[\r\n]+/).filter((line) => line.trim() !== '');
    const server = await feed.next();
    await sendInPieces(server, readFileSync(capture), [4096, 17, 1500]);
    server.write(`\r\n${heartbeat('25:00:01', 'Purple')}\r\n`);
    const state = await watch.until(isAt(90001), 'the last line');
    const { counters } = await show(daemon, uuid);
    assert.ok(state.cars.length > 0);
    assert.equal(state.session.flagState, 'code_60');
    assert.equal(counters.records + (counters.damaged ?? 0) + (counters.ignored ?? 0), lines.length + 1);
    assert.ok((counters.damaged ?? 0) <= 10, `${counters.damaged} damaged`);
  });
}

const refused = [
  [[], /give --host or --file/],
  [['--host', 'x', '--port', '0'], /--port: expected an integer from 1 to 65535, not "0"/],
  [['--host', 'x', '--session', 'sprint'], /--session: expected one of auto\|race\|practice\|qualifying, not "sprint"/],
  [['--file', '/nonexistent/capture.txt'], /--file: .*capture\.txt.*No such file/],
  [['--host', 'x', '--rename-driver', '([=x'], /--rename-driver: /],
  [['--host', 'x', '--prot', '1'], /--prot.*--port/],
];
for (const [options, sentence] of refused) {
  test(`rmonitor ${options.join(' ') || 'without an input'} is refused`, async (t) => {
    const daemon = await startDaemon(t);
    const result = await daemon.ctl(['service', 'start', 'rmonitor', ...options]);
    assert.equal(result.code, 1, result.stdout);
    assert.match(result.stderr, sentence);
    assert.deepEqual(await daemon.ctlJson(['service', 'list']), []);
  });
}
