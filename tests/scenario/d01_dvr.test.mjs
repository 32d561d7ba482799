// Recording of services by the real daemon: kept, continued after a kill, foreign ones.
import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync, renameSync, statSync } from 'node:fs';
import path from 'node:path';
import test from 'node:test';

import lzString from 'lz-string';

import { autobahnSession } from './support/clients.mjs';
import { Daemon, eventually, startDaemon } from './support/daemon.mjs';

// Silence of a second ends a recording, and no recording is too short.
const quick = { LIVETIMING_DVR_MIN_DURATION_S: '0', LIVETIMING_DVR_IDLE_S: '1', LIVETIMING_DVR_SCAN_S: '1' };

const recordings = (daemon) => path.join(daemon.dir, 'recordings');
const journals = (daemon) => readdirSync(path.join(daemon.dir, 'recordings-temp')).filter((name) => name.endsWith('.journal'));

async function firstService(daemon) {
  const [service] = await eventually(async () => {
    const list = await daemon.ctlJson(['service', 'list']);
    return list.length > 0 && list;
  }, 'a service');
  return service.uuid;
}

async function inProgress(daemon, frames) {
  return eventually(async () => {
    const { inProgress: list } = await daemon.ctlJson(['recordings', 'list']);
    return list.length > 0 && list[0].frames >= frames && list[0];
  }, `a recording of ${frames} frames`);
}

async function finished(daemon, name) {
  await eventually(() => existsSync(path.join(recordings(daemon), name)), `${name}\n${daemon.log}`);
  return path.join(recordings(daemon), name);
}

async function frames(daemon, file) {
  const inspected = await daemon.ctl(['rectool', 'verify', file]);
  assert.equal(inspected.code, 0, inspected.stdout + inspected.stderr);
  const shown = await daemon.ctl(['rectool', 'show', file, '0']);
  assert.equal(shown.code, 0, shown.stderr);
  return JSON.parse(shown.stdout);
}

test('a service that ends is kept as an archive with its analysis beside it', async (t) => {
  const daemon = await startDaemon(t, { env: { ...quick, LIVETIMING_SERVICES: 'simulator --seed 71' } });
  const uuid = await firstService(daemon);
  await inProgress(daemon, 2);
  const status = await daemon.ctl(['status']);
  assert.match(status.stdout, /recordings +1 in progress/);
  assert.match(await (await fetch(`${daemon.http}/metrics`)).text(), /^livetiming_recordings_in_progress 1$/m);
  await daemon.ctl(['service', 'stop', uuid]);

  const state = await frames(daemon, await finished(daemon, `${uuid}.zip`));
  assert.ok(state.cars.length > 0);
  assert.equal(statSync(path.join(recordings(daemon), `${uuid}.zip`)).mode & 0o777, 0o664);
  const analysis = JSON.parse(readFileSync(await finished(daemon, `${uuid}.json`), 'utf8'));
  assert.equal(analysis.service.uuid, uuid);
  assert.ok(Object.keys(analysis.static).length > 0);
  assert.ok(analysis.state.cars.length > 0);
  await eventually(() => journals(daemon).length === 0, 'no journal');
  assert.equal(daemon.log.match(/recording kept/g).length, 1);
});

test('kill -9 costs nothing: the restarted daemon goes on in the same recording', async (t) => {
  const settings = { ...quick, LIVETIMING_DVR_IDLE_S: '20' };
  const daemon = await startDaemon(t, { env: { ...settings, LIVETIMING_SERVICES: 'simulator --seed 71' } });
  const uuid = await firstService(daemon);
  const before = await inProgress(daemon, 3);
  await daemon.stop('SIGKILL');

  const again = new Daemon({ dir: daemon.dir, env: { ...settings, LIVETIMING_SERVICES: 'simulator --seed 71' } });
  t.after(() => again.destroy());
  await again.start();
  const after = await inProgress(again, before.frames + 2);
  assert.equal(after.uuid, uuid);
  assert.equal(after.resumed, true);
  assert.equal(after.startTime, before.startTime);
  assert.equal(journals(again).length, 1);
  await again.stop();

  const last = new Daemon({ dir: daemon.dir, env: { ...quick, LIVETIMING_DVR_RESUME_S: '0' }, args: ['--fresh'] });
  t.after(() => last.destroy());
  await last.start();
  const file = await finished(last, `${uuid}.zip`);
  await frames(last, file);
  const analysis = JSON.parse(readFileSync(await finished(last, `${uuid}.json`), 'utf8'));
  assert.equal(analysis.service.startTime, before.startTime);
  assert.equal(readdirSync(recordings(last)).filter((name) => name.endsWith('.zip')).length, 1);
});

