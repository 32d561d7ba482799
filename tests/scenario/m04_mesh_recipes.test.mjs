// The files of conf/mesh, as they are but for addresses: what docs/mesh-recipes.md
// tells people to put on their machines works.
import test from 'node:test';
import assert from 'node:assert/strict';
import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { Daemon, build, eventually, root, run } from './support/daemon.mjs';
import { autobahnSession } from './support/clients.mjs';
import { freePort, hasNats } from './support/nats.mjs';
import { linked, meshOf } from './support/mesh.mjs';

const PATH = `${process.env.PATH}:/usr/sbin:/usr/bin`;
const skip = hasNats ? false : 'nats-server is not installed';
const has = (program) => spawnSync(program, ['-v'], { env: { PATH } }).error === undefined;
const file = (name) => readFileSync(path.join(root, 'conf', name), 'utf8');
const passwords = { NATS_ORIGIN_PASSWORD: 'one', NATS_EDGE_PASSWORD: 'two' };

function tempDir(t) {
  const dir = mkdtempSync(path.join(tmpdir(), 'lt-recipe-'));
  t.after(() => rmSync(dir, { recursive: true, force: true }));
  return dir;
}

// The cluster of nats.conf on this machine; its log, and the addresses of its servers.
async function startCluster(t) {
  const ports = await Promise.all([...Array(6)].map(freePort));
  const cluster = { log: '', urls: ports.slice(0, 3).map((port) => `nats://127.0.0.1:${port}`).join(',') };
  for (let i = 0; i < 3; i++) {
    const dir = tempDir(t);
    const conf = file('mesh/nats.conf')
      .replace('0.0.0.0:4222', `127.0.0.1:${ports[i]}`).replace('0.0.0.0:6222', `127.0.0.1:${ports[3 + i]}`)
      .replace('127.0.0.1:8222', '127.0.0.1:-1').replace('/var/lib/nats', dir)
      .replace(/nats:\/\/nats(\d):6222/g, (_all, n) => `nats://127.0.0.1:${ports[2 + Number(n)]}`);
    writeFileSync(path.join(dir, 'nats.conf'), conf);
    const child = spawn('nats-server', ['-c', path.join(dir, 'nats.conf')], { env: { PATH, NATS_NAME: `nats${i + 1}`, ...passwords } });
    child.stderr.on('data', (chunk) => (cluster.log += chunk));
    const gone = new Promise((resolve) => child.on('exit', resolve));
    t.after(async () => { child.kill('SIGKILL'); await gone; });
  }
  await eventually(() => cluster.log.match(/Server is ready/g)?.length === 3, 'three servers');
  return cluster;
}

// A daemon with origin.conf or edge.conf; everything that names the machine is replaced.
async function startNode(t, cluster, recipe, name, env = {}) {
  const dir = tempDir(t);
  const text = file(`mesh/${recipe}.conf`).replace(/\/var\/(lib|log)\/livetimingd/g, dir);
  const node = new Daemon({
    dir,
    env: {
      LIVETIMING_STATE_DIR: null, LIVETIMING_LOG_DIR: null, LIVETIMING_ANALYSIS_DIR: null, LIVETIMING_RECORDINGS_DIR: null, LIVETIMING_RECORDINGS_TEMP_DIR: null,
      LIVETIMING_NODE: name, LIVETIMING_BACKPLANE: cluster.urls,
      LIVETIMING_BACKPLANE_PASSWORD: recipe === 'edge' ? passwords.NATS_EDGE_PASSWORD : passwords.NATS_ORIGIN_PASSWORD, ...env,
    },
  });
  node.config = node.writeFile('livetimingd.conf', text);
  t.after(() => node.destroy());
  return node.start();
}

test('origins and edges with the files of the recipe are one mesh, and edges need no more than they may', { skip }, async (t) => {
  const cluster = await startCluster(t);
  const origin = await startNode(t, cluster, 'origin', 'origin1', { LIVETIMING_SERVICES: 'simulator --seed 71' });
  const standby = await startNode(t, cluster, 'origin', 'origin2');
  const edge = await startNode(t, cluster, 'edge', 'edge1', { LIVETIMING_ORIGIN_URL: 'http://127.0.0.1:1' });
  const other = await startNode(t, cluster, 'edge', 'edge2', { LIVETIMING_ORIGIN_URL: 'http://127.0.0.1:1' });
  await linked(origin, standby, edge, other);
  await eventually(async () => [(await meshOf(origin)).roles.record, (await meshOf(standby)).roles.record].includes('ours'), 'one of them to record');

  const uuid = await eventually(async () => (await (await fetch(`${edge.http}/directory.json`)).json())[0]?.uuid, 'the service at an edge');
  const viewer = await autobahnSession(t, edge);
  const states = [];
  await viewer.subscribe(`livetiming.service.${uuid}`, (args) => states.push(args), { get_retained: true });
  await eventually(() => states.length > 2, 'states');
  const callee = await autobahnSession(t, other, { auth: { authid: 'services' } });
  await callee.register('test.sum', (args) => args[0] + args[1]);
  assert.equal(await eventually(() => viewer.call('test.sum', [1, 2]), 'the procedure of another edge'), 3);
  await callee.publish('test.kept', [7], {}, { retain: true, acknowledge: true });
  const late = await startNode(t, cluster, 'edge', 'edge3', { LIVETIMING_ORIGIN_URL: 'http://127.0.0.1:1' });
  await linked(origin, standby, edge, other, late);
  const kept = [];
  await (await autobahnSession(t, late)).subscribe('test.kept', (args) => kept.push(args[0]), { get_retained: true });
  await eventually(() => kept[0] === 7, 'what an edge had retained');
  assert.doesNotMatch(cluster.log, /Permissions Violation/i);
});

