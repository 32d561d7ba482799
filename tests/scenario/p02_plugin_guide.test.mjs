// What the guides say works: its commands as they stand, in a clone and with an
// installation, the template outside the tree, and the plugin that it prints.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import test from 'node:test';

import { build, root, startDaemon } from './support/daemon.mjs';
import { FeedServer, StateWatch, startService } from './support/feeds.mjs';

const include = path.join(build, 'include');

function make(dir, args, env = {}) {
  const { PATH, HOME } = process.env;
  const result = spawnSync('make', args, { cwd: dir, env: { PATH, HOME, ...env }, encoding: 'utf8' });
  assert.equal(result.status, 0, result.stdout + result.stderr);
  return result.stdout + result.stderr;
}

// A copy of the template somewhere else.
function copyTemplate(t) {
  const dir = mkdtempSync(path.join(tmpdir(), 'lt-plugin-'));
  t.after(() => rmSync(dir, { recursive: true, force: true }));
  cpSync(path.join(root, 'plugins/template'), dir, { recursive: true });
  return dir;
}

function guide() {
  return readFileSync(path.join(root, 'docs/plugins.md'), 'utf8');
}

async function assertTableOfTemplate(t, dir) {
  const daemon = await startDaemon(t, { env: { LIVETIMING_PLUGIN_PATH: dir } });
  assert.match((await daemon.ctl(['plugins', 'show', 'template'])).stdout, /lap-time/);
  const uuid = await startService(daemon, 'template', '--lap-time', '1');
  const watch = await StateWatch.open(t, daemon, uuid);
  const state = await watch.until(({ cars }) => cars[0]?.[3] >= 1, 'a lap');
  assert.deepEqual(state.cars[0].slice(0, 3), ['12', 'RUN', 'A. Driver']);
}

test('the template builds outside the tree against an include folder, and shows a table', async (t) => {
  const dir = copyTemplate(t);
  const output = make(dir, [`LIVETIMING_INCLUDE=${include}`]);
  assert.doesNotMatch(output, /warning/);
  await assertTableOfTemplate(t, dir);
});

test('the template builds against an installation by pkg-config', async (t) => {
  const dir = copyTemplate(t);
  const stage = path.join(dir, 'stage');
  // as `make install` does; calling make would build what is built already
  const install = spawnSync('src/tools/install.sh', [build, stage, '/usr', '0.0.0'], { cwd: root, encoding: 'utf8' });
  assert.equal(install.status, 0, install.stderr);
  const env = { PKG_CONFIG_PATH: `${stage}/usr/lib/pkgconfig`, PKG_CONFIG_SYSROOT_DIR: stage };
  make(dir, [], env);
  await assertTableOfTemplate(t, dir);
  const plugindir = spawnSync('pkg-config', ['--variable=plugindir', 'livetiming'], { env: { ...process.env, PKG_CONFIG_PATH: env.PKG_CONFIG_PATH }, encoding: 'utf8' });
  assert.equal(plugindir.stdout.trim(), '/usr/lib/livetiming/plugins');
});

test('the plugin of the guide builds without a warning and reads its feed', async (t) => {
  const dir = copyTemplate(t);
  rmSync(path.join(dir, 'template.c'));
  writeFileSync(path.join(dir, 'laps.c'), guide().match(/```c\n([^]*?)```/)[1]);
  const makefile = path.join(dir, 'Makefile');
  writeFileSync(makefile, readFileSync(makefile, 'utf8').replace(/^NAME .*$/m, 'NAME := laps'));
  make(dir, [`LIVETIMING_INCLUDE=${include}`, 'CFLAGS=-Werror']);

  const daemon = await startDaemon(t, { env: { LIVETIMING_PLUGIN_PATH: dir } });
  const feed = await FeedServer.listen(t);
  const uuid = await startService(daemon, 'laps', '--host', '127.0.0.1', '--port', String(feed.port));
  const watch = await StateWatch.open(t, daemon, uuid);
  (await feed.next()).write('71,Ada Ash,83.412\nnonsense\n12,Bea Beech,84.1\n12,Bea Beech,83.9\n12,Bea Beech,soon\n');
  const state = await watch.until(({ cars }) => cars[0]?.[0] === '12' && cars[0][2] === 2, 'two laps');
  assert.deepEqual(state.cars, [
    ['12', 'Bea Beech', 2, [83.9, 'pb'], [83.9, '']],
    ['71', 'Ada Ash', 1, [83.412, 'pb'], [83.412, '']],
  ]);
  assert.deepEqual((await daemon.ctlJson(['service', 'show', uuid])).counters, { records: 3, damaged: 2 });
});

