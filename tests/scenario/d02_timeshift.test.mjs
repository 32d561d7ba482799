// The past of a live service, and finished recordings, in chunks for the browser.
import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import http from 'node:http';
import path from 'node:path';
import test from 'node:test';

import { autobahnSession } from './support/clients.mjs';
import { Daemon, eventually, startDaemon } from './support/daemon.mjs';
import { applyDiff } from './support/delta.mjs';

const quick = { LIVETIMING_SERVICES: '', LIVETIMING_DVR_MIN_DURATION_S: '0', LIVETIMING_DVR_IDLE_S: '5', LIVETIMING_DVR_SCAN_S: '1' };
const uuid = 'd2'.repeat(16);
const manifest = { uuid, name: 'Club race', description: 'Heat 1', colSpec: [['Num', 'text'], ['Laps', 'numeric'], ['Last', 'time']], trackDataSpec: [], pollInterval: 1 };

async function json(daemon, address, expected = 200) {
  const answer = await fetch(`${daemon.http}${address}`);
  const body = await answer.text();
  assert.equal(answer.status, expected, `${address}: ${answer.status} ${body.slice(0, 300)}`);
  assert.equal(answer.headers.get('access-control-allow-origin'), '*');
  return { ...JSON.parse(body), headers: answer.headers };
}

// Until it is no longer "being worked on".
const complete = (daemon, address) =>
  eventually(async () => {
    const answer = await fetch(`${daemon.http}${address}`);
    return answer.status === 200 ? answer.json() : assert.ok(answer.status === 202 || answer.status === 404);
  }, address);

// A service whose clock the test moves: states of consecutive seconds.
class Feed {
  static async open(t, daemon, start) {
    const feed = new Feed();
    feed.session = await autobahnSession(t, daemon, { auth: {} });
    feed.start = start;
    feed.time = start;
    feed.states = new Map();
    await feed.session.register(`livetiming.service.isAlive.${uuid}`, () => true, { force_reregister: true });
    await feed.announce({});
    return feed;
  }

  async announce(changes) {
    await this.session.publish('livetiming.control', [{ msgClass: 2, date: Date.now(), payload: { ...manifest, ...changes } }], {}, { acknowledge: true });
  }

  async send(count) {
    for (let i = 0; i < count; i++, this.time++) {
      const n = this.time - this.start;
      const leads = n % 100 < 50 ? ['7', '8'] : ['8', '7'];
      const flagState = n >= 30 && n < 45 ? 'sc' : n >= 290 ? 'chequered' : 'green';
      const messages = [...(n % 25 === 24 ? [[this.time, 'Track', `message ${n}`, 'track']] : []), ...(this.messages ?? [])].slice(0, 100);
      this.messages = messages;
      const cars = leads.map((number) => [number, Math.floor(n / 20), 90 + (n % 7)]);
      if (n % 80 > 70) cars.push(['9', 0, '']);
      const state = { cars, session: { flagState, timeElapsed: n }, messages, highlight: [] };
      this.states.set(this.time, structuredClone(state));
      await this.session.publish(`livetiming.service.${uuid}`, [{ msgClass: 4, date: this.time * 1000, payload: state }], {}, { acknowledge: true });
    }
  }
}

// All states of a timeline by its chunks, as a browser makes them.
async function statesOf(daemon, index) {
  const states = new Map();
  for (const offset of index.chunks.starts) {
    const chunk = await json(daemon, `${index.chunks.url}${index.start + offset}.json`);
    assert.equal(chunk.start, index.start + offset);
    assert.ok(chunk.frames[0].key, 'a chunk begins with a key frame');
    let state;
    for (const frame of chunk.frames) {
      state = frame.key ?? applyDiff(state, frame.diff);
      states.set(frame.t, state);
    }
  }
  return states;
}

const live = `/timeline/live/${uuid}/`;
const recorded = (daemon, frames) =>
  eventually(async () => {
    const answer = await fetch(`${daemon.http}${live}index.json`);
    if (answer.status !== 200) return false;
    const index = await answer.json();
    return index.frames >= frames && index;
  }, `${frames} frames of the live recording`);

function check(states, feed) {
  for (const [time, state] of states) assert.deepEqual(state, feed.states.get(time), `state of ${time}`);
}

