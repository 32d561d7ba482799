// The control desk: every order by livetimingctl and by RPC, who may give them,
// what they leave behind, and what is refused.
import test, { before, after } from 'node:test';
import assert from 'node:assert/strict';
import { readFileSync, readdirSync, existsSync } from 'node:fs';
import path from 'node:path';
import { Daemon, startDaemon, eventually, secret } from './support/daemon.mjs';
import { autobahnSession } from './support/clients.mjs';

const SETTINGS = {
  LIVETIMING_SERVICES: 'simulator --seed 71 --speed 2; probe --count --uuid probe1',
  LIVETIMING_DVR_MIN_DURATION_S: '0',
};

let daemon;
let uuid;
before(async () => {
  daemon = await new Daemon({ env: SETTINGS }).start();
  uuid = await simulator(daemon);
});
after(() => daemon?.destroy());

async function simulator(which) {
  const listed = await eventually(async () => {
    const manifests = await (await fetch(`${which.http}/directory.json`)).json();
    return manifests.find((manifest) => manifest.serviceClass === 'simulator');
  }, 'the simulator to be listed');
  await eventually(async () => (await state(which, listed.uuid)).cars.length > 0, 'cars');
  return listed.uuid;
}

async function state(which, id) {
  return (await fetch(`${which.http}/state/${id}.json`)).json();
}

const manifest = async (which, id) => (await which.ctlJson(['service', 'show', id])).manifest;
const desk = (which, ...words) => which.ctlJson(['desk', ...words]);
const stateIs = (which, id, check, what) => eventually(async () => check(await state(which, id)), what);
const services = (t, which) => autobahnSession(t, which, { auth: { secret } });

async function refused(which, words, sentence) {
  const result = await which.ctl(['desk', ...words]);
  assert.equal(result.code, 1, result.stdout);
  assert.match(result.stderr, sentence);
}

async function rpcFails(promise, uri, sentence) {
  await assert.rejects(promise, (error) => {
    assert.equal(error.error, uri);
    assert.match(String(error.args[0]), sentence);
    return true;
  });
}

test('texts of the manifest are changed and given back', async () => {
  const before = await manifest(daemon, uuid);

  await desk(daemon, 'rename', 'simulator', 'Grand Prix');
  await desk(daemon, 'describe', uuid, 'Race 2');
  await desk(daemon, 'attribute', uuid, 'Timing Ltd', 'https://timing.example/');

  const changed = await manifest(daemon, uuid);
  assert.deepEqual([changed.name, changed.description, changed.source], ['Grand Prix', 'Race 2', ['Timing Ltd', 'https://timing.example/']]);
  await eventually(async () => (await (await fetch(`${daemon.http}/directory.json`)).json()).some((entry) => entry.name === 'Grand Prix'), 'the new name in the directory');
  const shown = await daemon.ctl(['service', 'show', 'Grand Prix']);
  assert.match(shown.stdout, /Grand Prix/);

  await desk(daemon, 'clear', uuid);
  assert.deepEqual(await manifest(daemon, uuid), before);
});

test('a service is hidden and listed again', async () => {
  const listed = async () => (await (await fetch(`${daemon.http}/directory.json`)).json()).some((entry) => entry.uuid === uuid);

  await desk(daemon, 'hide', uuid);
  await eventually(async () => !(await listed()), 'it to be hidden');
  await desk(daemon, 'unhide', uuid);
  await eventually(listed, 'it to be listed');
  await desk(daemon, 'clear', uuid, 'hidden');
});

test('a flag is laid over the feed until it is cleared', async () => {
  await desk(daemon, 'flag', uuid, 'red');
  await stateIs(daemon, uuid, (now) => now.session.flagState === 'red', 'the red flag');
  const { lastUpdated } = await state(daemon, uuid);
  await stateIs(daemon, uuid, (now) => now.lastUpdated > lastUpdated && now.session.flagState === 'red', 'the red flag in a later update');

  await desk(daemon, 'clear', uuid, 'flag');
  await stateIs(daemon, uuid, (now) => now.session.flagState !== 'red', 'the flag of the feed');
});

