// schedule assist: entries from somebody else's calendar, in a file or at Google.
import assert from 'node:assert/strict';
import { createVerify, generateKeyPairSync } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync, existsSync, readdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import test from 'node:test';

import { build, run, startDaemon } from './support/daemon.mjs';
import { startServer } from './support/http_server.mjs';

const DAY = 86400;
const soon = Math.floor(Date.now() / 1000 / DAY) * DAY + 7 * DAY;
const stamp = (s) => new Date(s * 1000).toISOString().replace(/[-:]|\.\d+/g, '');
const event = (uid, title, start, more = []) => ['BEGIN:VEVENT', `UID:${uid}`, `SUMMARY:${title}`, `DTSTART:${stamp(start)}`, `DTEND:${stamp(start + 7200)}`, ...more, 'END:VEVENT'];
const calendar = (...events) => ['BEGIN:VCALENDAR', 'VERSION:2.0', 'PRODID:test', ...events.flat(), 'END:VCALENDAR', ''].join('\r\n');
const RULES = 'endurance = rmonitor, --host 10.0.0.5 --description {title}\nclub = simulator, --seed *\n';

function folder(t, rules = RULES) {
  const dir = mkdtempSync(path.join(tmpdir(), 'livetiming-assist-'));
  t.after(() => rmSync(dir, { recursive: true, force: true }));
  writeFileSync(path.join(dir, 'schedule-assist.conf'), rules);
  return {
    dir,
    write: (name, text) => writeFileSync(path.join(dir, name), text),
    read: (name) => readFileSync(path.join(dir, name), 'utf8'),
    assist: (args, { input = '', env = {} } = {}) => run(path.join(build, 'livetimingctl'), ['schedule', 'assist', ...args], { cwd: dir, input, env: { TZ: 'UTC', ...env } }),
  };
}

const titles = (text) => [...text.replace(/\r\n /g, '').matchAll(/^SUMMARY:(.*?)\r?$/gm)].map((match) => match[1].replaceAll('\\,', ',').replaceAll('\\\\', '\\'));

test('events of a calendar become entries by their tags, and a second run updates them', async (t) => {
  const place = folder(t);
  const race = event('r1', '6 Hours', soon, ['CATEGORIES:Endurance']);
  let source = calendar(race, event('x', 'Dinner', soon), event('c', 'Off #endurance', soon, ['STATUS:CANCELLED']));
  const server = await startServer(t, () => ({ body: source }));
  const first = await place.assist([`${server.url}/races.ics`]);
  assert.equal(first.code, 0, first.stderr);
  assert.match(first.stdout, /^add .*6 Hours \[rmonitor, --host 10\.0\.0\.5 --description 6\\ Hours\]$/m);
  assert.match(first.stdout, /1 to write, 0 as they were, 1 without a rule, 0 not answered/);
  assert.deepEqual(titles(place.read('schedule.ics')), ['6 Hours [rmonitor, --host 10.0.0.5 --description 6\\ Hours]']);

  const again = await place.assist([`${server.url}/races.ics`]);
  assert.match(again.stdout, /0 to write, 1 as they were/);
  source = calendar(event('r1', '8 Hours', soon + 3600, ['CATEGORIES:Endurance']));
  assert.match((await place.assist([`${server.url}/races.ics`])).stdout, /^change .*8 Hours/m);
  assert.deepEqual(titles(place.read('schedule.ics')), ['8 Hours [rmonitor, --host 10.0.0.5 --description 8\\ Hours]']);
  source = calendar();
  assert.match((await place.assist([`${server.url}/races.ics`])).stdout, /^remove .*8 Hours/m);
  assert.deepEqual(titles(place.read('schedule.ics')), []);
});