test('a live service: chunks give its states, also after kill -9, after it was finished, and as an archive', async (t) => {
  const daemon = await startDaemon(t, { env: quick });
  const start = Math.floor(Date.now() / 1000) - 400;
  const feed = await Feed.open(t, daemon, start);
  await feed.send(200);
  const index = await recorded(daemon, 200);
  assert.deepEqual([index.live, index.uuid, index.recording, index.start, index.end], [true, uuid, String(start), start, start + 199]);
  assert.equal(index.manifest.name, 'Club race');
  const states = await statesOf(daemon, index);
  assert.equal(states.size, 200);
  check(states, feed);

  const closed = await fetch(`${daemon.http}${index.chunks.url}${start}.json`);
  assert.match(closed.headers.get('cache-control'), /immutable/);
  const again = await fetch(`${daemon.http}${index.chunks.url}${start}.json`, { headers: { 'If-None-Match': closed.headers.get('etag') } });
  assert.equal(again.status, 304);
  const open = await json(daemon, `${index.chunks.url}${start + index.chunks.starts.at(-1)}.json`);
  assert.equal(open.closed, false);
  assert.doesNotMatch(open.headers.get('cache-control'), /immutable/);

  const moments = await complete(daemon, `${live}moments.json`);
  assert.equal(moments.complete, false);
  assert.deepEqual(moments.flags, [[start, 'green'], [start + 30, 'sc'], [start + 45, 'green']]);
  assert.deepEqual(moments.leaders.slice(0, 3), [[start, '7'], [start + 50, '8'], [start + 100, '7']]);
  assert.deepEqual(moments.laps.slice(0, 2), [[start + 20, 1], [start + 40, 2]]);
  assert.deepEqual(moments.moments.slice(0, 2).map(({ t: time, type }) => [time, type]), [[start, 'start'], [start + 30, 'flag']]);
  const { messages } = await complete(daemon, `${live}messages.json`);
  assert.deepEqual(messages.map(([time]) => time - start), [24, 49, 74, 99, 124, 149, 174]);
  assert.equal(messages[1][1][2], 'message 49');

  await daemon.stop('SIGKILL');
  const next = new Daemon({ dir: daemon.dir, env: quick });
  t.after(() => next.destroy());
  await next.start();
  const more = await Feed.open(t, next, start);
  Object.assign(more, { time: feed.time, states: feed.states, messages: feed.messages });
  await more.send(100);
  const resumed = await recorded(next, 290);
  assert.equal(resumed.recording, index.recording);
  check(await statesOf(next, resumed), more);

  // its name changes: a new recording begins, and the old one is an archive
  await more.announce({ description: 'Heat 2' });
  await more.send(20);
  const rolled = await eventually(async () => {
    const now = await (await fetch(`${next.http}${live}index.json`)).json();
    return now.recording !== index.recording && now.finished && now;
  }, 'the next recording');
  assert.equal(rolled.finished[0].start, start);
  const file = rolled.finished[0].id;
  const archive = await json(next, `/timeline/recordings/${file}/index.json`);
  assert.deepEqual([archive.live, archive.start, archive.chunks.open], [false, start, false]);
  const archived = await statesOf(next, archive);
  check(archived, more);
  for (const time of states.keys()) assert.ok(archived.has(time));
  check(await statesOf(next, { ...resumed, chunks: resumed.chunks }), more);
  assert.equal((await complete(next, `/timeline/recordings/${file}/moments.json`)).moments.at(-1).type, 'finish');
  await json(next, `${live}${start - 5}/${start}.json`, 404);

  const shown = await next.ctl(['rectool', 'show', path.join(next.dir, 'recordings', `${file}.zip`), '150']);
  assert.deepEqual(JSON.parse(shown.stdout).cars, archived.get(start + 150).cars);
});

