/**
 * Reading many packages in several threads: this one and others take the next few files in turn (decision 22). A thread
 * hands over records, and has put the files beside the pool; whether they enter it is decided here.
 */
import { availableParallelism } from 'node:os';
import { ArtifactsError, isArtifactsError } from '../core/errors.ts';
import type { Sha256 } from '../core/digest.ts';
import type { PackageRecord, RecordDigest } from '../core/package.ts';
import { formatOf } from '../formats/index.ts';
import { openPool, type Pool } from '../pool/index.ts';
import { SpooledRecord, type Spool } from '../catalog/spool.ts';
import { startThread, type ThreadPort } from '../util/thread.ts';
import type { Entrant } from './change.ts';
import type { FoundFile } from './find-files.ts';
import { readPackages, type ReadFile, type ReadingCourse, type ReadingTools } from './read-packages.ts';
import { openReceiver } from './receive.ts';

/** Files that a thread takes at a time: as many as a tool should unpack together, few enough that all end at about the same time. */
const BLOCK = 128;
/** Beyond these the disk is what is waited for. */
const MOST_THREADS = 3;

export interface ThreadedTools extends ReadingTools {
  readonly pool: Pool;
}

/** What a thread is given. */
export interface ReadingTask {
  readonly format: string;
  readonly folders: readonly string[];
  readonly owner: string;
  readonly files: readonly FoundFile[];
  /** Number of the next block. */
  readonly counter: SharedArrayBuffer;
}

/** The same as `readPackages`, on all processors. */
export async function readInThreads(files: readonly FoundFile[], tools: ThreadedTools, course: ReadingCourse): Promise<ReadFile[]> {
  const { format, pool, receiver } = tools;
  const counter = new SharedArrayBuffer(4);
  const blocks: ReadFile[][] = [];
  const threads = Array.from({ length: Math.min(availableParallelism() - 1, MOST_THREADS) }, () => {
    const beside = receiver.openBeside();
    const task: ReadingTask = { format: format.id, folders: pool.folders, owner: beside.owner, files, counter };
    return startThread<ReadBlock>('readPackages', task, ({ at, outcomes, received, texts }) => {
      beside.add(received);
      blocks[at] = outcomes.map((outcome) => unpacked(outcome, texts, receiver.texts));
    });
  });
  try {
    await readBlocks({ files, counter }, async (block, at) => {
      const found = await readPackages(block, tools, course);
      blocks[at] = found.map(({ path, outcome }) => ({ path, outcome: isArtifactsError(outcome) ? outcome : spooled(recordOf(outcome), outcome, receiver.texts) }));
    });
    await Promise.all(threads.map(({ ended }) => ended));
  } finally {
    await Promise.all(threads.map((thread) => thread.stop()));
  }
  course.signal.throwIfAborted();
  return blocks.flat();
}

/** What a thread does. */
export async function readInThread({ format, folders, owner, files, counter }: ReadingTask, port: ThreadPort<ReadBlock>): Promise<void> {
  const received: Sha256[] = [];
  const receiver = openReceiver(openPool(folders), owner, (sha256) => received.push(sha256));
  const course = { signal: new AbortController().signal, next: async () => {} };
  await readBlocks({ files, counter }, async (block, at) => {
    const found = await readPackages(block, { format: formatOf(format), receiver }, course);
    // Memory of its own, for it is handed over.
    const texts = new Uint8Array(found.reduce((sum, { outcome }) => sum + (isArtifactsError(outcome) ? 0 : outcome.size), 0));
    let end = 0;
    const outcomes = found.map(({ path, outcome }): PackedOutcome => {
      if (isArtifactsError(outcome)) return { path, error: plainError(outcome) };
      const { text, ...record } = recordOf(outcome);
      const start = end;
      end += text.length;
      texts.set(text, start);
      return { path, record, digest: outcome.digest, start, end };
    });
    port.send({ at, outcomes, received: received.splice(0), texts }, [texts.buffer]);
  });
}

async function readBlocks({ files, counter }: Pick<ReadingTask, 'files' | 'counter'>, read: (block: readonly FoundFile[], at: number) => Promise<void>): Promise<void> {
  const next = new Int32Array(counter);
  for (;;) {
    const at = Atomics.add(next, 0, 1);
    const block = files.slice(at * BLOCK, (at + 1) * BLOCK);
    if (block.length === 0) return;
    await read(block, at);
  }
}

/** A block on its way from thread to thread; the texts of its records stand one after another in memory that is handed over. */
export interface ReadBlock {
  readonly at: number;
  readonly outcomes: readonly PackedOutcome[];
  readonly received: readonly Sha256[];
  readonly texts: Uint8Array;
}

type PackedOutcome =
  | { readonly path: string; readonly record: Omit<PackageRecord, 'text'>; readonly digest: RecordDigest; readonly start: number; readonly end: number }
  | { readonly path: string; readonly error: PlainError };

/** What of an error goes from thread to thread. */
type PlainError = Pick<ArtifactsError, 'code' | 'message' | 'hint' | 'details'>;

function recordOf(outcome: Entrant): PackageRecord {
  if (typeof outcome.source === 'number') throw new Error('What was read has no number yet');
  return outcome.source;
}

function plainError({ code, message, hint, details }: ArtifactsError): PlainError {
  return { code, message, hint, details };
}

function unpacked(one: PackedOutcome, texts: Uint8Array, spool: Spool): ReadFile {
  const { path } = one;
  if ('error' in one) return { path, outcome: errorFrom(one.error) };
  const { record, digest, start, end } = one;
  const text = Buffer.from(texts.buffer, texts.byteOffset + start, end - start);
  return { path, outcome: spooled({ ...record, text }, { origin: path, digest }, spool) };
}

/** An entrant whose text waits on disk. */
function spooled(record: PackageRecord, { origin, digest }: Pick<Entrant, 'origin' | 'digest'>, spool: Spool): Entrant {
  const source = new SpooledRecord(record, spool.append(record.text), digest);
  const { partition, name, version, architecture, files, size } = source;
  return { partition, name, version, architecture, files, digest, size, origin, source };
}

function errorFrom({ code, message, hint, details }: PlainError): ArtifactsError {
  return new ArtifactsError(code, message, { ...(hint === undefined ? {} : { hint }), ...(details === undefined ? {} : { details }) });
}
