/**
 * Headers of rpm packages (rpm's format_header): an index of tags and the data they point to. Everything is checked
 * before anything is read from it, as rpm itself checks (hdrblobVerifyInfo, hdrblobVerifyRegion).
 */
import { malformed } from './malformed.ts';

export interface Header {
  /** Bytes of the whole header, without what aligns the next one. */
  readonly length: number;
  /** Whether all of it is one region that must not change: what signatures of headers need. */
  readonly hasRegion: boolean;
  /** Whether tags stand in their order, each once. */
  readonly isSorted: boolean;
  has(tag: number): boolean;
  /** All of them, without the region. Of equal tags there is but the first: rpm takes no other. */
  entries(): HeaderEntry[];
  /** Values of a string tag; none when it is absent or no string. */
  strings(tag: number): readonly Buffer[];
  /** The same values one behind another, a NUL behind each: to be looked at together. */
  packedStrings(tag: number): Buffer | undefined;
  /** Values of a tag of numbers. */
  numbers(tag: number): readonly number[];
  /** The bytes of a binary tag. */
  binary(tag: number): Buffer | undefined;
}

export interface HeaderEntry {
  readonly tag: number;
  readonly type: number;
  readonly count: number;
  /** Its data. */
  readonly data: Buffer;
}

export interface HeaderKind {
  readonly label: string;
  /** The tag of the region that the header may be wrapped in. */
  readonly region: number;
  readonly entries: number;
  readonly bytes: number;
}

/** format_header: header structure. */
export const INTRO_BYTES = 16;
export const ENTRY_BYTES = 16;
export const MAGIC = Buffer.from('8eade80100000000', 'hex');

/** RPMTAG_HEADERSIGNATURES and RPMTAG_HEADERIMMUTABLE, and the limits rpm has for each. */
export const SIGNATURE: HeaderKind = { label: 'signature header', region: 62, entries: 32, bytes: 64 * 1024 * 1024 };
export const MAIN: HeaderKind = { label: 'header', region: 63, entries: 0xffff, bytes: 256 * 1024 * 1024 };

/** How long a header is, told by its first bytes. Throws E_FORMAT for what is none, or larger than rpm takes. */
export function headerLength(intro: Buffer, kind: HeaderKind, place: string): number {
  if (intro.length < INTRO_BYTES) throw malformed(place, `the ${kind.label} is cut short`);
  if (!intro.subarray(0, 8).equals(MAGIC)) throw malformed(place, `there is no ${kind.label}`);
  const entries = intro.readUInt32BE(8);
  const bytes = intro.readUInt32BE(12);
  if (entries === 0 || entries > kind.entries) throw malformed(place, `the ${kind.label} has ${entries} entries`);
  if (bytes > kind.bytes) throw malformed(place, `the ${kind.label} has ${bytes} bytes of data`);
  return INTRO_BYTES + entries * ENTRY_BYTES + bytes;
}

/** Reads a whole header. Throws E_FORMAT. */
export function readHeader(bytes: Buffer, kind: HeaderKind, place: string): Header {
  const length = headerLength(bytes, kind, place);
  if (bytes.length < length) throw malformed(place, `the ${kind.label} is cut short`);
  const count = bytes.readUInt32BE(8);
  const index = bytes.subarray(INTRO_BYTES, INTRO_BYTES + count * ENTRY_BYTES);
  const data = bytes.subarray(INTRO_BYTES + index.length, length);
  const wrong = (problem: string): Error => malformed(place, `the ${kind.label} ${problem}`);
  const first = readEntry(index, 0);
  const hasRegion = first.tag === kind.region;
  if (hasRegion) checkRegion(first, data, { kind, count, wrong });
  const sizes: number[] = [];
  let end = 0;
  let last = 0;
  let isSorted = true;
  for (let at = hasRegion ? ENTRY_BYTES : 0; at < index.length; at += ENTRY_BYTES) {
    const entry = readEntry(index, at);
    const size = checkedSize(entry, data, { previousEnd: end, wrong });
    sizes.push(size);
    end = entry.offset + size;
    isSorted &&= entry.tag > last;
    last = entry.tag;
  }
  return new CheckedHeader({ length, hasRegion, isSorted }, { index: index.subarray(hasRegion ? ENTRY_BYTES : 0), sizes, data });
}

interface RawEntry {
  readonly tag: number;
  readonly type: number;
  readonly offset: number;
  readonly count: number;
}

function readEntry(index: Buffer, at: number): RawEntry {
  return { tag: index.readInt32BE(at), type: index.readUInt32BE(at + 4), offset: index.readInt32BE(at + 8), count: index.readUInt32BE(at + 12) };
}

const NOTHING = Buffer.alloc(0);

interface CheckedBytes {
  readonly index: Buffer;
  readonly sizes: readonly number[];
  readonly data: Buffer;
}

/** Most entries are checked and never asked for: they are looked for where they stand. */
class CheckedHeader implements Header {
  readonly length: number;
  readonly hasRegion: boolean;
  readonly isSorted: boolean;
  /** Without the region. */
  readonly #index: Buffer;
  /** Bytes of the data of each entry. */
  readonly #sizes: readonly number[];
  readonly #data: Buffer;

  constructor({ length, hasRegion, isSorted }: Pick<Header, 'length' | 'hasRegion' | 'isSorted'>, { index, sizes, data }: CheckedBytes) {
    this.length = length;
    this.hasRegion = hasRegion;
    this.isSorted = isSorted;
    this.#index = index;
    this.#sizes = sizes;
    this.#data = data;
  }

