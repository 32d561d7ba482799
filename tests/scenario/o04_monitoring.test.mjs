// What supervisors, Prometheus and log rotation see.
import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import test from 'node:test';

import { autobahnSession } from './support/clients.mjs';
import { Daemon, eventually as until, root, run, startDaemon } from './support/daemon.mjs';
import { freePort, startService } from './support/feeds.mjs';

const eventually = (check, what) => until(check, what, 60000);
const operations = readFileSync(path.join(root, 'docs/operations.md'), 'utf8');
const tool = (name) => spawnSync(name, ['--version']).error === undefined;

async function scrape(daemon) {
  const response = await fetch(`${daemon.http}/metrics`);
  assert.equal(response.status, 200);
  return response.text();
}

// { name: { type, samples: { '{labels}': value } } }, and everything that is wrong with the text is an error.
function parse(text) {
  const families = {};
  let name;
  assert.ok(text.endsWith('\n'));
  for (const line of text.slice(0, -1).split('\n')) {
    const help = line.match(/^# HELP ([a-z_]+) \S.*$/);
    const type = line.match(/^# TYPE ([a-z_]+) (counter|gauge|histogram)$/);
    const sample = line.match(/^([a-z_]+)(\{(?:[a-z_]+="(?:[^"\\\n]|\\["\\n])*",?)+\})? (-?[0-9.]+(?:e[+-][0-9]+)?)$/);
    if (help) {
      assert.equal(families[help[1]], undefined, `${help[1]} has two heads`);
      name = help[1];
      families[name] = { samples: {} };
    } else if (type) {
      assert.equal(type[1], name, 'TYPE follows its HELP');
      families[name].type = type[2];
    } else {
      assert.ok(sample, `not in the format: ${line}`);
      const base = families[name].type === 'histogram' ? sample[1].replace(/_(bucket|sum|count)$/, '') : sample[1];
      assert.equal(base, name, `${line} stands under ${name}`);
      const key = sample[1].slice(name.length) + (sample[2] ?? '');
      assert.equal(families[name].samples[key], undefined, `${line} is there twice`);
      families[name].samples[key] = Number(sample[3]);
    }
  }
  for (const [family, { type, samples }] of Object.entries(families)) {
    assert.equal(family.endsWith('_total'), type === 'counter', `${family} is a ${type}`);
    if (type !== 'histogram') continue;
    const buckets = Object.entries(samples).filter(([key]) => key.startsWith('_bucket')).map(([, value]) => value);
    assert.deepEqual(buckets, [...buckets].sort((a, b) => a - b), `${family} is cumulative`);
    assert.equal(buckets.at(-1), samples._count, `${family} ends in its count`);
  }
  return families;
}

const sum = (families, name, suffix = '') => Object.entries(families[name]?.samples ?? {})
  .filter(([key]) => key.startsWith(suffix)).reduce((total, [, value]) => total + value, 0);

test('every metric of the documentation is there, and no other', async (t) => {
  const daemon = new Daemon();
  t.after(() => daemon.destroy());
  const start = new Date(Date.now() + 86400000).toISOString().replace(/[-:]|\.\d+/g, '');
  daemon.env.LIVETIMING_CALENDAR_URL = `file://${daemon.writeFile('season.ics', ['BEGIN:VCALENDAR', 'VERSION:2.0', 'PRODID:test',
    'BEGIN:VEVENT', 'UID:1', `DTSTAMP:${start}`, `DTSTART:${start}`, 'DURATION:PT1H', 'SUMMARY:Round 1 [simulator]', 'END:VEVENT', 'END:VCALENDAR', ''].join('\r\n'))}`;
  daemon.env.LIVETIMING_ANNOUNCE_DISCORD_URL = 'https://discord.invalid/hook';
  daemon.env.SENTRY_DSN = 'https://key@sentry.invalid/1';
  // neither answers: their figures are there all the same
  Object.assign(daemon.env, { LIVETIMING_BACKPLANE: 'nats://127.0.0.1:1', LIVETIMING_S3_URL: 'http://127.0.0.1:1/b', LIVETIMING_S3_ACCESS_KEY: 'k', LIVETIMING_S3_SECRET_KEY: 's' });
  await daemon.start();
  await startService(daemon, 'simulator', '--seed', '71');
  const documented = new Set(operations.match(/`(livetiming|process)_[a-z_]+/g).map((name) => name.slice(1)));
  let text;
  // those of a service begin with its first update
  await eventually(async () => /^livetiming_service_age_seconds\{.*^livetiming_recordings_in_progress 1$/ms.test(text = await scrape(daemon))
    && /^livetiming_feed_age_seconds\{/m.test(text) && /^livetiming_schedule_next_start_seconds \d/m.test(text), 'the first update, and the calendar');
  const families = parse(text);
  assert.deepEqual(Object.keys(families).filter((name) => !documented.has(name)), [], 'not documented in docs/operations.md');
  assert.deepEqual([...documented].filter((name) => !families[name]), [], 'documented only');
  if (!tool('promtool')) return;
  const judged = await run('promtool', ['check', 'metrics'], { input: text });
  assert.equal(judged.code, 0, judged.stdout + judged.stderr);
});

test('they follow what happens', async (t) => {
  const daemon = await startDaemon(t);
  const before = parse(await scrape(daemon));
  const uuid = await startService(daemon, 'simulator', '--seed', '71');
  const viewer = await autobahnSession(t, daemon);
  await viewer.subscribe(`livetiming.service.${uuid}`, () => {}, { get_retained: true });
  await viewer.call('livetiming.directory.listServices');
  const moving = ['livetiming_events_published_total', 'livetiming_events_sent_total', 'livetiming_bytes_sent_total',
    'livetiming_bytes_received_total', 'livetiming_sessions_total', 'livetiming_calls_total', 'livetiming_connections',
    'livetiming_subscriptions', 'livetiming_retained_topics', 'livetiming_retained_bytes', 'livetiming_feed_records_total',
    'livetiming_services', 'livetiming_service_up', 'livetiming_directory_services', 'livetiming_recordings_in_progress',
    'livetiming_dvr_bytes_total', 'livetiming_dvr_frames_total', 'process_cpu_seconds_total'];
  const counted = ['livetiming_rpc_seconds', 'livetiming_send_queue_bytes', 'livetiming_fanout_seconds', 'livetiming_loop_lag_seconds'];
  let still;
  await eventually(async () => {
    const now = parse(await scrape(daemon));
    still = moving.filter((name) => sum(now, name) <= sum(before, name))
      .concat(counted.filter((name) => sum(now, name, '_count') <= sum(before, name, '_count')));
    return still.length === 0;
  }, 'all of them to move').catch((error) => assert.fail(`${error.message}: ${still} did not`));
  assert.equal(parse(await scrape(daemon)).livetiming_connections.samples['{transport="websocket"}'], 1);
});

test('the age of a service is that of its last update, whoever it is', async (t) => {
  const port = await freePort(t);
  const daemon = await startDaemon(t);
  const silent = await startService(daemon, 'rmonitor', '--host', '127.0.0.1', '--port', String(port), '--stale', '1');
  await eventually(async () => parse(await scrape(daemon)).livetiming_feed_stale.samples[`{service="${silent}",class="rmonitor"}`] === 1, 'the silence to be seen');
  const foreign = await autobahnSession(t, daemon, { auth: {} });
  const manifest = { uuid: 'foreign-service', name: 'Foreign', description: 'elsewhere', colSpec: [], trackDataSpec: [] };
  await foreign.publish('livetiming.control', [{ msgClass: 2, date: Date.now(), payload: manifest }], {}, { acknowledge: true });
  await foreign.publish('livetiming.service.foreign-service', [{ msgClass: 4, date: Date.now(), payload: { cars: [], session: {}, messages: [] } }], {}, { acknowledge: true, retain: true });
  const age = async () => parse(await scrape(daemon)).livetiming_service_age_seconds.samples['{service="foreign-service"}'];
  const first = await eventually(age, 'its age');
  await eventually(async () => (await age()) > first, 'it to grow');
  const listed = await daemon.ctl(['-j', 'top']);
  assert.ok(JSON.parse(listed.stdout).directory.some((item) => item.uuid === 'foreign-service' && item.age_ms >= 0));
});

test('a service that failed is named', async (t) => {
  const daemon = await startDaemon(t, { env: { LIVETIMING_SERVICES: 'rmonitor --file /nonexistent' } });
  const families = parse(await scrape(daemon));
  assert.equal(families.livetiming_services.samples['{status="failed"}'], 1);
  assert.match(Object.keys(families.livetiming_service_up.samples)[0], /class="rmonitor"/);
  assert.equal(sum(families, 'livetiming_service_up'), 0);
});

test('it is live and ready, and not ready while recordings cannot be written', async (t) => {
  const daemon = await startDaemon(t);
  const health = async () => (await fetch(`${daemon.http}/health`)).json();
  const status = async (name) => (await fetch(daemon.http + name)).status;
  assert.deepEqual((({ status: word, live, ready }) => ({ word, live, ready }))(await health()), { word: 'ok', live: true, ready: true });
  for (const name of ['/healthz', '/readyz', '/health/live', '/health/ready']) assert.equal(await status(name), 200, name);

  // no journal can be made where a file is in the way of its folder
  const temp = path.join(daemon.dir, 'recordings-temp');
  rmSync(temp, { recursive: true });
  writeFileSync(temp, '');
  await startService(daemon, 'simulator', '--seed', '71');
  await eventually(async () => (await status('/readyz')) === 503, 'it not to be ready');
  assert.equal(await status('/health/ready'), 503);
  assert.equal(await status('/healthz'), 200);
  const trouble = await health();
  assert.deepEqual([trouble.status, trouble.live, trouble.ready, trouble.reason], ['degraded', true, false, 'recordings cannot be written']);
  assert.match((await daemon.ctl(['status'])).stdout, /^health +NOT READY: recordings cannot be written$/m);
  assert.equal(parse(await scrape(daemon)).livetiming_recordings_failing.samples[''], 1);

  rmSync(temp);
  mkdirSync(temp);
  await eventually(async () => (await status('/readyz')) === 200, 'it to be ready again');
});

test('SIGUSR1 opens the logs anew, those of services and that of the daemon', async (t) => {
  const daemon = await startDaemon(t);
  const log = path.join(daemon.dir, 'daemon.log');
  await daemon.stop();
  daemon.env.LIVETIMING_LOG_FILE = log;
  daemon.env.LIVETIMING_SERVICES = 'simulator --seed 71';
  daemon.process = spawn(path.join(root, process.env.LT_BUILD ?? 'build', 'livetimingd'), [], {
    cwd: daemon.dir, env: { PATH: process.env.PATH, ...daemon.env }, stdio: ['ignore', 'ignore', 'inherit'],
  });
  daemon.exited = new Promise((resolve) => daemon.process.on('exit', (code, signal) => resolve({ code, signal })));
  const read = (file) => (existsSync(file) ? readFileSync(file, 'utf8') : '');
  await eventually(() => /listening address=/.test(read(log)), 'the log to be written');
  const [{ uuid }] = await eventually(() => daemon.ctlJson(['service', 'list']), 'the service');
  const serviceLog = path.join(daemon.dir, 'log', `${uuid}.log`);
  await eventually(() => read(serviceLog) !== '', 'the log of the service');

  renameSync(log, `${log}.1`);
  renameSync(serviceLog, `${serviceLog}.1`);
  daemon.process.kill('SIGUSR1');
  await eventually(() => /log files opened anew/.test(read(log)), 'the new log');
  await eventually(() => existsSync(serviceLog), 'the new log of the service');
  const old = [read(`${log}.1`), read(`${serviceLog}.1`)];
  assert.equal((await daemon.ctl(['service', 'stop', uuid])).code, 0);
  await eventually(() => /service stopped/.test(read(log)), 'the end to be logged');
  assert.deepEqual([read(`${log}.1`), read(`${serviceLog}.1`)], old);

  // a folder of logs that was cleaned away costs no race
  rmSync(path.join(daemon.dir, 'log'), { recursive: true });
  const started = await daemon.ctlJson(['service', 'start', 'simulator']);
  await eventually(() => read(path.join(daemon.dir, 'log', `${started.uuid}.log`)) !== '', 'the log of another service');
  assert.equal((await daemon.stop()).code, 0);
});

test('a log file that cannot be opened is refused at the start', async (t) => {
  await assert.rejects(startDaemon(t, { env: { LIVETIMING_LOG_FILE: '/nonexistent/daemon.log' } }), /LIVETIMING_LOG_FILE: cannot open log file \/nonexistent\/daemon\.log/);
});

test('the alert rules are sound and name metrics that exist', async (t) => {
  const file = path.join(root, 'conf/prometheus/livetimingd.rules.yml');
  const names = readFileSync(file, 'utf8').match(/^ +expr: .*$/mg).join('\n').match(/\b(livetiming|process)_[a-z_]+/g);
  for (const name of names) assert.ok(operations.includes(`\`${name.replace(/_bucket$/, '')}`), `${name} is no metric of docs/operations.md`);
  if (!tool('promtool')) return;
  const judged = await run('promtool', ['check', 'rules', file]);
  assert.equal(judged.code, 0, judged.stdout + judged.stderr);
});

test('behind nginx with the bundled example', async (t) => {
  if (!existsSync('/usr/sbin/nginx')) return t.skip('nginx is not installed');
  const daemon = await startDaemon(t, { env: { LIVETIMING_TRUST_PROXY: 'yes', LIVETIMING_SERVICES: 'simulator --seed 71' } });
  const port = await freePort(t);
  const example = readFileSync(path.join(root, 'conf/proxy/nginx.conf'), 'utf8')
    .replace('server 127.0.0.1:8080', `server ${daemon.address}`)
    .replace('listen 80;', `listen 127.0.0.1:${port};`).replace(/^.*listen \[::\]:80;\n/m, '')
    .replace('/var/cache/nginx-livetiming', path.join(daemon.dir, 'cache'));
  chmodSync(daemon.dir, 0o755);
  const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map((name) => `${name}_temp_path ${daemon.dir}/${name};`).join(' ');
  const file = daemon.writeFile('nginx.conf', `daemon off; pid ${daemon.dir}/nginx.pid; error_log stderr; events {} http { access_log off; ${temporary}\n${example}}`);
  const nginx = spawn('/usr/sbin/nginx', ['-c', file, '-e', 'stderr']);
  const ended = new Promise((resolve) => nginx.on('exit', resolve));
  t.after(() => nginx.kill() && ended);
  const front = `http://127.0.0.1:${port}`;
  await eventually(async () => (await fetch(`${front}/healthz`)).status === 200, 'nginx to answer');
  assert.match(await (await fetch(front)).text(), /<html/i);
  const [{ uuid }] = await eventually(async () => {
    const list = await (await fetch(`${front}/directory.json`)).json();
    return list.length > 0 && list;
  }, 'the service to be listed');
  assert.equal((await fetch(`${front}/state/${uuid}.json`)).status, 200);
  assert.equal((await fetch(`${front}/metrics`)).status, 403);
  const viewer = await autobahnSession(t, daemon, { url: `ws://127.0.0.1:${port}/ws` });
  const got = new Promise((resolve) => viewer.subscribe(`livetiming.service.${uuid}`, ([envelope]) => resolve(envelope), { get_retained: true }));
  assert.equal((await got).msgClass, 8);
});
