/** From files to records: read, unpacked in bulk, understood. Nothing is recorded here. */
import { existsSync, statSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Context } from '../core/context.ts';
import { ArtifactsError, isArtifactsError } from '../core/errors.ts';
import type { PackageRecord } from '../core/package.ts';
import type { LocalText, RepoFormat } from '../formats/format.ts';
import type { Pool } from '../pool/index.ts';
import { parseClearsigned } from '../sign/clearsigned.ts';
import type { Entrant } from './change.ts';
import type { FileKind, FoundFile } from './find-files.ts';
import { newEntrant, readPackages, withPath } from './read-packages.ts';
import { readInThreads } from './read-in-threads.ts';
import { checkFile, isAboutFile, type Receiver } from './receive.ts';

/** From so many packages on a further thread earns what starting it costs. */
const MANY_FILES = 512;

/** A text that describes a package or an upload; the longest in Debian have some 200 kB. */
const LARGEST_TEXT = 16 * 1024 * 1024;

export interface IntakeTools {
  readonly format: RepoFormat;
  readonly pool: Pool;
  readonly receiver: Receiver;
  /** What is known of files already, by their paths: they are not read. */
  readonly known: ReadonlyMap<string, Entrant>;
}

export interface Intake {
  readonly entrants: readonly Entrant[];
  /** Every file that became part of a package: those of the call, and the parts of source packages beside them. */
  readonly used: readonly string[];
}

/** Reads all files. Throws one error for all that are refused; what was read of the others is then of no use either. */
export async function takeIn(files: readonly FoundFile[], tools: IntakeTools, ctx: Context): Promise<Intake> {
  const progress = openProgress(files.length, ctx);
  const { known } = tools;
  const taking: Taking = { tools, progress, problems: [], entrants: [...known.values()], used: [...known.keys()] };
  const ofKind = (kind: FileKind): FoundFile[] => files.filter((file) => file.kind === kind && !known.has(file.path));
  try {
    await takePackages(ofKind('package'), taking, ctx);
    for (const file of ofKind('source')) await attempt(taking, () => takeSource(file, taking));
    for (const { path, expected } of ofKind('part')) await attempt(taking, () => expected && checkFile(path, expected));
  } finally {
    progress.end();
  }
  if (taking.problems.length > 0) throw refusal(taking.problems, files.length);
  const places = new Map(files.map(({ path }, place) => [path, place]));
  const placeOf = ({ origin }: Entrant): number => places.get(origin) ?? 0;
  return { entrants: taking.entrants.sort((a, b) => placeOf(a) - placeOf(b)), used: [...new Set(taking.used)] };
}

/** One failure as it is, several as one that lists them. */
export function refusal(problems: readonly ArtifactsError[], total: number): ArtifactsError {
  const [first] = problems;
  if (first === undefined) throw new Error('Nothing was refused');
  const { code, message, hint } = first;
  if (problems.length === 1) return new ArtifactsError(code, `${message}; nothing was added`, { ...(hint === undefined ? {} : { hint }), cause: first });
  return new ArtifactsError(code, `${problems.length} of ${total} files are refused; nothing was added`, {
    details: { problems: problems.map((problem) => problem.message) },
    cause: first,
  });
}

/** The text of a file that may be signed in the clear, without its signature, which nobody vouches for here. */
function unwrapped(bytes: Buffer, name: string): Buffer {
  try {
    return parseClearsigned(bytes, name).text;
  } catch (error) {
    if (isArtifactsError(error, 'E_UNSIGNED')) return bytes;
    throw error;
  }
}

/** What an intake has come to. */
interface Taking {
  readonly tools: IntakeTools;
  readonly progress: Progress;
  readonly problems: ArtifactsError[];
  readonly entrants: Entrant[];
  readonly used: string[];
}

/** Work on one file: what is wrong with it is kept for the end. */
async function attempt({ progress, problems }: Taking, work: () => unknown): Promise<void> {
  await progress.next();
  try {
    work();
  } catch (error) {
    if (!isAboutFile(error)) throw error;
    problems.push(error);
  }
}

async function takePackages(files: readonly FoundFile[], { tools, progress, problems, entrants, used }: Taking, ctx: Context): Promise<void> {
  const read = files.length < MANY_FILES ? readPackages : readInThreads;
  for (const { path, outcome } of await read(files, tools, { signal: ctx.signal, next: progress.next })) {
    if (isArtifactsError(outcome)) {
      problems.push(outcome);
    } else {
      entrants.push(outcome);
      used.push(path);
    }
  }
}

/** A source package: its parts lie beside it, or in the pool from an earlier version that shares them. */
function takeSource({ path, expected }: FoundFile, { tools, entrants, used }: Taking): void {
  const { format, pool, receiver } = tools;
  checkTextSize(path);
  const chunks: Buffer[] = [];
  const own = receiver.receive(path, { look: (chunk) => void chunks.push(Buffer.from(chunk)), expected });
  const bytes = Buffer.concat(chunks);
  const fileName = basename(path);
  const record = readSource({ fileName, bytes }, path, format);
  const found = [path];
  for (const part of record.files.filter(({ sha256 }) => sha256 !== own.sha256)) {
    const beside = join(dirname(path), part.name);
    if (existsSync(beside)) {
      receiver.receive(beside, { expected: part });
      found.push(beside);
    } else if (!pool.has(part.sha256)) {
      throw new ArtifactsError('E_NOT_FOUND', `${path}: ${part.name} is missing: neither beside it nor in the pool`);
    }
  }
  entrants.push(newEntrant(record, path));
  used.push(...found);
}

/** Before it is read: it is read whole. Throws E_TOO_LARGE. */
export function checkTextSize(path: string): void {
  checkFileSize(path, LARGEST_TEXT);
}

/** The same with another limit. */
export function checkFileSize(path: string, largest: number): void {
  const size = statSync(path, { throwIfNoEntry: false })?.size ?? 0;
  if (size > largest) throw new ArtifactsError('E_TOO_LARGE', `"${path}" has ${size} bytes, more than the ${largest} that such a file may have`);
}

function readSource({ fileName, bytes }: Omit<LocalText, 'text'>, path: string, format: RepoFormat): PackageRecord {
  if (format.local.readSource === undefined) throw new Error(`Source packages of ${format.id} are known and cannot be read`);
  try {
    return format.local.readSource({ fileName, bytes, text: unwrapped(bytes, fileName) });
  } catch (error) {
    throw withPath(error, path);
  }
}

/** Reading is done in one go, so now and then signals and reporters get their turn. */
const TURN = 64;

interface Progress {
  next(): Promise<void>;
  end(): void;
}

function openProgress(total: number, ctx: Context): Progress {
  let done = 0;
  return {
    next: async () => {
      done += 1;
      if (done % TURN !== 0) return;
      ctx.report({ type: 'progress', id: 'repo-intake', label: 'reading files', done, total, unit: 'files' });
      await nextTurn();
      ctx.signal.throwIfAborted();
    },
    end: () => ctx.report({ type: 'progress-end', id: 'repo-intake' }),
  };
}
