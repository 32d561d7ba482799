// Playing a timeline: time moves by a clock of ours, chunks come from a daemon of ours.
import test from 'node:test';
import assert from 'node:assert/strict';
import { Emitter, Player, SPEEDS } from '../../src/web/js/player.js';
import { Timeline, lastBefore } from '../../src/web/js/timeline.js';
import { LiveSource } from '../../src/web/js/timeline_live.js';
import { Marks, flagPeriods, isKeyMessage, momentsFrom } from '../../src/web/js/timeline_marks.js';

const settle = () => new Promise((resolve) => setImmediate(resolve));

class FakeClock {
  ms = 0;

  now = () => this.ms;

  each(fn) {
    this.fn = fn;
    return () => (this.fn = null);
  }

  advance(ms, step = 100) {
    for (let done = 0; done < ms; done += step) {
      this.ms += step;
      this.fn?.();
    }
  }
}

// A frame each second from `from` to `to`, all of them here.
class FakeSource extends Emitter {
  constructor({ from = 1000, to = 1100, live = false, loaded = true } = {}) {
    super();
    Object.assign(this, { span: { from, to }, live, loaded, loads: [] });
  }

  now() {
    return this.span.to;
  }

  peek(t) {
    return this.loaded ? { state: { n: Math.floor(t) }, at: Math.floor(t) } : null;
  }

  next(t) {
    return Math.floor(t) + 1;
  }

  async load(t) {
    this.loads.push(t);
    await null;
    if (this.fails) throw new Error('gone');
    this.loaded = true;
  }

  prefetch() {}
}

function play(options, playerOptions) {
  const source = new FakeSource(options);
  const clock = new FakeClock();
  const player = new Player(source, { clock, ...playerOptions });
  const shown = [];
  player.on('state', ({ at, jumped }) => shown.push([at, jumped]));
  clock.advance(100);
  return { source, clock, player, shown };
}

test('a recording plays from its start at the speed that is set, and stops at its end', () => {
  const { clock, player } = play({});
  clock.advance(10000);
  assert.ok(Math.abs(player.time - 1010) < 0.3);
  player.setSpeed(60);
  clock.advance(1000);
  assert.ok(Math.abs(player.time - 1070) < 7);
  clock.advance(2000);
  assert.equal(player.time, 1100);
  assert.equal(player.playing, false);
});

test('speeds are kept between a half and sixty, and step through the usual ones', () => {
  const { player } = play({});
  player.setSpeed(1000);
  assert.equal(player.speed, 60);
  player.setSpeed(0);
  assert.equal(player.speed, 0.5);
  player.stepSpeed(-1);
  assert.equal(player.speed, 0.5);
  const up = SPEEDS.map(() => player.stepSpeed(1) ?? player.speed);
  assert.deepEqual(up.slice(0, 3), [1, 2, 4]);
  assert.equal(player.speed, 60);
});

test('a seek stays inside the recording and is told as a jump', () => {
  const { player, shown } = play({});
  player.seek(5);
  assert.equal(player.time, 1000);
  player.seek(1050);
  assert.deepEqual(shown.at(-1), [1050, true]);
  player.seek(NaN);
  assert.equal(player.time, 1050);
});

test('states are shown ten times a second at most, also at sixty times the speed', () => {
  const { clock, player, shown } = play({ to: 9000 });
  player.setSpeed(60);
  shown.length = 0;
  clock.advance(1000, 10);
  assert.ok(shown.length <= 11 && shown.length >= 8, String(shown.length));
});

test('what is not here yet is waited for, once, and the time stands still meanwhile', async () => {
  const { clock, player, source } = play({ loaded: false });
  assert.equal(player.waiting, true);
  clock.advance(5000);
  assert.equal(player.time, 1000);
  assert.equal(source.loads.length, 1);
  await settle();
  assert.equal(player.waiting, false);
});

