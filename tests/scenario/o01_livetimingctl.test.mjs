// livetimingctl and the original's commands against a running daemon, and HTTP beside it.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import net from 'node:net';
import path from 'node:path';
import test from 'node:test';

import { build, Daemon, eventually, run, startDaemon, secret } from './support/daemon.mjs';

const uuidPattern = /[0-9a-f]{32}/;

test('status tells people and programs how the daemon is', async (t) => {
  const daemon = await startDaemon(t);
  const text = await daemon.ctl(['status']);
  assert.equal(text.code, 0);
  assert.match(text.stdout, new RegExp(`listening +${daemon.address}`));
  const status = await daemon.ctlJson(['status']);
  assert.equal(status.pid, daemon.process.pid);
  assert.deepEqual(status.listeners, [daemon.address]);
  assert.ok(status.modules.includes('directory'));
});

test('a service is started, listed, shown, restarted and stopped', async (t) => {
  const daemon = await startDaemon(t);
  const started = await daemon.ctlJson(['service', 'start', 'simulator', '--seed', '71', '-d', 'A race']);
  assert.match(started.uuid, uuidPattern);
  const [listed] = await daemon.ctlJson(['service', 'list']);
  assert.equal(listed.uuid, started.uuid);
  assert.equal(listed.description, 'A race');
  const table = await daemon.ctl(['service', 'list']);
  assert.match(table.stdout, /^CLASS +STATUS +CARS .* UUID +DESCRIPTION$/m);
  assert.match(table.stdout, /\nsimulator +\w+ .* [0-9a-f]{32}  A race$/m);
  assert.match((await daemon.ctl(['service', 'show', 'simulator'])).stdout, /command +simulator --seed 71 -d 'A race'|command +simulator --seed 71 -d "A race"/);
  const restarted = await daemon.ctlJson(['service', 'restart', 'simulator']);
  assert.equal(restarted.uuid, started.uuid);
  const fresh = await daemon.ctlJson(['service', 'restart', '-f', started.uuid]);
  assert.notEqual(fresh.uuid, started.uuid);
  assert.match((await daemon.ctl(['service', 'stop', 'simulator'])).stdout, /^stopped/);
  assert.deepEqual(await daemon.ctlJson(['service', 'list']), []);
});

test('what the daemon refuses ends with 1 and its sentence', async (t) => {
  const daemon = await startDaemon(t);
  for (const args of [['service', 'stop', 'nobody'], ['service', 'show', 'nobody'], ['service', 'start', 'simulater'],
    ['service', 'start', 'simulator', '--seed', 'x'], ['plugins', 'show', 'nothing']]) {
    const result = await daemon.ctl(args);
    assert.equal(result.code, 1, args.join(' '));
    assert.match(result.stderr, /^livetimingctl: .+\n$/);
    assert.equal(result.stdout, '');
  }
});

test('usage errors end with 2 and help', async (t) => {
  const daemon = new Daemon();
  t.after(() => daemon.destroy());
  const cases = [
    [[], /^$/],
    [['servce', 'list'], /did you mean service\?/],
    [['start'], /did you mean service start\?/],
    [['service'], /a verb is missing; there are: list, show/],
    [['service', 'fly'], /unknown verb "fly"/],
    [['service', 'stop'], /usage: .*service stop NAME\|UUID/],
    [['status', '--loud'], /unknown option "--loud"/],
    [['--loud'], /unknown option "--loud"/],
    [['-s'], /a path is missing/],
  ];
  for (const [args, sentence] of cases) {
    const result = await daemon.ctl(args);
    assert.equal(result.code, 2, args.join(' '));
    assert.match(result.stderr, sentence);
  }
});

test('without a daemon it ends with 3 and says what to do', async (t) => {
  const daemon = new Daemon();
  t.after(() => daemon.destroy());
  const result = await daemon.ctl(['status']);
  assert.equal(result.code, 3);
  assert.match(result.stderr, /no livetimingd is listening at .*; start it, or name its socket/);
});

test('plugins are listed and their options explained', async (t) => {
  const daemon = await startDaemon(t);
  const { plugins } = await daemon.ctlJson(['plugins', 'list']);
  assert.ok(plugins.some(({ name }) => name === 'simulator'));
  assert.match((await daemon.ctl(['plugins', 'list'])).stdout, /^NAME +VERSION +SUMMARY/);
  assert.match((await daemon.ctl(['plugins', 'show', 'simulator'])).stdout, /--seed INTEGER +.*default: 71/);
});

test('the shell completes nouns, verbs, plugins, options and services', async (t) => {
  const daemon = await startDaemon(t);
  const words = async (...args) => (await daemon.ctl(['complete', ...args])).stdout.split('\n').filter(Boolean);
  assert.deepEqual(await words('ser'), ['service']);
  assert.deepEqual(await words('service', 're'), ['restart']);
  assert.deepEqual(await words('service', 'start', 'sim'), ['simulator']);
  assert.deepEqual(await words('service', 'start', 'simulator', '--see'), ['--seed']);
  await daemon.ctl(['service', 'start', 'simulator']);
  assert.deepEqual(await words('service', 'stop', 'sim'), ['simulator']);
  const script = `source ${path.resolve('conf/livetimingctl.bash')}; COMP_WORDS=(${path.join(build, 'livetimingctl')} service sta); COMP_CWORD=2; _livetimingctl; echo "\${COMPREPLY[@]}"`;
  assert.equal((await run('bash', ['-c', script])).stdout, 'start\n');
});

