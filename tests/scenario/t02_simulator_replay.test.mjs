// The simulator and the replay of recordings, as viewers see them.
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { copyFileSync, existsSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import test from 'node:test';

import { eventually, shared, startDaemon } from './support/daemon.mjs';
import { StateWatch, startService } from './support/feeds.mjs';

const RECORDINGS = ['s11-wec-8x5m', 's22-club-14x12m', 's33-tsnl-10x8m', 's44-nonum-5x3m'];
const UPDATES = 'lastUpdated'; // the one member that a service adds to a recorded state

// --- simulator ---

// What does not change during a race: number, class, team, car.
function entries(state) {
  return state.cars.map((row) => [row[0], row[2], row[4], row[6]]).sort();
}

async function simulate(t, daemon, ...options) {
  const uuid = await startService(daemon, 'simulator', ...options);
  const watch = await StateWatch.open(t, daemon, uuid);
  return { uuid, watch, first: await watch.until((state) => state.cars.length > 0, 'cars') };
}

test('the same seed gives the same cars, another seed others', async (t) => {
  const daemon = await startDaemon(t);
  const one = await simulate(t, daemon, '--seed', '7', '--cars', '12');
  const two = await simulate(t, daemon, '--seed', '7', '--cars', '12');
  const other = await simulate(t, daemon, '--seed', '8', '--cars', '12');
  assert.notEqual(one.uuid, two.uuid);
  assert.deepEqual(entries(one.first), entries(two.first));
  assert.notDeepEqual(entries(one.first), entries(other.first));
});

test('the same seed gives the same race to the millisecond', async (t) => {
  const daemon = await startDaemon(t);
  const table = async () => {
    // So slow that the first update shows the race as it was at --start-at.
    const { first } = await simulate(t, daemon, '--seed', '3', '--start-at', '4000', '--speed', '0.1');
    return first.cars.map((row) => row.slice(-3)); // last lap, best lap, stops
  };
  assert.deepEqual(await table(), await table());
});

test('cars and classes are as many and as named as the options say', async (t) => {
  const daemon = await startDaemon(t);
  const { first } = await simulate(t, daemon, '--cars', '9', '--classes', 'Blue,Red');
  assert.equal(first.cars.length, 9);
  assert.deepEqual([...new Set(first.cars.map((row) => row[2]))].sort(), ['Blue', 'Red']);
});

test('a short race ends and the next one begins', async (t) => {
  const daemon = await startDaemon(t);
  const { uuid, watch } = await simulate(t, daemon, '--duration', '5', '--break', '60', '--speed', '200', '--start-at', '0');
  const description = async () => (await daemon.ctlJson(['service', 'show', uuid])).description;
  const before = await description();
  await watch.until((state) => state.session.flagState === 'chequered', 'the finish');
  await eventually(async () => (await description()) !== before, 'the next race');
});

const badOptions = [
  [['--cars', '2'], /--cars: expected an integer from 3 to 100, not "2"/],
  [['--cars', '101'], /--cars: expected an integer from 3 to 100, not "101"/],
  [['--seed', 'x'], /--seed: expected an integer.*, not "x"/],
  [['--seed', '-1'], /--seed: expected an integer/],
  [['--speed', '0'], /--speed: expected a number from 0\.1 to 1000, not "0"/],
  [['--speed', 'nan'], /--speed: expected a number/],
  [['--classes', ''], /class/],
  [['--classes', 'a,b,c,d,e,f,g'], /class/],
  [['--carz', '5'], /--carz.*--cars/],
  [['--cars'], /--cars/],
  [['stray'], /"?stray"?/],
];
for (const [options, sentence] of badOptions) {
  test(`simulator ${options.join(' ')} is refused`, async (t) => {
    const daemon = await startDaemon(t);
    const result = await daemon.ctl(['service', 'start', 'simulator', ...options]);
    assert.equal(result.code, 1, result.stdout);
    assert.match(result.stderr, sentence);
    assert.equal(result.stderr.trim().split('\n').length, 1);
    assert.deepEqual(await daemon.ctlJson(['service', 'list']), []);
  });
}

// --- replay ---

// Python's compact JSON with sorted keys, of a JSON text: numbers stay as they were written (1 and 1.0 differ).
function compactSorted(text) {
  // A number becomes a text that no state has.
  const tagged = text.replace(/"(?:[^"\\]|\\.)*"|-?\d[\d.eE+-]*/g, (token) => (token[0] === '"' ? token : `"\\u0000${token}"`));
  const write = (value) => {
    if (Array.isArray(value)) return `[${value.map(write).join(',')}]`;
    if (value && typeof value === 'object') {
      return `{${Object.keys(value).filter((key) => key !== UPDATES).sort().map((key) => `${write(key)}:${write(value[key])}`).join(',')}}`;
    }
    if (typeof value === 'string' && value[0] === '\0') return value.slice(1);
    return JSON.stringify(value).replace(/[\u0080-\uffff]/g, (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, '0')}`);
  };
  return write(JSON.parse(tagged));
}

const sha256 = (text) => createHash('sha256').update(compactSorted(text)).digest('hex');
const jsonLines = (file) => readFileSync(file, 'utf8').trim().split('\n').map((line) => JSON.parse(line));

function without(state) {
  const { [UPDATES]: _, ...rest } = state;
  return rest;
}

// The recording of a set, with what the original says about it; null when there is no reference data.
function golden(t, name) {
  const dir = shared(t, `golden/${name}`);
  if (!dir) return null;
  return {
    recording: path.join(dir, 'recording.zip'),
    states: JSON.parse(readFileSync(path.join(dir, 'states.json'))),
    frames: jsonLines(path.join(dir, 'frames.jsonl')),
    manifest: JSON.parse(readFileSync(path.join(dir, 'manifest.json'))),
    published: JSON.parse(readFileSync(path.join(dir, 'published_state.json'))),
  };
}

async function replay(t, daemon, ...options) {
  const uuid = await startService(daemon, 'replay', ...options);
  return { uuid, watch: await StateWatch.open(t, daemon, uuid) };
}

for (const name of RECORDINGS) {
  test(`replay of ${name}: every state shown is one of the recording, in order, to the last`, async (t) => {
    const set = golden(t, name);
    if (!set) return;
    const daemon = await startDaemon(t);
    const { uuid, watch } = await replay(t, daemon, '--file', set.recording, '--speed', '150');
    const last = set.states.find(({ frame }) => frame === set.frames.length - 1);
    await watch.until((_, at = watch.texts.length - 1) => sha256(watch.texts[at]) === last.sha256, 'the last state');
    const known = set.frames.map(({ state }) => JSON.stringify([state.cars, state.session]));
    let frame = -1;
    for (const state of watch.states.filter(({ cars }) => cars.length > 0)) {
      const next = known.indexOf(JSON.stringify([state.cars, state.session]), Math.max(frame, 0));
      assert.ok(next >= frame, `a state that is not in the recording behind frame ${frame}`);
      frame = next;
    }
    assert.equal(frame, known.length - 1);
    const final = without(watch.latest);
    assert.deepEqual({ ...final, highlight: [...final.highlight].sort() }, { ...set.published, highlight: [...set.published.highlight].sort() });
    const { manifest } = await daemon.ctlJson(['service', 'show', uuid]);
    for (const key of ['name', 'description', 'colSpec', 'trackDataSpec']) assert.deepEqual(manifest[key], set.manifest[key], key);
    assert.equal(manifest.uuid, uuid);
    assert.equal(manifest.serviceClass, 'replay');
  });

  test(`replay of ${name} from an offset shows exactly the state recorded there`, async (t) => {
    const set = golden(t, name);
    if (!set) return;
    const daemon = await startDaemon(t);
    const start = set.frames[0].t;
    for (const { t: time, sha256: hash } of set.states.filter(({ frame }) => frame !== null)) {
      // So slow that nothing follows for a while.
      const { uuid, watch } = await replay(t, daemon, '--file', set.recording, '--speed', '0.1', '--start', String(time - start));
      await watch.until((state) => state.cars.length > 0, `the state at ${time}`);
      assert.equal(sha256(watch.texts.at(-1)), hash, `at ${time}`);
      assert.equal((await daemon.ctl(['service', 'stop', uuid])).code, 0);
    }
  });
}

test('a loop begins again at the start', async (t) => {
  const set = golden(t, 's44-nonum-5x3m');
  if (!set) return;
  const daemon = await startDaemon(t);
  const { watch } = await replay(t, daemon, '--file', set.recording, '--speed', '200', '--loop', '--start', '100');
  const elapsed = (index) => set.frames[index].state.session.timeElapsed;
  await watch.until((state) => state.session.timeElapsed === elapsed(set.frames.length - 1), 'the end');
  const from = watch.states.length;
  await watch.until((state) => state.session.timeElapsed < 60, 'the start of the next pass', from);
});

test('without a loop the last state stays, and the service goes on', async (t) => {
  const set = golden(t, 's44-nonum-5x3m');
  if (!set) return;
  const daemon = await startDaemon(t);
  const { uuid } = await replay(t, daemon, '--file', set.recording, '--speed', '1000');
  await eventually(() => {
    const file = path.join(daemon.dir, 'log', `${uuid}.log`);
    return existsSync(file) && /end of the recording/.test(readFileSync(file, 'utf8'));
  }, 'the end of the recording in the log of the service');
  const state = await (await fetch(`${daemon.http}/state/${uuid}.json`)).json();
  const [listed] = await daemon.ctlJson(['service', 'list']);
  assert.deepEqual(state.cars, set.published.cars);
  assert.equal(listed.status, 'running');
});

// Refused while reading, off the loop: the start succeeds, the reason stays in the listing.
async function assertFails(daemon, options, sentence) {
  await startService(daemon, 'replay', ...options);
  const failed = await eventually(async () => {
    const list = await daemon.ctlJson(['service', 'list']);
    return list.find(({ status }) => status === 'failed');
  }, 'the service to fail');
  assert.match(failed.reason, sentence);
  assert.equal(failed.reason.split('recording /').length <= 2, true, failed.reason);
  const text = await daemon.ctl(['service', 'list']);
  assert.match(text.stdout, sentence);
  const directory = await (await fetch(`${daemon.http}/directory.json`)).json();
  assert.deepEqual(directory, []);
  assert.equal((await daemon.ctl(['service', 'stop', failed.uuid])).code, 0);
  assert.deepEqual(await daemon.ctlJson(['service', 'list']), []);
}

test('files that are no recordings stop the service with a reason', async (t) => {
  const daemon = await startDaemon(t);
  await assertFails(daemon, ['--file', daemon.writeFile('text.zip', 'no zip at all')], /text\.zip/);
  await assertFails(daemon, ['--file', daemon.writeFile('empty.zip', '')], /empty\.zip/);
  // A ZIP without entries.
  const none = Buffer.concat([Buffer.from('PK\x05\x06', 'latin1'), Buffer.alloc(18)]);
  await assertFails(daemon, ['--file', daemon.writeFile('none.zip', none)], /none\.zip/);
});

test('a cut recording, and a start behind the end, stop the service with a reason', async (t) => {
  const set = golden(t, 's44-nonum-5x3m');
  if (!set) return;
  const daemon = await startDaemon(t);
  const cut = path.join(daemon.dir, 'cut.zip');
  writeFileSync(cut, readFileSync(set.recording).subarray(0, 5000));
  await assertFails(daemon, ['--file', cut], /cut\.zip/);
  await assertFails(daemon, ['--file', set.recording, '--start', '86400'], /--start lies behind the end/);
});

test('recordings of other versions, or without a manifest, stop the service with a reason', async (t) => {
  const dir = shared(t, 'golden/index');
  if (!dir) return;
  const daemon = await startDaemon(t);
  await assertFails(daemon, ['--file', path.join(dir, 'v2.zip')], /v2\.zip: .*version 2 is not supported/);
  await assertFails(daemon, ['--file', path.join(dir, 'pre_v1.zip')], /pre_v1\.zip: .*before version 1 have to be converted/);
  await assertFails(daemon, ['--file', path.join(dir, 'nomanifest.zip')], /nomanifest\.zip: no manifest\.json/);
});

test('a recording of the DVR, its entries in any order, plays as the other one does', async (t) => {
  const set = golden(t, 's11-wec-8x5m');
  const file = shared(t, 'golden/s11-wec-8x5m/dvr_recording.zip');
  if (!set || !file) return;
  const daemon = await startDaemon(t);
  const { watch } = await replay(t, daemon, '--file', file, '--speed', '1000');
  const last = set.states.find(({ frame }) => frame === set.frames.length - 1);
  await watch.until((_, at = watch.texts.length - 1) => sha256(watch.texts[at]) === last.sha256, 'the last state');
});

const badReplays = [
  [[], /--file/],
  [['--file', '/nonexistent/race.zip'], /--file: .*race\.zip.*No such file/],
  [['--file', '/dev/null', '--speed', '0'], /--speed: expected a number from 0\.1 to 1000/],
  [['--file', '/dev/null', '--start', '-5'], /--start: expected an integer/],
  [['--file', '/dev/null', '--loop=perhaps'], /--loop takes no value/],
];
for (const [options, sentence] of badReplays) {
  test(`replay ${options.join(' ') || 'without a file'} is refused`, async (t) => {
    const daemon = await startDaemon(t);
    const result = await daemon.ctl(['service', 'start', 'replay', ...options]);
    assert.equal(result.code, 1, result.stdout);
    assert.match(result.stderr, sentence);
  });
}

test('a file in the folder of the operator is found by its relative path', async (t) => {
  const set = golden(t, 's44-nonum-5x3m');
  if (!set) return;
  const daemon = await startDaemon(t);
  copyFileSync(set.recording, path.join(daemon.dir, 'race.zip'));
  const { watch } = await replay(t, daemon, '--file', 'race.zip', '--speed', '1000');
  await watch.until((state) => state.cars.length > 0, 'cars');
});
