// A timing service from its start to its end, as the realm, the directory, the
// disk and the operator see it.
import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import test from 'node:test';

import lzString from 'lz-string';

import { eventually, shared, startDaemon } from './support/daemon.mjs';
import { RawClient, autobahnSession } from './support/clients.mjs';
import { FeedServer, StateWatch, startService } from './support/feeds.mjs';

const services = { auth: {} };
const CONTROL = 'livetiming.control';
const MANIFEST_KEYS = ['uuid', 'name', 'serviceClass', 'description', 'colSpec', 'trackDataSpec', 'pollInterval', 'hasAnalysis', 'hidden', 'livetimingVersion'];
const INITIAL = { messages: [], cars: [], session: { flagState: 'green', timeElapsed: 0, timeRemain: 0 } };
const isAlive = (uuid) => `livetiming.service.isAlive.${uuid}`;
const requestState = (uuid) => `livetiming.service.requestState.${uuid}`;

// All envelopes on a topic from now on.
async function collect(session, topic, options = {}) {
  const seen = [];
  await session.subscribe(topic, ([envelope]) => seen.push(envelope), options);
  return seen;
}

// autobahn's promises are of a library of its own, which assert.rejects does not take.
async function callError(session, procedure) {
  try {
    await session.call(procedure);
  } catch (error) {
    return error.error;
  }
  return undefined;
}

async function directory(daemon) {
  return (await fetch(`${daemon.http}/directory.json`)).json();
}

const uuids = (list) => list.map(({ uuid }) => uuid);
const heartbeat = (elapsed, flag = 'Green ') => `$F,9999,"00:05:00","12:00:00","${elapsed}","${flag}"\r\n`;
const ENTRY = '$B,7,"Heat 1"\r\n$C,1,"GT3"\r\n$A,"7","7",1001,"Zoë","Ångström","",1\r\n$G,1,"7",,"00:59:59.999"\r\n';

// An rmonitor service whose feed the test writes.
async function startFed(t, daemon, ...options) {
  const feed = await FeedServer.listen(t);
  const uuid = await startService(daemon, 'rmonitor', '--host', '127.0.0.1', '--port', String(feed.port), ...options);
  const watch = await StateWatch.open(t, daemon, uuid);
  const server = await feed.next();
  const send = async (text, elapsed, flag) => {
    server.write(text + heartbeat(`00:00:${String(elapsed).padStart(2, '0')}`, flag));
    return watch.until((state) => state.session.timeElapsed === elapsed, `the state at ${elapsed}`);
  };
  return { feed, uuid, watch, send };
}

// --- the realm ---

test('a service says its manifest when it joins, and again when a directory asks', async (t) => {
  const daemon = await startDaemon(t);
  const session = await autobahnSession(t, daemon, services);
  const control = await collect(session, CONTROL);
  const uuid = await startService(daemon, 'simulator', '--cars', '5');
  const ofService = () => control.filter(({ msgClass, payload }) => msgClass === 2 && payload.uuid === uuid);
  await eventually(() => ofService().length === 1, 'the manifest');
  const [{ date, payload }] = ofService();

  assert.ok(Math.abs(date - Date.now()) < 60000);
  assert.deepEqual(Object.keys(payload), MANIFEST_KEYS);
  assert.equal(payload.serviceClass, 'simulator');
  assert.equal(payload.pollInterval, 1);
  assert.equal(payload.hasAnalysis, true);
  assert.equal(payload.hidden, false);
  assert.deepEqual(payload.colSpec[0], ['Num', 'text', 'Car number']);
  assert.deepEqual(Object.keys(payload.livetimingVersion), ['core', 'plugin']);

  // Ten questions at once get one answer: the rest are merged into it.
  for (let i = 0; i < 10; i++) session.publish(CONTROL, [{ msgClass: 1, date: Date.now(), payload: null }]);
  await eventually(() => ofService().length > 1, 'the manifest once more');
  session.publish(CONTROL, [{ msgClass: 1, date: Date.now(), payload: null }]);
  await eventually(() => ofService().length > 2, 'the manifest a third time');
  assert.equal(ofService().length, 3);
  assert.deepEqual(ofService()[2].payload, payload);
});

