// For the conformance suite: peers that speak raw WAMP in JSON to one daemon,
// and checks that are named after the section of the specification they are about.
import test, { before, after } from 'node:test';
import assert from 'node:assert/strict';
import WebSocket from 'ws';
import { Daemon, secret, withTimeout } from './daemon.mjs';

export const callee = {
  features: { progressive_call_results: true, call_canceling: true, registration_revocation: true },
};
const allRoles = { publisher: {}, subscriber: {}, caller: {}, callee };

export class Peer {
  static async open(t, daemon, { protocols = ['wamp.2.json'] } = {}) {
    const peer = new Peer();
    peer.inbox = [];
    peer.waiting = [];
    peer.request = 1000;
    peer.socket = new WebSocket(daemon.ws, protocols);
    peer.closed = new Promise((resolve) => peer.socket.on('close', (code) => {
      peer.isClosed = true;
      resolve(code);
      peer.waiting.splice(0).forEach((wake) => wake());
    }));
    peer.socket.on('message', (data) => {
      peer.inbox.push(String(data));
      peer.waiting.shift()?.();
    });
    t.after(() => peer.socket.terminate());
    await withTimeout(new Promise((resolve, reject) => peer.socket.on('open', resolve).on('error', reject)), 'the WebSocket to open');
    return peer;
  }

  send(...message) {
    this.socket.send(JSON.stringify(message));
    return this;
  }

  text(message) {
    this.socket.send(message);
    return this;
  }

  async nextText() {
    while (this.inbox.length === 0) {
      if (this.isClosed) throw new Error('closed instead of a message');
      await withTimeout(new Promise((resolve) => this.waiting.push(resolve)), 'a message');
    }
    return this.inbox.shift();
  }

  async next() {
    return JSON.parse(await this.nextText());
  }

  async expect(...message) {
    assert.deepEqual(await this.next(), message);
  }

  // ERROR for a request, whatever its sentence.
  async error(type, request, uri) {
    const message = await this.next();
    assert.deepEqual(message.slice(0, 5), [8, type, request, {}, uri]);
    return message;
  }

  async abort(uri = 'wamp.error.protocol_violation') {
    const message = await this.next();
    assert.equal(message[0], 3, JSON.stringify(message));
    assert.equal(message[2], uri);
    const code = await withTimeout(this.closed, 'the connection to close');
    assert.ok([1000, 1002, 1008].includes(code), `close code ${code}`);
    assert.equal(this.inbox.length, 0, 'nothing comes after ABORT');
  }

  // What was sent so far has been handled, and nothing but this answer has come: no waiting for time.
  async silence() {
    const request = ++this.request;
    this.send(34, request, 9007199254740992);
    await this.error(34, request, 'wamp.error.no_such_subscription');
  }

  async hello(details = {}) {
    this.send(1, 'timing', { roles: allRoles, ...details });
    return this.next();
  }

  async subscribe(topic, options = {}) {
    const request = ++this.request;
    this.send(32, request, options, topic);
    const [code, id, subscription] = await this.next();
    assert.deepEqual([code, id], [33, request]);
    return subscription;
  }

  async register(procedure, options = {}) {
    const request = ++this.request;
    this.send(64, request, options, procedure);
    const [code, id, registration] = await this.next();
    assert.deepEqual([code, id], [65, request]);
    return registration;
  }

  // Acknowledged; resolves with the publication id.
  async publish(topic, args = [], options = {}, kwargs) {
    const request = ++this.request;
    this.send(16, request, { acknowledge: true, ...options }, topic, args, ...(kwargs ? [kwargs] : []));
    const [code, id, publication] = await this.next();
    assert.deepEqual([code, id], [17, request]);
    return publication;
  }

  // A call that the router answers itself; resolves with its first result.
  async ask(procedure, args = [], kwargs = {}) {
    const request = ++this.request;
    this.send(48, request, {}, procedure, args, kwargs);
    const [code, id, , results] = await this.next();
    assert.deepEqual([code, id], [50, request]);
    return results?.[0];
  }
}

// One suite: a daemon of its own, and the functions that its checks use.
export function suite(topic, options) {
  const daemon = new Daemon(options);
  let checks = 0;
  let held = 0;
  before(() => daemon.start());
  after(async () => {
    console.log(`# conformance, ${topic}: ${held} of ${checks} checks hold`);
    await daemon.destroy();
  });
  const self = {
    daemon,
    check(section, requirement, fn) {
      checks += 1;
      test(`WAMP ${section}: ${requirement}`, async (t) => {
        await fn(t);
        held += 1;
      });
    },
    open: (t, more) => Peer.open(t, daemon, more),
    async anonymous(t, details) {
      const peer = await self.open(t);
      const welcome = await peer.hello(details);
      assert.equal(welcome[0], 2, JSON.stringify(welcome));
      peer.id = welcome[1];
      peer.welcome = welcome[2];
      return peer;
    },
    async services(t, details) {
      const peer = await self.open(t);
      assert.deepEqual(await peer.hello({ authmethods: ['ticket'], authid: 'services', ...details }), [4, 'ticket', {}]);
      peer.send(5, secret, {});
      const welcome = await peer.next();
      assert.equal(welcome[0], 2, JSON.stringify(welcome));
      peer.id = welcome[1];
      peer.welcome = welcome[2];
      return peer;
    },
  };
  return self;
}