test('livetiming-service-manager takes the original command lines', async (t) => {
  const daemon = await startDaemon(t);
  const manager = (...args) => daemon.ctl(args, { name: 'livetiming-service-manager' });
  assert.equal((await manager('stop', 'simulator')).code, 1);
  assert.equal((await manager('start', 'simulator', '-p', '/tmp/pids', '--seed', '5')).code, 0);
  const [{ uuid, args }] = await daemon.ctlJson(['service', 'list']);
  assert.deepEqual(args, ['simulator', '--seed', '5']);
  const again = await manager('start', 'simulator');
  assert.equal(again.code, 1);
  assert.match(again.stderr, /already running/);
  assert.equal((await manager('restart', 'simulator')).code, 0);
  assert.equal((await daemon.ctlJson(['service', 'list']))[0].uuid, uuid);
  assert.equal((await manager('restart', 'simulator', '-f')).code, 0);
  assert.notEqual((await daemon.ctlJson(['service', 'list']))[0].uuid, uuid);
  assert.equal((await manager('stop', 'simulator')).code, 0);
  assert.equal((await manager('fly', 'simulator')).code, 2);
});

test('livetiming-service stays in the realm of its router until it is interrupted', async (t) => {
  const daemon = await startDaemon(t);
  const child = spawn(path.join(build, 'livetimingctl'), ['simulator', '-d', 'Foreground'], {
    argv0: 'livetiming-service', cwd: daemon.dir, env: { LIVETIMING_ROUTER: daemon.ws, LIVETIMING_SHARED_SECRET: secret },
  });
  t.after(() => child.kill('SIGKILL'));
  const ended = new Promise((resolve) => child.on('exit', resolve));
  const listed = async () => (await fetch(`${daemon.http}/directory.json`)).json();
  const [manifest] = await eventually(async () => {
    const list = await listed();
    return list.length > 0 && list;
  }, 'the service to be listed', 60000);
  assert.equal(manifest.description, 'Foreground');
  child.kill('SIGINT');
  assert.equal(await ended, 0);
  await eventually(async () => (await listed()).length === 0, 'the service to have gone', 60000);
});

test('the names of parts of the daemon explain themselves', async (t) => {
  const daemon = await startDaemon(t);
  const part = await daemon.ctl([], { name: 'livetiming-directory' });
  assert.equal(part.code, 0);
  assert.match(part.stdout, /is a part of livetimingd/);
  await daemon.stop();
  assert.equal((await daemon.ctl([], { name: 'livetiming-directory' })).code, 1);
});

test('HTTP has the directory, states, relays and the page', async (t) => {
  const daemon = await startDaemon(t, { env: { LIVETIMING_TRUST_PROXY: 'yes' } });
  const { uuid } = await daemon.ctlJson(['service', 'start', 'simulator']);
  await daemon.ctlJson(['service', 'start', 'simulator', '--hidden']);
  const directory = await eventually(async () => {
    const response = await fetch(`${daemon.http}/directory.json`);
    const list = await response.clone().json();
    return list.length && response;
  }, 'the directory to list the service');
  assert.equal(directory.headers.get('access-control-allow-origin'), '*');
  assert.equal(directory.headers.get('cache-control'), 'public, max-age=1, s-maxage=1, stale-while-revalidate=5');
  assert.equal(directory.headers.get('content-encoding'), 'gzip');
  const list = await directory.json();
  assert.deepEqual(list.map((manifest) => manifest.uuid), [uuid]);
  const same = await fetch(`${daemon.http}/directory.json`, { headers: { 'If-None-Match': directory.headers.get('etag') } });
  assert.equal(same.status, 304);
  const state = await eventually(async () => {
    const body = await (await fetch(`${daemon.http}/state/${uuid}.json`)).json();
    return body.cars?.length && body;
  }, 'a state with cars');
  assert.equal(typeof state.session.flagState, 'string');
  const unknown = await fetch(`${daemon.http}/state/nobody.json`);
  assert.equal(unknown.status, 404);
  assert.deepEqual(await unknown.json(), { error: 'no such service' });
  const relays = await (await fetch(`${daemon.http}/relays`)).json();
  assert.deepEqual(Object.keys(relays.args[0]), [daemon.ws]);
  const secure = await (await fetch(`${daemon.http}/relays`, { headers: { 'X-Forwarded-Proto': 'https' } })).json();
  assert.deepEqual(Object.keys(secure.args[0]), [daemon.ws.replace('ws:', 'wss:')]);
  const page = await fetch(`${daemon.http}/service/${uuid}`);
  assert.match(page.headers.get('content-security-policy'), /default-src 'self'/);
  assert.match(await page.text(), /<!doctype html>/i);
  assert.equal((await fetch(`${daemon.http}/style.css`)).headers.get('content-type'), 'text/css; charset=utf-8');
});

test('when all places on the control socket are taken, the command says so', async (t) => {
  const daemon = await startDaemon(t);
  const holders = Array.from({ length: 32 }, () => net.connect(daemon.socket));
  t.after(() => holders.forEach((holder) => holder.destroy()));
  await Promise.all(holders.map((holder) => new Promise((resolve) => holder.once('data', resolve))));

  const refused = await daemon.ctl(['status']);
  assert.notEqual(refused.code, 0);
  assert.match(refused.stderr, /there are 32 connections already/);
});
