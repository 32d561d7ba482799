// WAMP conformance: remote procedure calls.
import assert from 'node:assert/strict';
import { suite } from './support/wamp.mjs';

const { check, anonymous, services } = suite('remote procedure calls');
const unknown = 9007199254740992;
const plain = { roles: { caller: {}, callee: {} } }; // announces nothing

let names = 0;
const fresh = () => `proc.n${++names}`;

// A caller, a callee, and a procedure between them.
async function pair(t, { register, details, name = fresh() } = {}) {
  const callee = await services(t, details);
  const registration = await callee.register(name, register);
  return { callee, registration, name, caller: await anonymous(t) };
}

async function invocation(callee) {
  const message = await callee.next();
  assert.equal(message[0], 68, JSON.stringify(message));
  return message;
}

check('Calling and Invocations', 'a call reaches the callee and its result the caller', async (t) => {
  const { caller, callee, registration, name } = await pair(t);
  caller.send(48, 7, {}, name, [1], { a: 2 });
  await callee.expect(68, 1, registration, {}, [1], { a: 2 });
  callee.send(70, 1, {}, ['x'], { y: 1 });
  await caller.expect(50, 7, {}, ['x'], { y: 1 });
});
check('Calling and Invocations', 'errors of the callee reach the caller with their arguments', async (t) => {
  const { caller, callee, name } = await pair(t);
  caller.send(48, 7, {}, name);
  await invocation(callee);
  callee.send(8, 68, 1, {}, 'my.error', [1], { a: 2 });
  await caller.expect(8, 48, 7, {}, 'my.error', [1], { a: 2 });
});
check('IDs', 'INVOCATION ids count from 1 per callee session', async (t) => {
  const { caller, callee, name } = await pair(t);
  for (let i = 1; i <= 3; i++) {
    caller.send(48, i * 100, {}, name);
    assert.equal((await invocation(callee))[1], i);
  }
});
check('Registering and Unregistering', 'a taken URI is procedure_already_exists, also for the same session', async (t) => {
  const { callee, name } = await pair(t);
  const other = await services(t);
  callee.send(64, 1, {}, name);
  await callee.error(64, 1, 'wamp.error.procedure_already_exists');
  other.send(64, 1, {}, name);
  await other.error(64, 1, 'wamp.error.procedure_already_exists');
});
check('Registering and Unregistering', 'UNREGISTER of what one does not hold is no_such_registration', async (t) => {
  const { registration } = await pair(t);
  const other = await services(t);
  other.send(66, 1, registration).send(66, 2, unknown);
  await other.error(66, 1, 'wamp.error.no_such_registration');
  await other.error(66, 2, 'wamp.error.no_such_registration');
});
check('Calling and Invocations', 'a call of nothing is no_such_procedure', async (t) => {
  const caller = await anonymous(t);
  caller.send(48, 1, {}, 'proc.nothing');
  await caller.error(48, 1, 'wamp.error.no_such_procedure');
});
check('Registering and Unregistering', 'a running invocation may still answer after UNREGISTER', async (t) => {
  const { caller, callee, registration, name } = await pair(t);
  caller.send(48, 1, {}, name);
  await invocation(callee);
  callee.send(66, 5, registration);
  await callee.expect(67, 5);
  caller.send(48, 2, {}, name);
  await caller.error(48, 2, 'wamp.error.no_such_procedure');
  callee.send(70, 1, {}, ['late']);
  await caller.expect(50, 1, {}, ['late']);
});
check('Calling and Invocations', 'a YIELD counts only from the callee, and only once', async (t) => {
  const { caller, callee, name } = await pair(t);
  const stranger = await services(t);
  caller.send(48, 1, {}, name);
  await invocation(callee);
  stranger.send(70, 1, {}, ['forged']).send(8, 68, 1, {}, 'forged.error').send(70, 999, {});
  await stranger.silence();
  await caller.silence();
  callee.send(70, 1, {}, ['true']).send(70, 1, {}, ['again']).send(8, 68, 1, {}, 'again.error');
  await caller.expect(50, 1, {}, ['true']);
  await callee.silence();
  await caller.silence();
});
for (const [name, end] of Object.entries({
  GOODBYE: (peer) => peer.send(6, {}, 'wamp.close.close_realm'),
  ABORT: (peer) => peer.send(3, {}, 'a.b'),
  'a violation': (peer) => peer.text('[]'),
  'a lost connection': (peer) => peer.socket.terminate(),
})) {
  check('Callee Leaving During an RPC', `${name}: each pending caller gets canceled`, async (t) => {
    const { caller, callee, name: procedure } = await pair(t);
    const second = await anonymous(t);
    caller.send(48, 1, {}, procedure);
    second.send(48, 1, {}, procedure);
    await invocation(callee);
    await invocation(callee);
    end(callee);
    await caller.error(48, 1, 'wamp.error.canceled');
    await second.error(48, 1, 'wamp.error.canceled');
    caller.send(48, 2, {}, procedure);
    await caller.error(48, 2, 'wamp.error.no_such_procedure');
  });
}
check('Caller Leaving During an RPC', 'the callee gets INTERRUPT killnowait; its answer is dropped', async (t) => {
  const { caller, callee, name } = await pair(t);
  caller.send(48, 1, {}, name);
  await invocation(callee);
  caller.socket.terminate();
  await callee.expect(69, 1, { mode: 'killnowait' });
  callee.send(70, 1, {});
  await callee.silence();
});
check('Caller Leaving During an RPC', 'a callee without call_canceling gets no INTERRUPT', async (t) => {
  const admin = await services(t);
  await admin.subscribe('wamp.session.on_leave');
  const { caller, callee, name } = await pair(t, { details: plain });
  caller.send(48, 1, {}, name);
  await invocation(callee);
  caller.socket.terminate();
  await admin.next();
  await callee.silence();
});

