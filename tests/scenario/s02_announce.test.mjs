// Announcements against real HTTP servers that behave as the networks' documented interfaces do.
import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import test from 'node:test';

import { build, eventually, run, startConfigured, startDaemon } from './support/daemon.mjs';
import { startServer } from './support/http_server.mjs';

const WAIT_MS = 60000;
const keys = {
  TWITTER_CONSUMER_KEY: 'consumer-key-71',
  TWITTER_CONSUMER_SECRET: 'consumer-secret-71',
  TWITTER_ACCESS_TOKEN: 'access-token-71',
  TWITTER_ACCESS_SECRET: 'access-secret-71',
};
const site = { LIVETIMING_SITE_URL: 'https://timing.example', LIVETIMING_ANNOUNCE_RETRY_S: '1' };

const encode = (text) => encodeURIComponent(text).replace(/[!'()*]/g, (c) => `%${c.charCodeAt(0).toString(16).toUpperCase()}`);

// RFC 5849 once more, by somebody else.
function isSigned(request, base) {
  const header = request.headers.authorization ?? '';
  const sent = Object.fromEntries([...header.matchAll(/(\w+)="([^"]*)"/g)].map((m) => [m[1], decodeURIComponent(m[2])]));
  const url = new URL(request.path, base);
  const params = Object.entries(sent).filter(([name]) => name !== 'oauth_signature');
  params.push(...url.searchParams.entries());
  const joined = params.map(([name, value]) => [encode(name), encode(value)]).sort(([a, b], [c, d]) => (a === c ? (b < d ? -1 : 1) : a < c ? -1 : 1));
  const text = ['POST', encode(url.origin + url.pathname), encode(joined.map((pair) => pair.join('=')).join('&'))].join('&');
  const key = `${encode(keys.TWITTER_CONSUMER_SECRET)}&${encode(keys.TWITTER_ACCESS_SECRET)}`;
  assert.equal(sent.oauth_consumer_key, keys.TWITTER_CONSUMER_KEY);
  assert.equal(sent.oauth_token, keys.TWITTER_ACCESS_TOKEN);
  return sent.oauth_signature === createHmac('sha1', key).update(text).digest('base64');
}

// What each network answers when all is well, by the rules of its documentation.
function networks(request) {
  const { path: at, headers, body } = request;
  if (at === '/2/tweets') return headers['content-type'] === 'application/json' ? { status: 201, body: { data: { id: '1', text: JSON.parse(body).text } } } : { status: 400 };
  if (at === '/api/v1/statuses') return headers.authorization === 'Bearer mastodon-token-71' ? { body: { id: '1' } } : { status: 401 };
  if (at === '/xrpc/com.atproto.server.createSession') return JSON.parse(body).password === 'app-password-71' ? { body: { accessJwt: 'jwt-71', did: 'did:plc:71' } } : { status: 401 };
  if (/^\/xrpc\/com\.atproto\.repo\.(create|put)Record$/.test(at)) return headers.authorization === 'Bearer jwt-71' ? { body: { uri: 'at://x', cid: 'y' } } : { status: 401, body: { error: 'InvalidToken' } };
  if (at === '/discord/hook-71') return { status: 204 };
  if (at === '/webhook-71') return { status: 202 };
  return { status: 404 };
}

const allNetworks = (url) => ({
  ...site,
  ...keys,
  LIVETIMING_ANNOUNCE_X_URL: `${url}/2/tweets`,
  LIVETIMING_ANNOUNCE_MASTODON_URL: url,
  LIVETIMING_ANNOUNCE_MASTODON_TOKEN: 'mastodon-token-71',
  LIVETIMING_ANNOUNCE_BLUESKY_URL: url,
  LIVETIMING_ANNOUNCE_BLUESKY_HANDLE: 'timing.example',
  LIVETIMING_ANNOUNCE_BLUESKY_PASSWORD: 'app-password-71',
  LIVETIMING_ANNOUNCE_DISCORD_URL: `${url}/discord/hook-71`,
  LIVETIMING_ANNOUNCE_WEBHOOK_URL: `${url}/webhook-71`,
  LIVETIMING_ANNOUNCE_WEBHOOK_SECRET: 'webhook-secret-71',
});

const to = (server, at) => server.requests.filter((request) => request.path === at);

function expectNoSecret(text) {
  assert.doesNotMatch(text, /consumer-secret-71|access-secret-71|access-token-71|mastodon-token-71|app-password-71|webhook-secret-71|hook-71|jwt-71/);
}

test('announce test posts to all five networks as they document it', async (t) => {
  const server = await startServer(t, networks);
  const daemon = await startDaemon(t, { env: allNetworks(server.url) });

  const shown = await daemon.ctl(['announce', 'test']);
  assert.equal(shown.code, 0, shown.stdout + shown.stderr);
  assert.equal(shown.stdout.match(/^result +posted$/gm).length, 5);

  const [tweet] = to(server, '/2/tweets');
  const { text } = JSON.parse(tweet.body);
  assert.match(text, /^Starting now: Test of announcements, .* UTC\. Follow live at https:\/\/timing\.example\/s\/test$/);
  assert.ok(isSigned(tweet, server.url));

  const [status] = to(server, '/api/v1/statuses');
  assert.match(new URLSearchParams(status.body).get('status'), /Test of announcements/);
  assert.equal(new URLSearchParams(status.body).get('visibility'), 'public');
  assert.match(status.headers['idempotency-key'], /^[0-9a-f]{64}$/);

  const [record] = to(server, '/xrpc/com.atproto.repo.createRecord').map((request) => JSON.parse(request.body));
  const [facet] = record.record.facets;
  assert.equal(record.repo, 'did:plc:71');
  assert.equal(Buffer.from(record.record.text).subarray(facet.index.byteStart, facet.index.byteEnd).toString(), 'https://timing.example/s/test');
  assert.equal(facet.features[0].uri, 'https://timing.example/s/test');

  assert.match(JSON.parse(to(server, '/discord/hook-71')[0].body).content, /Test of announcements/);

  const [hook] = to(server, '/webhook-71');
  const mac = createHmac('sha256', 'webhook-secret-71').update(`${hook.headers['x-livetiming-timestamp']}.${hook.body}`).digest('hex');
  assert.equal(hook.headers['x-livetiming-signature'], `sha256=${mac}`);
  assert.equal(JSON.parse(hook.body).event, 'test');
  expectNoSecret(daemon.log + shown.stdout);
});

test('a dry run sends nothing and shows what would be sent', async (t) => {
  const server = await startServer(t, networks);
  const daemon = await startDaemon(t, { env: allNetworks(server.url) });

  const results = await daemon.ctlJson(['announce', 'test', '--dry-run']);
  assert.deepEqual(results.map((item) => item.network), ['x', 'mastodon', 'bluesky', 'discord', 'webhook']);
  assert.ok(results.every((item) => item.result === 'not sent' && /Test of/.test(item.text)));
  assert.deepEqual(results.map((item) => item.limit), [280, 500, 300, 2000, null]);
  assert.equal(server.requests.length, 0);
  expectNoSecret(JSON.stringify(results));
});

test('what networks refuse is told with its reason and exit status 1', async (t) => {
  let answer;
  const server = await startServer(t, () => answer);
  const daemon = await startDaemon(t, { env: { ...site, ...keys, LIVETIMING_ANNOUNCE_X_URL: `${server.url}/2/tweets?a=b%20c` } });
  const cases = [
    [{ status: 403, body: { detail: 'not permitted' } }, 'failed', /status 403, .*not permitted/],
    [{ status: 429, headers: { 'retry-after': '7' } }, 'failed', /status 429/],
    [{ status: 500 }, 'failed', /status 500/],
    [{ status: 302, headers: { location: '/elsewhere' } }, 'failed', /status 302/],
    [{ status: 200, body: '<html>log in</html>' }, 'unknown', /not an answer of this network/],
    [{ status: 201, body: '{"data":' }, 'unknown', /not an answer of this network/],
    [null, 'unknown', /./],
  ];
  for (const [given, result, reason] of cases) {
    answer = given;
    const shown = await daemon.ctl(['-j', 'announce', 'test', 'x']);
    assert.equal(shown.code, 1);
    const [item] = JSON.parse(shown.stdout);
    assert.equal(item.result, result);
    assert.match(item.reason, reason);
  }
  assert.equal(server.requests.length, cases.length, 'nothing was sent twice, and no redirect was followed');
  assert.ok(server.requests.every((request) => isSigned(request, server.url)));
});

test('without a network, or with an unknown one, the command is refused', async (t) => {
  const daemon = await startDaemon(t);
  const none = await daemon.ctl(['announce', 'test']);
  assert.equal(none.code, 1);
  assert.match(none.stderr, /no network is configured/);
  assert.equal((await daemon.ctl(['announce', 'test', 'x', 'y'])).code, 2);
  assert.match((await daemon.ctl(['announce', 'list'])).stdout, /no network is configured/);
});

// --- events of the schedule, to the end ---

const stamp = (ms) => new Date(ms).toISOString().replace(/[-:]|\.\d+/g, '');

function calendar(events) {
  const lines = events.flatMap(([uid, summary]) => [
    'BEGIN:VEVENT', `UID:${uid}`, `DTSTAMP:${stamp(Date.now())}`, `DTSTART:${stamp(Date.now() - 60000)}`,
    `DTEND:${stamp(Date.now() + 3600000)}`, `SUMMARY:${summary}`, 'END:VEVENT',
  ]);
  return ['BEGIN:VCALENDAR', 'VERSION:2.0', 'PRODID:-//test//test//EN', ...lines, 'END:VCALENDAR', ''].join('\r\n');
}

test('an event that starts is announced once, a hidden one is not, and a failure is tried again', async (t) => {
  const server = await startServer(t, (request, n) => (request.path === '/ics'
    ? { body: calendar([['open', 'Spa 24h [simulator, --seed 1 -m spa]'], ['secret', 'Test day [simulator, --seed 2 -H -m hush]']]) }
    : request.path === '/webhook-71' && to(server, '/webhook-71').length < 3 ? [{ status: 500 }, null, { status: 202 }][to(server, '/webhook-71').length - 1]
      : networks(request, n)));
  const daemon = await startDaemon(t, { env: { ...allNetworks(server.url), LIVETIMING_CALENDAR_URL: `${server.url}/ics`, LIVETIMING_SCHEDULE_LOOP_S: '1' } });

  const list = await eventually(async () => {
    const found = await daemon.ctlJson(['announce', 'list']);
    return found.announcements.length === 5 && found.announcements.every((item) => item.state === 'posted') && found;
  }, 'all to be posted', WAIT_MS);
  await eventually(async () => (await daemon.ctlJson(['service', 'list'])).length === 2, 'both services to run', WAIT_MS);

  assert.equal(JSON.parse(to(server, '/2/tweets')[0].body).text, 'Starting now: Spa 24h. Follow live at https://timing.example/s/spa');
  for (const at of ['/2/tweets', '/api/v1/statuses', '/xrpc/com.atproto.repo.createRecord', '/discord/hook-71']) {
    assert.equal(to(server, at).length, 1, at);
  }
  const hooks = to(server, '/webhook-71');
  assert.equal(hooks.length, 3);
  assert.equal(new Set(hooks.map((request) => request.headers['idempotency-key'])).size, 1);
  assert.ok(server.requests.every((request) => !/hush|Test day/.test(request.body)));
  assert.ok(list.announcements.every((item) => item.name === 'Spa 24h'));

  const metrics = await (await fetch(`${daemon.http}/metrics`)).text();
  assert.match(metrics, /^livetiming_post_failures_total\{network="webhook"\} 2$/m);
  assert.match(metrics, /^livetiming_post_failures_total\{network="x"\} 0$/m);
  assert.match(metrics, /^livetiming_posts_total\{network="webhook"\} 1$/m);
  expectNoSecret(daemon.log + readFileSync(path.join(daemon.dir, 'state/announcements.json'), 'utf8'));

  // another run with the same files announces nothing again
  const before = server.requests.filter((request) => request.path !== '/ics').length;
  await daemon.stop();
  daemon.log = '';
  await daemon.start();
  await eventually(async () => (await daemon.ctlJson(['service', 'list'])).length === 2, 'the services to come back', WAIT_MS);
  await daemon.ctlJson(['schedule', 'sync']).catch(() => {});
  assert.equal((await daemon.ctlJson(['announce', 'list'])).announcements.length, 5);
  assert.equal(server.requests.filter((request) => request.path !== '/ics').length, before);
});

test('killed while it posts: repeated where repeats are recognised, left alone where they are not', async (t) => {
  let hang = true;
  const server = await startServer(t, (request) => {
    if (request.path === '/ics') return { body: calendar([['open', 'Spa 24h [simulator, --seed 1]']]) };
    return hang ? new Promise(() => {}) : networks(request);
  });
  const env = allNetworks(server.url);
  const daemon = await startDaemon(t, {
    env: {
      ...site,
      LIVETIMING_ANNOUNCE_MASTODON_URL: env.LIVETIMING_ANNOUNCE_MASTODON_URL,
      LIVETIMING_ANNOUNCE_MASTODON_TOKEN: env.LIVETIMING_ANNOUNCE_MASTODON_TOKEN,
      LIVETIMING_ANNOUNCE_DISCORD_URL: env.LIVETIMING_ANNOUNCE_DISCORD_URL,
      LIVETIMING_CALENDAR_URL: `${server.url}/ics`,
      LIVETIMING_SCHEDULE_LOOP_S: '1',
    },
  });
  await eventually(() => to(server, '/discord/hook-71').length === 1 && to(server, '/api/v1/statuses').length === 1, 'both posts', WAIT_MS);
  await daemon.stop('SIGKILL');
  hang = false;
  daemon.log = '';
  await daemon.start();

  const states = await eventually(async () => {
    const { announcements } = await daemon.ctlJson(['announce', 'list']);
    const found = Object.fromEntries(announcements.map((item) => [item.network, item.state]));
    return found.mastodon === 'posted' && found;
  }, 'the post to be repeated', WAIT_MS);

  assert.deepEqual(states, { mastodon: 'posted', discord: 'unknown' });
  assert.equal(to(server, '/discord/hook-71').length, 1);
  const statuses = to(server, '/api/v1/statuses');
  assert.equal(statuses.length, 2);
  assert.equal(statuses[0].headers['idempotency-key'], statuses[1].headers['idempotency-key']);
  assert.equal(statuses[0].body, statuses[1].body);
});

// --- settings ---

test('a reload switches networks on and off', async (t) => {
  const server = await startServer(t, networks);
  const daemon = await startConfigured(t, 'LIVETIMING_ENVIRONMENT=racing\n');
  assert.match((await daemon.ctl(['announce', 'test'])).stderr, /no network is configured/);

  daemon.writeFile('livetimingd.conf', `LIVETIMING_ANNOUNCE_WEBHOOK_URL=${server.url}/webhook-71\nLIVETIMING_ANNOUNCE_TEXT=Green: {name}\n`);
  const { applied, restart } = await daemon.ctlJson(['reload']);
  assert.deepEqual([applied.sort(), restart], [['LIVETIMING_ANNOUNCE_TEXT', 'LIVETIMING_ANNOUNCE_WEBHOOK_URL', 'LIVETIMING_ENVIRONMENT'], []]);
  const shown = await daemon.ctl(['announce', 'test']);
  assert.equal(shown.code, 0, shown.stderr);
  assert.match(JSON.parse(to(server, '/webhook-71')[0].body).text, /^Green: Test of announcements/);

  daemon.writeFile('livetimingd.conf', '');
  await daemon.ctlJson(['reload']);
  assert.match((await daemon.ctl(['announce', 'test'])).stderr, /no network is configured/);
});

test('half of the secrets of a network, and bad templates, are refused with status 2', async (t) => {
  const daemon = await startDaemon(t);
  const cases = [
    [{ TWITTER_CONSUMER_KEY: 'a' }, /TWITTER_CONSUMER_KEY: set TWITTER_CONSUMER_SECRET as well/],
    [{ LIVETIMING_ANNOUNCE_MASTODON_TOKEN: 'a' }, /set LIVETIMING_ANNOUNCE_MASTODON_URL as well/],
    [{ LIVETIMING_ANNOUNCE_BLUESKY_HANDLE: 'a' }, /set LIVETIMING_ANNOUNCE_BLUESKY_PASSWORD as well/],
    [{ LIVETIMING_ANNOUNCE_WEBHOOK_SECRET: 'a' }, /set LIVETIMING_ANNOUNCE_WEBHOOK_URL as well/],
    [{ LIVETIMING_ANNOUNCE_DISCORD_URL: 'hook' }, /LIVETIMING_ANNOUNCE_DISCORD_URL: expected a URL/],
    [{ SENTRY_DSN: 'https://sentry.example/1' }, /SENTRY_DSN: the key is missing: https:\/\/KEY@HOST\/PROJECT/],
    [{ LIVETIMING_ANNOUNCE_TEXT: 'now {nmae}' }, /unknown placeholder "nmae"/],
    [{ LIVETIMING_ANNOUNCE_LINK: '{link}' }, /\{link\} cannot stand in the link/],
    [{ LIVETIMING_ANNOUNCE_MASTODON_VISIBILITY: 'secret' }, /expected public, unlisted, private or direct/],
    [{ LIVETIMING_ANNOUNCE_RETRY_S: '0' }, /LIVETIMING_ANNOUNCE_RETRY_S/],
  ];
  for (const [env, sentence] of cases) {
    const result = await run(path.join(build, 'livetimingd'), ['--check-config'], { env, cwd: daemon.dir });
    assert.equal(result.code, 2, JSON.stringify(env));
    assert.match(result.stderr, sentence);
  }
});
