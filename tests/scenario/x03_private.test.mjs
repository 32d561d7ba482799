// Private services: what a hostile client without the code finds (nothing), and
// what one with the code gets (everything).
import test, { before, after } from 'node:test';
import assert from 'node:assert/strict';
import { readFileSync, readdirSync } from 'node:fs';
import path from 'node:path';
import WebSocket from 'ws';
import { Daemon, startDaemon, eventually, secret, withTimeout } from './support/daemon.mjs';
import { autobahnSession } from './support/clients.mjs';

const SETTINGS = {
  LIVETIMING_SERVICES: 'simulator --seed 71 --speed 5; probe --count --uuid public1',
  LIVETIMING_DVR_MIN_DURATION_S: '0',
  LIVETIMING_HTTP_CALL: 'yes',
  LIVETIMING_METRICS: 'all',
};

let daemon;
let uuid;
let code;
before(async () => {
  daemon = await new Daemon({ env: SETTINGS }).start();
  uuid = await eventually(async () => (await daemon.ctlJson(['service', 'list'])).find((service) => service.serviceClass === 'simulator' && service.updates > 0)?.uuid, 'the simulator');
  ({ code } = await daemon.ctlJson(['desk', 'private', uuid]));
});
after(() => daemon?.destroy());

const get = (url, headers = {}) => fetch(`${daemon.http}${url}`, { headers });
const services = (t, which = daemon) => autobahnSession(t, which, { auth: { secret } });

async function fails(promise, uri) {
  await assert.rejects(promise, (error) => {
    assert.equal(error.error, uri);
    return true;
  });
}

