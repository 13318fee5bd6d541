/** Bringing the user's files to the pool: read once, and what is hashed is what is kept, whatever happens to them meanwhile. */
import { createHash } from 'node:crypto';
import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import { openSpool, type Spool } from '../catalog/spool.ts';
import { ArtifactsError, fromSystemError, hasCode, isArtifactsError } from '../core/errors.ts';
import { sha256, type Sha256 } from '../core/digest.ts';
import type { Digested } from '../formats/format.ts';
import type { Incoming, Pool } from '../pool/index.ts';
import * as durable from '../util/durable.ts';

/** Up to this size a file is read as a whole; beyond it, in pieces on its way to the pool. */
const WHOLE_BYTES = 4 * 1024 * 1024;
const PIECE_BYTES = 1024 * 1024;
/** After so many bytes of its own a receiver has the disk write. */
const AHEAD_BYTES = 64 * 1024 * 1024;

/** Files on their way into the pool; nothing of them is there before `settle`. */
export interface Receiver {
  /**
   * Reads a file. `look` sees its bytes in order, in memory that the next file is read into. Throws E_HASH or E_SIZE when
   * it is not what was expected.
   */
  receive(path: string, options?: ReceiveOptions): Digested;
  /** Keeps bytes that were read already. */
  keep(bytes: Buffer): Digested;
  /** For a thread that receives files of its own, under the owner that is told: they are settled and forgotten with these. */
  openBeside(): { readonly owner: string; add(received: readonly Sha256[]): void };
  /** For the texts of records, which are more than memory should hold when there are many. Good until `clear`. */
  readonly texts: Spool;
  /** Moves all files into the pool, and returns when they would survive a power cut. */
  settle(): Promise<void>;
  /** Forgets what was not settled. */
  clear(): void;
}

export interface ReceiveOptions {
  readonly look?: ((chunk: Buffer) => void) | undefined;
  readonly expected?: Digested | undefined;
}

/**
 * Opens a receiver; what an interrupted run of the same owner left is thrown away. `onReceived` is told what is kept, and by
 * default has the disk write it while further files are read.
 */
export function openReceiver(pool: Pool, owner: string, onReceived: OnReceived = flushingAhead(pool)): Receiver {
  pool.receive(owner).clear();
  const incoming = pool.receive(owner);
  const beside: { readonly incoming: Incoming; readonly received: Set<Sha256> }[] = [];
  const texts = openSpool(incoming.unnamed());
  const received = new Set<Sha256>();
  const note = (digest: Sha256, size: number): void => {
    received.add(digest);
    onReceived(digest, size);
  };
  // One for all files: as much new memory for each as it has bytes would be thrown away as soon as it is written.
  let room: Buffer | undefined;
  const keep = (bytes: Buffer): Digested => {
    const digest = sha256(bytes);
    if (!received.has(digest) && !pool.has(digest)) {
      durable.writeNewFile(incoming.partial(digest), (write) => write(bytes));
      note(digest, bytes.length);
    }
    return { size: bytes.length, sha256: digest };
  };
  return {
    keep,
    texts,
    receive: (path, { look, expected } = {}) => {
      const file = openOwn(path);
      try {
        const { size } = fstatSync(file);
        if (size > WHOLE_BYTES) return receiveInPieces(file, { path, look, expected, pool, incoming, received, note });
        const bytes = readWhole(file, (room ??= Buffer.allocUnsafeSlow(WHOLE_BYTES)).subarray(0, size));
        look?.(bytes);
        checkExpected(path, { size: bytes.length, sha256: sha256(bytes) }, expected);
        return keep(bytes);
      } finally {
        closeSync(file);
      }
    },
    settle: async () => {
      const all = [{ incoming, received }, ...beside];
      await pool.enter(all.flatMap((one) => Array.from(one.received, (digest) => ({ path: one.incoming.partial(digest), sha256: digest }))));
      for (const one of all) one.received.clear();
    },
    clear: () => {
      texts.close();
      for (const one of [{ incoming }, ...beside]) one.incoming.clear();
    },
    openBeside: () => {
      const own = `${owner}-${beside.length + 1}`;
      const digests = new Set<Sha256>();
      beside.push({ incoming: pool.receive(own), received: digests });
      return { owner: own, add: (more) => more.forEach((digest) => digests.add(digest)) };
    },
  };
}

