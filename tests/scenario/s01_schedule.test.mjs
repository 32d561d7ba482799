// The scheduler with a real daemon and a real server of calendars: events start
// and end services, whatever the source does meanwhile.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import path from 'node:path';
import test from 'node:test';

import { Daemon, eventually, startDaemon } from './support/daemon.mjs';
import { autobahnSession } from './support/clients.mjs';

const HOUR = 3600;
const PATH = '/private-0123456789abcdef/basic.ics?key=SECRET';
// Nothing here is shorter than what a slow machine may take; waits are for conditions.
const QUICK = {
  LIVETIMING_SCHEDULE_FETCH_S: '1', LIVETIMING_SCHEDULE_LOOP_S: '1', LIVETIMING_SCHEDULE_LEAD_S: '1',
  LIVETIMING_SCHEDULE_TRAIL_S: '1', LIVETIMING_SCHEDULE_TIMEOUT_S: '3', TZ: 'UTC',
};

const now = () => Math.floor(Date.now() / 1000);
const stamp = (seconds) => new Date(seconds * 1000).toISOString().replace(/[-:]|\.\d+/g, '');
const escape = (text) => text.replace(/[\\;,]/g, '\\$&');

// Events [uid, title, start, end] in seconds from now; further lines as they are.
function calendar(events, extra = '') {
  const lines = events.map(([uid, title, start, end]) => 'BEGIN:VEVENT\r\n'
    + `UID:${uid}\r\nDTSTAMP:20260101T000000Z\r\nDTSTART:${stamp(now() + start)}\r\nDTEND:${stamp(now() + end)}\r\n`
    + `SUMMARY:${escape(title)}\r\nEND:VEVENT\r\n`);
  return `BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//test//EN\r\n${lines.join('')}${extra}END:VCALENDAR\r\n`;
}

// Serves one calendar with an ETag; `answer` may replace how it answers.
class CalendarServer {
  static async open(t, text) {
    const self = new CalendarServer();
    self.full = 0; // whole answers
    self.unchanged = 0; // 304
    self.asked = 0;
    self.set(text);
    self.server = createServer((request, response) => {
      self.asked += 1;
      assert.equal(request.url, PATH);
      if (self.answer) {
        self.answer(request, response);
      } else if (request.headers['if-none-match'] === self.etag) {
        self.unchanged += 1;
        response.writeHead(304).end();
      } else {
        self.full += 1;
        response.writeHead(200, { etag: self.etag, 'content-type': 'text/calendar' }).end(self.text);
      }
    });
    await new Promise((resolve) => self.server.listen(0, '127.0.0.1', resolve));
    self.url = `http://127.0.0.1:${self.server.address().port}${PATH}`;
    self.shown = `http://127.0.0.1:${self.server.address().port}`;
    t.after(() => {
      self.server.closeAllConnections?.();
      self.server.close();
    });
    return self;
  }

  set(text) {
    this.version = (this.version ?? 0) + 1;
    this.etag = `"v${this.version}"`;
    this.text = text;
    this.answer = undefined;
  }
}

const env = (server, more = {}) => ({ ...QUICK, LIVETIMING_CALENDAR_URL: server.url, ...more });
const list = (daemon) => daemon.ctlJson(['schedule', 'list']);
const services = (daemon) => daemon.ctlJson(['service', 'list']);
const running = (daemon, n = 1) => eventually(async () => {
  const found = await services(daemon);
  return found.length === n && found.every(({ status }) => status === 'running') && found;
}, `${n} services to run\n${daemon.log}`);
// A reading at once, not when the next is due; the one under way may be of before.
const problem = (daemon, pattern) => eventually(async () => {
  await daemon.ctl(['schedule', 'sync']);
  return pattern.test((await list(daemon)).calendars[0].problem ?? '');
}, `${pattern}\n${daemon.log}`);

