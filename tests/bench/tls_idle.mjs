// Memory of idle sessions over TLS: tls_idle.mjs PORT PID COUNT. Prints
// "joins_per_s=... bytes_per_session=...".
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';

const require = createRequire(new URL('../package.json', import.meta.url));
const WebSocket = require('ws');
const [port, pid, count] = process.argv.slice(2).map(Number);

const rss = () => Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))[1]) * 1024;

function join() {
  return new Promise((resolve, reject) => {
    const socket = new WebSocket(`wss://127.0.0.1:${port}/ws`, ['wamp.2.json'], { rejectUnauthorized: false });
    socket.on('error', reject);
    socket.on('open', () => socket.send('[1,"timing",{"roles":{"subscriber":{}}}]'));
    socket.on('message', () => resolve(socket));
  });
}

const before = rss();
const start = process.hrtime.bigint();
for (let done = 0; done < count; done += 50) await Promise.all(Array.from({ length: 50 }, join));
const seconds = Number(process.hrtime.bigint() - start) / 1e9;
console.log(`joins_per_s=${Math.round(count / seconds)} bytes_per_session=${Math.round((rss() - before) / count)}`);
process.exit(0);
