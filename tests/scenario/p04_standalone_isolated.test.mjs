// A service on its own, with viewers of its own; and services as children of
// the daemon, which die without taking anybody with them.
import assert from 'node:assert/strict';
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { once } from 'node:events';
import path from 'node:path';
import test from 'node:test';

import lzString from 'lz-string';
import WebSocket from 'ws';

import { Daemon, eventually, startDaemon } from './support/daemon.mjs';
import { autobahnSession } from './support/clients.mjs';
import { StateWatch, freePort } from './support/feeds.mjs';
import { startServiceProcess } from './support/processes.mjs';

const WAIT = 60000;
const soon = (check, what) => eventually(check, what, WAIT);

// --- standalone ---

// A plain WebSocket that collects [topic, envelope].
async function viewer(t, port, host = '127.0.0.1') {
  const socket = new WebSocket(`ws://${host}:${port}/`);
  const seen = [];
  socket.on('message', (data, isBinary) => seen.push({ isBinary, message: JSON.parse(String(data)) }));
  t.after(() => socket.terminate());
  await once(socket, 'open');
  return { socket, seen, of: (topic) => seen.filter(({ message }) => message[0] === topic).map(({ message }) => message[1]) };
}

const LINE = /Standalone server for uuid:(\S+) listening on port:(\d+)/;

test('without a router a service is its own server: manifest, state and all analysis to every client', async (t) => {
  const service = startServiceProcess(t, { name: 'livetiming-service', args: ['simulator', '--cars', '4', '--seed', '9'] });
  const [, uuid, port] = await service.waitFor(LINE);
  const first = await viewer(t, port);
  const topic = `livetiming.service.${uuid}`;
  await soon(() => first.of(topic).length > 1, 'states');
  assert.ok(first.seen.every(({ isBinary, message }) => !isBinary && message.length === 2 && typeof message[0] === 'string'));
  const [manifest] = await soon(() => first.of('livetiming.control').length > 0 && first.of('livetiming.control'), 'the manifest');
  assert.equal(manifest.msgClass, 2);
  assert.equal(manifest.payload.uuid, uuid);
  const [state] = first.of(topic);
  assert.equal(state.msgClass, 8);
  assert.equal(state.retain, true);
  assert.equal(JSON.parse(lzString.decompressFromUTF16(state.payload)).cars.length, 4);
  const keys = ['static', 'driver', 'messages', 'session', 'lap', 'stint', 'car_messages'];
  for (const key of keys) await soon(() => first.of(`livetiming.analysis/${uuid}/${key}`).length > 0, `analysis ${key}`);
  assert.equal(first.of(`livetiming.analysis/${uuid}/session`)[0].date, true);
  assert.equal(typeof first.of(`livetiming.analysis/${uuid}/lap`)[0].date, 'number');

  // Another client comes: all is said again, to all.
  const before = first.of('livetiming.control').length;
  const second = await viewer(t, port);
  await soon(() => second.of('livetiming.control').length > 0 && second.of(topic).length > 0, 'the second viewer to be greeted');
  await soon(() => first.of('livetiming.control').length > before, 'the first viewer to hear it, too');
  second.socket.send('["what", {"clients": "say"}]');
  first.socket.terminate();
  const count = second.of(topic).length;
  await soon(() => second.of(topic).length > count, 'states to go on');
  assert.equal((await fetch(`http://127.0.0.1:${port}/`)).status, 426);
  assert.equal((await service.end('SIGINT')).code, 0);
  assert.ok(existsSync(path.join(service.dir, `${uuid}.log`)));
});

test('--standalone wins over LIVETIMING_ROUTER, takes its port, and says when it is taken', async (t) => {
  const port = String(await freePort(t));
  const env = { LIVETIMING_ROUTER: 'ws://127.0.0.1:1/ws', LIVETIMING_STANDALONE_PORT: port };
  const service = startServiceProcess(t, { args: ['simulator', '--standalone', '--uuid', 'abc42'], env });
  const [, uuid, said] = await service.waitFor(LINE);
  assert.equal(uuid, 'abc42');
  assert.equal(said, port);
  const other = startServiceProcess(t, { args: ['simulator', '--standalone'], env });
  assert.equal((await other.exited).code, 1);
  assert.match(other.err, /LIVETIMING_STANDALONE_PORT: port \d+: Address already in use/i);
  assert.equal((await service.end()).code, 0);
});