test('an event starts its service and ends it; what is to come is published and answered', async (t) => {
  const server = await CalendarServer.open(t, calendar([
    ['now@example.org', 'Race one [simulator, --cars 5 -m euro]', -60, HOUR],
    ['later@example.org', 'Été; night [simulator, --hidden]', 20 * HOUR, 21 * HOUR],
  ]));
  const daemon = await startDaemon(t, { env: env(server) });
  const session = await autobahnSession(t, daemon);
  const [service] = await running(daemon);
  assert.equal(service.serviceClass, 'euro');
  assert.equal(service.scheduled, true);

  const expected = (await list(daemon)).events.filter(({ status }) => status === 'coming').map(({ uid, name, link, start, hidden }) => (
    { id: uid, name, service: link, startTime: start / 1000, hidden }));
  assert.deepEqual(expected.map(({ id, name, service: link, hidden }) => [id, name, link, hidden]),
    [['later@example.org', 'Été; night', 'simulator', true]]);
  assert.deepEqual(await session.call('livetiming.schedule.list'), expected);
  const seen = [];
  await session.subscribe('livetiming.scheduler', ([envelope]) => seen.push(envelope), { get_retained: true });
  await eventually(() => seen.length > 0, 'the retained schedule');
  assert.equal(seen[0].msgClass, 6);
  assert.equal(seen[0].retain, true);
  assert.deepEqual(seen[0].payload, expected);

  const shown = await daemon.ctl(['schedule', 'list'], { env: { TZ: 'UTC' } });
  assert.equal(shown.code, 0);
  assert.match(shown.stdout, /START +END +NAME +SERVICE +STATUS/);
  assert.match(shown.stdout, /Race one +euro +running/);
  assert.match(shown.stdout, /Été; night +simulator +coming, hidden/);

  server.set(calendar([['now@example.org', 'Race one [simulator, --cars 5 -m euro]', -3600, -60]]));
  await eventually(async () => (await services(daemon)).length === 0, 'the service to end');
  await eventually(() => seen.at(-1).payload.length === 0, 'an empty schedule');
  const metrics = await (await fetch(`${daemon.http}/metrics`)).text();
  assert.match(metrics, /^livetiming_schedule_starts_total 1$/m);
  assert.match(metrics, /^livetiming_schedule_age_seconds \d+$/m);
  assert.ok(!daemon.log.includes('SECRET') && !daemon.log.includes('private-'), daemon.log);
});

test('an edited title changes nothing, other arguments restart, a deleted event ends', async (t) => {
  const server = await CalendarServer.open(t, calendar([['a', 'Race [simulator, --seed 1]', -60, HOUR]]));
  const daemon = await startDaemon(t, { env: env(server) });
  const [first] = await running(daemon);
  const text = server.text;

  server.set(text.replace('Race [', 'The big race ['));
  await eventually(async () => (await list(daemon)).events[0]?.name === 'The big race', 'the new title');
  assert.equal((await services(daemon))[0].uuid, first.uuid);
  server.set(text.replace('--seed 1', '--seed 2'));
  await eventually(async () => (await running(daemon))[0].args.join(' ') === 'simulator --seed 2', 'the new arguments');
  server.set(calendar([]));
  await eventually(async () => (await services(daemon)).length === 0, 'the service to end');
});

