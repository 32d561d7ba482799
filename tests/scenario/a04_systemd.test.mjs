// As a service of the system: what the service manager is told, the watchdog,
// the unit, and what `make install` puts in place.
import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import test from 'node:test';

import { build, Daemon, eventually as until, root, run } from './support/daemon.mjs';

const eventually = (check, what) => until(check, what, 60000);
const unit = path.join(root, 'conf/systemd/livetimingd.service');

// The manager's end of NOTIFY_SOCKET: one datagram a line, its lines divided by '|'.
const listener = `
  use Socket; $| = 1;
  my $path = $ARGV[0] =~ /^@(.*)/ ? "\\0$1" : $ARGV[0];
  socket(my $s, PF_UNIX, SOCK_DGRAM, 0) or die; bind($s, pack_sockaddr_un($path)) or die "bind: $!";
  print "bound\\n";
  while (defined recv($s, my $text, 65536, 0)) { $text =~ tr/\\n/|/; print "$text\\n"; }`;

async function listen(t, address) {
  const manager = { said: [], text: '' };
  const child = spawn('perl', ['-e', listener, address]);
  t.after(() => child.kill());
  child.stdout.on('data', (chunk) => {
    manager.text += chunk;
    manager.said = manager.text.split('\n').slice(0, -1);
  });
  await eventually(() => manager.said.includes('bound'), 'the socket');
  manager.heard = (pattern, from = 0) => eventually(
    () => manager.said.slice(from).some((line) => pattern.test(line)), `${pattern}, said was ${manager.said}`);
  return manager;
}

async function managed(t, env = {}) {
  const daemon = new Daemon();
  t.after(() => daemon.destroy());
  const address = env.NOTIFY_SOCKET ?? path.join(daemon.dir, 'notify');
  const manager = await listen(t, address);
  Object.assign(daemon.env, { NOTIFY_SOCKET: address, LIVETIMING_SERVICES: 'simulator --seed 71', ...env });
  await daemon.start();
  return { daemon, manager };
}

test('the manager hears when it is ready, reads settings again, and stops', async (t) => {
  const { daemon, manager } = await managed(t);
  await manager.heard(/^READY=1\|STATUS=1 services run, \d+ sessions\|$/);
  daemon.process.kill('SIGHUP');
  await manager.heard(/^RELOADING=1\|MONOTONIC_USEC=\d+\|/);
  const from = manager.said.findIndex((line) => line.startsWith('RELOADING'));
  await manager.heard(/^READY=1\|/, from);
  await daemon.stop();
  await manager.heard(/^STOPPING=1\|/);
  assert.equal(manager.said.filter((line) => line.startsWith('READY=1')).length, 2);
});

test('a manager that has gone is no reason not to start', async (t) => {
  const daemon = new Daemon({ env: { NOTIFY_SOCKET: path.join(tmpdir(), 'nobody-listens-here') } });
  t.after(() => daemon.destroy());
  await daemon.start();
  await daemon.waitLog(/the service manager cannot be told/);
});

test('the loop answers the watchdog for as long as it turns', async (t) => {
  const { daemon, manager } = await managed(t, { WATCHDOG_USEC: '400000', NOTIFY_SOCKET: `@lt-a04-${process.pid}` });
  const pings = () => manager.said.filter((line) => line.startsWith('WATCHDOG=1|STATUS=')).length;
  await eventually(() => pings() >= 3, 'three pings');
  daemon.process.kill('SIGSTOP');
  const hung = await eventually(async () => { // none comes while it hangs: the number stands still
    const now = pings();
    await new Promise((resolve) => setTimeout(resolve, 500));
    return pings() === now && { pings: now };
  }, 'the pings to end');
  daemon.process.kill('SIGCONT');
  await eventually(() => pings() > hung.pings, 'the pings to come back');
});

test('the status says what is wrong', async (t) => {
  const { manager } = await managed(t, { LIVETIMING_SERVICES: 'rmonitor --file /nonexistent' });
  await manager.heard(/STATUS=0 services run, \d+ sessions, 1 services failed\|/);
});

test('a watchdog that is meant for another process is left alone', async (t) => {
  const { daemon, manager } = await managed(t, { WATCHDOG_USEC: '200000', WATCHDOG_PID: '1' });
  await manager.heard(/^STATUS=/); // the first of those that come without one
  await daemon.stop();
  assert.equal(manager.text.includes('WATCHDOG=1'), false);
});