// A router of a house, as far as forwarding ports goes: description and SOAP over real HTTP. It is
// named by its URL: a question to the network would reach the real one, and open a port there.
async function fakeGateway(t, { refuses = false } = {}) {
  const calls = [];
  const wan = 'urn:schemas-upnp-org:service:WANIPConnection:1';
  const device = (type, inner) => `<device><deviceType>urn:schemas-upnp-org:device:${type}:1</deviceType>${inner}</device>`;
  const service = (type, id) => `<serviceList><service><serviceType>${type}</serviceType><serviceId>urn:upnp-org:serviceId:${id}</serviceId><controlURL>/ctl/${id}</controlURL><eventSubURL>/evt/${id}</eventSubURL><SCPDURL>/${id}.xml</SCPDURL></service></serviceList>`;
  const description = `<?xml version="1.0"?><root xmlns="urn:schemas-upnp-org:device-1-0"><specVersion><major>1</major><minor>0</minor></specVersion>${
    device('InternetGatewayDevice', `<deviceList>${device('WANDevice', `${service('urn:schemas-upnp-org:service:WANCommonInterfaceConfig:1', 'WANCommonIFC1')}<deviceList>${device('WANConnectionDevice', service(wan, 'WANIPConn1'))}</deviceList>`)}</deviceList>`)}</root>`;
  const server = createServer((request, response) => {
    if (request.method === 'GET') {
      response.writeHead(200, { 'content-type': 'text/xml' }).end(description);
      return;
    }
    let body = '';
    request.on('data', (chunk) => (body += chunk));
    request.on('end', () => {
      const action = request.headers.soapaction.replace(/"/g, '').split('#')[1];
      const value = (name) => body.match(new RegExp(`<${name}>([^<]*)<`))?.[1];
      calls.push({ action, port: value('NewExternalPort'), client: value('NewInternalClient'), lease: value('NewLeaseDuration') });
      const answer = { GetStatusInfo: '<NewConnectionStatus>Connected</NewConnectionStatus><NewLastConnectionError>ERROR_NONE</NewLastConnectionError><NewUptime>1</NewUptime>', GetExternalIPAddress: '<NewExternalIPAddress>198.51.100.7</NewExternalIPAddress>' }[action] ?? '';
      const refused = refuses && action === 'AddPortMapping';
      const content = refused
        ? '<s:Fault><faultcode>s:Client</faultcode><faultstring>UPnPError</faultstring><detail><UPnPError xmlns="urn:schemas-upnp-org:control-1-0"><errorCode>718</errorCode><errorDescription>ConflictInMappingEntry</errorDescription></UPnPError></detail></s:Fault>'
        : `<u:${action}Response xmlns:u="${wan}">${answer}</u:${action}Response>`;
      response.writeHead(refused ? 500 : 200, { 'content-type': 'text/xml' });
      response.end(`<?xml version="1.0"?><s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/"><s:Body>${content}</s:Body></s:Envelope>`);
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => {
    server.closeAllConnections?.();
    server.close();
  });
  return { url: `http://127.0.0.1:${server.address().port}/igd.xml`, calls };
}

test('--upnp forwards the port at the router of the house, and takes it back at the end', async (t) => {
  const gateway = await fakeGateway(t);
  const service = startServiceProcess(t, { args: ['simulator', '--standalone', '--upnp', '-v'], env: { LIVETIMING_USE_UPNP: gateway.url } });
  const [, , port] = await service.waitFor(LINE);
  await service.waitFor(/port forwarded.*outside=198\.51\.100\.7/);
  const added = gateway.calls.find(({ action }) => action === 'AddPortMapping');
  assert.deepEqual(added, { action: 'AddPortMapping', port, client: '127.0.0.1', lease: '3600' });
  assert.equal((await service.end()).code, 0);
  assert.equal(gateway.calls.find(({ action }) => action === 'DeletePortMapping')?.port, port);
});

test('a router of the house that refuses, or is not there, is told and stops nothing', async (t) => {
  const gateway = await fakeGateway(t, { refuses: true });
  const gone = `http://127.0.0.1:${await freePort(t)}/igd.xml`;
  for (const [url, why] of [[gateway.url, /port not forwarded.*error 718/], [gone, /port not forwarded.*no device that forwards ports was found/]]) {
    const service = startServiceProcess(t, { args: ['simulator', '--standalone', '-v'], env: { LIVETIMING_USE_UPNP: url } });
    const [, uuid, port] = await service.waitFor(LINE);
    await service.waitFor(why);
    const { of } = await viewer(t, port);
    await soon(() => of(`livetiming.service.${uuid}`).length > 0, 'a state');
    assert.equal((await service.end()).code, 0);
  }
});

// --- isolated ---

const show = (daemon, uuid) => daemon.ctlJson(['service', 'show', uuid]);
const running = (daemon, uuid) => soon(async () => {
  const service = await show(daemon, uuid);
  return service.status === 'running' && service.pid && service.updates > 0 && service;
}, 'the isolated service to run');
const alive = (pid) => {
  try {
    process.kill(pid, 0);
    return !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'));
  } catch {
    return false;
  }
};

test('an isolated service is listed, shown, restarted and stopped like the others', async (t) => {
  const daemon = await startDaemon(t);
  const { uuid } = await daemon.ctlJson(['service', 'start', 'simulator', '--isolated', '--cars', '5', '-d', 'Aside']);
  const service = await running(daemon, uuid);
  assert.equal(service.isolated, true);
  assert.equal(service.deaths, 0);
  assert.equal(service.description, 'Aside');
  assert.equal(service.cars, 5);
  assert.equal(service.manifest.uuid, uuid);
  assert.equal(service.options.cars, 5);
  assert.notEqual(service.pid, daemon.process.pid);
  const command = readFileSync(`/proc/${service.pid}/cmdline`, 'utf8');
  assert.ok(!command.includes('test-secret'));
  assert.ok(!readFileSync(`/proc/${service.pid}/environ`, 'utf8').includes('test-secret'));
  assert.match((await daemon.ctl(['service', 'list'])).stdout, /simulator +running +5/);
  await soon(async () => (await fetch(`${daemon.http}/state/${uuid}.json`)).ok, 'its state');
  await daemon.waitLog(new RegExp(`Session ready for service ${uuid}`));

  assert.equal((await daemon.ctl(['service', 'restart', uuid])).code, 0);
  const again = await running(daemon, uuid);
  assert.notEqual(again.pid, service.pid);
  assert.ok(!alive(service.pid));
  assert.equal((await daemon.ctl(['service', 'stop', uuid])).code, 0);
  await soon(() => !alive(again.pid), 'the process to end');
  await soon(async () => (await (await fetch(`${daemon.http}/directory.json`)).json()).length === 0, 'the directory to forget it');
  assert.deepEqual(await daemon.ctlJson(['service', 'list']), []);

  const wrong = await daemon.ctl(['service', 'start', 'simulator', '--isolated', '--wings', '4']);
  assert.equal(wrong.code, 1);
  assert.match(wrong.stderr, /simulator has no option --wings/);
  const manager = await daemon.ctl(['start', 'simulator', '--isolated'], { name: 'livetiming-service-manager' });
  assert.equal(manager.code, 0);
  assert.equal((await daemon.ctlJson(['service', 'list']))[0].isolated, true);
});

test('the control desk reaches an isolated service', async (t) => {
  const daemon = await startDaemon(t);
  const { uuid } = await daemon.ctlJson(['service', 'start', 'simulator', '--isolated', '--cars', '3']);
  await running(daemon, uuid);
  const renamed = await soon(async () => {
    const result = await daemon.ctl(['desk', 'rename', uuid, 'Another Name']);
    return result.code === 0 && result;
  }, 'the order to be taken');
  assert.equal(renamed.stderr, '');
  await soon(async () => (await (await fetch(`${daemon.http}/directory.json`)).json())[0]?.name === 'Another Name', 'the new name');
  await soon(async () => (await show(daemon, uuid)).name === 'Another Name', 'the new name in the list');
  const anybody = await autobahnSession(t, daemon);
  assert.equal(await anybody.call(`livetiming.service.desk.${uuid}`, ['rename']).catch((error) => error.error), 'wamp.error.not_authorized');
});

test('one that dies comes back with its UUID and state; nobody else notices', async (t) => {
  const daemon = await startDaemon(t);
  const neighbour = (await daemon.ctlJson(['service', 'start', 'simulator', '--cars', '3'])).uuid;
  const viewerSession = await autobahnSession(t, daemon);
  const watch = await StateWatch.open(t, daemon, neighbour);
  const { uuid } = await daemon.ctlJson(['service', 'start', 'simulator', '--isolated', '--seed', '4', '--cars', '3']);
  const first = await running(daemon, uuid);
  process.kill(first.pid, 'SIGKILL');
  await daemon.waitLog(/process of a service died, started again.*signal 9/);
  const second = await soon(async () => {
    const service = await running(daemon, uuid);
    return service.pid !== first.pid && service;
  }, 'it to come back');
  assert.equal(second.deaths, 1);
  assert.equal(second.uuid, uuid);
  assert.equal(await viewerSession.call('livetiming.directory.listServices').then((list) => list.length > 0), true);
  const seen = watch.states.length;
  await soon(() => watch.states.length > seen, 'the neighbour to go on');
  assert.equal(await soon(() => viewerSession.call(`livetiming.service.isAlive.${uuid}`).catch(() => false), 'it to be alive'), true);
});

test('a crash loop is given up, with its reason; a restart by hand tries again', async (t) => {
  const daemon = await startDaemon(t, { env: { LIVETIMING_CRASH_LIMIT: '2' } });
  const file = daemon.writeFile('die', '');
  const { uuid } = await daemon.ctlJson(['service', 'start', 'crash', '--isolated', '--die-at-start', file, '--print']);
  const failed = await soon(async () => {
    const service = await show(daemon, uuid);
    return service.status === 'failed' && service;
  }, 'it to be given up');
  assert.match(failed.reason, /crash loop: died 2 times in 600 s, at last of status 77/);
  assert.match(daemon.log, /error .*service failed, not started again/);
  assert.match(daemon.log, /printed by the process of a service.*text="printed by a plugin"/);
  assert.ok(!daemon.log.includes('\x1b'));
  rmSync(file);
  assert.equal((await daemon.ctl(['service', 'restart', uuid])).code, 0);
  await running(daemon, uuid);
});

test('one whose plugin gives up, or hangs, is not mistaken for a crash, and can be stopped', async (t) => {
  const daemon = await startDaemon(t);
  const { uuid } = await daemon.ctlJson(['service', 'start', 'probe', '--isolated', '--fail-after', '2']);
  const failed = await soon(async () => {
    const service = await show(daemon, uuid);
    return service.status === 'failed' && service;
  }, 'the plugin to give up');
  assert.match(failed.reason, /the feed ended/);
  const file = path.join(daemon.dir, 'hang');
  const hanging = await daemon.ctlJson(['service', 'start', 'crash', '--isolated', '--hang', file]);
  const { pid } = await running(daemon, hanging.uuid);
  writeFileSync(file, '');
  assert.equal((await daemon.ctl(['service', 'stop', hanging.uuid])).code, 0);
  await soon(() => !alive(pid), 'a hanging process to be killed');
});

test('one that hangs is ended and comes back', async (t) => {
  const daemon = await startDaemon(t, { env: { LIVETIMING_HANG_S: '8' } });
  const file = path.join(daemon.dir, 'hang');
  const { uuid } = await daemon.ctlJson(['service', 'start', 'crash', '--isolated', '--hang', file]);
  const { pid } = await running(daemon, uuid);
  writeFileSync(file, '');
  await soon(() => daemon.log.includes(`process of a service hangs, ended uuid=${uuid} pid=${pid}`), 'it to be found');
  rmSync(file);
  await soon(async () => {
    const service = await show(daemon, uuid);
    return service.status === 'running' && service.pid !== pid && service.deaths >= 1;
  }, 'it to be back');
  assert.match(daemon.log, /process of a service died, started again.*how="silent for 8 s, hung"/);
});

test('when the daemon is killed its children end, and there is one instance after it is back', async (t) => {
  const daemon = new Daemon();
  t.after(() => daemon.destroy());
  await daemon.start();
  const recording = path.join(daemon.dir, 'own.zip');
  const { uuid } = await daemon.ctlJson(['service', 'start', 'simulator', '--isolated', '--cars', '3', '-r', recording]);
  const first = await running(daemon, uuid);
  await daemon.stop('SIGKILL');
  await soon(() => !alive(first.pid), 'the child to end with its daemon');
  const next = new Daemon({ dir: daemon.dir });
  t.after(() => next.destroy());
  await next.start();
  const second = await running(next, uuid);
  assert.equal((await next.ctlJson(['service', 'list'])).length, 1);
  const listed = await soon(async () => {
    const list = await (await fetch(`${next.http}/directory.json`)).json();
    return list.length > 0 && list;
  }, 'the directory');
  assert.deepEqual(listed.map((manifest) => manifest.uuid), [uuid]);
  assert.equal((await next.stop()).code, 0);
  await soon(() => !alive(second.pid), 'the child to end in order');
  assert.ok(existsSync(path.join(daemon.dir, 'own.journal')), 'its recording goes on next time');
  assert.ok(!existsSync(recording));
});
