// Recordings in a bucket: uploaded, listed by all, fetched by who wants them, and
// never lost, whatever the store does. The store checks every signature.
import test from 'node:test';
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import path from 'node:path';
import { build, eventually, run } from './support/daemon.mjs';
import { entryOf, listed, local, noneRefused, put, startWith, stored } from './support/bucket.mjs';
import { autobahnSession } from './support/clients.mjs';
import { START } from './support/race.mjs';
import { S3 } from './support/s3.mjs';

test('a finished recording is uploaded with its analysis and its entry', async (t) => {
  const store = await S3.open(t);
  const daemon = await startWith(t, store, { env: { GENERATE_ANALYSIS: '1' }, files: [['club1.zip']] });
  const entry = await entryOf(store, 'club1');
  assert.equal(entry.name, 'Club Cup');
  assert.equal(entry.filename, 'club1.zip');
  assert.equal(entry.startTime, START);
  assert.deepEqual(await stored(store, 'club1.zip'), readFileSync(local(daemon, 'club1.zip')));
  assert.deepEqual(await stored(store, 'club1.json'), readFileSync(local(daemon, 'club1.json')));
  noneRefused(store);
  await eventually(async () => (await daemon.ctlJson(['status'])).recordings.in_bucket === 1, 'the status');
  assert.match((await daemon.ctl(['status'])).stdout, /^recordings .*1 in the bucket, 0 to be uploaded$/m);
  assert.match(await (await fetch(`${daemon.http}/metrics`)).text(), /^livetiming_offload_uploaded_total 1$/m);
});

test('a prefix stands in front of all names', async (t) => {
  const store = await S3.open(t);
  await startWith(t, store, { env: { LIVETIMING_S3_PREFIX: 'races/club&co/' }, files: [['club1.zip']] });
  await stored(store, 'races/club&co/catalogue/club1.json');
  assert.ok(store.objects.has('races/club&co/club1.zip'));
  noneRefused(store);
});

