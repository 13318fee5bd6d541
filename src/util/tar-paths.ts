/** The names of what a tar archive holds, read as its bytes arrive: ustar, GNU long names and pax headers. */
import { ArtifactsError } from '../core/errors.ts';

const BLOCK = 512;

/** Long names and pax headers are read whole; nothing sensible is longer. */
const LONGEST_NAME = 1024 * 1024;

/**
 * Paths of everything but folders, without a leading `./` or `/`, a character per byte. Throws E_FORMAT for what is no
 * tar archive or ends early.
 */
export async function* tarPaths(chunks: AsyncIterable<Buffer>): AsyncGenerator<string> {
  const source = blocks(chunks);
  let longName: string | undefined;
  let pax: Pax = {};
  for (;;) {
    const header = await source.take(BLOCK);
    if (header === undefined || header.every((byte) => byte === 0)) return source.close();
    checkSum(header);
    const size = numberAt(header, 124, 12);
    const type = String.fromCharCode(header[156] ?? 0);
    if (type === 'L' || type === 'x') {
      if (size > LONGEST_NAME) throw malformed(`has a name of ${size} bytes`);
      const body = (await source.need(paddedSize(size))).subarray(0, size);
      if (type === 'L') longName = textOf(body);
      else pax = { ...pax, ...readPax(body) };
      continue;
    }
    if (type === 'K' || type === 'g') {
      await source.skip(paddedSize(size));
      continue;
    }
    await source.skip(paddedSize(pax.size ?? size));
    const path = (pax.path ?? longName ?? headerName(header)).replace(/^(?:\.?\/)+/, '');
    longName = undefined;
    pax = {};
    if (type !== '5' && path !== '' && !path.endsWith('/')) yield path;
  }
}

function paddedSize(size: number): number {
  return Math.ceil(size / BLOCK) * BLOCK;
}

function headerName(header: Buffer): string {
  const name = textOf(header.subarray(0, 100));
  // POSIX ustar; old GNU archives keep other things where the prefix would be.
  const prefix = header.toString('latin1', 257, 263) === 'ustar\0' ? textOf(header.subarray(345, 500)) : '';
  return prefix === '' ? name : `${prefix}/${name}`;
}

interface Pax {
  readonly path?: string;
  /** Of the next file, instead of what its header says: more than 8 GiB do not fit there. */
  readonly size?: number;
}

/** pax: `<length> path=<value>\n`, the length in bytes and counting itself; of a keyword that stands twice the last counts. */
function readPax(body: Buffer): Pax {
  let found: Pax = {};
  for (let at = 0; at < body.length; ) {
    const blank = body.indexOf(0x20, at);
    const length = Number(body.toString('latin1', at, blank));
    if (blank === -1 || !Number.isInteger(length) || length <= 0) throw malformed('has a damaged pax header');
    const [, keyword, value = ''] = /^(path|size)=(.*)$/s.exec(body.toString('latin1', blank + 1, at + length - 1)) ?? [];
    if (keyword === 'path') found = { ...found, path: value };
    if (keyword === 'size') found = { ...found, size: paxNumber(value) };
    at += length;
  }
  return found;
}

function paxNumber(text: string): number {
  const number = Number(text);
  if (!/^\d+$/.test(text) || !Number.isSafeInteger(number)) throw malformed('has a pax header with a size that is no number');
  return number;
}

function textOf(bytes: Buffer): string {
  const end = bytes.indexOf(0);
  return bytes.toString('latin1', 0, end === -1 ? bytes.length : end);
}

/** Octal, or base 256 with the first bit set for what octal cannot hold. */
function numberAt(header: Buffer, at: number, length: number): number {
  if (((header[at] ?? 0) & 0x80) !== 0) return Number(header.readBigUInt64BE(at + length - 8));
  const text = textOf(header.subarray(at, at + length)).trim();
  if (!/^[0-7]*$/.test(text)) throw malformed('has a header with a size that is no number');
  return text === '' ? 0 : Number.parseInt(text, 8);
}

function checkSum(header: Buffer): void {
  let sum = 0;
  for (const [index, byte] of header.entries()) sum += index >= 148 && index < 156 ? 0x20 : byte;
  if (sum !== numberAt(header, 148, 8)) throw malformed('has a header with a wrong sum');
}

function malformed(what: string): ArtifactsError {
  return new ArtifactsError('E_FORMAT', `The tar archive ${what}`);
}

interface Blocks {
  /** That many bytes, or undefined at the end. */
  take(count: number): Promise<Buffer | undefined>;
  need(count: number): Promise<Buffer>;
  skip(count: number): Promise<void>;
  /** Reads what is left, so that whoever writes it ends well. */
  close(): Promise<void>;
}

function blocks(chunks: AsyncIterable<Buffer>): Blocks {
  const iterator = chunks[Symbol.asyncIterator]();
  let buffer: Buffer = Buffer.alloc(0);
  const more = async (): Promise<boolean> => {
    const { value, done } = await iterator.next();
    if (done === true) return false;
    buffer = buffer.length === 0 ? value : Buffer.concat([buffer, value]);
    return true;
  };
  const take = async (count: number): Promise<Buffer | undefined> => {
    while (buffer.length < count && (await more()));
    if (buffer.length === 0 && count > 0) return undefined;
    if (buffer.length < count) throw malformed('ends early');
    const taken = buffer.subarray(0, count);
    buffer = buffer.subarray(count);
    return taken;
  };
  return {
    take,
    need: async (count) => {
      const taken = await take(count);
      if (taken === undefined) throw malformed('ends early');
      return taken;
    },
    skip: async (count) => {
      let left = count;
      for (;;) {
        const step = Math.min(left, buffer.length);
        buffer = buffer.subarray(step);
        left -= step;
        if (left === 0) return;
        if (!(await more())) throw malformed('ends early');
      }
    },
    close: async () => {
      do buffer = Buffer.alloc(0);
      while (await more());
    },
  };
}
