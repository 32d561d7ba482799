// Daemons whose recordings are in a bucket (s3.mjs), and what is in it.
import assert from 'node:assert/strict';
import { mkdirSync, renameSync } from 'node:fs';
import path from 'node:path';
import { Daemon, eventually } from './daemon.mjs';
import { writeRace } from './race.mjs';

const quick = { LIVETIMING_S3_REFRESH_S: '1' };

// files: recordings, as of put(); texts: further files, by name.
export async function startWith(t, store, { env = {}, files = [], texts = {}, dir } = {}) {
  const daemon = new Daemon({ env: { ...store.env, ...quick, ...env }, dir });
  t.after(() => daemon.destroy());
  const folder = path.join(daemon.dir, 'recordings');
  mkdirSync(folder, { recursive: true });
  for (const [name, content] of Object.entries(texts)) daemon.writeFile(name, content);
  for (const [name, manifest, further] of files) put(daemon, name, manifest, further);
  return daemon.start();
}

export const local = (daemon, name) => path.join(daemon.dir, 'recordings', name);

// As a recording comes to be there: complete at once.
export function put(daemon, name, manifest, further) {
  const uuid = name.replace(/(_\d+)?\.zip$/, '');
  writeRace(local(daemon, `.${name}`), { uuid, ...manifest }, further);
  renameSync(local(daemon, `.${name}`), local(daemon, name));
}

export const stored = (store, key) => eventually(() => store.objects.get(key)?.body, `${key} in the bucket, which has ${[...store.objects.keys()]}`);
export const entryOf = async (store, name) => JSON.parse(await stored(store, `catalogue/${name}.json`));
export const listed = async (session) => (await session.call('livetiming.recordings.page')).recordings.map((entry) => entry.filename);
export const noneRefused = (store) => assert.deepEqual(store.refused, []);
