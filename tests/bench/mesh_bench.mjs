// What a mesh costs: mesh_bench.mjs. One origin, three edges and a cluster of three
// nats-servers on this machine, beside a single daemon, in one run; prints Markdown.
//
//   latency      an event published at the origin, at a subscriber of the origin and of an edge
//   a delivery   processor time of an edge for each event it delivers, beside the single daemon
//   an event     processor time of an edge for each event that comes over the backplane
//   fan-out      wampload at an edge, beside the single daemon (where SHARED_DIR has it)
//   fail-over    a nats-server killed, the recording origin killed: until it goes on
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { performance } from 'node:perf_hooks';
import { createRequire } from 'node:module';
import { Daemon, build, eventually, run, secret, sharedDir } from '../scenario/support/daemon.mjs';
import { startCluster } from '../scenario/support/nats.mjs';
import { startNode, linked, meshOf } from '../scenario/support/mesh.mjs';

const WebSocket = createRequire(new URL('../package.json', import.meta.url))('ws');
const SUBSCRIBERS = Number(process.env.SUBSCRIBERS ?? 300);
const EVENTS = Number(process.env.EVENTS ?? 200);
const RATE = 20;
const SIZES = [200, 2000, 20000];
const cleanups = [];
const t = { after: (fn) => cleanups.unshift(fn) };
const ticket = { LIVETIMING_AUTH_TICKET: 'yes' };

const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
const quantile = (values, q) => [...values].sort((a, b) => a - b)[Math.min(values.length - 1, Math.floor(values.length * q))];

// Processor time of a process so far, in seconds.
function cpu(pid) {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1].split(' ');
  return (Number(fields[11]) + Number(fields[12])) / 100;
}

function session(node, { trusted = false, onEvent } = {}) {
  return new Promise((resolve, reject) => {
    const socket = new WebSocket(node.ws, ['wamp.2.json'], { perMessageDeflate: false });
    socket.on('error', reject);
    socket.on('open', () => socket.send(JSON.stringify([1, 'timing', { roles: { subscriber: {}, publisher: {} }, ...(trusted && { authmethods: ['ticket'], authid: 'services' }) }])));
    socket.on('message', (data) => {
      const text = String(data.subarray(0, 4));
      if (text.startsWith('[36,')) return onEvent?.(data);
      if (text.startsWith('[4,')) return socket.send(JSON.stringify([5, secret, {}]));
      if (text.startsWith('[2,')) return resolve(socket);
      return undefined;
    });
  });
}

async function subscribe(node, topic, onEvent) {
  const socket = await session(node, { onEvent });
  socket.send(JSON.stringify([32, 1, {}, topic]));
  return socket;
}

