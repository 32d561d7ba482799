// What settings change in the router: methods, switches, principals, limits, metrics.
import test from 'node:test';
import assert from 'node:assert/strict';
import { createHmac, pbkdf2Sync } from 'node:crypto';
import { startDaemon, Daemon, secret, eventually } from './support/daemon.mjs';
import { Peer } from './support/wamp.mjs';

const roles = { caller: {}, subscriber: {}, publisher: {}, callee: {} };

async function join(t, daemon, { authid, ticket } = {}) {
  const peer = await Peer.open(t, daemon);
  let welcome = await peer.hello(authid ? { authmethods: ['ticket'], authid } : {});
  if (authid) {
    assert.deepEqual(welcome, [4, 'ticket', {}]);
    peer.send(5, ticket, {});
    welcome = await peer.next();
  }
  assert.equal(welcome[0], 2, JSON.stringify(welcome));
  peer.welcome = welcome[2];
  return peer;
}

async function metrics(daemon, headers = {}) {
  const response = await fetch(`${daemon.http}/metrics`, { headers });
  return { status: response.status, type: response.headers.get('content-type'), text: await response.text() };
}

const value = (text, name) => Number(text.split('\n').find((line) => line.startsWith(`${name} `))?.split(' ').pop());

test('tickets can be turned off', async (t) => {
  const daemon = await startDaemon(t, { env: { LIVETIMING_AUTH_TICKET: 'no' } });
  const peer = await Peer.open(t, daemon);
  peer.send(1, 'timing', { roles, authmethods: ['ticket'], authid: 'services' });
  await peer.abort('wamp.error.no_matching_auth_method');
});

test('strict URIs refuse what the loose rule allows', async (t) => {
  const daemon = await startDaemon(t, { env: { LIVETIMING_STRICT_URIS: 'yes' } });
  const peer = await join(t, daemon);
  peer.send(32, 1, {}, 'a.B').send(32, 2, {}, 'a.b');
  await peer.error(32, 1, 'wamp.error.invalid_uri');
  assert.equal((await peer.next())[0], 33);
});

test('the count of sessions can be opened to anonymous sessions', async (t) => {
  const daemon = await startDaemon(t, { env: { LIVETIMING_ANONYMOUS_COUNT: 'yes' } });
  const peer = await join(t, daemon);
  assert.equal(await peer.ask('wamp.session.count'), 1);
  peer.send(48, 1, {}, 'wamp.session.list');
  await peer.error(48, 1, 'wamp.error.not_authorized');
});

test('a session that is too fast is ended, and counted', async (t) => {
  const daemon = await startDaemon(t, { env: { LIVETIMING_LIMIT_MESSAGES_PER_S_ANONYMOUS: '5' } });
  const peer = await join(t, daemon);
  for (let i = 1; i < 200; i++) peer.send(49, i, {});
  await peer.abort('wamp.error.limit_exceeded');
  await eventually(async () => value((await metrics(daemon)).text, 'livetiming_limit_hits_total{limit="rate"}') === 1, 'the count');
  const services = await join(t, daemon, { authid: 'services', ticket: secret });
  for (let i = 1; i < 200; i++) services.send(49, i, {});
  await services.silence();
});

