// The kit for authors of plugins: `plugin new` writes one that passes its own
// test, `plugin check` passes what is in order and tells what is not.
import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import test from 'node:test';

import { build, root, run } from './support/daemon.mjs';

const ctl = (args, options = {}) => run(path.join(build, 'livetimingctl'), args, { env: { ASAN_OPTIONS: process.env.ASAN_OPTIONS ?? '' }, ...options });
const bundled = (name) => path.join(build, 'plugins', `${name}.so`);
const bad = (name) => path.join(build, 'tests/plugins', `${name}.so`);

function folder(t) {
  const dir = mkdtempSync(path.join(tmpdir(), 'lt-kit-'));
  t.after(() => rmSync(dir, { recursive: true, force: true }));
  return dir;
}

async function check(...args) {
  const result = await ctl(['-j', 'plugin', 'check', ...args]);
  assert.ok(result.stdout.startsWith('{'), `${args}: ${result.stdout}${result.stderr}`);
  const report = JSON.parse(result.stdout);
  assert.equal(result.code, report.failed ? 1 : 0);
  assert.equal(report.passed + report.failed, report.checks.length);
  const failed = Object.fromEntries(report.checks.filter((item) => item.result === 'failed').map((item) => [item.check, [item.text, ...item.details].join('\n')]));
  return { report, failed, of: (name) => report.checks.find((item) => item.check === name) };
}

test('plugin new refuses bad names and what exists, and leaves nothing half-written', async (t) => {
  const cwd = folder(t);
  for (const name of ['9lives', 'My', '../x', '', 'a'.repeat(49)]) assert.equal((await ctl(['plugin', 'new', name], { cwd })).code, 2, name);
  assert.equal((await ctl(['plugin', 'new'], { cwd })).code, 2);
  assert.equal((await ctl(['plugin', 'new', 'laps', '--dir', 'nowhere'], { cwd })).code, 1);
  writeFileSync(path.join(cwd, 'taken'), 'mine');
  const taken = await ctl(['plugin', 'new', 'taken'], { cwd });
  assert.equal(taken.code, 1);
  assert.match(taken.stderr, /taken exists already/);
  assert.deepEqual(readdirSync(cwd), ['taken']);
  const made = await ctl(['-j', 'plugins', 'new', 'laps'], { cwd });
  assert.deepEqual(JSON.parse(made.stdout), { plugin: 'laps', folder: 'laps' });
  assert.deepEqual(readdirSync(path.join(cwd, 'laps')).sort(), ['Makefile', 'README.md', 'fixtures', 'laps.c', 'test.sh']);
  assert.equal((await ctl(['plugin', 'new', 'laps'], { cwd })).code, 1);
  assert.deepEqual(readdirSync(cwd).sort(), ['laps', 'taken']);
});

test('the grammar: plugin and plugins are one noun, usage errors end with 2', async () => {
  assert.match((await ctl(['complete', 'plugins', ''])).stdout, /^list\nshow\nnew\ncheck\n$/);
  assert.equal((await ctl(['complete', 'plugin', 'ch'])).stdout, 'check\n');
  assert.equal((await ctl(['complete', 'plugin', 'check', '--'])).stdout, '--fixture\n');
  for (const args of [['check'], ['check', '--fixture', 'x'], ['check', '--bad', 'x.so'], ['check', '/no/such.so'], ['fly']]) {
    assert.equal((await ctl(['plugin', ...args])).code, 2, String(args));
  }
});

test('every bundled plugin passes', async (t) => {
  const fixtures = { multiloop: 'short-race.txt', rmonitor: 'short-race.txt', assettocorsa: 'short-race.raw' };
  const names = readdirSync(path.join(build, 'plugins')).filter((file) => file.endsWith('.so')).map((file) => path.basename(file, '.so'));
  assert.ok(names.includes('simulator') && names.includes('rmonitor'));
  const one = async (name) => {
    const fixture = fixtures[name] && path.join(root, 'plugins', name, 'fixtures', fixtures[name]);
    const { failed, of } = await check(...(fixture ? ['--fixture', fixture] : []), bundled(name));
    assert.deepEqual(failed, {}, name);
    if (fixture) assert.match(of('fixture').text, /^read whole; [1-9]\d* states/);
  };
  while (names.length) await Promise.all(names.splice(0, 3).map(one));
});

