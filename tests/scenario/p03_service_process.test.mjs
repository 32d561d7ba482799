// A service in a process of its own, joined to this daemon's router: over
// WebSocket, RawSocket and a unix socket, through losses of the router, and
// with everything that the original's program is asked for.
import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import test from 'node:test';

import lzString from 'lz-string';

import { Daemon, eventually, run, secret, startDaemon } from './support/daemon.mjs';
import { autobahnSession } from './support/clients.mjs';
import { FeedServer } from './support/feeds.mjs';
import { startServiceProcess } from './support/processes.mjs';

const CONTROL = 'livetiming.control';
const WAIT = 60000;
const auth = { auth: {} };
const soon = (check, what) => eventually(check, what, WAIT);
const listed = async (daemon) => (await fetch(`${daemon.http}/directory.json`)).json();
const readState = (envelope) => JSON.parse(lzString.decompressFromUTF16(envelope.payload));

// Everything that is said on a topic from now on.
async function listen(session, topic, options = {}) {
  const seen = [];
  await session.subscribe(topic, (args, kwargs, details) => seen.push({ envelope: args[0], topic: details.topic ?? topic }), options);
  return seen;
}

// An rmonitor feed whose states are told apart by their elapsed time.
const heartbeat = (elapsed) => `$F,9999,"00:05:00","12:00:00","00:00:${String(elapsed).padStart(2, '0')}","Green "\r\n`;

async function serve(t, daemon, url, ...args) {
  const service = startServiceProcess(t, { args: ['simulator', '--cars', '4', '-v', ...args], env: { LIVETIMING_ROUTER: url, LIVETIMING_SHARED_SECRET: secret } });
  const [, uuid] = await service.waitFor(/Session ready for service (\S+)/);
  await soon(async () => (await listed(daemon)).some((manifest) => manifest.uuid === uuid), `the directory to list it:\n${service.said}`);
  return { service, uuid };
}

test('one joins over WebSocket, RawSocket and a unix socket, and is as one of the daemon', async (t) => {
  const socket = `/tmp/lt-p03-${process.pid}.sock`;
  const daemon = await startDaemon(t, { env: { LIVETIMING_LISTEN: `127.0.0.1:0 rs:127.0.0.1:0 rs:unix:${socket}` } });
  const raw = daemon.addresses.find((address) => address.startsWith('rs:127')).slice(3);
  for (const url of [daemon.ws, `rs://${raw}`, `rs://unix:${socket}`]) {
    const { service, uuid } = await serve(t, daemon, url, '-d', 'Elsewhere', '-N');
    const anybody = await autobahnSession(t, daemon);
    const states = await listen(anybody, `livetiming.service.${uuid}`, { get_retained: true });
    const analysis = await listen(anybody, `livetiming.analysis/${uuid}`, { match: 'prefix', get_retained: true });
    await soon(() => states.length > 1, 'states');
    assert.equal(states[0].envelope.msgClass, 8);
    assert.equal(readState(states[0].envelope).cars.length, 4);
    await soon(() => analysis.some(({ topic }) => topic.endsWith('/session')), 'analysis');
    assert.equal(await anybody.call(`livetiming.service.isAlive.${uuid}`), true);
    assert.equal((await anybody.call(`livetiming.service.requestState.${uuid}`)).cars.length, 4);
    assert.deepEqual(Object.keys(await anybody.call(`livetiming.service.requestAnalysisData.${uuid}`)), ['static', 'driver', 'messages', 'session', 'lap', 'stint', 'car_messages']);
    const manifest = (await listed(daemon)).find((one) => one.uuid === uuid);
    assert.equal(manifest.description, 'Elsewhere');
    assert.equal(manifest.doNotRecord, true);
    assert.equal((await fetch(`${daemon.http}/state/${uuid}.json`)).status, 200);
    assert.deepEqual(await service.end('SIGINT'), { code: 0, signal: null });
    await soon(async () => (await listed(daemon)).every((one) => one.uuid !== uuid), 'it to be gone');
  }
});

