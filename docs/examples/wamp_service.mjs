// A whole timing service over WAMP, in JavaScript: node wamp_service.mjs URL
//
//   npm install autobahn lz-string
//   LIVETIMING_SHARED_SECRET=... node wamp_service.mjs ws://127.0.0.1:8080/ws
//
// What makes a service (docs/services.md):
//  1. join the realm "timing" with the secret, as role "services";
//  2. register livetiming.service.isAlive.UUID and livetiming.service.requestState.UUID;
//  3. say the manifest on livetiming.control (class 2), now and whenever a
//     directory asks (class 1);
//  4. publish every state on livetiming.service.UUID, retained, as class 8: the
//     JSON text, packed by LZString; at least once a minute, so that it counts as live.
import { randomUUID } from 'node:crypto';

import autobahn from 'autobahn';
import lzString from 'lz-string';

const [url = 'ws://127.0.0.1:8080/ws'] = process.argv.slice(2);
const secret = process.env.LIVETIMING_SHARED_SECRET;
const uuid = process.env.SERVICE_UUID ?? randomUUID().replaceAll('-', '');
const manifest = {
  uuid,
  name: 'JavaScript Cup',
  serviceClass: 'javascript_example',
  description: 'Heat 1',
  colSpec: [['Num', 'text', 'Car number'], ['State', 'text'], ['Driver', 'text'], ['Laps', 'numeric'], ['Gap', 'delta', 'Gap to leader'], ['Last', 'time', 'Last lap time']],
  trackDataSpec: [],
  pollInterval: 1,
  hasAnalysis: false,
  hidden: false,
};

let laps = 0;
function state() {
  return {
    cars: [
      ['7', 'RUN', 'Ada Ash', laps, '', [61.25, laps > 1 ? 'pb' : '']],
      ['12', 'RUN', 'Bea Beech', laps, 0.75, [61.5, '']],
    ],
    session: { flagState: 'green', timeElapsed: laps * 61.5, timeRemain: 0 },
    messages: [],
    highlight: [],
  };
}

const envelope = (msgClass, payload, retain = false) => [{ msgClass, date: Date.now(), payload, retain }];

const connection = new autobahn.Connection({
  url,
  realm: 'timing',
  authmethods: ['wampcra'],
  authid: 'services',
  onchallenge: (_session, _method, extra) => autobahn.auth_cra.sign(secret, extra.challenge),
});

connection.onopen = async (session) => {
  const announce = () => session.publish('livetiming.control', envelope(2, manifest));
  const publish = () => {
    laps += 1;
    const packed = lzString.compressToUTF16(JSON.stringify(state()));
    session.publish(`livetiming.service.${uuid}`, envelope(8, packed, true), {}, { retain: true });
  };

  await session.register(`livetiming.service.isAlive.${uuid}`, () => true, { force_reregister: true });
  await session.register(`livetiming.service.requestState.${uuid}`, () => state(), { force_reregister: true });
  await session.subscribe('livetiming.control', ([message]) => message?.msgClass === 1 && announce());
  announce();
  publish();
  const timer = setInterval(publish, 1000);
  connection.onclose = () => {
    clearInterval(timer);
    return false; // connect again
  };
  console.log(`serving ${uuid}`);
};
connection.onclose = (reason, details) => {
  console.error(`${reason}: ${details?.reason ?? ''} ${details?.message ?? ''}`);
  return false;
};
for (const signal of ['SIGINT', 'SIGTERM']) {
  process.on(signal, () => {
    if (connection.isOpen) connection.close();
    setTimeout(() => process.exit(0), 200);
  });
}
connection.open();