test('an edge with the password of an origin, or none, is not let in', { skip }, async (t) => {
  const cluster = await startCluster(t);
  const edge = await startNode(t, cluster, 'edge', 'edge1', { LIVETIMING_BACKPLANE_PASSWORD: passwords.NATS_ORIGIN_PASSWORD });
  await edge.waitLog(/the server does not accept the login/);
  assert.equal((await fetch(`${edge.http}/readyz`)).status, 503);
});

test('the balancer takes an edge out while it is not ready', { skip: skip || (has('haproxy') ? false : 'haproxy is not installed') }, async (t) => {
  const cluster = await startCluster(t);
  const nodes = [await startNode(t, cluster, 'origin', 'origin1')];
  for (const name of ['edge1', 'edge2']) nodes.push(await startNode(t, cluster, 'edge', name));
  await linked(...nodes);
  const port = await freePort();
  const nobody = await freePort();
  const text = file('mesh/haproxy.cfg').replace('bind :8000', `bind 127.0.0.1:${port}`).replace('maxconn 200000', 'maxconn 100')
    .replace('edge1:8080', nodes[1].address).replace('edge2:8080', nodes[2].address).replace('edge3:8080', `127.0.0.1:${nobody}`);
  const cfg = nodes[0].writeFile('haproxy.cfg', text);
  const child = spawn('haproxy', ['-db', '-f', cfg], { env: { PATH } });
  const gone = new Promise((resolve) => child.on('exit', resolve));
  t.after(async () => { child.kill('SIGKILL'); await gone; });
  const through = { address: `127.0.0.1:${port}`, ws: `ws://127.0.0.1:${port}/ws` };
  const nodeOf = async () => {
    const session = await autobahnSession(t, through, { auth: { authid: 'services' } });
    return (await session.call('wamp.session.get', [session.id])).node;
  };
  await eventually(nodeOf, 'a session through the balancer');
  const seen = new Set();
  await eventually(async () => seen.add(await nodeOf()).size === 2, 'both edges');
  await nodes[1].stop('SIGKILL');
  // once it is out, ten in a row go to the other
  await eventually(async () => {
    for (let i = 0; i < 10; i++) if (await nodeOf() !== 'edge2') return false;
    return true;
  }, 'all sessions at the edge that is left');
});

test('the settings of both kinds of node pass the check', async (t) => {
  for (const recipe of ['origin', 'edge']) {
    const result = await run(path.join(build, 'livetimingd'), ['--config', path.join(root, `conf/mesh/${recipe}.conf`), '--check-config'], { env: { LIVETIMING_BACKPLANE_PASSWORD: 'x' }, cwd: tempDir(t) });
    assert.equal(result.code, 0, result.stdout + result.stderr);
  }
});

test('the compose file is whole: settings pass the check, and names are those of the other files', async (t) => {
  const text = execFileSync('python3', ['-c', 'import json,sys,yaml; print(json.dumps(yaml.safe_load(sys.stdin)))'], { input: file('mesh/compose.yaml') });
  const { services } = JSON.parse(text);
  const dockerfile = file('container/Dockerfile');
  const image = Object.fromEntries([...dockerfile.matchAll(/(LIVETIMING_[A-Z_]+)=(\S+)/g)].map(([, name, value]) => [name, value]));
  const used = { ...passwords };
  for (const [name, service] of Object.entries(services)) {
    for (const other of service.depends_on ?? []) assert.ok(services[other], `${name} depends on ${other}`);
    for (const [setting, value] of Object.entries(service.environment ?? {})) {
      service.environment[setting] = String(value).replace(/\$\{([A-Z_]+)\}/g, (_all, key) => used[key] ?? assert.fail(`${key} is not in nats.env`));
    }
    if (service.image !== 'livetimingd') continue;
    assert.equal(service.environment.LIVETIMING_NODE, name);
    const env = { ...image, ...service.environment };
    const result = await run(path.join(build, 'livetimingd'), ['--check-config'], { env, cwd: tempDir(t) });
    assert.equal(result.code, 0, `${name}: ${result.stdout}${result.stderr}`);
  }
  const edges = Object.keys(services).filter((name) => services[name].environment?.LIVETIMING_ROLE === 'edge');
  assert.deepEqual([...file('mesh/haproxy.cfg').matchAll(/^ {4}server (\S+) \1:8080$/gm)].map(([, name]) => name), edges);
  assert.deepEqual([...file('mesh/nats.conf').matchAll(/nats:\/\/(nats\d):6222/g)].map(([, name]) => name), Object.keys(services).filter((name) => name.startsWith('nats')));
  for (const key of Object.keys(used)) assert.match(file('mesh/nats.env'), new RegExp(`^${key}=`, 'm'));
});

test('the drop-in fits the unit of Debian', { skip: skip || (has('systemd-analyze') ? false : 'systemd is not installed') }, async (t) => {
  const dir = tempDir(t);
  const unit = readFileSync('/lib/systemd/system/nats-server.service', 'utf8');
  // as `systemctl edit` merges them: the drop-in behind the section
  writeFileSync(path.join(dir, 'nats-server.service'), unit.replace('[Install]', `${file('mesh/nats-server.override.conf')}\n[Install]`));
  const result = await run('systemd-analyze', ['verify', '--recursive-errors=no', path.join(dir, 'nats-server.service')], {});
  assert.doesNotMatch(result.stderr, /nats-server\.service:/, result.stderr);
});
