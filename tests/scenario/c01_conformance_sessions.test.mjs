// WAMP conformance: messages, identifiers, URIs, sessions, authentication, permissions.
import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { suite } from './support/wamp.mjs';
import { secret, withTimeout } from './support/daemon.mjs';

const { check, open, anonymous, services } = suite('sessions');
const roles = { subscriber: {} };
const sign = (key, text) => createHmac('sha256', key).update(text).digest('base64');

// --- messages ---

const malformed = {
  'an empty text': '',
  'something else than JSON': 'x',
  'an object': '{}',
  'an empty list': '[]',
  'an unknown code': '[7,1,{}]',
  'a code that is text': '["16",1,{},"t"]',
  'a code with a fraction': '[16.5,1,{},"t"]',
  'a code that is a boolean': '[true,1,{},"t"]',
  'a message that is too short': '[32,1,{}]',
  'a message that is too long': '[32,1,{},"t",[]]',
  'PUBLISH with an element behind the keyword arguments': '[16,1,{},"t",[],{},1]',
  'options that are a list': '[32,1,[],"t"]',
  'options that are null': '[32,1,null,"t"]',
  'a topic that is a number': '[32,1,{},5]',
  'arguments that are a dict': '[16,1,{},"t",{}]',
  'keyword arguments that are a list': '[16,1,{},"t",[],[]]',
  'a trailing comma': '[32,1,{},"t",]',
  'a comment': '[32,1,{},"t"/**/]',
  'NaN': '[32,NaN,{},"t"]',
  'a leading zero': '[32,01,{},"t"]',
  'a raw control character': '[32,1,{},"t\u0001"]',
  'a byte order mark': '\ufeff[32,1,{},"t"]',
  'two documents': '[32,1,{},"t"][32,2,{},"t"]',
  'bytes behind the message': '[32,1,{},"t"] x',
  'ERROR with a type other than INVOCATION': '[8,48,1,{},"a.b"]',
};
for (const [name, text] of Object.entries(malformed)) {
  check('Protocol Errors', `${name} ends the session with ABORT protocol_violation`, async (t) => {
    const peer = await anonymous(t);
    peer.text(text).send(32, 2, {}, 'after');
    await peer.abort();
  });
}
for (const [code, message] of Object.entries({
  WELCOME: [2, 1, {}], CHALLENGE: [4, 'x', {}], PUBLISHED: [17, 1, 1], SUBSCRIBED: [33, 1, 1], UNSUBSCRIBED: [35, 1],
  EVENT: [36, 1, 1, {}], RESULT: [50, 1, {}], REGISTERED: [65, 1, 1], UNREGISTERED: [67, 1],
  INVOCATION: [68, 1, 1, {}], INTERRUPT: [69, 1, {}], AUTHENTICATE: [5, 'x', {}],
})) {
  check('Protocol Errors', `${code} from a client in an open session ends it`, async (t) => {
    const peer = await anonymous(t);
    peer.send(...message);
    await peer.abort();
  });
}
check('Protocol Errors', 'what is pipelined behind a violation has no effect', async (t) => {
  const sender = await services(t);
  const watcher = await anonymous(t);
  await watcher.subscribe('pipelined');
  sender.text('[16]').send(16, 1, {}, 'pipelined', [1]);
  await sender.abort();
  await watcher.silence();
});
check('Binary support', 'a binary frame on a text subprotocol is refused', async (t) => {
  const peer = await anonymous(t);
  peer.socket.send(Buffer.from('[32,1,{},"t"]'), { binary: true });
  await peer.abort();
});
check('Message Definitions', 'unknown options are ignored', async (t) => {
  const peer = await anonymous(t);
  peer.send(32, 1, { nonsense: { a: [1] }, x_own: true }, 't');
  assert.equal((await peer.next())[0], 33);
});
check('Message Definitions', 'a known option that is null counts as absent', async (t) => {
  const peer = await anonymous(t);
  peer.send(32, 1, { match: null, get_retained: null }, 't');
  assert.equal((await peer.next())[0], 33);
});
for (const options of [{ match: 5 }, { match: 'some' }, { get_retained: 1 }, { get_retained: 'true' }]) {
  check('No Polymorphism', `SUBSCRIBE with ${JSON.stringify(options)} is refused`, async (t) => {
    const peer = await anonymous(t);
    peer.send(32, 1, options, 't');
    await peer.error(32, 1, 'wamp.error.invalid_argument');
  });
}
check('Empty Arguments and Keyword Arguments', 'keyword arguments alone leave with an empty list', async (t) => {
  const publisher = await services(t);
  const subscriber = await anonymous(t);
  const id = await subscriber.subscribe('empty.args');
  await publisher.publish('empty.args', [], {}, { k: 1 });
  assert.deepEqual((await subscriber.next()).slice(3), [{}, [], { k: 1 }]);
  await publisher.publish('empty.args', []);
  const event = await subscriber.next();
  assert.equal(event[1], id);
  assert.deepEqual(event.slice(3).flat(), [{}]);
});
check('Message Definitions', 'arguments pass unchanged, numbers digit for digit', async (t) => {
  const publisher = await services(t);
  const subscriber = await anonymous(t);
  await subscriber.subscribe('exact.args');
  publisher.text('[16,1,{"acknowledge":true},"exact.args",[12345678901234567890,1.50,1e400,"\\u00e9\\ud83d\\ude00"],{"a":-0.0}]');
  await publisher.next();
  const text = await subscriber.nextText();
  assert.ok(text.endsWith('[12345678901234567890,1.50,1e400,"\\u00e9\\ud83d\\ude00"],{"a":-0.0}]'), text);
});