// The commands of a section's n-th block of code that is a list of commands.
function commands(text, section, n) {
  const blocks = text.split(section)[1].split('\n## ')[0].match(/(?:^ {4}\S.*\n)+/gm);
  return blocks[n].trim().split(/\n */);
}

// Run them as they stand, in one shell; `make run` and the daemon are the test's own.
function follow(lines, cwd, env) {
  const script = lines.filter((line) => !/^LIVETIMING_PLUGIN_PATH=/.test(line)).join('\n');
  const result = spawnSync('sh', ['-ec', script], { cwd, env: { ...process.env, ...env }, encoding: 'utf8' });
  assert.equal(result.status, 0, result.stdout + result.stderr);
  return result.stdout;
}

async function assertFirstTable(t, dir, start) {
  const daemon = await startDaemon(t, { env: { LIVETIMING_PLUGIN_PATH: dir } });
  const words = start.replace(/^\S+ service start /, '').split(' ');
  const uuid = await startService(daemon, ...words.map((word) => (word === '5' ? '1' : word)));
  const watch = await StateWatch.open(t, daemon, uuid);
  await watch.until(({ cars }) => cars.length === 2 && cars[0][3] >= 1, 'a lap');
  assert.match(await (await fetch(`${daemon.http}/directory.json`)).text(), /Myfeed/);
}

const first = '## From nothing to a table on the screen';

test('the guide, as it stands: a new plugin in a clone is built, checked, started and seen', async (t) => {
  const clone = mkdtempSync(path.join(tmpdir(), 'lt-guide-'));
  t.after(() => rmSync(clone, { recursive: true, force: true }));
  symlinkSync(build, path.join(clone, 'build'));
  const lines = commands(guide(), first, 0);
  assert.match(lines.at(-1), /^LIVETIMING_PLUGIN_PATH=\$PWD\/myfeed make run$/);
  assert.match(follow(lines, clone), /\n\d+ passed, 0 failed\n/);
  await assertFirstTable(t, path.join(clone, 'myfeed'), commands(guide(), first, 1)[0]);
});

test('the guide, as it stands: the same with an installation', async (t) => {
  const dir = mkdtempSync(path.join(tmpdir(), 'lt-guide-'));
  t.after(() => rmSync(dir, { recursive: true, force: true }));
  const stage = path.join(dir, 'stage');
  const install = spawnSync('src/tools/install.sh', [build, stage, '/usr', '0.0.0'], { cwd: root, encoding: 'utf8' });
  assert.equal(install.status, 0, install.stderr);
  const env = { PATH: `${stage}/usr/bin:${process.env.PATH}`, PKG_CONFIG_PATH: `${stage}/usr/lib/pkgconfig`, PKG_CONFIG_SYSROOT_DIR: stage };
  const lines = commands(guide(), first, 3);
  assert.equal(lines[0], 'livetimingctl plugin new myfeed');
  assert.match(follow(lines, dir, env), /\n\d+ passed, 0 failed\n/);
  await assertFirstTable(t, path.join(dir, 'myfeed'), commands(guide(), first, 1)[0]);
});

test('README and guide give the same commands for the first plugin', () => {
  const readme = readFileSync(path.join(root, 'README.md'), 'utf8');
  assert.deepEqual(commands(readme, '## A plugin in five minutes', 0), commands(guide(), first, 0));
});
