// What becomes of a mesh when its parts fail: docs/mesh.md, line by line.
import test from 'node:test';
import assert from 'node:assert/strict';
import net from 'node:net';
import { eventually, withTimeout } from './support/daemon.mjs';
import { autobahnSession, wampySession } from './support/clients.mjs';
import { hasNats, startNats, startCluster } from './support/nats.mjs';
import { startNode, linked, meshOf } from './support/mesh.mjs';
import { hasNetns, Host, Hub } from './support/netns.mjs';

const skip = hasNats ? false : 'nats-server is not installed';
const skipNetns = skip || (hasNetns ? false : 'network namespaces need root and iproute2');
const auth = { authid: 'services' };

// Everything that a session hears on a topic, first arguments alone.
async function listen(session, topic, options = { get_retained: true }) {
  const heard = [];
  await session.subscribe(topic, (args) => heard.push(args[0]), options);
  return heard;
}

const say = (session, topic, value, retain = true) => session.publish(topic, [value], {}, { acknowledge: true, retain, exclude_me: false });
const last = (heard, value) => eventually(() => heard.at(-1) === value, `${value} to be heard last, not ${JSON.stringify(heard.slice(-3))}`);

// A client of NATS that knows what it needs to: to listen, and to say what it likes.
class RawNats {
  static async open(t, server) {
    const client = new RawNats();
    client.socket = net.connect(server.port, server.host);
    client.messages = [];
    let text = Buffer.alloc(0);
    client.socket.on('data', (data) => {
      text = Buffer.concat([text, data]);
      for (;;) {
        const end = text.indexOf('\r\n');
        if (end < 0) return;
        const line = String(text.subarray(0, end));
        const words = line.split(' ');
        if (words[0] !== 'MSG') {
          if (words[0] === 'PING') client.socket.write('PONG\r\n');
          if (words[0] === 'PONG') client.pong?.();
          text = text.subarray(end + 2);
          continue;
        }
        const n = Number(words.at(-1));
        if (text.length < end + 2 + n + 2) return;
        client.messages.push([words[1], Buffer.from(text.subarray(end + 2, end + 2 + n))]);
        text = text.subarray(end + 2 + n + 2);
      }
    });
    t.after(() => client.socket.destroy());
    client.socket.write('CONNECT {"verbose":false}\r\nSUB livetiming.> 1\r\n');
    await client.flush();
    return client;
  }

  publish(subject, body) {
    this.socket.write(`PUB ${subject} ${body.length}\r\n`);
    this.socket.write(body);
    this.socket.write('\r\n');
  }

  flush() {
    const done = new Promise((resolve) => (this.pong = resolve));
    this.socket.write('PING\r\n');
    return withTimeout(done, 'nats-server');
  }
}

test('nats-server killed: viewers go on where they are, and all agree when it is back', { skip }, async (t) => {
  const nats = await startNats(t);
  const a = await startNode(t, { name: 'a', nats });
  const b = await startNode(t, { name: 'b', nats });
  await linked(a, b);
  const [sayA, sayB] = await Promise.all([autobahnSession(t, a, { auth }), autobahnSession(t, b, { auth })]);
  const heardA = await listen(await autobahnSession(t, a), 'test.of-b');
  const heardB = await listen(await autobahnSession(t, b), 'test.of-a');
  const local = await listen(await autobahnSession(t, a), 'test.of-a');
  await say(sayA, 'test.of-a', 1);
  await last(heardB, 1);
  await nats.kill();
  await say(sayA, 'test.of-a', 2);
  await say(sayA, 'test.of-a', 3);
  await say(sayB, 'test.of-b', 4);
  await last(local, 3);
  assert.deepEqual(heardB, [1]);
  await nats.again();
  await last(heardA, 4);
  await last(heardB, 3);
  assert.deepEqual(heardA, [4]);
  assert.deepEqual(heardB, [1, 3], 'of what was missed the newest, once');
});

test('nats-server absent at the start: the daemon serves its own viewers, and joins when it comes', { skip }, async (t) => {
  const nats = await startNats(t);
  await nats.kill();
  const a = await startNode(t, { name: 'a', nats });
  const session = await autobahnSession(t, a, { auth });
  const heard = await listen(session, 'test.t');
  await say(session, 'test.t', 1);
  await last(heard, 1);
  assert.equal((await meshOf(a)).connected, false);
  assert.match((await a.ctl(['status'])).stdout, /^mesh .*NO BACKPLANE/m);
  await nats.again();
  const b = await startNode(t, { name: 'b', nats });
  await linked(a, b);
  await last(await listen(await autobahnSession(t, b), 'test.t'), 1);
});