// --- identifiers ---

for (const id of ['0', '-1', '1.5', '"1"', 'null', '9007199254740994', '1e3000']) {
  check('IDs', `request id ${id} is a violation`, async (t) => {
    const peer = await anonymous(t);
    peer.text(`[32,${id},{},"t"]`);
    await peer.abort();
  });
}
check('IDs', '2^53 is legal and mirrored digit for digit', async (t) => {
  const peer = await anonymous(t);
  peer.text('[32,9007199254740992,{},"t"]');
  assert.match(await peer.nextText(), /^\[33,9007199254740992,\d+\]$/);
});
check('IDs', 'request ids may come in any order', async (t) => {
  const peer = await anonymous(t);
  for (const id of [500, 3, 77, 4503599627370497]) {
    peer.send(32, id, {}, 't');
    assert.equal((await peer.next())[1], id);
  }
});
check('IDs', 'session ids are random over the whole range', async (t) => {
  const ids = [];
  for (let i = 0; i < 8; i++) ids.push((await anonymous(t)).id);
  assert.equal(new Set(ids).size, 8);
  assert.ok(ids.every((id) => Number.isSafeInteger(id) || id === 2 ** 53));
  assert.ok(ids.some((id) => id > 2 ** 49), String(ids));
});
check('IDs', 'publication ids are random over the whole range', async (t) => {
  const peer = await services(t);
  const ids = [];
  for (let i = 0; i < 8; i++) ids.push(await peer.publish('ids'));
  assert.equal(new Set(ids).size, 8);
  assert.ok(ids.some((id) => id > 2 ** 49), String(ids));
});
check('IDs', 'one subscription id for all sessions of a pattern and policy', async (t) => {
  const a = await anonymous(t);
  const b = await anonymous(t);
  const id = await a.subscribe('shared.id');
  assert.equal(await b.subscribe('shared.id'), id);
  assert.notEqual(await a.subscribe('shared.id', { match: 'prefix' }), id);
});

// --- URIs ---