// --- canceling ---

check('Call Canceling', 'skip: canceled now, no INTERRUPT', async (t) => {
  const { caller, callee, name } = await pair(t);
  caller.send(48, 1, {}, name);
  await invocation(callee);
  caller.send(49, 1, { mode: 'skip' });
  await caller.error(48, 1, 'wamp.error.canceled');
  await callee.silence();
  callee.send(70, 1, {});
  await callee.silence();
  await caller.silence();
});
for (const options of [{ mode: 'killnowait' }, {}, { mode: null }]) {
  check('Call Canceling', `${JSON.stringify(options)}: canceled now, and INTERRUPT`, async (t) => {
    const { caller, callee, name } = await pair(t);
    caller.send(48, 1, {}, name);
    await invocation(callee);
    caller.send(49, 1, options);
    await caller.error(48, 1, 'wamp.error.canceled');
    await callee.expect(69, 1, { mode: 'killnowait' });
  });
}
check('Call Canceling', 'kill: the caller waits for the callee\'s own answer', async (t) => {
  const { caller, callee, name } = await pair(t);
  caller.send(48, 1, {}, name).send(48, 2, {}, name);
  await invocation(callee);
  await invocation(callee);
  caller.send(49, 1, { mode: 'kill' }).send(49, 2, { mode: 'kill' });
  await callee.expect(69, 1, { mode: 'kill' });
  await callee.expect(69, 2, { mode: 'kill' });
  await caller.silence();
  callee.send(8, 68, 1, {}, 'my.canceled', ['why']).send(70, 2, {}, ['done']);
  await caller.expect(8, 48, 1, {}, 'my.canceled', ['why']);
  await caller.expect(50, 2, {}, ['done']);
});
check('Call Canceling', 'kill: the callee\'s death ends the call', async (t) => {
  const { caller, callee, name } = await pair(t);
  caller.send(48, 1, {}, name);
  await invocation(callee);
  caller.send(49, 1, { mode: 'kill' });
  await callee.next();
  callee.socket.terminate();
  await caller.error(48, 1, 'wamp.error.canceled');
});
for (const mode of ['kill', 'killnowait']) {
  check('Call Canceling', `${mode} to a callee without call_canceling acts as skip`, async (t) => {
    const { caller, callee, name } = await pair(t, { details: plain });
    caller.send(48, 1, {}, name);
    await invocation(callee);
    caller.send(49, 1, { mode });
    await caller.error(48, 1, 'wamp.error.canceled');
    await callee.silence();
  });
}
check('Call Canceling', 'unknown and finished calls and a second CANCEL are ignored', async (t) => {
  const { caller, callee, name } = await pair(t);
  caller.send(49, 77, {});
  await caller.silence();
  caller.send(48, 1, {}, name);
  await invocation(callee);
  caller.send(49, 1, { mode: 'kill' }).send(49, 1, { mode: 'killnowait' });
  await callee.next();
  await caller.silence();
  await callee.silence();
  callee.send(70, 1, {});
  await caller.expect(50, 1, {});
  caller.send(49, 1, {});
  await caller.silence();
});
check('Call Canceling', 'an unknown mode is invalid_argument', async (t) => {
  const { caller, callee, name } = await pair(t);
  caller.send(48, 1, {}, name);
  await invocation(callee);
  caller.send(49, 1, { mode: 'maybe' });
  await caller.error(49, 1, 'wamp.error.invalid_argument');
});

