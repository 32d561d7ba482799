// The Multiloop feed from a real TCP server, or a capture, to what viewers see.
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import test from 'node:test';

import { eventually, root, shared, startDaemon } from './support/daemon.mjs';
import { FeedServer, StateWatch, freePort, sendInPieces, startService } from './support/feeds.mjs';

const COLUMNS = ['Num', 'State', 'Class', 'PIC', 'Driver', 'Team', 'Car', 'Laps', 'Gap', 'Int', 'S1', 'S2', 'S3', 'Last', 'Best', 'Pits'];
const at = (title) => COLUMNS.indexOf(title);
const fixture = path.join(root, 'plugins/multiloop/fixtures/short-race.txt');

// Lines with | for the separator, as the bytes of the feed.
const feedBytes = (lines) => Buffer.from(lines.map((line) => `${line.replaceAll('|', '\xA6')}\r\n`).join(''), 'latin1');

const ENTRIES = ['$R|N|1|R1|Spring Cup|SC|Heat 1|R|6A086A50', '$E|N|1|R1|11|A1|Ada Ash|1|3|GT|Saloon|Team Ash|1', '$E|N|2|R1|12|B2|Bea Beech|2|3|GT|Coupe|Team Beech|2'];
const LAPS = [
  '$C|U|1|R1|1|11|A1|4|3A980|EA60|T|E86C|2|0|0|0|0|1|E86C|Active|G|0|0|1|4',
  '$C|U|2|R1|2|12|B2|4|3B344|EC54|T|EB5A|3|9C4|0|9C4|0|2|E86C|Active|G|1|2|2|0',
];
// Every second; elapsed is the mark by which tests know that what stood before was read.
const heartbeat = (seconds, flag = 'G') => `$H|N|1|R1|${flag}|6A086A51|${(seconds * 1000).toString(16).toUpperCase()}|0|493E0`;

async function startFeed(t, ...options) {
  const daemon = await startDaemon(t);
  const feed = await FeedServer.listen(t);
  const uuid = await startService(daemon, 'multiloop', '--host', '127.0.0.1', '--port', String(feed.port), ...options);
  return { daemon, feed, uuid, watch: await StateWatch.open(t, daemon, uuid) };
}

const show = (daemon, uuid) => daemon.ctlJson(['service', 'show', uuid]);
// The clock goes on between two heartbeats: it is that of the newest one, or a little later.
const isAt = (seconds) => (state) => state.session.timeElapsed >= seconds && state.session.timeElapsed < seconds + 3600;

function distance(car, front) {
  const laps = front.laps - car.laps;
  if (laps > 0) return laps === 1 ? '1 lap' : `${laps} laps`;
  return (car.total_ms - front.total_ms) / 1000;
}

// The final table as the truth has it, without the sectors, which it does not tell.
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
    car.stops,
  ]);
}

const TRUE_COLUMNS = ['Num', 'State', 'Class', 'PIC', 'Driver', 'Team', 'Laps', 'Gap', 'Int', 'Last', 'Best', 'Pits'].map(at);
const withoutSectors = (state) => state.cars.map((row) => TRUE_COLUMNS.map((column) => row[column]));

function synthetic(t) {
  const capture = shared(t, 'samples/synthetic/synth71.multiloop.txt');
  if (!capture) return null;
  // The run is over: a car that stopped in it is so many laps down, and not still on its way.
  const bytes = Buffer.concat([readFileSync(capture), feedBytes([heartbeat(691, 'U')])]);
  return {
    bytes,
    count: bytes.toString('latin1').split(/\r?\n/).filter((line) => line !== '').length,
    truth: JSON.parse(readFileSync(shared(t, 'samples/synthetic/synth71.truth.json'))),
  };
}

const isFinal = (truth) => (state) => state.session.flagState === 'none' && state.cars[0]?.[at('Laps')] === truth.cars[0].laps;

