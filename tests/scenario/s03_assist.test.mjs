// schedule assist: entries from somebody else's calendar, in a file or at Google.
import assert from 'node:assert/strict';
import { createVerify, generateKeyPairSync } from 'node:crypto';
import { chmodSync, existsSync, lstatSync, mkdtempSync, readFileSync, readdirSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import test from 'node:test';

import { build, eventually, run, startDaemon } from './support/daemon.mjs';
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
  assert.match(first.stdout, /^schedule\.ics: 1 added, 0 changed, 0 removed, 0 as they were; 1 without a rule, 0 left out, 0 not answered$/m);
  assert.deepEqual(titles(place.read('schedule.ics')), ['6 Hours [rmonitor, --host 10.0.0.5 --description 6\\ Hours]']);

  const again = await place.assist([`${server.url}/races.ics`]);
  assert.match(again.stdout, /0 added, 0 changed, 0 removed, 1 as they were/);
  source = calendar(event('r1', '8 Hours', soon + 3600, ['CATEGORIES:Endurance']));
  assert.match((await place.assist([`${server.url}/races.ics`])).stdout, /^change .*8 Hours .*\(was .*6 Hours /m);
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
  assert.match(typed.stdout, /One #club \(.*\): value of simulator --seed: /);
  assert.match(typed.stdout, /Two #club \(.*\): value of simulator --seed \[41\]: /);
  assert.deepEqual(titles(place.read('schedule.ics')).sort(), ['One [simulator, --seed 41]', 'Two [simulator, --seed 41]']);
  const again = await place.assist(['races.ics', '--non-interactive']);
  assert.equal(again.code, 0, again.stderr);
  assert.match(again.stdout, /0 added, 0 changed, 0 removed, 2 as they were/);
});

test('without a person open questions are listed, and the exit status says so', async (t) => {
  const place = folder(t);
  place.write('races.ics', calendar(event('a', 'One #club', soon), event('b', 'Six #endurance', soon)));
  const result = await place.assist(['--non-interactive', 'races.ics']);
  assert.equal(result.code, 1);
  assert.match(result.stderr, /One #club \(.*\): value of simulator --seed is not answered/);
  assert.equal(titles(place.read('schedule.ics')).length, 1);
});

test('a dry run tells, and writes nothing', async (t) => {
  const place = folder(t);
  place.write('races.ics', calendar(event('a', 'One #club', soon)));
  const result = await place.assist(['-n', 'races.ics'], { input: '7\n' });
  assert.equal(result.code, 0, result.stderr);
  assert.match(result.stdout, /^add .*One \[simulator, --seed 7\]$/m);
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

test('what is said to a wildcard may be a whole rule, is asked again when it is no use, and may leave an event out', async (t) => {
  const place = folder(t, 'club = *\nsocial = -\n');
  place.write('races.ics', calendar(event('a', 'One #club', soon), event('b', 'Two #club', soon + DAY), event('c', 'Dinner #club #social', soon), event('d', 'Party #social', soon)));
  const input = ['two words', 'simulator, --seed *', 'a]b', '41', '-', '-', ''].join('\n');
  const result = await place.assist(['races.ics'], { input });
  assert.equal(result.code, 0, result.stderr);
  assert.match(result.stderr, /a service is one word; arguments stand behind a comma/);
  assert.match(result.stderr, /the argument "a\]b" cannot stand in a title/);
  assert.match(result.stdout, /1 added, .* 3 left out, 0 not answered/);
  assert.deepEqual(titles(place.read('schedule.ics')), ['One [simulator, --seed 41]']);
  const again = await place.assist(['races.ics', '--non-interactive']);
  assert.match(again.stdout, /0 added, 0 changed, 0 removed, 1 as they were; 0 without a rule, 3 left out, 0 not answered/);
});

test('an answer is kept as soon as it was given, and never used for another option', async (t) => {
  const place = folder(t);
  place.write('races.ics', calendar(event('a', 'One #club', soon), event('b', 'Two #club', soon + DAY)));
  const broken = await place.assist(['races.ics'], { input: '41\n' }); // the terminal goes away
  assert.equal(broken.code, 1);
  assert.match(broken.stderr, /Two #club \(.*\): value of simulator --seed is not answered/);
  assert.deepEqual(JSON.parse(place.read('schedule-assist.json')), { a: { 'simulator --seed': '41' } });
  place.write('schedule-assist.conf', 'club = rmonitor, --host *\n');
  const other = await place.assist(['races.ics', '--non-interactive']);
  assert.match(other.stdout, /^schedule\.ics: 0 added, 0 changed, 0 removed, 1 as they were; .* 2 not answered$/m, 'what cannot be said stays as it was');
});

test('an event that cannot be read this time does not lose its entry', async (t) => {
  const place = folder(t);
  place.write('races.ics', calendar(event('a', 'Six #endurance', soon), event('b', 'Four #endurance', soon)));
  await place.assist(['races.ics']);
  place.write('races.ics', calendar(event('a', 'Six #endurance', soon).map((line) => (line.startsWith('DTSTART') ? 'DTSTART:soon' : line))));
  const result = await place.assist(['races.ics']);
  assert.match(result.stderr, /source calendar: Six #endurance: it has no DTSTART/);
  assert.match(result.stdout, /^remove .*Four/m);
  assert.match(result.stdout, /1 removed, 1 as they were/);
});

test('several sources share a schedule', async (t) => {
  const place = folder(t);
  place.write('one.ics', calendar(event('a', 'Six #endurance', soon)));
  place.write('two.ics', calendar(event('b', 'Four #endurance', soon)));
  await place.assist(['one.ics']);
  assert.match((await place.assist(['two.ics'])).stdout, /1 added, 0 changed, 0 removed/);
  place.write('one.ics', calendar());
  assert.match((await place.assist([path.join(place.dir, 'one.ics')])).stdout, /^remove .*Six/m);
  assert.deepEqual(titles(place.read('schedule.ics')), ['Four [rmonitor, --host 10.0.0.5 --description Four]']);
});

test('the file keeps its mode, and a link stays one; the source is never written', async (t) => {
  const place = folder(t);
  place.write('races.ics', calendar(event('a', 'Six #endurance', soon)));
  place.write('real.ics', calendar());
  chmodSync(path.join(place.dir, 'real.ics'), 0o640);
  symlinkSync('real.ics', path.join(place.dir, 'link.ics'));
  assert.equal((await place.assist(['races.ics', '-o', 'link.ics'])).code, 0);
  assert.equal(titles(place.read('real.ics')).length, 1);
  assert.equal(statSync(path.join(place.dir, 'real.ics')).mode & 0o777, 0o640);
  assert.ok(lstatSync(path.join(place.dir, 'link.ics')).isSymbolicLink());
  const same = await place.assist(['link.ics', '-o', 'real.ics']);
  assert.equal(same.code, 1);
  assert.match(same.stderr, /cannot be the source and the schedule at once/);
});

test('by default the scheduler\'s own file is written, and it starts what stands there', async (t) => {
  const place = folder(t, 'club = simulator, --seed 41 -m cup\n');
  const url = `file://${path.join(place.dir, 'my%20races.ics')}`;
  const now = Math.floor(Date.now() / 1000);
  place.write('my races.ics', calendar());
  place.write('races.ics', calendar(event('a', 'Cup #club', now - 60)));
  const daemon = await startDaemon(t, { env: { LIVETIMING_CALENDAR_URL: url, LIVETIMING_SCHEDULE_LOOP_S: '1', LIVETIMING_SCHEDULE_FETCH_S: '1' } });
  const result = await place.assist([], { env: { CALENDAR_SOURCE_URL: `file://${path.join(place.dir, 'races.ics')}`, LIVETIMING_CALENDAR_URL: `https://x.example/y.ics, ${url}` } });
  assert.equal(result.code, 0, result.stderr);
  assert.match(result.stdout, /my races\.ics: 1 added/);
  await eventually(async () => {
    const list = JSON.parse((await daemon.ctl(['-j', 'schedule', 'list'])).stdout);
    return list.events.some(({ name, status }) => name === 'Cup' && status === 'running');
  }, 'the event to run');
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
    [['good.ics', '-a', 'bad.ics'], 1, /answers: bad\.ics: /],
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

// Google answers in the zone of the calendar.
const local = (time) => (time.dateTime ? { dateTime: new Date(Date.parse(time.dateTime) + 7200000).toISOString().replace('.000Z', '+02:00'), timeZone: 'Europe/Paris' } : time);

async function google(t, options = {}) {
  const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const events = new Map();
  const problems = [];
  const tokens = [];
  const answer = (request) => {
    const url = new URL(request.path, 'http://x');
    if (url.pathname === '/token') {
      const assertion = new URLSearchParams(request.body).get('assertion');
      const [header, claims, signature] = assertion.split('.');
      const fits = createVerify('RSA-SHA256').update(`${header}.${claims}`).verify(publicKey, Buffer.from(signature, 'base64url'));
      const { iss, scope, aud, exp, iat } = JSON.parse(Buffer.from(claims, 'base64url'));
      if (!fits || iss !== 'robot@example' || !aud.endsWith('/token') || exp - iat !== 3600 || !scope.includes('calendar')) problems.push('JWT');
      tokens.push(`T0ken.${tokens.length}`);
      return options.token?.() ?? { body: { access_token: tokens.at(-1), token_type: 'Bearer', expires_in: 3600 } };
    }
    if (request.headers.authorization !== `Bearer ${tokens.at(-1)}` || options.isExpired?.(tokens.length)) return { status: 401, body: { error: { message: 'Invalid Credentials' } } };
    const special = options.events?.(request, events);
    if (special) return special;
    const [, id] = url.pathname.match(/^\/v3\/calendars\/races%40group\/events(?:\/([^/]+))?$/) ?? problems.push(url.pathname);
    if (request.method === 'GET' && id) return events.has(id) ? { body: events.get(id) } : { status: 404, body: {} };
    if (request.method === 'GET') {
      if (url.searchParams.get('privateExtendedProperty') !== 'livetiming=assist' || !(Date.parse(url.searchParams.get('timeMin')) < Date.now())) problems.push('filter');
      const all = [...events.values()].filter(({ status }) => status !== 'cancelled');
      const at = Number(url.searchParams.get('pageToken') ?? 0);
      return { body: { items: all.slice(at, at + 2).map((one) => ({ ...one, start: local(one.start), end: local(one.end) })), ...(at + 2 < all.length && { nextPageToken: String(at + 2) }) } };
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
  assert.equal(one.summary, 'Race 1 [rmonitor, --host 10.0.0.5 --description Race\\ 1]');
  assert.equal(one.start.dateTime, new Date((soon + DAY) * 1000).toISOString().replace('.000', ''));
  const second = await assist('races.ics');
  assert.match(second.stdout, /0 added, 0 changed, 0 removed, 5 as they were/, second.stderr);

  place.write('races.ics', calendar(event('r1', 'Race one #endurance', soon + DAY), ...five.slice(2)));
  const third = await assist('races.ics');
  assert.match(third.stdout, /0 added, 1 changed, 1 removed, 3 as they were/, third.stderr);
  assert.match([...events.values()][0].summary, /^Race one/);
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

test('a token that has run out is renewed, and limits of requests are waited for', async (t) => {
  const limits = [{ status: 403, headers: { 'retry-after': '0' }, body: { error: { message: 'slow down', errors: [{ reason: 'userRateLimitExceeded' }] } } }];
  let renewals = 0;
  const { place, assist, events, problems } = await google(t, {
    isExpired: (tokens) => tokens === 1 && ++renewals > 0,
    events: () => limits.pop(),
  });
  place.write('races.ics', calendar(event('r', 'Race #endurance', soon)));
  const result = await assist('races.ics');
  assert.equal(result.code, 0, result.stderr);
  assert.equal(renewals, 1);
  assert.equal(limits.length, 0);
  assert.equal(events.size, 1);
  assert.deepEqual(problems, []);
});

test('a lost answer makes nothing twice, and one entry that is refused does not keep back the others', async (t) => {
  let answers = 0;
  const { place, assist, events, problems } = await google(t, {
    events(request, kept) {
      if (request.method !== 'POST') return null;
      const sent = JSON.parse(request.body);
      if (sent.summary.startsWith('Lost') && answers++ === 0) {
        kept.set(sent.id, sent);
        return { status: 503, headers: { 'retry-after': '0' }, body: '' };
      }
      return sent.summary.startsWith('Bad') ? { status: 400, body: { error: { message: 'Bad Request' } } } : null;
    },
  });
  place.write('races.ics', calendar(event('l', 'Lost #endurance', soon), event('b', 'Bad #endurance', soon), event('g', 'Good #endurance', soon)));
  const result = await assist('races.ics');
  assert.equal(result.code, 1);
  assert.match(result.stderr, /Bad \[rmonitor.*\]: calendar: the server said 400, "Bad Request"/);
  assert.match(result.stdout, /1 of them FAILED/);
  assert.deepEqual([...events.values()].map(({ summary }) => summary.split(' ')[0]).sort(), ['Good', 'Lost']);
  assert.deepEqual(problems, []);
});

test('what was edited at Google is left alone: its title, whole days, repetition', async (t) => {
  const { place, assist, events, problems } = await google(t);
  const races = (minutes) => calendar(...[1, 2, 3, 4].map((i) => event(`r${i}`, `Race ${i} #endurance`, soon + i * DAY + minutes * 60)));
  place.write('races.ics', races(0));
  await assist('races.ics');
  const [title, day, repeated, untouched] = events.values();
  title.summary = 'Mine [simulator]';
  day.start = { date: '2030-05-16' };
  day.end = { date: '2030-05-17' };
  repeated.recurrence = ['RRULE:FREQ=DAILY;COUNT=2'];
  untouched.location = 'Spa';
  place.write('races.ics', races(30));
  const result = await assist('races.ics');
  assert.equal(result.code, 0, result.stderr);
  assert.match(result.stdout, /0 added, 1 changed, 0 removed/);
  assert.equal(result.stdout.match(/^edited /gm).length, 3);
  assert.equal(title.summary, 'Mine [simulator]');
  assert.deepEqual(day.start, { date: '2030-05-16' });
  assert.equal(events.get(untouched.id).location, 'Spa');
  assert.equal(Date.parse(events.get(untouched.id).start.dateTime) / 1000, soon + 4 * DAY + 1800);
  assert.deepEqual(problems, []);
});
