// A race that is pushed as JSON, by HTTP with a token or by WAMP, to what viewers see.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import test from 'node:test';

import { autobahnSession } from './support/clients.mjs';
import { eventually, root, startDaemon } from './support/daemon.mjs';
import { StateWatch, startService } from './support/feeds.mjs';

const TOKEN = 'token-of-the-tests-0123456789';
const fixture = (name) => JSON.parse(readFileSync(path.join(root, 'plugins/push/fixtures', name)));
const show = (daemon, uuid) => daemon.ctlJson(['service', 'show', uuid]);

async function push(daemon, name, message, { token = TOKEN, headers = {} } = {}) {
  const response = await fetch(`${daemon.http}/push/${name}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...(token && { authorization: `Bearer ${token}` }), ...headers },
    body: typeof message === 'string' ? message : JSON.stringify(message),
  });
  return { status: response.status, headers: response.headers, body: await response.json() };
}

async function startPush(t, ...options) {
  const daemon = await startDaemon(t, { env: { LIVETIMING_PUSH_TOKEN: TOKEN } });
  const uuid = await startService(daemon, 'push', '--sectors', '3', ...options);
  const watch = await StateWatch.open(t, daemon, uuid);
  const send = async (message) => {
    const { status, body } = await push(daemon, uuid, message);
    assert.equal(status, 200, JSON.stringify(body));
    return body;
  };
  return { daemon, uuid, watch, send };
}

async function callError(promise) {
  try {
    await promise;
  } catch (error) {
    return [error.error, error.args?.[0]];
  }
  return undefined;
}

test('full and partial updates become a table with gaps, marks and positions', async (t) => {
  const { daemon, uuid, watch, send } = await startPush(t);
  assert.deepEqual(await send(fixture('full.json')), { ok: true, cars: 3 });
  const first = await watch.until((state) => state.cars.length === 3, 'the table');
  const { manifest } = await show(daemon, uuid);
  const at = (title) => manifest.colSpec.findIndex(([found]) => found === title);

  assert.equal(manifest.name, 'Club Endurance');
  assert.equal(manifest.description, 'Heat 1');
  assert.deepEqual(manifest.colSpec.map(([title]) => title), ['Num', 'State', 'Class', 'PIC', 'Driver', 'Team', 'Laps', 'Gap', 'Int', 'S1', 'S2', 'S3', 'Last', 'Best', 'Pits', 'Spd', 'Fuel']);
  assert.deepEqual(first.cars.map((row) => row[0]), ['7', '12', '31']);
  assert.deepEqual([at('PIC'), at('Gap'), at('Int'), at('Last'), at('Spd'), at('Fuel')].map((column) => first.cars[1][column]), [1, 0.75, 0.75, [61, 'pb'], 201.5, 38]);
  assert.equal(first.session.flagState, 'green');
  assert.deepEqual(first.session.trackData, ['21 °C']);

  // only what changed: car 12 passes car 7 with the fastest lap, car 31 goes to the pits
  await send(fixture('partial.json'));
  const second = await watch.until((state) => state.cars[0]?.[0] === '12', 'the partial update');
  const car = (num) => second.cars.find((row) => row[0] === num);
  assert.deepEqual([at('Driver'), at('Laps'), at('Best'), at('Fuel')].map((column) => car('12')[column]), ['Bea Beech', 5, [59.5, 'sb'], 37]);
  assert.equal(car('31')[at('State')], 'PIT');
  assert.equal(car('31')[at('Pits')], 1);
  assert.equal(second.session.flagState, 'yellow');
  assert.equal(second.messages.some((message) => message[2] === 'CAR 31 UNDER INVESTIGATION' && message[3] === 'raceControl'), true);
  assert.equal(second.messages.some((message) => message[2] === 'rain is near'), true);

  // a full update has all cars: those that are not in it are gone
  await send({ update: 'full', cars: [{ num: '7', laps: 5 }] });
  const third = await watch.until((state) => state.cars.length === 1, 'the full update');
  assert.equal(third.cars[0][at('Driver')], 'Ada Ash');
});

test('the schema has what the service takes: its example is one, and its names are all', () => {
  const schema = JSON.parse(readFileSync(path.join(root, 'docs/push.schema.json')));
  const car = schema.$defs.car.properties;
  for (const name of ['full.json', 'partial.json']) {
    const message = fixture(name);
    assert.deepEqual(Object.keys(message).filter((key) => !(key in schema.properties)), []);
    assert.deepEqual(message.cars.flatMap(Object.keys).filter((key) => !(key in car)), []);
    assert.deepEqual(Object.keys(message.session).filter((key) => !(key in schema.$defs.session.properties)), []);
  }
});

test('every mistake is named with its place, and nothing of such a message counts', async (t) => {
  const { daemon, uuid, watch, send } = await startPush(t, '--rate', '1000');
  await send(fixture('full.json'));
  const before = await watch.until((state) => state.cars.length === 3, 'the table');
  const cars = (...list) => ({ cars: [{ num: '99', laps: 1 }, ...list] });
  const mistakes = [
    ['[]', 'expected an object'],
    ['{"cars":', /^byte 8: /],
    ['', /^byte 0: /],
    [{ car: [] }, 'car: there is no such member'],
    [{ update: 'some' }, 'update: expected full or partial'],
    [{ update: 'full' }, 'cars: a full update has all cars'],
    [{ cars: {} }, 'cars: expected a list'],
    [{ cars: [7] }, 'cars[0]: expected an object'],
    [{ cars: [{}] }, 'cars[0].num: expected a text of 1 to 16 bytes'],
    [{ cars: [{ num: 7 }] }, 'cars[0].num: expected a text of 1 to 16 bytes'],
    [cars({ num: '99' }), 'cars[1].num: this car stands there twice'],
    [cars({ num: '1', lastLap: '1:23' }), 'cars[1].lastLap: expected seconds'],
    [cars({ num: '1', lastLap: -1 }), 'cars[1].lastLap: expected seconds'],
    [cars({ num: '1', laps: 1.5 }), 'cars[1].laps: expected a whole number from 0 to 100000'],
    [cars({ num: '1', sectors: [1, '2'] }), 'cars[1].sectors[1]: expected seconds or null'],
    [cars({ num: '1', sectors: [1, 2, 3, 4, 5, 6] }), 'cars[1].sectors: expected at most 5 sectors'],
    [cars({ num: '1', state: 'GONE' }), 'cars[1].state: expected RUN, PIT, OUT, STOP, FIN, RET'],
    [cars({ num: '1', gap: '1 lap' }), 'cars[1].gap: expected seconds, {"laps": number} or null'],
    [cars({ num: '1', inPits: 1 }), 'cars[1].inPits: expected true or false'],
    [cars({ num: '1', driver: 'a\tb' }), 'cars[1].driver: expected a text without control characters'],
    [cars({ num: '1', driver: 'x'.repeat(128) }), 'cars[1].driver: expected a text of at most 127 bytes'],
    [cars({ num: '1', values: { Fuel: 'much' } }), 'cars[1].values.Fuel: expected a number'],
    [cars({ num: '1', values: { Weight: 1 } }), 'cars[1].values.Weight: no column has this title'],
    [cars({ num: '1', values: { Num: 1 } }), 'cars[1].values.Num: no column has this title'],
    [cars({ num: '1', lastlap: 1 }), 'cars[1].lastlap: there is no such member'],
    [{ session: { flag: 'purple' } }, /^session\.flag: expected none, green, .*code_60_zone$/],
    [{ session: { kind: 'cup' } }, 'session.kind: expected race, practice, qualifying'],
    [{ columns: [] }, 'columns: expected a list with at least Num'],
    [{ columns: ['Laps'] }, 'columns: expected Num among them'],
    [{ columns: ['Num', 'Nim'] }, 'columns[1]: no standard column has this title'],
    [{ columns: ['Num', { title: 'Num' }] }, 'columns[1].title: this title is a standard one, or stands there twice'],
    [{ columns: ['Num', { title: 'X', type: 'float' }] }, 'columns[1].type: expected text, numeric, time, delta or class'],
    [{ trackData: [{ value: 'x' }] }, 'trackData[0].name: expected a text'],
    [{ messages: [{ car: '7' }] }, 'messages[0].text: expected a text'],
    [{ raceControl: Array(51).fill('x') }, /at most 50/],
    [{ cars: Array.from({ length: 401 }, (_, i) => ({ num: String(i) })) }, 'cars: expected at most 400 of them'],
  ];
  for (const [message, sentence] of mistakes) {
    const { status, body } = await push(daemon, uuid, message);
    assert.equal(status, 400, JSON.stringify(message));
    if (sentence instanceof RegExp) assert.match(body.error, sentence);
    else assert.equal(body.error, sentence);
  }
  await send({ messages: ['still here'] });
  const after = await watch.until((state) => state.messages.some((message) => message[2] === 'still here'), 'the next message');
  assert.deepEqual(after.cars, before.cars);
  assert.equal((await show(daemon, uuid)).counters.records, 2);
});

test('only who has the token may send, and the token of a file wins', async (t) => {
  const { daemon, uuid } = await startPush(t);
  const file = daemon.writeFile('token', 'another-token-of-a-file-01\n');
  const other = await startService(daemon, 'push', '--token-file', file, '--name', 'Other');
  const message = { cars: [] };
  const statuses = [];
  for (const [name, token] of [[uuid, TOKEN], [uuid, `${TOKEN}x`], [uuid, 'x'], [uuid, null], [other, TOKEN], [other, 'another-token-of-a-file-01'], ['Other', 'another-token-of-a-file-01'], ['nobody', TOKEN], ['', TOKEN]]) {
    statuses.push((await push(daemon, name, message, { token })).status);
  }
  assert.deepEqual(statuses, [200, 401, 401, 401, 401, 200, 200, 404, 404]);
  const refused = await push(daemon, uuid, message, { token: 'x' });
  assert.equal(refused.headers.get('www-authenticate'), 'Bearer realm="push"');
  assert.equal((await push(daemon, uuid, 'x'.repeat(300 * 1024)).catch(() => ({ status: 413 }))).status, 413);
  assert.equal((await push(daemon, uuid, message, { headers: { 'content-type': 'text/plain' } })).status, 415);
  assert.equal((await fetch(`${daemon.http}/push/${uuid}`)).status, 405);
  const simulator = await startService(daemon, 'simulator');
  assert.equal((await push(daemon, simulator, message)).status, 404);
  const shown = JSON.stringify([await show(daemon, uuid), await show(daemon, other)]) + daemon.log;
  assert.ok(!shown.includes(TOKEN) && !shown.includes('another-token'));
  assert.equal((await show(daemon, uuid)).counters.denied, 3);
});

test('a weak token, or an empty file, stops the start with a sentence', async (t) => {
  const daemon = await startDaemon(t);
  for (const [content, sentence] of [['short\n', /expected a token of 16 to 512 characters/], ['\n', /expected a token/], ['with blanks in the middle\n', /has no blanks/]]) {
    const { code, stderr } = await daemon.ctl(['service', 'start', 'push', '--token-file', daemon.writeFile('token', content)]);
    assert.equal(code, 1);
    assert.match(stderr, sentence);
  }
  // without any token sessions of the role "services" alone may send
  const uuid = await startService(daemon, 'push');
  assert.equal((await push(daemon, uuid, { cars: [] })).status, 401);
});

test('sessions of the role services send by a call, others may not', async (t) => {
  const { daemon, uuid, watch } = await startPush(t);
  const procedure = `livetiming.push.${uuid}`;
  const services = await autobahnSession(t, daemon, { auth: {} });
  const anonymous = await autobahnSession(t, daemon);
  assert.deepEqual(await services.call(procedure, [fixture('full.json')]), { ok: true, cars: 3 });
  assert.deepEqual(await services.call(procedure, [JSON.stringify({ cars: [{ num: '7', driver: 'Another' }] })]), { ok: true, cars: 3 });
  await watch.until((state) => state.cars[0]?.includes('Another'), 'the change');
  assert.deepEqual(await callError(services.call(procedure, [{ cars: [{ num: '7', laps: 'x' }] }])), ['wamp.error.invalid_argument', 'cars[0].laps: expected a whole number from 0 to 100000']);
  assert.deepEqual(await callError(services.call(procedure)), ['wamp.error.invalid_argument', 'there is no message']);
  assert.equal((await callError(services.call(procedure, [{ cars: [] }], { token: 'x' })))[0], 'livetiming.error.denied');
  assert.equal((await callError(anonymous.call(procedure, [{ cars: [] }])))[0], 'wamp.error.not_authorized');
  assert.equal((await callError(anonymous.call(procedure, [{ cars: [] }], { token: TOKEN })))[0], 'wamp.error.not_authorized');
});

test('too many messages are refused with 429, and those that are taken go on', async (t) => {
  const { daemon, uuid } = await startPush(t, '--rate', '1');
  const results = await Promise.all(Array.from({ length: 40 }, (_, i) => push(daemon, uuid, { cars: [{ num: String(i) }] })));
  const refused = results.filter(({ status }) => status === 429);
  assert.ok(refused.length > 0);
  assert.ok(results.length - refused.length >= 2);
  assert.ok(results.every(({ status }) => status === 200 || status === 429));
  assert.equal(refused[0].headers.get('retry-after'), '1');
  await eventually(async () => (await push(daemon, uuid, { cars: [] })).status === 200, 'a message to be taken again');
});

test('a silent sender makes the feed stale, the next message alive', async (t) => {
  const { daemon, uuid, watch, send } = await startPush(t, '--stale', '1');
  await send(fixture('full.json'));
  const stale = await watch.until((state) => state.session.stale && state.cars.length === 3, 'the feed to be called stale');
  await eventually(async () => /nobody has sent anything for \d+ s/.test((await show(daemon, uuid)).staleReason ?? ''), 'the reason');
  const seen = watch.states.length;
  await send({ messages: ['back'] });
  await watch.until((state) => !state.session.stale && state.messages.some((message) => message[2] === 'back'), 'the feed to be alive', seen - 1);
  assert.equal(stale.cars.length, 3);
});

test('another session id begins a new session; own columns change while it runs', async (t) => {
  const { daemon, uuid, watch, send } = await startPush(t);
  await send(fixture('full.json'));
  await send({ session: { id: 'heat-2', description: 'Heat 2', elapsed: 0 }, columns: ['Num', 'Laps', { title: 'Tow', type: 'text' }], cars: [{ num: '7', values: { Tow: 'yes' } }] });
  const state = await watch.until((found) => found.cars[0]?.length === 3, 'the new columns');
  const { manifest } = await show(daemon, uuid);
  assert.equal(manifest.description, 'Heat 2');
  assert.deepEqual(manifest.colSpec, [['Num', 'text', 'Car number'], ['Laps', 'numeric'], ['Tow', 'text']]);
  assert.deepEqual(state.cars.find(([num]) => num === '7'), ['7', 0, 'yes']);
  assert.equal(state.cars.every((row) => row[1] === 0), true);
});

test('a service in a process of its own is sent to in the same way', async (t) => {
  const daemon = await startDaemon(t, { env: { LIVETIMING_PUSH_TOKEN: TOKEN } });
  const uuid = await startService(daemon, 'push', '--isolated');
  const watch = await StateWatch.open(t, daemon, uuid);
  await eventually(async () => (await push(daemon, uuid, fixture('full.json'))).status === 200, 'the service to join');
  await watch.until((state) => state.cars.length === 3, 'the table');
  assert.equal((await push(daemon, uuid, { cars: [{ num: '' }] })).body.error, 'cars[0].num: expected a text of 1 to 16 bytes');
  assert.equal((await push(daemon, uuid, {}, { token: 'x' })).status, 401);
});

test('what was sent can be recorded and played again', async (t) => {
  const { daemon, watch, send } = await startPush(t, '--record-raw', 'race.raw');
  await send(fixture('full.json'));
  await send(fixture('partial.json'));
  const played = await watch.until((state) => state.cars[0]?.[0] === '12', 'the partial update');
  await daemon.ctlJson(['service', 'stop', 'push']);
  const uuid = await startService(daemon, 'push', '--replay-raw', 'race.raw', '--speed', '10');
  const again = await StateWatch.open(t, daemon, uuid);
  const state = await again.until((found) => found.cars[0]?.[0] === '12', 'the same again');
  assert.deepEqual(state.cars, played.cars);
});
