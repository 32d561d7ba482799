// Every way in beside plain WebSocket: TLS, unix sockets, RawSocket, compressed
// frames, calls over HTTP; and a certificate that changes while sessions stay.
import { test } from 'node:test';
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { copyFileSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import http from 'node:http';
import net from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import tls from 'node:tls';
import autobahn from 'autobahn';
import WebSocket from 'ws';
import { startDaemon, withTimeout } from './support/daemon.mjs';
import { autobahnSession } from './support/clients.mjs';

process.env.NODE_TLS_REJECT_UNAUTHORIZED = '0'; // the certificates below are self-signed

function makeCertificate(dir, name) {
  const [cert, key] = [path.join(dir, `${name}.pem`), path.join(dir, `${name}.key`)];
  execFileSync(
    'openssl',
    ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '2', '-subj', `/CN=${name}`, '-keyout', key, '-out', cert],
    { stdio: 'pipe' },
  );
  return { cert, key };
}

function temporary(t) {
  const dir = mkdtempSync(path.join(tmpdir(), 'lt-b03-'));
  t.after(() => rmSync(dir, { recursive: true, force: true }));
  return dir;
}

async function startWithTls(t) {
  const dir = temporary(t);
  const files = makeCertificate(dir, 'first.example');
  const daemon = await startDaemon(t, {
    env: {
      LIVETIMING_LISTEN: '127.0.0.1:0 127.0.0.1:0,tls',
      LIVETIMING_TLS_CERT: files.cert,
      LIVETIMING_TLS_KEY: files.key,
    },
  });
  const address = daemon.addresses.find((each) => each.endsWith(',tls')).replace(',tls', '');
  return { dir, files, daemon, address, port: Number(address.split(':').pop()) };
}

function shownName(port) {
  return new Promise((resolve, reject) => {
    const socket = tls.connect({ host: '127.0.0.1', port, ALPNProtocols: ['h2', 'http/1.1'] }, () => {
      const result = { name: socket.getPeerCertificate().subject.CN, alpn: socket.alpnProtocol, version: socket.getProtocol() };
      socket.destroy();
      resolve(result);
    });
    socket.on('error', reject);
  });
}

// A callee with the secret on the plain listener: the procedure that the tests call.
async function offerAdd(t, daemon) {
  const services = await autobahnSession(t, daemon, { auth: {} });
  await services.register('test.add', ([a, b]) => a + b);
  await services.register('test.fail', () => {
    throw new autobahn.Error('test.error', ['told so'], { why: 1 });
  });
  return services;
}

test('autobahn joins over TLS, calls and gets events that come from a plain session', async (t) => {
  const { daemon, address } = await startWithTls(t);
  const services = await offerAdd(t, daemon);
  const session = await autobahnSession(t, daemon, { url: `wss://${address}/ws` });
  const event = new Promise((resolve) => session.subscribe('test.topic', (args) => resolve(args)).then(() => services.publish('test.topic', ['x'.repeat(100000)])));

  assert.equal(await withTimeout(session.call('test.add', [2, 3]), 'the result'), 5);
  assert.equal((await withTimeout(event, 'the event'))[0].length, 100000);
  const response = await fetch(`https://${address}/health`);
  assert.equal(response.status, 200);
});

test('the certificate is read again on SIGHUP while sessions stay; a bad one is told and not used', async (t) => {
  const { dir, files, daemon, address, port } = await startWithTls(t);
  await offerAdd(t, daemon);
  const session = await autobahnSession(t, daemon, { url: `wss://${address}/ws` });
  const first = await shownName(port);
  assert.equal(first.name, 'first.example');
  assert.equal(first.alpn, 'http/1.1');

  const second = makeCertificate(dir, 'second.example');
  copyFileSync(second.cert, files.cert);
  copyFileSync(second.key, files.key);
  daemon.process.kill('SIGHUP');
  await daemon.waitLog(/certificate read again/);
  assert.equal((await shownName(port)).name, 'second.example');

  writeFileSync(files.cert, 'nothing like a certificate');
  daemon.process.kill('SIGHUP');
  await daemon.waitLog(/settings not applied.*LIVETIMING_TLS_CERT.*first\.example\.pem/);
  assert.equal((await shownName(port)).name, 'second.example');
  assert.equal(await withTimeout(session.call('test.add', [1, 1]), 'the result'), 2);
});

