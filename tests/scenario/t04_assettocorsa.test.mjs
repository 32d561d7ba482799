// An Assetto Corsa server over real UDP, to what viewers see.
import assert from 'node:assert/strict';
import dgram from 'node:dgram';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import test from 'node:test';

import { GameServer, PRACTICE, QUALIFYING, packets, raceCapture } from './support/assetto.mjs';
import { eventually, root, startDaemon } from './support/daemon.mjs';
import { StateWatch, startService } from './support/feeds.mjs';

const RACE_COLUMNS = ['Num', 'State', 'Class', 'PIC', 'Driver', 'Team', 'Car', 'Laps', 'Gap', 'Int', 'Last', 'Best'];
const TIMED_COLUMNS = ['Num', 'State', 'Class', 'PIC', 'Driver', 'Team', 'Car', 'Laps', 'Best', 'Gap', 'Int', 'Last'];
const DRIVERS = [{ car: 1, driver: 'Ada Ash', team: 'Team Ash' }, { car: 2, driver: 'J\u00fcrgen Beech', team: 'Team Beech', model: 'gt4' }];

const show = (daemon, uuid) => daemon.ctlJson(['service', 'show', uuid]);
const titles = (service) => service.manifest.colSpec.map(([title]) => title);
const numbers = (state) => state.cars.map(([num]) => num);

async function startGame(t, session, ...options) {
  const daemon = await startDaemon(t);
  const server = await GameServer.open(t, { session, cars: DRIVERS });
  const uuid = await startService(daemon, 'assettocorsa', '--server-port', String(server.port), '--listen-port', '0', '--cars', '4', ...options);
  const watch = await StateWatch.open(t, daemon, uuid);
  await server.greeted(4);
  await watch.until((state) => state.cars.length === 2 && state.session.trackData[1] === 'spa', 'both drivers');
  return { daemon, server, uuid, watch };
}

test('at the start the server is asked for its session, its cars and their positions', async (t) => {
  const { daemon, server, uuid, watch } = await startGame(t, { laps: 3, elapsed: 1000 }, '--update-ms', '500', '--class-by', 'model');
  const service = await show(daemon, uuid);
  const state = watch.latest;
  assert.deepEqual(server.asked[0], [204, 0xff, 0xff]);
  assert.deepEqual(server.asked[1], [200, 0xf4, 0x01]);
  assert.deepEqual(titles(service), RACE_COLUMNS);
  assert.equal(service.manifest.description, 'Race - spa');
  assert.deepEqual(state.session.trackData, ['Ligue \u{1F3C1}', 'spa', 'gp']);
  assert.equal(state.session.flagState, 'green');
  assert.equal(state.session.lapsRemain, 3);
  assert.deepEqual(state.cars.map((row) => [row[0], row[2], row[4], row[5], row[6]]), [
    ['1', 'gt3', 'Ada Ash', 'Team Ash', 'gt3'],
    ['2', 'gt4', 'J\u00fcrgen Beech', 'Team Beech', 'gt4'],
  ]);
});

test('a race: laps, totals, gaps and the finish', async (t) => {
  const { server, watch } = await startGame(t, { laps: 2, elapsed: 1000 });
  server.send(
    packets.lap(2, 4000, 0, [[2, 4000, 1, 0], [1, 999999999, 0, 0]]),
    packets.lap(1, 4250, 0, [[2, 4000, 1, 0], [1, 4250, 1, 0]]),
  );
  const racing = await watch.until((state) => state.cars[1]?.[7] === 1, 'a lap of both');
  server.send(
    packets.lap(1, 3500, 0, [[1, 7750, 2, 1], [2, 4000, 1, 0]]),
    packets.lap(2, 4100, 0, [[1, 7750, 2, 1], [2, 8100, 2, 1]]),
  );
  const over = await watch.until((state) => state.cars.length === 2 && state.cars.every((row) => row[1] === 'FIN'), 'the finish');
  assert.deepEqual(racing.cars.map((row) => [row[0], ...row.slice(7)]), [
    ['2', 1, '', '', [4, 'sb-new'], [4, 'sb']],
    ['1', 1, 0.25, 0.25, [4.25, 'pb'], [4.25, '']],
  ]);
  assert.deepEqual(over.cars.map((row) => [row[0], row[1], ...row.slice(7)]), [
    ['1', 'FIN', 2, '', '', [3.5, 'sb-new'], [3.5, 'sb']],
    ['2', 'FIN', 2, 0.35, 0.35, [4.1, ''], [4, '']],
  ]);
  assert.equal(over.session.flagState, 'chequered');
});