test('foreign services are recorded, with plain and compressed states; a new description begins a new recording', async (t) => {
  const daemon = await startDaemon(t, { env: quick });
  const session = await autobahnSession(t, daemon, { auth: {} });
  const uuid = 'f'.repeat(32);
  const manifest = { uuid, name: 'Club race', description: 'Heat 1', colSpec: [['Num', 'text']], trackDataSpec: [], pollInterval: 1 };
  const state = (car) => ({ cars: [[car]], session: { flagState: 'green', timeElapsed: 1 }, messages: [] });
  const send = (topic, msgClass, payload) => session.publish(topic, [{ msgClass, date: Date.now(), payload }], {}, { acknowledge: true });

  await send('livetiming.control', 2, manifest);
  await send(`livetiming.service.${uuid}`, 4, state('4'));
  await inProgress(daemon, 1);
  await send(`livetiming.analysis/${uuid}/static`, 7, { 4: ['GT', null, null] });
  await send('livetiming.control', 2, { ...manifest, description: 'Heat 2' });
  await send(`livetiming.service.${uuid}`, 8, lzString.compressToUTF16(JSON.stringify(state('8'))));

  const first = await frames(daemon, await finished(daemon, `${uuid}.zip`));
  const second = await frames(daemon, await finished(daemon, `${uuid}_1.zip`));
  assert.deepEqual([first.cars, second.cars], [[['4']], [['8']]]);
  const analyses = [`${uuid}.json`, `${uuid}_1.json`].map(async (name) => JSON.parse(readFileSync(await finished(daemon, name), 'utf8')));
  const [one, two] = await Promise.all(analyses);
  assert.deepEqual(one.static, { 4: ['GT', null, null] });
  assert.equal(two.service.uuid, `${uuid}:1`);
  assert.equal(two.service.description, 'Heat 2');
  assert.equal(two.static, undefined);
});

test('what is marked as not to be recorded is thrown away', async (t) => {
  const daemon = await startDaemon(t, { env: { ...quick, LIVETIMING_SERVICES: 'simulator --seed 71 -N' } });
  await inProgress(daemon, 2);
  await daemon.ctl(['service', 'stop', 'simulator']);
  await daemon.waitLog(/recording thrown away.*not to be recorded/);
  assert.deepEqual(readdirSync(recordings(daemon)).filter((name) => name.endsWith('.zip')), []);
  assert.deepEqual(journals(daemon), []);
});

test('a temporary directory that has gone is said once, the service lives, and recording resumes', async (t) => {
  const daemon = await startDaemon(t, { env: { LIVETIMING_SERVICES: '' } });
  const temp = path.join(daemon.dir, 'recordings-temp');
  renameSync(temp, `${temp}.aside`);
  await daemon.ctl(['service', 'start', 'simulator', '--seed', '71']);
  await daemon.waitLog(/recording cannot be written/);
  const status = await daemon.ctl(['status']);
  assert.match(status.stdout, /1 CANNOT BE WRITTEN/);
  renameSync(`${temp}.aside`, temp);
  await daemon.waitLog(/recording is written again/);
  await inProgress(daemon, 1);
  assert.equal(daemon.log.match(/cannot be written/g).length, 1);
});

test('-r records one service into a file of its own, over a restart of the daemon', async (t) => {
  const daemon = await startDaemon(t, { env: { ...quick, LIVETIMING_DVR: 'no' } });
  const file = path.join(daemon.dir, 'mine.zip');
  const started = await daemon.ctl(['service', 'start', 'simulator', '--seed', '71', '-r', 'mine']);
  assert.equal(started.code, 0, started.stderr);
  const journal = path.join(daemon.dir, 'mine.journal');
  await eventually(() => existsSync(journal) && statSync(journal).size > 2000, 'the journal');
  await daemon.stop();
  assert.equal(existsSync(file), false);

  const again = new Daemon({ dir: daemon.dir, env: { ...quick, LIVETIMING_DVR: 'no' } });
  t.after(() => again.destroy());
  await again.start();
  const size = statSync(journal).size;
  await eventually(() => statSync(journal).size > size, 'the journal to grow');
  await again.ctl(['service', 'stop', 'simulator']);
  await eventually(() => existsSync(file), 'the archive');
  const state = await frames(again, file);
  assert.ok(state.cars.length > 0);
  assert.equal(existsSync(journal), false);
});
