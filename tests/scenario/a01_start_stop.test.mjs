// Starting, stopping, and everything that can be wrong with the settings.
import assert from 'node:assert/strict';
import { chmodSync, existsSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import test from 'node:test';

import { build, Daemon, run, startDaemon } from './support/daemon.mjs';

const program = path.join(build, 'livetimingd');

// Run it to its end with these settings alone, in a folder of its own.
async function daemon(t, args, env = {}, files = {}) {
  const dir = mkdtempSync(path.join(tmpdir(), 'lt-a01-'));
  t.after(() => rmSync(dir, { recursive: true, force: true }));
  for (const [name, content] of Object.entries(files)) writeFileSync(path.join(dir, name), content);
  const all = { LIVETIMING_CONTROL_SOCKET: path.join(dir, 'c.sock'), LIVETIMING_LISTEN: '127.0.0.1:0', ...env };
  for (const name of Object.keys(all)) if (all[name] === null) delete all[name];
  // a daemon that starts although it should refuse is ended, and fails by its exit status
  const result = await run('timeout', ['60', program, ...args], { cwd: dir, env: all });
  return { ...result, dir };
}

test('--version and --help say what they should', async (t) => {
  const version = await daemon(t, ['--version']);
  const help = await daemon(t, ['--help']);
  assert.equal(version.code, 0);
  assert.match(version.stdout, /^livetimingd \d+\.\d+\.\d+\n$/);
  assert.equal(help.code, 0);
  assert.match(help.stdout, /--check-config/);
});

test('unknown options and arguments are usage errors', async (t) => {
  assert.equal((await daemon(t, ['--frobnicate'])).code, 2);
  const extra = await daemon(t, ['now']);
  assert.equal(extra.code, 2);
  assert.match(extra.stderr, /unexpected argument "now"/);
});

test('it starts, says where it listens, and stops in order on SIGTERM and SIGINT', async (t) => {
  for (const signal of ['SIGTERM', 'SIGINT']) {
    const started = await startDaemon(t);
    assert.equal((await fetch(`${started.http}/healthz`)).status, 200);
    assert.equal(statSync(started.socket).mode & 0o777, 0o600);
    const end = await started.stop(signal);
    assert.deepEqual(end, { code: 0, signal: null });
    assert.match(started.log, /stopping[^]*stopped/);
    assert.equal(existsSync(started.socket), false);
  }
});

test('the directories are created', async (t) => {
  const started = await startDaemon(t);
  for (const name of ['state', 'log', 'analysis', 'recordings', 'recordings-temp']) {
    assert.ok(statSync(path.join(started.dir, name)).isDirectory());
  }
});

test('a missing shared secret is said at the start', async (t) => {
  const without = await startDaemon(t, { env: { LIVETIMING_SHARED_SECRET: null } });
  assert.match(without.log, /no LIVETIMING_SHARED_SECRET is set: no remote session can publish/);
  const with_ = await startDaemon(t);
  assert.doesNotMatch(with_.log, /no LIVETIMING_SHARED_SECRET/);
});

test('several addresses and a unix socket at once', async (t) => {
  const several = new Daemon();
  t.after(() => several.destroy());
  several.env.LIVETIMING_LISTEN = `127.0.0.1:0 127.0.0.1:0 unix:${several.dir}/http.sock`;
  await several.start();
  await several.waitLog(/unix:/);
  assert.ok(statSync(path.join(several.dir, 'http.sock')).isSocket());
});

test('a log of JSON is one object a line', async (t) => {
  const json = await startDaemon(t, { args: ['--log-level', 'debug'] });
  assert.match(json.log, /listening/);
  const result = await daemon(t, ['--log-format', 'json'], { LIVETIMING_LISTEN: '203.0.113.77:1' });
  assert.equal(result.code, 1);
  for (const line of result.stderr.split('\n').filter((text) => text.startsWith('{'))) JSON.parse(line);
  assert.match(result.stderr, /^\{/m);
});

test('--check-config starts nothing and hides secrets', async (t) => {
  const result = await daemon(t, ['--check-config'], { LIVETIMING_SHARED_SECRET: 'hush', LIVETIMING_STATE_DIR: 'made' });
  assert.equal(result.code, 0, result.stderr);
  assert.match(result.stdout, /the settings are fine/);
  assert.match(result.stdout, /LIVETIMING_SHARED_SECRET=\*\*\* \(environment\)/);
  assert.doesNotMatch(result.stdout + result.stderr, /hush/);
  assert.equal(existsSync(path.join(result.dir, 'made')), false);
});

test('livetiming.env is found, and the environment wins over it', async (t) => {
  const result = await daemon(t, ['--check-config'], { LIVETIMING_LOG_LEVEL: 'debug' }, {
    'livetiming.env': 'export LIVETIMING_LOG_LEVEL=error\nLIVETIMING_AUTH_ID="track seven" # ours\n',
  });
  assert.equal(result.code, 0, result.stderr);
  assert.match(result.stdout, /LIVETIMING_LOG_LEVEL=debug \(environment\)/);
  assert.match(result.stdout, /LIVETIMING_AUTH_ID=track seven \(.*livetiming\.env:2\)/);
});

test('the bundled settings are fine', async (t) => {
  const file = path.resolve(build, '../conf/livetiming.env');
  const result = await daemon(t, ['--check-config', '--config', existsSync(file) ? file : path.resolve('conf/livetiming.env')]);
  assert.equal(result.code, 0, result.stderr);
  assert.equal(result.stderr, '');
});

test('an unknown name is reported with file and line, and a suggestion', async (t) => {
  const result = await daemon(t, ['--check-config', '--config', 'my.env'], {}, { 'my.env': '\nLIVETIMING_LISTNE=1\n' });
  assert.match(result.stderr, /my\.env:2: LIVETIMING_LISTNE: unknown setting \(did you mean LIVETIMING_LISTEN\?\)/);
});

test('names of the original without effect are said to have none', async (t) => {
  const result = await daemon(t, ['--check-config', '--config', 'my.env'], {}, { 'my.env': 'LIVETIMING_PID_DIR=/tmp/pids\n' });
  assert.equal(result.code, 0);
  assert.match(result.stderr, /my\.env:1: LIVETIMING_PID_DIR: has no effect in this version/);
});

test('a time zone that is none is not silently UTC', async (t) => {
  const wrong = await daemon(t, ['--check-config'], { TZ: 'Europe/Nowhere' });
  assert.equal(wrong.code, 0);
  assert.match(wrong.stderr, /TZ: "Europe\/Nowhere" is no time zone; times without one in calendars count as UTC/);
  for (const TZ of ['Europe/Paris', 'CET-1CEST,M3.5.0,M10.5.0/3', '']) {
    assert.equal((await daemon(t, ['--check-config'], { TZ })).stderr, '');
  }
});

const bad = [
  ['LIVETIMING_LISTEN', 'nonsense', /expected ADDRESS:PORT or unix:PATH/],
  ['LIVETIMING_LISTEN', '127.0.0.1:99999', /port/],
  ['LIVETIMING_LISTEN', '127.0.0.1:8443,tls', /set LIVETIMING_TLS_CERT and LIVETIMING_TLS_KEY/],
  ['LIVETIMING_LISTEN', 'rs:127.0.0.1:8081,tls', /RawSocket is served without TLS/],
  ['LIVETIMING_LISTEN', 'unix:', /the path is missing/],
  ['LIVETIMING_HTTP_CALL', 'perhaps', /LIVETIMING_HTTP_CALL/],
  ['LIVETIMING_LOG_LEVEL', 'loud', /LIVETIMING_LOG_LEVEL/],
  ['LIVETIMING_LOG_FORMAT', 'xml', /expected text or json/],
  ['LIVETIMING_TRUST_PROXY', 'maybe', /LIVETIMING_TRUST_PROXY/],
  ['LIVETIMING_SERVICES', 'simulator --description "open', /LIVETIMING_SERVICES/],
  ['LIVETIMING_LIMIT_NESTING', '4096', /LIVETIMING_LIMIT_NESTING/],
  ['LIVETIMING_LIMIT_CALLS', '-1', /LIVETIMING_LIMIT_CALLS/],
  ['LIVETIMING_LIMIT_MESSAGE_BYTES', '1e9', /LIVETIMING_LIMIT_MESSAGE_BYTES/],
  ['LIVETIMING_PERMISSIONS', '/nonexistent/p.json', /LIVETIMING_PERMISSIONS.*No such file/],
  ['LIVETIMING_AUTH_FILE', '/nonexistent/a.json', /LIVETIMING_AUTH_FILE.*No such file/],
];
for (const [name, value, sentence] of bad) {
  test(`${name}=${value} is refused with status 2`, async (t) => {
    const result = await daemon(t, ['--config', 'my.env'], { LIVETIMING_LISTEN: null }, { 'my.env': `${name}='${value}'\n` });
    assert.equal(result.code, 2, result.stderr);
    assert.match(result.stderr, sentence);
    assert.match(result.stderr, /my\.env:1/);
  });
}

test('broken files that settings name are refused with status 2', async (t) => {
  const files = {
    'p.json': '{"roles": 7}',
    'a.json': '{"track7": {"secret": "s"}}',
    'b.json': '[1, 2',
  };
  const cases = [
    [{ LIVETIMING_PERMISSIONS: 'p.json' }, /LIVETIMING_PERMISSIONS: p\.json: /],
    [{ LIVETIMING_AUTH_FILE: 'a.json' }, /LIVETIMING_AUTH_FILE: a\.json: "track7".*role/],
    [{ LIVETIMING_AUTH_FILE: 'b.json' }, /LIVETIMING_AUTH_FILE: .*b\.json/],
  ];
  for (const [env, sentence] of cases) {
    const result = await daemon(t, ['--check-config'], env, files);
    assert.equal(result.code, 2, result.stderr);
    assert.match(result.stderr, sentence);
  }
});

test('an unreadable or broken settings file is refused with status 2', async (t) => {
  const missing = await daemon(t, ['--config', 'none.env']);
  assert.equal(missing.code, 2);
  assert.match(missing.stderr, /none\.env: No such file/);
  const broken = await daemon(t, ['--config', 'my.env'], {}, { 'my.env': 'A=1\nno sense\n' });
  assert.equal(broken.code, 2);
  assert.match(broken.stderr, /my\.env:2: expected NAME=value/);
  if (process.getuid() !== 0) {
    const dir = mkdtempSync(path.join(tmpdir(), 'lt-a01-'));
    t.after(() => rmSync(dir, { recursive: true }));
    writeFileSync(path.join(dir, 'x.env'), '');
    chmodSync(path.join(dir, 'x.env'), 0);
    assert.match((await daemon(t, ['--config', path.join(dir, 'x.env')])).stderr, /Permission denied/);
  }
});

test('a port in use is one clear sentence and status 1', async (t) => {
  const server = createServer();
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.after(() => server.close());
  const result = await daemon(t, [], { LIVETIMING_LISTEN: `127.0.0.1:${server.address().port}` });
  assert.equal(result.code, 1);
  assert.match(result.stderr, new RegExp(`livetimingd: .*127\\.0\\.0\\.1:${server.address().port}.*in use`));
});

test('a second daemon on the same control socket refuses and leaves the first alone', async (t) => {
  const first = await startDaemon(t);
  const second = await daemon(t, [], { LIVETIMING_CONTROL_SOCKET: first.socket });
  assert.equal(second.code, 1);
  assert.match(second.stderr, /control socket .*: in use by a livetimingd that is running/);
  assert.equal((await first.ctl(['status'])).code, 0);
});

test('after kill -9 it starts again over the leftover socket', async (t) => {
  const first = await startDaemon(t);
  await first.stop('SIGKILL');
  first.log = '';
  assert.ok(existsSync(first.socket));
  await first.start();
  assert.equal((await first.ctl(['status'])).code, 0);
});

test('a directory that cannot be made is one clear sentence and status 1', async (t) => {
  const result = await daemon(t, [], { LIVETIMING_STATE_DIR: 'file/state' }, { file: '' });
  assert.equal(result.code, 1);
  assert.match(result.stderr, /LIVETIMING_STATE_DIR: .*file/);
});

test('without a page the rest is served, and it is said', async (t) => {
  const started = await startDaemon(t, { env: { LIVETIMING_WEB_DIR: '/nonexistent' } });
  assert.match(started.log, /the viewer page is not served/);
  const page = await fetch(`${started.http}/`);
  assert.equal(page.status, 404);
  assert.match(await page.text(), /not installed/);
  assert.deepEqual(await (await fetch(`${started.http}/directory.json`)).json(), []);
});
