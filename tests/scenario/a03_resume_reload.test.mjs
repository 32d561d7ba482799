// The daemon comes back by itself, finds what makes it die, takes new settings
// while it runs, and leaves when it is told to, whatever hangs.
import assert from 'node:assert/strict';
import { existsSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import test from 'node:test';
import { inflateRawSync } from 'node:zlib';

import { build, Daemon, eventually, startConfigured, startDaemon } from './support/daemon.mjs';
import { autobahnSession } from './support/clients.mjs';
import { FeedServer, StateWatch, startService } from './support/feeds.mjs';

const WAIT = 60000;
const soon = (check, what) => eventually(check, what, WAIT);
const list = (daemon) => daemon.ctlJson(['service', 'list']);
const heartbeat = (elapsed) => `$F,9999,"00:05:00","12:00:00","00:00:${String(elapsed).padStart(2, '0')}","Green "\r\n`;

// A daemon in the directory of another one, or a new one; not started.
function make(t, options = {}) {
  const daemon = new Daemon(options);
  t.after(() => daemon.destroy());
  return daemon;
}

// The frames of a recording in progress (docs/recordings.md, "The journal"): their JSON.
function framesIn(journal) {
  const bytes = existsSync(journal) ? readFileSync(journal) : Buffer.alloc(0);
  const frames = [];
  for (let at = 8; at + 40 <= bytes.length; at += 40 + bytes.readUInt32LE(at + 20)) {
    const packed = bytes.subarray(at + 40, at + 40 + bytes.readUInt32LE(at + 20));
    if (bytes[at + 4] === 2 && packed.length === bytes.readUInt32LE(at + 20)) frames.push(JSON.parse(inflateRawSync(packed)));
  }
  return frames;
}

// --- resuming ---

test('after kill -9 services come back with UUID, state, analysis and recording; --fresh forgets', async (t) => {
  const first = await make(t).start();
  const feed = await FeedServer.listen(t);
  const own = path.join(first.dir, 'own');
  const uuids = [];
  for (const isolated of [[], ['--isolated']]) {
    const uuid = await startService(first, 'rmonitor', '--host', '127.0.0.1', '--port', String(feed.port), '-r', `${own}${uuids.length}`, ...isolated);
    const socket = await feed.next();
    // Two passings make a lap, which the analysis has.
    socket.write(`$A,"7","7",1001,"Zoe","A","",1\r\n$G,1,"7",1,"00:00:01.000"\r\n$J,"7","00:01:30.500","00:00:01.000"\r\n${heartbeat(1)}`
      + `$G,1,"7",2,"00:01:31.500"\r\n$J,"7","00:01:30.500","00:01:31.500"\r\n${heartbeat(9)}`);
    await soon(async () => JSON.parse(readFileSync(path.join(first.dir, `state/${uuid}.json`))).session.timeElapsed === 9, 'the saved state');
    await soon(() => framesIn(`${own}${uuids.length}.journal`)[0]?.session.timeElapsed === 9, 'its recording');
    uuids.push(uuid);
  }
  await soon(() => JSON.parse(readFileSync(path.join(first.dir, 'state/services.json'))).services.length === 2, 'the run list');
  await first.stop('SIGKILL');

  const second = await make(t, { dir: first.dir }).start();
  assert.deepEqual((await list(second)).map(({ uuid }) => uuid).sort(), [...uuids].sort());
  for (const uuid of uuids) {
    const session = await autobahnSession(t, second);
    const state = await soon(async () => {
      const response = await fetch(`${second.http}/state/${uuid}.json`);
      return response.ok && response.json();
    }, 'the state to be back');
    assert.equal(state.session.timeElapsed, 9);
    assert.deepEqual(await soon(() => session.call(`livetiming.service.isAlive.${uuid}`).catch(() => false), 'it to answer'), true);
  }
  await second.waitLog(/recording of an earlier run goes on/);
  // Their recordings go on in the same journals; stopping a service makes the file.
  for (const [i, uuid] of uuids.entries()) {
    await soon(async () => (await second.ctlJson(['service', 'show', uuid])).status === 'running', 'it to run');
    assert.equal((await second.ctl(['service', 'stop', uuid])).code, 0);
    const inspect = await soon(async () => {
      const result = await second.ctl(['rectool', 'show', `${own}${i}.zip`, '0']);
      return result.code === 0 && result;
    }, 'the recording');
    assert.equal(JSON.parse(inspect.stdout).session.timeElapsed, 9, 'its first frame is from before the crash');
  }
  await startService(second, 'simulator');
  await second.stop('SIGKILL');
  const third = await make(t, { dir: first.dir, args: ['--fresh'] }).start();
  assert.deepEqual(await list(third), []);
});

test('the analysis of an isolated service survives the death of its process', async (t) => {
  const daemon = await startDaemon(t);
  const uuid = await startService(daemon, 'simulator', '--isolated', '--cars', '3', '--seed', '2');
  const session = await autobahnSession(t, daemon);
  const ask = () => session.call(`livetiming.service.requestAnalysisData.${uuid}`).catch(() => null);
  await soon(async () => Object.keys((await ask())?.static ?? {}).length === 3, 'its analysis');
  assert.equal((await daemon.ctl(['service', 'restart', uuid])).code, 0); // which saves it
  const { pid } = await soon(async () => {
    const service = await daemon.ctlJson(['service', 'show', uuid]);
    return service.status === 'running' && service.pid && service;
  }, 'it to run');
  process.kill(pid, 'SIGKILL');
  await daemon.waitLog(/died, started again/);
  await soon(async () => Object.keys((await ask())?.static ?? {}).length === 3, 'its analysis again');
});

// --- crash loops of the daemon ---

test('a service that takes the daemon down again and again is found, left out, and named', async (t) => {
  const env = { LIVETIMING_CRASH_LIMIT: '2', LIVETIMING_SETTLE_S: '60' };
  const first = await make(t, { env }).start();
  const fatal = path.join(first.dir, 'fatal');
  const bad = await startService(first, 'crash', '--die-at-start', fatal);
  const good = await startService(first, 'simulator');
  await soon(() => JSON.parse(readFileSync(path.join(first.dir, 'state/services.json'))).services.length === 2, 'the run list');
  assert.equal((await first.stop()).code, 0);
  assert.ok(!existsSync(path.join(first.dir, 'state/starts.json')), 'an orderly end leaves no trace');
  writeFileSync(fatal, '');
  // The plugin ends the process: twice with all, once alone; then it is known.
  for (let i = 0; i < 3; i++) {
    const dying = make(t, { dir: first.dir, env });
    await dying.start().catch(() => {}); // before or after it listens
    assert.equal((await dying.exited).code, 77);
    dying.process = undefined;
  }
  const last = await make(t, { dir: first.dir, env }).start();
  assert.match(last.log, /error services: the daemon died again and again soon after its start/);
  assert.match(last.log, new RegExp(`error services: service left out uuid=${bad}`));
  const services = await soon(async () => {
    const all = await list(last);
    return all.find(({ uuid }) => uuid === good)?.status === 'running' && all;
  }, 'the other service to run');
  const left = services.find(({ uuid }) => uuid === bad);
  assert.equal(left.status, 'failed');
  assert.match(left.reason, /left out: the daemon died while it was starting/);

  // It stays out over orderly restarts, until somebody wants it back.
  assert.equal((await last.stop()).code, 0);
  const next = await make(t, { dir: first.dir, env }).start();
  assert.match((await list(next)).find(({ uuid }) => uuid === bad).reason, /left out/);
  rmSync(fatal);
  assert.equal((await next.ctl(['service', 'restart', bad])).code, 0);
  assert.equal((await list(next)).find(({ uuid }) => uuid === bad).status, 'running');
  assert.equal((await next.stop()).code, 0);
});

test('a broken starts.json counts as none', async (t) => {
  const daemon = make(t);
  await daemon.start();
  await daemon.stop();
  for (const text of ['{', '[]', '{"running": 1, "deaths": -5, "leftOut": [3]}', '']) {
    writeFileSync(path.join(daemon.dir, 'state/starts.json'), text);
    const next = await make(t, { dir: daemon.dir }).start();
    assert.equal((await next.stop()).code, 0);
  }
});

// --- reload ---

async function configured(t, lines, env = {}) {
  const daemon = await startConfigured(t, lines.join('\n'), { env });
  return { daemon, write: (next) => writeFileSync(daemon.config, next.join('\n')) };
}

test('reload applies what can change, names what needs a restart, and drops no viewer', async (t) => {
  const auth = path.join('/tmp', `lt-a03-auth-${process.pid}.json`);
  t.after(() => rmSync(auth, { force: true }));
  const permissions = path.join('/tmp', `lt-a03-permissions-${process.pid}.json`);
  t.after(() => rmSync(permissions, { force: true }));
  const role = (call) => JSON.stringify({ roles: { guest: { permissions: [{ uri: '', match: 'prefix', allow: { call, subscribe: true, publish: false, register: false } }] } } });
  const principals = (entries) => JSON.stringify(Object.fromEntries(entries.map(([name, secret]) => [name, { secret, role: 'guest' }])));
  writeFileSync(auth, principals([['ann', 'a-secret'], ['bob', 'b-secret']]));
  writeFileSync(permissions, role(true));
  const base = [`LIVETIMING_AUTH_FILE=${auth}`, `LIVETIMING_PERMISSIONS=${permissions}`];
  const { daemon, write } = await configured(t, [...base, 'LIVETIMING_SERVICES="simulator --seed 1"']);
  const ann = await autobahnSession(t, daemon, { auth: { authid: 'ann', secret: 'a-secret' } });
  const [{ uuid }] = await list(daemon);
  const watch = await StateWatch.open(t, daemon, uuid);
  assert.deepEqual((await ann.call('livetiming.directory.listServices')).length, 1);

  writeFileSync(auth, principals([['ann', 'a-secret'], ['cleo', 'c-secret']]));
  writeFileSync(permissions, role(false));
  write([...base, 'LIVETIMING_SERVICES="simulator --seed 1; simulator --seed 2"', 'LIVETIMING_LOG_LEVEL=debug', 'LIVETIMING_WEB_DIR=/nowhere', 'LIVETIMING_LIMIT_SUBSCRIPTIONS=3', 'LIVETIMING_LIMIT_CONNECTIONS=7']);
  const { code, stdout } = await daemon.ctl(['reload']);
  assert.equal(code, 0);
  for (const name of ['LIVETIMING_SERVICES', 'LIVETIMING_LOG_LEVEL', 'LIVETIMING_LIMIT_SUBSCRIPTIONS']) assert.match(stdout, new RegExp(`^applied: ${name}$`, 'm'));
  for (const name of ['LIVETIMING_WEB_DIR', 'LIVETIMING_LIMIT_CONNECTIONS']) assert.match(stdout, new RegExp(`^needs a restart: ${name}$`, 'm'));
  assert.match(stdout, /LIVETIMING_SERVICES: 1 started/);
  assert.equal((await list(daemon)).length, 2);

  // Ann is still there, with the new rights of her role; Bob cannot come any more, Cleo can.
  assert.ok(ann.isOpen);
  assert.equal(await ann.call('livetiming.directory.listServices').catch((error) => error.error), 'wamp.error.not_authorized');
  await assert.rejects(autobahnSession(t, daemon, { auth: { authid: 'bob', secret: 'b-secret' } }), /authentication_denied/);
  await autobahnSession(t, daemon, { auth: { authid: 'cleo', secret: 'c-secret' } });
  for (const topic of ['a.b', 'a.c', 'a.d']) await ann.subscribe(topic, () => {});
  assert.equal(await ann.subscribe('a.e', () => {}).catch((error) => error.error), 'wamp.error.limit_exceeded');
  const seen = watch.states.length;
  await soon(() => watch.states.length > seen, 'the viewer to see on');

  // The same again changes nothing, and goes on naming what waits for a restart.
  const again = await daemon.ctlJson(['reload']);
  assert.deepEqual(again.applied, []);
  assert.deepEqual(again.restart, ['LIVETIMING_WEB_DIR', 'LIVETIMING_LIMIT_CONNECTIONS']);
  assert.equal((await list(daemon)).length, 2);
});

test('wrong settings change nothing and say why, by livetimingctl and by SIGHUP', async (t) => {
  const { daemon, write } = await configured(t, ['LIVETIMING_LOG_LEVEL=info']);
  const session = await autobahnSession(t, daemon, { auth: {} });
  const wrong = [
    [['LIVETIMING_LOG_LEVEL=loud'], /nothing changed: .*livetimingd\.conf:1: LIVETIMING_LOG_LEVEL: unknown log level loud/],
    [['LIVETIMING_LOG_LEVEL=debug', 'LIVETIMING_AUTH_FILE=/missing.json'], /nothing changed: .*LIVETIMING_AUTH_FILE: cannot open \/missing\.json/],
    [['LIVETIMING_LOG_LEVEL=debug', 'LIVETIMING_PERMISSIONS=/missing.json'], /nothing changed: .*LIVETIMING_PERMISSIONS/],
    [['LIVETIMING_LOG_LEVEL=debug', 'LIVETIMING_SERVICES="simulator \'"'], /nothing changed: .*LIVETIMING_SERVICES/],
    [['LIVETIMING_LOG_LEVEL="debug'], /nothing changed: /],
  ];
  for (const [lines, sentence] of wrong) {
    write(lines);
    const { code, stderr } = await daemon.ctl(['reload']);
    assert.equal(code, 1);
    assert.match(stderr, sentence);
  }
  daemon.process.kill('SIGHUP');
  await daemon.waitLog(/error daemon: settings not applied reason="nothing changed: /);
  assert.ok(!/ debug /.test(daemon.log));
  assert.deepEqual(await list(daemon), []);
  write(['LIVETIMING_LOG_LEVEL=debug']);
  daemon.process.kill('SIGHUP');
  await daemon.waitLog(/settings read again applied="?LIVETIMING_LOG_LEVEL/);
  assert.deepEqual(await session.call('livetiming.directory.listServices'), []);
});

test('plugin folders that a reload names are searched; the environment still wins over the file', async (t) => {
  const { daemon, write } = await configured(t, [''], { LIVETIMING_PLUGIN_PATH: null });
  const names = async () => (await daemon.ctlJson(['plugins', 'list'])).plugins.map(({ name }) => name);
  assert.ok(!(await names()).includes('probe'));
  write([`LIVETIMING_PLUGIN_PATH=${path.join(build, 'tests/plugins')}`, 'LIVETIMING_DVR=no', `LIVETIMING_STATE_DIR=${daemon.dir}`]);
  const result = await daemon.ctlJson(['reload']);
  assert.deepEqual(result.applied, ['LIVETIMING_PLUGIN_PATH']);
  assert.deepEqual(result.restart, ['LIVETIMING_DVR']);
  assert.ok((await names()).includes('probe'));
});

// --- leaving ---

test('SIGTERM in the middle of recordings parks them, and the next start goes on', async (t) => {
  const first = await make(t).start();
  const uuid = await startService(first, 'simulator', '--cars', '40', '-r', path.join(first.dir, 'race'));
  await soon(() => existsSync(path.join(first.dir, 'race.journal')) && readdirSync(path.join(first.dir, 'recordings-temp')).length > 0, 'recordings');
  assert.equal((await first.stop()).code, 0);
  assert.ok(existsSync(path.join(first.dir, 'race.journal')));
  const second = await make(t, { dir: first.dir }).start();
  await second.waitLog(/recording of an earlier run goes on/);
  assert.equal((await list(second))[0].uuid, uuid);
  assert.equal((await second.ctl(['service', 'stop', uuid])).code, 0);
  await soon(async () => (await second.ctl(['rectool', 'verify', path.join(first.dir, 'race.zip')])).code === 0, 'a whole recording');
});

async function hangNow(daemon, file) {
  writeFileSync(file, '');
  await soon(async () => {
    const answer = await fetch(`${daemon.http}/health`, { signal: AbortSignal.timeout(500) }).catch(() => null);
    return answer === null;
  }, 'the daemon to hang');
}

test('a plugin that hangs in its stop, or hangs altogether, does not keep the daemon', async (t) => {
  const leave = async (args, prepare) => {
    const daemon = await make(t).start();
    const file = path.join(daemon.dir, 'hang');
    await startService(daemon, 'simulator', '--cars', '3');
    const uuid = await startService(daemon, 'crash', ...args.map((arg) => (arg === 'FILE' ? file : arg)));
    await soon(async () => (await daemon.ctlJson(['service', 'show', uuid])).updates > 0, 'it to run');
    await soon(() => readdirSync(path.join(daemon.dir, 'recordings-temp')).length > 1, 'recordings');
    await prepare(daemon, file);
    daemon.process.kill('SIGTERM');
    const { code } = await Promise.race([daemon.exited, new Promise((_, reject) => setTimeout(() => reject(new Error(`it stays:\n${daemon.log}`)), WAIT).unref())]);
    daemon.process = undefined;
    assert.equal(code, 1);
    assert.match(daemon.log, /something hangs: leaving at once/);
    rmSync(file, { force: true });
    const next = await make(t, { dir: daemon.dir, args: ['--fresh'] }).start();
    await next.waitLog(/recording of an earlier run goes on/);
    assert.equal((await next.stop()).code, 0);
  };
  await Promise.all([leave(['--hang-in-stop'], () => {}), leave(['--hang', 'FILE'], hangNow)]);
});