test('the synthetic capture over TCP ends in exactly the true result', async (t) => {
  const race = synthetic(t);
  if (!race) return;
  const { daemon, feed, uuid, watch } = await startFeed(t, '--team-field', '3');
  (await feed.next()).write(race.bytes);
  const state = await watch.until(isFinal(race.truth), 'the end of the race');
  const service = await show(daemon, uuid);
  assert.deepEqual(withoutSectors(state), expectedTable(race.truth));
  assert.deepEqual(service.manifest.colSpec.map(([title]) => title), COLUMNS);
  assert.equal(service.manifest.description, `Meadow Park Spring Meeting - ${race.truth.session}`);
  assert.equal(state.session.trackData[0], race.truth.track);
  assert.equal(service.counters.records, race.count);
  assert.equal(service.counters.damaged ?? 0, 0);
});

test('lines cut anywhere by the network make no difference', async (t) => {
  const race = synthetic(t);
  if (!race) return;
  const { daemon, feed, uuid, watch } = await startFeed(t, '--team-field', '3');
  await sendInPieces(await feed.next(), race.bytes, [1, 7, 61, 3, 211, 13, 1021]);
  const state = await watch.until(isFinal(race.truth), 'the end of the race');
  assert.deepEqual(withoutSectors(state), expectedTable(race.truth));
  assert.equal((await show(daemon, uuid)).counters.records, race.count);
});

test('a feed that a relay made UTF-8 gives the same', async (t) => {
  const race = synthetic(t);
  if (!race) return;
  const { feed, watch } = await startFeed(t, '--team-field', '3');
  (await feed.next()).write(race.bytes.toString('latin1'), 'utf8');
  const state = await watch.until(isFinal(race.truth), 'the end of the race');
  assert.deepEqual(withoutSectors(state), expectedTable(race.truth));
});

test('a connection lost in the middle of a line goes on with the next whole line', async (t) => {
  const race = synthetic(t);
  if (!race) return;
  const { daemon, feed, uuid, watch } = await startFeed(t, '--team-field', '3');
  const cut = race.bytes.indexOf('$H', race.bytes.length / 2) + 9;
  const first = await feed.next();
  first.end(race.bytes.subarray(0, cut));
  await once(first, 'close');
  (await feed.next()).write(race.bytes.subarray(cut));
  const state = await watch.until(isFinal(race.truth), 'the end of the race');
  assert.deepEqual(withoutSectors(state), expectedTable(race.truth));
  assert.equal((await show(daemon, uuid)).counters.records, race.count - 1);
});

test('a silent server is shown as stale, dropped, and connected to again', async (t) => {
  const { daemon, feed, uuid, watch } = await startFeed(t, '--stale', '1', '--reconnect', '2');
  const first = await feed.next();
  const dropped = once(first, 'close');
  first.write(feedBytes([...ENTRIES, ...LAPS, heartbeat(243)]));
  const stale = await watch.until((state) => state.session.stale && state.cars.length === 2, 'the feed to be called stale');
  await dropped;
  const second = await feed.next();
  second.write(feedBytes([heartbeat(4000)]));
  const alive = await watch.until((state) => isAt(4000)(state) && !state.session.stale, 'the feed to be alive again');
  assert.deepEqual(stale.cars.map(([num]) => num), ['11', '12']);
  assert.deepEqual(alive.cars.map(([num]) => num), ['11', '12']);
  assert.match(daemon.log, /feed is silent, viewers are told/);
  assert.equal((await show(daemon, uuid)).status, 'running');
});

test('a server that refuses at first is connected to once it is up', async (t) => {
  const daemon = await startDaemon(t);
  const port = await freePort(t);
  const uuid = await startService(daemon, 'multiloop', '--host', '127.0.0.1', '--port', String(port));
  const watch = await StateWatch.open(t, daemon, uuid);
  await daemon.waitLog(/no connection, trying again.*refused/);
  const feed = await FeedServer.listen(t, port);
  (await feed.next()).write(feedBytes([...ENTRIES, ...LAPS, heartbeat(243)]));
  const state = await watch.until((found) => found.cars.length === 2 && isAt(243)(found), 'the table');
  assert.deepEqual(state.cars.map(([num]) => num), ['11', '12']);
});

