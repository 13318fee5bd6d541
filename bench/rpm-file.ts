/**
 * Rpm packages written byte by byte as rpm's format_v4 says, tens of thousands in a minute, where rpmbuild needs a tenth of a
 * second for each. Their headers have what those of rpmbuild have, and their digests are right: rpm reads and verifies
 * them. The payload is filler that no digest tells from an archive, so they cannot be installed.
 */
import { createHash } from 'node:crypto';

export interface RpmFacts {
  readonly name: string;
  readonly version: string;
  readonly release: string;
  readonly arch: string;
  readonly summary: string;
  readonly description: string;
  readonly packager: string;
  readonly url: string;
  /** Seconds since 1970. */
  readonly buildTime: number;
  readonly provides: readonly RpmRelation[];
  readonly requires: readonly RpmRelation[];
  readonly recommends: readonly RpmRelation[];
  /** Absolute paths; one that ends in `/` is a folder. */
  readonly files: readonly string[];
  /** Newest first. */
  readonly changelogs: readonly { readonly time: number; readonly author: string; readonly text: string }[];
  readonly payload: Buffer;
}

export interface RpmRelation {
  readonly name: string;
  /** rpm's RPMSENSE_LESS, _GREATER and _EQUAL. */
  readonly flags: number;
  readonly version: string;
}

/** The file of a package. */
export function writeRpm(facts: RpmFacts): Buffer {
  const header = section(63, mainEntries(facts));
  const signature = section(62, [
    text(269, digest('sha1', header)),
    text(273, digest('sha256', header)),
    numbers(1000, 4, [header.length + facts.payload.length]),
    binary(1004, createHash('md5').update(header).update(facts.payload).digest()),
    numbers(1007, 4, [facts.payload.length]),
    binary(1008, Buffer.alloc(4096)),
  ]);
  const padding = Buffer.alloc((8 - (signature.length % 8)) % 8);
  return Buffer.concat([lead(facts), signature, padding, header, facts.payload]);
}

function mainEntries(facts: RpmFacts): Entry[] {
  const { name, version, release, arch, provides, requires, recommends, changelogs, payload } = facts;
  return [
    text(1000, name),
    text(1001, version),
    text(1002, release),
    translated(1004, facts.summary),
    translated(1005, facts.description),
    numbers(1006, 4, [facts.buildTime]),
    text(1007, 'builder.example.org'),
    numbers(1009, 4, [facts.files.length * 4096]),
    text(1014, 'MIT'),
    text(1015, facts.packager),
    translated(1016, 'Unspecified'),
    text(1020, facts.url),
    text(1021, 'linux'),
    text(1022, arch),
    ...fileEntries(facts.files, facts.buildTime),
    text(1044, `${name}-${version}-${release}.src.rpm`),
    ...relationEntries([1047, 1112, 1113], provides),
    ...relationEntries([1049, 1048, 1050], requires),
    ...relationEntries([5046, 5048, 5047], recommends),
    text(1064, '4.18.0'),
    numbers(1080, 4, changelogs.map(({ time }) => time)),
    texts(1081, changelogs.map(({ author }) => author)),
    texts(1082, changelogs.map((entry) => entry.text)),
    text(1124, 'cpio'),
    text(1125, 'gzip'),
    text(1126, '9'),
    text(1132, `${arch}-linux`),
    numbers(5011, 4, [8]),
    texts(5092, [digest('sha256', payload)]),
    numbers(5093, 4, [8]),
  ].filter(({ count }) => count > 0);
}