test('practice, laps with cuts, and the race that follows', async (t) => {
  const { daemon, server, uuid, watch } = await startGame(t, { kind: PRACTICE, name: 'Practice', minutes: 30, elapsed: 1000 });
  server.send(
    packets.lap(1, 4000, 0, [[1, 4000, 1], [2, 999999999, 0]]), // seven bytes each, as older servers have it
    packets.lap(1, 3000, 2, [[1, 4000, 2], [2, 999999999, 0]]),
    packets.lap(2, 3900, 0, [[2, 3900, 1], [1, 4000, 2]]),
  );
  const practice = await watch.until((state) => state.cars[0]?.[0] === '2' && state.cars[1][7] === 2, 'the laps');
  const columns = titles(await show(daemon, uuid));
  const seen = watch.states.indexOf(practice);
  server.begin({ index: 1, kind: QUALIFYING, name: 'Qualify', minutes: 10, elapsed: 0 });
  const next = await watch.until((state) => state.cars.length === 2 && state.cars.every((row) => row[7] === 0), 'the next session', seen);
  assert.deepEqual(columns, TIMED_COLUMNS);
  assert.deepEqual(practice.cars.map((row) => [row[0], ...row.slice(7)]), [
    ['2', 1, [3.9, 'sb'], '', '', [3.9, 'sb-new']],
    ['1', 2, [4, ''], 0.1, 0.1, [3, '']],
  ]);
  assert.ok(practice.session.timeRemain > 0);
  assert.deepEqual(next.cars.map((row) => row[4]).sort(), ['Ada Ash', 'J\u00fcrgen Beech']);
  assert.equal((await show(daemon, uuid)).manifest.description, 'Qualify - spa');
});

test('within a lap the order is that on the track', async (t) => {
  const { server, watch } = await startGame(t, { laps: 3, elapsed: 1000 });
  for (let i = 0; i <= 10; i++) server.send(packets.update(1, 0.02 * i), packets.update(2, 0.03 * i));
  await watch.until((state) => numbers(state).join() === '2,1', 'the order on the track');
});

test('only the configured server is believed', async (t) => {
  const { daemon, server, uuid, watch } = await startGame(t, { laps: 3, elapsed: 1000 });
  const other = dgram.createSocket('udp4');
  t.after(() => new Promise((resolve) => other.close(resolve)));
  other.bind(0, '127.0.0.2');
  await once(other, 'listening');
  const before = (await show(daemon, uuid)).counters;
  other.send(packets.lap(1, 4000, 0, [[1, 4000, 1, 0]]), server.plugin, '127.0.0.1');
  other.send(packets.connected({ car: 3, driver: 'Nobody' }), server.plugin, '127.0.0.1');
  await eventually(async () => (await show(daemon, uuid)).counters['from others'] === 2, 'the datagrams to be counted');
  server.send(packets.lap(2, 4000, 0, [[2, 4000, 1, 0]]));
  const state = await watch.until((found) => found.cars[0]?.[7] === 1, 'a lap');
  assert.deepEqual(state.cars.map((row) => [row[0], row[7]]), [['2', 1], ['1', 0]]);
  assert.ok((await show(daemon, uuid)).counters.records > before.records);
  await daemon.waitLog(/\d+ from other addresses/);
});

test('damaged, cut, doubled and late datagrams are counted and change nothing', async (t) => {
  const { daemon, server, uuid, watch } = await startGame(t, { laps: 9, elapsed: 1000 });
  const lap = packets.lap(2, 90000, 0, [[2, 90000, 1, 0], [1, 999999999, 0, 0]]);
  server.send(lap);
  const before = await watch.until((state) => state.cars[0]?.[7] === 1, 'a lap');
  const counted = (await show(daemon, uuid)).counters;
  server.send(
    lap, // again
    lap.subarray(0, 7), // cut
    packets.lap(1, 0), // no lap has no time
    packets.update(1, 7), // nowhere on the track
    packets.session(59, { version: 9 }),
    Buffer.from('garbage'),
    Buffer.from([73]),
  );
  await eventually(async () => {
    const { counters } = await show(daemon, uuid);
    return counters.damaged - (counted.damaged ?? 0) === 5 && counters.ignored - (counted.ignored ?? 0) >= 2;
  }, 'the datagrams to be counted');
  server.send(packets.lap(1, 95000, 0, [[2, 90000, 1, 0], [1, 95000, 1, 0]]));
  const after = await watch.until((state) => state.cars[1]?.[7] === 1, 'the next lap');
  assert.deepEqual(after.cars[0], before.cars[0]);
  assert.equal((await show(daemon, uuid)).status, 'running');
  await daemon.waitLog(/skipped \d+ damaged datagrams/);
});

