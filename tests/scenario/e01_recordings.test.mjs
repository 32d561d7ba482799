// The recordings that are there: procedures, downloads, changes of the directory.
import assert from 'node:assert/strict';
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, unlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import test from 'node:test';

import { autobahnSession } from './support/clients.mjs';
import { Daemon, eventually, shared } from './support/daemon.mjs';

const code = 'let-me-in';

// A daemon on a copy of the reference directory, or null (with a skip) when it is absent.
async function withRecordings(t, names = ['a.zip', 'a_1.zip', 'b.zip', 'c.zip', 'a.json'], env = {}) {
  const source = shared(t, 'golden/index');
  if (!source) return null;
  const dir = mkdtempSync(path.join(tmpdir(), 'lt-e01-'));
  mkdirSync(path.join(dir, 'recordings'));
  for (const name of names) {
    const full = name[0].repeat(32) + name.slice(1);
    // not copied, since a copy of a file that is read-only is read-only
    writeFileSync(path.join(dir, 'recordings', full), readFileSync(path.join(source, full)));
  }
  const daemon = new Daemon({ dir, env: { LIVETIMING_ADMIN_AUTHCODE: code, ...env } });
  t.after(async () => {
    await daemon.destroy();
    rmSync(dir, { recursive: true, force: true });
  });
  await daemon.start();
  await daemon.waitLog(/recordings listed/);
  return daemon;
}

test('pages, names and manifests are those of the original', async (t) => {
  const daemon = await withRecordings(t);
  if (!daemon) return;
  const expected = JSON.parse(readFileSync(shared(t, 'golden/index/result.json'), 'utf8'));
  const session = await autobahnSession(t, daemon);
  const procedures = { get_page: 'page', get_names: 'names', get_manifest: 'manifest' };
  for (const { returned, returned_as_set: set, ...what } of expected.calls) {
    const [[name, args]] = Object.entries(what);
    // page 0 and -1 are empty with us: entries from the end are a fault of the original
    if (!procedures[name] || args[0] < 1) continue;
    const result = await session.call(`livetiming.recordings.${procedures[name]}`, args);
    if (name === 'get_names') assert.deepEqual([...result].sort(), [...set].sort());
    else assert.deepEqual(result, returned, JSON.stringify(args));
  }
});

test('search finds by words, by date and in the order asked for', async (t) => {
  const daemon = await withRecordings(t);
  if (!daemon) return;
  const session = await autobahnSession(t, daemon);
  const found = await session.call('livetiming.recordings.search', ['course'], { sort: 'startTime', ascending: true });
  assert.deepEqual(found.recordings.map((entry) => entry.startTime), [1700000000, 1700005000]);
  const late = await session.call('livetiming.recordings.search', [], { since: 1700004000 });
  assert.equal(late.total, 1);
  await assert.rejects(session.call('livetiming.recordings.search', ['x', null, 'yesterday']), { error: 'wamp.error.invalid_argument' });
});

test('files are served with ranges; the index, hidden names and paths are not', async (t) => {
  const daemon = await withRecordings(t);
  if (!daemon) return;
  const name = `${'a'.repeat(32)}.zip`;
  const whole = readFileSync(path.join(daemon.dir, 'recordings', name));
  const all = await fetch(`${daemon.http}/recordings/${name}`);
  assert.equal(all.status, 200);
  assert.equal(all.headers.get('content-type'), 'application/zip');
  assert.deepEqual(Buffer.from(await all.arrayBuffer()), whole);
  const part = await fetch(`${daemon.http}/recordings/${name}`, { headers: { range: 'bytes=10-29' } });
  assert.equal(part.status, 206);
  assert.deepEqual(Buffer.from(await part.arrayBuffer()), whole.subarray(10, 30));
  assert.equal((await fetch(`${daemon.http}/recordings/${'a'.repeat(32)}.json`)).status, 200);
  for (const bad of ['index.json', '.hidden.zip', 'nothing.zip', '..%2fservices.json', '']) {
    assert.equal((await fetch(`${daemon.http}/recordings/${bad}`)).status, 404, bad);
  }
});