test('over TLS, with an authority of one\'s own that SSL_CERT_FILE names, and not without it', async (t) => {
  const dir = mkdtempSync(path.join(tmpdir(), 'lt-p03-'));
  t.after(() => rmSync(dir, { recursive: true, force: true }));
  const [key, cert] = ['key.pem', 'cert.pem'].map((name) => path.join(dir, name));
  const made = await run('openssl', ['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-keyout', key, '-out', cert, '-days', '2', '-subj', '/CN=localhost', '-addext', 'subjectAltName=IP:127.0.0.1'], {});
  assert.equal(made.code, 0, made.stderr);
  const daemon = await startDaemon(t, { env: { LIVETIMING_LISTEN: '127.0.0.1:0 127.0.0.1:0,tls', LIVETIMING_TLS_CERT: cert, LIVETIMING_TLS_KEY: key } });
  const address = daemon.addresses.find((one) => one.endsWith(',tls')).replace(',tls', '');
  const env = { LIVETIMING_ROUTER: `wss://${address}/ws`, LIVETIMING_SHARED_SECRET: secret };
  const stranger = startServiceProcess(t, { args: ['simulator', '-v'], env });
  await stranger.waitFor(/not connected to the router, trying again/);
  const service = startServiceProcess(t, { args: ['simulator', '-v'], env: { ...env, SSL_CERT_FILE: cert } });
  await service.waitFor(/joined the router/);
  await soon(async () => (await listed(daemon)).length === 1, 'the one that trusts');
  for (const one of [stranger, service]) assert.equal((await one.end()).code, 0);
});

test('the manifest and the state are said once when it joins, and the manifest again when asked', async (t) => {
  const daemon = await startDaemon(t);
  const feed = await FeedServer.listen(t);
  const session = await autobahnSession(t, daemon, auth);
  const control = await listen(session, CONTROL);
  const states = await listen(session, 'livetiming.service.', { match: 'prefix' });
  const service = startServiceProcess(t, {
    args: ['rmonitor', '--host', '127.0.0.1', '--port', String(feed.port), '-v'],
    env: { LIVETIMING_ROUTER: daemon.ws, LIVETIMING_SHARED_SECRET: secret },
  });
  const manifests = () => control.filter(({ envelope }) => envelope.msgClass === 2);
  const at = (elapsed) => states.filter(({ envelope }) => readState(envelope).session.timeElapsed === elapsed);
  const socket = await feed.next();
  await soon(() => manifests().length > 0 && states.length > 0, 'the first manifest and state');
  for (const elapsed of [1, 2, 3]) {
    socket.write(`$A,"7","7",1001,"Zoe","A","",1\r\n${heartbeat(elapsed)}`);
    await soon(() => at(elapsed).length > 0, `the state at ${elapsed}`);
  }
  await session.publish(CONTROL, [{ msgClass: 1, date: Date.now(), payload: null }], {}, { acknowledge: true });
  const before = manifests().length;
  await soon(() => manifests().length > before, 'the manifest again');
  // A feed that is silent for long is told by the same state anew, at another time; nothing is said twice.
  for (const elapsed of [1, 2, 3]) assert.equal(new Set(at(elapsed).map(({ envelope }) => envelope.date)).size, at(elapsed).length, `state ${elapsed}`);
  assert.equal(await service.end().then(({ code }) => code), 0);
});