test('TLS 1.1 is refused', async (t) => {
  const { port } = await startWithTls(t);

  await assert.rejects(
    new Promise((resolve, reject) => {
      const socket = tls.connect({ host: '127.0.0.1', port, minVersion: 'TLSv1', maxVersion: 'TLSv1.1', ciphers: 'DEFAULT@SECLEVEL=0' }, resolve);
      socket.on('error', reject);
    }),
  );
});

test('a daemon whose certificate cannot be used does not start and says why', async (t) => {
  const dir = temporary(t);
  const { key } = makeCertificate(dir, 'first.example');

  await assert.rejects(
    startDaemon(t, { env: { LIVETIMING_LISTEN: '127.0.0.1:0,tls', LIVETIMING_TLS_CERT: path.join(dir, 'absent.pem'), LIVETIMING_TLS_KEY: key } }),
    /absent\.pem/,
  );
});

test('WebSocket is spoken on a unix socket, and HTTP', async (t) => {
  const dir = temporary(t);
  const file = path.join(dir, 'ws.sock');
  const daemon = await startDaemon(t, { env: { LIVETIMING_LISTEN: `127.0.0.1:0 unix:${file}` } });
  await offerAdd(t, daemon);

  const socket = new WebSocket(`ws+unix://${file}:/ws`, ['wamp.2.json']);
  t.after(() => socket.terminate());
  const welcome = new Promise((resolve, reject) => {
    socket.on('message', (data) => resolve(JSON.parse(data)));
    socket.on('error', reject);
  });
  socket.on('open', () => socket.send(JSON.stringify([1, 'timing', { roles: { caller: {} } }])));
  assert.equal((await withTimeout(welcome, 'WELCOME'))[0], 2);
  const status = await new Promise((resolve, reject) => {
    http.get({ socketPath: file, path: '/healthz' }, (response) => resolve(response.statusCode)).on('error', reject);
  });
  assert.equal(status, 200);
});

// A small RawSocket peer with JSON.
class RawSocketPeer {
  constructor(socket) {
    this.socket = socket;
    this.bytes = Buffer.alloc(0);
    this.waiting = [];
    socket.on('data', (chunk) => {
      this.bytes = Buffer.concat([this.bytes, chunk]);
      this.serve();
    });
  }

  static async open(t, where, hello = [0x7f, 0xf1, 0, 0]) {
    const socket = net.connect(where);
    t.after(() => socket.destroy());
    const peer = new RawSocketPeer(socket);
    socket.write(Buffer.from(hello));
    peer.answer = await peer.read(4);
    return peer;
  }

  read(n) {
    const wanted = new Promise((resolve) => this.waiting.push({ n, resolve }));
    this.serve();
    return withTimeout(wanted, `${n} bytes`);
  }

  serve() {
    while (this.waiting.length && this.bytes.length >= this.waiting[0].n) {
      const { n, resolve } = this.waiting.shift();
      resolve(this.bytes.subarray(0, n));
      this.bytes = this.bytes.subarray(n);
    }
  }

  send(message, type = 0) {
    const body = Buffer.from(typeof message === 'string' ? message : JSON.stringify(message));
    const head = Buffer.alloc(4);
    head.writeUInt32BE(body.length);
    head[0] = type;
    this.socket.write(Buffer.concat([head, body]));
  }

  async next() {
    const head = await this.read(4);
    const body = await this.read(head.readUIntBE(1, 3));
    return { type: head[0], body: String(body) };
  }
}

test('a RawSocket peer joins, calls, subscribes and is pinged, on TCP and on a unix socket', async (t) => {
  const file = path.join(temporary(t), 'raw.sock');
  const daemon = await startDaemon(t, { env: { LIVETIMING_LISTEN: `127.0.0.1:0 rs:127.0.0.1:0 rs:unix:${file}` } });
  const services = await offerAdd(t, daemon);
  const port = Number(daemon.addresses.find((each) => each.startsWith('rs:127')).split(':').pop());

  for (const where of [{ port, host: '127.0.0.1' }, { path: file }]) {
    const peer = await RawSocketPeer.open(t, where);
    assert.deepEqual([...peer.answer], [0x7f, 0xd1, 0, 0]); // 4 MiB is 2^(9+13)
    peer.send([1, 'timing', { roles: { caller: {}, subscriber: {} } }]);
    assert.equal(JSON.parse((await peer.next()).body)[0], 2);
    peer.send([48, 1, {}, 'test.add', [20, 22]]);
    assert.deepEqual(JSON.parse((await peer.next()).body), [50, 1, {}, [42]]);
    peer.send('are you there', 1);
    assert.deepEqual(await peer.next(), { type: 2, body: 'are you there' });
    peer.send([32, 2, {}, 'test.topic']);
    assert.equal(JSON.parse((await peer.next()).body)[0], 33);
    services.publish('test.topic', ['y'.repeat(70000)]);
    const event = JSON.parse((await peer.next()).body);
    assert.equal(event[0], 36);
    assert.equal(event[4][0].length, 70000);
    peer.send([6, {}, 'wamp.close.normal']);
    assert.equal(JSON.parse((await peer.next()).body)[0], 6);
    await withTimeout(new Promise((resolve) => peer.socket.on('end', resolve)), 'the end');
  }
});

