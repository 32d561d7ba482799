// Whatever a stranger sends, the daemon answers as it should and lives on.
import test from 'node:test';
import assert from 'node:assert/strict';
import net from 'node:net';
import { startDaemon, withTimeout, eventually } from './support/daemon.mjs';
import { autobahnSession, RawClient } from './support/clients.mjs';


// The daemon still serves a fresh client.
async function assertAlive(t, daemon) {
  const session = await autobahnSession(t, daemon);
  await session.subscribe('club.alive', () => {});
  assert.equal(daemon.process.exitCode, null);
}

async function assertAborted(client, reason = 'wamp.error.protocol_violation') {
  const [type, , uri] = await client.next();
  assert.equal(type, 3);
  assert.equal(uri, reason);
  await withTimeout(client.closed, 'the connection to close');
}

const beforeHello = {
  'GOODBYE first': [6, {}, 'wamp.close.close_realm'],
  'AUTHENTICATE first': [5, 'x', {}],
  'SUBSCRIBE first': [32, 1, {}, 'a.b'],
  'HELLO without roles': [1, 'timing', {}],
  'HELLO with a number as realm': [1, 5, { roles: { subscriber: {} } }],
  'HELLO that is too short': [1, 'timing'],
  'a message only routers send': [2, 1, {}],
  'an unknown code': [99, 1],
  'an empty array': [],
  'an object': {},
  'a text code': ['1', 'timing', { roles: {} }],
};
for (const [name, message] of Object.entries(beforeHello)) {
  test(`before HELLO: ${name} ends in ABORT`, async (t) => {
    const daemon = await startDaemon(t);
    const client = await RawClient.open(t, daemon);
    client.send(message);
    await assertAborted(client);
    await assertAlive(t, daemon);
  });
}

const broken = {
  'malformed JSON': '[1, "timing", {',
  'a trailing comma': '[32, 1, {}, "a",]',
  'two documents': '[32,1,{},"a"][32,2,{},"b"]',
  'a byte order mark': '\ufeff[32,1,{},"a"]',
  'NaN': '[32,NaN,{},"a"]',
  'nesting of 100,000': `[16,1,{},"a",[${'['.repeat(100000)}${']'.repeat(100000)}]]`,
  'an empty message': '',
  'a fraction as id': '[32,1.5,{},"a"]',
  'id 0': '[32,0,{},"a"]',
  'id 2^53 + 2': '[32,9007199254740994,{},"a"]',
  'a negative id': '[32,-1,{},"a"]',
  'options that are a list': '[32,1,[],"a"]',
  'a topic that is a number': '[32,1,{},5]',
  'arguments that are an object': '[16,1,{},"a",{}]',
  'keyword arguments that are a list': '[16,1,{},"a",[],[]]',
  'a message that is too long': '[32,1,{},"a",1]',
  'an EVENT': '[36,1,1,{}]',
  'a second HELLO': '[1,"timing",{"roles":{"caller":{}}}]',
  'an ERROR for a CALL': '[8,48,1,{},"a.b"]',
};
for (const [name, text] of Object.entries(broken)) {
  test(`in a session: ${name} ends in ABORT`, async (t) => {
    const daemon = await startDaemon(t);
    const client = await RawClient.open(t, daemon);
    await client.hello();
    client.send(text);
    await assertAborted(client);
    await assertAlive(t, daemon);
  });
}

test('while challenged nothing but AUTHENTICATE is taken, and nothing else has an effect', async (t) => {
  const daemon = await startDaemon(t);
  const watcher = await autobahnSession(t, daemon);
  let heard = 0;
  await watcher.subscribe('club.news', () => (heard += 1));
  const client = await RawClient.open(t, daemon);
  client.send([1, 'timing', { roles: { publisher: {} }, authmethods: ['wampcra'], authid: 'services' }]);
  assert.equal((await client.next())[0], 4);
  client.send([16, 1, {}, 'club.news', ['forged']]);
  await assertAborted(client);
  await assertAlive(t, daemon);
  assert.equal(heard, 0);
});

test('invalid UTF-8 ends the connection', async (t) => {
  const daemon = await startDaemon(t);
  const socket = await rawSocket(t, daemon);
  socket.write(frame(1, Buffer.from([0x5b, 0x31, 0x2c, 0x22, 0xff, 0xfe, 0x22, 0x5d])));
  await withTimeout(new Promise((resolve) => socket.on('close', resolve)), 'the connection to close');
  await assertAlive(t, daemon);
});