// Every raw message that a session gets, in a serialization of its own choice.
async function listen(t, patterns, protocol = 'wamp.2.json') {
  const socket = new WebSocket(daemon.ws, [protocol]);
  const seen = { bytes: [], acknowledged: 0 };
  t.after(() => socket.terminate());
  await withTimeout(new Promise((resolve, reject) => socket.on('open', resolve).on('error', reject)), 'the WebSocket');
  socket.on('message', (data) => seen.bytes.push(Buffer.from(data)));
  const send = (message) => socket.send(JSON.stringify(message));
  send([1, 'timing', { roles: { subscriber: {}, caller: {} } }]);
  patterns.forEach(([topic, match], i) => send([32, i + 1, { match, get_retained: true }, topic]));
  seen.has = (text) => seen.bytes.some((bytes) => bytes.includes(text));
  seen.answers = () => seen.bytes.filter((bytes) => /^\[(33|8),/.test(String(bytes))).length;
  seen.send = send;
  await eventually(() => seen.answers() >= patterns.length, 'the subscriptions');
  return seen;
}

test('no kind of subscription of somebody without the code gets anything of it', async (t) => {
  const seen = await listen(t, [
    [`livetiming.service.${uuid}`, 'exact'], [`livetiming.delta.${uuid}`, 'exact'], [`livetiming.analysis/${uuid}/lap`, 'exact'],
    ['livetiming.service.', 'prefix'], [`livetiming.service.${uuid}`, 'prefix'], ['livetiming', 'prefix'], ['livetiming.', 'prefix'], ['', 'prefix'],
    ['livetiming..', 'wildcard'], ['livetiming.service.', 'wildcard'], ['..', 'wildcard'], [`livetiming..${uuid}`, 'wildcard'], [`..${uuid}`, 'wildcard'],
    ['livetiming.control', 'exact'], ['livetiming.directory', 'exact'], ['livetiming.scheduler', 'exact'],
  ]);
  const before = seen.bytes.length;
  const session = await services(t);
  await session.publish('livetiming.control', [{ msgClass: 1, date: Date.now(), payload: null }], {}, { acknowledge: true });
  const mine = { states: 0, listed: false, said: false };
  await session.subscribe(`livetiming.service.${uuid}`, () => (mine.states += 1));
  await session.subscribe('livetiming.directory', ([listing]) => (mine.listed ||= listing.payload.some((entry) => entry.uuid === uuid)));
  await session.subscribe('livetiming.control', ([message]) => (mine.said ||= message.payload?.uuid === uuid));
  await session.publish('livetiming.control', [{ msgClass: 1, date: Date.now(), payload: null }], {}, { acknowledge: true });
  await daemon.ctlJson(['desk', 'rename', uuid, 'Secret name']);
  await eventually(() => mine.states > 2 && mine.listed && mine.said, 'services to see states, listing and manifest');
  await eventually(() => seen.bytes.length > before + 3, 'the events of the public service');
  const publics = () => seen.bytes.filter((bytes) => bytes.includes('public1')).length;
  const count = publics();
  await eventually(() => publics() > count, 'one more event of the public service');

  const said = seen.bytes.filter((bytes) => /^\[36,/.test(String(bytes))).map(String);
  assert.ok(said.length > 0);
  assert.deepEqual(said.filter((text) => text.includes(uuid) || text.includes('Secret name')), []);
  assert.ok(!seen.has(code));
});

test('procedures of it do not exist, and the lists have nothing of it', async (t) => {
  const session = await autobahnSession(t, daemon);
  for (const name of ['isAlive', 'requestState', 'requestAnalysisData', 'requestAnalysisManifest', 'requestAnalysisCarList']) {
    await fails(session.call(`livetiming.service.${name}.${uuid}`), 'wamp.error.no_such_procedure');
  }
  await fails(session.call(`livetiming.delta.keyframe.${uuid}`), 'wamp.error.no_such_procedure');
  await fails(session.call(`livetiming.service.desk.${uuid}`, ['show', {}]), 'wamp.error.not_authorized');
  for (const args of [[], [true], [false]]) {
    const listed = await session.call('livetiming.directory.listServices', args);
    assert.deepEqual(listed.map((entry) => entry.uuid), ['public1']);
  }
  for (const procedure of ['wamp.subscription.list', 'wamp.registration.list', 'wamp.session.list', 'wamp.registration.lookup', 'wamp.subscription.get_events']) {
    await fails(session.call(procedure, ['livetiming.service.requestState.' + uuid]), 'wamp.error.not_authorized');
  }
  await fails(session.subscribe('wamp.registration.on_create', () => {}), 'wamp.error.not_authorized');
  const privileged = await services(t);
  assert.ok((await privileged.call('livetiming.directory.listServices', [true])).some((entry) => entry.uuid === uuid && entry.private === true && entry.hidden === true));
  assert.ok((await privileged.call(`livetiming.service.requestState.${uuid}`)).cars.length > 0);
});

test('HTTP without the code shows nothing, and cannot open it', async () => {
  assert.equal((await get(`/state/${uuid}.json`)).status, 404);
  assert.deepEqual(await (await get(`/state/${uuid}.json`)).json(), await (await get('/state/0123456789abcdef.json')).json());
  for (const url of ['/directory.json', '/health', '/relays', '/service/' + uuid, '/index.json', '/recordings/', '/recordings/index.json', '/recordings']) {
    const text = await (await get(url)).text();
    assert.ok(!text.includes(uuid) && !text.includes('Secret name') && !text.includes(code), url);
  }
  const call = (body) => fetch(`${daemon.http}/call`, { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) });
  for (const procedure of [`livetiming.service.requestState.${uuid}`, 'livetiming.directory.listServices', 'livetiming.desk.show']) {
    const text = await (await call({ procedure, args: procedure.startsWith('livetiming.d') ? [true] : [] })).text();
    assert.ok(!text.includes('Secret name') && !text.includes('"cars"'), text);
  }
  assert.match(await (await call({ procedure: 'livetiming.private.open', args: [uuid, code] })).text(), /this needs a session/);
  assert.doesNotMatch(await (await call({ procedure: `livetiming.service.requestState.${uuid}` })).text(), /"cars"/);
});

test('with the code a session gets manifest, states, lists and answers; another one nothing', async (t) => {
  const viewer = await autobahnSession(t, daemon);
  const other = await autobahnSession(t, daemon);

  const opened = await viewer.call('livetiming.private.open', [uuid, code]);
  assert.equal(opened.uuid, uuid);
  assert.deepEqual([opened.manifest.uuid, opened.manifest.private, opened.manifest.hidden], [uuid, true, true]);
  let states = 0;
  await viewer.subscribe(`livetiming.service.${uuid}`, () => (states += 1), { get_retained: true });
  await eventually(() => states > 1, 'states');
  assert.ok((await viewer.call(`livetiming.service.requestState.${uuid}`)).cars.length > 0);
  assert.ok((await viewer.call('livetiming.directory.listServices')).some((entry) => entry.uuid === uuid));

  await fails(other.call(`livetiming.service.requestState.${uuid}`), 'wamp.error.no_such_procedure');
  await fails(viewer.call('livetiming.desk.show', [uuid]), 'wamp.error.not_authorized');
  assert.equal((await viewer.call('livetiming.private.open', ['public1', 'anything'])).manifest.uuid, 'public1');
});

test('with the code HTTP gives the state, to be kept by no cache', async () => {
  for (const [url, headers] of [[`/state/${uuid}.json?code=${code}`], [`/state/${uuid}.json`, { 'x-access-code': code }]]) {
    const response = await get(url, headers);
    assert.equal(response.status, 200);
    assert.equal(response.headers.get('cache-control'), 'private, no-store');
    assert.ok((await response.json()).cars.length > 0);
  }
  const open = await get('/state/public1.json?code=anything-at-all');
  assert.equal(open.status, 200);
  assert.match(open.headers.get('cache-control'), /^public/);
});

test('its recordings are listed for services alone, and downloaded with the code', async (t) => {
  const folder = path.join(daemon.dir, 'recordings');
  const zips = () => readdirSync(folder).filter((name) => name.startsWith(uuid) && name.endsWith('.zip'));
  const privileged = await services(t);
  const anonymous = await autobahnSession(t, daemon);
  const before = zips();
  await eventually(async () => (await daemon.ctlJson(['recordings', 'list'])).inProgress.some((entry) => entry.uuid === uuid && entry.frames > 0), 'frames');
  await daemon.ctlJson(['desk', 'end-session', uuid]);
  const [name] = await eventually(() => {
    const added = zips().filter((zip) => !before.includes(zip));
    return added.length > 0 && added;
  }, 'a recording of the private time');

  assert.equal((await get(`/recordings/${name}`)).status, 404); // listed or not yet
  const page = (session) => session.call('livetiming.recordings.page', [1, null, true]);
  const entry = await eventually(async () => (await page(privileged)).recordings.find((recording) => `${recording.filename}`.startsWith(name.replace('.zip', ''))), 'it to be listed for services');
  assert.equal(entry.private, true);
  assert.deepEqual((await page(anonymous)).recordings.filter((recording) => recording.private), []);
  assert.equal(await anonymous.call('livetiming.recordings.manifest', [entry.uuid]), null);
  assert.ok(!(await anonymous.call('livetiming.recordings.names', [true])).includes('Secret name'));
  assert.deepEqual((await anonymous.call('livetiming.recordings.search', ['Secret'], { show_hidden: true })).recordings, []);
  assert.equal((await get(`/recordings/${name}`)).status, 404);
  const response = await get(`/recordings/${name}?code=${code}`);
  assert.equal(response.status, 200);
  assert.equal(response.headers.get('cache-control'), 'private, no-store');
  assert.equal(Buffer.from(await response.arrayBuffer()).subarray(0, 2).toString(), 'PK');
});

test('a wrong code is refused alike for what exists and what does not, and neither code nor hash is seen', async (t) => {
  const session = await autobahnSession(t, daemon);
  await fails(session.call('livetiming.private.open', [uuid, 'wrong-code-1']), 'livetiming.error.wrong_code');
  await fails(session.call('livetiming.private.open', ['no-such-service-1', 'wrong-code-1']), 'livetiming.error.wrong_code');
  for (const args of [[], [uuid], [uuid, 5], [{}, []], [null, null]]) await fails(session.call('livetiming.private.open', args), 'wamp.error.invalid_argument');
  assert.equal((await get(`/state/${uuid}.json?code=wrong-code-1`)).status, 403);
  assert.equal((await get('/state/no-such-service-1.json?code=wrong-code-1')).status, 403);
  const kept = readFileSync(path.join(daemon.dir, 'state/private.json'), 'utf8');
  const { hash } = JSON.parse(kept).services[uuid];
  assert.ok(!kept.includes(code));
  const shown = JSON.stringify([await daemon.ctlJson(['service', 'show', uuid]), await daemon.ctlJson(['desk', 'show', uuid]), await daemon.ctlJson(['desk', 'log'])]);
  assert.ok(!shown.includes(code) && !shown.includes(hash));
  assert.ok(!daemon.log.includes(code) && !readFileSync(path.join(daemon.dir, 'log/audit.log'), 'utf8').includes(code));
});

test('wrong codes are limited, and the limit does not touch who has had the right one', async (t) => {
  const other = await startDaemon(t, { env: { LIVETIMING_SERVICES: 'probe --count --uuid secret1; probe --count --uuid secret2' } });
  const started = await eventually(() => other.ctlJson(['desk', 'private', 'secret1']), 'the service to take orders');
  const second = await other.ctlJson(['desk', 'private', 'secret2']);
  const state = (id, word) => fetch(`${other.http}/state/${id}.json?code=${word}`);
  await eventually(async () => (await state('secret1', started.code)).status === 200, 'the state');

  const statuses = [];
  for (let i = 0; i < 12; i += 1) statuses.push((await state('secret1', `wrong-code-${i}`)).status);

  assert.deepEqual(statuses.slice(0, 10), Array(10).fill(403));
  // the minute may end in between, on a machine that is slow enough
  if (statuses[11] === 429) {
    const late = await state('secret2', second.code);
    assert.ok(late.status === 429 ? late.headers.get('retry-after') === '60' : late.status === 200);
  }
  assert.ok(statuses.includes(429) || other.log.match(/wrong access code/g).length === 12);
  assert.equal((await state('secret1', started.code)).status, 200);
});

test('a new code shuts out who came with the old one; public opens it for all', async (t) => {
  const other = await startDaemon(t, { env: { LIVETIMING_SERVICES: 'probe --count --uuid secret1 --private', LIVETIMING_DVR_MIN_DURATION_S: '0' } });
  await eventually(async () => (await other.ctlJson(['recordings', 'list'])).inProgress.some((entry) => entry.frames > 0), 'a frame of the private time');
  const first = await eventually(() => other.ctlJson(['desk', 'private', 'secret1']), 'the service to take orders');
  const viewer = await autobahnSession(t, other);
  await viewer.call('livetiming.private.open', ['secret1', first.code]);
  assert.ok(await viewer.call('livetiming.service.requestState.secret1'));

  const second = await other.ctlJson(['desk', 'private', 'secret1']);
  await fails(viewer.call('livetiming.service.requestState.secret1'), 'wamp.error.no_such_procedure');
  await fails(viewer.call('livetiming.private.open', ['secret1', first.code]), 'livetiming.error.wrong_code');
  await viewer.call('livetiming.private.open', ['secret1', second.code]);
  await other.ctlJson(['desk', 'public', 'secret1']);

  assert.ok(await (await autobahnSession(t, other)).call('livetiming.service.requestState.secret1'));
  await eventually(async () => (await (await fetch(`${other.http}/directory.json`)).json()).some((entry) => entry.uuid === 'secret1' && !entry.private), 'it to be listed');
  // the recording of the time when it was private stays closed, and closes nothing else
  const timeline = (path) => fetch(`${other.http}/timeline/${path}/index.json`);
  const index = async () => (await timeline('live/secret1')).json();
  await eventually(async () => (await index()).live, 'its timeline to be open');
  await eventually(() => readdirSync(path.join(other.dir, 'recordings')).includes('secret1.zip'), 'the private recording');
  assert.equal((await timeline('recordings/secret1')).status, 404);
  const latest = await eventually(async () => (await other.ctlJson(['recordings', 'list'])).inProgress.every(({ status }) => status === 'recording') && index(), 'the end of the private recording');
  assert.ok(!(latest.finished ?? []).some(({ id }) => id === 'secret1'));
});

test('a service started private is closed from its first moment, with the code of the file, and after kill -9', async (t) => {
  const env = { LIVETIMING_SERVICES: 'probe --count --uuid secret1 --private; probe --count --uuid secret2 --private -m other', LIVETIMING_PRIVATE_CODES: 'codes' };
  const first = new Daemon({ env });
  t.after(() => first.destroy());
  first.writeFile('codes', '# codes\nnothing x\nprobe open-sesame\n');
  await first.start();
  const open = async (which, id, word) => (await fetch(`${which.http}/state/${id}.json?code=${word}`)).status;
  await eventually(async () => (await open(first, 'secret1', 'open-sesame')) === 200, 'the state with its code');
  assert.equal((await fetch(`${first.http}/state/secret1.json`)).status, 404);
  assert.deepEqual(await (await fetch(`${first.http}/directory.json`)).json(), []);
  assert.equal(await open(first, 'secret2', 'open-sesame'), 403);
  assert.match(first.log, /can be read by others/);
  assert.match(first.log, /a private service has no access code/);
  const { code: made } = await first.ctlJson(['desk', 'private', 'secret2']);
  await first.stop('SIGKILL');

  const second = await startDaemon(t, { env: { ...env, LIVETIMING_PRIVATE_CODES: null }, dir: first.dir });
  await eventually(async () => (await open(second, 'secret1', 'open-sesame')) === 200 && (await open(second, 'secret2', made)) === 200, 'both with their codes');
  assert.equal((await fetch(`${second.http}/state/secret2.json`)).status, 404);
  assert.deepEqual(await (await fetch(`${second.http}/directory.json`)).json(), []);
  await second.stop();
});

test('a scheduled private service is in no public schedule', async (t) => {
  const other = new Daemon({ env: { LIVETIMING_CALENDAR_URL: 'events.ics' } });
  t.after(() => other.destroy());
  const stamp = (hours) => new Date(Date.now() + hours * 3600000).toISOString().replace(/[-:]|\.\d+/g, '');
  const event = (name, args) => ['BEGIN:VEVENT', `UID:${name.replaceAll(' ', '-')}`, `DTSTAMP:${stamp(0)}`, `DTSTART:${stamp(2)}`, `DTEND:${stamp(3)}`, `SUMMARY:${name} [probe${args}]`, 'END:VEVENT'];
  const file = other.writeFile('events.ics', ['BEGIN:VCALENDAR', 'VERSION:2.0', 'PRODID:-//test//EN', ...event('Open day', ''), ...event('Secret test', '\\, --private'), 'END:VCALENDAR', ''].join('\r\n'));
  other.env.LIVETIMING_CALENDAR_URL = `file://${file}`;
  await other.start();
  const session = await autobahnSession(t, other);

  const listed = await eventually(async () => {
    const events = await session.call('livetiming.schedule.list');
    return events.length > 0 && events;
  }, 'the schedule');
  assert.deepEqual(listed.map((entry) => entry.name), ['Open day']);
  assert.match((await other.ctl(['schedule', 'list'])).stdout, /Secret test/);
});

test('a private service in a process of its own takes orders and is closed as well', async (t) => {
  const other = await startDaemon(t);
  const started = await other.ctlJson(['service', 'start', 'probe', '--count', '--isolated', '--private', '--uuid', 'apart1']);
  assert.equal(started.uuid, 'apart1');
  const { overrides } = await eventually(() => other.ctlJson(['desk', 'rename', 'apart1', 'Apart']), 'the service to take orders');
  assert.equal(overrides.name, 'Apart');
  const { code: made } = await other.ctlJson(['desk', 'private', 'apart1']);

  assert.equal((await fetch(`${other.http}/state/apart1.json`)).status, 404);
  await eventually(async () => (await fetch(`${other.http}/state/apart1.json?code=${made}`)).status === 200, 'the state with the code');
  const viewer = await autobahnSession(t, other);
  assert.equal((await viewer.call('livetiming.private.open', ['apart1', made])).manifest.name, 'Apart');
});

test('a UUID without a digit cannot be private, and a broken list of codes stops the start', async (t) => {
  const other = await startDaemon(t);
  const result = await other.ctl(['service', 'start', 'probe', '--private', '--uuid', 'requestState']);
  assert.equal(result.code, 1);
  assert.match(result.stderr, /a private service needs another UUID/);
  await other.stop();
  const { writeFileSync } = await import('node:fs');
  writeFileSync(path.join(other.dir, 'state/private.json'), '{"services": 5}');
  const again = new Daemon({ dir: other.dir });
  t.after(() => again.destroy());
  await assert.rejects(again.start(), /private services cannot be told from others/);
});
