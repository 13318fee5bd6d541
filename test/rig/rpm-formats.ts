/** Packages of rpm 3 and rpm 6, which the installed rpmbuild does not make: those it makes, laid out as rpm's format_v3 and format_v6 say. */
import { createHash } from 'node:crypto';

/** One entry of a header. */
export interface RigEntry {
  readonly tag: number;
  readonly type: number;
  readonly count: number;
  readonly data: Buffer;
}

export interface RigHead {
  readonly signature: readonly RigEntry[];
  readonly header: readonly RigEntry[];
  readonly payload: Buffer;
}

const LEAD = 96;
const ALIGNMENT: Readonly<Record<number, number>> = { 3: 2, 4: 4, 5: 8 };
const WIDTH: Readonly<Record<number, number>> = { 1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 7: 1 };

export const text = (tag: number, value: string): RigEntry => ({ tag, type: 6, count: 1, data: Buffer.from(`${value}\0`) });
export const texts = (tag: number, values: readonly string[]): RigEntry => ({ tag, type: 8, count: values.length, data: Buffer.from(values.map((value) => `${value}\0`).join('')) });
export const binary = (tag: number, data: Buffer): RigEntry => ({ tag, type: 7, count: data.length, data });
export function int32(tag: number, value: number): RigEntry {
  const data = Buffer.alloc(4);
  data.writeUInt32BE(value);
  return { tag, type: 4, count: 1, data };
}

/** Takes a package apart. */
export function openRpm(bytes: Buffer): RigHead {
  const signature = readEntries(bytes.subarray(LEAD));
  const main = Math.ceil((LEAD + signature.length) / 8) * 8;
  const header = readEntries(bytes.subarray(main));
  return { signature: signature.entries, header: header.entries, payload: bytes.subarray(main + header.length) };
}

/** As rpm 6 makes them. `change` may spoil either header before digests are made of what is signed. */
export function asFormat6(bytes: Buffer, change: (head: RigHead) => RigHead = (head) => head): Buffer {
  const { header, payload } = openRpm(bytes);
  // PAYLOADSHA256ALGO is no more; sizes are those of the long tags.
  const kept = header.filter(({ tag }) => tag !== 5093 && tag !== 1009 && tag !== 1046);
  const size = Buffer.alloc(8);
  size.writeBigUInt64BE(BigInt(payload.length));
  const added = [{ tag: 5009, type: 5, count: 1, data: longOf(header.find(({ tag }) => tag === 1009)) }, { tag: 5112, type: 5, count: 1, data: size }, int32(5114, 6), texts(5121, [hash('sha512', payload)])];
  const changed = change({ signature: [], header: [...kept, ...added], payload });
  const main = region(63, changed.header);
  const signature = changed.signature.length > 0 ? changed.signature : [text(273, hash('sha256', main)), text(279, hash('sha3-256', main)), binary(999, Buffer.alloc(32))];
  return join(4, region(62, signature), { main, payload });
}

/** The same package with other entries in its header, as rpm 4 makes them. */
export function withHeader(bytes: Buffer, change: (entries: readonly RigEntry[]) => readonly RigEntry[]): Buffer {
  const { signature, header, payload } = openRpm(bytes);
  return packRpm(headerBytes(change(header)), payload, signature.filter(({ tag }) => tag === 1007));
}

/** A header of rpm 4. */
export function headerBytes(entries: readonly RigEntry[]): Buffer {
  return region(63, entries);
}

/** A package of rpm 4 of this header, whatever it holds, with the digests of it. */
export function packRpm(main: Buffer, payload: Buffer, signature: readonly RigEntry[] = []): Buffer {
  const sum = createHash('md5').update(main).update(payload).digest();
  const size = int32(1000, main.length + payload.length);
  return join(3, region(62, [text(269, hash('sha1', main)), text(273, hash('sha256', main)), size, binary(1004, sum), ...signature]), { main, payload });
}

/** The bytes that a signature of a package of rpm 6 is made over. */
export function headerOf(bytes: Buffer): Buffer {
  const { payload } = openRpm(bytes);
  const signature = readEntries(bytes.subarray(LEAD));
  return bytes.subarray(Math.ceil((LEAD + signature.length) / 8) * 8, bytes.length - payload.length);
}

/** With other entries in its signature header, as they are. */
export function withSignatureHeader(bytes: Buffer, signature: readonly RigEntry[]): Buffer {
  return join(4, region(62, signature), { main: headerOf(bytes), payload: openRpm(bytes).payload });
}