type OnReceived = (sha256: Sha256, size: number) => void;

function flushingAhead(pool: Pool): OnReceived {
  let unflushed = 0;
  return (_, size) => {
    unflushed += size;
    if (unflushed < AHEAD_BYTES) return;
    unflushed = 0;
    pool.flushAhead();
  };
}

function readWhole(file: number, room: Buffer): Buffer {
  let length = 0;
  while (length < room.length) {
    const count = readSync(file, room, length, room.length - length, null);
    if (count === 0) break; // it was cut meanwhile
    length += count;
  }
  return room.subarray(0, length);
}

/** Opens a file of the user's. Throws E_NOT_FOUND or E_IO. */
function openOwn(path: string): number {
  try {
    return openSync(path, 'r');
  } catch (error) {
    if (hasCode(error, 'ENOENT')) {
      throw new ArtifactsError('E_NOT_FOUND', `There is no file "${path}"`, { cause: error });
    }
    throw fromSystemError(error, `reading ${path}`);
  }
}

interface Pieces extends ReceiveOptions {
  readonly path: string;
  readonly pool: Pool;
  readonly incoming: Incoming;
  readonly received: ReadonlySet<Sha256>;
  note(digest: Sha256, size: number): void;
}

function receiveInPieces(file: number, { path, look, expected, pool, incoming, received, note }: Pieces): Digested {
  const hash = createHash('sha256');
  const copy = incoming.unnamed();
  const size = durable.writeNewFile(copy, (write) => {
    for (const piece of pieces(file)) {
      hash.update(piece);
      look?.(piece);
      write(piece);
    }
  });
  const digest = hash.digest('hex') as Sha256;
  checkExpected(path, { size, sha256: digest }, expected);
  if (received.has(digest) || pool.has(digest)) {
    durable.removeFile(copy);
  } else {
    durable.moveFile(copy, incoming.partial(digest));
    note(digest, size);
  }
  return { size, sha256: digest };
}

/** Each in memory of its own: whoever looks may need several at once. */
function* pieces(file: number): Generator<Buffer> {
  for (;;) {
    const piece = Buffer.allocUnsafe(PIECE_BYTES);
    const count = readSync(file, piece, 0, PIECE_BYTES, null);
    if (count === 0) return;
    yield piece.subarray(0, count);
  }
}

/** Checks a file without keeping it. Throws E_HASH, E_SIZE, E_NOT_FOUND. */
export function checkFile(path: string, expected: Digested): void {
  const file = openOwn(path);
  try {
    const hash = createHash('sha256');
    let size = 0;
    for (const piece of pieces(file)) {
      hash.update(piece);
      size += piece.length;
    }
    checkExpected(path, { size, sha256: hash.digest('hex') as Sha256 }, expected);
  } finally {
    closeSync(file);
  }
}

function checkExpected(path: string, found: Digested, expected: Digested | undefined): void {
  if (expected === undefined) return;
  if (found.size !== expected.size) {
    throw new ArtifactsError('E_SIZE', `"${path}" has ${found.size} bytes, not the ${expected.size} that are listed`);
  }
  if (found.sha256 !== expected.sha256) throw new ArtifactsError('E_HASH', `"${path}" has not the SHA256 that is listed`);
}

/** A failure that is about this one file: others of the same call are still looked at, so that all are told at once. */
export function isAboutFile(error: unknown): error is ArtifactsError {
  return isArtifactsError(error) && !isArtifactsError(error, 'E_NO_SPACE') && !isArtifactsError(error, 'E_TOOL');
}
