// The examples of docs/examples against the real daemon, as a reader would run them.
import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import path from 'node:path';
import test from 'node:test';

import { eventually, root, run, secret, startDaemon } from './support/daemon.mjs';
import { StateWatch, startService } from './support/feeds.mjs';

const TOKEN = 'token-of-the-examples-0123456789';
const example = (name) => path.join(root, 'docs/examples', name);

async function startPush(t) {
  const daemon = await startDaemon(t);
  const token = daemon.writeFile('token', `${TOKEN}\n`);
  const uuid = await startService(daemon, 'push', '--token-file', token);
  return { daemon, token, uuid, watch: await StateWatch.open(t, daemon, uuid) };
}

// A program that runs until the test ends.
function startProgram(t, command, args, env) {
  const program = { output: '' };
  const child = spawn(command, args, { env: { PATH: process.env.PATH, ...env } });
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => (program.output += chunk));
  child.on('error', (error) => (program.output += error));
  const ended = new Promise((resolve) => child.on('close', resolve));
  t.after(async () => {
    child.kill('SIGKILL');
    await ended;
  });
  return program;
}

// In the directory, with its cars.
async function expectService(daemon, uuid, name, program) {
  const listed = await eventually(async () => (await (await fetch(`${daemon.http}/directory.json`)).json()).find((manifest) => manifest.uuid === uuid), `${name} in the directory: ${program.output}`);
  const state = await eventually(async () => {
    const answer = await fetch(`${daemon.http}/state/${uuid}.json`);
    const found = answer.ok && (await answer.json());
    return found?.cars?.length === 2 && found;
  }, `the cars of ${name}: ${program.output}`);
  assert.equal(listed.name, name);
  assert.deepEqual(state.cars.map(([num, , driver]) => [num, driver]), [['7', 'Ada Ash'], ['12', 'Bea Beech']]);
}

test('push.sh makes a table by curl', async (t) => {
  const { daemon, token, uuid, watch } = await startPush(t);
  if (spawnSync('curl', ['--version']).error) {
    t.skip('curl is not installed');
    return;
  }
  const { code, stdout, stderr } = await run(example('push.sh'), [`${daemon.http}/push/${uuid}`, token]);
  assert.equal(code, 0, stderr);
  assert.equal(stdout, '{"ok":true,"cars":2}\n'.repeat(3));
  const state = await watch.until((found) => found.cars.length === 2 && found.cars.every((row) => row[3] === 1), 'both laps');
  assert.deepEqual(state.cars.map((row) => [row[0], row[2], row[4]]), [['12', 'Bea Beech', ''], ['7', 'Ada Ash', 0.75]]);
});

test('push_race.py runs its race to the chequered flag', async (t) => {
  const { daemon, token, uuid, watch } = await startPush(t);
  if (spawnSync('python3', ['--version']).error) {
    t.skip('python3 is not installed');
    return;
  }
  const { code, stdout, stderr } = await run('python3', [example('push_race.py'), `${daemon.http}/push/${uuid}`, token, '--laps', '3', '--pace', '0.1']);
  assert.equal(code, 0, stderr);
  assert.equal(stdout, 'lap 1: 3 cars\nlap 2: 3 cars\nlap 3: 3 cars\n');
  const state = await watch.until((found) => found.session.flagState === 'chequered' && found.cars.length === 3, 'the end');
  assert.equal((await daemon.ctlJson(['service', 'show', uuid])).name, 'Python Cup');
  assert.ok(state.cars.every((row) => row.includes(3)));

  // a wrong token ends it with what the daemon says
  const refused = await run('python3', [example('push_race.py'), `${daemon.http}/push/${uuid}`, daemon.writeFile('other', 'another-token-0123456789\n'), '--pace', '0.1']);
  assert.equal(refused.code, 1);
  assert.match(refused.stderr, /refused \(401\): .*token/);
});

test('wamp_service.mjs is a service like any other', async (t) => {
  const daemon = await startDaemon(t);
  const uuid = 'javascript-example-1';
  const loader = path.join(root, 'tests/scenario/support/examples_loader.mjs');
  const program = startProgram(t, process.execPath, [loader, example('wamp_service.mjs'), daemon.ws], { LIVETIMING_SHARED_SECRET: secret, SERVICE_UUID: uuid });
  await expectService(daemon, uuid, 'JavaScript Cup', program);
});

test('wamp_service.py is a service like any other', async (t) => {
  // Debian's package is for Debian's own interpreter
  const python = ['python3', '/usr/bin/python3'].find((name) => spawnSync(name, ['-c', 'import autobahn.asyncio.wamp']).status === 0);
  if (!python) {
    t.skip('python3-autobahn is not installed: the Python example was not run');
    return;
  }
  const daemon = await startDaemon(t);
  const uuid = 'python-example-1';
  const program = startProgram(t, python, [example('wamp_service.py'), daemon.ws], { LIVETIMING_SHARED_SECRET: secret, SERVICE_UUID: uuid });
  await expectService(daemon, uuid, 'Python Cup', program);
});
