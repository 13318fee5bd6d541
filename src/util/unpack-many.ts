/** Unpacking many small pieces: one process of a tool for hundreds of them, where one for each would take most of the time. */
import { randomBytes, randomInt } from 'node:crypto';
import { gunzipSync } from 'node:zlib';
import { ArtifactsError, hasCode, isArtifactsError } from '../core/errors.ts';
import { exitStatusOf, runCommand } from './run-command.ts';
import type { Packing } from './packing.ts';
import { UNPACKERS, type Tool, type ToolPacking } from './unpack.ts';

export interface PackedPiece {
  readonly packing: Packing;
  readonly bytes: Buffer;
  /** Plain bytes beyond which it is refused. */
  readonly limit: number;
}

/** Packed bytes that go through a tool at a time. */
const BATCH_BYTES = 4 * 1024 * 1024;
/** Plain bytes of a batch; above it the pieces are unpacked one by one, each against its own limit. */
const BATCH_PLAIN_BYTES = 64 * 1024 * 1024;

/** As fast as they can: what is packed is a mark between two pieces. */
const PACKERS: Readonly<Record<ToolPacking, Tool>> = { xz: ['xz', '-0c', '-T1'], bz2: ['bzip2', '-1c'], zst: ['zstd', '-1cq'] };

/** What became of a piece. */
export interface Unpacked<Piece extends PackedPiece> {
  readonly piece: Piece;
  /** Its plain bytes, or what is wrong with it: E_FORMAT when it is damaged, E_TOO_LARGE when it is beyond its limit. */
  readonly plain: Buffer | ArtifactsError;
}

/**
 * Unpacks pieces, those of one packing together. Each comes out as soon as it is unpacked, in an order that is always the
 * same, and is not kept here: all of them at once could be more than there is memory. Throws E_TOOL when a tool is missing.
 */
export async function* unpackMany<Piece extends PackedPiece>(pieces: readonly Piece[], signal: AbortSignal): AsyncGenerator<Unpacked<Piece>> {
  const waiting = new Map<ToolPacking, Piece[]>();
  for (const piece of pieces) {
    if (piece.packing === 'none') yield { piece, plain: withinLimit(piece.bytes, piece) };
    else if (piece.packing === 'gz') yield { piece, plain: gunzip(piece) };
    else if (!waiting.get(piece.packing)?.push(piece)) waiting.set(piece.packing, [piece]);
  }
  for (const [packing, list] of waiting) {
    for (const batch of batches(list)) {
      const together = await unpackBatch(packing, batch, signal);
      for (const [index, piece] of batch.entries()) {
        const plain = together === undefined ? await unpackAlone(packing, piece, signal) : withinLimit(together[index] ?? Buffer.alloc(0), piece);
        yield { piece, plain };
      }
    }
  }
}

function withinLimit(plain: Buffer, { limit }: PackedPiece): Buffer | ArtifactsError {
  return plain.length > limit ? tooLarge(limit) : plain;
}

function gunzip({ bytes, limit }: PackedPiece): Buffer | ArtifactsError {
  try {
    return gunzipSync(bytes, { maxOutputLength: limit });
  } catch (error) {
    if (hasCode(error, 'ERR_BUFFER_TOO_LARGE')) return tooLarge(limit);
    return damaged('gz', error);
  }
}

function* batches<Piece extends PackedPiece>(pieces: readonly Piece[]): Generator<Piece[]> {
  let batch: Piece[] = [];
  let bytes = 0;
  for (const piece of pieces) {
    batch.push(piece);
    bytes += piece.bytes.length;
    if (bytes < BATCH_BYTES) continue;
    yield batch;
    batch = [];
    bytes = 0;
  }
  if (batch.length > 0) yield batch;
}

/**
 * All pieces through one process. The formats may be strung together; where one piece ends in the output is told by a
 * random mark packed between them, so that no piece can hold it. Undefined when any of them is damaged or too large.
 */
async function unpackBatch(packing: ToolPacking, pieces: readonly PackedPiece[], signal: AbortSignal): Promise<Buffer[] | undefined> {
  if (pieces.length < 2) return undefined;
  // A random length too: a piece that is cut short must not be able to swallow a mark of a length it knows.
  const mark = randomBytes(randomInt(48, 160));
  const packed = await run(PACKERS[packing], mark, { signal });
  const input = Buffer.concat(pieces.flatMap((piece) => [piece.bytes, packed]));
  try {
    const parts = split(await run(UNPACKERS[packing], input, { signal, limit: BATCH_PLAIN_BYTES }), mark);
    return parts.length === pieces.length + 1 && parts.at(-1)?.length === 0 ? parts.slice(0, -1) : undefined;
  } catch (error) {
    if (!isAboutInput(error)) throw error;
    return undefined; // one by one they tell which of them it is
  }
}

function split(bytes: Buffer, mark: Buffer): Buffer[] {
  const parts: Buffer[] = [];
  let at = 0;
  for (let found = bytes.indexOf(mark); found !== -1; found = bytes.indexOf(mark, at)) {
    parts.push(bytes.subarray(at, found));
    at = found + mark.length;
  }
  return [...parts, bytes.subarray(at)];
}

async function unpackAlone(packing: ToolPacking, { bytes, limit }: PackedPiece, signal: AbortSignal): Promise<Buffer | ArtifactsError> {
  try {
    return await run(UNPACKERS[packing], bytes, { signal, limit });
  } catch (error) {
    if (!isAboutInput(error)) throw error;
    return isArtifactsError(error, 'E_TOO_LARGE') ? tooLarge(limit) : damaged(packing, error);
  }
}

/** Not when the tool could not even be started, or somebody stopped it. */
function isAboutInput(error: unknown): boolean {
  return isArtifactsError(error, 'E_TOO_LARGE') || exitStatusOf(error) !== undefined;
}

async function run(command: Tool, input: Buffer, options: { signal: AbortSignal; limit?: number }): Promise<Buffer> {
  const [name, ...args] = command;
  return (await runCommand(name, args, { ...options, input })).stdout;
}

function tooLarge(limit: number): ArtifactsError {
  return new ArtifactsError('E_TOO_LARGE', `unpacks to more than ${limit} bytes`);
}

function damaged(packing: Packing, cause: unknown): ArtifactsError {
  const why = cause instanceof Error ? `: ${cause.message}` : '';
  return new ArtifactsError('E_FORMAT', `is no whole ${packing} stream${why}`, { cause });
}