test('messages and penalties are said, and a penalty marks its car until it is cleared', async () => {
  const number = String((await state(daemon, uuid)).cars[0][0]);

  await desk(daemon, 'message', uuid, 'Track limits at turn 4');
  await stateIs(daemon, uuid, (now) => now.messages.some(([, category, text, type]) => category === 'Race Control' && text === 'TRACK LIMITS AT TURN 4' && type === 'raceControl'), 'the message');
  await desk(daemon, 'penalty', uuid, number, '10 s stop and go');
  await stateIs(daemon, uuid, (now) => now.messages.some(([, , text, , car]) => text === `CAR ${number}: 10 S STOP AND GO` && car === number), 'the message of the penalty');
  const marked = await stateIs(daemon, uuid, (now) => now.session.penalties && now, 'the mark');
  assert.equal(marked.session.penalties[number].text, '10 s stop and go');
  assert.ok(marked.session.penalties[number].since > 1700000000000);

  await desk(daemon, 'clear-penalty', uuid, number);
  await stateIs(daemon, uuid, (now) => !('penalties' in now.session), 'the mark to go');
});

test('an option is changed while the plugin runs', async () => {
  await desk(daemon, 'option', uuid, 'speed', '50');
  assert.equal((await daemon.ctlJson(['service', 'show', uuid])).options.speed, 50);
  const first = (await state(daemon, uuid)).session.timeElapsed;
  const since = Date.now();
  await stateIs(daemon, uuid, (now) => now.session.timeElapsed - first > 4 * (Date.now() - since) / 1000 + 20, 'the race to be faster');

  await desk(daemon, 'clear', uuid, 'options');
  assert.equal((await daemon.ctlJson(['service', 'show', uuid])).options.speed, 2);
});

test('the end of a session begins a new recording and takes flag and marks away', async () => {
  const finished = () => (existsSync(path.join(daemon.dir, 'recordings')) ? readdirSync(path.join(daemon.dir, 'recordings')).filter((name) => name.startsWith(uuid) && name.endsWith('.zip')).length : 0);
  const number = String((await state(daemon, uuid)).cars[0][0]);
  await desk(daemon, 'flag', uuid, 'sc');
  await desk(daemon, 'penalty', uuid, number, '5 s');
  const inProgress = async () => (await daemon.ctlJson(['recordings', 'list'])).inProgress.filter((entry) => entry.uuid === uuid).length;
  await eventually(inProgress, 'it to be recorded');
  const kept = finished();

  const result = await desk(daemon, 'end-session', uuid);

  assert.deepEqual(result.overrides, {});
  await eventually(() => finished() > kept, 'the recording to be finished');
  await eventually(inProgress, 'the next recording to begin');
  await stateIs(daemon, uuid, (now) => now.session.flagState !== 'sc' && !now.session.penalties, 'a session without marks');
});

test('every order is open to the role services by RPC, with names or UUIDs', async (t) => {
  const session = await services(t, daemon);
  const number = (await state(daemon, uuid)).cars[0][0];
  const calls = [
    ['rename', 'By RPC'], ['describe', 'text'], ['attribute', 'Someone'], ['hide'], ['unhide'], ['message', 'hello'],
    ['penalty', number, '5 s'], ['clearPenalty', number], ['flag', 'code_60'], ['option', 'speed', 3], ['show'], ['clear', 'options'], ['endSession'],
  ];
  for (const [order, ...args] of calls) {
    const result = await session.call(`livetiming.desk.${order}`, [uuid, ...args]);
    assert.equal(result.uuid, uuid, order);
  }
  const result = await session.call('livetiming.desk.describe', [], { uuid: 'simulator', text: 'by names' });
  assert.deepEqual(result.overrides, { name: 'By RPC', description: 'by names', attribution: ['Someone', ''], hidden: false });
  assert.equal((await manifest(daemon, uuid)).description, 'by names');
  await session.call('livetiming.desk.clear', [uuid]);
});

test('nobody else may give orders, whatever the procedure', async (t) => {
  const session = await autobahnSession(t, daemon);
  for (const procedure of ['livetiming.desk.rename', 'livetiming.desk.log', 'livetiming.desk.private', `livetiming.service.desk.${uuid}`]) {
    await rpcFails(session.call(procedure, [uuid, 'x']), 'wamp.error.not_authorized', /may not call/);
  }
  assert.ok(Array.isArray(await session.call('livetiming.directory.listServices', [])));
});