test('other messages on the control channel, and nonsense, are ignored', async (t) => {
  const daemon = await startDaemon(t);
  const session = await autobahnSession(t, daemon, services);
  const uuid = await startService(daemon, 'simulator', '--cars', '5');
  const nonsense = [[], ['text'], [null], [{}], [{ msgClass: 'one' }], [{ msgClass: 99, date: 1, payload: {} }], [{ msgClass: 2, date: true, payload: null }],
    [{ msgClass: 2, date: 1, payload: { uuid: 5 } }], [{ msgClass: 2, date: 1, payload: { uuid: '' } }], [{ msgClass: 3, date: 1, payload: { uuid } }], [{ msgClass: 1 }]];
  for (const args of nonsense) await session.publish(CONTROL, args, {}, { acknowledge: true });
  await eventually(async () => (await session.call('livetiming.directory.listServices')).length === 1, 'the one service');
  assert.equal(await session.call(isAlive(uuid)), true);
});

test('the retained state is class 8 and reads as the original writes it', async (t) => {
  const daemon = await startDaemon(t);
  const { uuid, send } = await startFed(t, daemon);
  await send(ENTRY.replace('Zoë', 'Zoë 🏎'), 1);
  const late = await autobahnSession(t, daemon);
  const [envelope] = await eventually(async () => {
    const seen = await collect(late, `livetiming.service.${uuid}`, { get_retained: true });
    return eventually(() => seen.length > 0 && seen, 'the retained state');
  });
  const text = lzString.decompressFromUTF16(envelope.payload);

  assert.deepEqual(Object.keys(envelope).sort(), ['date', 'msgClass', 'payload', 'retain']);
  assert.equal(envelope.msgClass, 8);
  assert.equal(envelope.retain, true);
  assert.ok(Math.abs(envelope.date - Date.now()) < 60000);
  assert.match(text, /^[\x20-\x7e]+$/);
  assert.ok(text.includes('Zo\\u00eb \\ud83c\\udfce \\u00c5ngstr\\u00f6m'));
  // Outside texts each comma and colon is followed by a space, and there are no other spaces.
  assert.match(text.replace(/"(?:[^"\\]|\\.)*"/g, '""').replace(/[,:] /g, ''), /^[^,: ]+$/);
  assert.deepEqual(JSON.parse(text).cars[0].slice(0, 5), ['7', 'RUN', 'GT3', 1, 'Zoë 🏎 Ångström']);
});

test('isAlive and requestState answer anybody, and end with the service', async (t) => {
  const daemon = await startDaemon(t);
  const { uuid, watch, send } = await startFed(t, daemon);
  const anybody = await autobahnSession(t, daemon);
  assert.equal(await anybody.call(isAlive(uuid)), true);
  assert.deepEqual(await anybody.call(requestState(uuid)), INITIAL);
  await send(ENTRY, 1);
  assert.deepEqual(await anybody.call(requestState(uuid)), watch.latest);
  assert.deepEqual(await (await fetch(`${daemon.http}/state/${uuid}.json`)).json(), watch.latest);

  assert.equal((await daemon.ctl(['service', 'stop', uuid])).code, 0);
  assert.equal(await callError(anybody, isAlive(uuid)), 'wamp.error.no_such_procedure');
  assert.equal(await callError(anybody, requestState(uuid)), 'wamp.error.no_such_procedure');
  assert.equal((await fetch(`${daemon.http}/state/${uuid}.json`)).status, 404);
  const retained = await collect(anybody, `livetiming.service.${uuid}`, { get_retained: true });
  // Events come before the result of a later call.
  await anybody.call('livetiming.directory.listServices');
  assert.deepEqual(retained, []);
});