// Events of a size at RATE from `from`; [latencies at `from`, at `to`] in ms.
async function latencies(from, to, size) {
  const seen = [[], []];
  const at = (i) => (data) => {
    const sent = Number(/,\["(\d+\.\d+) /.exec(String(data.subarray(0, 120)))?.[1]);
    seen[i].push(performance.now() - sent);
  };
  const sockets = [await subscribe(from, 'bench.latency', at(0)), await subscribe(to, 'bench.latency', at(1)), await session(from, { trusted: true })];
  await sleep(300);
  for (let i = 0; i < EVENTS; i++) {
    sockets[2].send(JSON.stringify([16, i + 1, { retain: true }, 'bench.latency', [`${performance.now()} ${'x'.repeat(size)}`]]));
    await sleep(1000 / RATE);
  }
  await eventually(() => seen[0].length === EVENTS && seen[1].length === EVENTS, 'all events');
  for (const socket of sockets) socket.terminate();
  return seen;
}

// Processor time of `node` for EVENTS events of `size` from `from` to so many subscribers at `node`.
async function cost(from, node, size, subscribers) {
  let count = 0;
  const sockets = [];
  for (let i = 0; i < subscribers; i++) sockets.push(await subscribe(node, 'bench.cost', () => (count += 1)));
  const publisher = await session(from, { trusted: true });
  await sleep(500);
  const before = cpu(node.process.pid);
  for (let i = 0; i < EVENTS; i++) {
    publisher.send(JSON.stringify([16, i + 1, {}, 'bench.cost', ['x'.repeat(size)]]));
    await sleep(1000 / RATE);
  }
  await eventually(() => count >= EVENTS * subscribers, 'all deliveries');
  const used = cpu(node.process.pid) - before;
  for (const socket of [...sockets, publisher]) socket.terminate();
  return used;
}

async function fanout(node, tool) {
  const result = await run(tool, ['fanout', '--url', node.ws, '--subs', '500', '--payload', '2000', '--count', '200', '--gate', 'all'], {});
  return Number(/events_per_s=([\d.]+)/.exec(result.stdout)?.[1] ?? NaN);
}

const permissions = JSON.stringify({ roles: { anonymous: { permissions: [{ uri: '', match: 'prefix', allow: { call: true, register: true, publish: true, subscribe: true } }] } } });
function withPermissions(env) {
  const dir = mkdtempSync(path.join(tmpdir(), 'lt-bench-'));
  t.after(() => rmSync(dir, { recursive: true, force: true }));
  const file = new Daemon({ dir }).writeFile('permissions.json', permissions);
  return { ...ticket, ...env, LIVETIMING_PERMISSIONS: file };
}

const single = new Daemon({ env: withPermissions({}) });
t.after(() => single.destroy());
await single.start();
const servers = await startCluster(t);
const env = { LIVETIMING_BACKPLANE_REPLICAS: '3', LIVETIMING_DVR_MIN_DURATION_S: '0' };
const origin = await startNode(t, { name: 'origin', nats: servers, env: withPermissions(env) });
const edges = [];
for (const name of ['edge1', 'edge2', 'edge3']) edges.push(await startNode(t, { name, nats: servers, role: 'edge', env: withPermissions(env) }));
await linked(origin, ...edges);

console.log(`One origin, three edges, three nats-servers (replicas 3), ${EVENTS} events at ${RATE} a second.\n`);
console.log('| event | latency at the origin p50, p99 | at an edge p50, p99 | added p50, p99 |\n| --- | --- | --- | --- |');
for (const size of SIZES) {
  const [here, there] = await latencies(origin, edges[0], size);
  const q = [here, there].map((values) => [quantile(values, 0.5), quantile(values, 0.99)]);
  const show = (pair) => pair.map((value) => value.toFixed(2)).join(', ');
  console.log(`| ${size} bytes | ${show(q[0])} ms | ${show(q[1])} ms | ${show([q[1][0] - q[0][0], q[1][1] - q[0][1]])} ms |`);
}

console.log(`\n| event | a delivery at a single daemon | at an edge | an event over the backplane |\n| --- | --- | --- | --- |`);
for (const size of SIZES) {
  const alone = await cost(single, single, size, SUBSCRIBERS);
  const edge = await cost(origin, edges[0], size, SUBSCRIBERS);
  const bare = await cost(origin, edges[1], size, 1);
  const per = (used, n) => `${(used * 1e6 / n).toFixed(1)} us`;
  console.log(`| ${size} bytes | ${per(alone, EVENTS * SUBSCRIBERS)} | ${per(edge, EVENTS * SUBSCRIBERS)} | ${per(bare, EVENTS)} |`);
}

const tool = path.join(build, 'bench/wampload');
if (existsSync(path.join(sharedDir, 'bench/wampload.c'))) {
  await run('mkdir', ['-p', path.dirname(tool)], {});
  await run('cc', ['-O2', '-w', '-o', tool, path.join(sharedDir, 'bench/wampload.c')], {});
  const rounds = [];
  for (let i = 0; i < 3; i++) rounds.push([await fanout(single, tool), await fanout(edges[2], tool)]);
  const [alone, edge] = [0, 1].map((i) => quantile(rounds.map((round) => round[i]), 0.5));
  console.log(`\nFan-out of 2,000 bytes to 500 subscribers, median of 3: single ${Math.round(alone)} events/s, edge ${Math.round(edge)} events/s, ratio ${(edge / alone).toFixed(2)}.`);
}

// A subscriber at an edge whose nats-server dies: the longest silence between events at 20 a second.
{
  let last = performance.now();
  let longest = 0;
  const { server: used } = await meshOf(edges[0]);
  const victim = servers.find((server) => server.url.endsWith(used));
  const socket = await subscribe(edges[0], 'bench.failover', () => {
    longest = Math.max(longest, performance.now() - last);
    last = performance.now();
  });
  const publisher = await session(origin, { trusted: true });
  const ticker = setInterval(() => publisher.send(JSON.stringify([16, 1, { retain: true }, 'bench.failover', [Date.now()]])), 50);
  await sleep(1000);
  longest = 0;
  await victim.kill();
  await eventually(() => longest > 300, 'the silence to end', 30000).catch(() => {});
  clearInterval(ticker);
  socket.terminate();
  publisher.terminate();
  console.log(`\nnats-server of an edge killed: ${(longest / 1000).toFixed(1)} s without events there.`);
  await victim.again();
  await linked(origin, ...edges);
}

// The origin that records is killed: until another has written a state of the same service.
{
  const standby = await startNode(t, { name: 'standby', nats: servers, env: withPermissions({ ...env, LIVETIMING_SERVICES: 'simulator --seed 71' }) });
  await linked(origin, standby, ...edges);
  const frames = async (node) => (await node.ctlJson(['recordings', 'list'])).inProgress.reduce((sum, one) => sum + one.frames, 0);
  await eventually(async () => (await frames(origin)) > 2, 'the origin to record');
  const start = performance.now();
  await origin.stop('SIGKILL');
  await eventually(async () => (await frames(standby)) > 0, 'the other to record', 30000);
  console.log(`Recording origin killed: ${((performance.now() - start) / 1000).toFixed(1)} s until the other recorded.`);
}


for (const fn of cleanups) await fn();
process.exit(0);