test('a router that goes and comes back finds it again: with its state, and nothing twice', async (t) => {
  const first = new Daemon({ env: { LIVETIMING_DVR: 'no' } });
  t.after(() => first.destroy());
  await first.start();
  const feed = await FeedServer.listen(t);
  const service = startServiceProcess(t, {
    args: ['rmonitor', '--host', '127.0.0.1', '--port', String(feed.port), '-v'],
    env: { LIVETIMING_ROUTER: first.ws, LIVETIMING_SHARED_SECRET: secret },
  });
  const socket = await feed.next();
  const [, uuid] = await service.waitFor(/Session ready for service (\S+)/);
  socket.write(`$A,"7","7",1001,"Zoe","A","",1\r\n${heartbeat(1)}`);
  await soon(async () => (await fetch(`${first.http}/state/${uuid}.json`)).ok, 'its state');
  await first.stop('SIGKILL');
  await service.waitFor(/not connected to the router, trying again/);
  // What happens meanwhile is not kept in a queue: only the newest state goes out.
  for (const elapsed of [2, 3, 4]) socket.write(heartbeat(elapsed));
  await soon(() => JSON.parse(readFileSync(path.join(service.dir, `${uuid}.json`))).session.timeElapsed === 4, 'the feed to go on');

  const second = new Daemon({ env: { LIVETIMING_DVR: 'no', LIVETIMING_LISTEN: first.address } });
  t.after(() => second.destroy());
  await second.start();
  const session = await autobahnSession(t, second, auth);
  const control = await listen(session, CONTROL);
  const states = await listen(session, `livetiming.service.${uuid}`, { get_retained: true });
  await soon(() => states.length > 0, 'the state at the new router');
  assert.equal(readState(states[0].envelope).session.timeElapsed, 4);
  await soon(async () => (await listed(second)).some((one) => one.uuid === uuid), 'the directory to know it');
  socket.write(heartbeat(5));
  await soon(() => states.some(({ envelope }) => readState(envelope).session.timeElapsed === 5), 'states to go on');
  const elapsed = states.map(({ envelope }) => readState(envelope).session.timeElapsed);
  assert.deepEqual([...new Set(elapsed)], [4, 5]);
  assert.equal(new Set(states.map(({ envelope }) => envelope.date)).size, states.length, 'nothing twice');
  assert.ok(control.filter(({ envelope }) => envelope.msgClass === 2).length <= 2, 'once when it joined, once more at most because the directory asked');
  assert.equal(await session.call(`livetiming.service.isAlive.${uuid}`), true);
  assert.equal((await service.end()).code, 0);
});

test('a router that comes later is waited for', async (t) => {
  const probe = await startDaemon(t);
  const address = probe.address;
  await probe.stop();
  const service = startServiceProcess(t, { args: ['simulator', '-v'], env: { LIVETIMING_ROUTER: `ws://${address}/ws`, LIVETIMING_SHARED_SECRET: secret } });
  await service.waitFor(/not connected to the router, trying again/);
  const daemon = await startDaemon(t, { env: { LIVETIMING_LISTEN: address } });
  await soon(async () => (await listed(daemon)).length === 1, 'it to join');
  assert.equal((await service.end()).code, 0);
});

test('a wrong secret, no secret, and a bad URL end it with a sentence', async (t) => {
  const daemon = await startDaemon(t);
  const attempt = async (env) => {
    const service = startServiceProcess(t, { args: ['simulator'], env });
    const { code } = await service.exited;
    return { code, err: service.err };
  };
  const wrong = await attempt({ LIVETIMING_ROUTER: daemon.ws, LIVETIMING_SHARED_SECRET: 'wrong' });
  assert.equal(wrong.code, 1);
  assert.match(wrong.err, /refused the session: "wamp\.error\.authentication_denied"/);
  const none = await attempt({ LIVETIMING_ROUTER: daemon.ws });
  assert.equal(none.code, 1);
  assert.match(none.err, /does not let this session serve.*is LIVETIMING_SHARED_SECRET set\?/);
  const url = await attempt({ LIVETIMING_ROUTER: 'gopher://x' });
  assert.equal(url.code, 1);
  assert.match(url.err, /LIVETIMING_ROUTER: "gopher:\/\/x": expected a ws:\/\/, wss:\/\/ or rs:\/\/ URL/);
  assert.deepEqual(await listed(daemon), []);
});