test('a failed request is told and tried again later', async () => {
  const { clock, player, source } = play({ loaded: false });
  source.fails = true;
  await settle();
  source.loaded = false;
  player.seek(1050);
  await settle();
  assert.equal(player.error?.message, 'gone');
  const count = source.loads.length;
  clock.advance(1000);
  assert.equal(source.loads.length, count);
  source.fails = false;
  clock.advance(4000);
  await settle();
  assert.equal(player.error, null);
});

test('a live race is followed at its end, left by a pause, and caught up with', () => {
  const { clock, player, source } = play({ live: true });
  assert.equal(player.live, true);
  source.span.to = 1120;
  clock.advance(100);
  assert.equal(player.time, 1120);
  player.pause();
  source.span.to = 1130;
  clock.advance(1000);
  assert.equal(player.time, 1120);
  assert.equal(player.behind, 10);
  player.play();
  assert.equal(player.live, false);
  player.setSpeed(30);
  clock.advance(2000);
  assert.equal(player.live, true);
  assert.equal(player.speed, 1);
});

test('a state that comes late for the moment of a pause does not move what stands still', () => {
  const source = new FakeSource({ live: true });
  const clock = new FakeClock();
  const shown = [];
  let newest = 1098;
  source.peek = () => ({ state: { n: newest }, at: newest });
  const player = new Player(source, { clock });
  player.on('state', ({ at }) => shown.push(at));
  clock.advance(200);
  player.pause();
  newest = 1099; // was on its way
  source.emit('state', source);
  clock.advance(500);
  assert.deepEqual(shown.slice(-1), [1098]);
  player.play();
  clock.advance(100);
  assert.deepEqual(shown.slice(-1), [1099]);
});

test('a delay holds the newest moment back, and live means behind by it', () => {
  const { clock, player } = play({ live: true }, { delay: 40 });
  assert.equal(player.time, 1060);
  player.setDelay(10);
  clock.advance(100);
  assert.equal(player.time, 1090);
  player.seek(1099);
  assert.equal(player.time, 1090);
  player.setDelay(-5);
  assert.equal(player.delay, 0);
});

test('frames are stepped through while paused', () => {
  const { player } = play({}, { start: 1010 });
  player.step(1);
  assert.deepEqual([player.time, player.playing], [1011, false]);
  player.step(-1);
  assert.equal(player.time, 1010);
});

// --- timeline ---

const frame = (t) => ({ t, diff: { cars: [['change', [0, 1], [null, t]]] } });
const key = (t) => ({ t, key: { cars: [['7', t]], session: {}, messages: [], highlight: [] } });

// Three minutes from 1000 on; a key frame first in each.
function fakeDaemon(changes = {}) {
  const asked = [];
  const documents = {
    'index.json': { live: false, recording: 'a', manifest: { name: 'A' }, start: 1000, end: 1179, chunks: { url: '/c/', starts: [0, 60, 120], open: false } },
    'moments.json': { flags: [[1000, 'green'], [1050, 'sc'], [1060, 'green']], laps: [[1000, 1], [1090, 2]], leaders: [], moments: [{ t: 1050, type: 'flag', text: 'sc' }, { t: 1070, type: 'leader', text: '#7 leads' }] },
    ...Object.fromEntries([1000, 1060, 1120].map((start) => [`${start}.json`, { start, closed: true, frames: [key(start), ...Array.from({ length: 59 }, (_, i) => frame(start + i + 1))] }])),
    ...changes,
  };
  const get = async (url) => {
    const name = url.split('/').at(-1);
    asked.push(name);
    const found = documents[name];
    const answer = typeof found === 'function' ? found() : { status: found ? 200 : 404, body: found ?? { error: 'no such document', code: 'no_such_document' } };
    return { status: answer.status, json: async () => answer.body };
  };
  return { asked, get, documents };
}

test('a state of any moment needs the index and its own minute alone', async () => {
  const { asked, get } = fakeDaemon();
  const timeline = new Timeline('/t/', { fetch: get });
  await timeline.open();
  assert.equal(timeline.peek(1100), null);
  await timeline.load(1100.5);
  assert.deepEqual(timeline.peek(1100.5).state.cars, [['7', 1100]]);
  assert.deepEqual(timeline.peek(1070).state.cars, [['7', 1070]]);
  assert.deepEqual(asked.filter((name) => /^\d/.test(name)), ['1060.json']);
  assert.equal(timeline.next(1100.5), 1101);
  assert.equal(timeline.next(1119), 1120);
  assert.deepEqual(timeline.buffered, [{ from: 1060, to: 1120 }]);
});