test('a role with wide permissions has no desk; one with a rule for it has', async (t) => {
  const permissions = (uri) => ({ permissions: [{ uri, match: 'prefix', allow: { call: true, subscribe: true, register: true, publish: true } }] });
  const other = new Daemon({ env: { LIVETIMING_SERVICES: 'probe --count --uuid probe1', LIVETIMING_PERMISSIONS: 'permissions.json', LIVETIMING_AUTH_FILE: 'auth.json' } });
  t.after(() => other.destroy());
  other.writeFile('permissions.json', JSON.stringify({ roles: { anonymous: permissions('livetiming.'), guest: permissions('livetiming.'), desk: permissions('livetiming.desk.') } }));
  other.writeFile('auth.json', JSON.stringify({ guest: { secret: 'guest-secret', role: 'guest' }, marshal: { secret: 'marshal-secret', role: 'desk' } }));
  await other.start();
  await eventually(async () => (await (await fetch(`${other.http}/directory.json`)).json()).length === 1, 'the service');
  const guest = await autobahnSession(t, other, { auth: { authid: 'guest', secret: 'guest-secret' } });
  const marshal = await autobahnSession(t, other, { auth: { authid: 'marshal', secret: 'marshal-secret' } });
  const anonymous = await autobahnSession(t, other);

  await rpcFails(guest.call('livetiming.desk.show', ['probe1']), 'wamp.error.not_authorized', /may not call/);
  await rpcFails(anonymous.call('livetiming.desk.show', ['probe1']), 'wamp.error.not_authorized', /may not call/);
  assert.equal((await marshal.call('livetiming.desk.rename', ['probe1', 'x'])).uuid, 'probe1');
  const [line] = await eventually(async () => {
    const lines = await other.ctlJson(['desk', 'log']);
    return lines.length > 0 && lines;
  }, 'the audit line');
  assert.deepEqual([line.by.via, line.by.authid, line.by.role, line.by.session], ['wamp', 'marshal', 'desk', marshal.id]);
});

