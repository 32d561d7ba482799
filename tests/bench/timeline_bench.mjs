// What the timeline of a long recording costs: time, bytes, memory and how late the loop gets.
//
//   node tests/bench/timeline_bench.mjs ARCHIVE.zip      LT_BUILD as in the tests
//
// Each document is asked for first after a start of the daemon with an empty cache and the file not in
// memory, again at once, and again after a restart, when the cache on disk is there. 202 is asked again
// after the time that the page waits. The index and chunks are asked for once more while all the others
// are being made. Prints Markdown.
import { execFileSync } from 'node:child_process';
import { copyFileSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import http from 'node:http';
import path from 'node:path';

import { Daemon } from '../scenario/support/daemon.mjs';

const [archive] = process.argv.slice(2);
if (!archive) {
  console.error('usage: timeline_bench.mjs ARCHIVE.zip');
  process.exit(1);
}
const id = 'bench';
const base = `/timeline/recordings/${id}/`;
let daemon = new Daemon({ env: { LIVETIMING_SERVICES: '', LIVETIMING_METRICS: 'all' } });
process.once('exit', () => {
  daemon.process?.kill('SIGKILL');
  rmSync(daemon.dir, { recursive: true, force: true });
});
const folder = daemon.env.LIVETIMING_RECORDINGS_DIR;
mkdirSync(folder, { recursive: true });
copyFileSync(archive, path.join(folder, `${id}.zip`));

const get = (address) =>
  new Promise((resolve, reject) => {
    http.get(`${daemon.http}${address}`, { headers: { 'accept-encoding': 'gzip' } }, (answer) => {
      const parts = [];
      answer.on('data', (part) => parts.push(part)).on('end', () => resolve({ status: answer.statusCode, body: Buffer.concat(parts) }));
    }).on('error', reject);
  });

// As the page does it (js/timeline.js).
async function whole(address) {
  const began = performance.now();
  let first = null;
  for (let wait = 250, told = 0; ; wait = Math.min(1500, wait * 1.5)) {
    const { status, body } = await get(address);
    first ??= performance.now() - began;
    if (status === 200) return { ms: performance.now() - began, first, told, bytes: body.length };
    if (status !== 202) throw new Error(`${address}: ${status} ${body}`);
    told += 1;
    await new Promise((resolve) => setTimeout(resolve, wait));
  }
}

const memory = (name) => Number(readFileSync(`/proc/${daemon.process.pid}/status`, 'utf8').match(new RegExp(`${name}:\\s+(\\d+)`))[1]) / 1024;

async function lag() {
  const text = String((await fetch(`${daemon.http}/metrics`).then((answer) => answer.text())));
  const buckets = [...text.matchAll(/^livetiming_loop_lag_seconds_bucket\{le="([^"]+)"\} (\d+)$/gm)].map(([, le, count]) => [le, Number(count)]);
  const { 1: max } = text.match(/^livetiming_loop_lag_max_seconds (\S+)$/m);
  const total = buckets.at(-1)[1];
  return { max: Number(max) * 1000, late: total - (buckets.findLast(([le]) => Number(le) <= 0.005)?.[1] ?? 0) };
}

// The archive is not in memory afterwards.
function forget() {
  execFileSync('dd', [`if=${path.join(folder, `${id}.zip`)}`, 'iflag=nocache', 'count=0', 'status=none']);
}

async function measure(title, address) {
  const before = await lag();
  try {
    writeFileSync(`/proc/${daemon.process.pid}/clear_refs`, '5'); // the peak starts anew
  } catch {
    // then it is that since the start
  }
  const { ms, first, told, bytes } = await whole(address);
  const after = await lag();
  console.log(`| ${title} | ${first.toFixed(0)} | ${ms.toFixed(0)} | ${told} | ${(bytes / 1000).toFixed(1)} | ${memory('VmHWM').toFixed(0)} | ${memory('VmRSS').toFixed(0)} | ${after.late - before.late} |`);
}

console.log('| document | first answer ms | whole ms | 202s | kB (gzip) | peak MB | then MB | turns later than 5 ms |\n| --- | --- | --- | --- | --- | --- | --- | --- |');
await daemon.start();
forget();
await measure('index.json, cold', `${base}index.json`);
const index = await (await fetch(`${daemon.http}${base}index.json`)).json();
const { length } = index.chunks.starts;
const chunk = (i) => `${index.chunks.url}${index.start + index.chunks.starts[i]}.json`;
const at = (share) => Math.floor((index.start + (index.end - index.start) * share) / 10) * 10;
await measure('index.json, again', `${base}index.json`);
await measure('first chunk', chunk(0));
await measure('first chunk, again', chunk(0));
await measure('a chunk in the middle', chunk(Math.floor(length / 2)));
await measure('moments.json, cold', `${base}moments.json`);
await measure('moments.json, again', `${base}moments.json`);
await measure('messages.json, behind moments', `${base}messages.json`);
await measure('analysis.json, half way', `${base}analysis.json?at=${at(0.5)}`);
await measure('analysis.json, 10 s later', `${base}analysis.json?at=${at(0.5) + 10}`);
await measure('analysis.json, the end', `${base}analysis.json?at=${index.end + 10}`);
await measure('analysis.json, the end, again', `${base}analysis.json?at=${index.end + 10}`);
await measure('analysis.json, a quarter, behind the end', `${base}analysis.json?at=${at(0.25)}`);
const { max } = await lag();
await daemon.stop();

daemon = new Daemon({ dir: daemon.dir, env: daemon.env });
await daemon.start();
forget();
for (const name of ['moments', 'messages']) await measure(`${name}.json, after a restart`, `${base}${name}.json`);
await measure('analysis.json, the end, after a restart', `${base}analysis.json?at=${index.end + 10}`);
await daemon.stop();

// the page beside all that
execFileSync('rm', ['-rf', path.join(daemon.dir, 'state', 'timeline')]);
daemon = new Daemon({ dir: daemon.dir, env: daemon.env });
await daemon.start();
forget();
const others = Promise.all(['moments.json', 'messages.json', `analysis.json?at=${at(0.9)}`].map((name) => whole(`${base}${name}`)));
await measure('index.json while all else is made', `${base}index.json`);
for (let i = 0; i < 3; i++) await measure(`chunk ${i + 1} while all else is made`, chunk(Math.floor((i * length) / 3)));
await others;
const { max: busy } = await lag();
console.log(`\n${index.frames} frames, ${length} chunks; longest turn of the loop ${Math.max(max, busy).toFixed(1)} ms`);
await daemon.stop();