test('the analysis as it was at a time, live and of a recording', async (t) => {
  const daemon = await startDaemon(t, { env: quick });
  const start = Math.floor(Date.now() / 10000) * 10 - 400;
  const feed = await Feed.open(t, daemon, start);
  await feed.send(300);
  await recorded(daemon, 300);
  const laps = ({ analysis }) => (analysis.stint['7'] ?? []).concat(analysis.lap['7']?.[0] ?? []).length + JSON.stringify(analysis.lap);
  const late = await complete(daemon, `${live}analysis.json?at=${start + 250}`);
  const early = await complete(daemon, `${live}analysis.json?at=${start + 104}`);
  assert.equal(early.at, start + 100);
  assert.equal(late.at, start + 250);
  assert.notEqual(laps(early), laps(late));
  assert.deepEqual(early.analysis.messages.messages.map((message) => message[0] - start), [99, 74, 49, 24]);
  assert.deepEqual(Object.keys(early.analysis).sort(), ['car_messages', 'driver', 'lap', 'messages', 'session', 'static', 'stint']);
  await json(daemon, `${live}analysis.json?at=${start - 1000}`, 404);

  await feed.announce({ description: 'Heat 2' });
  const file = path.join(daemon.dir, 'recordings', `${uuid}.zip`);
  await eventually(() => existsSync(file), 'the archive');
  const recording = `/timeline/recordings/${uuid}/`;
  assert.deepEqual((await complete(daemon, `${recording}analysis.json?at=${start + 100}`)).analysis, early.analysis);
  const all = await complete(daemon, `${recording}analysis.json?at=${start + 5000}`);
  assert.equal(all.at, start + 299);
  await complete(daemon, `${recording}messages.json`);
  const cached = readdirSync(path.join(daemon.dir, 'state', 'timeline'));
  assert.deepEqual(cached.sort(), ['analysis', 'messages', 'moments'].map((kind) => `${uuid}.${kind}`));
});

// fetch() would tidy up what is wrong with a path.
const raw = (daemon, target) =>
  new Promise((resolve, reject) => {
    http.get({ host: '127.0.0.1', port: daemon.port, path: target }, (answer) => {
      let body = '';
      answer.on('data', (part) => (body += part)).on('end', () => resolve({ status: answer.statusCode, body }));
    }).on('error', reject);
  });

test('what cannot be answered is refused with a reason', async (t) => {
  const daemon = await startDaemon(t, { env: { ...quick, LIVETIMING_SERVICES: 'simulator --seed 71 -N' } });
  const [service] = await eventually(async () => {
    const list = await (await fetch(`${daemon.http}/directory.json`)).json();
    return list.length > 0 && list;
  }, 'the service');
  const refused = async (target, status, code) => {
    const { status: got, body } = await raw(daemon, target);
    assert.deepEqual([got, JSON.parse(body).code], [status, code], target);
    assert.ok(JSON.parse(body).error.length > 0);
  };
  await eventually(async () => JSON.parse((await raw(daemon, `/timeline/live/${service.uuid}/index.json`)).body).code === 'do_not_record', 'do_not_record');
  await refused('/timeline/live/unknown/index.json', 404, 'not_recorded');
  await refused('/timeline/recordings/unknown/index.json', 404, 'no_such_recording');
  await refused('/timeline/elsewhere/x/index.json', 404, 'no_such_document');
  await refused('/timeline/live/x', 404, 'no_such_document');
  await refused('/timeline/live/x/y', 404, 'no_such_document');
  for (const target of ['/timeline/recordings/x/../../etc/passwd', '/timeline/recordings/%2e%2e%2fx/index.json']) {
    const { status } = await raw(daemon, target);
    assert.ok(status >= 400 && status < 500, `${target}: ${status}`);
  }
  await refused('/timeline/recordings/.x/index.json', 400, 'bad_request');
  for (const at of ['', '?at=', '?at=x', '?at=-1', '?at=1e9', '?at=99999999999999999999', '?at=1.5']) {
    await refused(`/timeline/recordings/x/analysis.json${at}`, 400, 'bad_request');
  }
  for (const chunk of ['x', '-1', '1e9', '999999999999']) await refused(`/timeline/recordings/x/${chunk}.json`, 400, 'bad_request');

  writeFileSync(path.join(daemon.dir, 'recordings', 'broken.zip'), 'PK nothing of the kind');
  await refused('/timeline/recordings/broken/index.json', 422, 'damaged');
});

test('many who ask at once get the same answers', async (t) => {
  const daemon = await startDaemon(t, { env: quick });
  const start = Math.floor(Date.now() / 1000) - 400;
  const feed = await Feed.open(t, daemon, start);
  await feed.send(150);
  const index = await recorded(daemon, 150);
  const chunk = `${index.chunks.url}${start}.json`;
  const bodies = await Promise.all(Array.from({ length: 60 }, () => fetch(`${daemon.http}${chunk}`).then((answer) => answer.text())));
  assert.equal(new Set(bodies).size, 1);
  const packed = await fetch(`${daemon.http}${chunk}`, { headers: { 'Accept-Encoding': 'gzip' } });
  assert.equal(packed.headers.get('content-encoding'), 'gzip');
  const times = Array.from({ length: 40 }, (_, i) => start + i * 3);
  await Promise.all(times.map((at) => complete(daemon, `${live}analysis.json?at=${at}`)));
});
