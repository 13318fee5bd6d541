/** Looking into a tar archive in memory (POSIX ustar and pax, GNU long names). Nothing is ever extracted. */
import { malformed } from './stanza-stream.ts';

export interface TarEntry {
  /** As it stands in the archive: `./control`. */
  readonly name: string;
  readonly kind: 'file' | 'other';
  readonly bytes: Buffer;
}

const BLOCK = 512;
/** Headers that only say something about the next entry: pax, pax for all, GNU long link and long name. */
const ABOUT_NEXT = new Set(['x', 'g', 'K', 'L']);
/** POSIX: a regular file; NUL is the same from before POSIX, 7 a contiguous file. */
const FILES = new Set(['0', '\0', '7']);

/** The entries in their order. Throws E_FORMAT where tar itself would give up: a bad checksum, a cut entry. */
export function* tarEntries(archive: Buffer, label: string): Generator<TarEntry> {
  let next: Extension = {};
  for (let at = 0; at < archive.length; ) {
    const header = archive.subarray(at, at + BLOCK);
    if (header.length < BLOCK) throw malformed(label, 'the archive breaks off within a header');
    if (header.every((byte) => byte === 0)) return;
    checkSum(header, label);
    const type = String.fromCharCode(header[156] ?? 0);
    const size = ABOUT_NEXT.has(type) ? sizeOf(header, label) : (next.size ?? sizeOf(header, label));
    const bytes = archive.subarray(at + BLOCK, at + BLOCK + size);
    if (bytes.length < size) throw malformed(label, 'the archive breaks off within a file');
    at += BLOCK + Math.ceil(size / BLOCK) * BLOCK;
    if (ABOUT_NEXT.has(type)) {
      next = { ...next, ...extension(type, bytes, label) };
      continue;
    }
    yield { name: next.name ?? nameOf(header), kind: FILES.has(type) ? 'file' : 'other', bytes };
    next = {};
  }
}

interface Extension {
  readonly name?: string;
  readonly size?: number;
}

function extension(type: string, bytes: Buffer, label: string): Extension {
  if (type === 'L') return { name: textOf(bytes) };
  return type === 'x' ? paxExtension(bytes, label) : {};
}

/** POSIX pax: records of `<length> <keyword>=<value>\n`, the length counting itself. */
function paxExtension(bytes: Buffer, label: string): Extension {
  let found: Extension = {};
  for (let at = 0; at < bytes.length; ) {
    const head = /^(\d{1,10}) ([^=]*)=/.exec(bytes.toString('latin1', at, at + 300));
    const length = Number(head?.[1]);
    if (head === null || length <= head[0].length || at + length > bytes.length) throw malformed(label, 'the archive has a broken pax header');
    const value = bytes.toString('latin1', at + head[0].length, at + length - 1);
    if (head[2] === 'path') found = { ...found, name: value };
    if (head[2] === 'size') found = { ...found, size: decimal(value, label) };
    at += length;
  }
  return found;
}

function decimal(text: string, label: string): number {
  if (!/^\d{1,15}$/.test(text)) throw malformed(label, 'the archive has a file of a broken size');
  return Number(text);
}

function nameOf(header: Buffer): string {
  const name = textOf(header.subarray(0, 100));
  const prefix = header.toString('latin1', 257, 263) === 'ustar\0' ? textOf(header.subarray(345, 500)) : '';
  return prefix === '' ? name : `${prefix}/${name}`;
}

function textOf(bytes: Buffer): string {
  const end = bytes.indexOf(0);
  return bytes.toString('latin1', 0, end === -1 ? bytes.length : end);
}

/** Octal text, or a big-endian number behind a set first bit (GNU, for what octal cannot hold). */
function sizeOf(header: Buffer, label: string): number {
  const field = header.subarray(124, 136);
  if (field[0] === 0x80) {
    const value = field.readUIntBE(6, 6);
    if (field.subarray(1, 6).every((byte) => byte === 0)) return value;
  }
  const text = textOf(field).trim();
  if (!/^[0-7]{0,11}$/.test(text)) throw malformed(label, 'the archive has a file of a broken size');
  return text === '' ? 0 : Number.parseInt(text, 8);
}

/** The sum of all bytes of the header, those of the sum itself taken for blanks. */
function checkSum(header: Buffer, label: string): void {
  const stated = Number.parseInt(textOf(header.subarray(148, 156)).trim(), 8);
  let sum = 8 * 0x20;
  for (let at = 0; at < BLOCK; at += 1) if (at < 148 || at >= 156) sum += header[at] ?? 0;
  if (sum !== stated) throw malformed(label, 'the archive is damaged: a checksum is wrong');
}