test('whatever the source does, what is known goes on', async (t) => {
  const server = await CalendarServer.open(t, calendar([['a', 'Race [simulator]', -60, HOUR]]));
  const daemon = await startDaemon(t, { env: env(server) });
  const [{ uuid }] = await running(daemon);
  await eventually(() => server.unchanged > 1, '304');

  server.answer = (request, response) => response.writeHead(503).end('down');
  await problem(daemon, /the server answers with status 503/);
  server.answer = (request, response) => response.writeHead(200, { etag: '"x"' }).end('<html>Sorry</html>');
  await problem(daemon, /not an iCalendar text/);
  server.answer = (request, response) => response.writeHead(200).end(server.text.slice(0, -20));
  await problem(daemon, /breaks off/);
  server.answer = (request, response) => response.writeHead(200).write('BEGIN:VCALENDAR\r\n'); // and no more
  await problem(daemon, /does not answer in time/);
  server.answer = (request, response) => response.writeHead(200).end(Buffer.alloc(9 * 1024 * 1024, 0x20));
  await problem(daemon, /too large/);
  server.answer = (request) => request.socket.destroy();
  await problem(daemon, /cannot be reached/);
  const text = await daemon.ctl(['schedule', 'list']);
  assert.match(text.stdout, /CANNOT BE READ/);
  assert.ok(text.stdout.includes(server.shown));
  assert.ok(!text.stdout.includes('private-'));
  const sync = await daemon.ctl(['schedule', 'sync']);
  assert.equal(sync.code, 1, sync.stderr);
  assert.equal((await services(daemon))[0].uuid, uuid);

  server.set(server.text);
  await eventually(async () => (await list(daemon)).calendars[0].problem === undefined, 'the calendar to be read again');
  await eventually(async () => (await daemon.ctl(['schedule', 'sync'])).code === 0, 'a reading that succeeds');
  assert.equal((await services(daemon))[0].uuid, uuid);
  assert.ok(!daemon.log.includes('SECRET') && !daemon.log.includes('private-'), daemon.log);
});

test('killed and started again while the source is down, it carries on and ends what it began', async (t) => {
  const server = await CalendarServer.open(t, calendar([['a', 'Race [simulator]', -60, HOUR]]));
  const daemon = await startDaemon(t, { env: env(server) });
  const manual = (await daemon.ctlJson(['service', 'start', 'simulator', '-m', 'manual'])).uuid;
  const before = await running(daemon, 2);
  const onDisk = (name) => readFileSync(path.join(daemon.dir, 'state', name), 'utf8');
  await eventually(() => before.every(({ uuid }) => onDisk('services.json').includes(uuid)), 'the run list');
  await eventually(() => before.some(({ uuid }) => onDisk('scheduler.json').includes(uuid)), 'the state of the schedule');
  await daemon.stop('SIGKILL');

  server.answer = (request) => request.socket.destroy();
  const again = new Daemon({ dir: daemon.dir, env: env(server) });
  t.after(() => again.destroy());
  await again.start();
  const after = await running(again, 2);
  assert.deepEqual(after.map(({ uuid }) => uuid).sort(), before.map(({ uuid }) => uuid).sort());
  await problem(again, /cannot be reached/);
  const { calendars, events } = await list(again);
  assert.equal(calendars[0].fromCopy, true);
  assert.equal(events.find(({ uid }) => uid === 'a').status, 'running');
  server.set(calendar([]));
  await eventually(async () => (await services(again)).length === 1, 'the service to end');
  assert.equal((await services(again))[0].uuid, manual);
});

