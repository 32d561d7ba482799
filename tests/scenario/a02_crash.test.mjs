// A crash leaves a file with a backtrace and ends by its signal; the next start tells of it and
// reports it. Errors are reported to a server that speaks Sentry's protocol, and not too often.
import assert from 'node:assert/strict';
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import test from 'node:test';

import { eventually, startConfigured, startDaemon } from './support/daemon.mjs';
import { startServer } from './support/http_server.mjs';

const WAIT_MS = 60000;

// In a sanitizer's build faults are the sanitizer's, unless it is told otherwise.
const unsanitized = { ASAN_OPTIONS: 'handle_segv=0:allow_user_segv_handler=1:detect_leaks=1' };

function takeApart(body) {
  const bytes = Buffer.from(body);
  const first = bytes.indexOf(10);
  const second = bytes.indexOf(10, first + 1);
  const head = JSON.parse(bytes.subarray(0, first).toString());
  const item = JSON.parse(bytes.subarray(first + 1, second).toString());
  const payload = bytes.subarray(second + 1, second + 1 + item.length);
  assert.equal(bytes[second + 1 + item.length], 10);
  assert.equal(bytes.length, second + 2 + item.length);
  return { head, item, event: JSON.parse(payload.toString()) };
}

const dsn = (server) => `${server.url.replace('http://', 'http://public-key@')}/prefix/42`;
const crashes = (daemon) => readdirSync(path.join(daemon.dir, 'state')).filter((name) => /^crash/.test(name));