test('messages are those of the original: flags, pits, who is highlighted', async (t) => {
  const file = shared(t, 'golden/messages/message_cases.json');
  if (!file) return;
  const cases = JSON.parse(readFileSync(file));
  const texts = (note) => cases.find((one) => one.note === note).messages.map((message) => message.slice(1));
  const daemon = await startDaemon(t);
  const { send } = await startFed(t, daemon);
  const newest = (state) => state.messages.filter(([time]) => time === state.messages[0][0]).map((message) => message.slice(1));
  const flags = [['White ', 'green to white'], ['Yellow', 'white to yellow'], ['White ', 'yellow to white'], ['Red   ', 'white to red'], ['White ', 'red to white'], ['Green ', 'white to green']];
  let elapsed = 1;
  await send(ENTRY, elapsed);
  for (const [flag, note] of flags) {
    const state = await send('', ++elapsed, flag);
    assert.deepEqual(state.messages[0].slice(1), texts(`flag ${note}`)[0], note);
    assert.ok(Number.isInteger(state.messages[0][0]));
  }
  const line = (name) => `$L,"7","P1","${name}","04/25/2025","12:00:00.000"\r\n`;
  await send(line('PIP'), ++elapsed);
  const left = await send(line('SFT'), ++elapsed);
  assert.deepEqual(newest(left)[0], texts('state PIT to RUN')[0]);
  assert.deepEqual(left.highlight, ['7']);
  assert.deepEqual((await send('', ++elapsed)).highlight, []);
});

test('at most 100 messages are kept', async (t) => {
  const daemon = await startDaemon(t);
  const uuid = await startService(daemon, 'simulator', '--cars', '60', '--speed', '300');
  const watch = await StateWatch.open(t, daemon, uuid);
  const full = await watch.until((state) => state.messages.length >= 100, '100 messages');
  await watch.until((state) => state.messages[0]?.[0] > full.messages[0][0] && state.messages.length === 100, 'newer messages');
  assert.equal(Math.max(...watch.states.map((state) => state.messages.length)), 100);
});

// --- options of the original ---

const manifestOptions = [
  [['-d', 'Friday practice'], { description: 'Friday practice' }],
  [['-dFriday'], { description: 'Friday' }],
  [['--description=Zoë & co'], { description: 'Zoë & co' }],
  [['-m', 'wec'], { serviceClass: 'wec' }],
  [['--masq', 'wec'], { serviceClass: 'wec' }],
  [['-H'], { hidden: true }],
  [['-N'], { doNotRecord: true }],
  [['-vHN'], { hidden: true, doNotRecord: true }],
  [['--disable-analysis'], { hasAnalysis: false }],
  [['--uuid', 'race-71'], { uuid: 'race-71' }],
];
test('options of the service end up in its manifest', async (t) => {
  const daemon = await startDaemon(t);
  for (const [options, expected] of manifestOptions) {
    const uuid = await startService(daemon, 'simulator', '--cars', '5', ...options);
    const { manifest } = await daemon.ctlJson(['service', 'show', uuid]);
    for (const [key, value] of Object.entries(expected)) assert.deepEqual(manifest[key], value, options.join(' '));
    const others = [...MANIFEST_KEYS, ...Object.keys(expected)];
    assert.deepEqual(Object.keys(manifest).filter((key) => !others.includes(key)), []);
    assert.equal((await daemon.ctl(['service', 'stop', uuid])).code, 0);
  }
});

test('an initial state is shown at once, and its file names the UUID', async (t) => {
  const daemon = await startDaemon(t);
  const state = { cars: [['9', 'PIT', 'GT3']], session: { flagState: 'red' }, messages: [[1700000000, 'Track', 'Red flag', 'red']] };
  daemon.writeFile('0123abcd.json', JSON.stringify(state));
  const uuid = await startService(daemon, 'rmonitor', '--host', '127.0.0.1', '--port', '1', '-s', '0123abcd.json', '--uuid', 'loses');
  const session = await autobahnSession(t, daemon);
  await eventually(async () => (await callError(session, isAlive(uuid))) === undefined, 'the service to join');
  assert.equal(uuid, '0123abcd');
  assert.deepEqual(await session.call(requestState(uuid)), state);
});

test('a bad initial state is a clear error', async (t) => {
  const daemon = await startDaemon(t);
  const missing = await daemon.ctl(['service', 'start', 'simulator', '-s', 'none.json']);
  assert.equal(missing.code, 1);
  assert.match(missing.stderr, /--initial-state: .*none\.json.*No such file/);
  daemon.writeFile('broken.json', '{"cars": [');
  await daemon.ctl(['service', 'start', 'simulator', '-s', 'broken.json']);
  const failed = await eventually(async () => (await daemon.ctlJson(['service', 'list'])).find(({ status }) => status === 'failed'), 'the service to fail');
  assert.match(failed.reason, /^initial state: .*broken\.json/);
});

// --- several, and again ---