test('check names events, times and mistakes, with an exit status for cron', async (t) => {
  const server = await CalendarServer.open(t, calendar([['a', 'Race [simulater]', 20 * HOUR, 21 * HOUR], ['b', 'No brackets', 22 * HOUR, 23 * HOUR]]));
  const daemon = await startDaemon(t, { env: env(server) });
  const check = (...args) => daemon.ctl(['schedule', 'check', ...args], { env: { TZ: 'UTC' } });
  const own = await check();
  assert.equal(own.code, 1);
  assert.match(own.stdout, /Race: .*simulater.*did you mean "?simulator/);
  assert.match(own.stdout, /No brackets: no service in brackets/);
  assert.match(own.stdout, /1 event, 2 mistakes/);

  const file = (name, text) => path.basename(daemon.writeFile(name, text));
  const good = file('good.ics', calendar([['a', 'Race one [simulator, --seed 1]', 0, HOUR], ['b', 'Race two [simulator, --seed 1]', HOUR, 2 * HOUR]]));
  const fine = await check(good);
  assert.deepEqual([fine.code, fine.stdout], [0, '2 events, no mistakes\n']);
  assert.deepEqual(await check('-q', good), { code: 0, signal: null, stdout: '', stderr: '' });

  const bad = file('bad.ics', calendar([
    ['a', 'Race [simulator, --seeed 1]', 0, HOUR], ['b', 'Race [simulator, --seed x -m two]', 0, HOUR], ['c', 'Race [replay]', 0, HOUR],
    ['d', 'First [simulator, --seed 1 -m three]', 0, HOUR], ['e', 'Second [simulator, --seed 2 -m three]', HOUR, 2 * HOUR], ['f', 'Race [simulator', 0, HOUR],
  ], 'BEGIN:VEVENT\r\nUID:g\r\nSUMMARY:Sometime [simulator]\r\nDTSTART:later\r\nEND:VEVENT\r\n'));
  const wrong = await check(bad, good, 'missing.ics');
  assert.equal(wrong.code, 1);
  for (const pattern of [/^bad\.ics: \w{3} +\d+ \w{3} \d{4} \d\d:\d\d: Race \[simulator, --seeed 1\]: .*--seeed.*did you mean --seed/m, /--seed: expected an integer.*"x"/,
    /Race \[replay\]: .*needs the option --/, /Second .*: it begins late: "First .*" has the service three with other arguments/, /Race \[simulator: the bracket is not closed/,
    /Sometime \[simulator\]: it has no DTSTART that can be read/, /^missing\.ics: .*No such file/m, /9 events, 7 mistakes/]) {
    assert.match(wrong.stdout, pattern);
  }
  const json = JSON.parse((await daemon.ctl(['-j', 'schedule', 'check', bad])).stdout);
  assert.equal(json.mistakes.length, 6);
  assert.deepEqual(Object.keys(json.mistakes[0]), ['from', 'name', 'start', 'problem']);
  assert.equal((await check('--loud')).code, 2);

  const named = await daemon.ctl(['check', good], { name: 'livetiming-schedule' });
  assert.equal(named.code, 0);
  assert.equal((await daemon.ctl([], { name: 'livetiming-scheduler' })).code, 0);
  assert.equal((await services(daemon)).length, 0, 'checking makes no service');
});

test('several calendars, one of them a file, are one schedule', async (t) => {
  const server = await CalendarServer.open(t, calendar([['a', 'Race [simulator, -m web]', -60, HOUR]]));
  const daemon = new Daemon();
  t.after(() => daemon.destroy());
  const file = daemon.writeFile('our races.ics', calendar([['b', 'Race [simulator, -m disk]', -60, HOUR]]));
  Object.assign(daemon.env, env(server, { LIVETIMING_CALENDAR_URL: `${server.url}, file://${file.replace(' ', '%20')}` }));
  await daemon.start();
  const found = await running(daemon, 2);
  assert.deepEqual(found.map(({ serviceClass }) => serviceClass).sort(), ['disk', 'web']);
  daemon.writeFile('our races.ics', calendar([]));
  await eventually(async () => (await services(daemon)).length === 1, 'the service of the file to end');
});

test('without a calendar the commands say so; a bad URL is refused without being told', async (t) => {
  const daemon = await startDaemon(t);
  const shown = await daemon.ctl(['schedule', 'list']);
  assert.deepEqual([shown.code, shown.stdout], [0, 'no calendar is set; see LIVETIMING_CALENDAR_URL\n']);
  const sync = await daemon.ctl(['schedule', 'sync']);
  assert.equal(sync.code, 1);
  assert.match(sync.stderr, /no calendar is set/);
  const bad = new Daemon({ env: { LIVETIMING_CALENDAR_URL: 'ftp://calendar.example/private-SECRET.ics' } });
  t.after(() => bad.destroy());
  await assert.rejects(bad.start(), /ended/);
  assert.match(bad.log, /LIVETIMING_CALENDAR_URL: bad value/);
  assert.ok(!bad.log.includes('SECRET'), bad.log);
});