test('bad input is refused with its reason', async (t) => {
  const session = await services(t, daemon);
  await refused(daemon, ['rename', 'nobody', 'x'], /no service is named "nobody"/);
  await refused(daemon, ['flag', uuid, 'purple'], /flag: expected one of none, green.*not "purple"/);
  await refused(daemon, ['rename', uuid, 'x'.repeat(201)], /name: at most 200 bytes, not 201/);
  await refused(daemon, ['message', uuid, 'two\nlines'], /text: control characters are not allowed/);
  await refused(daemon, ['message', uuid, '\u001b[2J'], /text: control characters are not allowed/);
  await refused(daemon, ['message', uuid, ' '], /text: a text is missing/);
  await refused(daemon, ['penalty', uuid, 'no-such-car', '5 s'], /there is no car "no-such-car"/);
  await refused(daemon, ['clear-penalty', uuid, '7777'], /car "7777" has no penalty/);
  await refused(daemon, ['option', uuid, 'sped', '2'], /no option --sped \(did you mean/);
  await refused(daemon, ['option', uuid, 'speed', 'fast'], /--speed: expected a number from 0\.1 to 1000, not "fast"/);
  await refused(daemon, ['option', uuid, 'seed', '5'], /plugin simulator does not take --seed while it runs/);
  await refused(daemon, ['option', 'probe1', 'ratio', '0.25'], /plugin probe refused the value: "a quarter is too little"/);
  await refused(daemon, ['attribute', uuid, 'x', 'javascript:alert(1)'], /url: expected http/);
  await refused(daemon, ['clear', uuid, 'everything'], /what: expected name, description/);
  await refused(daemon, ['public', uuid], /the service is not private/);
  await refused(daemon, ['log', 'many'], /count/);
  assert.equal((await daemon.ctl(['desk', 'rename', uuid])).code, 2);
  assert.equal((await daemon.ctl(['desk', 'paint', uuid])).code, 2);
  await rpcFails(session.call('livetiming.desk.rename', [uuid, { name: 'x' }]), 'wamp.error.invalid_argument', /name: expected a text/);
  await rpcFails(session.call('livetiming.desk.rename', [uuid]), 'wamp.error.invalid_argument', /name: a text is missing/);
  await rpcFails(session.call('livetiming.desk.rename', []), 'wamp.error.invalid_argument', /service: a name or UUID is missing/);
  await rpcFails(session.call('livetiming.desk.hide', [uuid, 1, 2]), 'wamp.error.invalid_argument', /at most 1 argument/);
  await rpcFails(session.call('livetiming.desk.rename', ['nobody', 'x']), 'livetiming.error.not_found', /no service is named/);
  assert.deepEqual((await desk(daemon, 'show', uuid)).overrides, {});
});

test('a service that others run takes no orders but those of the daemon', async (t) => {
  const session = await services(t, daemon);
  const procedure = 'livetiming.service.isAlive.foreign1';
  await session.register(procedure, () => true);
  session.publish('livetiming.control', [{ msgClass: 2, date: Date.now(), payload: { uuid: 'foreign1', name: 'Foreign', serviceClass: 'foreign', hidden: false } }], {}, { acknowledge: true });
  await eventually(async () => (await (await fetch(`${daemon.http}/directory.json`)).json()).some((entry) => entry.uuid === 'foreign1'), 'it to be listed');

  await refused(daemon, ['rename', 'foreign1', 'x'], /service foreign1 takes no orders/);
  assert.equal((await desk(daemon, 'end-session', 'foreign1')).uuid, 'foreign1');
  assert.match((await desk(daemon, 'private', 'foreign1')).code, /^[a-z0-9-]{23}$/);
  await eventually(async () => !(await (await fetch(`${daemon.http}/directory.json`)).json()).some((entry) => entry.uuid === 'foreign1'), 'it to be gone');
  await desk(daemon, 'public', 'foreign1');
  await eventually(async () => (await (await fetch(`${daemon.http}/directory.json`)).json()).some((entry) => entry.uuid === 'foreign1'), 'it to be back');
});

test('who did what and when is in the log, in the audit file, and shown by desk log', async (t) => {
  const other = await startDaemon(t, { env: { LIVETIMING_SERVICES: 'probe --count --uuid probe1' } });
  await eventually(async () => (await desk(other, 'show', 'probe1')).uuid, 'the service to take orders');
  const session = await services(t, other);

  await desk(other, 'rename', 'probe1', 'One');
  await refused(other, ['flag', 'probe1', 'purple'], /flag/);
  await session.call('livetiming.desk.describe', ['probe1', 'Two']);

  const lines = await eventually(() => {
    const text = readFileSync(path.join(other.dir, 'log/audit.log'), 'utf8').trim().split('\n').map((line) => JSON.parse(line));
    return text.length === 3 && text;
  }, 'three lines');
  assert.deepEqual(lines.map((line) => [line.order, line.uuid, line.params]), [['rename', 'probe1', { name: 'One' }], ['flag', 'probe1', { flag: 'purple' }], ['describe', 'probe1', { text: 'Two' }]]);
  assert.deepEqual([lines[0].by.via, lines[0].by.uid, lines[0].error], ['control', process.getuid(), undefined]);
  assert.match(lines[1].error, /expected one of/);
  assert.deepEqual([lines[2].by.via, lines[2].by.authid, lines[2].by.role, lines[2].by.session], ['wamp', 'services', 'services', session.id]);
  for (const line of lines) assert.match(line.time, /^20\d\d-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
  assert.equal((other.log.match(/info.*desk order/g) ?? []).length, 3);
  assert.deepEqual(await other.ctlJson(['desk', 'log', '2']), lines.slice(1));
  assert.match((await other.ctl(['desk', 'log'])).stdout, /rename +probe1 +One\n.*refused: flag: expected one of[^]*services session/);
});

test('overrides survive kill -9 and a restart, and a fresh start has none', async (t) => {
  const first = await startDaemon(t, { env: SETTINGS });
  const id = await simulator(first);
  const number = String((await state(first, id)).cars[0][0]);
  for (const words of [['rename', id, 'Grand Prix'], ['flag', id, 'red'], ['hide', id], ['option', id, 'speed', '4'], ['penalty', id, number, '5 s']]) await desk(first, ...words);
  const { overrides } = await desk(first, 'show', id);
  await first.stop('SIGKILL');

  const second = await startDaemon(t, { env: SETTINGS, dir: first.dir });
  await eventually(async () => (await second.ctlJson(['service', 'show', id])).status === 'running', 'the service to be back');

  const shown = await second.ctlJson(['service', 'show', id]);
  const { feedFlag: _before, ...kept } = overrides;
  const { feedFlag: _after, ...found } = shown.overrides;
  assert.deepEqual(found, kept);
  assert.deepEqual([shown.manifest.name, shown.manifest.hidden, shown.options.speed, shown.flag], ['Grand Prix', true, 4, 'red']);
  await second.ctlJson(['service', 'restart', '-f', id]);
  const [fresh] = (await second.ctlJson(['service', 'list'])).filter((service) => service.serviceClass === 'simulator');
  assert.deepEqual((await eventually(() => desk(second, 'show', fresh.uuid), 'the service to take orders')).overrides, {});
  await second.stop();
});