test('a fatal signal leaves a backtrace, the exit status stays, and the next start reports it', async (t) => {
  const sentry = await startServer(t, () => ({ body: { id: '1' } }));
  const daemon = await startDaemon(t, { env: { ...unsanitized, SENTRY_DSN: dsn(sentry), LIVETIMING_ENVIRONMENT: 'racing' } });

  const end = await daemon.stop('SIGSEGV');
  assert.deepEqual(end, { code: null, signal: 'SIGSEGV' });
  assert.deepEqual(crashes(daemon), ['crash.txt']);
  const file = readFileSync(path.join(daemon.dir, 'state/crash.txt'), 'utf8');
  assert.match(file, /^program: livetimingd \d+\.\d+\.\d+\nsignal: 11 SIGSEGV\ncode: 0\ntime: \d{10}\npid: \d+\nbacktrace:\n/);
  assert.match(file, /livetimingd\(.*\) ?\[0x[0-9a-f]+\]/);

  daemon.log = '';
  await daemon.start();
  assert.match(daemon.log, /error crash: the last run ended by a fatal signal signal="11 SIGSEGV" file=\S*crash-\S+Z\.txt/);
  const [request] = await eventually(() => sentry.requests.length && sentry.requests, 'the report', WAIT_MS);
  const { head, item, event } = takeApart(request.body);
  assert.equal(request.path, '/prefix/api/42/envelope/');
  assert.equal(request.headers['content-type'], 'application/x-sentry-envelope');
  assert.match(request.headers['x-sentry-auth'], /^Sentry sentry_version=7, sentry_client=livetimingd\/\S+, sentry_key=public-key$/);
  assert.equal(item.type, 'event');
  assert.match(head.event_id, /^[0-9a-f]{12}4[0-9a-f]{19}$/);
  assert.equal(event.event_id, head.event_id);
  assert.equal(event.level, 'fatal');
  assert.equal(event.environment, 'racing');
  assert.match(event.release, /^livetimingd@\d/);
  assert.ok(event.server_name.length > 0);
  assert.equal(event.exception.values[0].type, 'SIGSEGV');
  assert.ok(event.exception.values[0].stacktrace.frames.length > 0);
  assert.match(event.extra.backtrace, /livetimingd\(/);

  // the file is kept under another name, and reported once
  assert.equal(crashes(daemon).length, 1);
  assert.match(crashes(daemon)[0], /^crash-\d{4}-.*Z\.txt$/);
  await daemon.stop();
  daemon.log = '';
  await daemon.start();
  assert.doesNotMatch(daemon.log, /fatal signal/);
  assert.equal(sentry.requests.filter((one) => /SIGSEGV/.test(one.body)).length, 1);
});

test('errors are reported with tags and without secrets, the same one not twice in a row', async (t) => {
  const sentry = await startServer(t, () => ({ body: { id: '1' } }));
  const daemon = await startDaemon(t, {
    env: { SENTRY_DSN: dsn(sentry), LIVETIMING_SERVICES: 'nothing-of-that-name --a; nothing-of-that-name --b; nothing-of-that-name --c' },
  });
  const count = daemon.log.match(/error services:/g)?.length ?? 0;
  assert.ok(count >= 3, daemon.log);

  await eventually(() => sentry.requests.length > 0, 'a report', WAIT_MS);
  const metrics = await eventually(async () => {
    const text = await (await fetch(`${daemon.http}/metrics`)).text();
    return /livetiming_error_reports_total\{result="sent"\} [1-9]/.test(text) && text;
  }, 'the report to be counted', WAIT_MS);
  const { event } = takeApart(sentry.requests[0].body);
  assert.equal(event.logger, 'services');
  assert.equal(event.level, 'error');
  assert.match(event.logentry.formatted, /nothing-of-that-name/);
  const dropped = Number(metrics.match(/livetiming_error_reports_total\{result="dropped"\} (\d+)/)[1]);
  assert.ok(sentry.requests.length + dropped >= count);
  for (const request of sentry.requests) {
    assert.doesNotMatch(request.body, /test-secret/);
    assert.doesNotMatch(takeApart(request.body).event.logentry.formatted, /127\.0\.0\.1|http:/);
  }
});

test('a reload sends reports to another server, or none', async (t) => {
  const sentry = await startServer(t, () => ({ body: { id: '1' } }));
  const daemon = await startConfigured(t, '');
  const fail = (name) => daemon.ctl(['service', 'start', 'replay', `/missing-${name}.zip`]);

  daemon.writeFile('livetimingd.conf', `SENTRY_DSN=${dsn(sentry)}\nLIVETIMING_SERVICES=nothing-of-that-name\n`);
  await daemon.ctlJson(['reload']);
  await eventually(() => sentry.requests.length > 0, 'a report', WAIT_MS);
  assert.equal(takeApart(sentry.requests[0].body).event.level, 'error');

  daemon.writeFile('livetimingd.conf', '');
  await daemon.ctlJson(['reload']);
  await fail('second');
  assert.doesNotMatch(await (await fetch(`${daemon.http}/metrics`)).text(), /livetiming_error_reports_total/);
});

test('a server that limits or fails changes nothing for the daemon', async (t) => {
  for (const answer of [{ status: 429, headers: { 'x-sentry-rate-limits': '3600:error:organization' } }, { status: 500 }, null, { status: 200, body: 'garbage' }]) {
    const sentry = await startServer(t, () => answer);
    const daemon = await startDaemon(t, { env: { SENTRY_DSN: dsn(sentry), LIVETIMING_SERVICES: 'nothing-of-that-name' } });
    await eventually(() => sentry.requests.length > 0, 'a report', WAIT_MS);
    assert.equal((await fetch(`${daemon.http}/healthz`)).status, 200);
    assert.equal((await daemon.stop()).code, 0);
    await daemon.destroy();
  }
});

test('a crash file that is broken is taken as it is', async (t) => {
  const sentry = await startServer(t, () => ({ body: {} }));
  const daemon = await startDaemon(t, { env: { SENTRY_DSN: dsn(sentry) } });
  await daemon.stop();
  mkdirSync(path.join(daemon.dir, 'state'), { recursive: true });
  writeFileSync(path.join(daemon.dir, 'state/crash.txt'), Buffer.from([0xff, 0, 0x0a, 0x5b, 0x28]));
  daemon.log = '';
  await daemon.start();
  assert.match(daemon.log, /the last run ended by a fatal signal/);
  await eventually(() => sentry.requests.length > 0, 'the report', WAIT_MS);
  assert.equal(takeApart(sentry.requests[0].body).event.level, 'fatal');
});