test('a plugin in C++17 and one in C++11 pass', async () => {
  assert.deepEqual((await check(bad('check/good17'))).failed, {});
  assert.deepEqual((await check(bad('cxx'))).failed, {});
});

test('what is wrong with a file is told before it is run', async () => {
  const sentences = {
    bad_major: ['descriptor', /^it is made for plugin interface 2\.0, this is 1\.0$/],
    bad_missing: ['descriptor', /^it lacks the function "start"$/],
    bad_name: ['descriptor', /^its name is not made of a-z, 0-9 and _$/],
    bad_option: ['descriptor', /^its option --recording would be read as the service's own --recording-file$/],
    bad_symbol: ['file', /it does not export lt_plugin_entry_v1/],
    'check/exports': ['file', /^it exports 1 symbol beside lt_plugin_entry_v1: exports_inside; build it with -fvisibility=hidden$/],
    'check/options': ['options', /the default is refused: --port: expected an integer from 1 to 65535, not "70000"[^]*--secret has no help[^]*--port is there twice/],
  };
  for (const [name, [where, sentence]] of Object.entries(sentences)) {
    assert.match((await check(bad(name))).failed[where] ?? '', sentence, name);
  }
  const text = await check(path.join(root, 'README.md'));
  assert.equal(text.failed.file, 'it is no shared object');
});

test('crashes are told with the call and what the plugin was given', async () => {
  const [fragile, thrown, late] = await Promise.all([check(bad('check/fragile')), check(bad('check/throw')), check(bad('check/late'))]);
  assert.match(fragile.failed.noise, /^signal 6 \(Aborted\) in line, on noise input/);
  assert.deepEqual(Object.keys(fragile.failed), ['noise']);
  assert.match(thrown.failed.lifecycle, /in update/);
  assert.match(`${late.failed.endings}${late.failed.instances}${late.failed.memory}`, /destroy|work done/);
});

test('a leak, bad states, a silent refusal, options that are not declared', async () => {
  const [leak, states, mute] = await Promise.all([check(bad('check/leak')), check(bad('check/states')), check(bad('check/mute'))]);
  assert.match(leak.failed.memory, /memory/);
  assert.match(states.failed.states, /^car 1 \("71"\), column "Last": expected \[seconds, mark\], not "fast"/m);
  assert.match(states.failed.interface, /reads an option that it does not declare \(plugin=states option=laps\)/);
  assert.equal(mute.failed.values, 'it refuses --laps "99" without a word: call fail first');
});

test('calls that hold up the loop, by computing or by waiting, and one that never returns', async () => {
  const [spin, sleep, hang] = await Promise.all([check(bad('check/spin')), check(bad('check/sleep')), check(bad('check/hang'))]);
  assert.match(spin.failed.blocking, /the slowest \d+\.\d ms, update in .*took more than the budget of 5 ms/);
  assert.match(sleep.failed.blocking, /^it waits in update, for more than 100 ms/);
  assert.match(hang.failed.lifecycle, /^it waits for something and does not return in start/);
  for (const report of [spin, sleep, hang]) assert.equal(report.of('memory'), undefined);
});

test('people get a line for each check and a sum; nothing is left in the temporary folder', async (t) => {
  const dir = folder(t);
  const result = await ctl(['plugin', 'check', bundled('simulator'), '--cars', '4'], { env: { TMPDIR: dir, ASAN_OPTIONS: process.env.ASAN_OPTIONS ?? '' } });
  assert.match(result.stdout, /^ok {7}file {8}exports lt_plugin_entry_v1 .*\n/);
  assert.match(result.stdout, /\n\d+ passed, 0 failed(, \d+ with a warning)?\n$/);
  assert.equal(result.code, 0);
  assert.deepEqual(readdirSync(dir), []);
  assert.ok(existsSync(dir));
});
