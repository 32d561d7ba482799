// Every serializer, spoken by the libraries that exist: one event reaches
// clients of all of them with equal values, bytes included.
import test from 'node:test';
import assert from 'node:assert/strict';
import { createRequire } from 'node:module';
import autobahn from 'autobahn';
import WebSocket from 'ws';
import { MsgpackSerializer } from 'wampy/MsgpackSerializer.js';
import { CborSerializer } from 'wampy/CborSerializer.js';
import { startDaemon, withTimeout } from './support/daemon.mjs';
import { autobahnSession, wampySession, RawClient } from './support/clients.mjs';

const { serializer } = autobahn;
const services = { auth: {} };

// What a client hears of a topic, as a promise of [args, kwargs], once it has subscribed.
async function autobahnHears(session, topic, options) {
  let heard;
  const event = new Promise((resolve) => (heard = resolve));
  await session.subscribe(topic, (args, kwargs) => heard([args, kwargs]), options);
  return withTimeout(event, 'the event');
}

async function wampyHears(client, topic, options) {
  let heard;
  const event = new Promise((resolve) => (heard = resolve));
  await client.subscribe(topic, ({ argsList, argsDict }) => heard([argsList, argsDict]), options);
  return withTimeout(event, 'the event');
}

const values = ['Zoë', 0, -1, 1.5, -129, 65536, 4294967295, true, null, [[]], { a: { b: [] } }];
const kwargs = { lap: 12, text: '日本', half: 0.5, tenth: 0.1 };

const clients = {
  'autobahn with JSON': (t, daemon, options) => autobahnSession(t, daemon, options),
  'autobahn with MessagePack': (t, daemon, options) =>
    autobahnSession(t, daemon, { ...options, serializers: [new serializer.MsgpackSerializer()] }),
  'wampy with MessagePack': (t, daemon, options) => wampySession(t, daemon, { ...options, serializer: new MsgpackSerializer() }),
  'wampy with CBOR': (t, daemon, options) => wampySession(t, daemon, { ...options, serializer: new CborSerializer() }),
};
const hears = (name) => (name.startsWith('wampy') ? wampyHears : autobahnHears);
const publishes = (name, client, topic) =>
  name.startsWith('wampy')
    ? client.publish(topic, { argsList: values, argsDict: kwargs })
    : client.publish(topic, values, kwargs, { acknowledge: true });

for (const [publisherName, connectPublisher] of Object.entries(clients)) {
  test(`what ${publisherName} publishes is equal for every other client`, async (t) => {
    const daemon = await startDaemon(t);
    const publisher = await connectPublisher(t, daemon, services);
    const subscribers = [];
    for (const [name, connect] of Object.entries(clients)) {
      const client = await connect(t, daemon, {});
      subscribers.push([name, client]);
    }
    const events = [];
    for (const [name, client] of subscribers) {
      events.push([name, hears(name)(client, 'club.news')]);
    }
    // Each SUBSCRIBE is on its way; a round trip of each client tells that it has arrived.
    for (const [, client] of subscribers) {
      await assert.rejects(async () => client.call('club.nothing'));
    }
    await publishes(publisherName, publisher, 'club.news');
    for (const [name, event] of events) {
      assert.deepEqual(await event, [values, kwargs], name);
    }
  });
}

test('bytes reach a JSON subscriber as U+0000 and base64, and come back as bytes', async (t) => {
  const daemon = await startDaemon(t);
  const binary = await clients['autobahn with MessagePack'](t, daemon, services);
  const json = await clients['autobahn with JSON'](t, daemon, services);
  const atJson = autobahnHears(json, 'club.bytes');
  await assert.rejects(async () => json.call('club.nothing'));
  await binary.publish('club.bytes', [Buffer.from([0, 1, 2, 255])], {}, { acknowledge: true });
  assert.deepEqual((await atJson)[0], ['\u0000AAEC/w==']);

  const cbor = await clients['wampy with CBOR'](t, daemon, {});
  const atCbor = wampyHears(cbor, 'club.bytes.back');
  const atMsgpack = autobahnHears(binary, 'club.bytes.back');
  await assert.rejects(async () => cbor.call('club.nothing'));
  await assert.rejects(async () => binary.call('club.nothing'));
  await json.publish('club.bytes.back', ['\u0000AAEC/w=='], {}, { acknowledge: true });
  assert.deepEqual([...(await atCbor)[0][0]], [0, 1, 2, 255]);
  assert.deepEqual([...(await atMsgpack)[0][0]], [0, 1, 2, 255]);
});