test('what the rules leave open is asked for once, on a terminal, and offered for the next event', async (t) => {
  const place = folder(t);
  place.write('races.ics', calendar(event('a', 'One #club', soon), event('b', 'Two #club', soon + DAY)));
  // a terminal, as a person has it: util-linux's script makes one
  const typed = await run('script', ['-qec', `${path.join(build, 'livetimingctl')} schedule assist races.ics`, '/dev/null'], { cwd: place.dir, input: '41\n\n', env: { TZ: 'UTC' } });
  assert.equal(typed.code, 0, typed.stdout);
  assert.match(typed.stdout, /One #club: value of --seed: /);
  assert.match(typed.stdout, /Two #club: value of --seed \[41\]: /);
  assert.deepEqual(titles(place.read('schedule.ics')).sort(), ['One #club [simulator, --seed 41]', 'Two #club [simulator, --seed 41]']);
  const again = await place.assist(['races.ics', '--non-interactive']);
  assert.equal(again.code, 0, again.stderr);
  assert.match(again.stdout, /0 to write, 2 as they were/);
});

test('without a person open questions are listed, and the exit status says so', async (t) => {
  const place = folder(t);
  place.write('races.ics', calendar(event('a', 'One #club', soon), event('b', 'Six #endurance', soon)));
  const result = await place.assist(['--non-interactive', 'races.ics']);
  assert.equal(result.code, 1);
  assert.match(result.stderr, /One #club: value of --seed is not answered/);
  assert.equal(titles(place.read('schedule.ics')).length, 1);
});

test('a dry run tells, and writes nothing', async (t) => {
  const place = folder(t);
  place.write('races.ics', calendar(event('a', 'One #club', soon)));
  const result = await place.assist(['-n', 'races.ics'], { input: '7\n' });
  assert.equal(result.code, 0, result.stderr);
  assert.match(result.stdout, /^add .*One #club \[simulator, --seed 7\]$/m);
  assert.match(result.stdout, /nothing was written/);
  assert.deepEqual(readdirSync(place.dir).sort(), ['races.ics', 'schedule-assist.conf']);
});

test('an entry edited by hand and events of others are left as they are', async (t) => {
  const place = folder(t);
  place.write('races.ics', calendar(event('a', 'Six #endurance', soon)));
  place.write('schedule.ics', calendar(event('mine', 'My race [simulator]', soon, ['RRULE:FREQ=DAILY;COUNT=3'])));
  await place.assist(['races.ics']);
  assert.equal(titles(place.read('schedule.ics')).length, 2);
  place.write('schedule.ics', place.read('schedule.ics').replace('10.0.0.5', '10.0.0.9'));
  place.write('races.ics', calendar(event('a', 'Seven #endurance', soon)));
  const result = await place.assist(['races.ics']);
  assert.match(result.stdout, /^edited .*edited by hand: left as it is/m);
  assert.match(place.read('schedule.ics').replace(/\r\n /g, ''), /10\.0\.0\.9/);
  assert.match(place.read('schedule.ics'), /RRULE:FREQ=DAILY;COUNT=3/);
});

test('the daemon finds the entries fine', async (t) => {
  const place = folder(t);
  const daemon = await startDaemon(t);
  place.write('races.ics', calendar(event('a', 'Six #endurance', soon), event('b', 'Cup, final [a] #endurance', soon + DAY)));
  assert.equal((await place.assist(['races.ics'])).code, 0);
  const check = await daemon.ctl(['schedule', 'check', path.join(place.dir, 'schedule.ics')]);
  assert.equal(check.code, 0, check.stdout + check.stderr);
});

test('broken input is named, and nothing is written', async (t) => {
  const place = folder(t);
  place.write('good.ics', calendar(event('a', 'Six #endurance', soon)));
  place.write('bad.ics', 'hello');
  const down = await startServer(t, () => ({ status: 404 }));
  for (const [args, code, reason] of [
    [[], 2, /name a calendar/],
    [['none.ics'], 1, /source calendar: .*No such file/],
    [['bad.ics'], 1, /source calendar: /],
    [[`${down.url}/x?secret=1`], 1, /source calendar: the server said 404/],
    [['good.ics', '-r', 'none.conf'], 1, /rules none\.conf: /],
    [['good.ics', '-o', 'x.ics', '--google-key', 'k.json'], 2, /not both/],
    [['good.ics', '--google-key', 'k.json'], 2, /LIVETIMING_CALENDAR_ID/],
    [['good.ics', '--google-key', 'none.json', '--calendar', 'c'], 1, /key file none\.json: /],
    [['good.ics', '-o', 'bad.ics'], 1, /schedule bad\.ics: /],
    [['good.ics', '-a', 'bad.ics'], 1, /answers bad\.ics: /],
  ]) {
    const result = await place.assist(args);
    assert.equal(result.code, code, `${args.join(' ')}: ${result.stderr}`);
    assert.match(result.stderr, reason);
    assert.doesNotMatch(result.stderr, /secret=1/);
  }
  place.write('schedule-assist.conf', 'a = b\nwords\n');
  assert.match((await place.assist(['good.ics'])).stderr, /line 2: expected tag = service, arguments/);
  assert.equal(existsSync(path.join(place.dir, 'schedule.ics')), false);
  assert.equal(place.read('bad.ics'), 'hello');
});

// --- Google ---

async function google(t, options = {}) {
  const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const events = new Map();
  const problems = [];
  const answer = (request) => {
    const url = new URL(request.path, 'http://x');
    if (url.pathname === '/token') {
      const assertion = new URLSearchParams(request.body).get('assertion');
      const [header, claims, signature] = assertion.split('.');
      const fits = createVerify('RSA-SHA256').update(`${header}.${claims}`).verify(publicKey, Buffer.from(signature, 'base64url'));
      const { iss, scope, aud, exp, iat } = JSON.parse(Buffer.from(claims, 'base64url'));
      if (!fits || iss !== 'robot@example' || !aud.endsWith('/token') || exp - iat !== 3600 || !scope.includes('calendar')) problems.push('JWT');
      return options.token?.() ?? { body: { access_token: 'T0ken', token_type: 'Bearer', expires_in: 3600 } };
    }
    if (request.headers.authorization !== 'Bearer T0ken') return { status: 401, body: { error: { message: 'Invalid Credentials' } } };
    const special = options.events?.(request);
    if (special) return special;
    const [, id] = url.pathname.match(/^\/v3\/calendars\/races%40group\/events(?:\/([^/]+))?$/) ?? problems.push(url.pathname);
    if (request.method === 'GET') {
      if (url.searchParams.get('privateExtendedProperty') !== 'livetiming=assist') problems.push('filter');
      const all = [...events.values()].filter(({ status }) => status !== 'cancelled');
      const at = Number(url.searchParams.get('pageToken') ?? 0);
      return { body: { items: all.slice(at, at + 2), ...(at + 2 < all.length && { nextPageToken: String(at + 2) }) } };
    }
    const sent = request.body ? JSON.parse(request.body) : null;
    if (request.method === 'POST') {
      if (events.has(sent.id)) return { status: 409, body: { error: { message: 'exists' } } };
      events.set(sent.id, sent);
    } else if (request.method === 'PATCH') events.set(id, { ...events.get(id), ...sent });
    else if (request.method === 'DELETE') events.get(id).status = 'cancelled';
    return { body: events.get(sent?.id ?? id) };
  };
  const server = await startServer(t, answer);
  const place = folder(t);
  place.write('key.json', JSON.stringify({ client_email: 'robot@example', private_key: privateKey.export({ type: 'pkcs8', format: 'pem' }), token_uri: `${server.url}/token` }));
  const env = { LIVETIMING_GOOGLE_URL: `${server.url}/v3`, LIVETIMING_CALENDAR_ID: 'races@group' };
  return { place, events, problems, server, env, assist: (...args) => place.assist([...args, '--google-key', 'key.json'], { env }) };
}

test('entries are kept at Google: added, changed, removed, and found again over pages', async (t) => {
  const { place, events, problems, assist } = await google(t);
  const five = [1, 2, 3, 4, 5].map((i) => event(`r${i}`, `Race ${i} #endurance`, soon + i * DAY));
  place.write('races.ics', calendar(...five));
  const first = await assist('races.ics');
  assert.equal(first.code, 0, first.stderr);
  assert.equal(events.size, 5);
  const [one] = events.values();
  assert.match(one.id, /^[a-v0-9]{5,}$/);
  assert.equal(one.summary, 'Race 1 #endurance [rmonitor, --host 10.0.0.5 --description Race\\ 1\\ #endurance]');
  assert.equal(one.start.dateTime, new Date((soon + DAY) * 1000).toISOString().replace('.000', ''));
  const second = await assist('races.ics');
  assert.match(second.stdout, /0 to write, 5 as they were/, second.stderr);

  place.write('races.ics', calendar(event('r1', 'Race one #endurance', soon + DAY), ...five.slice(2)));
  const third = await assist('races.ics');
  assert.match(third.stdout, /2 to write, 3 as they were/, third.stderr);
  assert.match(one.summary.length && [...events.values()][0].summary, /^Race one/);
  assert.equal([...events.values()].filter(({ status }) => status === 'cancelled').length, 1);
  // back again: its id is still known there
  place.write('races.ics', calendar(event('r1', 'Race one #endurance', soon + DAY), ...five.slice(1)));
  assert.match((await assist('races.ics')).stdout, /^add .*Race 2/m);
  assert.equal([...events.values()].filter(({ status }) => status !== 'cancelled').length, 5);
  assert.deepEqual(problems, []);
});

test('what Google refuses is told with its words; a busy answer is tried again', async (t) => {
  let busy = 2;
  let events = () => (busy-- > 0 ? { status: 429, headers: { 'retry-after': '0' }, body: {} } : null);
  let token = () => null;
  const { place, assist, events: kept } = await google(t, { events: (request) => events(request), token: () => token() });
  place.write('races.ics', calendar(event('r', 'Race #endurance', soon)));
  assert.equal((await assist('races.ics')).code, 0);
  assert.equal(kept.size, 1);
  for (const [change, reason] of [
    [() => (events = () => ({ status: 403, body: { error: { message: 'Forbidden for you' } } })), /calendar: the server said 403, "Forbidden for you"/],
    [() => (events = () => ({ body: 'garbage' })), /calendar: the answer is no list of events/],
    [() => (token = () => ({ status: 400, body: { error: 'invalid_grant', error_description: 'Invalid JWT' } })), /key file key\.json: token: the server said 400, "Invalid JWT"/],
    [() => (token = () => ({ body: '{}' })), /key file key\.json: token: /],
    [() => place.write('key.json', JSON.stringify({ client_email: 'a', private_key: 'no key', token_uri: 'http://127.0.0.1:1/' })), /key file key\.json: private_key: this is no RSA key/],
  ]) {
    change();
    const result = await assist('races.ics');
    assert.equal(result.code, 1);
    assert.match(result.stderr, reason);
    assert.doesNotMatch(result.stderr, /T0ken/);
  }
});
