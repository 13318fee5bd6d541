/**
 * The container of .xz files (The .xz File Format 1.1.0): cutting a stream into its blocks and joining blocks of
 * several streams into one. Nothing is compressed here. One stream with many blocks is read by everything; several
 * streams in one file are refused by apt.
 */
import { crc32 } from 'node:zlib';
import { ArtifactsError } from '../core/errors.ts';

/** A block with its padding, and the two sizes its stream's index holds of it. */
export interface XzBlock {
  readonly bytes: Buffer;
  readonly unpaddedSize: number;
  readonly plainSize: number;
}

const MAGIC = Buffer.from([0xfd, 0x37, 0x7a, 0x58, 0x5a, 0x00]);
const FOOTER_MAGIC = Buffer.from('YZ');
/** Section 2.1.1.2: stream flags; the check of every block is CRC64, which is xz's own default. */
const FLAGS = Buffer.from([0x00, 0x04]);
const FRAME_SIZE = 12;

/** Cuts a single stream with CRC64 checks into its blocks. */
export function splitXz(stream: Buffer): XzBlock[] {
  const flags = stream.subarray(MAGIC.length, MAGIC.length + FLAGS.length);
  const footer = stream.subarray(-FRAME_SIZE);
  if (!stream.subarray(0, MAGIC.length).equals(MAGIC) || !flags.equals(FLAGS) || !footer.subarray(-2).equals(FOOTER_MAGIC)) {
    throw new ArtifactsError('E_TOOL', 'xz wrote something that is no .xz stream with CRC64');
  }
  // Section 2.1.2.2: the size of the index in units of four bytes, less one.
  const indexSize = (footer.readUInt32LE(4) + 1) * 4;
  const index = new Reader(stream.subarray(-FRAME_SIZE - indexSize, -FRAME_SIZE));
  index.skip(1);
  const blocks: XzBlock[] = [];
  let at = FRAME_SIZE;
  for (let left = index.number(); left > 0; left -= 1) {
    const unpaddedSize = index.number();
    const plainSize = index.number();
    const end = at + padded(unpaddedSize);
    blocks.push({ bytes: stream.subarray(at, end), unpaddedSize, plainSize });
    at = end;
  }
  return blocks;
}

/** What stands before the first block. */
export function xzHeader(): Buffer {
  return Buffer.concat([MAGIC, FLAGS, checksum(FLAGS)]);
}

/** What stands behind the last block: the index of all blocks and the footer. */
export function xzTrailer(blocks: readonly Pick<XzBlock, 'unpaddedSize' | 'plainSize'>[]): Buffer {
  const numbers = [blocks.length, ...blocks.flatMap((block) => [block.unpaddedSize, block.plainSize])];
  const body = Buffer.concat([Buffer.from([0]), ...numbers.map(encodeNumber)]);
  const index = Buffer.concat([body, Buffer.alloc(padded(body.length) - body.length)]);
  const backward = Buffer.alloc(4);
  backward.writeUInt32LE((index.length + 4) / 4 - 1);
  const tail = Buffer.concat([backward, FLAGS]);
  return Buffer.concat([index, checksum(index), checksum(tail), tail, FOOTER_MAGIC]);
}

function padded(size: number): number {
  return Math.ceil(size / 4) * 4;
}

function checksum(bytes: Buffer): Buffer {
  const result = Buffer.alloc(4);
  result.writeUInt32LE(crc32(bytes));
  return result;
}

/** Section 1.2: seven bits a byte, least significant first. */
function encodeNumber(value: number): Buffer {
  const bytes: number[] = [];
  let rest = value;
  while (rest >= 0x80) {
    bytes.push((rest % 0x80) | 0x80);
    rest = Math.floor(rest / 0x80);
  }
  return Buffer.from([...bytes, rest]);
}

class Reader {
  readonly #bytes: Buffer;
  #at = 0;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  skip(count: number): void {
    this.#at += count;
  }

  number(): number {
    let value = 0;
    for (let scale = 1; ; scale *= 0x80) {
      const byte = this.#bytes[this.#at];
      if (byte === undefined) throw new ArtifactsError('E_TOOL', 'xz wrote a stream with a broken index');
      this.#at += 1;
      value += (byte & 0x7f) * scale;
      if (byte < 0x80) return value;
    }
  }
}