test('a retained event reaches late subscribers of every serializer', async (t) => {
  const daemon = await startDaemon(t);
  const publisher = await autobahnSession(t, daemon, services);
  await publisher.publish('club.flag', ['red', 1.25], {}, { acknowledge: true, retain: true });
  for (const [name, connect] of Object.entries(clients)) {
    const client = await connect(t, daemon, {});
    const [args] = await hears(name)(client, 'club.flag', { get_retained: true });
    assert.deepEqual(args, ['red', 1.25], name);
  }
});

test('a procedure and its caller may use different serializers', async (t) => {
  const daemon = await startDaemon(t);
  const callee = await clients['autobahn with MessagePack'](t, daemon, services);
  await callee.register('club.add', ([a, b]) => a + b);
  for (const name of ['wampy with CBOR', 'wampy with MessagePack']) {
    const caller = await clients[name](t, daemon, {});
    assert.deepEqual((await caller.call('club.add', [40.5, 2])).argsList, [42.5], name);
  }
  const caller = await autobahnSession(t, daemon);
  assert.equal(await caller.call('club.add', [40, 2]), 42);
});

// autobahn's own CBOR encoder is asynchronous and its transport does not wait
// for it, so its codec is used here over a socket of ours.
test("a session in the CBOR of autobahn's library", async (t) => {
  const cbor = createRequire(createRequire(import.meta.url).resolve('autobahn'))('cbor');
  const daemon = await startDaemon(t);
  const socket = new WebSocket(daemon.ws, ['wamp.2.cbor']);
  t.after(() => socket.terminate());
  const next = () =>
    withTimeout(new Promise((resolve) => socket.once('message', (data, isBinary) => resolve([cbor.decodeFirstSync(data), isBinary]))), 'a message');
  await withTimeout(new Promise((resolve) => socket.once('open', resolve)), 'the WebSocket to open');

  let answer = next();
  socket.send(cbor.encode([1, 'timing', { roles: { subscriber: {}, caller: {} } }]));
  const [[type, session, details], isBinary] = await answer;
  assert.equal(type, 2);
  assert.ok(isBinary);
  assert.ok(session >= 1 && session <= Number.MAX_SAFE_INTEGER + 1);
  assert.equal(details.authrole, 'anonymous');

  answer = next();
  socket.send(cbor.encode([32, 1, { match: undefined, get_retained: null }, 'club.news']));
  assert.equal((await answer)[0][0], 33);
});

test('the first subprotocol that is offered and known is chosen', async (t) => {
  const daemon = await startDaemon(t);
  for (const [offered, chosen] of [
    [['wamp.2.cbor', 'wamp.2.json'], 'wamp.2.cbor'],
    [['wamp.2.json', 'wamp.2.cbor'], 'wamp.2.json'],
    [['wamp.2.ubjson', 'wamp.2.msgpack', 'wamp.2.json'], 'wamp.2.msgpack'],
    [['wamp.2.flatbuffers', 'wamp.2.json.batched'], 'wamp.2.json.batched'],
  ]) {
    const client = await RawClient.open(t, daemon, { protocols: offered });
    assert.equal(client.socket.protocol, chosen);
    client.socket.terminate(); // before the daemon ends: this client reads JSON alone
  }
  for (const protocols of [['wamp.2.ubjson'], ['wamp.2.msgpack.batched', 'wamp.2.cbor.batched']]) {
    await assert.rejects(RawClient.open(t, daemon, { protocols }), /40\d/);
  }
});

test('batched JSON: several messages a frame, each behind its own mark', async (t) => {
  const daemon = await startDaemon(t);
  const socket = new WebSocket(daemon.ws, ['wamp.2.json.batched']);
  t.after(() => socket.terminate());
  const heard = [];
  let enough;
  const three = new Promise((resolve) => (enough = resolve));
  socket.on('message', (data, isBinary) => {
    assert.ok(!isBinary);
    assert.ok(String(data).endsWith('\u001e'));
    for (const message of String(data).slice(0, -1).split('\u001e')) heard.push(JSON.parse(message));
    if (heard.length >= 3) enough();
  });
  await withTimeout(new Promise((resolve) => socket.once('open', resolve)), 'the WebSocket to open');
  const messages = [
    [1, 'timing', { roles: { subscriber: {} } }],
    [32, 1, {}, 'a'],
    [32, 2, {}, 'b'],
  ];
  socket.send(messages.map((message) => JSON.stringify(message) + '\u001e').join(''));
  await withTimeout(three, 'three answers');
  assert.deepEqual(heard.map(([type]) => type), [2, 33, 33]);
});
