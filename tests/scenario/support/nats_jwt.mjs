// A nats-server that knows its users by JWTs, as nsc makes them: keys, claims and the
// credentials file of one user. (NATS documentation: JWT, nkeys.)
import { createPublicKey, generateKeyPairSync, sign } from 'node:crypto';

const DIGITS = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567';
const KINDS = { operator: 14 << 3, account: 0, user: 20 << 3 };

function base32(bytes) {
  let [text, value, bits] = ['', 0, 0];
  for (const byte of bytes) {
    value = (value << 8) | byte;
    for (bits += 8; bits >= 5; bits -= 5) text += DIGITS[(value >> (bits - 5)) & 31];
    value &= (1 << bits) - 1;
  }
  return bits > 0 ? text + DIGITS[(value << (5 - bits)) & 31] : text;
}

function checksum(bytes) {
  let crc = 0;
  for (const byte of bytes) {
    crc ^= byte << 8;
    for (let i = 0; i < 8; i++) crc = crc & 0x8000 ? ((crc << 1) ^ 0x1021) & 0xffff : (crc << 1) & 0xffff;
  }
  return crc;
}

function encode(head, key) {
  const raw = Buffer.concat([Buffer.from(head), key]);
  const crc = checksum(raw);
  return base32(Buffer.concat([raw, Buffer.from([crc & 255, crc >> 8])]));
}

function makeKey(kind) {
  const { privateKey } = generateKeyPairSync('ed25519');
  const secret = privateKey.export({ format: 'der', type: 'pkcs8' }).subarray(-32);
  const open = createPublicKey(privateKey).export({ format: 'der', type: 'spki' }).subarray(-32);
  return { privateKey, name: encode([KINDS[kind]], open), seed: encode([(18 << 3) | (KINDS[kind] >> 5), (KINDS[kind] & 31) << 3], secret) };
}

function claims(issuer, subject, nats) {
  const part = (value) => Buffer.from(JSON.stringify(value)).toString('base64url');
  const body = `${part({ typ: 'JWT', alg: 'ed25519-nkey' })}.${part({ jti: subject.name, iat: 1700000000, iss: issuer.name, sub: subject.name, name: nats.type, nats: { version: 2, ...nats } })}`;
  return `${body}.${sign(null, Buffer.from(body), issuer.privateKey).toString('base64url')}`;
}

// { conf: of the server, creds: of a user of it, stranger: of a user of nobody }
export function withCredentials() {
  const [operator, system, account, other, user, stranger] = ['operator', 'account', 'account', 'account', 'user', 'user'].map(makeKey);
  const limits = { subs: -1, data: -1, payload: -1, imports: -1, exports: -1, wildcards: true, conn: -1, leaf: -1 };
  const jetStream = { mem_storage: -1, disk_storage: -1, streams: -1, consumer: -1 };
  const ofUser = (issuer, key) => `-----BEGIN NATS USER JWT-----\n${claims(issuer, key, { type: 'user', subs: -1, data: -1, payload: -1, pub: {}, sub: {} })}\n------END NATS USER JWT------\n\n-----BEGIN USER NKEY SEED-----\n${key.seed}\n------END USER NKEY SEED------\n`;
  return {
    conf: `operator: ${claims(operator, operator, { type: 'operator', system_account: system.name })}
system_account: ${system.name}
resolver: MEMORY
resolver_preload: {
  ${system.name}: ${claims(operator, system, { type: 'account', limits })}
  ${account.name}: ${claims(operator, account, { type: 'account', limits: { ...limits, ...jetStream } })}
}`,
    creds: ofUser(account, user),
    stranger: ofUser(other, stranger),
  };
}