test('states that were handed out stay as they were', async () => {
  const { get } = fakeDaemon();
  const timeline = new Timeline('/t/', { fetch: get });
  await timeline.load(1005);
  const { state } = timeline.peek(1001);
  timeline.peek(1059);
  assert.deepEqual(state.cars, [['7', 1001]]);
});

test('flags, laps and key moments come with the colours of messages', async () => {
  const { get } = fakeDaemon();
  const timeline = new Timeline('/t/', { fetch: get });
  await timeline.open();
  await settle();
  assert.deepEqual(timeline.flags[1], { from: 1050, to: 1060, flag: 'sc' });
  assert.equal(timeline.flags.at(-1).to, 1179);
  assert.deepEqual(timeline.moments, [{ t: 1050, kind: 'yellow', text: 'Safety car' }, { t: 1070, kind: 'leader', text: '#7 leads' }]);
  assert.deepEqual(timeline.laps[1], { t: 1090, lap: 2 });
});

test('what is still being made is asked for again, and its progress told', async () => {
  let turns = 0;
  const { get } = fakeDaemon({ 'messages.json': () => (++turns < 2 ? { status: 202, body: { progress: 0.5 } } : { status: 200, body: { messages: [[1001, [1001, 'Track', 'x', 'green']]] } }) });
  const timeline = new Timeline('/t/', { fetch: get });
  const progress = [];
  const messages = await timeline.messages({ onProgress: (share) => progress.push(share) });
  assert.deepEqual(progress, [0.5]);
  assert.equal(messages[0].t, 1001);
});

test('the sentence of the daemon is the error', async () => {
  const { get } = fakeDaemon({ 'index.json': () => ({ status: 404, body: { error: 'no such recording', code: 'no_such_recording' } }) });
  await assert.rejects(new Timeline('/t/', { fetch: get }).open(), { message: 'no such recording', code: 'no_such_recording', status: 404 });
});

test('a minute without a whole state first is refused', async () => {
  const { get } = fakeDaemon({ '1000.json': { start: 1000, closed: true, frames: [frame(1000)] } });
  await assert.rejects(new Timeline('/t/', { fetch: get }).load(1010), /does not begin with a state/);
});

test('an open minute is asked for again when more of it is wanted; a new recording forgets the old one', async () => {
  const open = { '1120.json': { start: 1120, closed: false, frames: [key(1120), frame(1121)] } };
  const { asked, get, documents } = fakeDaemon(open);
  documents['index.json'] = { ...documents['index.json'], live: true, end: 1121 };
  const timeline = new Timeline('/t/', { live: true, fetch: get });
  await timeline.load(1121);
  assert.equal(timeline.peek(1121).at, 1121);
  documents['1120.json'] = { start: 1120, closed: false, frames: [key(1120), frame(1121), frame(1122)] };
  documents['index.json'] = { ...documents['index.json'], end: 1122 };
  assert.equal(timeline.peek(1122), null);
  await timeline.load(1122);
  assert.equal(timeline.peek(1122).at, 1122);
  assert.equal(asked.filter((name) => name === '1120.json').length, 2);
  documents['index.json'] = { ...documents['index.json'], recording: 'b' };
  await timeline.refresh();
  assert.equal(timeline.peek(1122), null);
});

test('lastBefore finds the last of equal or earlier ones', () => {
  const times = [1, 2, 2, 5];
  assert.deepEqual([0, 1, 2, 4, 9].map((t) => lastBefore(times.length, (i) => times[i], t)), [-1, 0, 2, 2, 3]);
});

// --- live ---