test('a second start of the same class is another service', async (t) => {
  const daemon = await startDaemon(t);
  const one = await startService(daemon, 'simulator', '--cars', '5');
  const two = await startService(daemon, 'simulator', '--cars', '5');
  assert.notEqual(one, two);
  assert.match(one, /^[0-9a-f]{32}$/);
  const list = await eventually(async () => (await directory(daemon)).length === 2 && directory(daemon), 'both in the directory');
  assert.deepEqual(uuids(list).sort(), [one, two].sort());
  const which = await daemon.ctl(['service', 'stop', 'simulator']);
  assert.equal(which.code, 1);
  assert.ok(which.stderr.includes(one) && which.stderr.includes(two), which.stderr);
  const again = await daemon.ctl(['service', 'start', 'simulator', '--uuid', one]);
  assert.equal(again.code, 1);
  assert.match(again.stderr, /exists already/);
});

test('restart keeps UUID, state and messages; with --fresh nothing is kept', async (t) => {
  const daemon = await startDaemon(t);
  const { uuid, send } = await startFed(t, daemon);
  const before = await send(ENTRY, 1);
  const red = await send('', 2, 'Red   ');
  const session = await autobahnSession(t, daemon);

  assert.equal((await daemon.ctlJson(['service', 'restart', uuid])).uuid, uuid);
  const kept = await session.call(requestState(uuid));
  assert.deepEqual(kept.cars, before.cars);
  assert.deepEqual(kept.messages, red.messages);
  assert.ok(kept.messages.length > 0);

  const fresh = (await daemon.ctlJson(['service', 'restart', '--fresh', uuid])).uuid;
  assert.notEqual(fresh, uuid);
  assert.deepEqual(await session.call(requestState(fresh)), INITIAL);
  assert.equal(await callError(session, isAlive(uuid)), 'wamp.error.no_such_procedure');
});

test('those that come after a restart find the state at once', async (t) => {
  const daemon = await startDaemon(t);
  const { uuid, send } = await startFed(t, daemon);
  const before = await send(ENTRY, 1);
  assert.equal((await daemon.ctl(['service', 'restart', uuid])).code, 0);
  const late = await autobahnSession(t, daemon);
  const seen = await collect(late, `livetiming.service.${uuid}`, { get_retained: true });
  // Events come before the result of a later call.
  assert.deepEqual(uuids(await late.call('livetiming.directory.listServices')), [uuid]);
  assert.equal(seen.length, 1);
  assert.deepEqual(JSON.parse(lzString.decompressFromUTF16(seen[0].payload)).cars, before.cars);
});

test('after kill -9 the service comes back with its UUID, state and messages', async (t) => {
  const daemon = await startDaemon(t);
  const { uuid, send } = await startFed(t, daemon, '-d', 'Night race');
  await send(ENTRY, 1);
  const before = await send('', 2, 'Red   ');
  const file = path.join(daemon.dir, 'state', `${uuid}.json`);
  await eventually(() => existsSync(file) && JSON.parse(readFileSync(file)).session.flagState === 'red', 'the saved state');
  const { lastUpdated: _, ...saved } = before;
  assert.deepEqual(JSON.parse(readFileSync(file)), saved);

  await daemon.stop('SIGKILL');
  daemon.log = '';
  await daemon.start();
  const session = await autobahnSession(t, daemon);
  await eventually(async () => (await callError(session, isAlive(uuid))) === undefined, 'the service to be back');
  const after = await session.call(requestState(uuid));
  const [listed] = await daemon.ctlJson(['service', 'list']);
  assert.deepEqual(after.cars, before.cars);
  assert.deepEqual(after.messages, before.messages);
  assert.equal(listed.uuid, uuid);
  assert.equal(listed.description, 'Night race');

  await daemon.stop('SIGKILL');
  daemon.log = '';
  daemon.args = ['--fresh'];
  await daemon.start();
  assert.deepEqual(await daemon.ctlJson(['service', 'list']), []);
});