test('the id 2^53 is mirrored digit for digit', async (t) => {
  const daemon = await startDaemon(t);
  const client = await RawClient.open(t, daemon);
  await client.hello();
  let raw = '';
  client.socket.on('message', (data) => (raw = String(data)));
  client.send('[32,9007199254740992,{},"club.news"]');
  await client.next();
  assert.match(raw, /^\[33,9007199254740992,/);
});

test('a message above the limit is refused before it is buffered', async (t) => {
  const daemon = await startDaemon(t);
  const client = await RawClient.open(t, daemon);
  await client.hello();
  client.send(`[16,1,{},"a",["${'x'.repeat(17 * 1024 * 1024)}"]]`);
  await withTimeout(client.closed, 'the connection to close');
  await assertAlive(t, daemon);
});

test('a message of 1 MiB passes', async (t) => {
  const daemon = await startDaemon(t);
  const publisher = await autobahnSession(t, daemon, { auth: {} });
  const subscriber = await autobahnSession(t, daemon);
  const text = 'x'.repeat(1024 * 1024);
  const heard = new Promise((resolve) => {
    subscriber.subscribe('club.big', ([value]) => resolve(value)).then(() => publisher.publish('club.big', [text]));
  });
  assert.equal((await withTimeout(heard, 'the event')).length, text.length);
});

test('an unknown realm is refused', async (t) => {
  const daemon = await startDaemon(t);
  const client = await RawClient.open(t, daemon);
  client.send([1, 'elsewhere', { roles: { subscriber: {} } }]);
  await assertAborted(client, 'wamp.error.no_such_realm');
});

test('a subprotocol that nobody speaks is refused in the handshake', async (t) => {
  const daemon = await startDaemon(t);
  await assert.rejects(RawClient.open(t, daemon, { protocols: ['chat'] }), /Unexpected server response: 4\d\d/);
  await assertAlive(t, daemon);
});

test('an anonymous client reaches nothing below wamp.', async (t) => {
  const daemon = await startDaemon(t);
  const session = await autobahnSession(t, daemon);
  for (const refused of [
    () => session.call('wamp.session.kill_all'),
    () => session.call('wamp.session.list'),
    () => session.subscribe('wamp.session.on_join', () => {}),
  ]) {
    await assert.rejects(async () => refused(), (error) => {
      assert.equal(error.error, 'wamp.error.not_authorized');
      return true;
    });
  }
});

test('without a shared secret nobody outside can publish, and the log says so', async (t) => {
  const daemon = await startDaemon(t, { env: { LIVETIMING_SHARED_SECRET: null } });
  assert.match(daemon.log, /secret/i);
  await assert.rejects(autobahnSession(t, daemon, { auth: { secret: '' } }));
  await assertAlive(t, daemon);
});

test('a slow handshake does not hold up others', async (t) => {
  const daemon = await startDaemon(t);
  const half = net.connect(daemon.port, '127.0.0.1');
  t.after(() => half.destroy());
  half.on('error', () => {});
  half.write('GET /ws HTTP/1.1\r\nHost: x\r\nUpg');
  await assertAlive(t, daemon);
});

test('bytes that are neither HTTP nor WebSocket end that connection alone', async (t) => {
  const daemon = await startDaemon(t);
  for (const bytes of [Buffer.from([0x7f, 0xf1, 0, 0]), Buffer.from('\0\0\0\0'), Buffer.from('GARBAGE\r\n\r\n'), Buffer.alloc(100000, 0x41)]) {
    const socket = net.connect(daemon.port, '127.0.0.1');
    socket.on('error', () => {});
    socket.resume();
    socket.end(bytes);
    await withTimeout(new Promise((resolve) => socket.on('close', resolve)), 'the connection to close');
  }
  await assertAlive(t, daemon);
});

test('a client that vanishes in the middle of a message leaves nothing behind', async (t) => {
  const daemon = await startDaemon(t);
  for (const cut of [1, 3, 7, 20]) {
    const socket = await rawSocket(t, daemon);
    socket.write(frame(1, Buffer.from('[1,"timing",{"roles":{"subscriber":{}}}]')).subarray(0, cut));
    socket.destroy();
  }
  await assertAlive(t, daemon);
  const status = await eventually(async () => {
    const now = await daemon.ctlJson(['status']);
    return JSON.stringify(now).includes('"sessions"') && now;
  }, 'the status');
  assert.ok(status);
});

test('a subscriber that never reads costs the others nothing', async (t) => {
  const daemon = await startDaemon(t, { env: { LIVETIMING_LIMIT_QUEUE_BYTES: String(1024 * 1024) } });
  const stalled = await rawSocket(t, daemon);
  stalled.write(frame(1, Buffer.from('[1,"timing",{"roles":{"subscriber":{}}}]')));
  stalled.write(frame(1, Buffer.from('[32,1,{},"club.flood"]')));
  await withTimeout(new Promise((resolve) => stalled.once('data', resolve)), 'WELCOME');
  stalled.pause();
  const publisher = await autobahnSession(t, daemon, { auth: {} });
  const reader = await autobahnSession(t, daemon);
  let got = 0;
  await reader.subscribe('club.flood', () => (got += 1));

  const text = 'x'.repeat(64 * 1024);
  for (let i = 0; i < 400; i++) await publisher.publish('club.flood', [text], {}, { acknowledge: true });

  await eventually(() => got === 400, 'the reader to get all');
  await eventually(async () => (await daemon.ctlJson(['status'])).router.slow_peers_ended === 1, 'the slow subscriber to be ended');
});

// A connection past the WebSocket handshake, for frames that libraries refuse to send.
async function rawSocket(t, daemon) {
  const socket = net.connect(daemon.port, '127.0.0.1');
  t.after(() => socket.destroy());
  socket.on('error', () => {});
  socket.write(
    'GET /ws HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n' +
      'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Protocol: wamp.2.json\r\n\r\n',
  );
  const answer = await withTimeout(new Promise((resolve) => socket.once('data', resolve)), 'the handshake');
  assert.match(String(answer), /^HTTP\/1.1 101/);
  return socket;
}

// One masked frame.
function frame(opcode, payload) {
  const mask = Buffer.from([1, 2, 3, 4]);
  const body = Buffer.from(payload.map((byte, i) => byte ^ mask[i % 4]));
  assert.ok(body.length < 126);
  return Buffer.concat([Buffer.from([0x80 | opcode, 0x80 | body.length]), mask, body]);
}
