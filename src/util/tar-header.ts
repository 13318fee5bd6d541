/** What stands before the bytes of a file in a tar archive: POSIX ustar and pax, GNU long names. Pure. */

export const TAR_BLOCK = 512;

export interface TarHeader {
  /** POSIX's type flag, one character. */
  readonly type: string;
  /** As it stands in the header, a character per byte: `./control`. */
  readonly name: string;
  /** Bytes behind the header, without what fills the last block. */
  readonly size: number;
}

/** What an entry says of the next one instead of that itself. */
export interface TarExtension {
  readonly name?: string;
  /** More than 8 GiB do not fit into a header. */
  readonly size?: number;
}

/** Makes an error of a phrase that follows "the archive". */
type Wrong = (problem: string) => Error;

/** Of a whole block; undefined for the zeros that end an archive. Throws where tar itself would give up. */
export function readTarHeader(block: Buffer, wrong: Wrong): TarHeader | undefined {
  if (block.every((byte) => byte === 0)) return undefined;
  checkSum(block, wrong);
  return { type: String.fromCharCode(block[156] ?? 0), name: nameOf(block), size: sizeOf(block, wrong) };
}

/** Entries that are no files but say something about the next one: pax, pax for all, GNU long link and long name. */
export function isExtension({ type }: TarHeader): boolean {
  return type === 'x' || type === 'g' || type === 'K' || type === 'L';
}

/** What the bytes of such an entry say of names and sizes. */
export function readExtension({ type }: TarHeader, bytes: Buffer, wrong: Wrong): TarExtension {
  if (type === 'L') return { name: textOf(bytes) };
  return type === 'x' ? readPax(bytes, wrong) : {};
}

/** Blocks are filled up. */
export function paddedSize(size: number): number {
  return Math.ceil(size / TAR_BLOCK) * TAR_BLOCK;
}

/** POSIX pax: records of `<length> <keyword>=<value>\n`, the length counting itself; of a keyword that stands twice the last counts. */
function readPax(bytes: Buffer, wrong: Wrong): TarExtension {
  let found: TarExtension = {};
  for (let at = 0; at < bytes.length; ) {
    const digits = /^(\d{1,10}) /.exec(bytes.toString('latin1', at, at + 12))?.[1] ?? '';
    const end = at + Number(digits);
    const keyword = at + digits.length + 1;
    const equals = bytes.indexOf('=', keyword);
    if (digits === '' || end > bytes.length || equals === -1 || equals >= end - 1) throw wrong('has a broken pax header');
    const value = bytes.toString('latin1', equals + 1, end - 1);
    const name = bytes.toString('latin1', keyword, equals);
    if (name === 'path') found = { ...found, name: value };
    if (name === 'size') found = { ...found, size: decimal(value, wrong) };
    at = end;
  }
  return found;
}

function decimal(text: string, wrong: Wrong): number {
  if (!/^\d{1,15}$/.test(text)) throw brokenSize(wrong);
  return Number(text);
}

function nameOf(block: Buffer): string {
  const name = textOf(block.subarray(0, 100));
  // POSIX ustar; old GNU archives keep other things where the prefix would be.
  const prefix = block.toString('latin1', 257, 263) === 'ustar\0' ? textOf(block.subarray(345, 500)) : '';
  return prefix === '' ? name : `${prefix}/${name}`;
}

function textOf(bytes: Buffer): string {
  const end = bytes.indexOf(0);
  return bytes.toString('latin1', 0, end === -1 ? bytes.length : end);
}

/** Octal text, or a big-endian number behind a set first bit (GNU, for what octal cannot hold). */
function sizeOf(block: Buffer, wrong: Wrong): number {
  const field = block.subarray(124, 136);
  if (field[0] === 0x80 && field.subarray(1, 6).every((byte) => byte === 0)) return field.readUIntBE(6, 6);
  const text = textOf(field).trim();
  if (!/^[0-7]*$/.test(text)) throw brokenSize(wrong);
  return text === '' ? 0 : Number.parseInt(text, 8);
}

function brokenSize(wrong: Wrong): Error {
  return wrong('has a file of a broken size');
}

/** The sum of all bytes of the header, those of the sum itself taken for blanks. */
function checkSum(block: Buffer, wrong: Wrong): void {
  const stated = Number.parseInt(textOf(block.subarray(148, 156)).trim(), 8);
  let sum = 8 * 0x20;
  for (let at = 0; at < TAR_BLOCK; at += 1) if (at < 148 || at >= 156) sum += block[at] ?? 0;
  if (sum !== stated) throw wrong('is damaged: a checksum is wrong');
}