test('RawSocket octets on the WebSocket port disturb nobody', async (t) => {
  const daemon = await startDaemon(t);
  const [host, port] = daemon.address.split(':');
  const socket = net.connect(Number(port), host);
  const closed = new Promise((resolve) => socket.on('close', resolve));

  socket.on('error', () => {});
  socket.resume();
  socket.end(Buffer.from([0x7f, 0xf1, 0, 0]));
  await withTimeout(closed, 'the end');

  assert.equal((await fetch(`${daemon.http}/healthz`)).status, 200);
});

test('a client that offers permessage-deflate gets large events compressed and others plain, all exact', async (t) => {
  const daemon = await startDaemon(t);
  const services = await offerAdd(t, daemon);
  const socket = new WebSocket(daemon.ws, ['wamp.2.json'], { perMessageDeflate: { threshold: 0 } });
  t.after(() => socket.terminate());
  const inbox = [];
  socket.on('message', (data) => inbox.push(JSON.parse(data)));
  await withTimeout(new Promise((resolve) => socket.on('open', resolve)), 'the handshake');
  const until = (check) =>
    withTimeout(
      new Promise((resolve) => {
        const look = () => inbox.find(check) && resolve(inbox.find(check));
        socket.on('message', look);
        look();
      }),
      'a message',
    );
  assert.match(socket.extensions, /permessage-deflate/);
  socket.send(JSON.stringify([1, 'timing', { roles: { subscriber: {} } }]));
  await until((m) => m[0] === 2);
  socket.send(JSON.stringify([32, 1, {}, 'test.topic']));
  await until((m) => m[0] === 33);
  const state = { cars: Array.from({ length: 60 }, (_, i) => [`${i}`, 'RUN', 'GT3', 'A driver', 101.25 + i]) };
  const before = socket._socket.bytesRead;
  services.publish('test.topic', [state]);
  const event = await until((m) => m[0] === 36);

  assert.deepEqual(event[4][0], state);
  assert.ok(socket._socket.bytesRead - before < JSON.stringify(state).length / 2);
});

async function post(daemon, body, headers = { 'content-type': 'application/json' }) {
  return fetch(`${daemon.http}/call`, { method: 'POST', headers, body: typeof body === 'string' ? body : JSON.stringify(body) });
}

test('POST /call makes a call as anonymous and answers results and errors', async (t) => {
  const daemon = await startDaemon(t);
  await offerAdd(t, daemon);

  const result = await post(daemon, { procedure: 'test.add', args: [2, 3] });
  assert.equal(result.status, 200);
  assert.equal(result.headers.get('access-control-allow-origin'), '*');
  assert.deepEqual(await result.json(), { args: [5], kwargs: {} });
  assert.deepEqual(await (await post(daemon, { procedure: 'test.fail' })).json(), { error: 'test.error', args: ['told so'], kwargs: { why: 1 } });
  assert.equal((await (await post(daemon, { procedure: 'test.none' })).json()).error, 'wamp.error.no_such_procedure');
  assert.equal((await post(daemon, 'no json')).status, 400);
  assert.equal((await post(daemon, { procedure: 'test.add' }, { 'content-type': 'text/plain' })).status, 400);
  // who goes on sending after the refusal may see the connection end before the answer
  const tooLarge = await post(daemon, 'x'.repeat(1024 * 1024 + 1)).then((response) => response.status, () => 413);
  assert.equal(tooLarge, 413);
  assert.equal((await fetch(`${daemon.http}/call`)).status, 405);
  const services = await (await post(daemon, { procedure: 'livetiming.directory.listServices' })).json();
  assert.ok(Array.isArray(services.args));
});

test('POST /call can be switched off', async (t) => {
  const daemon = await startDaemon(t, { env: { LIVETIMING_HTTP_CALL: 'no' } });

  assert.equal((await post(daemon, { procedure: 'test.add' })).status, 404);
});