/** As rpm 3 made them: whole paths, no regions, and MD5 of header and payload the only digest. */
export function asFormat3(bytes: Buffer): Buffer {
  const { header, payload } = openRpm(bytes);
  const strings = (tag: number): string[] => header.find((entry) => entry.tag === tag)?.data.toString().split('\0').slice(0, -1) ?? [];
  const indexes = header.find(({ tag }) => tag === 1116)?.data ?? Buffer.alloc(0);
  const folders = strings(1118);
  const paths = strings(1117).map((name, at) => `${folders[indexes.readUInt32BE(at * 4)]}${name}`);
  // Nor did it say of packages that they provide themselves, or in which version.
  const [name = ''] = strings(1000);
  const provided = strings(1047).filter((one) => one !== name);
  const later = new Set([1047, 1112, 1113, 1116, 1117, 1118]);
  // format_v3 knows no tags of rpm 4.
  const main = plain([...header.filter(({ tag }) => !later.has(tag) && tag < 1150), ...[texts(1047, provided), texts(1027, paths)].filter(({ count }) => count > 0)]);
  const sum = createHash('md5').update(main).update(payload).digest();
  return join(3, plain([int32(1000, main.length + payload.length), binary(1004, sum)]), { main, payload });
}

function longOf(entry: RigEntry | undefined): Buffer {
  const data = Buffer.alloc(8);
  data.writeBigUInt64BE(BigInt(entry?.data.readUInt32BE(0) ?? 0));
  return data;
}

function hash(algorithm: string, bytes: Buffer): string {
  return createHash(algorithm).update(bytes).digest('hex');
}

function join(major: number, signature: Buffer, { main, payload }: { readonly main: Buffer; readonly payload: Buffer }): Buffer {
  const lead = Buffer.alloc(LEAD);
  lead.writeUInt32BE(0xedabeedb, 0);
  lead.writeUInt8(major, 4);
  lead.writeUInt16BE(1, 8);
  lead.write('package', 10);
  lead.writeUInt16BE(1, 76);
  lead.writeUInt16BE(5, 78);
  return Buffer.concat([lead, signature, Buffer.alloc((8 - ((LEAD + signature.length) % 8)) % 8), main, payload]);
}

function readEntries(bytes: Buffer): { readonly entries: readonly RigEntry[]; readonly length: number } {
  const count = bytes.readUInt32BE(8);
  const start = 16 + 16 * count;
  const end = start + bytes.readUInt32BE(12);
  const entries = Array.from({ length: count }, (_, number) => {
    const at = 16 + 16 * number;
    const [tag, type, offset, values] = [bytes.readInt32BE(at), bytes.readUInt32BE(at + 4), start + bytes.readInt32BE(at + 8), bytes.readUInt32BE(at + 12)];
    let to = offset;
    const width = WIDTH[type];
    if (width !== undefined) to += width * values;
    else for (let n = 0; n < values; n += 1) to = bytes.indexOf(0, to) + 1;
    return { tag, type, count: values, data: Buffer.from(bytes.subarray(offset, to)) };
  });
  return { entries: entries.filter(({ tag }) => tag > 99), length: end };
}

/** A header that is one region: its trailer stands at the end of the data. */
function region(tag: number, entries: readonly RigEntry[]): Buffer {
  const count = entries.length + 1;
  const trailer = Buffer.alloc(16);
  for (const [at, value] of [tag, 7, -16 * count, 16].entries()) trailer.writeInt32BE(value, at * 4);
  const { index, data } = layOut(entries);
  const first = entryBytes({ tag, type: 7, count: 16 }, data.length);
  return Buffer.concat([intro(count, data.length + 16), first, index, data, trailer]);
}

function plain(entries: readonly RigEntry[]): Buffer {
  const { index, data } = layOut(entries);
  return Buffer.concat([intro(entries.length, data.length), index, data]);
}

function layOut(unsorted: readonly RigEntry[]): { readonly index: Buffer; readonly data: Buffer } {
  const entries = unsorted.toSorted((a, b) => a.tag - b.tag);
  let data = Buffer.alloc(0);
  const index = entries.map((entry) => {
    const alignment = ALIGNMENT[entry.type] ?? 1;
    data = Buffer.concat([data, Buffer.alloc((alignment - (data.length % alignment)) % alignment)]);
    const bytes = entryBytes(entry, data.length);
    data = Buffer.concat([data, entry.data]);
    return bytes;
  });
  return { index: Buffer.concat(index), data };
}

function entryBytes({ tag, type, count }: Omit<RigEntry, 'data'>, offset: number): Buffer {
  const bytes = Buffer.alloc(16);
  for (const [at, value] of [tag, type, offset, count].entries()) bytes.writeInt32BE(value, at * 4);
  return bytes;
}

function intro(entries: number, bytes: number): Buffer {
  const found = Buffer.from('8eade801000000000000000000000000', 'hex');
  found.writeUInt32BE(entries, 8);
  found.writeUInt32BE(bytes, 12);
  return found;
}
