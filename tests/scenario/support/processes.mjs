// A service in a process of its own, as `livetimingctl service run` starts it.
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';

import { build, eventually, withTimeout } from './daemon.mjs';

export class ServiceProcess {
  // args: CLASS and options; env: settings; name: livetiming-service, or livetimingctl without one.
  constructor({ args, env = {}, name, dir, program = path.join(build, 'livetimingctl') }) {
    this.dir = dir ?? mkdtempSync(path.join(tmpdir(), 'lt-service-'));
    this.ownsDir = dir === undefined;
    this.out = '';
    this.err = '';
    const command = name ? args : ['service', 'run', ...args];
    this.process = spawn(program, command, {
      argv0: name ?? 'livetimingctl',
      cwd: this.dir,
      env: { PATH: process.env.PATH, HOME: this.dir, LIVETIMING_PLUGIN_PATH: path.join(build, 'tests/plugins'), ASAN_OPTIONS: process.env.ASAN_OPTIONS ?? 'detect_leaks=1', ...env },
    });
    this.process.stdout.on('data', (chunk) => (this.out += chunk));
    this.process.stderr.on('data', (chunk) => (this.err += chunk));
    this.exited = new Promise((resolve) => this.process.on('close', (code, signal) => resolve({ code, signal })));
  }

  get said() {
    return this.out + this.err;
  }

  async waitFor(pattern, ms = 60000) {
    const gone = this.exited.then(() => undefined);
    let over = false;
    gone.then(() => (over = true));
    return eventually(() => {
      const match = this.said.match(pattern);
      if (!match && over) throw new Error(`it ended:\n${this.said}`);
      return match;
    }, `${pattern} from a service:\n${this.said}`, ms);
  }

  async end(signal = 'SIGTERM') {
    this.process.kill(signal);
    return withTimeout(this.exited, `a service to end:\n${this.said}`, 60000);
  }

  async destroy() {
    if (this.process.exitCode === null && this.process.signalCode === null) {
      this.process.kill('SIGKILL');
      await this.exited;
    }
    if (this.ownsDir) rmSync(this.dir, { recursive: true, force: true });
    if (/ERROR: (Address|Leak)Sanitizer|runtime error:/.test(this.said)) throw new Error(this.said);
  }
}

export function startServiceProcess(t, options) {
  const service = new ServiceProcess(options);
  t.after(() => service.destroy());
  return service;
}
