// What the guides say works: the template outside the tree, by an include folder
// and by pkg-config, and the plugin that docs/plugins.md prints.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
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

test('README and guide give the same commands for the first plugin', () => {
  const commands = (text) => text.match(/ {4}cp -r plugins\/template myfeed && cd myfeed\n(?: {4}.*\n)+/)?.[0].replace(/ +#.*$/gm, '');
  const readme = readFileSync(path.join(root, 'README.md'), 'utf8');
  assert.ok(commands(guide()));
  assert.equal(commands(readme), commands(guide()));
});