for (const uri of ['a', 'livetiming.service.0f8fad5bd9cb469fa165', 'livetiming.analysis/x/lap', 'A-b.C_d', 'été.日本']) {
  check('URIs', `${uri} is legal`, async (t) => {
    const peer = await anonymous(t);
    await peer.subscribe(uri);
  });
}
for (const uri of ['', 'a..b', '.a', 'a.', 'a b', 'a\tb', 'a\nb', 'a#b', 'a\u00a0b', 'a\u2003b', 'a\u3000', 'a\u0000b', 'x'.repeat(2000), 'a.'.repeat(200) + 'a']) {
  const shown = JSON.stringify(uri.length > 30 ? `${uri.slice(0, 10)}... of ${uri.length}` : uri);
  check('URIs', `SUBSCRIBE, REGISTER, CALL and acknowledged PUBLISH of ${shown} are invalid_uri and the session stays`, async (t) => {
    const peer = await services(t);
    peer.send(32, 1, {}, uri).send(64, 2, {}, uri).send(48, 3, {}, uri).send(16, 4, { acknowledge: true }, uri);
    await peer.error(32, 1, 'wamp.error.invalid_uri');
    await peer.error(64, 2, 'wamp.error.invalid_uri');
    await peer.error(48, 3, 'wamp.error.invalid_uri');
    await peer.error(16, 4, 'wamp.error.invalid_uri');
    await peer.silence();
  });
}
check('URIs', 'an unacknowledged PUBLISH to an invalid URI has no reply', async (t) => {
  const peer = await services(t);
  peer.send(16, 1, {}, 'a..b', [1]);
  await peer.silence();
});
for (const [uri, match] of [['', 'prefix'], ['a.', 'prefix'], ['a..c', 'wildcard'], ['..', 'wildcard'], ['.a', 'wildcard']]) {
  check('URIs', `"${uri}" is a legal pattern for ${match}`, async (t) => {
    const peer = await anonymous(t);
    await peer.subscribe(uri, { match });
  });
}
check('URIs', 'comparison is bytewise', async (t) => {
  const publisher = await services(t);
  const subscriber = await anonymous(t);
  await subscriber.subscribe('Case.Sensitive');
  await publisher.publish('case.sensitive');
  await subscriber.silence();
});
check('URIs', 'escapes in URIs are decoded', async (t) => {
  const publisher = await services(t);
  const subscriber = await anonymous(t);
  subscriber.text('[32,1,{},"esc\\u0061ped"]');
  await subscriber.next();
  await publisher.publish('escaped', [1]);
  assert.equal((await subscriber.next())[0], 36);
});
check('URIs', 'wamp. is reserved for PUBLISH and REGISTER', async (t) => {
  const peer = await services(t);
  peer.send(16, 1, { acknowledge: true }, 'wamp.x').send(64, 2, {}, 'wamp.x').send(64, 3, { match: 'prefix' }, 'wamp.');
  await peer.error(16, 1, 'wamp.error.not_authorized');
  await peer.error(64, 2, 'wamp.error.not_authorized');
  await peer.error(64, 3, 'wamp.error.not_authorized');
});

// --- sessions ---

