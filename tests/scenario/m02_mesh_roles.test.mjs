// Of a mesh one node records and one acts by the calendars; edges have viewers alone,
// and what is private is private at all of them.
import test from 'node:test';
import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import { mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { build, eventually, run, secret } from './support/daemon.mjs';
import { autobahnSession } from './support/clients.mjs';
import { hasNats, startNats } from './support/nats.mjs';
import { writeRace } from './support/race.mjs';
import { withCredentials } from './support/nats_jwt.mjs';
import { startNode, linked, meshOf } from './support/mesh.mjs';

const skip = hasNats ? false : 'nats-server is not installed';
const quick = { LIVETIMING_DVR_MIN_DURATION_S: '0', LIVETIMING_DVR_IDLE_S: '2', LIVETIMING_DVR_SCAN_S: '1' };

const isOurs = (node, role) => eventually(async () => (await meshOf(node)).roles[role] === 'ours', `${node.env.LIVETIMING_NODE} to have ${role}:\n${node.log}`);
const recording = async (node) => (await node.ctlJson(['recordings', 'list'])).inProgress;
const uuidAt = (node) => eventually(async () => (await node.ctlJson(['service', 'list']))[0]?.uuid, 'a service');

test('one of two origins records the services of both, and the other takes over when it dies', { skip }, async (t) => {
  const nats = await startNats(t);
  const first = await startNode(t, { name: 'first', nats, env: quick });
  await isOurs(first, 'record');
  const second = await startNode(t, { name: 'second', nats, env: { ...quick, LIVETIMING_SERVICES: 'simulator --seed 71' } });
  await linked(first, second);
  const uuid = await uuidAt(second);
  await eventually(async () => (await recording(first)).some((one) => one.uuid === uuid && one.frames > 2), 'the first to record the service of the second');
  assert.deepEqual(await recording(second), []);
  await first.stop('SIGKILL');
  await eventually(async () => (await recording(second)).some((one) => one.uuid === uuid && one.frames > 2), 'the second to record');
  assert.equal((await meshOf(second)).roles.record, 'ours');
});

test('who stops hands the roles over, and keeps what it recorded', { skip }, async (t) => {
  const nats = await startNats(t);
  const first = await startNode(t, { name: 'first', nats, env: quick });
  await isOurs(first, 'record');
  const second = await startNode(t, { name: 'second', nats, env: { ...quick, LIVETIMING_SERVICES: 'simulator --seed 71' } });
  await linked(first, second);
  await eventually(async () => (await recording(first)).some((one) => one.frames > 2), 'a recording');
  await first.stop();
  await isOurs(second, 'record');
  await isOurs(second, 'schedule');
  const left = readdirSync(path.join(first.dir, 'recordings-temp')).filter((name) => name.endsWith('.journal'));
  assert.equal(left.length, 1);
});

test('an event of the calendar runs at one node, and at the other when that dies', { skip }, async (t) => {
  const stamp = (seconds) => new Date((Math.floor(Date.now() / 1000) + seconds) * 1000).toISOString().replace(/[-:]|\.\d+/g, '');
  const text = `BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//test//EN\r\nBEGIN:VEVENT\r\nUID:one\r\nDTSTAMP:20260101T000000Z\r\nDTSTART:${stamp(-60)}\r\nDTEND:${stamp(3600)}\r\nSUMMARY:Race - Day [simulator\\,--seed 3]\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n`;
  const server = createServer((_request, response) => response.end(text));
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.after(() => { server.closeAllConnections?.(); server.close(); });
  const env = {
    LIVETIMING_CALENDAR_URL: `http://127.0.0.1:${server.address().port}/c.ics`,
    LIVETIMING_SCHEDULE_FETCH_S: '1', LIVETIMING_SCHEDULE_LOOP_S: '1', LIVETIMING_SCHEDULE_LEAD_S: '1', TZ: 'UTC',
  };
  const nats = await startNats(t);
  const first = await startNode(t, { name: 'first', nats, env });
  await isOurs(first, 'schedule');
  const second = await startNode(t, { name: 'second', nats, env });
  await linked(first, second);
  await uuidAt(first);
  await eventually(async () => (await second.ctlJson(['schedule', 'list'])).events?.length > 0, 'the second to have read the calendar');
  assert.deepEqual(await second.ctlJson(['service', 'list']), []);
  await first.stop('SIGKILL');
  await uuidAt(second);
});

test('an edge sends who wants recordings to the origin, and lists what is there', { skip }, async (t) => {
  const nats = await startNats(t);
  const origin = await startNode(t, { name: 'origin', nats, env: { ...quick, LIVETIMING_SERVICES: 'simulator --seed 71' } });
  const edge = await startNode(t, { name: 'edge', nats, role: 'edge', env: { LIVETIMING_ORIGIN_URL: origin.http } });
  await linked(origin, edge);
  const uuid = await uuidAt(origin);
  await eventually(async () => (await recording(origin)).some((one) => one.frames > 2), 'a recording');
  await origin.ctl(['service', 'stop', uuid]);
  const session = await autobahnSession(t, edge);
  await eventually(async () => (await session.call('livetiming.recordings.names')).length > 0 || (await session.call('livetiming.recordings.page')).recordings?.length > 0, 'the recording in the catalogue of the origin');
  const answer = await fetch(`${edge.http}/recordings/${uuid}.zip?x=1%2F2`, { redirect: 'manual' });
  assert.equal(answer.status, 307);
  assert.equal(answer.headers.get('location'), `${origin.http}/recordings/${uuid}.zip?x=1%2F2`);
  assert.equal(answer.headers.get('access-control-allow-origin'), '*');
  const followed = await fetch(`${edge.http}/recordings/${uuid}.zip`);
  assert.equal(followed.status, 200);
  assert.equal(Buffer.from(await followed.arrayBuffer()).subarray(0, 2).toString(), 'PK');
  assert.equal((await fetch(`${edge.http}/timeline/${uuid}`, { redirect: 'manual' })).status, 307);
});

test('a service that is closed at the origin is closed at an edge, and its code opens it there', { skip }, async (t) => {
  const nats = await startNats(t);
  const origin = await startNode(t, { name: 'origin', nats, env: { LIVETIMING_SERVICES: 'simulator --seed 71' } });
  const edge = await startNode(t, { name: 'edge', nats, role: 'edge' });
  await linked(origin, edge);
  const uuid = await uuidAt(origin);
  const topic = `livetiming.service.${uuid}`;
  const stranger = await autobahnSession(t, edge);
  const seen = [];
  await stranger.subscribe(topic, (args) => seen.push(args), { get_retained: true });
  await eventually(() => seen.length > 0, 'a state while it is public');
  const { code } = await origin.ctlJson(['desk', 'private', uuid]);
  await eventually(async () => (await fetch(`${edge.http}/state/${uuid}.json`)).status === 404, 'it to be closed at the edge');
  const listed = async () => (await stranger.call('livetiming.directory.listServices')).some((entry) => entry.uuid === uuid);
  await eventually(async () => !(await listed()), 'it to leave the listing');
  seen.length = 0;

  await assert.rejects(Promise.resolve(stranger.call('livetiming.private.open', [uuid, 'wrong-code'])), (error) => error.error === 'livetiming.error.wrong_code');
  const guest = await autobahnSession(t, edge);
  await guest.call('livetiming.private.open', [uuid, code]);
  const states = [];
  await guest.subscribe(topic, (args) => states.push(args), { get_retained: true });
  await eventually(() => states.length > 2, 'states for who has the code');
  assert.equal(seen.length, 0, 'nothing for who has not');
  assert.equal((await fetch(`${edge.http}/state/${uuid}.json?code=${code}`)).status, 200);

  const tables = [];
  await stranger.subscribe('livetiming.private.', (args) => tables.push(args), { match: 'prefix', get_retained: true });
  const trusted = await autobahnSession(t, edge, { auth: { secret } });
  await trusted.subscribe('livetiming.private.', (args) => tables.push('trusted', args), { match: 'prefix', get_retained: true });
  await eventually(() => tables.length > 0, 'the table for services');
  assert.equal(tables[0], 'trusted', 'the table is for services alone');

  await origin.ctlJson(['desk', 'public', uuid]);
  await eventually(async () => (await fetch(`${edge.http}/state/${uuid}.json`)).status === 200, 'it to be open at the edge');
});

function tempDir(t) {
  const dir = mkdtempSync(path.join(tmpdir(), 'lt-mesh-'));
  t.after(() => rmSync(dir, { recursive: true, force: true }));
  return dir;
}

test('a node may log in by a credentials file, and not by one of somebody else', { skip }, async (t) => {
  const { conf, creds, stranger } = withCredentials();
  const nats = await startNats(t, { conf });
  const dir = tempDir(t);
  writeFileSync(path.join(dir, 'mine.creds'), creds);
  writeFileSync(path.join(dir, 'other.creds'), stranger);
  const a = await startNode(t, { name: 'a', nats, env: { LIVETIMING_BACKPLANE_CREDS: path.join(dir, 'mine.creds') } });
  const b = await startNode(t, { name: 'b', nats, env: { LIVETIMING_BACKPLANE_CREDS: path.join(dir, 'mine.creds') } });
  await linked(a, b);
  const c = await startNode(t, { name: 'c', nats, env: { LIVETIMING_BACKPLANE_CREDS: path.join(dir, 'other.creds') } });
  await c.waitLog(/the server does not accept the login/);
});

test('nodes that share a folder of recordings have one catalogue', { skip }, async (t) => {
  const nats = await startNats(t);
  const shared = path.join(tempDir(t), 'recordings');
  mkdirSync(shared);
  const env = { LIVETIMING_RECORDINGS_DIR: shared };
  const origin = await startNode(t, { name: 'origin', nats, env });
  const edge = await startNode(t, { name: 'edge', nats, role: 'edge', env });
  await linked(origin, edge);
  writeRace(path.join(shared, '.club1.zip'), { uuid: 'club1' });
  renameSync(path.join(shared, '.club1.zip'), path.join(shared, 'club1.zip'));
  for (const node of [origin, edge]) {
    const session = await autobahnSession(t, node);
    await eventually(async () => (await session.call('livetiming.recordings.page')).recordings.length === 1, 'the recording');
    assert.equal((await fetch(`${node.http}/recordings/club1.zip`)).status, 200);
  }
});

test('an edge has no settings of an origin, and none works without a backplane', async () => {
  const check = (env) => run(path.join(build, 'livetimingd'), ['--check-config'], { env });
  const nats = { url: 'nats://127.0.0.1:1' };
  for (const [env, says] of [
    [{ LIVETIMING_ROLE: 'edge' }, /an edge needs LIVETIMING_BACKPLANE/],
    [{ LIVETIMING_ROLE: 'other' }, /expected origin or edge/],
    [{ LIVETIMING_NODE: 'a b' }, /LIVETIMING_NODE.*expected/],
    [{ LIVETIMING_BACKPLANE: 'http://x' }, /LIVETIMING_BACKPLANE.*expected nats:/],
    [{ LIVETIMING_BACKPLANE_TOKEN: 't' }, /set LIVETIMING_BACKPLANE as well/],
    [{ LIVETIMING_BACKPLANE_REPLICAS: '2' }, /expected 1, 3 or 5/],
    [{ LIVETIMING_BACKPLANE: nats.url, LIVETIMING_ROLE: 'edge', LIVETIMING_SERVICES: 'simulator' }, /LIVETIMING_SERVICES: an edge has viewers alone/],
    [{ LIVETIMING_BACKPLANE: nats.url, LIVETIMING_BACKPLANE_NKEY: '/nowhere' }, /\/nowhere/],
  ]) {
    const result = await check(env);
    assert.notEqual(result.code, 0, JSON.stringify(env));
    assert.match(result.stdout + result.stderr, says);
  }
});
