// rectool, analysis and recordings index, on files, without a daemon.
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { copyFileSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, lstatSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import test from 'node:test';

import { build, run, shared } from './support/daemon.mjs';
import { readZip, writeZip } from './support/zip.mjs';

const sets = ['s11-wec-8x5m', 's22-club-14x12m', 's33-tsnl-10x8m', 's44-nonum-5x3m'];

const manifest = JSON.stringify({ uuid: 'u', name: 'Series', description: 'Race', colSpec: [['Num', 'text'], ['Laps', 'numeric']], version: 1 });
const key = (laps) => JSON.stringify({ cars: [['7', laps]], session: { flagState: 'green' }, messages: [], highlight: [] });
const difference = (before, after) => JSON.stringify({ cars: [['change', [0, 1], [before, after]]], session: [], messages: [], highlight: [] });
const good = [
  { name: '01700000000.json', content: key(1) },
  { name: '01700000001i.json', content: difference(1, 2) },
  { name: '01700000010.json', content: key(3) },
  { name: 'manifest.json', content: manifest },
];

// A directory of one test, and livetimingctl in it.
class Workshop {
  constructor(t) {
    this.dir = mkdtempSync(path.join(tmpdir(), 'rectool-'));
    t.after(() => rmSync(this.dir, { recursive: true, force: true }));
  }

  path(name) {
    return path.join(this.dir, name);
  }

  write(name, content) {
    writeFileSync(this.path(name), content);
  }

  zip(name, entries) {
    writeZip(this.path(name), entries);
  }

  read(name) {
    return readFileSync(this.path(name));
  }

  entries(name) {
    return readZip(this.read(name));
  }

  ctl(args, { name, env = {} } = {}) {
    const sanitizer = process.env.ASAN_OPTIONS ? { ASAN_OPTIONS: process.env.ASAN_OPTIONS } : {};
    return run(path.join(build, 'livetimingctl'), args, { argv0: name, cwd: this.dir, env: { TZ: 'UTC', ...sanitizer, ...env } });
  }

  rectool(...args) {
    return this.ctl(['rectool', ...args]);
  }

  async ok(...args) {
    const result = await this.rectool(...args);
    assert.equal(result.code, 0, `rectool ${args.join(' ')}: ${result.stdout}${result.stderr}`);
    assert.equal(result.stderr, '');
    return result.stdout;
  }

  async refused(pattern, ...args) {
    const result = await this.rectool(...args);
    assert.equal(result.code, 1, `rectool ${args.join(' ')}: ${result.stdout}${result.stderr}`);
    assert.match(result.stdout + result.stderr, pattern);
    return result;
  }
}

const sha256 = (bytes) => createHash('sha256').update(bytes).digest('hex');
const described = (entries) => entries.map(({ name, content }) => ({ name, size: content.length, sha256: sha256(content) }));
const firstChanges = (text) => text.match(/First \w+ change at \d+ \(@\d+\)/g);

for (const set of sets) {
  test(`${set}: every command of the original gives what it gave there`, async (t) => {
    const commands = shared(t, `golden/${set}/rectool/commands.json`);
    if (!commands) return;
    const shop = new Workshop(t);
    mkdirSync(shop.path('sub'));
    for (const name of ['rec.zip', 'sub/rec.zip']) copyFileSync(shared(t, `golden/${set}/recording.zip`), shop.path(name));
    let compared = 0;
    for (const command of JSON.parse(readFileSync(commands, 'utf8'))) {
      const { args, file } = command;
      const expected = file && existsSync(path.join(path.dirname(commands), file)) ? readFileSync(path.join(path.dirname(commands), file)) : null;
      const text = await shop.ok(...args);
      if (args[0] === 'inspect' || args[0] === 'show') {
        assert.equal(text, expected.toString());
      } else if (args[0] === 'scan') {
        assert.deepEqual(firstChanges(text), firstChanges(expected.toString()));
      } else if (args[0] === 'clip' && command.entries) {
        // without a start the original adds a frame of 1970
        assert.deepEqual(described(shop.entries('rec_clip.zip')), command.entries.filter(({ name }) => name !== '00000000000.json'));
        rmSync(shop.path('rec_clip.zip'));
      } else if (args[0] === 'clip') {
        assert.deepEqual(readdirSync(shop.path('sub')), ['rec.zip', 'rec_clip.zip']);
        assert.deepEqual(readdirSync(shop.dir).sort(), ['rec.zip', 'sub']);
      } else {
        assert.equal(args[0], 'set');
        assert.equal(shop.entries('rec.zip').at(-1).name, 'manifest.json');
      }
      compared++;
    }
    assert.equal(compared, 11);
  });
}

test('recordings of before version 1 are converted as by the original', async (t) => {
  const file = shared(t, 'golden/convert/expected.json');
  if (!file) return;
  const shop = new Workshop(t);
  for (const expected of JSON.parse(readFileSync(file, 'utf8'))) {
    copyFileSync(path.join(path.dirname(file), expected.input), shop.path(expected.input));
    const text = await shop.ok('convert', expected.input);
    const entries = shop.entries(expected.output);
    assert.deepEqual(JSON.parse(entries.at(-1).content), expected.manifest);
    if (expected.input === 'old_from_60.zip') {
      // the original takes 60 for a unix time; the start is in the manifest
      assert.match(text, /^Start time in the manifest is 1466254800\.0\n60 => 1466254860\n/);
      assert.equal(entries[0].name, '01466254860.json');
    } else {
      assert.equal(text, expected.stdout);
      assert.deepEqual(entries.map(({ name }) => name).sort(), [...expected.names].sort());
    }
  }
  await shop.refused(/version 1 already/, 'convert', 'old_from_10_conv.zip');
});

test('verify finds nothing in good recordings, and says what is wrong in others', async (t) => {
  const shop = new Workshop(t);
  shop.zip('good.zip', good);
  assert.equal(await shop.ok('verify', 'good.zip'), 'good.zip: 3 frames (2 key frames): all right\n');
  const cases = [
    [[good[0], { name: '01700000001i.json', content: difference(5, 6) }, good[3]], /01700000001i\.json: does not follow from the frame before it/],
    [[good[1], good[3]], /no key frame before it/],
    [[good[0], good[0], good[3]], /01700000000\.json: the archive has another frame of that time/],
    [[{ ...good[0], content: '{"cars": [' }, good[3]], /01700000000\.json: /],
    [[{ ...good[0], crc: 1 }, good[3]], /01700000000\.json: .*(checksum is wrong|CRC error)/],
    [[{ ...good[0], size: 200000000 }, good[3]], /01700000000\.json: over 67108864 bytes/],
    [good.slice(0, 3), /no manifest\.json/],
    [[good[0], { name: 'manifest.json', content: '{"version": 7}' }], /its version is not supported, only 1 is/],
    [[...good, { name: '../../evil', content: 'x' }], /"\.\.\/\.\.\/evil": not the name of a file in a recording/],
  ];
  for (const [entries, pattern] of cases) {
    shop.zip('bad.zip', entries);
    await shop.refused(pattern, 'verify', 'bad.zip');
  }
  const both = await shop.rectool('verify', 'good.zip', 'bad.zip');
  assert.equal(both.code, 1);
  assert.match(both.stdout, /good\.zip: .*all right/);
  const report = JSON.parse((await shop.ctl(['-j', 'rectool', 'verify', 'bad.zip'])).stdout);
  assert.equal(report.ok, false);
  assert.equal(report.problems[0].entry, '"../../evil"');
});

test('broken files are refused with a reason, and with what may help', async (t) => {
  const shop = new Workshop(t);
  shop.zip('good.zip', good);
  const bytes = shop.read('good.zip');
  shop.write('cut.zip', bytes.subarray(0, bytes.length - 100));
  shop.write('empty.zip', '');
  shop.zip('nomanifest.zip', good.slice(0, 3));
  shop.zip('old.zip', [{ name: '00000.json', content: key(1) }, { name: 'manifest.json', content: '{"name": "x"}' }]);
  shop.zip('new.zip', [good[0], { name: 'manifest.json', content: '{"version": 2}' }]);
  shop.zip('bomb.zip', [{ ...good[0], size: 4000000000 }, good[3]]);
  shop.zip('wrong.zip', [{ ...good[0], content: 'x' }, good[3]]);
  const cases = [
    ['cut.zip', /cut\.zip: not a readable zip archive.*\nrectool repair/],
    ['empty.zip', /empty\.zip: not a readable zip archive/],
    ['nomanifest.zip', /no manifest\.json\nrectool repair --manifest/],
    ['old.zip', /no version.*\nrectool convert/],
    ['new.zip', /version 2 is not supported/],
    ['bomb.zip', /over 67108864 bytes/],
    ['wrong.zip', /01700000000\.json/, 'show'],
    ['nothing.zip', /cannot open: No such file/],
    ['.', /not a regular file/],
  ];
  const before = readdirSync(shop.dir);
  for (const [file, pattern, only] of cases) {
    if (!only) await shop.refused(pattern, 'inspect', file);
    await shop.refused(pattern, 'show', file, '0');
    await shop.refused(pattern, 'scan', file);
    if (!only) await shop.refused(pattern, 'clip', file);
    if (!only) await shop.refused(/./, 'set', file, 'name', 'x');
    await shop.refused(pattern, 'export', file, '-o', 'out.csv');
    assert.equal((await shop.ctl(['analysis', file, '-o', 'out.json'])).code, 1);
  }
  assert.deepEqual(readdirSync(shop.dir), before);
});

test('repair saves what is whole of a recording without its directory', async (t) => {
  const recording = shared(t, `golden/${sets[0]}/recording.zip`);
  if (!recording) return;
  const shop = new Workshop(t);
  const bytes = readFileSync(recording);
  shop.write('cut.zip', bytes.subarray(0, bytes.length / 2));
  await shop.refused(/not a readable zip archive/, 'verify', 'cut.zip');
  copyFileSync(recording, shop.path('whole.zip'));
  assert.match(await shop.ok('repair', 'cut.zip', '--manifest', 'whole.zip'), /cut_repaired\.zip: \d+ frames saved, \d lost\n$/);
  await shop.ok('verify', 'cut_repaired.zip');
  assert.equal(await shop.ok('show', 'cut_repaired.zip', '@1700000100'), await shop.ok('show', 'whole.zip', '@1700000100'));
  const flipped = Buffer.from(bytes);
  for (let i = 3000; i < 60000; i += 9000) flipped[i] ^= 0xff;
  shop.write('flipped.zip', flipped);
  await shop.refused(/01700000\d+i?\.json: /, 'verify', 'flipped.zip');
  assert.match(await shop.ok('repair', 'flipped.zip'), /lost 01700000\d+i?\.json: /);
  await shop.ok('verify', 'flipped_repaired.zip');
  shop.write('junk.zip', 'not an archive');
  await shop.refused(/there is no frame in it to be saved/, 'repair', 'junk.zip');
  assert.ok(!existsSync(shop.path('junk_repaired.zip')));
});

test('nothing that exists is overwritten without --force', async (t) => {
  const shop = new Workshop(t);
  shop.zip('a.zip', good);
  const attempts = [
    ['a_clip.zip', 'rectool', 'clip', 'a.zip'],
    ['a_repaired.zip', 'rectool', 'repair', 'a.zip'],
    ['laps.csv', 'rectool', 'export', 'a.zip', '-o', 'laps.csv'],
    ['a.json', 'analysis', 'a.zip', '-o', 'a.json'],
    ['a.zip', 'rectool', 'clip', 'a.zip', '-o', 'a.zip'],
  ];
  for (const [file, ...args] of attempts) {
    if (file !== 'a.zip') shop.write(file, 'mine');
    const before = shop.read(file);
    const result = await shop.ctl(args);
    assert.equal(result.code, 1, args.join(' '));
    assert.match(result.stderr, /exists already\n--force replaces it/);
    assert.deepEqual(shop.read(file), before);
    assert.equal((await shop.ctl([...args, '--force'])).code, 0);
    assert.notDeepEqual(shop.read(file), before);
  }
  assert.deepEqual(readdirSync(shop.dir).filter((name) => name.endsWith('.part')), []);
});

test('set keeps a link, refuses what breaks a recording, and takes JSON when told to', async (t) => {
  const shop = new Workshop(t);
  shop.zip('a.zip', good);
  symlinkSync('a.zip', shop.path('link.zip'));
  await shop.ok('set', 'link.zip', 'description', 'Übung');
  assert.ok(lstatSync(shop.path('link.zip')).isSymbolicLink());
  assert.match(await shop.ok('inspect', 'a.zip'), /^#+\nÜbung\n/);
  await shop.refused(/the version is not to be changed/, 'set', 'a.zip', 'version', '1');
  await shop.refused(/"colSpec" is not a text in this manifest/, 'set', 'a.zip', 'colSpec', 'x');
  await shop.ok('set', '--json-value', 'a.zip', 'hidden', 'true');
  assert.equal(JSON.parse(shop.entries('a.zip').at(-1).content).hidden, true);
  shop.zip('evil.zip', [...good, { name: '../../evil', content: 'x' }]);
  const before = shop.read('evil.zip');
  await shop.refused(/"\.\.\/\.\.\/evil": not the name of a file/, 'set', 'evil.zip', 'name', 'x');
  assert.deepEqual(shop.read('evil.zip'), before);
});

test('an archive of over 4 GiB is read', async (t) => {
  const shop = new Workshop(t);
  shop.zip('large.zip', [good[0], { name: 'filler.bin', hole: 4400000000 }, good[1], good[2], good[3]]);
  assert.match(await shop.ok('inspect', 'large.zip'), /3 frames \(2k\/1i\), 10\.0 duration/);
  assert.equal(JSON.parse(await shop.ok('show', 'large.zip', '1')).cars[0][1], 2);
  assert.match(await shop.ok('verify', 'large.zip'), /remark: "filler\.bin": does not belong[^]*all right/);
  await shop.ok('clip', 'large.zip', '1');
  assert.deepEqual(shop.entries('large_clip.zip').map(({ name }) => name), ['01700000001.json', '01700000010.json', '01700000001i.json', 'manifest.json']);
  await shop.refused(/over 67108864 bytes/, 'set', 'large.zip', 'name', 'x');
});

test('export writes tables of laps, stints and states', async (t) => {
  const shop = new Workshop(t);
  shop.zip('a.zip', [...good.slice(0, 3), { ...good[3], content: manifest.replace('"Laps"', '"La,ps"') }]);
  assert.equal(await shop.ok('export', 'a.zip', '--what', 'states'),
    'time,flag,position,Num,"La,ps"\n1700000000,green,1,7,1\n1700000001,green,1,7,2\n1700000010,green,1,7,3\n');
  const lines = (await shop.ok('export', 'a.zip', '--what', 'states', '--format', 'jsonl')).trimEnd().split('\n').map((line) => JSON.parse(line));
  assert.deepEqual(lines.map(({ time, cars }) => [time, cars[0][1]]), [[1700000000, 1], [1700000001, 2], [1700000010, 3]]);
  assert.match(await shop.ok('export', 'a.zip'), /^number,class,team,car,driver,stint,lap,laptime,flag\n/);
  await shop.ok('export', 'a.zip', '--what=stints', '-o', 'stints.csv');
  assert.match(shop.read('stints.csv').toString(), /^number,class,team,car,stint,driver,start_lap/);
});

test('analysis gives what the original gives', async (t) => {
  const recording = shared(t, `golden/${sets[0]}/recording.zip`);
  if (!recording) return;
  const shop = new Workshop(t);
  copyFileSync(recording, shop.path('a.zip'));
  const expected = JSON.parse(readFileSync(shared(t, `golden/${sets[0]}/analysis.json`), 'utf8'));
  const printed = await shop.ctl(['analysis', 'a.zip']);
  assert.equal(printed.code, 0);
  assert.deepEqual(Object.keys(JSON.parse(printed.stdout)), Object.keys(expected));
  assert.deepEqual(JSON.parse(printed.stdout).messages, expected.messages);
  const named = await shop.ctl(['a.zip', '-o', 'a.json'], { name: 'livetiming-analysis' });
  assert.equal(named.code, 0);
  assert.deepEqual(JSON.parse(shop.read('a.json')), JSON.parse(printed.stdout));
});

test('recordings index brings index.json up to date, with REINDEX and GENERATE_ANALYSIS', async (t) => {
  const result = shared(t, 'golden/index/index_before.json');
  if (!result) return;
  const from = path.dirname(result);
  const shop = new Workshop(t);
  mkdirSync(shop.path('recordings'));
  for (const name of readdirSync(from).filter((file) => file.endsWith('.zip') || file.startsWith('aaaa'))) copyFileSync(path.join(from, name), shop.path(`recordings/${name}`));
  copyFileSync(result, shop.path('recordings/index.json'));
  const index = () => JSON.parse(shop.read('recordings/index.json'));
  const first = await shop.ctl(['recordings', 'index', 'recordings']);
  assert.equal(first.code, 0);
  assert.equal(first.stdout, 'recordings: 4 recordings\n');
  assert.match(first.stderr, /pre_v1\.zip: manifest\.json: no version/);
  assert.deepEqual(index(), JSON.parse(readFileSync(path.join(from, 'index_after.json'), 'utf8')));
  await shop.ctl([], { name: 'livetiming-recordings-index', env: { REINDEX: '1' } });
  assert.deepEqual(index(), JSON.parse(readFileSync(path.join(from, 'index_after_reindex.json'), 'utf8')));
  await shop.ctl([], { name: 'livetiming-recordings-index', env: { REINDEX: '1', GENERATE_ANALYSIS: '1' } });
  assert.ok(Object.values(index()).every(({ hasAnalysis }) => hasAnalysis === true));
  assert.ok(existsSync(shop.path('recordings/bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb.json')));
  assert.equal((await shop.ctl(['recordings', 'index', 'nowhere'])).code, 1);
});

test('livetiming-rectool is rectool; mistakes on the command line end with 2', async (t) => {
  const shop = new Workshop(t);
  shop.zip('a.zip', good);
  const shown = await shop.ctl(['show', 'a.zip', '1'], { name: 'livetiming-rectool' });
  assert.equal(shown.code, 0);
  assert.equal(JSON.parse(shown.stdout).cars[0][1], 2);
  assert.equal((await shop.ctl(['inspect', 'a.zip', '-j'], { name: 'livetiming-rectool' })).code, 0);
  const cases = [
    [['rectool', 'fly', 'a.zip'], /unknown verb "fly"; there are: inspect/],
    [['rectool', 'show', 'a.zip'], /usage: livetimingctl rectool show FILE N\|@T/],
    [['rectool', 'show', 'a.zip', 'noon'], /"noon" is neither seconds/],
    [['rectool', 'clip', 'a.zip', '--forse'], /did you mean --force\?/],
    [['rectool', 'export', 'a.zip', '--what', 'tyres'], /there are laps, stints and states/],
    [['rectool', 'set', 'a.zip', 'x', '{', '--json-value'], /the value is no JSON/],
    [['analysis'], /usage: livetimingctl analysis FILE/],
  ];
  for (const [args, pattern] of cases) {
    const result = await shop.ctl(args);
    assert.equal(result.code, 2, args.join(' '));
    assert.match(result.stderr, pattern);
  }
  assert.equal((await shop.ctl(['fly'], { name: 'livetiming-rectool' })).code, 2);
  const complete = async (...words) => (await shop.ctl(['complete', ...words])).stdout;
  assert.match(await complete('rectool', 'v'), /^verify\n$/);
  assert.equal(await complete('rectool', 'export', 'a.zip', '--what', 's'), 'stints\nstates\n');
  assert.equal(await complete('analysis', 'a.zip', '--o'), '--output\n');
});
