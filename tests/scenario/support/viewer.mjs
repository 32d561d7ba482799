// What the tests of the page share: services of our own, so that every cell is
// known, and a proxy that can break and hold up connections.
import net from 'node:net';
import { once } from 'node:events';
import { autobahnSession } from './clients.mjs';

export const simulator = (options = '') => ({ env: { LIVETIMING_SERVICES: `simulator --seed 71 --cars 24 --speed 20 ${options}`.trim() } });
export const DESKTOP = { width: 1280, height: 800 };
export const PHONE = { width: 390, height: 844 };

export const colSpec = [
  ['Num', 'text', 'Car number'], ['State', 'text'], ['Class', 'class'], ['Driver', 'text'], ['Laps', 'numeric'], ['Gap', 'delta', 'Gap to leader'], ['Last', 'time', 'Last lap time'],
];
export const knownState = {
  cars: [
    ['7', 'RUN', 'GT3', 'Ana Lima', 12, '', [83.4, 'sb-new']],
    ['9', 'PIT', 'GT4', 'Ben Roth', 12, 4.25, [84.5, 'pb']],
    ['8', 'RUN', 'GT3', 'Cem Kara', 11, '1 lap', ['', '']],
    ['12', 'RET', 'GT4', 'Zoë Pérez', 3, '9 laps', [99.5, '']],
  ],
  session: { flagState: 'sc', timeElapsed: 3725, timeRemain: 60, trackData: ['21°C'] },
  messages: [
    [1700000002, 'GT4', '#9 (Ben Roth) has entered the pits', 'pit', '9'],
    [1700000001, 'Race Control', 'CAR 7 UNDER INVESTIGATION', 'raceControl', '7'],
    [1700000000, 'Track', 'Safety car deployed', 'yellow'],
  ],
  highlight: ['9'],
};

// { session, publish(state), announce(manifest) } of a service that lives as long as the test.
export async function publishService(t, daemon, uuid, { state = knownState, ...manifest } = {}) {
  const session = await autobahnSession(t, daemon, { auth: {} });
  const send = (topic, msgClass, value, options) =>
    session.publish(topic, [{ msgClass, date: Date.now(), payload: value, ...(options?.retain && { retain: true }) }], {}, { acknowledge: true, ...options });
  const announce = (changes = {}) => send('livetiming.control', 2, {
    uuid, name: 'Club Cup', serviceClass: 'test', description: 'Race 1', colSpec, trackDataSpec: ['Air'], pollInterval: 1, hasAnalysis: false, hidden: false, ...manifest, ...changes,
  });
  await session.register(`livetiming.service.isAlive.${uuid}`, () => true);
  await session.register(`livetiming.service.requestState.${uuid}`, () => current);
  let current = state;
  const publish = (next) => {
    current = next;
    return send(`livetiming.service.${uuid}`, 4, next, { retain: true });
  };
  await announce();
  await publish(state);
  return { session, publish, announce };
}

export async function rows(page) {
  return page.locator('table.timing tbody tr').evaluateAll((all) => all.map((row) => [...row.cells].slice(1).map((cell) => cell.textContent)));
}

export async function numbers(page) {
  return page.locator('table.timing tbody tr').evaluateAll((all) => all.map((row) => row.querySelector('.num').textContent));
}

// Frames of a WebSocket from the server, after its answer to the upgrade; everything else passes.
class Frames {
  constructor(keep) {
    this.keep = keep; // (text) => shall this frame pass
    this.rest = Buffer.alloc(0);
    this.isOpen = null; // not known yet
  }

  // What to hand on of the bytes that came.
  take(chunk) {
    this.rest = Buffer.concat([this.rest, chunk]);
    if (this.isOpen === null) {
      const end = this.rest.indexOf('\r\n\r\n');
      if (end < 0) return [];
      this.isOpen = this.rest.subarray(0, end).toString('latin1').startsWith('HTTP/1.1 101');
      if (this.isOpen) {
        const head = this.rest.subarray(0, end + 4);
        this.rest = this.rest.subarray(end + 4);
        return [head, ...this.frames()];
      }
    }
    if (this.isOpen) return this.frames();
    const all = this.rest;
    this.rest = Buffer.alloc(0);
    return [all];
  }

  frames() {
    const passed = [];
    while (this.rest.length >= 2) {
      const short = this.rest[1] & 127;
      const head = short === 126 ? 4 : short === 127 ? 10 : 2;
      if (this.rest.length < head) break;
      const length = short === 126 ? this.rest.readUInt16BE(2) : short === 127 ? Number(this.rest.readBigUInt64BE(2)) : short;
      if (this.rest.length < head + length) break;
      if (this.keep(this.rest.subarray(head, head + length).toString())) passed.push(this.rest.subarray(0, head + length));
      this.rest = this.rest.subarray(head + length);
    }
    return passed;
  }
}

// Between browser and daemon: cut() ends all connections, hold(ms) passes nothing
// for a while, lose(n) swallows the next n differences. Nothing is compressed on
// the way, so that frames can be told apart.
export async function startProxy(t, daemon) {
  const pairs = new Set();
  const proxy = { losing: 0, lost: 0 };
  const keep = (text) => {
    if (proxy.losing === 0 || !text.includes('"diff"')) return true;
    proxy.losing -= 1;
    proxy.lost += 1;
    return false;
  };
  const server = net.createServer((client) => {
    const upstream = net.connect(daemon.port, '127.0.0.1');
    const pair = { client, upstream };
    const frames = new Frames(keep);
    pairs.add(pair);
    const end = () => {
      pairs.delete(pair);
      client.destroy();
      upstream.destroy();
    };
    for (const socket of [client, upstream]) socket.on('error', end).on('close', end);
    client.on('data', (chunk) => upstream.write(chunk.toString('latin1').replace(/^Sec-WebSocket-Extensions:.*\r\n/im, ''), 'latin1'));
    upstream.on('data', (chunk) => {
      for (const part of frames.take(chunk)) client.write(part);
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  proxy.http = `http://127.0.0.1:${server.address().port}`;
  proxy.cut = () => {
    for (const { client, upstream } of pairs) {
      client.destroy();
      upstream.destroy();
    }
  };
  proxy.hold = (ms) => {
    const held = [...pairs];
    for (const { upstream } of held) upstream.pause();
    setTimeout(() => held.forEach(({ upstream }) => upstream.resume()), ms);
  };
  proxy.lose = (n) => (proxy.losing = n);
  t.after(() => {
    proxy.cut();
    server.close();
  });
  return proxy;
}