check('Session Establishment', 'WELCOME tells realm, authid, authrole, authmethod, authprovider, agent', async (t) => {
  const { welcome } = await anonymous(t);
  assert.equal(welcome.realm, 'timing');
  assert.equal(welcome.authrole, 'anonymous');
  assert.equal(welcome.authmethod, 'anonymous');
  assert.equal(welcome.authprovider, 'static');
  assert.match(welcome.authid, /^[0-9a-f]{24}$/);
  assert.match(welcome.agent, /^livetimingd-/);
});
check('Session Establishment', 'WELCOME announces exactly what works', async (t) => {
  const { welcome } = await anonymous(t);
  const names = (role) => Object.entries(welcome.roles[role].features).filter(([, on]) => on === true).map(([name]) => name).sort();
  assert.deepEqual(Object.keys(welcome.roles).sort(), ['broker', 'dealer']);
  assert.deepEqual(names('broker'), ['event_retention', 'pattern_based_subscription', 'payload_passthru_mode',
    'publisher_exclusion', 'publisher_identification', 'session_meta_api', 'subscriber_blackwhite_listing', 'subscription_meta_api']);
  assert.deepEqual(names('dealer'), ['call_canceling', 'call_timeout', 'caller_identification', 'pattern_based_registration',
    'payload_passthru_mode', 'progressive_call_results', 'registration_meta_api', 'registration_revocation', 'session_meta_api',
    'shared_registration', 'testament_meta_api']);
});
check('Session Establishment', 'a realm that is not configured is no_such_realm', async (t) => {
  const peer = await open(t);
  peer.send(1, 'other', { roles });
  await peer.abort('wamp.error.no_such_realm');
});
for (const realm of ['', 'a..b', 'x y']) {
  check('Session Establishment', `realm ${JSON.stringify(realm)} is refused`, async (t) => {
    const peer = await open(t);
    peer.send(1, realm, { roles });
    await peer.abort('wamp.error.no_such_realm');
  });
}
for (const details of [{}, { roles: {} }, { roles: [] }, { roles: { caller: 1 } }, { roles: { nothing: {} } }]) {
  check('Session Establishment', `HELLO with ${JSON.stringify(details)} is a violation`, async (t) => {
    const peer = await open(t);
    peer.send(1, 'timing', details);
    await peer.abort();
  });
}
for (const message of [[6, {}, 'a.b'], [5, 'x', {}], [32, 1, {}, 't'], [16, 1, {}, 't'], [48, 1, {}, 'p'], [2, 1, {}]]) {
  check('Session Establishment', `code ${message[0]} before HELLO is a violation`, async (t) => {
    const peer = await open(t);
    peer.send(...message);
    await peer.abort();
  });
}
check('Session Establishment', 'a second HELLO is a violation', async (t) => {
  const peer = await anonymous(t);
  peer.send(1, 'timing', { roles });
  await peer.abort();
});
check('Session Establishment', 'null for authmethods, authextra and authid counts as absent', async (t) => {
  const peer = await anonymous(t, { authmethods: null, authextra: null, authid: null });
  assert.equal(peer.welcome.authmethod, 'anonymous');
});
check('Session Closing', 'GOODBYE is answered with goodbye_and_out, then the connection closes', async (t) => {
  const peer = await anonymous(t);
  peer.send(6, {}, 'wamp.close.close_realm').send(32, 1, {}, 't');
  await peer.expect(6, {}, 'wamp.close.goodbye_and_out');
  await withTimeout(peer.closed, 'the connection to close');
  assert.equal(peer.inbox.length, 0);
});
check('Session Closing', 'ABORT from the client ends the session without an answer', async (t) => {
  const peer = await anonymous(t);
  peer.send(3, {}, 'wamp.close.system_shutdown');
  await withTimeout(peer.closed, 'the connection to close');
  assert.equal(peer.inbox.length, 0);
});
check('Session Closing', 'an unclean disconnect equals leaving', async (t) => {
  const admin = await services(t);
  const peer = await anonymous(t);
  await admin.subscribe('wamp.session.on_leave');
  peer.socket.terminate();
  assert.deepEqual((await admin.next())[4], [peer.id, peer.welcome.authid, 'anonymous']);
});

// --- authentication ---