test('a manifest is changed with the right code alone, in index, archive and analysis', async (t) => {
  const daemon = await withRecordings(t);
  if (!daemon) return;
  const session = await autobahnSession(t, daemon);
  const uuid = 'a'.repeat(32);
  daemon.writeFile(`recordings/${uuid}.json`, JSON.stringify({ service: { uuid, description: 'Course 1' } }));
  const change = { uuid, description: 'Course 1, corrected' };
  for (const wrong of [[change], [change, ''], [change, 'let-me-in '], [change, null]]) {
    await assert.rejects(session.call('livetiming.recordings.updateManifest', wrong), { error: 'wamp.error.not_authorized' });
  }
  await assert.rejects(session.call('livetiming.recordings.updateManifest', [{ uuid: 'none' }, code]));
  await session.call('livetiming.recordings.updateManifest', [change, code]);
  const entry = await session.call('livetiming.recordings.manifest', [uuid]);
  assert.equal(entry.description, 'Course 1, corrected');
  const inspected = await daemon.ctl(['rectool', 'inspect', path.join(daemon.dir, 'recordings', `${uuid}.zip`)]);
  assert.match(inspected.stdout, /Course 1, corrected/);
  const analysis = JSON.parse(readFileSync(path.join(daemon.dir, 'recordings', `${uuid}.json`), 'utf8'));
  assert.equal(analysis.service.description, 'Course 1, corrected');
});

test('without a code nobody changes anything', async (t) => {
  const daemon = await withRecordings(t, ['a.zip'], { LIVETIMING_ADMIN_AUTHCODE: null });
  if (!daemon) return;
  const session = await autobahnSession(t, daemon);
  const change = { uuid: 'a'.repeat(32), name: 'x' };
  await assert.rejects(session.call('livetiming.recordings.updateManifest', [change, '']), { error: 'wamp.error.not_authorized' });
});

test('files that come, go and change by other hands are noticed', async (t) => {
  const daemon = await withRecordings(t, ['a.zip']);
  if (!daemon) return;
  const session = await autobahnSession(t, daemon);
  const total = async () => (await session.call('livetiming.recordings.page', [1, null, true])).total;
  const dir = path.join(daemon.dir, 'recordings');
  const archive = path.join(dir, `${'a'.repeat(32)}.zip`);
  assert.equal(await total(), 1);
  copyFileSync(shared(t, `golden/index/${'c'.repeat(32)}.zip`), path.join(dir, `${'c'.repeat(32)}.zip`));
  await eventually(async () => (await total()) === 2, 'the new archive');
  unlinkSync(path.join(dir, `${'c'.repeat(32)}.zip`));
  await eventually(async () => (await total()) === 1, 'the archive to go');
  const set = await daemon.ctl(['rectool', 'set', archive, 'description', 'By hand']);
  assert.equal(set.code, 0, set.stderr);
  await eventually(async () => (await session.call('livetiming.recordings.manifest', ['a'.repeat(32)])).description === 'By hand', 'the change');
  writeFileSync(path.join(dir, `${'a'.repeat(32)}.json`), '{}');
  await eventually(async () => (await session.call('livetiming.recordings.manifest', ['a'.repeat(32)])).hasAnalysis, 'the analysis');
  writeFileSync(path.join(dir, 'broken.zip'), 'not a zip');
  await daemon.waitLog(/recording left out of the list.*broken\.zip/);
  assert.equal(await total(), 1);
});

test('livetimingctl lists and shows', async (t) => {
  const daemon = await withRecordings(t);
  if (!daemon) return;
  const list = await daemon.ctlJson(['recordings', 'list', 'part']);
  assert.equal(list.total, 1);
  assert.equal((await daemon.ctlJson(['recordings', 'list', '--hidden'])).total, 4);
  const text = await daemon.ctl(['recordings', 'list']);
  assert.match(text.stdout, /Série A - Part 2/);
  const entry = await daemon.ctlJson(['recordings', 'show', `${'a'.repeat(32)}_1.zip`]);
  assert.equal(entry.description, 'Part 2');
  const none = await daemon.ctl(['recordings', 'show', 'nothing']);
  assert.equal(none.code, 1);
});
