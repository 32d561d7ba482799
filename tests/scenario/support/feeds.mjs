// A timing computer and a viewer for tests of whole services: the one plays
// lines over TCP, the other collects every state that is published.
import { once } from 'node:events';
import { createServer } from 'node:net';
import lzString from 'lz-string';
import { autobahnSession } from './clients.mjs';
import { eventually, withTimeout } from './daemon.mjs';

// A TCP server of which a test takes the connections one by one.
export class FeedServer {
  static async listen(t, port = 0) {
    const feed = new FeedServer();
    feed.sockets = [];
    feed.taken = 0;
    feed.server = createServer((socket) => {
      socket.on('error', () => {});
      socket.resume();
      feed.sockets.push(socket);
      feed.server.emit('arrived');
    });
    feed.server.listen(port, '127.0.0.1');
    await once(feed.server, 'listening');
    feed.port = feed.server.address().port;
    t.after(() => feed.close());
    return feed;
  }

  // The next connection; waits for it.
  async next() {
    while (this.sockets.length <= this.taken) {
      await withTimeout(once(this.server, 'arrived'), 'a connection to the feed');
    }
    return this.sockets[this.taken++];
  }

  async close() {
    for (const socket of this.sockets) socket.destroy();
    if (this.server.listening) await new Promise((resolve) => this.server.close(resolve));
  }
}

// A port on which nothing listens at the moment.
export async function freePort(t) {
  const feed = await FeedServer.listen(t);
  await feed.close();
  return feed.port;
}

// Send in pieces of these sizes, in turn, each a write of its own.
export async function sendInPieces(socket, bytes, sizes) {
  socket.setNoDelay(true);
  for (let at = 0, i = 0; at < bytes.length; i++) {
    const size = sizes[i % sizes.length];
    if (!socket.write(bytes.subarray(at, at + size))) await once(socket, 'drain');
    at += size;
    // Let it go out, so that the pieces do not become one segment.
    await new Promise((resolve) => setImmediate(resolve));
  }
}

// Start a service by livetimingctl; returns its UUID.
export async function startService(daemon, ...command) {
  return (await daemon.ctlJson(['service', 'start', ...command])).uuid;
}

// Every state of a service from now on, as a viewer gets it.
export class StateWatch {
  static async open(t, daemon, uuid) {
    const watch = new StateWatch();
    watch.states = [];
    watch.texts = [];
    watch.envelopes = [];
    watch.daemon = daemon;
    watch.session = await autobahnSession(t, daemon);
    await watch.session.subscribe(`livetiming.service.${uuid}`, ([envelope]) => {
      const text = lzString.decompressFromUTF16(envelope.payload);
      watch.envelopes.push(envelope);
      watch.texts.push(text);
      watch.states.push(JSON.parse(text));
    }, { get_retained: true });
    return watch;
  }

  get latest() {
    return this.states[this.states.length - 1];
  }

  // The first state, from number `from` on, for which `check` is true.
  async until(check, what, from = 0) {
    let seen = from;
    let found;
    await eventually(() => {
      while (!found && seen < this.states.length) {
        if (check(this.states[seen])) found = this.states[seen];
        seen++;
      }
      return found;
    }, what).catch((error) => {
      error.message += `; last state: ${JSON.stringify(this.latest)?.slice(0, 1500)}\n${this.daemon.log}`;
      throw error;
    });
    return found;
  }
}