test('roles and principals come from one file', async (t) => {
  const allow = (call, register, publish, subscribe) => ({ call, register, publish, subscribe });
  const salt = 'pepper';
  const key = pbkdf2Sync('grain', salt, 1000, 32, 'sha256').toString('base64');
  const daemon = new Daemon();
  t.after(() => daemon.destroy());
  daemon.env.LIVETIMING_PERMISSIONS = daemon.writeFile('permissions.json', JSON.stringify({
    roles: {
      reporter: {
        permissions: [
          { uri: 'club.', match: 'prefix', allow: allow(true, false, true, true), disclose: { publisher: true } },
          { uri: 'club.secret', match: 'exact', allow: allow(false, false, false, false) },
        ],
      },
    },
    principals: {
      track7: { role: 'reporter', secret: 'plain', ticket: 'paper', methods: ['ticket'] },
      track8: { role: 'reporter', secret: key, salt, iterations: 1000, keylen: 32 },
    },
  }));
  await daemon.start();
  const guest = await join(t, daemon);
  await guest.subscribe('club.', { match: 'prefix' });
  const peer = await join(t, daemon, { authid: 'track7', ticket: 'paper' });
  assert.equal(peer.welcome.authrole, 'reporter');
  await peer.publish('club.lap', [1]);
  assert.equal((await guest.next())[3].publisher_authid, 'track7');
  peer.send(16, 1, { acknowledge: true }, 'club.secret').send(16, 2, { acknowledge: true }, 'other').send(64, 3, {}, 'club.proc')
    .send(32, 4, { match: 'prefix' }, 'club.').send(48, 5, {}, 'wamp.session.list');
  await peer.error(16, 1, 'wamp.error.not_authorized');
  await peer.error(16, 2, 'wamp.error.not_authorized');
  await peer.error(64, 3, 'wamp.error.not_authorized');
  await peer.error(32, 4, 'wamp.error.not_authorized');
  await peer.error(48, 5, 'wamp.error.not_authorized');

  const salted = await Peer.open(t, daemon);
  const [, , extra] = await salted.hello({ authmethods: ['wampcra'], authid: 'track8' });
  assert.deepEqual([extra.salt, extra.iterations, extra.keylen], [salt, 1000, 32]);
  salted.send(5, createHmac('sha256', key).update(extra.challenge).digest('base64'), {});
  assert.equal((await salted.next())[0], 2);

  const fake = [];
  for (let i = 0; i < 2; i++) {
    const stranger = await Peer.open(t, daemon);
    fake.push((await stranger.hello({ authmethods: ['wampcra'], authid: 'track9' }))[2]);
  }
  assert.equal(fake[0].iterations, 1000);
  assert.equal(fake[0].salt, fake[1].salt);
});

for (const [name, content, sentence] of [
  ['an unknown method', { roles: {}, principals: { a: { role: 'services', secret: 's', methods: ['scram'] } } }, /methods: expected "wampcra" or "ticket"/],
  ['a principal without a secret', { roles: {}, principals: { a: { role: 'services' } } }, /principals: .*secret/],
  ['an unknown role', { roles: {}, principals: { a: { role: 'nobody', secret: 's' } } }, /role nobody is not configured/],
  ['a rule without a URI', { roles: { a: { permissions: [{}] } } }, /permissions\[0\]/],
]) {
  test(`a permissions file with ${name} is refused at the start`, async (t) => {
    const daemon = new Daemon({ args: ['--check-config'] });
    t.after(() => daemon.destroy());
    daemon.env.LIVETIMING_PERMISSIONS = daemon.writeFile('permissions.json', JSON.stringify(content));
    await assert.rejects(daemon.start(), sentence);
  });
}

test('metrics are there in the text format, and follow what happens', async (t) => {
  const daemon = await startDaemon(t);
  const before = await metrics(daemon);
  assert.equal(before.status, 200);
  assert.match(before.type, /^text\/plain; version=0\.0\.4/);
  for (const line of before.text.trim().split('\n')) {
    assert.match(line, /^(# (HELP|TYPE) [a-z_]+ .+|[a-z_]+(\{[a-z_]+="[^"]*"\})? [0-9.e+-]+)$/);
  }
  const peer = await join(t, daemon);
  await peer.subscribe('metrics.t');
  const after = (await metrics(daemon)).text;
  assert.equal(value(after, 'livetiming_sessions{role="anonymous"}'), value(before.text, 'livetiming_sessions{role="anonymous"}') + 1);
  assert.equal(value(after, 'livetiming_subscriptions'), value(before.text, 'livetiming_subscriptions') + 1);
  assert.ok(value(after, 'livetiming_bytes_sent_total') > value(before.text, 'livetiming_bytes_sent_total'));
  assert.ok(value(after, 'process_resident_memory_bytes') > 1e6);
  assert.ok(value(after, 'livetiming_loop_lag_seconds_count') > 0);
});

test('metrics are for this machine unless they are opened, and can be turned off', async (t) => {
  const proxied = { 'X-Forwarded-Proto': 'https' };
  assert.equal((await metrics(await startDaemon(t), proxied)).status, 403);
  assert.equal((await metrics(await startDaemon(t, { env: { LIVETIMING_METRICS: 'all' } }), proxied)).status, 200);
  assert.equal((await metrics(await startDaemon(t, { env: { LIVETIMING_METRICS: 'no' } }))).status, 404);
});
