// Real nats-servers with JetStream, each in a folder of its own, one or a cluster.
import { spawn } from 'node:child_process';
import { mkdtempSync, writeFileSync, rmSync, existsSync } from 'node:fs';
import net from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { eventually, withTimeout } from './daemon.mjs';

const PATH = `${process.env.PATH}:/usr/sbin:/usr/bin`;

export async function freePort() {
  const server = net.createServer();
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address();
  await new Promise((resolve) => server.close(resolve));
  return port;
}

// Is there a server that greets, as it does when it takes clients?
function greets(host, port) {
  return new Promise((resolve) => {
    const socket = net.connect(port, host);
    socket.setTimeout(1000, () => socket.destroy());
    socket.once('data', (data) => { socket.destroy(); resolve(String(data).startsWith('INFO')); });
    socket.once('error', () => resolve(false));
    socket.once('close', () => resolve(false));
  });
}

export class NatsServer {
  // conf: further lines; prefix: what runs it (`ip netns exec NAME`).
  constructor({ conf = '', name = 'n1', host = '127.0.0.1', port, prefix = [] } = {}) {
    Object.assign(this, { conf, name, host, port, prefix, dir: mkdtempSync(path.join(tmpdir(), 'lt-nats-')), log: '' });
  }

  async start() {
    this.port ??= await freePort();
    this.url = `nats://${this.host}:${this.port}`;
    writeFileSync(path.join(this.dir, 'conf'),
      `listen: "${this.host}:${this.port}"\nserver_name: ${this.name}\nmax_payload: 8MB\njetstream { store_dir: "${this.dir}/js" }\n${this.conf}\n`);
    await this.again();
    return this;
  }

  async again() {
    const [program, ...args] = [...this.prefix, 'nats-server', '-c', path.join(this.dir, 'conf')];
    this.process = spawn(program, args, { env: { PATH } });
    this.process.stderr.on('data', (chunk) => (this.log += chunk));
    this.process.stdout.on('data', (chunk) => (this.log += chunk));
    this.exited = new Promise((resolve) => this.process.on('exit', resolve).on('error', resolve));
    const ready = this.prefix.length > 0
      ? () => /Server is ready/.test(this.log)
      : () => greets(this.host, this.port);
    await eventually(ready, `nats-server to take clients:\n${this.log}`);
  }

  signal(name) {
    this.process.kill(name);
  }

  async kill() {
    this.process.kill('SIGKILL');
    await withTimeout(this.exited, 'nats-server to die');
  }

  async destroy() {
    if (this.process && this.process.exitCode === null && this.process.signalCode === null) {
      this.process.kill('SIGCONT');
      await this.kill();
    }
    rmSync(this.dir, { recursive: true, force: true });
  }
}

export const hasNats = PATH.split(':').some((dir) => existsSync(path.join(dir, 'nats-server')));

export async function startNats(t, options) {
  const server = new NatsServer(options);
  t.after(() => server.destroy());
  return server.start();
}

// Three that are one cluster.
export async function startCluster(t, { conf = '' } = {}) {
  const routes = await Promise.all([freePort(), freePort(), freePort()]);
  const list = routes.map((port) => `"nats://127.0.0.1:${port}"`).join(', ');
  const servers = routes.map((port, i) => new NatsServer({
    name: `n${i + 1}`,
    conf: `cluster { name: test, listen: "127.0.0.1:${port}", routes: [ ${list} ] }\n${conf}`,
  }));
  for (const server of servers) t.after(() => server.destroy());
  await Promise.all(servers.map((server) => server.start()));
  return servers;
}
