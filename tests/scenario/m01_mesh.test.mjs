// Several daemons that are one: events, retained values, calls, the directory and
// the meta API over NATS, as clients see it.
import test, { before, after } from 'node:test';
import assert from 'node:assert/strict';
import { eventually, secret } from './support/daemon.mjs';
import { autobahnSession, wampySession } from './support/clients.mjs';
import { hasNats, NatsServer } from './support/nats.mjs';
import { startNode, linked, meshOf } from './support/mesh.mjs';

const auth = { authid: 'services' };
const skip = hasNats ? false : 'nats-server is not installed';
let nats, origin, edge1, edge2;
const cleanups = [];
const hooks = { after: (fn) => cleanups.unshift(fn) };

before(async () => {
  if (!hasNats) return;
  nats = new NatsServer();
  hooks.after(() => nats.destroy());
  await nats.start();
  origin = await startNode(hooks, { name: 'origin', nats, env: { LIVETIMING_SERVICES: 'simulator --seed 71' } });
  edge1 = await startNode(hooks, { name: 'edge1', nats, role: 'edge' });
  edge2 = await startNode(hooks, { name: 'edge2', nats, role: 'edge' });
  await linked(origin, edge1, edge2);
});

after(async () => {
  for (const fn of cleanups) await fn();
});

const uuidOf = async () => (await origin.ctlJson(['service', 'list']))[0].uuid;

test('an event published at one node reaches subscribers of all nodes once and in order', { skip }, async (t) => {
  const publisher = await autobahnSession(t, origin, { auth });
  const heard = await Promise.all([origin, edge1, edge2].map(async (node) => {
    const session = await autobahnSession(t, node);
    const events = [];
    await session.subscribe('test.order', (args) => events.push(args[0]));
    return events;
  }));
  for (let i = 0; i < 200; i++) publisher.publish('test.order', [i], {}, { acknowledge: false, exclude_me: false });
  await publisher.publish('test.order', ['end'], {}, { acknowledge: true });
  for (const events of heard) {
    await eventually(() => events.includes('end'), 'the last event');
    assert.deepEqual(events, [...Array(200).keys(), 'end']);
  }
});

test('an event published at an edge reaches the origin', { skip }, async (t) => {
  const session = await wampySession(t, origin);
  const events = [];
  await session.subscribe('test.edge', ({ argsList, argsDict }) => events.push([argsList, argsDict]));
  const publisher = await wampySession(t, edge1, { auth });
  await publisher.publish('test.edge', { argsList: [1], argsDict: { two: 2 } });
  await eventually(() => events.length > 0, 'the event');
  assert.deepEqual(events, [[[1], { two: 2 }]]);
});

test('a viewer at an edge gets the state of a service at once, and the next ones', { skip }, async (t) => {
  const uuid = await uuidOf();
  const session = await autobahnSession(t, edge2);
  const events = [];
  await session.subscribe(`livetiming.service.${uuid}`, (args, _kwargs, details) => events.push([args[0].msgClass, details.retained]), { get_retained: true });
  await eventually(() => events.length >= 3, 'states');
  assert.deepEqual(events[0], [8, true]);
  assert.ok(events.slice(1).every(([, retained]) => !retained));
});

test('the directory of every node lists the services of all', { skip }, async (t) => {
  const uuid = await uuidOf();
  for (const node of [edge1, edge2]) {
    const listed = await eventually(async () => {
      const list = await (await fetch(`${node.http}/directory.json`)).json();
      return list.find((entry) => entry.uuid === uuid);
    }, 'the service in the directory');
    assert.equal(listed.serviceClass, 'simulator');
    const session = await autobahnSession(t, node);
    assert.ok((await session.call('livetiming.directory.listServices')).some((entry) => entry.uuid === uuid));
    assert.equal((await fetch(`${node.http}/state/${uuid}.json`)).status, 200);
  }
});

test('a service that ends at the origin leaves the directory of the edges', { skip }, async () => {
  const { uuid } = await origin.ctlJson(['service', 'start', 'simulator', '--seed', '5']);
  const has = async () => (await (await fetch(`${edge1.http}/directory.json`)).json()).some((entry) => entry.uuid === uuid);
  await eventually(has, 'it in the directory of the edge');
  await origin.ctlJson(['service', 'stop', uuid]);
  await eventually(async () => !(await has()), 'it to leave');
  assert.equal((await fetch(`${edge1.http}/state/${uuid}.json`)).status, 404);
});

