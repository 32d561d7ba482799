// WAMP conformance: meta API and testaments.
import assert from 'node:assert/strict';
import { Packr } from 'msgpackr';
import { Encoder } from 'cbor-x';
import { suite } from './support/wamp.mjs';
import { secret, withTimeout } from './support/daemon.mjs';

const { check, open, anonymous, services } = suite('meta API');
const unknown = 9007199254740991;

// --- sessions ---

check('Session Meta API', 'count and list take roles', async (t) => {
  const admin = await services(t);
  const peer = await anonymous(t);
  const all = await admin.ask('wamp.session.list');
  assert.ok(all.includes(admin.id) && all.includes(peer.id));
  assert.equal(await admin.ask('wamp.session.count'), all.length);
  const guests = await admin.ask('wamp.session.list', [['anonymous']]);
  assert.ok(guests.includes(peer.id) && !guests.includes(admin.id));
  assert.equal(await admin.ask('wamp.session.count', [['anonymous']]), guests.length);
  assert.equal(await admin.ask('wamp.session.count', [[]]), 0);
});
check('Session Meta API', 'get describes a session and tells no secret', async (t) => {
  const admin = await services(t);
  const details = await admin.ask('wamp.session.get', [admin.id]);
  assert.deepEqual(Object.keys(details).sort(), ['authid', 'authmethod', 'authprovider', 'authrole', 'session', 'transport']);
  assert.equal(details.session, admin.id);
  assert.equal(details.authid, 'services');
  assert.equal(details.authmethod, 'ticket');
  assert.equal(details.transport.type, 'websocket');
});
for (const name of ['get', 'kill']) {
  check('Session Meta API', `${name} of an unknown session is no_such_session`, async (t) => {
    const admin = await services(t);
    admin.send(48, 1, {}, `wamp.session.${name}`, [unknown]);
    await admin.error(48, 1, 'wamp.error.no_such_session');
  });
}
check('Session Meta API', 'kill says GOODBYE killed, or the given reason and message, and closes', async (t) => {
  const admin = await services(t);
  const a = await anonymous(t);
  const b = await anonymous(t);
  await admin.ask('wamp.session.kill', [a.id]);
  await a.expect(6, {}, 'wamp.close.killed');
  await withTimeout(a.closed, 'the connection to close');
  await admin.ask('wamp.session.kill', [b.id], { reason: 'my.reason', message: 'go away' });
  await b.expect(6, { message: 'go away' }, 'my.reason');
  await withTimeout(b.closed, 'the connection to close');
});
check('Session Meta API', 'one\'s own session is never killed', async (t) => {
  const admin = await services(t);
  admin.send(48, 1, {}, 'wamp.session.kill', [admin.id]);
  await admin.error(48, 1, 'wamp.error.no_such_session');
  await admin.ask('wamp.session.kill_by_authrole', ['services']);
  await admin.ask('wamp.session.kill_by_authid', ['services']);
  await admin.ask('wamp.session.kill_all');
  await admin.silence();
});
check('Session Meta API', 'an invalid reason is invalid_uri and nobody is killed', async (t) => {
  const admin = await services(t);
  const peer = await anonymous(t);
  admin.send(48, 1, {}, 'wamp.session.kill', [peer.id], { reason: 'not a uri' });
  await admin.error(48, 1, 'wamp.error.invalid_uri');
  await peer.silence();
});
check('Session Meta API', 'kill_by_authid gives ids, kill_by_authrole and kill_all counts', async (t) => {
  const admin = await services(t);
  await admin.ask('wamp.session.kill_all');
  const twin = await services(t);
  assert.deepEqual(await admin.ask('wamp.session.kill_by_authid', ['services']), [twin.id]);
  await anonymous(t);
  await anonymous(t);
  assert.equal(await admin.ask('wamp.session.kill_by_authrole', ['anonymous']), 2);
  await anonymous(t);
  await services(t);
  assert.equal(await admin.ask('wamp.session.kill_all'), 2);
  assert.equal(await admin.ask('wamp.session.count'), 1);
});
check('Session Meta Events', 'on_join and on_leave, and none for connections without WELCOME', async (t) => {
  const admin = await services(t);
  await admin.subscribe('wamp.session.on_join');
  await admin.subscribe('wamp.session.on_leave');
  const peer = await anonymous(t);
  const [details] = (await admin.next())[4];
  assert.equal(details.session, peer.id);
  assert.equal(details.authrole, 'anonymous');
  const refused = await open(t);
  await refused.hello({ authmethods: ['ticket'], authid: 'services' });
  refused.send(5, 'wrong', {});
  await refused.abort('wamp.error.authentication_denied');
  peer.send(6, {}, 'wamp.close.close_realm');
  assert.deepEqual((await admin.next())[4], [peer.id, peer.welcome.authid, 'anonymous']);
  await admin.silence();
});