test('a period that is no number is refused', async (t) => {
  const daemon = new Daemon({ env: { WATCHDOG_USEC: 'soon' } });
  t.after(() => daemon.destroy());
  await assert.rejects(daemon.start(), /WATCHDOG_USEC/);
});

test('the unit is exposed by less than 2.0', async (t) => {
  if (spawnSync('systemd-analyze', ['--version']).error) return t.skip('systemd-analyze is not installed');
  const judged = await run('systemd-analyze', ['security', '--no-pager', '--offline=true', '--threshold=20', unit]);
  assert.equal(judged.code, 0, judged.stdout + judged.stderr);
  const exposure = Number(judged.stdout.match(/Overall exposure level for livetimingd\.service: ([0-9.]+)/)[1]);
  assert.ok(exposure < 2, `exposure ${exposure}`);
  assert.doesNotMatch(judged.stderr, /livetimingd\.service:\d+/, 'lines that it does not understand');
});

test('make install puts a service in place that starts with its settings', async (t) => {
  const dir = mkdtempSync(path.join(tmpdir(), 'lt-a04-'));
  t.after(() => rmSync(dir, { recursive: true, force: true }));
  const installed = await run('src/tools/install.sh', [path.relative(root, build), dir, '/usr', '1.2.3'], { cwd: root });
  assert.equal(installed.code, 0, installed.stderr);
  const at = (name) => path.join(dir, name);
  for (const name of ['usr/bin/livetiming-service', 'usr/lib/sysusers.d/livetimingd.conf', 'usr/lib/tmpfiles.d/livetimingd.conf',
    'usr/share/man/man8/livetimingd.8', 'usr/share/man/man1/livetimingctl.1', 'usr/share/man/man5/livetiming.env.5',
    'usr/share/man/man3/livetiming-plugin.3', 'usr/share/doc/livetimingd/examples/nginx.conf']) assert.ok(existsSync(at(name)), name);
  const service = readFileSync(at('usr/lib/systemd/system/livetimingd.service'), 'utf8');
  const [, program, , config] = service.match(/^ExecStart=(\S+) (--config) (\S+)$/m);
  assert.ok(existsSync(at(program)) && existsSync(at(config)));
  assert.equal(statSync(at('etc/livetimingd/livetimingd.env')).mode & 0o777, 0o640);
  const checked = await run(at(program), ['--check-config', '--config', at(config)]);
  assert.equal(checked.code, 0, checked.stderr);
  // what the settings name is what the unit lets it write to
  for (const [, folder] of checked.stdout.matchAll(/^LIVETIMING_\w+_DIR=(\/var\/\S+)/mg)) {
    assert.ok(['/var/lib/livetimingd/', '/var/log/livetimingd'].some((allowed) => folder.startsWith(allowed)), folder);
  }
  assert.match(checked.stdout, /^LIVETIMING_RECORDINGS_DIR=\/var\/lib\/livetimingd\/recordings /m);
  assert.match(checked.stdout, /^LIVETIMING_CONTROL_SOCKET=\/run\/livetimingd\/control\.sock /m);
});

test('elsewhere the unit names that place', async (t) => {
  const dir = mkdtempSync(path.join(tmpdir(), 'lt-a04-'));
  t.after(() => rmSync(dir, { recursive: true, force: true }));
  const prefix = path.join(dir, 'opt');
  const installed = await run('src/tools/install.sh', [path.relative(root, build), '', prefix, '1.2.3'], { cwd: root });
  assert.equal(installed.code, 0, installed.stderr);
  assert.match(readFileSync(path.join(prefix, 'lib/systemd/system/livetimingd.service'), 'utf8'),
    new RegExp(`^ExecStart=${prefix}/bin/livetimingd --config ${prefix}/etc/livetimingd/livetimingd.conf$`, 'm'));
  const settings = path.join(prefix, 'etc/livetimingd/livetimingd.conf');
  const again = await run('sh', ['-c', `echo '# mine' >>'${settings}' && src/tools/install.sh '${path.relative(root, build)}' '' '${prefix}' 1.2.3`], { cwd: root });
  assert.equal(again.code, 0, again.stderr);
  assert.match(readFileSync(settings, 'utf8'), /# mine\n$/, 'settings are left alone');
});
