// livetimingctl top: one picture without a terminal, a live one on a terminal
// that is left as it was found, whatever ends it.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import test from 'node:test';

import { build, eventually as until, startDaemon } from './support/daemon.mjs';

const eventually = (check, what) => until(check, what, 60000);
const program = path.join(build, 'livetimingctl');
const ENTER = '\x1b[?1049h';
const LEAVE = '\x1b[?1049l';

// A shell on a terminal of its own (script makes it), which runs top and says how it went.
class Terminal {
  constructor(t, daemon, { rows = 24, columns = 100, env = {}, args = [] } = {}) {
    const command = `trap : INT QUIT HUP; stty rows ${rows} cols ${columns}; before=$(stty -g); '${program}' ${['top', '--interval', '0.2', ...args].join(' ')}
      echo "status=$?"; [ "$before" = "$(stty -g)" ] && echo terminal=same`;
    this.text = '';
    this.child = spawn('script', ['-qec', command, '/dev/null'], {
      cwd: daemon.dir, env: { PATH: process.env.PATH, TERM: 'xterm', SHELL: '/bin/sh', LIVETIMING_CONTROL_SOCKET: daemon.socket, ...env },
    });
    this.child.stdin.on('error', () => {});
    this.child.stdout.on('data', (chunk) => (this.text += chunk));
    this.ended = new Promise((resolve) => this.child.on('close', resolve));
    t.after(() => this.child.kill('SIGKILL'));
  }