// --- subscriptions ---

check('Subscription Meta API', 'list, lookup, match, get, list_subscribers, count_subscribers', async (t) => {
  const admin = await services(t);
  const peer = await anonymous(t);
  const exact = await peer.subscribe('meta.a');
  const prefix = await peer.subscribe('meta.', { match: 'prefix' });
  const wildcard = await peer.subscribe('meta.', { match: 'wildcard' });
  const list = await admin.ask('wamp.subscription.list');
  assert.ok(list.exact.includes(exact) && list.prefix.includes(prefix) && list.wildcard.includes(wildcard));
  assert.equal(await admin.ask('wamp.subscription.lookup', ['meta.a']), exact);
  assert.equal(await admin.ask('wamp.subscription.lookup', ['meta.', { match: 'prefix' }]), prefix);
  assert.equal(await admin.ask('wamp.subscription.lookup', ['meta.none']), null);
  assert.deepEqual((await admin.ask('wamp.subscription.match', ['meta.a'])).sort(), [exact, prefix, wildcard].sort());
  const details = await admin.ask('wamp.subscription.get', [prefix]);
  assert.match(details.created, /^\d{4}-\d\d-\d\dT/);
  assert.deepEqual({ ...details, created: '' }, { id: prefix, created: '', uri: 'meta.', match: 'prefix' });
  assert.deepEqual(await admin.ask('wamp.subscription.list_subscribers', [exact]), [peer.id]);
  assert.equal(await admin.ask('wamp.subscription.count_subscribers', [exact]), 1);
});
for (const name of ['get', 'list_subscribers', 'count_subscribers']) {
  check('Subscription Meta API', `${name} of an unknown id is no_such_subscription`, async (t) => {
    const admin = await services(t);
    admin.send(48, 1, {}, `wamp.subscription.${name}`, [unknown]);
    await admin.error(48, 1, 'wamp.error.no_such_subscription');
  });
}
check('Subscription Meta Events', 'in order, also on disconnect, with the real session id', async (t) => {
  const admin = await services(t);
  await admin.subscribe('wamp.subscription.', { match: 'prefix' });
  const peer = await anonymous(t);
  const id = await peer.subscribe('meta.watched');
  peer.socket.terminate();
  const news = [];
  for (let i = 0; i < 4; i++) news.push(await admin.next());
  assert.deepEqual(news.map((event) => event[3].topic.split('.').pop()), ['on_create', 'on_subscribe', 'on_unsubscribe', 'on_delete']);
  assert.equal(news[0][4][1].uri, 'meta.watched');
  assert.equal(news[0][4][1].id, id);
  for (const event of news) assert.equal(event[4][0], peer.id);
  for (const event of news.slice(1)) assert.equal(event[4][1], id);
});

// --- registrations ---

check('Registration Meta API', 'list, lookup, match, get, list_callees, count_callees', async (t) => {
  const admin = await services(t);
  const callee = await services(t);
  const exact = await callee.register('metaproc.a', { invoke: 'roundrobin' });
  const prefix = await callee.register('metaproc.', { match: 'prefix' });
  const list = await admin.ask('wamp.registration.list');
  assert.ok(list.exact.includes(exact) && list.prefix.includes(prefix) && Array.isArray(list.wildcard));
  assert.equal(await admin.ask('wamp.registration.lookup', ['metaproc.a']), exact);
  assert.equal(await admin.ask('wamp.registration.lookup', ['metaproc.', { match: 'prefix' }]), prefix);
  assert.equal(await admin.ask('wamp.registration.match', ['metaproc.b']), prefix);
  assert.equal(await admin.ask('wamp.registration.match', ['metanone']), null);
  const details = await admin.ask('wamp.registration.get', [exact]);
  assert.deepEqual({ ...details, created: '' }, { id: exact, created: '', uri: 'metaproc.a', match: 'exact', invoke: 'roundrobin' });
  assert.deepEqual(await admin.ask('wamp.registration.list_callees', [exact]), [callee.id]);
  assert.equal(await admin.ask('wamp.registration.count_callees', [exact]), 1);
});
for (const name of ['get', 'list_callees', 'count_callees']) {
  check('Registration Meta API', `${name} of an unknown id is no_such_registration`, async (t) => {
    const admin = await services(t);
    admin.send(48, 1, {}, `wamp.registration.${name}`, [unknown]);
    await admin.error(48, 1, 'wamp.error.no_such_registration');
  });
}
check('Registration Meta Events', 'in order, also on disconnect, with the real session id', async (t) => {
  const admin = await services(t);
  await admin.subscribe('wamp.registration.', { match: 'prefix' });
  const callee = await services(t);
  const id = await callee.register('metaproc.watched');
  callee.socket.terminate();
  const news = [];
  for (let i = 0; i < 4; i++) news.push(await admin.next());
  assert.deepEqual(news.map((event) => event[3].topic.split('.').pop()), ['on_create', 'on_register', 'on_unregister', 'on_delete']);
  for (const event of news) assert.equal(event[4][0], callee.id);
  for (const event of news.slice(1)) assert.equal(event[4][1], id);
});

