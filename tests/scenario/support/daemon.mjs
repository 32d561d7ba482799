// Starts the real daemon in a temporary directory on a free port and stops it
// again. Tests wait for events, never for time: every wait below ends as soon
// as what it waits for is there, and fails with what the daemon logged.
import { spawn } from 'node:child_process';
import { mkdtempSync, writeFileSync, rmSync, existsSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

export const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '../../..');
export const build = path.resolve(root, process.env.LT_BUILD ?? 'build');
export const sharedDir = path.resolve(root, process.env.SHARED_DIR ?? '../shared');
export const secret = 'test-secret';
const WAIT_MS = 60000; // two other files run beside this one, perhaps under a sanitizer

// Reference data, or a loud skip of the test `t`; returns null when it is absent.
export function shared(t, name) {
  const file = path.join(sharedDir, name);
  if (existsSync(file)) return file;
  t.skip(`reference data ${name} is absent (set SHARED_DIR)`);
  return null;
}

export function withTimeout(promise, what, ms = WAIT_MS) {
  let timer;
  const late = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error(`timed out waiting for ${what}`)), ms);
  });
  return Promise.race([promise, late]).finally(() => clearTimeout(timer));
}

// Poll a condition that has no event to wait for; resolves with its first truthy value.
export async function eventually(check, what = 'condition', ms = WAIT_MS) {
  const deadline = Date.now() + ms;
  let last;
  for (;;) {
    try {
      const value = await check();
      if (value) return value;
    } catch (error) {
      last = error;
    }
    if (Date.now() > deadline) throw new Error(`timed out waiting for ${what}`, { cause: last });
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

export class Daemon {
  // env: settings on top of the defaults below; null removes one.
  // prefix: what runs it, as `ip netns exec NAME`.
  constructor({ env = {}, args = [], dir, config, prefix = [] } = {}) {
    this.dir = dir ?? mkdtempSync(path.join(tmpdir(), 'livetimingd-'));
    this.ownsDir = dir === undefined;
    this.socket = path.join(this.dir, 'control.sock');
    this.args = args;
    this.prefix = prefix;
    this.config = config;
    this.env = {
      LIVETIMING_LISTEN: '127.0.0.1:0',
      LIVETIMING_SHARED_SECRET: secret,
      LIVETIMING_CONTROL_SOCKET: this.socket,
      LIVETIMING_STATE_DIR: path.join(this.dir, 'state'),
      LIVETIMING_LOG_DIR: path.join(this.dir, 'log'),
      LIVETIMING_ANALYSIS_DIR: path.join(this.dir, 'analysis'),
      LIVETIMING_RECORDINGS_DIR: path.join(this.dir, 'recordings'),
      LIVETIMING_RECORDINGS_TEMP_DIR: path.join(this.dir, 'recordings-temp'),
      LIVETIMING_PLUGIN_PATH: path.join(build, 'tests/plugins'),
      ...env,
    };
    this.log = '';
  }

  // Resolves when the daemon says that it listens; rejects when it ends before.
  async start() {
    const env = { PATH: process.env.PATH, HOME: this.dir, ASAN_OPTIONS: process.env.ASAN_OPTIONS ?? 'detect_leaks=1', LSAN_OPTIONS: `suppressions=${root}/tests/lsan.supp:print_suppressions=0` };
    for (const [name, value] of Object.entries(this.env)) if (value !== null) env[name] = value;
    const args = [...(this.config ? ['--config', this.config] : []), ...this.args];
    const [program, ...words] = [...this.prefix, path.join(build, 'livetimingd'), ...args];
    this.process = spawn(program, words, { cwd: this.dir, env });
    this.exited = new Promise((resolve) => {
      this.process.on('exit', (code, signal) => resolve({ code, signal }));
    });
    this.process.stdout.on('data', (chunk) => (this.log += chunk));
    this.process.stderr.on('data', (chunk) => (this.log += chunk));
    const count = this.env.LIVETIMING_LISTEN?.trim().split(/\s+/).length ?? 1;
    // looks no more at one that has ended
    const ready = eventually(() => this.process?.exitCode !== null || (this.log.match(/listening.*address=\S+/g)?.length ?? 0) >= count, 'the daemon to listen');
    const ended = this.exited.then(({ code, signal }) => {
      throw new Error(`livetimingd ended (${signal ?? code}) before it listened:\n${this.log}`);
    });
    await Promise.race([ready, ended]);
    ended.catch(() => {});
    // "listening address=127.0.0.1:40001"
    this.addresses = [...this.log.matchAll(/listening.*?address="?([^\s"]+)/g)].map((match) => match[1]);
    this.address = this.addresses.find((address) => !address.startsWith('unix:')) ?? this.addresses[0];
    this.port = Number(this.address?.split(':').pop());
    this.ws = `ws://${this.address}/ws`;
    this.http = `http://${this.address}`;
    return this;
  }

  async waitLog(pattern, what = String(pattern)) {
    return eventually(() => this.log.match(pattern), `${what} in the log:\n${this.log}`);
  }

  // Ask it to end and wait; asserts nothing. Returns { code, signal }.
  async stop(signal = 'SIGTERM') {
    if (!this.process) return undefined;
    this.process.kill(signal);
    const result = await withTimeout(this.exited, 'the daemon to end');
    this.process = undefined;
    return result;
  }

  // For `after` hooks: end it if it still runs, remove its files, and fail on sanitizer reports.
  async destroy() {
    if (this.process && this.process.exitCode === null) {
      this.process.kill('SIGTERM');
      await withTimeout(this.exited, 'the daemon to end').catch(() => this.process.kill('SIGKILL'));
    }
    if (this.ownsDir) rmSync(this.dir, { recursive: true, force: true });
    if (/ERROR: (Address|Leak)Sanitizer|runtime error:/.test(this.log)) throw new Error(this.log);
  }

  // Run livetimingctl (or one of its names) against this daemon.
  ctl(args, { name, env = {}, input } = {}) {
    return run(path.join(build, 'livetimingctl'), args, {
      argv0: name,
      env: { LIVETIMING_CONTROL_SOCKET: this.socket, ...env },
      cwd: this.dir,
      input,
    });
  }

  async ctlJson(args) {
    const result = await this.ctl(['-j', ...args]);
    if (result.code !== 0) throw new Error(`livetimingctl ${args.join(' ')}: ${result.stderr}\n${this.log}`);
    return JSON.parse(result.stdout);
  }

  writeFile(name, content) {
    const file = path.join(this.dir, name);
    writeFileSync(file, content);
    return file;
  }
}

export function run(file, args, { argv0, env = {}, cwd, input } = {}) {
  return new Promise((resolve, reject) => {
    const child = spawn(file, args, { argv0, cwd, env: { PATH: process.env.PATH, ...env } });
    let stdout = '';
    let stderr = '';
    child.stdout.on('data', (chunk) => (stdout += chunk));
    child.stderr.on('data', (chunk) => (stderr += chunk));
    child.on('error', reject);
    child.on('close', (code, signal) => resolve({ code, signal, stdout, stderr }));
    child.stdin.on('error', () => {});
    child.stdin.end(input);
  });
}

// A running daemon for one test: `const daemon = await startDaemon(t, {...})`.
export async function startDaemon(t, options) {
  const daemon = new Daemon(options);
  t.after(() => daemon.destroy());
  return daemon.start();
}

// The same with a file of settings, in daemon.config: to be written again for a reload.
export async function startConfigured(t, text, options) {
  const daemon = new Daemon(options);
  t.after(() => daemon.destroy());
  daemon.config = daemon.writeFile('livetimingd.conf', text);
  return daemon.start();
}
