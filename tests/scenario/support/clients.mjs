// Real WAMP clients, each behind promises.
import autobahn from 'autobahn';
import WebSocket from 'ws';
import { Wampy } from 'wampy';
import { secret, withTimeout } from './daemon.mjs';

// autobahn-js, joined; anonymous, or by WAMP-CRA when `auth` is given.
export async function autobahnSession(t, daemon, { auth, realm = 'timing', url, serializers } = {}) {
  const connection = new autobahn.Connection({
    url: url ?? daemon.ws,
    realm,
    max_retries: 0,
    ...(serializers && { transports: [{ type: 'websocket', url: url ?? daemon.ws, serializers }] }),
    ...(auth && {
      authmethods: ['wampcra', 'anonymous'],
      authid: auth.authid ?? 'services',
      onchallenge: (_session, method, extra) => {
        let key = auth.secret ?? secret;
        if (extra.salt) key = autobahn.auth_cra.derive_key(key, extra.salt, extra.iterations, extra.keylen);
        return autobahn.auth_cra.sign(key, extra.challenge);
      },
    }),
  });
  t.after(() => connection.isOpen && connection.close());
  const opened = new Promise((resolve, reject) => {
    connection.onopen = resolve;
    connection.onclose = (reason, details) => {
      reject(new Error(`${reason}: ${details?.reason} ${details?.message ?? ''}`));
      return true;
    };
  });
  connection.open();
  return withTimeout(opened, 'autobahn to join');
}

// wampy, joined.
export async function wampySession(t, daemon, { auth, realm = 'timing', ...options } = {}) {
  const client = new Wampy(daemon.ws, {
    realm,
    ws: WebSocket,
    autoReconnect: false,
    ...(auth && {
      authid: auth.authid ?? 'services',
      authmethods: ['wampcra'],
      onChallenge: async (_method, extra) => autobahn.auth_cra.sign(auth.secret ?? secret, extra.challenge),
    }),
    ...options,
  });
  t.after(() => client.disconnect().catch(() => {}));
  await withTimeout(client.connect(), 'wampy to join');
  return client;
}

// Raw WAMP over a WebSocket: for everything a well-behaved library cannot say.
export class RawClient {
  static async open(t, daemon, { protocols = ['wamp.2.json'], path = '/ws' } = {}) {
    const client = new RawClient();
    client.socket = new WebSocket(`ws://${daemon.address}${path}`, protocols);
    client.inbox = [];
    client.waiting = [];
    client.closed = new Promise((resolve) => client.socket.on('close', (code, reason) => resolve({ code, reason: String(reason) })));
    client.socket.on('message', (data) => {
      client.inbox.push(JSON.parse(String(data)));
      client.waiting.shift()?.();
    });
    const opened = new Promise((resolve, reject) => {
      client.socket.on('open', resolve);
      client.socket.on('error', reject);
    });
    t.after(() => client.socket.terminate());
    await withTimeout(opened, 'the WebSocket to open');
    return client;
  }

  send(message) {
    this.socket.send(typeof message === 'string' || Buffer.isBuffer(message) ? message : JSON.stringify(message));
  }

  // The next message from the router, in order.
  async next() {
    const gone = this.closed.then(({ code, reason }) => {
      if (this.inbox.length === 0) throw new Error(`closed (${code} ${reason}) instead of a message`);
    });
    while (this.inbox.length === 0) {
      await withTimeout(Promise.race([new Promise((resolve) => this.waiting.push(resolve)), gone]), 'a message');
    }
    return this.inbox.shift();
  }

  async hello(realm = 'timing', details = { roles: { subscriber: {}, publisher: {}, caller: {}, callee: {} } }) {
    this.send([1, realm, details]);
    return this.next();
  }

  // Join by WAMP-CRA as services.
  async join({ authid = 'services', key = secret, roles } = {}) {
    this.send([1, 'timing', { roles: roles ?? { subscriber: {}, publisher: {}, caller: {}, callee: {} }, authmethods: ['wampcra'], authid }]);
    const [type, method, extra] = await this.next();
    if (type !== 4) throw new Error(`expected CHALLENGE, got ${type} ${JSON.stringify(method)}`);
    this.send([5, autobahn.auth_cra.sign(key, extra.challenge), {}]);
    return this.next();
  }
}