// --- timeout ---

check('Call Timeouts', 'ERROR timeout, then as killnowait', async (t) => {
  const { caller, callee, name } = await pair(t);
  caller.send(48, 1, { timeout: 30 }, name);
  await invocation(callee);
  await caller.error(48, 1, 'wamp.error.timeout');
  await callee.expect(69, 1, { mode: 'killnowait' });
  callee.send(70, 1, {});
  await callee.silence();
  await caller.silence();
});
check('Call Timeouts', '0 and null are none; a wrong type is invalid_argument', async (t) => {
  const { caller, callee, name } = await pair(t);
  caller.send(48, 1, { timeout: 0 }, name).send(48, 2, { timeout: null }, name).send(48, 3, { timeout: '5' }, name).send(48, 4, { timeout: -1 }, name);
  await caller.error(48, 3, 'wamp.error.invalid_argument');
  await caller.error(48, 4, 'wamp.error.invalid_argument');
  await invocation(callee);
  await invocation(callee);
  await callee.silence();
});

// --- progress ---

check('Progressive Call Results', 'receive_progress reaches a callee that announced it; each progressive YIELD the caller', async (t) => {
  const { caller, callee, name } = await pair(t);
  caller.send(48, 1, { receive_progress: true }, name);
  assert.deepEqual((await invocation(callee))[3], { receive_progress: true });
  callee.send(70, 1, { progress: true }, [1]).send(70, 1, { progress: true }, [2]).send(70, 1, {}, [3]).send(70, 1, { progress: true }, [4]);
  await caller.expect(50, 1, { progress: true }, [1]);
  await caller.expect(50, 1, { progress: true }, [2]);
  await caller.expect(50, 1, {}, [3]);
  await callee.silence();
  await caller.silence();
});
check('Progressive Call Results', 'progressive_call_results alone is enough for the callee to be told', async (t) => {
  const { caller, callee, name } = await pair(t, { details: { roles: { callee: { features: { progressive_call_results: true } } } } });
  caller.send(48, 1, { receive_progress: true }, name);
  assert.deepEqual((await invocation(callee))[3], { receive_progress: true });
});
check('Progressive Call Results', 'a callee that announced nothing is not told, yet its progress is forwarded', async (t) => {
  const { caller, callee, name } = await pair(t, { details: plain });
  caller.send(48, 1, { receive_progress: true }, name);
  assert.deepEqual((await invocation(callee))[3], {});
  callee.send(70, 1, { progress: true }, [1]);
  await caller.expect(50, 1, { progress: true }, [1]);
});
check('Progressive Call Results', 'progress that nobody asked for never reaches the caller', async (t) => {
  const { caller, callee, name } = await pair(t);
  caller.send(48, 1, {}, name);
  assert.deepEqual((await invocation(callee))[3], {});
  callee.send(70, 1, { progress: true }, [1]).send(70, 1, {}, [2]);
  await caller.expect(50, 1, {}, [2]);
});
check('Progressive Call Results', 'a call may be canceled or fail midway', async (t) => {
  const { caller, callee, name } = await pair(t);
  caller.send(48, 1, { receive_progress: true }, name);
  await invocation(callee);
  callee.send(70, 1, { progress: true }, [1]).send(8, 68, 1, {}, 'my.error');
  await caller.expect(50, 1, { progress: true }, [1]);
  await caller.expect(8, 48, 1, {}, 'my.error');
});

// --- identification, passthru ---