test('a server that falls silent is shown as stale, asked again, and greeted when it is back', async (t) => {
  const { daemon, server, uuid, watch } = await startGame(t, { laps: 3, elapsed: 1000 }, '--stale', '3');
  server.answers = false;
  const stale = await watch.until((state) => state.session.stale, 'the feed to be called stale');
  const { staleReason } = await show(daemon, uuid);
  server.asked = [];
  server.answers = true;
  await server.greeted(4);
  const seen = watch.states.length;
  server.send(packets.update(1, 0.1));
  const alive = await watch.until((state) => !state.session.stale, 'the feed to be alive again', seen > 0 ? seen - 1 : 0);
  assert.deepEqual(numbers(stale), ['1', '2']);
  assert.match(staleReason, new RegExp(`no answer from 127\\.0\\.0\\.1:${server.port} for \\d+ s`));
  assert.deepEqual(numbers(alive), ['1', '2']);
});

test('a server of another version is named as the reason', async (t) => {
  const daemon = await startDaemon(t);
  const server = await GameServer.open(t, { session: { version: 5 } });
  const uuid = await startService(daemon, 'assettocorsa', '--server-port', String(server.port), '--listen-port', '0', '--cars', '1', '--stale', '3');
  server.onCommand = (bytes, port) => {
    server.plugin = port;
    if (bytes[0] === 204) server.send(packets.session(59, { version: 5 }));
  };
  await eventually(async () => /speaks version 5 of the protocol, not 4/.test((await show(daemon, uuid)).staleReason ?? ''), 'the reason');
});

test('drivers who come and go, and what they write', async (t) => {
  const { server, watch } = await startGame(t, { kind: PRACTICE, name: 'Practice', minutes: 30, elapsed: 1000 }, '--chat');
  server.send(packets.connected({ car: 3, driver: 'Cy Cedar' }), packets.chat(3, 'hello all'));
  const joined = await watch.until((state) => state.cars.length === 3 && state.messages.some(([, category]) => category === 'Chat'), 'a third driver');
  server.send(packets.left({ car: 3, driver: 'Cy Cedar' }));
  await watch.until((state) => state.cars.length === 2, 'him to be gone', watch.states.indexOf(joined));
  const [, , text, , car] = joined.messages.find(([, category]) => category === 'Chat');
  assert.deepEqual([text, car], ['Cy Cedar: hello all', '3']);
});

test('the fixture is what this test makes, and plays as a raw capture', async (t) => {
  const file = path.join(root, 'plugins/assettocorsa/fixtures/short-race.raw');
  assert.ok(readFileSync(file).equals(raceCapture()));
  const daemon = await startDaemon(t);
  const uuid = await startService(daemon, 'assettocorsa', '--replay-raw', file, '--speed', '100');
  const watch = await StateWatch.open(t, daemon, uuid);
  const state = await watch.until((found) => found.cars.length === 2 && found.cars.every((row) => row[1] === 'FIN'), 'the finish');
  assert.deepEqual(state.cars.map((row) => [row[0], row[4], row[7], row[8], ...row.slice(10)]), [
    ['1', 'Ada Ash', 3, '', [30.5, ''], [30.125, 'sb']],
    ['2', 'J\u00fcrgen Beech', 3, 0.5, [30.625, 'pb'], [30.625, '']],
  ]);
});

test('mistakes in options are refused with a sentence', async (t) => {
  const daemon = await startDaemon(t);
  for (const [options, sentence] of [
    [['--server', 'games.example'], /--server: expected an address in numbers, such as 10\.0\.0\.5/],
    [['--cars', '0'], /--cars: expected an integer from 1 to 255, not "0"/],
    [['--listen', '192.0.2.1', '--listen-port', '0'], /192\.0\.2\.1/],
  ]) {
    const result = await daemon.ctl(['service', 'start', 'assettocorsa', ...options]);
    assert.equal(result.code, 1, result.stdout);
    assert.match(result.stderr, sentence);
  }
});
