// What a viewer of a simulated race costs on the wire, by the full topic and by differences.
//
//   node tests/bench/delta_bench.mjs [SECONDS [CARS]]      default 300 60; LT_BUILD as in the tests
//
// Four viewers on real sockets: each topic with and without permessage-deflate. Bytes are those
// that their TCP sockets read after the first event, and are scaled to an hour. Prints Markdown.
import { createRequire } from 'node:module';
import path from 'node:path';

import { build, Daemon, eventually } from '../scenario/support/daemon.mjs';

const require = createRequire(new URL('../package.json', import.meta.url));
const lzString = require('lz-string');
const WebSocket = require('ws');

const seconds = Number(process.argv[2] ?? 300);
const cars = Number(process.argv[3] ?? 60);
const daemon = new Daemon({ env: { LIVETIMING_PLUGIN_PATH: path.join(build, 'plugins'), LIVETIMING_SERVICES: `simulator --seed 71 --cars ${cars}` } });
await daemon.start();
const [service] = await eventually(async () => {
  const list = await (await fetch(`${daemon.http}/directory.json`)).json();
  return list.length > 0 && list;
});

class Viewer {
  constructor(topic, deflate) {
    Object.assign(this, { topic, deflate, events: 0, texts: [] });
    this.socket = new WebSocket(daemon.ws, ['wamp.2.json'], { perMessageDeflate: deflate });
    this.socket.on('open', () => this.socket.send(JSON.stringify([1, 'timing', { roles: { subscriber: {} } }])));
    this.socket.on('message', (data) => this.message(JSON.parse(String(data))));
  }

  message([type, , , , args]) {
    if (type === 2) this.socket.send(JSON.stringify([32, 1, { get_retained: true }, `${this.topic}${service.uuid}`]));
    if (type !== 36) return;
    if (this.events++ === 0) this.start = this.socket._socket.bytesRead;
    else this.texts.push(JSON.stringify(args[0]));
  }

  get bytes() {
    return this.socket._socket.bytesRead - this.start;
  }
}

const viewers = ['livetiming.service.', 'livetiming.delta.'].flatMap((topic) => [new Viewer(topic, false), new Viewer(topic, true)]);
await eventually(() => viewers.every(({ events }) => events > 0), 'events');
await new Promise((resolve) => setTimeout(resolve, seconds * 1000));

console.log(`${cars} cars, ${seconds} s at one state a second\n`);
console.log('| topic | permessage-deflate | events | bytes an event | MB an hour |\n| --- | --- | --- | --- | --- |');
for (const { topic, deflate, events, bytes } of viewers) {
  const each = bytes / (events - 1);
  console.log(`| ${topic}UUID | ${deflate ? 'yes' : 'no'} | ${events - 1} | ${Math.round(each)} | ${((each * 3600) / 1e6).toFixed(2)} |`);
}
const { texts } = viewers[2];
const plain = texts.reduce((sum, text) => sum + Buffer.byteLength(text), 0);
const began = process.cpuUsage().user;
const packed = texts.reduce((sum, text) => sum + Buffer.byteLength(lzString.compressToUTF16(text)), 0);
const spent = (process.cpuUsage().user - began) / 1000 / texts.length;
console.log(`\nA difference: ${Math.round(plain / texts.length)} bytes plain, ${Math.round(packed / texts.length)} by LZString (${spent.toFixed(2)} ms each in JavaScript).`);
for (const { socket } of viewers) socket.terminate();
await daemon.stop();
await daemon.destroy();
