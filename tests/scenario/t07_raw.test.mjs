// Raw captures: what came in is recorded as it came, and the same plugin makes
// the same race of it again.
import assert from 'node:assert/strict';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import test from 'node:test';

import { eventually, startDaemon } from './support/daemon.mjs';
import { FeedServer, StateWatch, sendInPieces, startService } from './support/feeds.mjs';

const ENTRY = ['$B,7,"Heat 1"', '$C,1,"GT"', '$A,"11","11",1001,"Ada","Ash","",1', '$A,"12","12",1002,"Bea","Beech","",1'];
const ORDER = ['$G,1,"11",4,"00:04:00.000"', '$H,1,"11",2,"00:00:59.500"', '$G,2,"12",4,"00:04:02.500"', '$H,2,"12",3,"00:01:00.250"'];
const heartbeat = (elapsed) => `$F,9999,"00:05:00","12:00:00","${elapsed}","Green "`;
const feedText = (lines) => Buffer.from(lines.map((line) => `${line}\r\n`).join(''), 'latin1');
const isAt = (elapsed) => (state) => state.session.timeElapsed === elapsed;

// A race of two connections: the first is cut in the middle of a line.
async function recordRace(t, daemon) {
  const feed = await FeedServer.listen(t);
  const uuid = await startService(daemon, 'rmonitor', '--host', '127.0.0.1', '--port', String(feed.port), '--record-raw', 'race.raw');
  const watch = await StateWatch.open(t, daemon, uuid);
  const first = await feed.next();
  const sent = [feedText([...ENTRY, ...ORDER, heartbeat('00:04:10')]), Buffer.from('$F,9999,"00:0')];
  await sendInPieces(first, Buffer.concat(sent), [7, 1, 40]);
  await watch.until(isAt(250), 'the first heartbeat');
  first.destroy();
  const second = await feed.next();
  sent.push(feedText([heartbeat('00:04:20')]));
  second.write(sent[2]);
  const last = await watch.until(isAt(260), 'the second heartbeat');
  await daemon.ctlJson(['service', 'stop', uuid]);
  const file = path.join(daemon.dir, 'race.raw');
  await eventually(() => existsSync(file) && readFileSync(file).includes('00:04:20'), 'the capture to be written');
  return { file, sent: Buffer.concat(sent), last };
}

// The bytes of all records of a kind.
function bytesOf(file, kind) {
  const content = readFileSync(file);
  const found = [];
  for (let at = content.indexOf('\n') + 1; at < content.length; ) {
    const end = content.indexOf('\n', at);
    const [, , name, size] = content.toString('latin1', at, end).split(' ');
    if (name === kind) found.push(content.subarray(end + 1, end + 1 + Number(size)));
    at = end + 1 + Number(size) + 1;
  }
  return Buffer.concat(found);
}

const table = (state) => ({ cars: state.cars, flag: state.session.flagState, elapsed: state.session.timeElapsed });

test('a race is recorded as it came and played again to the same table', async (t) => {
  const daemon = await startDaemon(t);
  const { file, sent, last } = await recordRace(t, daemon);
  assert.ok(bytesOf(file, 'data').equals(sent));

  const uuid = await startService(daemon, 'rmonitor', '--replay-raw', file, '--speed', '20');
  const watch = await StateWatch.open(t, daemon, uuid);
  assert.deepEqual(table(await watch.until(isAt(260), 'the end of the capture')), table(last));
  const shown = await eventually(async () => {
    const service = await daemon.ctlJson(['service', 'show', uuid]);
    return service.stale && service;
  }, 'the service to be stale');
  assert.equal(shown.staleReason, 'the capture has ended');
});