test('a damaged saved state or run list does not keep the daemon from starting', async (t) => {
  const daemon = await startDaemon(t);
  const { uuid, send } = await startFed(t, daemon);
  await send(ENTRY, 1);
  const stateFile = path.join(daemon.dir, 'state', `${uuid}.json`);
  await eventually(() => existsSync(stateFile), 'the saved state');
  await daemon.stop();
  daemon.writeFile(`state/${uuid}.json`, '{"cars": [');
  daemon.log = '';
  await daemon.start();
  await daemon.waitLog(/saved state not used/);
  const session = await autobahnSession(t, daemon);
  await eventually(async () => (await callError(session, isAlive(uuid))) === undefined, 'the service to be back');
  assert.deepEqual(await session.call(requestState(uuid)), INITIAL);

  await daemon.stop();
  daemon.writeFile('state/services.json', '{"services": 5}');
  daemon.log = '';
  await daemon.start();
  await daemon.waitLog(/run list not used, set aside/);
  assert.deepEqual(await daemon.ctlJson(['service', 'list']), []);
});

test('configured services come back once after a restart of the daemon, with their UUIDs', async (t) => {
  const daemon = await startDaemon(t, { env: { LIVETIMING_SERVICES: 'simulator --cars 5; simulator --cars 6' } });
  const before = uuids(await daemon.ctlJson(['service', 'list']));
  await daemon.stop();
  daemon.log = '';
  daemon.env.LIVETIMING_SERVICES = 'simulator --cars 6; simulator --cars 7';
  await daemon.start();
  const list = await daemon.ctlJson(['service', 'list']);
  assert.deepEqual(list.map(({ args }) => args.at(-1)), ['6', '7']);
  assert.equal(list[0].uuid, before[1]);
  assert.ok(!before.includes(list[1].uuid));
});

test('--no-write-state writes no files, -v no log file', async (t) => {
  const daemon = await startDaemon(t);
  const quiet = await startService(daemon, 'simulator', '--cars', '5', '--no-write-state');
  const verbose = await startService(daemon, 'simulator', '--cars', '5', '-v');
  const usual = await startService(daemon, 'simulator', '--cars', '5');
  const has = (folder, name) => existsSync(path.join(daemon.dir, folder, name));
  await eventually(() => has('state', `${usual}.json`) && has('state', `${verbose}.json`), 'the saved states');
  assert.equal(has('log', `${usual}.log`), true);
  assert.equal(has('log', `${verbose}.log`), false);
  assert.equal(has('log', `${quiet}.log`), false);
  await daemon.stop();
  assert.equal(has('state', `${quiet}.json`), false);
});

// --- failures ---

test('a service whose plugin gives up is listed with its reason, and nowhere else', async (t) => {
  const daemon = await startDaemon(t);
  const uuid = await startService(daemon, 'probe', '--count', '--fail-after', '2');
  const [failed] = await eventually(async () => {
    const list = await daemon.ctlJson(['service', 'list']);
    return list[0]?.status === 'failed' && list;
  }, 'the service to fail');
  assert.equal(failed.uuid, uuid);
  assert.equal(failed.reason, 'the feed ended');
  assert.match((await daemon.ctl(['service', 'list'])).stdout, /failed.*the feed ended/);
  assert.deepEqual(await directory(daemon), []);
  assert.equal((await fetch(`${daemon.http}/state/${uuid}.json`)).status, 404);
});

test('a plugin that refuses to start is an error of the start', async (t) => {
  const daemon = await startDaemon(t);
  for (const [option, sentence] of [['--refuse', /told to refuse/], ['--fail-start', /told to fail/]]) {
    const result = await daemon.ctl(['service', 'start', 'probe', option]);
    assert.equal(result.code, 1);
    assert.match(result.stderr, sentence);
  }
  const unknown = await daemon.ctl(['service', 'start', 'simulater']);
  assert.equal(unknown.code, 1);
  assert.match(unknown.stderr, /simulater.*simulator/);
  assert.deepEqual(await daemon.ctlJson(['service', 'list']), []);
});

test('configured services that fail are kept with their reasons, the others run', async (t) => {
  const daemon = await startDaemon(t, { env: { LIVETIMING_SERVICES: 'rmonitor; simulator --cars 5; nothing --x' } });
  const list = await daemon.ctlJson(['service', 'list']);
  assert.deepEqual(list.map(({ plugin, status }) => [plugin, status]), [['rmonitor', 'failed'], ['simulator', 'running'], ['nothing', 'failed']]);
  assert.match(list[0].reason, /give --host or --file/);
  assert.match(list[2].reason, /nothing/);
});

// --- the directory, and services of others ---