test('it keeps the files of the original, in their folders, and none with --no-write-state', async (t) => {
  const daemon = await startDaemon(t);
  const env = { LIVETIMING_ROUTER: daemon.ws, LIVETIMING_SHARED_SECRET: secret, LIVETIMING_STATE_DIR: 'state', LIVETIMING_LOG_DIR: 'log', LIVETIMING_ANALYSIS_DIR: 'analysis' };
  const service = startServiceProcess(t, { name: 'livetiming-service', args: ['simulator', '--cars', '3', '-r', 'race', '--uuid', 'abc0123', '-H', '-m', 'wec'], env });
  const state = path.join(service.dir, 'state/abc0123.json');
  await soon(() => existsSync(state) && JSON.parse(readFileSync(state)).cars.length === 3, 'the saved state');
  const log = path.join(service.dir, 'log/abc0123.log');
  await soon(() => /joined the router/.test(readFileSync(log, 'utf8')), 'its log');
  assert.match(readFileSync(log, 'utf8'), /Session ready for service abc0123/);
  const session = await autobahnSession(t, daemon);
  const [manifest] = await soon(async () => {
    const list = await session.call('livetiming.directory.listServices', [true]);
    return list.length > 0 && list;
  }, 'the directory');
  assert.equal(manifest.serviceClass, 'wec');
  assert.equal(manifest.hidden, true);
  assert.equal((await service.end('SIGINT')).code, 0);
  assert.equal(service.out, '');
  assert.ok(existsSync(path.join(service.dir, 'analysis/abc0123.analysis.json')), readdirSync(path.join(service.dir, 'analysis')).join());
  const inspected = await run(path.join(process.env.LT_BUILD ?? 'build', 'livetimingctl'), ['rectool', 'verify', path.join(service.dir, 'race.zip')], {});
  assert.equal(inspected.code, 0, inspected.stderr);

  const silent = startServiceProcess(t, { args: ['simulator', '--no-write-state', '--disable-analysis', '-v'], env: { ...env, LIVETIMING_STATE_DIR: 's2', LIVETIMING_LOG_DIR: 'l2', LIVETIMING_ANALYSIS_DIR: 'a2' } });
  const [, uuid] = await silent.waitFor(/Session ready for service (\S+)/);
  await soon(async () => (await fetch(`${daemon.http}/state/${uuid}.json`)).ok, 'its state');
  assert.equal(await session.call(`livetiming.service.requestAnalysisData.${uuid}`), null);
  assert.equal((await silent.end()).code, 0);
  assert.deepEqual(readdirSync(silent.dir), []);
});

test('it goes on from a state file, whose name is its UUID, and ends when its plugin gives up', async (t) => {
  const daemon = await startDaemon(t);
  const env = { LIVETIMING_ROUTER: daemon.ws, LIVETIMING_SHARED_SECRET: secret };
  const file = daemon.writeFile('feedface01.json', JSON.stringify({ cars: [], session: { flagState: 'red', timeElapsed: 77 }, messages: [[1, 'Track', 'Red flag', 'red']] }));
  const service = startServiceProcess(t, { args: ['replay', '--file', 'missing.zip', '-s', file], env });
  const { code } = await service.exited;
  assert.equal(code, 1);
  assert.match(service.err, /missing\.zip/);

  const feed = await FeedServer.listen(t);
  const second = startServiceProcess(t, { args: ['rmonitor', '--host', '127.0.0.1', '--port', String(feed.port), '-s', file, '-v'], env });
  await second.waitFor(/Session ready for service feedface01/);
  await soon(async () => {
    const response = await fetch(`${daemon.http}/state/feedface01.json`);
    return response.ok && (await response.json()).session.timeElapsed === 77;
  }, 'the state of the file');
  assert.equal((await second.end()).code, 0);
});

test('wrong options are refused with a sentence, as livetiming-service and as service run', async (t) => {
  for (const name of [undefined, 'livetiming-service']) {
    const service = startServiceProcess(t, { name, args: ['--hidden'] });
    assert.equal((await service.exited).code, 2);
    assert.match(service.err, /no service class/);
    const option = startServiceProcess(t, { name, args: ['simulator', '--wings', '4'] });
    assert.equal((await option.exited).code, 1);
    assert.match(option.err, /simulator has no option --wings/);
  }
  const unknown = startServiceProcess(t, { args: ['simulatr'] });
  assert.equal((await unknown.exited).code, 1);
  assert.match(unknown.err, /simulatr/);
});
