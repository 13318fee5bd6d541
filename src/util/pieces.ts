import { closeSync, openSync, readSync } from 'node:fs';

const PIECE = 1024 * 1024;

/** The bytes of a file from that one on, in pieces whose memory is not used again. */
export function* pieces(path: string, from = 0): Generator<Buffer> {
  const file = openSync(path, 'r');
  try {
    for (let at = from; ; ) {
      const piece = Buffer.allocUnsafe(PIECE);
      const count = readSync(file, piece, 0, PIECE, at);
      if (count === 0) return;
      at += count;
      yield piece.subarray(0, count);
    }
  } finally {
    closeSync(file);
  }
}