test('damaged lines are counted, logged and change nothing', async (t) => {
  const { daemon, feed, uuid, watch } = await startFeed(t);
  const server = await feed.next();
  server.write(feedBytes([...ENTRIES, ...LAPS, heartbeat(243)]));
  const before = await watch.until(isAt(243), 'the table');
  const counted = (await show(daemon, uuid)).counters;
  const seen = watch.states.length;
  server.write(feedBytes([
    LAPS[0].slice(0, 40), // cut
    LAPS[0].slice(0, 40) + LAPS[1], // joined
    LAPS[1].replace('3B344', 'soon'),
    heartbeat(900, 'R').replace('R1', 'R9'), // another run, of which nothing more comes
    '$Z|N|1|R1|9', 'hello',
    heartbeat(5000),
  ]));
  const after = await watch.until(isAt(5000), 'the next update', seen);
  const { counters, status } = await show(daemon, uuid);
  assert.deepEqual(after.cars, before.cars);
  assert.deepEqual(watch.states.slice(seen).filter((state) => state.session.flagState !== 'green'), []);
  assert.equal(status, 'running');
  assert.equal(counters.damaged - (counted.damaged ?? 0), 4);
  assert.equal(counters.ignored - (counted.ignored ?? 0), 2);
  assert.equal(counters.records - counted.records, 1);
  await daemon.waitLog(/skipped \d+ damaged and \d+ unknown lines; \d+ were read/);
});

test('bytes that are no records are shown as stale, and the table stays', async (t) => {
  const { daemon, feed, uuid, watch } = await startFeed(t, '--stale', '1');
  const server = await feed.next();
  server.write(feedBytes([...ENTRIES, ...LAPS, heartbeat(243)]));
  await watch.until(isAt(243), 'the table');
  const noise = setInterval(() => server.write(Buffer.concat([randomBytes(200), Buffer.from('\r\n')])), 100);
  t.after(() => clearInterval(noise));
  const stale = await watch.until((state) => state.session.stale, 'the feed to be called stale');
  await eventually(async () => /no readable record/.test((await show(daemon, uuid)).staleReason ?? ''), 'the reason');
  clearInterval(noise);
  server.write(feedBytes(['', heartbeat(4000)]));
  const alive = await watch.until((state) => isAt(4000)(state) && !state.session.stale, 'the feed to be alive again');
  assert.equal(stale.cars.length, 2);
  assert.equal(alive.cars.length, 2);
});

test('until every car has an entry the table says that it waits', async (t) => {
  const { daemon, feed, uuid, watch } = await startFeed(t);
  const server = await feed.next();
  server.write(feedBytes([...LAPS.map((line) => line.replace('$C|U', '$C|R')), heartbeat(243)]));
  const waiting = await watch.until((state) => state.cars.length === 2, 'the cars');
  const { trackDataSpec } = (await show(daemon, uuid)).manifest;
  const heading = trackDataSpec.indexOf('Entries');
  server.write(feedBytes([...ENTRIES, heartbeat(4000)]));
  const known = await watch.until(isAt(4000), 'the entries');
  assert.equal(waiting.session.trackData[heading], 'waiting for entries');
  assert.deepEqual(waiting.cars.map((row) => row[at('Driver')]), ['', '']);
  assert.equal(known.session.trackData[heading], '');
  assert.deepEqual(known.cars.map((row) => row[at('Driver')]), ['Ada Ash', 'Bea Beech']);
});

