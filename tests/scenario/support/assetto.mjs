// An Assetto Corsa dedicated server for tests: the UDP plugin protocol, as far as
// the plugin uses it. Packets are built here and not by what reads them.
import dgram from 'node:dgram';
import { once } from 'node:events';
import { eventually } from './daemon.mjs';

const u8 = (...values) => Buffer.from(values);
function u16(value) {
  const bytes = Buffer.alloc(2);
  bytes.writeUInt16LE(value);
  return bytes;
}
function u32(value) {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(value >>> 0);
  return bytes;
}
function f32(value) {
  const bytes = Buffer.alloc(4);
  bytes.writeFloatLE(value);
  return bytes;
}
const str8 = (text) => Buffer.concat([u8(text.length), Buffer.from(text, 'latin1')]);
const str32 = (text) => Buffer.concat([u8([...text].length), ...[...text].map((c) => u32(c.codePointAt(0)))]);

export const PRACTICE = 1;
export const QUALIFYING = 2;
export const RACE = 3;

export const packets = {
  session: (type, { index = 0, current = index, kind = RACE, name = 'Race', minutes = 0, laps = 0, elapsed = 0, version = 4 } = {}) =>
    Buffer.concat([
      u8(type, version, index, current, 3), str32('Ligue \u{1F3C1}'), str8('spa'), str8('gp'), str8(name), u8(kind),
      u16(minutes), u16(laps), u16(60), u8(22, 28), str8('clear'), u32(elapsed),
    ]),
  connected: ({ car, driver, id = `id-${driver}`, model = 'gt3' }) => Buffer.concat([u8(51), str32(driver), str32(id), u8(car), str8(model), str8('blue')]),
  left: ({ car, driver, id = `id-${driver}`, model = 'gt3' }) => Buffer.concat([u8(52), str32(driver), str32(id), u8(car), str8(model), str8('blue')]),
  info: (car, entry) =>
    Buffer.concat([
      u8(54, car, entry ? 1 : 0), str32(entry?.model ?? 'gt3'), str32('blue'), str32(entry?.driver ?? ''), str32(entry?.team ?? ''),
      str32(entry ? entry.id ?? `id-${entry.driver}` : ''),
    ]),
  update: (car, fraction) => Buffer.concat([u8(53, car), ...Array.from({ length: 6 }, () => f32(1.5)), u8(3), u16(7000), f32(fraction)]),
  // table: [car, time, laps] or [car, time, laps, finished] for newer servers
  lap: (car, ms, cuts = 0, table = []) =>
    Buffer.concat([u8(73, car), u32(ms), u8(cuts, table.length), ...table.flatMap(([who, time, laps, ...end]) => [u8(who), u32(time), u16(laps), u8(...end)]), f32(0.98)]),
  chat: (car, text) => Buffer.concat([u8(57, car), str32(text)]),
  end: () => Buffer.concat([u8(55), str32('result.json')]),
};

// The server: answers questions about its session and its cars, and sends what a test wants.
export class GameServer {
  static async open(t, { session, cars = [] }) {
    const server = new GameServer();
    server.session = session;
    server.startedAt = Date.now() - (session.elapsed ?? 0);
    server.cars = new Map(cars.map((entry) => [entry.car, entry]));
    server.asked = [];
    server.answers = true;
    server.socket = dgram.createSocket('udp4');
    server.socket.on('message', (bytes, from) => server.onCommand(bytes, from.port));
    server.socket.bind(0, '127.0.0.1');
    await once(server.socket, 'listening');
    server.port = server.socket.address().port;
    t.after(() => new Promise((resolve) => server.socket.close(resolve)));
    return server;
  }

  onCommand(bytes, port) {
    this.plugin = port;
    this.asked.push([...bytes]);
    if (!this.answers) return;
    if (bytes[0] === 204) this.send(packets.session(59, { ...this.session, elapsed: Date.now() - this.startedAt }));
    if (bytes[0] === 201) this.send(packets.info(bytes[1], this.cars.get(bytes[1])));
  }

  // Another session begins.
  begin(session) {
    this.session = session;
    this.startedAt = Date.now() - (session.elapsed ?? 0);
    this.send(packets.session(50, session));
  }

  send(...datagrams) {
    for (const bytes of datagrams) this.socket.send(bytes, this.plugin, '127.0.0.1');
  }

  // The plugin has said hello, and asked about all cars.
  async greeted(cars) {
    await eventually(() => new Set(this.asked.filter(([type]) => type === 201).map(([, car]) => car)).size >= cars, 'questions about all cars');
  }
}

// A race of three laps for two, as a raw capture: plugins/assettocorsa/fixtures/short-race.raw.
export function raceCapture() {
  const laps = { 1: [31250, 30125, 30500], 2: [31000, 30750, 30625] };
  const events = [
    [0, packets.session(59, { index: 2, laps: 3, elapsed: -5000 })],
    [0, packets.info(1, { driver: 'Ada Ash', team: 'Team Ash', id: 'S1' })],
    [0, packets.info(2, { driver: 'J\u00fcrgen Beech', team: 'Team Beech', id: 'S2', model: 'gt4' })],
  ];
  const total = (car, n) => laps[car].slice(0, n).reduce((sum, ms) => sum + ms, 0);
  for (const car of [1, 2]) {
    for (let lap = 1; lap <= 3; lap++) {
      const end = total(car, lap);
      const others = [1, 2].map((who) => {
        const done = [1, 2, 3].filter((n) => total(who, n) <= end).length;
        return [who, done ? total(who, done) : 999999999, done, done === 3 ? 1 : 0];
      });
      events.push([5000 + end, packets.lap(car, laps[car][lap - 1], car === 2 && lap === 2 ? 1 : 0, others)]);
      for (let s = 1; s * 1000 < laps[car][lap - 1]; s++) {
        events.push([5000 + end - laps[car][lap - 1] + s * 1000, packets.update(car, (s * 1000) / laps[car][lap - 1])]);
      }
    }
  }
  events.push([99000, packets.end()]);
  events.sort((a, b) => a[0] - b[0]);
  const open = Buffer.from('{"type":"udp","to":"127.0.0.1"}');
  const record = (us, kind, bytes, attribute = '') =>
    Buffer.concat([Buffer.from(`+${us} 1 ${kind} ${bytes.length}${attribute && ` ${attribute}`}\n`), bytes, Buffer.from('\n')]);
  return Buffer.concat([
    Buffer.from('LTRAW 1 {"plugin":"assettocorsa","version":"1.0","uuid":"00000000000000000000000000000071","startedAt":1795600800000,"args":[]}\n'),
    record(0, 'open', open),
    ...events.map(([ms, bytes]) => record(1000 + ms * 1000, 'from', bytes, '127.0.0.1:11000')),
  ]);
}