  has(tag: number): boolean {
    return this.#find(tag) !== -1;
  }

  entries(): HeaderEntry[] {
    const found = new Map<number, HeaderEntry>();
    for (let at = 0; at < this.#sizes.length; at += 1) {
      const entry = this.#entry(at);
      if (!found.has(entry.tag)) found.set(entry.tag, entry);
    }
    return [...found.values()];
  }

  packedStrings(tag: number): Buffer | undefined {
    const entry = this.#named(tag);
    const isText = entry !== undefined && (entry.type === TYPE.string || entry.type === TYPE.stringArray || entry.type === TYPE.i18n);
    return isText ? entry.data : undefined;
  }

  strings(tag: number): Buffer[] {
    const data = this.packedStrings(tag) ?? NOTHING;
    const found: Buffer[] = [];
    for (let at = 0; at < data.length; ) {
      const end = data.indexOf(0, at);
      found.push(data.subarray(at, end));
      at = end + 1;
    }
    return found;
  }

  numbers(tag: number): number[] {
    const entry = this.#named(tag);
    return entry === undefined ? [] : numbers(entry);
  }

  binary(tag: number): Buffer | undefined {
    const entry = this.#named(tag);
    return entry?.type === TYPE.binary ? entry.data : undefined;
  }

  #named(tag: number): HeaderEntry | undefined {
    const at = this.#find(tag);
    return at === -1 ? undefined : this.#entry(at);
  }

  #find(tag: number): number {
    if (!this.isSorted) return this.#sizes.findIndex((_, at) => this.#tag(at) === tag);
    let low = 0;
    let high = this.#sizes.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.#tag(middle) < tag) low = middle + 1;
      else high = middle;
    }
    return low < this.#sizes.length && this.#tag(low) === tag ? low : -1;
  }

  #tag(at: number): number {
    return this.#index.readInt32BE(at * ENTRY_BYTES);
  }

  #entry(at: number): HeaderEntry {
    const { tag, type, count, offset } = readEntry(this.#index, at * ENTRY_BYTES);
    return { tag, type, count, data: this.#data.subarray(offset, offset + (this.#sizes[at] ?? 0)) };
  }
}

type Wrong = (problem: string) => Error;

/** The region's data is one more entry that points back over the index it covers. */
function checkRegion(region: RawEntry, data: Buffer, { kind, count, wrong }: { readonly kind: HeaderKind; readonly count: number; readonly wrong: Wrong }): void {
  const at = region.offset;
  if (region.type !== TYPE.binary || region.count !== ENTRY_BYTES || at < 0 || at + ENTRY_BYTES > data.length) throw wrong('has a broken region');
  const trailer = readEntry(data, at);
  const covered = -trailer.offset / ENTRY_BYTES;
  // Packages signed long ago have the tag of the image (61) in the trailer of either.
  const isTagged = trailer.tag === kind.region || (kind.region === SIGNATURE.region && trailer.tag === IMAGE);
  if (!isTagged || trailer.type !== TYPE.binary || trailer.count !== ENTRY_BYTES) throw wrong('has a broken region trailer');
  if (!Number.isInteger(covered) || covered < 1 || covered > count) throw wrong('has a region of a wrong size');
}

const IMAGE = 61;

export const TYPE = { string: 6, binary: 7, stringArray: 8, i18n: 9 } as const;

/** Bytes of a value by type: null, char, int8, int16, int32, int64, string, binary, string array, i18n strings. */
const VALUE_BYTES = [0, 1, 1, 2, 4, 8, 0, 1, 0, 0] as const;

/** What the data of a type is aligned to: a multiple of its values. */
export function alignmentOf(type: number): number {
  return Math.max(1, VALUE_BYTES[type] ?? 1);
}

function checkedSize(raw: RawEntry, data: Buffer, { previousEnd, wrong }: { readonly previousEnd: number; readonly wrong: Wrong }): number {
  const { tag, type, offset, count } = raw;
  if (tag < 100) throw wrong(`has the tag ${tag}`);
  const bytes = VALUE_BYTES[type];
  if (bytes === undefined || type === 0) throw wrong(`has the tag ${tag} with the type ${type}`);
  if (offset < previousEnd || offset > data.length) throw wrong(`has the tag ${tag} with the offset ${offset}`);
  if (bytes > 1 && offset % bytes !== 0) throw wrong(`has the tag ${tag} at an odd place`);
  if (count === 0 || count > data.length) throw wrong(`has the tag ${tag} with ${count} values`);
  if (type === TYPE.string && count !== 1) throw wrong(`has the tag ${tag} with ${count} values`);
  const size = bytes > 0 ? bytes * count : stringsSize(data, offset, count);
  if (size === undefined || offset + size > data.length) throw wrong(`has the tag ${tag} that reaches over its end`);
  return size;
}

/** Undefined when one of them does not end. They are short: a loop finds their ends sooner than `indexOf`. */
function stringsSize(data: Buffer, offset: number, count: number): number | undefined {
  let left = count;
  for (let at = offset; at < data.length; at += 1) {
    if (data[at] !== 0) continue;
    left -= 1;
    if (left === 0) return at + 1 - offset;
  }
  return undefined;
}

function numbers({ type, count, data }: HeaderEntry): number[] {
  const width = VALUE_BYTES[type] ?? 0;
  const found: number[] = [];
  if (type === TYPE.binary || width === 0) return found;
  for (let at = 0; at < count * width; at += width) {
    found.push(width === 4 ? data.readUInt32BE(at) : width === 8 ? Number(data.readBigUInt64BE(at)) : data.readUIntBE(at, width));
  }
  return found;
}