test('an edge without the backplane is not ready, and is again with it', { skip }, async (t) => {
  const nats = await startNats(t);
  const edge = await startNode(t, { name: 'edge', nats, role: 'edge' });
  const health = async () => (await fetch(`${edge.http}/readyz`)).status;
  await eventually(async () => (await health()) === 200, 'it to be ready');
  await nats.kill();
  await eventually(async () => (await health()) === 503, 'it not to be ready');
  await nats.again();
  await eventually(async () => (await health()) === 200, 'it to be ready again');
});

test('one of three nats-servers dies: the mesh goes on over the others', { skip }, async (t) => {
  const servers = await startCluster(t);
  const env = { LIVETIMING_BACKPLANE_REPLICAS: '3' };
  const a = await startNode(t, { name: 'a', nats: servers, env });
  const b = await startNode(t, { name: 'b', nats: servers, env });
  await linked(a, b);
  const session = await autobahnSession(t, a, { auth });
  const heard = await listen(await autobahnSession(t, b), 'test.t');
  await say(session, 'test.t', 1);
  await last(heard, 1);
  const used = (await meshOf(b)).server;
  await servers.find((server) => server.url.endsWith(used)).kill();
  await eventually(async () => (await meshOf(b)).connected && (await meshOf(b)).server !== used, 'the node to use another server');
  await say(session, 'test.t', 2);
  await last(heard, 2);
  await linked(a, b);
});

test('a node is killed: calls to it end, and its services leave the directories', { skip }, async (t) => {
  const nats = await startNats(t);
  const a = await startNode(t, { name: 'a', nats, env: { LIVETIMING_SERVICES: 'simulator --seed 71' } });
  const b = await startNode(t, { name: 'b', nats });
  await linked(a, b);
  const callee = await wampySession(t, a, { auth });
  await callee.register('test.never', () => new Promise(() => {}));
  const caller = await autobahnSession(t, b);
  const listed = async () => (await (await fetch(`${b.http}/directory.json`)).json()).length;
  await eventually(async () => (await listed()) === 1, 'the service in the directory');
  let answer;
  await eventually(async () => {
    const call = caller.call('test.never');
    const now = await Promise.race([Promise.resolve(call).catch((error) => error), new Promise((resolve) => setTimeout(resolve, 300, 'waits'))]);
    if (now !== 'waits') return false;
    answer = Promise.resolve(call).catch((error) => error);
    return true;
  }, 'the call to be on its way');
  await a.stop('SIGKILL');
  assert.equal((await withTimeout(answer, 'the call to end')).error, 'wamp.error.canceled');
  await eventually(async () => (await listed()) === 0, 'the service to leave');
  assert.equal((await meshOf(b)).nodes.length, 0);
});

test('a node is halted and goes on: it is gone meanwhile, and agrees with the others again', { skip }, async (t) => {
  const nats = await startNats(t);
  const a = await startNode(t, { name: 'a', nats });
  const b = await startNode(t, { name: 'b', nats });
  await linked(a, b);
  const session = await autobahnSession(t, a, { auth });
  const heard = await listen(await autobahnSession(t, b), 'test.t');
  await say(session, 'test.t', 1);
  await last(heard, 1);
  b.process.kill('SIGSTOP');
  await eventually(async () => (await meshOf(a)).nodes.length === 0, 'it to be gone');
  await say(session, 'test.t', 2);
  await say(session, 'test.t', 3);
  b.process.kill('SIGCONT');
  await linked(a, b);
  await last(heard, 3);
});