test('a procedure registered at one node is called from another, with keywords, errors and progress', { skip }, async (t) => {
  const callee = await autobahnSession(t, edge1, { auth });
  await callee.register('test.sum', (args, kwargs, details) => {
    if (args.length === 0) throw new (callee.constructor.Error ?? Error)('nothing');
    if (details.progress) for (const part of args) details.progress([part]);
    return args.reduce((a, b) => a + b, kwargs.start ?? 0);
  });
  const caller = await autobahnSession(t, edge2);
  assert.equal(await eventually(() => caller.call('test.sum', [1, 2, 3], { start: 10 }), 'the procedure'), 16);
  const parts = [];
  const result = caller.call('test.sum', [4, 5], {}, { receive_progress: true });
  assert.equal(await result.then((value) => value, undefined, (part) => parts.push(part)), 9);
  assert.deepEqual(parts, [4, 5]);
  await assert.rejects(Promise.resolve(caller.call('test.sum', [])), (error) => /error/.test(error.error));
  await assert.rejects(Promise.resolve(caller.call('test.nothing')), (error) => error.error === 'wamp.error.no_such_procedure');
});

test('a procedure that is taken at another node is taken, and force takes it', { skip }, async (t) => {
  const first = await autobahnSession(t, edge1, { auth });
  await first.register('test.taken', () => 'first');
  const second = await autobahnSession(t, edge2, { auth });
  await eventually(() => second.call('test.taken'), 'the procedure at the other node');
  await assert.rejects(Promise.resolve(second.register('test.taken', () => 'second')), (error) => error.error === 'wamp.error.procedure_already_exists');
  await second.register('test.taken', () => 'second', { force_reregister: true });
  const caller = await autobahnSession(t, origin);
  await eventually(async () => (await caller.call('test.taken')) === 'second', 'the new callee');
});

test('binary arguments survive the way between nodes and formats', { skip }, async (t) => {
  const { MsgpackSerializer } = await import('wampy/MsgpackSerializer.js');
  const publisher = await wampySession(t, edge1, { auth, serializer: new MsgpackSerializer() });
  const subscriber = await wampySession(t, edge2, { serializer: new MsgpackSerializer() });
  const events = [];
  await subscriber.subscribe('test.binary', ({ argsList }) => events.push(argsList[0]));
  await publisher.publish('test.binary', [new Uint8Array([0, 255, 7])]);
  await eventually(() => events.length > 0, 'the event');
  assert.deepEqual([...events[0]], [0, 255, 7]);
});

test('an edge answers what the origin answers: schedule and recordings', { skip }, async (t) => {
  const session = await autobahnSession(t, edge1);
  assert.deepEqual(await session.call('livetiming.schedule.list'), []);
  assert.ok(await session.call('livetiming.recordings.page'));
});

test('session and subscription details tell the node', { skip }, async (t) => {
  const session = await autobahnSession(t, edge1, { auth });
  assert.equal((await session.call('wamp.session.get', [session.id])).node, 'edge1');
  await session.subscribe('test.meta', () => {});
  const id = await session.call('wamp.subscription.lookup', ['test.meta']);
  assert.equal((await session.call('wamp.subscription.get', [id])).node, 'edge1');
});

test('an edge runs no services and says why', { skip }, async () => {
  const result = await edge1.ctl(['service', 'start', 'simulator']);
  assert.notEqual(result.code, 0);
  assert.match(result.stderr, /an edge runs no services/);
});

test('status and metrics tell of the mesh', { skip }, async () => {
  const mesh = await meshOf(origin);
  assert.deepEqual(mesh.nodes.map(({ node, role, linked }) => ({ node, role, linked })).sort((a, b) => (a.node < b.node ? -1 : 1)), [
    { node: 'edge1', role: 'edge', linked: true }, { node: 'edge2', role: 'edge', linked: true },
  ]);
  await eventually(async () => (await meshOf(origin)).roles.record === 'ours', 'the origin to record');
  const text = (await edge1.ctl(['status'])).stdout;
  assert.match(text, /^mesh +edge, edge1; backplane 127\.0\.0\.1:\d+$/m);
  assert.match(text, /^other nodes +.*origin \(origin\)/m);
  const metrics = await (await fetch(`${edge1.http}/metrics`)).text();
  assert.match(metrics, /^livetiming_mesh_connected 1$/m);
  assert.match(metrics, /^livetiming_mesh_nodes 2$/m);
});

test('a secret is not in the log, nor in what --check-config prints', { skip }, async (t) => {
  const node = await startNode(t, { name: 'wrong', nats, env: { LIVETIMING_BACKPLANE: nats.url.replace('//', '//u:hidden@'), LIVETIMING_SHARED_SECRET: secret } });
  await eventually(() => /backplane connected/.test(node.log), 'it to connect');
  assert.ok(!node.log.includes('hidden'));
});
