// Following a service by differences: numbers, gaps, keyframes on demand, and
// the full topic where there are none. Time and connection are ours.
import test from 'node:test';
import assert from 'node:assert/strict';
import { DeltaFollower, DeltaState } from '../../src/web/js/delta.js';

const state = (n) => ({ cars: [['7', n]], session: {}, messages: [], highlight: [] });
const key = (seq, epoch = 'e') => ({ epoch, seq, date: seq, state: state(seq) });
const diff = (seq, epoch = 'e') => ({ epoch, seq, date: seq, diff: { cars: [['change', [0, 1], [null, seq]]] } });

class FakeTimers {
  time = 0;
  due = [];

  setTimeout = (fn, ms) => {
    const timer = { fn, at: this.time + ms };
    this.due.push(timer);
    return timer;
  };

  clearTimeout = (timer) => {
    this.due = this.due.filter((each) => each !== timer);
  };

  async advance(ms) {
    const end = this.time + ms;
    for (;;) {
      const next = this.due.filter(({ at }) => at <= end).sort((a, b) => a.at - b.at)[0];
      if (!next) break;
      this.time = next.at;
      this.clearTimeout(next);
      next.fn();
      await new Promise((resolve) => setImmediate(resolve));
    }
    this.time = end;
  }
}

class FakeConnection {
  topics = new Map();
  calls = [];
  answers = [];

  subscribe(topic, callback, options = {}) {
    this.topics.set(topic, { callback, options });
    return () => this.topics.delete(topic);
  }

  async call(procedure) {
    this.calls.push(procedure);
    const answer = this.answers.shift() ?? { error: 'livetiming.error.failed' };
    if (answer.error) throw Object.assign(new Error(answer.error), { uri: answer.error });
    return answer;
  }
}

function follower({ random = () => 0.5 } = {}) {
  const timers = new FakeTimers();
  const connection = new FakeConnection();
  const shown = [];
  const self = new DeltaFollower(connection, 'u', (value) => shown.push(value.cars[0][1]), { timers, now: () => timers.time, random });
  self.loadDecompressor = async () => (text) => text;
  const send = (event) => connection.topics.get('livetiming.delta.u').callback(event);
  return { self, timers, connection, shown, send };
}

test('differences that follow one another are applied', () => {
  const delta = new DeltaState();
  assert.deepEqual([key(4), diff(5), diff(6)].map((event) => delta.accept(event)), ['state', 'state', 'state']);
  assert.deepEqual(delta.state.cars, [['7', 6]]);
});

test('a difference or keyframe that was there already is ignored', () => {
  const delta = new DeltaState();
  for (const event of [key(4), diff(5)]) delta.accept(event);
  assert.deepEqual([diff(5), diff(3), key(5), key(2)].map((event) => delta.accept(event)), ['old', 'old', 'old', 'old']);
  assert.deepEqual(delta.state.cars, [['7', 5]]);
});

test('a missing number is a gap; what came meanwhile is applied on the keyframe', () => {
  const delta = new DeltaState();
  delta.accept(key(1));
  assert.deepEqual([diff(3), diff(4), diff(5)].map((event) => delta.accept(event)), ['gap', 'gap', 'gap']);
  assert.deepEqual(delta.state.cars, [['7', 1]]);
  assert.equal(delta.accept(key(3)), 'state');
  assert.deepEqual([delta.state.cars, delta.seq, delta.waiting], [[['7', 5]], 5, false]);
});

test('another epoch starts again, whatever its numbers', () => {
  const delta = new DeltaState();
  delta.accept(key(100));
  assert.equal(delta.accept(diff(2, 'new')), 'gap');
  assert.equal(delta.accept(key(1, 'new')), 'state');
  assert.deepEqual(delta.state.cars, [['7', 2]]);
});

test('a difference that cannot be applied is a gap, and its own keyframe ends it', () => {
  const delta = new DeltaState();
  delta.accept(key(1));
  assert.equal(delta.accept({ epoch: 'e', seq: 2, diff: { cars: [['change', [9, 9], [0, 0]]] } }), 'gap');
  assert.equal(delta.accept(key(2)), 'state');
  assert.equal(delta.seq, 2);
});

test('a second gap behind the keyframe keeps waiting', () => {
  const delta = new DeltaState();
  delta.accept(key(1));
  for (const event of [diff(3), diff(6)]) delta.accept(event);
  delta.accept(key(3));
  assert.deepEqual([delta.seq, delta.waiting], [3, true]);
});

test('at most two hundred differences are kept', () => {
  const delta = new DeltaState();
  delta.accept(key(1));
  for (let seq = 3; seq < 1000; seq++) delta.accept(diff(seq));
  assert.equal(delta.kept.length, 200);
});

test('events that are none do no harm', () => {
  const delta = new DeltaState();
  for (const event of [null, 7, 'x', [], {}, { seq: 1 }, { seq: 'x', state: {} }, { epoch: 'e', seq: 1, state: [] }]) assert.equal(delta.accept(event), 'old');
  assert.equal(delta.state, null);
});

test('a gap asks for a keyframe once, after a random wait of at most half a second', async () => {
  const { timers, connection, shown, send } = follower();
  send(key(1));
  connection.answers.push(key(3));
  send(diff(3));
  send(diff(4));
  await timers.advance(249);
  assert.equal(connection.calls.length, 0);
  await timers.advance(2);
  assert.deepEqual(connection.calls, ['livetiming.delta.keyframe.u']);
  assert.deepEqual(shown, [1, 4]);
});

test('a keyframe on the topic ends the gap without a call', async () => {
  const { timers, connection, shown, send } = follower();
  send(key(1));
  send(diff(3));
  send(key(4));
  await timers.advance(5000);
  assert.deepEqual([connection.calls.length, shown], [0, [1, 4]]);
});

test('calls that fail are tried again, each wait twice the one before, up to half a minute', async () => {
  const { timers, connection, send } = follower({ random: () => 0 });
  send(key(1));
  send(diff(3));
  const at = [];
  for (let i = 0; i < 12000; i++) {
    const before = connection.calls.length;
    await timers.advance(10);
    if (connection.calls.length > before) at.push(timers.time);
  }
  const waits = at.slice(1).map((time, i) => Math.round((time - at[i]) / 1000));
  assert.deepEqual(waits.slice(0, 6), [1, 2, 4, 8, 16, 30]);
});

test('without a retained event the procedure is asked for, and without that the full topic is shown', async () => {
  const { timers, connection, shown } = follower();
  connection.answers.push({ error: 'wamp.error.no_such_procedure' });
  connection.topics.get('livetiming.delta.u').options.onSubscribed();
  await timers.advance(1000);
  const full = connection.topics.get('livetiming.service.u');
  full.callback({ msgClass: 4, date: 5, payload: state(1) });
  full.callback({ msgClass: 8, date: 5, payload: JSON.stringify(state(2)) });
  full.callback({ msgClass: 5, date: 5, payload: [] });
  assert.deepEqual(shown, [1, 2]);
});

test('the full topic is left when differences come', async () => {
  const { timers, connection, shown, send } = follower();
  connection.answers.push({ error: 'wamp.error.no_such_procedure' });
  connection.topics.get('livetiming.delta.u').options.onSubscribed();
  await timers.advance(1000);
  send(key(7));
  assert.equal(connection.topics.has('livetiming.service.u'), false);
  assert.deepEqual(shown, [7]);
});

test('nothing is asked for after the page has gone', async () => {
  const { self, timers, connection, send } = follower();
  send(key(1));
  send(diff(3));
  self.destroy();
  await timers.advance(60000);
  assert.equal(connection.calls.length, 0);
});