// --- arguments ---

for (const [name, args] of [['session.count', [5]], ['session.get', []], ['session.get', ['1']], ['session.kill', [1.5]], ['session.kill_by_authid', [1]],
  ['subscription.lookup', [1]], ['subscription.lookup', ['a', { match: 'x' }]], ['registration.get', [null]], ['session.add_testament', ['t']]]) {
  check('Meta API', `${name} with ${JSON.stringify(args)} is invalid_argument`, async (t) => {
    const admin = await services(t);
    admin.send(48, 1, {}, `wamp.${name}`, args);
    await admin.error(48, 1, 'wamp.error.invalid_argument');
  });
}
check('Meta API', 'an unknown procedure under wamp. is no_such_procedure', async (t) => {
  const admin = await services(t);
  admin.send(48, 1, {}, 'wamp.session.authenticate');
  await admin.error(48, 1, 'wamp.error.no_such_procedure');
});

// --- testaments ---

for (const [name, end] of Object.entries({
  'a lost connection': (peer) => peer.socket.terminate(),
  GOODBYE: (peer) => peer.send(6, {}, 'wamp.close.close_realm'),
  'a violation': (peer) => peer.text('[]'),
})) {
  check('Session Testament', `${name} publishes what the session left`, async (t) => {
    const heir = await anonymous(t);
    const id = await heir.subscribe('meta.testament');
    const dying = await services(t);
    await dying.ask('wamp.session.add_testament', ['meta.testament', ['gone'], { k: 1 }]);
    await heir.silence();
    end(dying);
    const event = await heir.next();
    assert.deepEqual([event[1], ...event.slice(3)], [id, {}, ['gone'], { k: 1 }]);
  });
}
check('Session Testament', 'options of publish and scopes are taken; flushed ones are forgotten', async (t) => {
  const heir = await anonymous(t);
  await heir.subscribe('meta.scoped');
  const dying = await services(t);
  await dying.ask('wamp.session.add_testament', ['meta.scoped', [1], {}], { scope: 'destroyed' });
  await dying.ask('wamp.session.add_testament', ['meta.scoped', [2], {}], { scope: 'detached', publish_options: { retain: true } });
  await dying.ask('wamp.session.flush_testaments', [], { scope: 'destroyed' });
  dying.socket.terminate();
  assert.deepEqual((await heir.next())[4], [2]);
  await heir.silence();
  await heir.subscribe('meta.scoped', { get_retained: true });
  assert.equal((await heir.next())[3].retained, true);
});

// --- other serializers ---

for (const [protocol, codec] of [
  ['wamp.2.msgpack', new Packr({ useRecords: false, mapsAsObjects: true })],
  ['wamp.2.cbor', new Encoder({ useRecords: false, mapsAsObjects: true, tagUint8Array: false })],
]) {
  check('Serializers', `the meta API and testaments over ${protocol}`, async (t) => {
    const heir = await anonymous(t);
    await heir.subscribe('meta.binary');
    const peer = await open(t, { protocols: [protocol] });
    const say = (message) => peer.socket.send(codec.encode(message));
    const received = [];
    const waiting = [];
    peer.socket.removeAllListeners('message');
    peer.socket.on('message', (data) => {
      received.push(codec.decode(data));
      waiting.shift()?.();
    });
    const next = async () => {
      while (received.length === 0) await withTimeout(new Promise((resolve) => waiting.push(resolve)), 'a message');
      return received.shift();
    };
    say([1, 'timing', { roles: { caller: {} }, authmethods: ['ticket'], authid: 'services' }]);
    assert.deepEqual(await next(), [4, 'ticket', {}]);
    say([5, secret, {}]);
    const [, id] = await next();
    say([48, 1, {}, 'wamp.session.get', [id]]);
    assert.equal((await next())[3][0].transport.protocol, protocol);
    say([48, 2, {}, 'wamp.session.add_testament', ['meta.binary', [Buffer.from([0, 1, 255]), 2 ** 40], { k: 'é' }]]);
    assert.deepEqual(await next(), [50, 2, {}]);
    say([48, 3, {}, 'wamp.session.get', [7]]);
    assert.equal((await next())[4], 'wamp.error.no_such_session');
    peer.socket.terminate();
    assert.deepEqual((await heir.next()).slice(3), [{}, ['\u0000AAH/', 2 ** 40], { k: 'é' }]);
  });
}