check('Authentication Methods', 'authid and authrole of an anonymous HELLO never become the session\'s', async (t) => {
  const peer = await anonymous(t, { authid: 'services', authrole: 'services' });
  assert.notEqual(peer.welcome.authid, 'services');
  assert.equal(peer.welcome.authrole, 'anonymous');
});
check('Authentication Methods', 'absent and empty authmethods mean anonymous', async (t) => {
  assert.equal((await anonymous(t, { authmethods: [] })).welcome.authmethod, 'anonymous');
});
check('Authentication Methods', 'methods are tried in the client\'s order, unknown ones are skipped', async (t) => {
  const peer = await open(t);
  const [code, method] = await peer.hello({ authmethods: ['cryptosign', 'wampcra', 'anonymous'], authid: 'services' });
  assert.deepEqual([code, method], [4, 'wampcra']);
  assert.equal((await anonymous(t, { authmethods: ['scram', 'anonymous', 'wampcra'], authid: 'services' })).welcome.authmethod, 'anonymous');
});
check('Authentication Methods', 'no method in common is no_matching_auth_method', async (t) => {
  const peer = await open(t);
  peer.send(1, 'timing', { roles, authmethods: ['scram', 'cryptosign'], authid: 'services' });
  await peer.abort('wamp.error.no_matching_auth_method');
});
check('Challenge Response Authentication', 'the challenge has all its members', async (t) => {
  const peer = await open(t);
  const [, , extra] = await peer.hello({ authmethods: ['wampcra'], authid: 'services' });
  const challenge = JSON.parse(extra.challenge);
  assert.deepEqual(Object.keys(challenge).sort(), ['authid', 'authmethod', 'authprovider', 'authrole', 'nonce', 'session', 'timestamp']);
  assert.ok(challenge.nonce.length >= 16);
  assert.match(challenge.timestamp, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z$/);
  peer.send(5, sign(secret, extra.challenge), {});
  const [code, session, details] = await peer.next();
  assert.equal(code, 2);
  assert.equal(session, challenge.session);
  assert.equal(details.authid, 'services');
  assert.equal(details.authrole, 'services');
  assert.equal(details.authmethod, 'wampcra');
});
for (const [name, forge] of Object.entries({
  'a wrong key': (text) => sign('other', text),
  'extra bytes': (text) => `${sign(secret, text)}A`,
  'a cut signature': (text) => sign(secret, text).slice(0, -1),
  'another text': (text) => sign(secret, `${text} `),
  'nothing': () => '',
})) {
  check('Challenge Response Authentication', `a signature with ${name} is authentication_denied`, async (t) => {
    const peer = await open(t);
    const [, , extra] = await peer.hello({ authmethods: ['wampcra'], authid: 'services' });
    peer.send(5, forge(extra.challenge), {});
    await peer.abort('wamp.error.authentication_denied');
  });
}
check('Challenge Response Authentication', 'an unknown authid is challenged alike and denied with the same URI', async (t) => {
  const peer = await open(t);
  const [code, method, extra] = await peer.hello({ authmethods: ['wampcra'], authid: 'nobody' });
  assert.deepEqual([code, method, Object.keys(extra)], [4, 'wampcra', ['challenge']]);
  peer.send(5, sign(secret, extra.challenge), {});
  await peer.abort('wamp.error.authentication_denied');
});
check('Challenge Response Authentication', 'without authid it is refused', async (t) => {
  const peer = await open(t);
  peer.send(1, 'timing', { roles, authmethods: ['wampcra'] });
  await peer.abort('wamp.error.authentication_failed');
});
for (const message of [[32, 1, {}, 't'], [1, 'timing', { roles }], [6, {}, 'a.b'], [48, 1, {}, 'p']]) {
  check('Challenge Response Authentication', `code ${message[0]} while challenged is a violation`, async (t) => {
    const peer = await open(t);
    await peer.hello({ authmethods: ['wampcra'], authid: 'services' });
    peer.send(...message);
    await peer.abort();
  });
}
check('Ticket-based Authentication', 'the secret is the ticket of the default principal', async (t) => {
  assert.equal((await services(t)).welcome.authmethod, 'ticket');
});
for (const [authid, ticket] of [['services', 'wrong'], ['services', `${secret} `], ['services', ''], ['nobody', secret]]) {
  check('Ticket-based Authentication', `ticket "${ticket}" of ${authid} is authentication_denied`, async (t) => {
    const peer = await open(t);
    assert.deepEqual(await peer.hello({ authmethods: ['ticket'], authid }), [4, 'ticket', {}]);
    peer.send(5, ticket, {});
    await peer.abort('wamp.error.authentication_denied');
  });
}

// --- permissions ---

check('Authorization', 'anonymous sessions may not publish or register, not even by force', async (t) => {
  const peer = await anonymous(t);
  peer.send(16, 1, { acknowledge: true }, 't').send(64, 2, {}, 'p').send(64, 3, { force_reregister: true }, 'p');
  await peer.error(16, 1, 'wamp.error.not_authorized');
  await peer.error(64, 2, 'wamp.error.not_authorized');
  await peer.error(64, 3, 'wamp.error.not_authorized');
  await peer.silence();
});
check('Authorization', 'a refused unacknowledged PUBLISH has no reply, no effect, and is not retained', async (t) => {
  const peer = await anonymous(t);
  const subscriber = await anonymous(t);
  await subscriber.subscribe('refused.topic');
  peer.send(16, 1, { retain: true }, 'refused.topic', [1]);
  await peer.silence();
  await subscriber.silence();
  await subscriber.subscribe('refused.topic', { get_retained: true });
  await subscriber.silence();
});
for (const name of ['wamp.session.count', 'wamp.session.kill_all', 'wamp.subscription.list', 'wamp.no.such']) {
  check('Authorization', `anonymous sessions may not call ${name}`, async (t) => {
    const peer = await anonymous(t);
    peer.send(48, 1, {}, name);
    await peer.error(48, 1, 'wamp.error.not_authorized');
  });
}
for (const [uri, match] of [['wamp.session.on_join', 'exact'], ['wamp.', 'prefix'], ['wamp..on_join', 'wildcard']]) {
  check('Authorization', `anonymous sessions may not subscribe to ${uri} (${match})`, async (t) => {
    const peer = await anonymous(t);
    peer.send(32, 1, { match }, uri);
    await peer.error(32, 1, 'wamp.error.not_authorized');
  });
}
