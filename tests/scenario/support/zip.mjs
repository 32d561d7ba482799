// Zip archives byte by byte, so that tests can also write wrong ones: entries
// are stored, not packed; { name, content } or { name, hole: bytes } (zeros that
// take no room on the disk, with a wrong checksum), and crc or size to lie with.
// Offsets and sizes over 4 GiB are written as zip64.
import { closeSync, openSync, writeSync } from 'node:fs';
import { inflateRawSync } from 'node:zlib';

const MAX32 = 0xffffffff;

const crcTable = Array.from({ length: 256 }, (_, n) => {
  let value = n;
  for (let bit = 0; bit < 8; bit++) value = value & 1 ? 0xedb88320 ^ (value >>> 1) : value >>> 1;
  return value >>> 0;
});

export function crc32(bytes) {
  let crc = MAX32;
  for (const byte of bytes) crc = crcTable[(crc ^ byte) & 255] ^ (crc >>> 8);
  return (crc ^ MAX32) >>> 0;
}

function numbers(...pairs) {
  const parts = pairs.map(([value, bytes]) => {
    const part = Buffer.alloc(bytes);
    if (bytes === 8) part.writeBigUInt64LE(BigInt(value));
    else part.writeUIntLE(value, 0, bytes);
    return part;
  });
  return Buffer.concat(parts);
}

function describe(entry) {
  const content = entry.hole === undefined ? Buffer.from(entry.content) : null;
  const size = entry.size ?? entry.hole ?? content.length;
  const crc = entry.crc ?? (content ? crc32(content) : 0);
  return { name: Buffer.from(entry.name), content, size, stored: entry.hole ?? content.length, crc };
}

// Fields that local header and directory share, and the zip64 field for what is too large.
function common(entry, offset) {
  const large = [];
  const field = (value) => {
    if (value < MAX32) return [value, 4];
    large.push([value, 8]);
    return [MAX32, 4];
  };
  const sizes = [field(entry.size), field(entry.stored)];
  const at = offset === undefined ? [] : [field(offset)];
  const extra = large.length ? numbers([1, 2], [8 * large.length, 2], ...large) : Buffer.alloc(0);
  return { head: numbers([45, 2], [0x800, 2], [0, 2], [0, 2], [0x5721, 2], [entry.crc, 4], sizes[1], sizes[0], [entry.name.length, 2], [extra.length, 2]), at, extra };
}

export function writeZip(file, entries) {
  const fd = openSync(file, 'w');
  const directory = [];
  let offset = 0;
  const write = (bytes) => {
    writeSync(fd, bytes, 0, bytes.length, offset);
    offset += bytes.length;
  };
  for (const entry of entries.map(describe)) {
    const start = offset;
    const local = common(entry);
    write(Buffer.concat([Buffer.from('PK\x03\x04'), local.head, entry.name, local.extra]));
    if (entry.content) write(entry.content);
    else offset += entry.stored;
    const central = common(entry, start);
    directory.push(Buffer.concat([Buffer.from('PK\x01\x02'), numbers([45, 2]), central.head, numbers([0, 2], [0, 2], [0, 2], [0, 4], ...central.at), entry.name, central.extra]));
  }
  const start = offset;
  const bytes = Buffer.concat(directory);
  write(bytes);
  if (start >= MAX32) {
    const end = offset;
    write(Buffer.concat([Buffer.from('PK\x06\x06'), numbers([44, 8], [45, 2], [45, 2], [0, 4], [0, 4], [entries.length, 8], [entries.length, 8], [bytes.length, 8], [start, 8])]));
    write(Buffer.concat([Buffer.from('PK\x06\x07'), numbers([0, 4], [end, 8], [1, 4])]));
  }
  write(Buffer.concat([Buffer.from('PK\x05\x06'), numbers([0, 4], [entries.length, 2], [entries.length, 2], [bytes.length, 4], [Math.min(start, MAX32), 4], [0, 2])]));
  closeSync(fd);
}

// Entries of an ordinary archive, in the order of its directory: [{ name, content }].
export function readZip(bytes) {
  const end = bytes.lastIndexOf('PK\x05\x06');
  const entries = [];
  let at = bytes.readUInt32LE(end + 16);
  for (let n = bytes.readUInt16LE(end + 10); n > 0; n--) {
    const [method, packed] = [bytes.readUInt16LE(at + 10), bytes.readUInt32LE(at + 20)];
    const [nameBytes, extraBytes, commentBytes] = [28, 30, 32].map((where) => bytes.readUInt16LE(at + where));
    const local = bytes.readUInt32LE(at + 42);
    const start = local + 30 + bytes.readUInt16LE(local + 26) + bytes.readUInt16LE(local + 28);
    const content = bytes.subarray(start, start + packed);
    entries.push({
      name: bytes.toString('utf8', at + 46, at + 46 + nameBytes),
      content: method === 8 ? inflateRawSync(content) : content,
    });
    at += 46 + nameBytes + extraBytes + commentBytes;
  }
  return entries;
}