test('a large recording is uploaded in parts, and comes back whole', async (t) => {
  const store = await S3.open(t);
  const daemon = await startWith(t, store, { files: [['club1.zip', {}, [{ name: 'more.bin', content: randomBytes(20 * 1024 * 1024) }]]] });
  const body = await eventually(() => store.objects.has('catalogue/club1.json') && store.objects.get('club1.zip'), 'the upload');
  assert.match(body.etag, /-3"$/);
  assert.ok(body.body.equals(readFileSync(local(daemon, 'club1.zip'))));
  const other = await startWith(t, store);
  await eventually(async () => (await fetch(`${other.http}/recordings/club1.zip`)).status === 200, 'it at the other daemon');
  assert.ok(readFileSync(local(other, 'club1.zip')).equals(body.body));
  noneRefused(store);
});

test('what the store refuses or breaks off is tried again until it is there', async (t) => {
  const store = await S3.open(t);
  const failures = [500, 'cut', 503];
  store.fail = ({ method }) => (method === 'PUT' ? failures.shift() : undefined);
  const daemon = await startWith(t, store, { files: [['club1.zip']] });
  await entryOf(store, 'club1');
  assert.equal(failures.length, 0);
  assert.ok(daemon.log.match(/recording not uploaded; it stays here/g).length >= 2, daemon.log); // curl itself repeats what was cut off at once
  assert.ok(existsSync(local(daemon, 'club1.zip')));
});

test('a part that fails takes the whole upload back, and it begins again', async (t) => {
  const store = await S3.open(t);
  let failed = false;
  store.fail = ({ query }) => (query.get('partNumber') === '2' && !failed ? (failed = true, 500) : undefined);
  await startWith(t, store, { files: [['club1.zip', {}, [{ name: 'more.bin', content: randomBytes(9 * 1024 * 1024) }]]] });
  await entryOf(store, 'club1');
  assert.ok(failed);
  assert.equal(store.uploads.size, 0);
  assert.ok(store.requests.some(({ method }) => method === 'DELETE'));
});

test('a recording counts as stored when the store has the same bytes, and not before', async (t) => {
  const zip = (method) => (request) => request.key === 'club1.zip' && request.method === method;
  for (const [name, lie] of [
    ['another size', (request) => zip('HEAD')(request) && { answer: '', headers: { etag: '"x"', 'content-length': 3 } }],
    ['another tag', (request, store) => zip('HEAD')(request) && { answer: '', headers: { etag: '"x"', 'content-length': store.objects.get('club1.zip').body.length } }],
    ['no length', (request) => zip('HEAD')(request) && { answer: '' }],
    ['not there', (request) => zip('HEAD')(request) && 404],
    ['no tag', (request) => zip('PUT')(request) && { answer: '' }],
  ]) {
    const store = await S3.open(t);
    let lies = 0;
    store.fail = (request) => {
      const answer = lies < 1 && lie(request, store);
      if (answer) lies++;
      return answer || undefined;
    };
    const daemon = await startWith(t, store, { env: { LIVETIMING_S3_KEEP_MIB: '1' }, files: [['club1.zip']] });
    await entryOf(store, 'club1');
    assert.equal(lies, 1, name);
    assert.match(daemon.log, /recording not uploaded; it stays here/, name);
    assert.ok(existsSync(local(daemon, 'club1.zip')), name);
  }
});

test('an answer to a large upload that is none is told, and it begins again', async (t) => {
  const store = await S3.open(t);
  const answers = [
    [/^POST uploads/, { answer: '<html>' }, /no UploadId/],
    [/^PUT partNumber/, { answer: '' }, /no ETag/],
    [/^POST uploadId/, { answer: '<Error><Code>InternalError</Code></Error>' }, /no CompleteMultipartUploadResult/],
    [/^POST uploadId/, { answer: '<CompleteMultipartUploadResult>' }, /no ETag/],
  ];
  const wanted = [...answers];
  store.fail = ({ method, query }) => (answers.length > 0 && answers[0][0].test(`${method} ${[...query.keys()][0] ?? ''}`) ? answers.shift()[1] : undefined);
  const daemon = await startWith(t, store, { files: [['club1.zip', {}, [{ name: 'more.bin', content: randomBytes(9 * 1024 * 1024) }]]] });
  await entryOf(store, 'club1');
  for (const [, , says] of wanted) assert.match(daemon.log, says);
  assert.ok(store.objects.get('club1.zip').body.equals(readFileSync(local(daemon, 'club1.zip'))));
});

test('half a listing is none: what was known stays', async (t) => {
  const store = await S3.open(t);
  await startWith(t, store, { files: [['club1.zip'], ['club2.zip', { startTime: START + 5000 }]] });
  await entryOf(store, 'club1');
  await entryOf(store, 'club2');
  const half = '<ListBucketResult><IsTruncated>true</IsTruncated>';
  for (const answer of [half, `${half}<NextContinuationToken>same</NextContinuationToken>`]) {
    store.fail = null;
    const other = await startWith(t, store);
    const session = await autobahnSession(t, other);
    await eventually(async () => (await listed(session)).length === 2, 'both in the catalogue');
    store.fail = ({ method, key }) => (method === 'GET' && key === '' ? { answer } : undefined);
    await other.waitLog(/cannot be listed.*no new NextContinuationToken/);
    assert.equal((await listed(session)).length, 2);
  }
});

test('killed in the middle of an upload, the daemon begins it again', async (t) => {
  const store = await S3.open(t);
  const daemon = await startWith(t, store, { files: [['club1.zip', {}, [{ name: 'more.bin', content: randomBytes(9 * 1024 * 1024) }]]] });
  await eventually(() => store.requests.some(({ query }) => query.has('partNumber')), 'a part');
  await daemon.stop('SIGKILL');
  const again = await startWith(t, store, { dir: daemon.dir });
  await entryOf(store, 'club1');
  assert.ok((await stored(store, 'club1.zip')).equals(readFileSync(local(again, 'club1.zip'))));
});

test('after a restart nothing is uploaded again', async (t) => {
  const store = await S3.open(t);
  const daemon = await startWith(t, store, { files: [['club1.zip']] });
  await entryOf(store, 'club1');
  await daemon.waitLog(/recording uploaded/);
  await daemon.stop();
  store.requests.length = 0;
  const again = await startWith(t, store, { dir: daemon.dir });
  put(again, 'club2.zip', { startTime: START + 5000 });
  await entryOf(store, 'club2');
  assert.ok(!store.requests.some(({ method, key }) => method === 'PUT' && key.startsWith('club1')));
});

test('a wrong secret is told as such, without it, and nothing is lost', async (t) => {
  const store = await S3.open(t);
  const daemon = await startWith(t, store, { env: { LIVETIMING_S3_SECRET_KEY: 'hidden-and-wrong' }, files: [['club1.zip']] });
  await daemon.waitLog(/the bucket cannot be listed.*403 SignatureDoesNotMatch/);
  assert.ok(!daemon.log.includes('hidden'));
  assert.ok(existsSync(local(daemon, 'club1.zip')));
  assert.match((await daemon.ctl(['status'])).stdout, /TROUBLE WITH THE BUCKET/);
});

test('another daemon lists what is in the bucket, and fetches what is asked for', async (t) => {
  const store = await S3.open(t);
  await startWith(t, store, { env: { GENERATE_ANALYSIS: '1' }, files: [['club1.zip'], ['club2.zip', { startTime: START + 5000, name: 'Other' }]] });
  await entryOf(store, 'club2');
  await entryOf(store, 'club1');
  store.pageSize = 1; // listings come in pages
  const other = await startWith(t, store);
  const session = await autobahnSession(t, other);
  await eventually(async () => (await listed(session)).length === 2, 'both in the catalogue');
  assert.deepEqual((await listed(session)).sort(), ['club1.zip', 'club2.zip']);
  assert.equal((await session.call('livetiming.recordings.manifest', ['club2'])).name, 'Other');
  assert.equal(existsSync(local(other, 'club1.zip')), false);
  const [timeline, zip] = await Promise.all([fetch(`${other.http}/timeline/recordings/club1/index.json`), fetch(`${other.http}/recordings/club1.zip`)]);
  assert.equal(zip.status, 200);
  assert.equal(timeline.status, 200);
  assert.equal((await timeline.json()).recording?.name ?? 'Club Cup', 'Club Cup');
  assert.deepEqual(Buffer.from(await zip.arrayBuffer()), store.objects.get('club1.zip').body);
  assert.ok(existsSync(local(other, 'club1.json')));
  assert.equal(store.requests.filter(({ method, key }) => method === 'GET' && key === 'club1.zip').length, 1, 'fetched once for both');
  noneRefused(store);
});

test('a recording that cannot be fetched is answered as such, and can be asked for again', async (t) => {
  const store = await S3.open(t);
  await startWith(t, store, { files: [['club1.zip']] });
  await entryOf(store, 'club1');
  const other = await startWith(t, store);
  await eventually(async () => (await listed(await autobahnSession(t, other))).length === 1, 'it in the catalogue');
  store.fail = ({ key }) => (key === 'club1.zip' ? 500 : undefined);
  assert.equal((await fetch(`${other.http}/recordings/club1.zip`)).status, 503);
  assert.deepEqual(readdirSync(path.join(other.dir, 'recordings')).filter((name) => name.includes('fetch')), []);
  store.fail = null;
  assert.equal((await fetch(`${other.http}/recordings/club1.zip`)).status, 200);
});

test('local copies over the bound go once the bucket has them, and are still listed and served', async (t) => {
  const store = await S3.open(t);
  const filler = [{ name: 'more.bin', content: randomBytes(1024 * 1024) }];
  const daemon = await startWith(t, store, { env: { LIVETIMING_S3_KEEP_MIB: '1' }, files: [['club1.zip', {}, filler], ['club2.zip', { startTime: START + 5000 }, filler]] });
  await entryOf(store, 'club1');
  await entryOf(store, 'club2');
  await eventually(() => !existsSync(local(daemon, 'club1.zip')) || !existsSync(local(daemon, 'club2.zip')), 'a copy to be removed');
  const session = await autobahnSession(t, daemon);
  await eventually(async () => (await listed(session)).length === 2, 'both in the catalogue');
  for (const name of ['club1.zip', 'club2.zip']) {
    const answer = await fetch(`${daemon.http}/recordings/${name}`);
    assert.equal(answer.status, 200);
    assert.ok(Buffer.from(await answer.arrayBuffer()).equals(store.objects.get(name).body));
  }
});

test('two daemons with recordings of the same name both keep theirs', async (t) => {
  const store = await S3.open(t);
  await startWith(t, store, { files: [['club1.zip']] });
  await entryOf(store, 'club1');
  const other = await startWith(t, store, { files: [['club1.zip', { startTime: START + 9000, description: 'after the first died' }]] });
  const second = await entryOf(store, 'club1_1');
  assert.equal(second.startTime, START + 9000);
  assert.equal((await entryOf(store, 'club1')).startTime, START);
  assert.ok(existsSync(local(other, 'club1_1.zip')));
  const session = await autobahnSession(t, other);
  await eventually(async () => (await listed(session)).sort().join() === 'club1.zip,club1_1.zip', 'both in the catalogue');
});

test('a private recording in the bucket is served to nobody without its code', async (t) => {
  const store = await S3.open(t);
  await startWith(t, store, { files: [['club1.zip', { private: true }]] });
  await entryOf(store, 'club1');
  const other = await startWith(t, store);
  const services = await autobahnSession(t, other, { auth: { authid: 'services' } });
  await eventually(async () => (await listed(services)).length === 1, 'it in the catalogue of who may see all');
  assert.deepEqual(await listed(await autobahnSession(t, other)), []);
  assert.equal((await fetch(`${other.http}/recordings/club1.zip`)).status, 404);
  assert.equal((await fetch(`${other.http}/timeline/recordings/club1/index.json`)).status, 404);
  assert.equal(existsSync(local(other, 'club1.zip')), false);
});

test('what is broken in the bucket is passed over', async (t) => {
  const store = await S3.open(t);
  await startWith(t, store, { files: [['club1.zip']] });
  await entryOf(store, 'club1');
  const bad = (key, text) => store.objects.set(key, { body: Buffer.from(text), etag: `"${key}"` });
  bad('catalogue/broken.json', '{');
  bad('catalogue/list.json', '[1]');
  bad('catalogue/../escape.json', '{}');
  bad('catalogue/.hidden.json', '{}');
  bad('catalogue/<&>.json', '{}');
  bad('catalogue/x.txt', '{}');
  const other = await startWith(t, store);
  await other.waitLog(/an entry of the bucket cannot be read/);
  const session = await autobahnSession(t, other);
  await eventually(async () => (await listed(session)).includes('club1.zip'), 'the good one in the catalogue');
  noneRefused(store);
});

test('an answer that is no listing is told', async (t) => {
  const server = createServer((_request, response) => response.end('<html>Welcome to the wireless network</html>'));
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.after(() => { server.closeAllConnections?.(); server.close(); });
  const store = await S3.open(t);
  const daemon = await startWith(t, store, { env: { LIVETIMING_S3_URL: `http://127.0.0.1:${server.address().port}/races` }, files: [['club1.zip']] });
  await daemon.waitLog(/the bucket cannot be listed.*no ListBucketResult/);
  assert.ok(existsSync(local(daemon, 'club1.zip')));
});

test('an edge reads the bucket and uploads nothing', async (t) => {
  const store = await S3.open(t);
  await startWith(t, store, { files: [['club1.zip']] });
  await entryOf(store, 'club1');
  const edge = await startWith(t, store, { env: { LIVETIMING_BACKPLANE: 'nats://127.0.0.1:1', LIVETIMING_ROLE: 'edge' }, files: [['own.zip']] });
  assert.equal(await eventually(async () => (await fetch(`${edge.http}/recordings/club1.zip`)).status === 200, 'it at the edge'), true);
  assert.ok(!store.objects.has('own.zip'));
});

test('settings that cannot be are told', async () => {
  const url = 'https://store.example/bucket';
  for (const [env, says] of [
    [{ LIVETIMING_S3_URL: url }, /set LIVETIMING_S3_ACCESS_KEY and LIVETIMING_S3_SECRET_KEY/],
    [{ LIVETIMING_S3_URL: 'ftp://x' }, /LIVETIMING_S3_URL/],
    [{ LIVETIMING_S3_PREFIX: '/races' }, /LIVETIMING_S3_PREFIX.*slash/],
    [{ LIVETIMING_S3_REGION: 'eu west' }, /LIVETIMING_S3_REGION.*region/],
    [{ LIVETIMING_S3_KEEP_MIB: '-1' }, /LIVETIMING_S3_KEEP_MIB/],
  ]) {
    const result = await run(path.join(build, 'livetimingd'), ['--check-config'], { env });
    assert.notEqual(result.code, 0, JSON.stringify(env));
    assert.match(result.stdout + result.stderr, says);
  }
});