test('messages that come twice are delivered once, and nonsense changes nothing', { skip }, async (t) => {
  const nats = await startNats(t);
  const a = await startNode(t, { name: 'a', nats });
  const b = await startNode(t, { name: 'b', nats });
  await linked(a, b);
  const raw = await RawNats.open(t, nats);
  const session = await autobahnSession(t, a, { auth });
  const heard = await listen(await autobahnSession(t, b), 'test.t');
  await say(session, 'test.t', 1, false);
  await say(session, 'test.t', 2);
  await eventually(() => raw.messages.filter(([subject]) => subject.endsWith('.test.t')).length === 2, 'both on the backplane');
  for (const [subject, body] of raw.messages) if (!subject.includes('.to.')) raw.publish(subject, body);
  for (const subject of ['livetiming.live.x', 'livetiming.kept.x', 'livetiming.nodes', 'livetiming.to.x', 'livetiming.what']) {
    for (const body of ['', '{', '{}\n', '\u0000\n[36,1,1,{}]', `{"node":"x","run":"y","seq":1,"at":1,"topic":"t"}\n${'['.repeat(5000)}`, '{"node":"x","run":"y","role":"z","since":1,"seq":1,"links":[1]}']) {
      raw.publish(subject, Buffer.from(body));
    }
  }
  await raw.flush();
  await say(session, 'test.t', 3);
  await last(heard, 3);
  assert.deepEqual(heard, [1, 2, 3]);
  const mesh = await meshOf(b);
  assert.ok(mesh.duplicates >= 2 && mesh.broken > 5, JSON.stringify(mesh));
});

// A host behind a cable to the hub, where nats-server is.
function cable(t) {
  const hub = new Hub();
  t.after(() => hub.destroy());
  const host = new Host(hub);
  t.after(() => host.destroy());
  return { hub, host };
}

// A node in one of them; viewers reach it by its socket, beside all cables.
async function startAt(t, place, name, nats) {
  const node = await startNode(t, { name, nats, prefix: place.prefix, env: { LIVETIMING_LISTEN: 'unix:ws.sock' } });
  node.url = `ws+unix://${node.dir}/ws.sock:/ws`;
  return node;
}

test('a partition: each side goes on, and both agree when it heals', { skip: skipNetns }, async (t) => {
  const { hub, host } = cable(t);
  const nats = await startNats(t, { host: host.outside, port: 4222, prefix: hub.prefix });
  const a = await startAt(t, hub, 'a', nats);
  const b = await startAt(t, host, 'b', nats);
  await linked(a, b);
  const [sayA, sayB] = await Promise.all([autobahnSession(t, a, { auth, url: a.url }), autobahnSession(t, b, { auth, url: b.url })]);
  const heardA = await listen(await autobahnSession(t, a, { url: a.url }), 'test.of-b');
  const heardB = await listen(await autobahnSession(t, b, { url: b.url }), 'test.of-a');
  const localB = await listen(await autobahnSession(t, b, { url: b.url }), 'test.of-b');
  await say(sayA, 'test.of-a', 1);
  await last(heardB, 1);
  host.cut();
  await say(sayA, 'test.of-a', 2);
  await say(sayB, 'test.of-b', 3);
  await last(localB, 3);
  await eventually(async () => !(await meshOf(b)).connected, 'the node to notice');
  await eventually(async () => (await meshOf(a)).nodes.length === 0, 'the other to notice');
  await say(sayB, 'test.of-b', 4);
  host.mend();
  await linked(a, b);
  await last(heardA, 4);
  await last(heardB, 2);
});

test('a slow link: the others are not held up, and behind it the newest state arrives', { skip: skipNetns }, async (t) => {
  const { hub, host } = cable(t);
  if (!host.slow('2mbit')) return t.skip('the kernel has no token bucket filter');
  const nats = await startNats(t, { host: host.outside, port: 4222, prefix: hub.prefix });
  const a = await startAt(t, hub, 'a', nats);
  const c = await startAt(t, hub, 'c', nats);
  const b = await startAt(t, host, 'b', nats);
  await linked(a, b, c);
  const session = await autobahnSession(t, a, { auth, url: a.url });
  const local = await listen(await autobahnSession(t, a, { url: a.url }), 'test.t');
  const near = await listen(await autobahnSession(t, c, { url: c.url }), 'test.t');
  const far = await listen(await autobahnSession(t, b, { url: b.url }), 'test.t');
  const body = 'x'.repeat(20000);
  for (let i = 0; i < 100; i++) session.publish('test.t', [`${i} ${body}`], {}, { retain: true });
  await say(session, 'test.t', 'newest');
  await last(local, 'newest');
  await last(near, 'newest');
  await last(far, 'newest');
  assert.equal(local.length, 101);
  assert.equal(near.length, 101);
  return undefined;
});