test('hidden services are listed to those that ask for them', async (t) => {
  const daemon = await startDaemon(t);
  const shown = await startService(daemon, 'simulator', '--cars', '5');
  const hidden = await startService(daemon, 'simulator', '--cars', '5', '-H');
  const session = await autobahnSession(t, daemon);
  const list = (...args) => session.call('livetiming.directory.listServices', ...args);
  await eventually(async () => (await list([true])).length === 2, 'both services');
  assert.deepEqual(uuids(await list()), [shown]);
  assert.deepEqual(uuids(await list([false])), [shown]);
  assert.deepEqual(uuids(await list([], { includeHidden: true })), [shown, hidden]);
  assert.deepEqual(uuids(await directory(daemon)), [shown]);
  // The DVR relies on the retained listing having all.
  const listing = await collect(session, 'livetiming.directory', { get_retained: true });
  await eventually(() => listing.length > 0, 'the retained listing');
  assert.equal(listing.at(-1).msgClass, 5);
  assert.deepEqual(uuids(listing.at(-1).payload), [shown, hidden]);
});

function manifestOf(uuid) {
  return { uuid, name: 'Elsewhere', serviceClass: 'foreign', description: 'In another language', colSpec: [['Num', 'text']], trackDataSpec: [], pollInterval: 1, hasAnalysis: false, hidden: false, livetimingVersion: {} };
}

const registration = (uuid) => ({ msgClass: 2, date: Date.now(), payload: manifestOf(uuid) });

test('a service of another program is listed, and gone the moment its connection is', async (t) => {
  const daemon = await startDaemon(t);
  const foreign = await RawClient.open(t, daemon);
  await foreign.join();
  foreign.send([16, 1, { acknowledge: true }, CONTROL, [registration('foreign-1')]]);
  assert.equal((await foreign.next())[0], 17);
  foreign.send([16, 2, { acknowledge: true, retain: true }, 'livetiming.service.foreign-1', [{ msgClass: 8, date: Date.now(), payload: lzString.compressToUTF16('{}') }]]);
  assert.equal((await foreign.next())[0], 17);
  const session = await autobahnSession(t, daemon);
  const listings = await collect(session, 'livetiming.directory', { get_retained: true });
  const [listed] = await eventually(async () => (await directory(daemon)).length > 0 && directory(daemon), 'the entry');
  assert.deepEqual(listed, manifestOf('foreign-1'));

  foreign.socket.terminate();
  await eventually(() => listings.at(-1)?.payload.length === 0, 'the listing without it');
  assert.deepEqual(await session.call('livetiming.directory.listServices', [true]), []);
  const retained = await collect(session, 'livetiming.service.foreign-1', { get_retained: true });
  await session.call('livetiming.directory.listServices');
  assert.deepEqual(retained, []);
});

test('services that do not answer, or not at all, are taken out of the directory', async (t) => {
  const daemon = await startDaemon(t);
  const foreign = await autobahnSession(t, daemon, services);
  await foreign.register(isAlive('good'), () => true);
  await foreign.register(isAlive('silent'), () => new Promise(() => {}));
  await foreign.register(isAlive('broken'), () => {
    throw new Error('no');
  });
  for (const uuid of ['good', 'silent', 'broken', 'absent']) {
    await foreign.publish(CONTROL, [registration(uuid)], {}, { acknowledge: true });
  }
  const listings = await collect(foreign, 'livetiming.directory', { get_retained: true });
  await eventually(() => listings.at(-1)?.payload.length === 4, 'all four');
  // One question every 10 s, two unanswered ones end it: the waits are those of the daemon.
  await eventually(() => listings.some(({ payload }) => uuids(payload).join() === 'good,silent'), 'the ones with errors to go', 40000);
  await eventually(() => uuids(listings.at(-1).payload).join() === 'good', 'the silent one to go', 60000);
  assert.match(daemon.log, /service gone.*absent.*no_such_procedure/);
});

test('an anonymous client cannot put anything into the directory', async (t) => {
  const daemon = await startDaemon(t);
  const stranger = await autobahnSession(t, daemon);
  let refused;
  await stranger.publish(CONTROL, [registration('evil')], {}, { acknowledge: true }).then(() => {}, (error) => (refused = error.error));
  assert.equal(refused, 'wamp.error.not_authorized');
  assert.deepEqual(await directory(daemon), []);
});