check('Caller Identification', 'disclose_me tells id, authid and authrole, and nothing is told without', async (t) => {
  const { caller, callee, name } = await pair(t);
  caller.send(48, 1, { disclose_me: true }, name).send(48, 2, {}, name);
  assert.deepEqual((await invocation(callee))[3], { caller: caller.id, caller_authid: caller.welcome.authid, caller_authrole: 'anonymous' });
  assert.deepEqual((await invocation(callee))[3], {});
});
check('Caller Identification', 'REGISTER disclose_caller asks for it', async (t) => {
  const { caller, callee, name } = await pair(t, { register: { disclose_caller: true } });
  caller.send(48, 1, {}, name);
  assert.equal((await invocation(callee))[3].caller, caller.id);
});
check('Calling and Invocations', 'options of the caller and details of the callee do not leak', async (t) => {
  const { caller, callee, name } = await pair(t);
  caller.send(48, 1, { timeout: 60000, own: 1, receive_progress: false }, name);
  assert.deepEqual((await invocation(callee))[3], {});
  callee.send(70, 1, { own: 1, callee: 5 }, [1]);
  await caller.expect(50, 1, {}, [1]);
});
check('Payload Passthru Mode', 'ppt keys go from CALL to INVOCATION, YIELD to RESULT, ERROR to ERROR', async (t) => {
  const ppt = { ppt_scheme: 'mqtt', ppt_serializer: 'native', ppt_cipher: 'x', ppt_keyid: 'k' };
  const { caller, callee, name } = await pair(t);
  caller.send(48, 1, ppt, name, ['x']).send(48, 2, ppt, name, ['x']);
  assert.deepEqual((await invocation(callee))[3], ppt);
  await invocation(callee);
  callee.send(70, 1, ppt, ['y']).send(8, 68, 2, ppt, 'my.error', ['z']);
  await caller.expect(50, 1, ppt, ['y']);
  await caller.expect(8, 48, 2, ppt, 'my.error', ['z']);
});

// --- shared and pattern-based registration ---

for (const [invoke, order] of [['roundrobin', [0, 1, 2, 0, 1, 2]], ['first', [0, 0, 0]], ['last', [2, 2, 2]]]) {
  check('Shared Registration', `${invoke}: one id, and the right callees in the right order`, async (t) => {
    const name = fresh();
    const callees = [await services(t), await services(t), await services(t)];
    const ids = [];
    for (const callee of callees) ids.push(await callee.register(name, { invoke }));
    assert.equal(new Set(ids).size, 1);
    const caller = await anonymous(t);
    for (const [i, expected] of order.entries()) {
      caller.send(48, i + 1, {}, name);
      const [, invocationId] = await invocation(callees[expected]);
      callees[expected].send(70, invocationId, {}, [expected]);
      await caller.expect(50, i + 1, {}, [expected]);
    }
  });
}
check('Shared Registration', 'random reaches every callee', async (t) => {
  const name = fresh();
  const callees = [await services(t), await services(t)];
  for (const callee of callees) await callee.register(name, { invoke: 'random' });
  const caller = await anonymous(t);
  for (let i = 1; i <= 64; i++) caller.send(48, i, {}, name);
  for (const callee of callees) await invocation(callee);
});
for (const [invoke, gone, heir] of [['first', 0, 1], ['last', 1, 0]]) {
  check('Shared Registration', `${invoke} fails over`, async (t) => {
    const name = fresh();
    const callees = [await services(t), await services(t)];
    for (const callee of callees) await callee.register(name, { invoke });
    callees[gone].send(6, {}, 'wamp.close.close_realm');
    await callees[gone].next();
    const caller = await anonymous(t);
    caller.send(48, 1, {}, name);
    await invocation(callees[heir]);
  });
}
for (const [first, second] of [['roundrobin', 'first'], ['roundrobin', 'single'], ['single', 'roundrobin'], ['random', undefined]]) {
  check('Shared Registration', `${first} and then ${second ?? 'none'} is procedure_already_exists`, async (t) => {
    const { name } = await pair(t, { register: { invoke: first } });
    const other = await services(t);
    other.send(64, 1, second ? { invoke: second } : {}, name);
    await other.error(64, 1, 'wamp.error.procedure_already_exists');
  });
}
check('Shared Registration', 'an unknown policy is refused', async (t) => {
  const peer = await services(t);
  peer.send(64, 1, { invoke: 'partition' }, fresh()).send(64, 2, { match: 'regex' }, fresh());
  await peer.error(64, 1, 'wamp.error.invalid_argument');
  await peer.error(64, 2, 'wamp.error.invalid_argument');
});
check('Pattern-based Registration', 'exact, else longest prefix, else wildcard with the longest first fixed part', async (t) => {
  const callee = await services(t);
  const ids = {};
  for (const [pattern, match] of [['pr.a1.b2.c3.d4', 'exact'], ['pr.a1.b2.c3', 'prefix'], ['pr.a1.b2', 'prefix'],
    ['pr.a1..c3.d4', 'wildcard'], ['pr.a1.b2..d9', 'wildcard'], ['pr..b2.c9.d9', 'wildcard'], ['pr....', 'wildcard']]) {
    ids[pattern] = await callee.register(pattern, { match });
  }
  const caller = await anonymous(t);
  let request = 0;
  for (const [procedure, expected] of [['pr.a1.b2.c3.d4', 'pr.a1.b2.c3.d4'], ['pr.a1.b2.c3.d5', 'pr.a1.b2.c3'], ['pr.a1.b2.c9.d9', 'pr.a1.b2'],
    ['pr.a1.x.c3.d4', 'pr.a1..c3.d4'], ['pr.z.b2.c9.d9', 'pr..b2.c9.d9'], ['pr.z.z.z.z', 'pr....'], ['pr.a1.b2x', 'pr.a1.b2']]) {
    caller.send(48, ++request, {}, procedure);
    const message = await invocation(callee);
    assert.equal(message[2], ids[expected], procedure);
    assert.deepEqual(message[3], expected === procedure ? {} : { procedure });
  }
  caller.send(48, 99, {}, 'pr.none');
  await caller.error(48, 99, 'wamp.error.no_such_procedure');
});
check('Pattern-based Registration', 'a catch-all does not catch calls under wamp.', async (t) => {
  const callee = await services(t);
  const registration = await callee.register('', { match: 'prefix', invoke: 'single' });
  callee.send(48, 1, {}, 'wamp.session.nothing');
  await callee.error(48, 1, 'wamp.error.no_such_procedure');
  callee.send(66, 2, registration);
  await callee.expect(67, 2);
});

