/** The container of .zst files (RFC 8878): frames one after another are one file. Nothing is compressed here. */

/** RFC 8878, 3.1.1.2.4: the most a block may hold. */
const LARGEST_BLOCK = 128 * 1024;
const MAGIC = Buffer.from([0x28, 0xb5, 0x2f, 0xfd]);
/** Single segment, its size in four bytes, no checksum, no dictionary. */
const DESCRIPTOR = 0xa0;

/** A frame that holds the bytes as they are, for what is too short to gain by compression. */
export function zstdStored(bytes: Buffer): Buffer {
  if (bytes.length > LARGEST_BLOCK) throw new Error('Longer than a block of zstd may be');
  const header = Buffer.alloc(5);
  header.writeUInt8(DESCRIPTOR, 0);
  header.writeUInt32LE(bytes.length, 1);
  const block = Buffer.alloc(3);
  block.writeUIntLE(bytes.length * 8 + 1, 0, 3); // the last block, raw
  return Buffer.concat([MAGIC, header, block, bytes]);
}
