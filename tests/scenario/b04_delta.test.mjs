// The delta stream: whoever follows it has exactly the states of the full topic.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import test from 'node:test';

import lzString from 'lz-string';

import { autobahnSession, RawClient } from './support/clients.mjs';
import { Daemon, eventually, root, startDaemon, withTimeout } from './support/daemon.mjs';
import { applyDiff, Follower } from './support/delta.mjs';

const uuid = 'd0'.repeat(16);
const manifest = { uuid, name: 'Club race', description: 'Heat 1', colSpec: [['Num', 'text']], trackDataSpec: [], pollInterval: 1 };

const asJson = (value) => JSON.parse(JSON.stringify(value));

// A race of 60 cars, made by a generator of pseudo-random numbers.
function* race(seed = 71) {
  let value = seed;
  const random = () => (value = (value * 1103515245 + 12345) % 2147483648) / 2147483648;
  const cars = Array.from({ length: 60 }, (_, i) => [String(i + 1), 'RUN', 0, `Driver ${i}`, ['', ''], ['', ''], i * 0.7]);
  let messages = [];
  for (let second = 0; ; second++) {
    const added = [];
    for (const car of cars) {
      if (random() < 0.1) car[4] = [Math.round(90000 + random() * 3000) / 1000, random() < 0.3 ? 'pb' : ''];
      if (random() < 0.02) car[2]++;
      if (random() < 0.01) {
        car[1] = car[1] === 'RUN' ? 'PIT' : 'RUN';
        added.push([second, car[0], `#${car[0]} ${car[1]} \u00e9\u{1F3C1}`, car[1].toLowerCase(), car[0]]);
      }
      car[6] = Math.round((car[6] + random() - 0.5) * 1000) / 1000;
    }
    if (random() < 0.2) {
      const at = Math.floor(random() * (cars.length - 1));
      cars.splice(at, 2, cars[at + 1], cars[at]);
    }
    if (second % 97 === 96) cars.pop();
    if (second % 97 === 98 % 97) cars.push([`x${second}`, 'RUN', 0, '', ['', ''], ['', ''], true]);
    messages = [...added, ...messages].slice(0, 100);
    const session = { flagState: second % 50 < 40 ? 'green' : 'sc', timeElapsed: second, trackData: second % 30 < 15 ? ['21 C'] : ['21 C', 'dry'] };
    yield asJson({ cars, session, messages, highlight: added.map((message) => message[4]), lastUpdated: 1778936400000 + second * 1000 });
  }
}

async function announce(session) {
  await session.register(`livetiming.service.isAlive.${uuid}`, () => true);
  await session.publish('livetiming.control', [{ msgClass: 2, date: Date.now(), payload: manifest }], {}, { acknowledge: true });
}

// Publishes states of a foreign service, alternately packed and plain, and remembers them by their date.
class Publisher {
  constructor(session) {
    Object.assign(this, { session, sent: new Map(), race: race(), date: 1778936400000 });
  }

  async send(count, extra = {}) {
    for (let i = 0; i < count; i++) {
      const state = { ...this.race.next().value, ...extra };
      this.last = this.date += 1000;
      this.sent.set(this.last, state);
      const packed = i % 2 === 0;
      const payload = packed ? lzString.compressToUTF16(JSON.stringify(state)) : state;
      await this.session.publish(`livetiming.service.${uuid}`, [{ msgClass: packed ? 8 : 4, date: this.last, payload }], {}, { acknowledge: true, retain: true });
    }
  }
}

// Follows over a connection of its own, and compares every state that is shown.
async function follow(t, daemon, publisher, { follower, everyState = false } = {}) {
  const session = await autobahnSession(t, daemon);
  const mine = follower ?? new Follower({});
  // what the answer leads to is seen by whoever waits
  mine.askKeyframe = () => {
    const answer = session.call(`livetiming.delta.keyframe.${uuid}`);
    answer.then(() => setImmediate(() => mine.wake?.()), () => {});
    return answer;
  };
  mine.onShown = ({ date, state }) => {
    // every state of the first viewer, every fifth of the others: comparing is what takes time
    mine.shown = (mine.shown ?? 0) + 1;
    if (everyState || mine.shown % 5 === 0) assert.deepEqual(state, publisher.sent.get(date));
  };
  mine.failure = undefined;
  await session.subscribe(`livetiming.delta.${uuid}`, ([event]) => {
    try {
      mine.event(event);
    } catch (error) {
      mine.failure ??= error;
    }
    mine.wake?.();
  }, { get_retained: true });
  mine.disconnect = () => session.leave();
  return mine;
}

async function reaches(follower, date) {
  const reached = new Promise((resolve, reject) => {
    follower.wake = () => {
      if (follower.failure) reject(follower.failure);
      else if (follower.date === date) resolve();
    };
    follower.wake();
  });
  await withTimeout(reached, `the state of ${date}`);
}

test('the examples of the protocol', () => {
  for (const name of ['rules', 'race']) {
    for (const { name: title, state, diff, result } of JSON.parse(readFileSync(path.join(root, `tests/fixtures/delta/${name}.json`), 'utf8'))) {
      if (result) assert.deepEqual(applyDiff(state, diff), result, title);
    }
  }
});