// --- force_reregister, revocation ---

check('Registration Revocation', 'force_reregister takes the URI over; who announced it is told', async (t) => {
  const { caller, callee, registration, name } = await pair(t);
  const heir = await services(t);
  await heir.register(name, { force_reregister: true });
  const [code, request, details] = await callee.next();
  assert.deepEqual([code, request, details.registration], [67, 0, registration]);
  assert.match(details.reason, /^wamp\./);
  caller.send(48, 1, {}, name);
  await invocation(heir);
  await callee.silence();
});
check('Registration Revocation', 'others are not told', async (t) => {
  const { callee, name } = await pair(t, { details: plain });
  const heir = await services(t);
  await heir.register(name, { force_reregister: true });
  await callee.silence();
});
check('Registering and Unregistering', 'the old owner\'s end does not remove the new registration', async (t) => {
  const { caller, callee, name } = await pair(t, { details: plain });
  const heir = await services(t);
  await heir.register(name, { force_reregister: true });
  callee.send(6, {}, 'wamp.close.close_realm');
  await callee.next();
  caller.send(48, 1, {}, name);
  await invocation(heir);
});
check('Registering and Unregistering', 'a session may force its own registration', async (t) => {
  const { caller, callee, name } = await pair(t, { details: plain });
  const registration = await callee.register(name, { force_reregister: true });
  caller.send(48, 1, {}, name);
  assert.equal((await invocation(callee))[2], registration);
});
check('Registering and Unregistering', 'force_reregister of a free URI registers it', async (t) => {
  await pair(t, { register: { force_reregister: true } });
});
for (const options of [{ force_reregister: 1 }, { disclose_caller: 'yes' }, { invoke: 1 }, { match: [] }]) {
  check('No Polymorphism', `REGISTER with ${JSON.stringify(options)} is refused`, async (t) => {
    const peer = await services(t);
    peer.send(64, 1, options, fresh());
    await peer.error(64, 1, 'wamp.error.invalid_argument');
  });
}