function liveSource({ past = false } = {}) {
  const clock = { value: 5000 };
  const timeline = Object.assign(new Emitter(), {
    span: past ? { from: 4000, to: 4990 } : null, flags: [], moments: [], laps: [], buffered: [],
    open: async () => { if (!past) throw new Error('not recorded'); }, refresh: async () => {}, load: async () => {}, prefetch() {}, destroy() {}, setCode() {},
    peek: (t) => ({ state: 'past', at: Math.floor(t) }), next: () => Infinity,
  });
  return { clock, source: new LiveSource({ uuid: 'u', timeline, clock: () => clock.value }) };
}
const live = (flagState, messages = []) => ({ cars: [], session: { flagState }, messages });

test('the newest states are here, what is before them comes from the recording in progress', async () => {
  const { source } = liveSource({ past: true });
  await source.open();
  source.push(live('green'), 5001);
  source.push(live('green'), 5002);
  assert.equal(source.peek(5001.5).at, 5001);
  assert.equal(source.peek(4500).state, 'past');
  assert.equal(source.span.from, 4000);
});

test('without a recording the past begins when the page was opened', async () => {
  const { source } = liveSource();
  await source.open();
  source.push(live('green'), 5001);
  assert.equal(source.peek(10).at, 5001);
  assert.equal(source.span.from, 5001);
});

test("now is by the daemon's clock", () => {
  const { clock, source } = liveSource();
  source.push(live('green'), 6000);
  assert.equal(source.now(), 6000);
  clock.value += 3;
  assert.equal(source.now(), 6003);
});

test('a state of a second that is known already takes its place', () => {
  const { source } = liveSource();
  source.push(live('green'), 5001);
  source.push(live('red'), 5001);
  assert.equal(source.recent.length, 1);
  assert.equal(source.peek(5001).state.session.flagState, 'red');
});

test('of many states in one millisecond the last one is on the screen in the end', () => {
  const { clock, source } = liveSource();
  const shown = [];
  const ticks = new FakeClock();
  const player = new Player(source, { clock: ticks });
  player.on('state', ({ state }) => shown.push(state.session.flagState));
  clock.value = 5001;
  for (const flag of ['green', 'sc', 'red', 'green', 'chequered']) source.push(live(flag), 5001);
  for (let i = 0; i < 5; i++) {
    clock.value += 0.1;
    ticks.advance(100);
  }
  assert.equal(shown.at(-1), 'chequered');
  player.destroy();
});

// --- marks ---

test('flags and key messages of live states follow those of the past', () => {
  const marks = new Marks();
  marks.add(live('green'), 100);
  marks.add(live('sc', [[110, 'Track', 'Safety car deployed', 'yellow'], [109, 'GT3', '#7 has entered the pits', 'pit', '7']]), 110);
  marks.add(live('sc', [[110, 'Track', 'Safety car deployed', 'yellow']]), 111);
  assert.deepEqual(marks.flags, [{ from: 100, to: 110, flag: 'green' }, { from: 110, to: null, flag: 'sc' }]);
  assert.deepEqual(marks.moments, [{ t: 110, kind: 'yellow', text: 'Safety car deployed' }]);
  assert.deepEqual(marks.flagsAfter([{ from: 50, to: null, flag: 'green' }]), [{ from: 50, to: 110, flag: 'green' }, { from: 110, to: null, flag: 'sc' }]);
  assert.equal(marks.momentsAfter([{ t: 110, kind: 'yellow', text: 'Safety car deployed' }]).length, 1);
});

test('pit stops are no key moments; flags, bests, retirements and race control are', () => {
  assert.equal(isKeyMessage([1, 'Pits', '#7 has left the pits', 'out', '7']), false);
  for (const message of [[1, 'Track', 'Red flag', 'red'], [1, 'GT3', 'x', 'sb'], [1, 'GT3', '#7 has retired', '', '7'], [1, 'Race Control', 'X', 'raceControl']]) assert.equal(isKeyMessage(message), true);
});

test('no flag at the start is no moment', () => {
  assert.deepEqual(momentsFrom([{ t: 1, type: 'flag', text: 'none' }], flagPeriods([[1, 'none']], 2)), []);
});