test('sectors, stops, an invalidated lap and another run', async (t) => {
  const { feed, watch } = await startFeed(t, '--yellow-means', 'fcy');
  const server = await feed.next();
  server.write(feedBytes([
    heartbeat(240), ...ENTRIES, ...LAPS, '$S|N|1|R1|11|A1|S1|3FA48|4E20|4', '$L|N|1|R1|12|B2|PIN|A|40000|G|P', heartbeat(262, 'Y'),
  ]));
  const racing = await watch.until((state) => state.cars[1]?.[at('State')] === 'PIT' && state.session.flagState === 'fcy', 'the stop');
  server.write(feedBytes(['$I|N|1|R1|11|A1|3A980', heartbeat(4000)]));
  const edited = await watch.until(isAt(4000), 'the edit');
  const seen = watch.states.length;
  server.write(feedBytes(['$E|N|1|Q2|77|C3|Cy Cedar|1|1|GT|9', heartbeat(1).replace('R1', 'Q2')]));
  const next = await watch.until((state) => state.cars[0]?.[0] === '77', 'the next run', seen);

  assert.deepEqual(racing.cars[0][at('S1')], [20, 'sb-new']);
  assert.equal(racing.cars[1][at('Pits')], 2);
  assert.equal(edited.cars.find(([num]) => num === '11')[at('Laps')], 3);
  assert.deepEqual(next.cars.map(([num]) => num), ['77']);
});

test('announcements become race control messages: new, changed, withdrawn', async (t) => {
  const { feed, watch } = await startFeed(t);
  const server = await feed.next();
  server.write(feedBytes([
    ...ENTRIES, '$A|N|1|R1|1|A|U|6A086A51|CAR 12 TRACK LIMITS', '$A|R|1|R1|1|A|U|6A086A51|CAR 12 TRACK LIMITS',
    '$A|U|2|R1|1|M|U|6A086A51|CAR 12 DRIVE THROUGH', '$A|U|3|R1|1|D|U|6A086A51|', heartbeat(243),
  ]));
  const state = await watch.until((found) => found.messages.filter(([, , , type]) => type === 'raceControl').length === 3, 'the messages');
  const texts = state.messages.filter(([, , , type]) => type === 'raceControl').map(([, category, text, , car]) => [category, text, car]);
  assert.deepEqual(texts.sort(), [
    ['Race Control', 'CAR 12 TRACK LIMITS', '12'],
    ['Race Control', 'Changed: CAR 12 DRIVE THROUGH', '12'],
    ['Race Control', 'Withdrawn: CAR 12 DRIVE THROUGH', '12'],
  ]);
});

test('a sender without a leading character is read by --lead ""', async (t) => {
  const { feed, watch } = await startFeed(t, '--lead', '');
  (await feed.next()).write(feedBytes([...ENTRIES, ...LAPS, heartbeat(243)].map((line) => line.slice(1))));
  const state = await watch.until(isAt(243), 'the table');
  assert.deepEqual(state.cars.map(([num]) => num), ['11', '12']);
});

test('the fixture of the plugin plays as a file, with names in Windows-1252', async (t) => {
  const daemon = await startDaemon(t);
  const uuid = await startService(daemon, 'multiloop', '--file', fixture, '--speed', '1000');
  const watch = await StateWatch.open(t, daemon, uuid);
  const state = await watch.until((found) => found.cars[1]?.[at('Laps')] === 3, 'the finish');
  assert.equal(state.cars[1][at('Driver')], 'J\u00fcrgen Beech');
  assert.equal(state.cars[1][at('Car')], 'Coup\u00e9');
  assert.equal((await show(daemon, uuid)).counters.damaged ?? 0, 0);
});

const refused = [
  [[], /give --host or --file/],
  [['--host', 'x', '--lead', '$$'], /--lead: expected one character or none/],
  [['--host', 'x', '--port', '0'], /--port: expected an integer from 1 to 65535, not "0"/],
  [['--host', 'x', '--sectors', '6'], /--sectors: expected an integer from 0 to 5, not "6"/],
  [['--file', '/nonexistent/capture.txt'], /--file: .*capture\.txt.*No such file/],
];
test('mistakes in options are refused with a sentence', async (t) => {
  const daemon = await startDaemon(t);
  for (const [options, sentence] of refused) {
    const result = await daemon.ctl(['service', 'start', 'multiloop', ...options]);
    assert.equal(result.code, 1, result.stdout);
    assert.match(result.stderr, sentence);
  }
  assert.deepEqual(await daemon.ctlJson(['service', 'list']), []);
});
