// Clients that exist today work unchanged: autobahn-js and wampy, anonymous and
// authenticated; and the facts that the original network's browser relies on.
import test from 'node:test';
import assert from 'node:assert/strict';
import { pbkdf2Sync } from 'node:crypto';
import autobahn from 'autobahn';
import lzString from 'lz-string';
import { Daemon, startDaemon, withTimeout, eventually } from './support/daemon.mjs';
import { autobahnSession, wampySession, RawClient } from './support/clients.mjs';

const services = { auth: {} };

test('autobahn joins anonymously', async (t) => {
  const daemon = await startDaemon(t);
  const session = await autobahnSession(t, daemon);
  assert.ok(Number.isSafeInteger(session.id) && session.id > 0);
});

test('autobahn joins by WAMP-CRA as services', async (t) => {
  const daemon = await startDaemon(t);
  const client = await RawClient.open(t, daemon);
  const [type, , details] = await client.join();
  assert.equal(type, 2);
  assert.equal(details.authrole, 'services');
  await autobahnSession(t, daemon, services);
});

test('autobahn with a wrong secret is denied', async (t) => {
  const daemon = await startDaemon(t);
  await assert.rejects(autobahnSession(t, daemon, { auth: { secret: 'wrong' } }), /authentication_denied/);
});

test('autobahn joins with a salted secret', async (t) => {
  const key = pbkdf2Sync('salted secret', 'pepper', 1000, 32, 'sha256').toString('base64');
  const daemon = new Daemon();
  t.after(() => daemon.destroy());
  daemon.env.LIVETIMING_AUTH_FILE = daemon.writeFile(
    'auth.json',
    JSON.stringify({ club: { secret: key, salt: 'pepper', iterations: 1000, keylen: 32, role: 'services', extra: {} } }),
  );
  await daemon.start();
  const session = await autobahnSession(t, daemon, { auth: { authid: 'club', secret: 'salted secret' } });
  assert.ok(session.id > 0);
});

test('an autobahn subscriber hears what an autobahn publisher sends, arguments unchanged', async (t) => {
  const daemon = await startDaemon(t);
  const publisher = await autobahnSession(t, daemon, services);
  const subscriber = await autobahnSession(t, daemon);
  const heard = new Promise((resolve) => {
    subscriber.subscribe('club.news', (args, kwargs) => resolve({ args, kwargs })).then(() => {
      publisher.publish('club.news', ['Zoë', 1.5, null, [true]], { lap: 9007199254740991 }, { acknowledge: true });
    });
  });
  assert.deepEqual(await withTimeout(heard, 'the event'), {
    args: ['Zoë', 1.5, null, [true]],
    kwargs: { lap: 9007199254740991 },
  });
});

test('a late autobahn subscriber gets the retained event when it asks for it', async (t) => {
  const daemon = await startDaemon(t);
  const publisher = await autobahnSession(t, daemon, services);
  await publisher.publish('club.flag', ['red'], {}, { acknowledge: true, retain: true });
  const subscriber = await autobahnSession(t, daemon);
  const heard = new Promise((resolve) => {
    subscriber.subscribe('club.flag', (args, _kwargs, details) => resolve([args, details.retained]), { get_retained: true });
  });
  assert.deepEqual(await withTimeout(heard, 'the retained event'), [['red'], true]);
});

test('an autobahn procedure is called by an anonymous autobahn caller', async (t) => {
  const daemon = await startDaemon(t);
  const callee = await autobahnSession(t, daemon, services);
  await callee.register('club.add', ([a, b]) => a + b);
  const caller = await autobahnSession(t, daemon);
  assert.equal(await caller.call('club.add', [40, 2]), 42);
});

test('an error of an autobahn procedure reaches its caller with its URI and arguments', async (t) => {
  const daemon = await startDaemon(t);
  const callee = await autobahnSession(t, daemon, services);
  await callee.register('club.fail', () => {
    throw new autobahn.Error('club.error.no_fuel', ['dry'], { litres: 0 });
  });
  const caller = await autobahnSession(t, daemon);
  await assert.rejects(caller.call('club.fail'), (error) => {
    assert.equal(error.error, 'club.error.no_fuel');
    assert.deepEqual(error.args, ['dry']);
    assert.deepEqual(error.kwargs, { litres: 0 });
    return true;
  });
});

test('a second callee takes a procedure over with force_reregister', async (t) => {
  const daemon = await startDaemon(t);
  const first = await autobahnSession(t, daemon, services);
  const second = await autobahnSession(t, daemon, services);
  await first.register('club.who', () => 'first');
  await assert.rejects(second.register('club.who', () => 'second'), (error) => {
    assert.equal(error.error, 'wamp.error.procedure_already_exists');
    return true;
  });
  await second.register('club.who', () => 'second', { force_reregister: true });
  const caller = await autobahnSession(t, daemon);
  assert.equal(await caller.call('club.who'), 'second');
});