test('the plugin\'s clock runs with the capture: a day passes in moments', async (t) => {
  const daemon = await startDaemon(t);
  const record = (seconds, kind, bytes) => `+${seconds * 1000000} 1 ${kind} ${Buffer.byteLength(bytes)}\n${bytes}\n`;
  const file = daemon.writeFile('day.raw', [
    'LTRAW 1 {"plugin":"rmonitor","args":["--host","feed.example"]}\n',
    record(0, 'open', '{"type":"lines"}'), record(0, 'up', ''),
    record(1, 'data', feedText([...ENTRY, ...ORDER, '$J,"11","00:01:00.000","00:04:00.000"', heartbeat('00:04:10')]).toString()),
    // five minutes under green without a sign of either car: both have stopped
    record(310, 'data', feedText([heartbeat('00:09:20')]).toString()),
  ].join(''));
  const uuid = await startService(daemon, 'rmonitor', '--replay-raw', file, '--speed', '1000');
  const watch = await StateWatch.open(t, daemon, uuid);
  const state = await watch.until(isAt(560), 'the end of the capture');
  assert.deepEqual(state.cars.map((car) => car[1]), ['STOP', 'STOP']);
});

test('a file that exists is never written to, and a folder that is not there stops no race', async (t) => {
  const daemon = await startDaemon(t);
  daemon.writeFile('race.raw', 'mine');
  const feed = await FeedServer.listen(t);
  const uuid = await startService(daemon, 'rmonitor', '--host', '127.0.0.1', '--port', String(feed.port), '--record-raw', 'race.raw');
  await eventually(() => existsSync(path.join(daemon.dir, 'race.raw.1')), 'the other file');
  assert.equal(readFileSync(path.join(daemon.dir, 'race.raw'), 'utf8'), 'mine');
  await daemon.ctlJson(['service', 'stop', uuid]);

  const lost = await startService(daemon, 'rmonitor', '--host', '127.0.0.1', '--port', String(feed.port), '--record-raw', 'nowhere/race.raw');
  await daemon.waitLog(/the input is not recorded any more.*nowhere/);
  const watch = await StateWatch.open(t, daemon, lost);
  await feed.next();
  (await feed.next()).write(feedText([...ENTRY, ...ORDER, heartbeat('00:04:10')]));
  await watch.until(isAt(250), 'the race');
});

test('what cannot be played is refused at the start, with the reason', async (t) => {
  const daemon = await startDaemon(t);
  daemon.writeFile('text.raw', 'hello\n');
  daemon.writeFile('other.raw', 'LTRAW 1 {"plugin":"multiloop"}\n');
  daemon.writeFile('fine.raw', 'LTRAW 1 {"plugin":"rmonitor"}\n');
  for (const [args, reason] of [
    [['--replay-raw', 'none.raw'], /cannot open none\.raw: No such file/],
    [['--replay-raw', 'text.raw'], /text\.raw is no raw capture/],
    [['--replay-raw', 'other.raw'], /other\.raw is a capture of plugin "multiloop"/],
    [['--replay-raw', 'fine.raw', '--speed', '0'], /--speed of a capture is a number from 0\.1 to 1000/],
    [['--replay-raw', 'fine.raw', '--record-raw', 'x.raw'], /give --record-raw or --replay-raw, not both/],
  ]) {
    const result = await daemon.ctl(['service', 'start', 'rmonitor', ...args]);
    assert.equal(result.code, 1, args.join(' '));
    assert.match(result.stderr, reason);
  }
});

test('a damaged capture ends the service with the place of the damage', async (t) => {
  const daemon = await startDaemon(t);
  daemon.writeFile('bad.raw', 'LTRAW 1 {"plugin":"rmonitor","args":["--host","feed.example"]}\n+0 1 data five\nhello\n');
  await startService(daemon, 'rmonitor', '--replay-raw', 'bad.raw');
  await eventually(async () => {
    const [service] = await daemon.ctlJson(['service', 'list']);
    return service?.status === 'failed' && /bad\.raw: record 1 at byte 63: size/.test(service.reason);
  }, 'the service to fail');
});