function fileEntries(files: readonly string[], time: number): Entry[] {
  const each = <T>(value: (path: string, at: number) => T): T[] => files.map(value);
  const split = files.map((path) => {
    const plain = path.replace(/\/$/, '');
    const cut = plain.lastIndexOf('/') + 1;
    return { folder: plain.slice(0, cut), base: plain.slice(cut) };
  });
  const folders = [...new Set(split.map(({ folder }) => folder))];
  const places = new Map(folders.map((folder, at) => [folder, at]));
  return [
    numbers(1028, 4, each(() => 4096)),
    numbers(1030, 2, each((path) => (path.endsWith('/') ? 0o040755 : 0o100644))),
    numbers(1033, 2, each(() => 0)),
    numbers(1034, 4, each(() => time)),
    texts(1035, each((path) => (path.endsWith('/') ? '' : digest('sha256', Buffer.from(path))))),
    texts(1036, each(() => '')),
    numbers(1037, 4, each(() => 0)),
    texts(1039, each(() => 'root')),
    texts(1040, each(() => 'root')),
    numbers(1045, 4, each(() => 0xffffffff)),
    numbers(1095, 4, each(() => 1)),
    numbers(1096, 4, each((_, at) => at + 1)),
    texts(1097, each(() => '')),
    numbers(1116, 4, split.map(({ folder }) => places.get(folder) ?? 0)),
    texts(1117, split.map(({ base }) => base)),
    texts(1118, folders),
  ];
}

function relationEntries([name, flags, version]: readonly [number, number, number], relations: readonly RpmRelation[]): Entry[] {
  return [
    texts(name, relations.map((relation) => relation.name)),
    numbers(flags, 4, relations.map((relation) => relation.flags)),
    texts(version, relations.map((relation) => relation.version)),
  ];
}

interface Entry {
  readonly tag: number;
  readonly type: number;
  readonly count: number;
  readonly alignment: number;
  readonly data: Buffer;
}

const TYPE = { int16: 3, int32: 4, string: 6, binary: 7, strings: 8, i18n: 9 } as const;

function text(tag: number, value: string): Entry {
  return { tag, type: TYPE.string, count: 1, alignment: 1, data: Buffer.from(`${value}\0`) };
}

function translated(tag: number, value: string): Entry {
  return { ...text(tag, value), type: TYPE.i18n };
}

function texts(tag: number, values: readonly string[]): Entry {
  return { tag, type: TYPE.strings, count: values.length, alignment: 1, data: Buffer.from(values.map((value) => `${value}\0`).join('')) };
}

function binary(tag: number, data: Buffer): Entry {
  return { tag, type: TYPE.binary, count: data.length, alignment: 1, data };
}

function numbers(tag: number, bytes: 2 | 4, values: readonly number[]): Entry {
  const data = Buffer.alloc(values.length * bytes);
  for (const [at, value] of values.entries()) data.writeUIntBE(value, at * bytes, bytes);
  return { tag, type: bytes === 2 ? TYPE.int16 : TYPE.int32, count: values.length, alignment: bytes, data };
}

/** A header in one region. */
function section(region: number, unsorted: readonly Entry[]): Buffer {
  const entries = unsorted.toSorted((a, b) => a.tag - b.tag);
  const data: Buffer[] = [];
  let length = 0;
  const append = (bytes: Buffer): void => {
    data.push(bytes);
    length += bytes.length;
  };
  const index = entries.map(({ tag, type, count, alignment, data: bytes }) => {
    append(Buffer.alloc((alignment - (length % alignment)) % alignment));
    const entry = words(tag, type, length, count);
    append(bytes);
    return entry;
  });
  const first = words(region, TYPE.binary, length, 16);
  append(words(region, TYPE.binary, -16 * (entries.length + 1), 16));
  return Buffer.concat([Buffer.from('8eade80100000000', 'hex'), words(entries.length + 1, length), first, ...index, ...data]);
}

function words(...values: readonly number[]): Buffer {
  const bytes = Buffer.alloc(values.length * 4);
  for (const [at, value] of values.entries()) bytes.writeInt32BE(value, at * 4);
  return bytes;
}

function lead({ name, version, release }: RpmFacts): Buffer {
  const bytes = Buffer.alloc(96);
  bytes.writeUInt32BE(0xedabeedb, 0);
  bytes.writeUInt16BE(0x0300, 4);
  bytes.writeUInt16BE(1, 8);
  bytes.write(`${name}-${version}-${release}`.slice(0, 65), 10, 'latin1');
  bytes.writeUInt16BE(1, 76);
  bytes.writeUInt16BE(5, 78);
  return bytes;
}

function digest(algorithm: string, bytes: Buffer): string {
  return createHash(algorithm).update(bytes).digest('hex');
}