test('an anonymous client may neither publish nor register', async (t) => {
  const daemon = await startDaemon(t);
  const session = await autobahnSession(t, daemon);
  for (const refused of [
    () => session.publish('club.news', [1], {}, { acknowledge: true }),
    () => session.register('club.mine', () => 1),
    () => session.register('club.mine', () => 1, { force_reregister: true }),
  ]) {
    // autobahn's promises are of a library of its own: wrap them
    await assert.rejects(async () => refused(), (error) => {
      assert.equal(error.error, 'wamp.error.not_authorized');
      return true;
    });
  }
});

test('wampy subscribes with get_retained and calls anonymously', async (t) => {
  const daemon = await startDaemon(t);
  const publisher = await autobahnSession(t, daemon, services);
  await publisher.publish('club.flag', ['green'], {}, { acknowledge: true, retain: true });
  await publisher.register('club.twice', ([n]) => n * 2);
  const client = await wampySession(t, daemon);
  const heard = new Promise((resolve, reject) => {
    client.subscribe('club.flag', ({ argsList }) => resolve(argsList), { get_retained: true }).catch(reject);
  });
  assert.deepEqual(await withTimeout(heard, 'the retained event'), ['green']);
  const result = await client.call('club.twice', 21);
  assert.deepEqual(result.argsList, [42]);
});

test('wampy publishes and registers by WAMP-CRA', async (t) => {
  const daemon = await startDaemon(t);
  const timing = await wampySession(t, daemon, services);
  await timing.register('club.hello', () => ({ argsList: ['hello'] }));
  const viewer = await wampySession(t, daemon);
  const heard = new Promise((resolve, reject) => {
    viewer.subscribe('club.news', ({ argsList }) => resolve(argsList)).then(
      () => timing.publish('club.news', ['lap 1']),
      reject,
    );
  });
  assert.deepEqual(await withTimeout(heard, 'the event'), ['lap 1']);
  assert.deepEqual((await viewer.call('club.hello')).argsList, ['hello']);
});

test('JSON is chosen when it is offered first, MessagePack second', async (t) => {
  const daemon = await startDaemon(t);
  const client = await RawClient.open(t, daemon, { protocols: ['wamp.2.json', 'wamp.2.msgpack'] });
  assert.equal(client.socket.protocol, 'wamp.2.json');
  assert.equal((await client.hello())[0], 2);
});

test('the browser of the original network finds its relay at /relays from another origin', async (t) => {
  const daemon = await startDaemon(t);
  const response = await fetch(`${daemon.http}/relays`, { headers: { origin: 'https://www.example.org' } });
  assert.equal(response.headers.get('access-control-allow-origin'), '*');
  const relays = await response.json();
  assert.deepEqual(Object.keys(relays.args[0]), [`ws://${daemon.address}/ws`]);
});

test('the browser of the original network gets directory and compressed state right after SUBSCRIBED', async (t) => {
  const daemon = await startDaemon(t, { env: { LIVETIMING_SERVICES: 'simulator --seed 71 --cars 12' } });
  const [service] = await eventually(async () => {
    const list = await (await fetch(`${daemon.http}/directory.json`)).json();
    return list.length > 0 && list;
  }, 'the service in the directory');
  await eventually(async () => (await fetch(`${daemon.http}/state/${service.uuid}.json`)).ok, 'its state');
  const client = await RawClient.open(t, daemon);
  await client.hello('timing', { roles: { subscriber: {} } });

  client.send([32, 1, { get_retained: true }, 'livetiming.directory']);
  const [subscribedType] = await client.next();
  const directory = await client.next();
  client.send([32, 2, { get_retained: true }, `livetiming.service.${service.uuid}`]);
  const seen = [];
  while (!seen.some((message) => message[0] === 36 && message[4][0].msgClass === 8)) seen.push(await client.next());

  assert.equal(subscribedType, 33);
  assert.equal(directory[0], 36);
  assert.equal(directory[4][0].msgClass, 5);
  assert.deepEqual(directory[4][0].payload.map((manifest) => manifest.uuid), [service.uuid]);
  const event = seen.find((message) => message[0] === 36 && message[4][0].msgClass === 8);
  const state = JSON.parse(lzString.decompressFromUTF16(event[4][0].payload));
  assert.equal(state.cars.length, 12);
  assert.ok(Array.isArray(state.messages));
});

test('requestAnalysisData answers without arguments', async (t) => {
  const daemon = await startDaemon(t, { env: { LIVETIMING_SERVICES: 'simulator --seed 71' } });
  const [service] = await eventually(async () => {
    const list = await (await fetch(`${daemon.http}/directory.json`)).json();
    return list.length > 0 && list;
  }, 'the service in the directory');
  const session = await autobahnSession(t, daemon);
  const analysis = await session.call(`livetiming.service.requestAnalysisData.${service.uuid}`);
  assert.ok(analysis === null || typeof analysis === 'object');
  assert.equal(await session.call(`livetiming.service.isAlive.${service.uuid}`), true);
});