test('a quarter of an hour of a race, with viewers who come, go and lose events, is exactly that of the full topic', async (t) => {
  const daemon = await startDaemon(t, { env: { LIVETIMING_SERVICES: '', LIVETIMING_DVR: 'no' } });
  const session = await autobahnSession(t, daemon, { auth: {} });
  const publisher = new Publisher(session);
  await announce(session);
  await publisher.send(1);
  const whole = await follow(t, daemon, publisher, { everyState: true });
  await reaches(whole, publisher.last);

  const losing = await follow(t, daemon, publisher);
  const all = losing.event.bind(losing);
  let heard = 0;
  losing.event = (event) => ++heard % 50 !== 0 && all(event);
  let coming = await follow(t, daemon, publisher);
  for (let minute = 0; minute < 15; minute++) {
    // not more at once than the daemon keeps for its workers
    for (let i = 0; i < 6; i++) {
      await publisher.send(10);
      await reaches(whole, publisher.last);
    }
    if (minute % 10 === 5) {
      await reaches(coming, publisher.last);
      coming.disconnect();
      await publisher.send(2);
      coming = await follow(t, daemon, publisher, { follower: coming });
    }
    await reaches(whole, publisher.last);
  }
  await publisher.send(1);
  for (const follower of [whole, coming]) await reaches(follower, publisher.last);
  losing.event = all; // from now on it loses none
  await publisher.send(2);
  await reaches(losing, publisher.last);
  assert.equal(whole.gaps, 0);
  assert.ok(whole.differences > 800, `${whole.differences} differences`);
  assert.ok(whole.shown >= 900, `${whole.shown} states`);
  assert.ok(losing.gaps > 10, `${losing.gaps} gaps`);
  assert.match(await (await fetch(`${daemon.http}/metrics`)).text(), /^livetiming_delta_differences_total [1-9]/m);
});

test('a viewer who does not read loses events, not the connection, and is right again', async (t) => {
  const daemon = await startDaemon(t, {
    env: { LIVETIMING_SERVICES: '', LIVETIMING_DVR: 'no', LIVETIMING_LIMIT_QUEUE_SOFT_BYTES: '65536' },
  });
  const session = await autobahnSession(t, daemon, { auth: {} });
  const publisher = new Publisher(session);
  await announce(session);
  await publisher.send(1);
  const slow = await RawClient.open(t, daemon);
  await slow.hello();
  slow.send([32, 1, { get_retained: true }, `livetiming.delta.${uuid}`]);
  await slow.next();
  await slow.next();
  slow.socket._socket.pause();
  const conflated = async () => Number((await (await fetch(`${daemon.http}/metrics`)).text()).match(/^livetiming_\w*conflated\w* (\d+)$/m)?.[1]);
  await eventually(async () => {
    // more than the buffers of the system hold
    for (let i = 0; i < 20; i++) await publisher.send(1, { filler: String(i).repeat(100000) });
    return (await conflated()) > 0;
  }, 'events to be dropped');
  slow.socket._socket.resume();
  let request = 10;
  const answers = new Map();
  const follower = new Follower({
    keyframe: () => new Promise((resolve) => {
      answers.set(++request, resolve);
      slow.send([48, request, {}, `livetiming.delta.keyframe.${uuid}`]);
    }),
    shown: ({ date, state }) => assert.deepEqual(state, publisher.sent.get(date)),
  });
  await publisher.send(1);
  while (follower.date !== publisher.last) {
    const message = await slow.next();
    if (message[0] === 36) follower.event(message[4][0]);
    else if (message[0] === 50) answers.get(message[1])?.(message[3][0]);
    await new Promise((resolve) => setImmediate(resolve));
  }
  assert.ok(follower.gaps > 0);
});

test('after kill -9 and a restart the epoch is another one and the first event a keyframe', async (t) => {
  const settings = { LIVETIMING_SERVICES: 'simulator --seed 71 --cars 20' };
  const daemon = await startDaemon(t, { env: settings });
  const first = async (one) => {
    const session = await autobahnSession(t, one);
    const events = [];
    const [service] = await eventually(async () => {
      const [list] = [await session.call('livetiming.directory.listServices')];
      return list.length > 0 && list;
    }, 'the service');
    await session.subscribe(`livetiming.delta.${service.uuid}`, ([event]) => events.push(event), { get_retained: true });
    await eventually(() => events.length >= 3, 'events');
    const answer = await session.call(`livetiming.delta.keyframe.${service.uuid}`);
    const full = await session.call(`livetiming.service.requestState.${service.uuid}`);
    return { events, answer, full };
  };
  const before = await first(daemon);
  assert.ok(before.events[0].state.cars.length > 0);
  assert.ok(before.events.some(({ diff }) => diff));
  assert.ok(before.answer.seq >= before.events[0].seq);
  assert.deepEqual(Object.keys(before.answer.state).sort(), Object.keys(before.full).sort());
  await daemon.stop('SIGKILL');
  const again = new Daemon({ dir: daemon.dir, env: settings });
  t.after(() => again.destroy());
  await again.start();
  const after = await first(again);
  assert.notEqual(after.answer.epoch, before.answer.epoch);
  assert.ok(after.events[0].state);
});

test('a service that ends has no keyframes any more', async (t) => {
  const daemon = await startDaemon(t, { env: { LIVETIMING_SERVICES: '' } });
  const viewer = await autobahnSession(t, daemon);
  const session = await autobahnSession(t, daemon, { auth: {} });
  const publisher = new Publisher(session);
  await announce(session);
  await publisher.send(1);
  await eventually(() => viewer.call(`livetiming.delta.keyframe.${uuid}`), 'a keyframe');
  session.leave();
  await eventually(
    () => viewer.call(`livetiming.delta.keyframe.${uuid}`).then(() => false, ({ error }) => error === 'wamp.error.no_such_procedure'),
    'the procedure to end',
  );
  const events = [];
  await viewer.subscribe(`livetiming.delta.${uuid}`, (args) => events.push(args), { get_retained: true });
  await viewer.call('livetiming.directory.listServices');
  assert.deepEqual(events, []);
});
