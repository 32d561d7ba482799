// What goes wrong with recordings in a bucket: files and entries that are broken, nodes
// that die half way, stores that lose or refuse. No recording is lost or renamed by it,
// and none stands in the way of the others.
import test from 'node:test';
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { existsSync, readFileSync, readdirSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { eventually } from './support/daemon.mjs';
import { entryOf, listed, local, put, startWith, stored } from './support/bucket.mjs';
import { autobahnSession } from './support/clients.mjs';
import { START } from './support/race.mjs';
import { S3 } from './support/s3.mjs';

const MIB = [{ name: 'more.bin', content: randomBytes(1024 * 1024) }];
const inBucket = (daemon, count) => eventually(async () => (await daemon.ctlJson(['status'])).recordings.in_bucket === count, `${count} in the bucket`);

test('a file that is no recording does not keep others from being uploaded', async (t) => {
  const store = await S3.open(t);
  const daemon = await startWith(t, store);
  writeFileSync(local(daemon, 'broken.zip'), 'PK\x03\x04 and no more');
  utimesSync(local(daemon, 'broken.zip'), 1000, 1000); // the oldest, so it would be the first
  put(daemon, 'club1.zip');
  await entryOf(store, 'club1');
  assert.ok(!store.objects.has('broken.zip'));
  assert.ok(existsSync(local(daemon, 'broken.zip')));
});

test('a recording that the store refuses does not keep others from being uploaded', async (t) => {
  const store = await S3.open(t);
  store.fail = ({ method, key }) => (method === 'PUT' && key === 'club1.zip' ? 400 : undefined);
  const daemon = await startWith(t, store, { files: [['club1.zip'], ['club2.zip', { startTime: START + 5000 }]] });
  utimesSync(local(daemon, 'club1.zip'), 1000, 1000);
  await entryOf(store, 'club2');
  await daemon.waitLog(/recording not uploaded.*club1\.zip/);
  store.fail = null;
  await entryOf(store, 'club1');
});

test('who may list but not write is told so until it may', async (t) => {
  const store = await S3.open(t);
  store.fail = ({ method }) => (method === 'PUT' ? 403 : undefined);
  const daemon = await startWith(t, store, { files: [['club1.zip']] });
  await daemon.waitLog(/recording not uploaded.*the store answers 403/);
  const listings = () => store.requests.filter(({ key }) => key === '').length;
  const before = listings();
  await eventually(() => listings() > before + 2, 'further listings');
  assert.match((await daemon.ctl(['status'])).stdout, /TROUBLE WITH THE BUCKET/);
  store.fail = null;
  await entryOf(store, 'club1');
  await eventually(async () => !/TROUBLE WITH THE BUCKET/.test((await daemon.ctl(['status'])).stdout), 'the trouble to be over');
});

test('an entry that could not be read is read again', async (t) => {
  const store = await S3.open(t);
  await startWith(t, store, { files: [['club1.zip']] });
  await entryOf(store, 'club1');
  let failed = 0;
  store.fail = ({ method, key }) => (method === 'GET' && key === 'catalogue/club1.json' && failed++ < 1 ? 500 : undefined);
  const other = await startWith(t, store);
  const session = await autobahnSession(t, other);
  await eventually(async () => (await listed(session)).length === 1, 'it in the catalogue');
});

test('a recording is not taken for another one while its entry is still being read', async (t) => {
  const store = await S3.open(t);
  const daemon = await startWith(t, store, { files: [['club1.zip']] });
  await daemon.waitLog(/recording uploaded/);
  await daemon.stop();
  for (const name of ['state/offload.json', 'recordings/remote.json']) rmSync(path.join(daemon.dir, name), { force: true }); // killed before they were written
  let held = false;
  store.fail = ({ method, key }) => (method === 'GET' && key === 'catalogue/club1.json' && !held ? (held = true, new Promise(() => {})) : undefined);
  const again = await startWith(t, store, { dir: daemon.dir });
  await again.waitLog(/recording (uploaded|renamed).*club1\.zip/);
  assert.ok(held);
  assert.ok(existsSync(local(again, 'club1.zip')));
  assert.ok(!store.objects.has('club1_1.zip'));
});

for (const [what, spoil] of [
  ['lost', (store, key) => store.objects.delete(key)],
  ['has in another form', (store, key) => store.objects.set(key, { body: Buffer.alloc(store.objects.get(key).body.length), etag: '"another"' })],
]) test(`a copy is removed only while the bucket has the recording: one that it ${what} is uploaded again`, async (t) => {
  const store = await S3.open(t);
  const daemon = await startWith(t, store, { files: [['club1.zip', {}, MIB], ['club2.zip', { startTime: START + 5000 }, MIB]] });
  await eventually(() => daemon.log.match(/recording uploaded/g)?.length === 2, 'both to be uploaded');
  await daemon.stop();
  const whole = readFileSync(local(daemon, 'club1.zip'));
  spoil(store, 'club1.zip');
  const again = await startWith(t, store, { dir: daemon.dir, env: { LIVETIMING_S3_KEEP_MIB: '1' } });
  await eventually(() => store.objects.get('club1.zip')?.body.equals(whole), 'the recording in the bucket');
  await again.waitLog(/local copy removed/);
  const answer = await fetch(`${again.http}/recordings/club1.zip`);
  assert.ok(Buffer.from(await answer.arrayBuffer()).equals(whole));
});

test('a copy is not removed when the bucket has another recording under its name', async (t) => {
  const store = await S3.open(t);
  const daemon = await startWith(t, store, { files: [['club1.zip', {}, MIB], ['club2.zip', { startTime: START + 5000 }, MIB]] });
  await eventually(() => daemon.log.match(/recording uploaded/g)?.length === 2, 'both to be uploaded');
  await daemon.stop();
  const ours = readFileSync(local(daemon, 'club1.zip'));
  // another node has written over both at the same moment
  for (const name of ['club1', 'club2']) {
    store.objects.set(`${name}.zip`, { body: Buffer.from('of another node'), etag: '"another"' });
    store.objects.set(`catalogue/${name}.json`, { body: Buffer.from(JSON.stringify({ uuid: name, name: 'Other', description: '', duration: 60, startTime: START + 99000, filename: `${name}.zip` })), etag: '"another"' });
  }
  const again = await startWith(t, store, { dir: daemon.dir, env: { LIVETIMING_S3_KEEP_MIB: '1' } });
  await again.waitLog(/recording renamed/);
  assert.ok((await stored(store, 'club1_1.zip')).equals(ours));
  assert.equal(String(store.objects.get('club1.zip').body), 'of another node');
});

test('another bucket gets everything', async (t) => {
  const store = await S3.open(t);
  const daemon = await startWith(t, store, { files: [['club1.zip']] });
  await daemon.waitLog(/recording uploaded/);
  await daemon.stop();
  const second = await S3.open(t, { bucket: 'archive' });
  await startWith(t, second, { dir: daemon.dir });
  await entryOf(second, 'club1');
});

test('an analysis that is made later is uploaded, too', async (t) => {
  const store = await S3.open(t);
  const daemon = await startWith(t, store, { files: [['club1.zip']] });
  await entryOf(store, 'club1');
  await daemon.waitLog(/recording uploaded/);
  writeFileSync(local(daemon, 'club1.json'), '{"service":{}}');
  assert.equal(String(await stored(store, 'club1.json')), '{"service":{}}');
  await eventually(async () => (await entryOf(store, 'club1')).hasAnalysis === true, 'the entry to say so');
});

test('what is half fetched when the daemon is killed does not stay', async (t) => {
  const store = await S3.open(t);
  await startWith(t, store, { files: [['club1.zip', {}, [{ name: 'more.bin', content: randomBytes(9 * 1024 * 1024) }]]] });
  await entryOf(store, 'club1');
  const other = await startWith(t, store);
  await inBucket(other, 1);
  const halves = () => readdirSync(local(other, '')).filter((name) => name.startsWith('.fetch-club1'));
  store.fail = ({ method, key }) => (method === 'GET' && key === 'club1.zip' && halves().length > 0 ? new Promise(() => {}) : undefined);
  fetch(`${other.http}/recordings/club1.zip`).catch(() => {});
  await eventually(() => halves().length === 1, 'a part of it');
  await other.stop('SIGKILL');
  utimesSync(local(other, halves()[0]), 1000, 1000); // what is young may be another daemon's
  await startWith(t, store, { dir: other.dir });
  await eventually(() => halves().length === 0, 'it to be gone');
});

test('what is changed where it was made is fetched anew where it had been fetched', async (t) => {
  const store = await S3.open(t);
  const daemon = await startWith(t, store, { files: [['club1.zip']] });
  await entryOf(store, 'club1');
  const other = await startWith(t, store);
  const session = await autobahnSession(t, other);
  await eventually(async () => (await fetch(`${other.http}/recordings/club1.zip`)).status === 200, 'it at the other daemon');
  put(daemon, 'club1.zip', { name: 'Renamed Cup', hidden: true });
  await eventually(async () => (await entryOf(store, 'club1')).name === 'Renamed Cup', 'the change in the bucket');
  await eventually(async () => (await listed(session)).length === 0, 'it to be hidden at the other daemon');
  await eventually(() => readFileSync(local(other, 'club1.zip')).equals(store.objects.get('club1.zip').body), 'the new file there');
});

test('an entry that says nothing useful is passed over', async (t) => {
  const store = await S3.open(t);
  await startWith(t, store, { files: [['club1.zip']] });
  await entryOf(store, 'club1');
  const bad = ['{}', '{"uuid":5,"startTime":1}', '{"uuid":"x","startTime":"y"}', '{"uuid":"x","startTime":1,"name":{"a":1},"filename":"../../etc/passwd"}'];
  bad.forEach((text, i) => store.objects.set(`catalogue/bad${i}.json`, { body: Buffer.from(text), etag: `"${i}"` }));
  const other = await startWith(t, store);
  const session = await autobahnSession(t, other);
  await other.waitLog(/an entry of the bucket cannot be read/);
  await eventually(async () => (await listed(session)).includes('club1.zip'), 'the good one in the catalogue');
  assert.deepEqual(await listed(session), ['club1.zip']);
});

test('a private recording in the bucket is served to who has its code', async (t) => {
  const store = await S3.open(t);
  const env = { LIVETIMING_SERVICES: 'probe --count --uuid club1 --private', LIVETIMING_PRIVATE_CODES: 'codes' };
  await startWith(t, store, { files: [['club1.zip', { private: true }]] });
  await entryOf(store, 'club1');
  const other = await startWith(t, store, { env, texts: { codes: 'probe open-sesame\n' } });
  const get = async (code) => (await fetch(`${other.http}/recordings/club1.zip${code}`)).status;
  await inBucket(other, 1);
  await eventually(async () => (await fetch(`${other.http}/state/club1.json?code=open-sesame`)).status === 200, 'the service to be closed');
  await eventually(async () => (await get('')) === 404, 'it to be nobody\'s without a code');
  assert.equal(await get('?code=wrong-code-1'), 403);
  assert.equal(existsSync(local(other, 'club1.zip')), false);
  await eventually(async () => (await get('?code=open-sesame')) === 200, 'it with its code');
});

test('daemons that share their directory, too, have each recording once', async (t) => {
  const store = await S3.open(t);
  const one = await startWith(t, store, { files: [['club1.zip']] });
  const two = await startWith(t, store, { env: { LIVETIMING_RECORDINGS_DIR: path.join(one.dir, 'recordings') } });
  put(one, 'club2.zip', { startTime: START + 5000 });
  for (const daemon of [one, two]) {
    const session = await autobahnSession(t, daemon);
    await eventually(async () => { const { recordings } = await daemon.ctlJson(['status']); return recordings.in_bucket === 2 && recordings.to_upload === 0; }, 'both in the bucket');
    await eventually(async () => (await listed(session)).sort().join() === 'club1.zip,club2.zip', 'both in the catalogue');
    assert.equal((await fetch(`${daemon.http}/recordings/club2.zip`)).status, 200);
    assert.doesNotMatch(daemon.log, /renamed|not uploaded|fetched/);
  }
  assert.deepEqual([...store.objects.keys()].sort(), ['catalogue/club1.json', 'catalogue/club2.json', 'club1.zip', 'club2.zip']);
});
