// What a session that holds the shared secret, or stands before the login, can
// do to others: nothing beyond its own services.
import test from 'node:test';
import assert from 'node:assert/strict';
import { startDaemon, eventually } from './support/daemon.mjs';
import { RawClient } from './support/clients.mjs';

const SERVICES = { LIVETIMING_SERVICES: 'simulator --seed 71' };

async function directory(daemon) {
  return (await fetch(`${daemon.http}/directory.json`)).json();
}

async function simulator(daemon) {
  return eventually(async () => (await directory(daemon))[0], 'the simulator to be listed');
}

// One PUBLISH that the router acknowledges.
let request = 0;
async function publish(client, topic, args, options = {}) {
  request += 1;
  client.send([16, request, { acknowledge: true, ...options }, topic, args]);
  const [type] = await client.next();
  assert.equal(type, 17);
}

const register = (client, manifest) => publish(client, 'livetiming.control', [{ msgClass: 2, date: 1700000000, payload: manifest }]);

test('a session outside cannot take over the listing of a service in the daemon', async (t) => {
  const daemon = await startDaemon(t, { env: SERVICES });
  const { uuid, name } = await simulator(daemon);
  const rogue = await RawClient.open(t, daemon);
  await rogue.join();

  await register(rogue, { uuid, name: 'stolen', hidden: false });
  await register(rogue, { uuid: 'its-own', name: 'its own', hidden: false });
  await eventually(async () => (await directory(daemon)).length === 2, 'its own service to be listed');
  rogue.socket.terminate();
  await eventually(async () => (await directory(daemon)).length === 1, 'its own service to go');

  assert.deepEqual((await directory(daemon)).map((manifest) => [manifest.uuid, manifest.name]), [[uuid, name]]);
});

test('manifests, listings and states of every wrong shape leave the others as they are', async (t) => {
  const daemon = await startDaemon(t, { env: SERVICES });
  const { uuid } = await simulator(daemon);
  const rogue = await RawClient.open(t, daemon);
  await rogue.join();

  const wrong = [null, true, 5, '', [], {}, [[]], 'x'.repeat(100000), { uuid: 5 }, { uuid: '' }, { uuid: 'x'.repeat(200) }, { uuid: 'a', hidden: 'no' }];
  for (const msgClass of [1, 2, 3, 4, 5, 7, 8, 9, 0, -1, '2', null]) {
    for (const payload of wrong) {
      await publish(rogue, 'livetiming.control', [{ msgClass, date: true, payload }]);
      await publish(rogue, 'livetiming.service.its-own', [{ msgClass, date: 'now', payload }], { retain: true });
    }
  }
  await register(rogue, { uuid: 'large', name: 'x'.repeat(100000) });
  for (const key of ['name', 'colSpec', 'trackDataSpec', 'description', 'pollInterval', 'startTime']) {
    await register(rogue, { uuid: `odd-${key}`, [key]: [[null, {}], 7] });
  }
  for (const odd of ['../../etc/passwd', 'a/b', '.', ' ', '"', '<b>x</b>']) await register(rogue, { uuid: odd, name: odd });

  const listed = await eventually(async () => {
    const uuids = (await directory(daemon)).map((manifest) => manifest.uuid);
    return uuids.includes('<b>x</b>') && uuids;
  }, 'the last manifest to be listed');
  assert.ok(!listed.includes('large'));
  assert.equal((await fetch(`${daemon.http}/state/${uuid}.json`)).status, 200);
  assert.equal((await fetch(`${daemon.http}/state/${encodeURIComponent('../../etc/passwd')}.json`)).status, 404);
  assert.ok((await fetch(`${daemon.http}/state/odd-name.json`)).status >= 500);
  rogue.socket.terminate();
  await eventually(async () => (await directory(daemon)).length === 1, 'what is not the daemon\'s to go');
});

test('before the login an authid is bounded', async (t) => {
  const daemon = await startDaemon(t);
  const client = await RawClient.open(t, daemon);
  const [type, details] = await client.hello('timing', { roles: { caller: {} }, authmethods: ['wampcra'], authid: 'x'.repeat(1000000) });
  assert.equal(type, 3);
  assert.match(details.message, /authid: at most 256 bytes/);
  await client.closed;
});