  // The lines of the newest whole picture, without attributes.
  get lines() {
    const pictures = this.text.split('\x1b[H').slice(1).filter((picture) => picture.includes('\x1b[J'));
    const picture = (pictures.at(-1) ?? '').split('\x1b[J')[0];
    return picture.replace(/\x1b\[[0-9;?]*[a-zA-Z]/g, '').split(/\r+\n/);
  }

  shows(pattern) {
    return eventually(() => pattern.test(this.lines.join('\n')), `${pattern} on:\n${this.lines.join('\n')}`)
      .catch((error) => assert.fail(`${error.message}\n${this.lines.join('\n')}`));
  }

  type(keys) {
    this.child.stdin.write(keys);
  }

  // The process of top itself, a child of the shell.
  pid() {
    const children = (pid) => readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim().split(' ').filter(Boolean);
    const all = (pid) => children(pid).flatMap((child) => [child, ...all(child)]);
    return Number(all(this.child.pid).find((pid) => readFileSync(`/proc/${pid}/comm`, 'utf8').trim() === 'livetimingctl'));
  }

  async expectRestored() {
    await this.ended;
    assert.ok(this.text.includes(ENTER));
    assert.ok(this.text.lastIndexOf(LEAVE) > this.text.lastIndexOf(ENTER), 'the alternate screen is left');
    assert.ok(this.text.lastIndexOf('\x1b[?25h') > this.text.lastIndexOf('\x1b[?25l'), 'the cursor is shown');
    assert.match(this.text, /terminal=same/);
    assert.match(this.text, /status=0/);
  }
}

const races = 'simulator --seed 71; rmonitor --file /nonexistent';

test('without a terminal it is one picture', async (t) => {
  const daemon = await startDaemon(t, { env: { LIVETIMING_SERVICES: races } });
  const once = await daemon.ctl(['top', '--interval', '0.2']);
  assert.equal(once.code, 0, once.stderr);
  assert.doesNotMatch(once.stdout, /\x1b/);
  for (const line of [/^livetimingd \d.*process \d+/m, /^health +ready$/m, /^sessions +\d+, 0 connections/m, /^events +[0-9.]+\/s published/m,
    /^traffic /m, /^queue drops /m, /^calls /m, /^loop +busy .* longest [0-9.]+ ms$/m, /^recordings +\d+ in progress/m,
    /^SERVICE +UPDATED +UPD\/s +CARS +FLAG +REC +CLASS +NAME$/m, /^running .*simulator +Simulated Endurance/m,
    /^failed .*rmonitor .*\/nonexistent/m]) assert.match(once.stdout, line);
  const json = JSON.parse((await daemon.ctl(['-j', 'top'])).stdout);
  assert.deepEqual(Object.keys(json), ['status', 'services', 'directory', 'recordings', 'schedule']);
});

test('mistakes are usage errors, and no daemon is status 3', async (t) => {
  const daemon = await startDaemon(t);
  for (const interval of ['0', '-1', 'soon', '99999']) {
    const wrong = await daemon.ctl(['top', '--interval', interval]);
    assert.equal(wrong.code, 2);
    assert.match(wrong.stderr, /--interval: expected seconds/);
  }
  assert.equal((await daemon.ctl(['top', 'now'])).code, 2);
  await daemon.stop();
  const gone = await daemon.ctl(['top']);
  assert.equal(gone.code, 3);
  assert.match(gone.stderr, /no livetimingd is listening at/);
});

test('on a terminal it follows what happens, and q ends it', async (t) => {
  const daemon = await startDaemon(t, { env: { LIVETIMING_SERVICES: races } });
  const terminal = new Terminal(t, daemon, { columns: 200 });
  await terminal.shows(/^running +\d.*yes +simulator/m);
  assert.match(terminal.lines.at(-1), /^q ends/);
  assert.match(terminal.text, /\x1b\[1;31m.*nonexistent/, 'what failed is red');
  await daemon.ctl(['service', 'start', 'simulator', '--seed', '7', '--description', 'Another race']);
  await terminal.shows(/^running .*Another race/m);
  await daemon.ctl(['service', 'stop', 'rmonitor']);
  await eventually(() => !/rmonitor/.test(terminal.lines.join('\n')), 'the failed one to go');
  terminal.type('q');
  await terminal.expectRestored();
});

test('whatever ends it, the terminal is as before', async (t) => {
  const daemon = await startDaemon(t);
  const ends = { 'Ctrl-C': (terminal) => terminal.type('\x03'), 'Ctrl-\\': (terminal) => terminal.type('\x1c') };
  for (const signal of ['SIGTERM', 'SIGHUP']) ends[signal] = (terminal) => process.kill(terminal.pid(), signal);
  for (const [name, end] of Object.entries(ends)) {
    await t.test(name, async (t2) => {
      const terminal = new Terminal(t2, daemon);
      await terminal.shows(/^health +ready/m);
      end(terminal);
      await terminal.expectRestored();
    });
  }
});

test('a small terminal is not overrun, and services scroll', async (t) => {
  const daemon = await startDaemon(t);
  for (const seed of [1, 2, 3, 4, 5]) await daemon.ctl(['service', 'start', 'simulator', '--seed', String(seed), '--description', `Race ${seed}`, '--masquerade', `race${seed}`]);
  const terminal = new Terminal(t, daemon, { rows: 15, columns: 64, env: { NO_COLOR: '1' } });
  await terminal.shows(/^1 to 2 of 5$/m);
  assert.ok(terminal.lines.length <= 15, `${terminal.lines.length} lines`);
  for (const line of terminal.lines) assert.ok([...line].length <= 64, line);
  assert.match(terminal.lines.join('\n'), /race1[^]*race2/);
  assert.doesNotMatch(terminal.text, /\x1b\[3[0-9]m|\x1b\[1m/, 'no attributes with NO_COLOR');
  terminal.type('j');
  await terminal.shows(/^2 to 3 of 5$/m);
  terminal.type('\x1b[B');
  await terminal.shows(/^3 to 4 of 5$/m);
  terminal.type('\x1b[A');
  await terminal.shows(/^2 to 3 of 5$/m);
  terminal.type('q');
  await terminal.expectRestored();
});

test('it survives a restart of the daemon', async (t) => {
  const daemon = await startDaemon(t);
  const terminal = new Terminal(t, daemon, { columns: 60 });
  await terminal.shows(/^health +ready/m);
  await daemon.stop();
  await terminal.shows(/no livetimingd is listening at[^]*LIVETIMING_CONTROL_SOCKET/);
  assert.match(terminal.lines.join('\n'), /^sessions/m, 'what was known stays');
  await daemon.start();
  await terminal.shows(/^health +ready/m);
  terminal.type('q');
  await terminal.expectRestored();
});

test('texts of a service cannot drive the terminal', async (t) => {
  const daemon = await startDaemon(t);
  await daemon.ctl(['service', 'start', 'simulator', '--description', 'a\x1b]0;owned\x07b\x03c']);
  const terminal = new Terminal(t, daemon, { columns: 200 });
  await terminal.shows(/a\?\]0;owned\?b\?c/);
  terminal.type('q');
  await terminal.expectRestored();
});