test('raw inspect says what a capture holds', async (t) => {
  const daemon = await startDaemon(t);
  const { file, sent } = await recordRace(t, daemon);
  const found = await daemon.ctlJson(['raw', 'inspect', file]);
  assert.equal(found.plugin, 'rmonitor');
  assert.deepEqual(found.streams.map(({ type, to }) => [type, to.split(':')[0]]), [['lines', '127.0.0.1']]);
  assert.ok(found.streams[0].bytes >= sent.length);
  const text = (await daemon.ctl(['raw', 'inspect', file])).stdout;
  assert.match(text, /^plugin +rmonitor 1\.0$/m);
  assert.match(text, /^ +1 +lines +127\.0\.0\.1:\d+ /m);
  const records = (await daemon.ctl(['raw', 'inspect', '--records', file])).stdout.trim().split('\n');
  assert.equal(records.length, found.records);
  assert.match(records[1], / 1 +up +0/);
});

test('raw cut gives a part that begins with its links as they were', async (t) => {
  const daemon = await startDaemon(t);
  const file = daemon.writeFile('all.raw', [
    'LTRAW 1 {"plugin":"rmonitor","startedAt":1000}\n', '+0 1 open 16\n{"type":"lines"}\n', '+10 1 up 0\n\n',
    '+1000000 1 data 4\none\n\n', '+2000000 1 data 4\ntwo\n\n', '+3000000 1 data 6\nthree\n\n', '+4000000 1 da',
  ].join(''));
  const result = await daemon.ctl(['raw', 'cut', file, '--from', '1.5', '--to', '2.5']);
  assert.equal(result.code, 0, result.stderr);
  assert.equal(readFileSync(path.join(daemon.dir, 'all_cut.raw'), 'utf8'), [
    'LTRAW 1 {"plugin":"rmonitor","startedAt":2500}\n', '+0 1 open 16\n{"type":"lines"}\n', '+0 1 up 0\n\n', '+500000 1 data 4\ntwo\n\n',
  ].join(''));
  assert.match((await daemon.ctl(['raw', 'cut', file])).stderr, /all_cut\.raw/, 'an existing file stays');
  assert.equal((await daemon.ctl(['raw', 'cut', file, '--from', '3', '--to', '2'])).code, 2);
  const whole = await daemon.ctl(['raw', 'cut', file, '-o', path.join(daemon.dir, 'whole.raw')]);
  assert.match(whole.stderr, /ends in the middle of a record/);
  assert.equal((await daemon.ctlJson(['raw', 'inspect', path.join(daemon.dir, 'whole.raw')])).records, 5);
});

test('raw scrub takes names out, also those that came in pieces, and the race stays', async (t) => {
  const daemon = await startDaemon(t);
  const { file, last } = await recordRace(t, daemon);
  writeFileSync(path.join(daemon.dir, 'names.filter'), '# drivers\n^(\\$A,"[^"]*","[^"]*",[0-9]*),"[^"]*","[^"]*" => \\1,"A","Driver"\n');
  const result = await daemon.ctl(['raw', 'scrub', file, 'names.filter']);
  assert.equal(result.code, 0, result.stderr);
  assert.match(result.stderr, /replaced or dropped 2 times/);
  const scrubbed = path.join(daemon.dir, 'race_scrubbed.raw');
  assert.doesNotMatch(readFileSync(scrubbed, 'latin1'), /Ada|Ash|Bea|127\.0\.0\.1/);
  const uuid = await startService(daemon, 'rmonitor', '--host', 'feed.example', '--replay-raw', scrubbed, '--speed', '20');
  const watch = await StateWatch.open(t, daemon, uuid);
  const state = await watch.until(isAt(260), 'the end of the capture');
  assert.deepEqual(state.cars.map((car) => car[4]), ['A Driver', 'A Driver']);
  assert.deepEqual(state.cars.map((car) => car.slice(6)), last.cars.map((car) => car.slice(6)));
  writeFileSync(path.join(daemon.dir, 'bad.filter'), 'just words\n');
  assert.match((await daemon.ctl(['raw', 'scrub', file, 'bad.filter'])).stderr, /filter bad\.filter: line 1: expected PATTERN => TEXT/);
});
