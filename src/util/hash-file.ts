import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import type { Sha256 } from '../core/digest.ts';

/** The digest of bytes that come in pieces, and how many they are. */
export async function hashChunks(chunks: AsyncIterable<Buffer>): Promise<{ readonly sha256: Sha256; readonly size: number }> {
  const hash = createHash('sha256');
  let size = 0;
  for await (const chunk of chunks) {
    hash.update(chunk);
    size += chunk.length;
  }
  return { sha256: hash.digest('hex') as Sha256, size };
}

/** The digest of the bytes of a file, or of several one after the other, read in pieces. */
export async function hashFile(...paths: readonly string[]): Promise<Sha256> {
  const hash = createHash('sha256');
  for (const path of paths) {
    for await (const chunk of createReadStream(path, { highWaterMark: 1024 * 1024 })) hash.update(chunk as Buffer);
  }
  return hash.digest('hex') as Sha256;
}
