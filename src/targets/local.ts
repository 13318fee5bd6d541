/** A folder of this machine as a target: files are linked where the file system allows, and copied elsewhere. */
import { copyFileSync, mkdirSync, readdirSync, readFileSync, readlinkSync, realpathSync, renameSync, rmSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { Context } from '../core/context.ts';
import { ArtifactsError, fromSystemError, hasCode } from '../core/errors.ts';
import * as durable from '../util/durable.ts';
import { hashFile } from '../util/hash-file.ts';
import { exitStatusOf, startCommand } from '../util/run-command.ts';
import { safeJoin } from '../util/safe-path.ts';
import { lineReader } from './lines.ts';
import { LOCK_WAIT, OWN_FOLDER, type Batch, type BatchFile, type LocalDefinition, type Pointer, type Target, type TargetSession, type TargetTools } from './target.ts';

/** Files placed between two looks at whether somebody wants to stop. */
const TURN = 64;

export function localTarget({ name, path }: LocalDefinition, tools: Pick<TargetTools, 'lockWait'>): Target {
  return {
    name,
    where: path,
    open: async (ctx) => {
      durable.makeFolderDurably(join(path, OWN_FOLDER));
      return session(path, await holdLock(path, tools.lockWait ?? LOCK_WAIT, ctx));
    },
  };
}

/** flock(1) holds it for us: the kernel drops it with the process, and that ends when its input does. */
async function holdLock(root: string, wait: number, ctx: Context): Promise<() => Promise<void>> {
  const file = join(root, OWN_FOLDER, 'lock');
  const holder = startCommand('flock', ['-w', String(wait), '-E', '75', file, 'sh', '-c', 'echo held; cat >/dev/null'], { signal: ctx.signal });
  holder.stdin.on('error', () => {}); // it may be gone already
  if ((await lineReader(holder.stdout)()) !== 'held') {
    await holder.ended.catch((error: unknown) => {
      throw exitStatusOf(error) === 75 ? lockedTarget(root) : error;
    });
  }
  return async () => {
    holder.stdin.end();
    await holder.ended.catch(() => {}); // whoever was cancelled has let go of it as well
  };
}

export function lockedTarget(where: string): ArtifactsError {
  return new ArtifactsError('E_LOCKED', `Another publisher is at work on ${where}`, { hint: 'Run the same command again when it is done.' });
}

function session(root: string, release: () => Promise<void>): TargetSession {
  return {
    stage: async (batch, ctx) => {
      const like = batch.unique ? (batch.like ?? []).map((folder) => join(root, folder)) : [];
      const placed = await eachFile(batch, ctx, (file, here) => place(file, { here, there: join(root, batch.there), unique: batch.unique, like }));
      if (placed.length > 0) await durable.flushAll(root);
      return placed;
    },
    fetch: async ({ here, there, files }, ctx) => {
      const back = { here: join(root, there), there: here, files, unique: true };
      await eachFile(back, ctx, (file, from) => place(file, { here: from, there: here, unique: true, like: [] }));
    },
    keep: async (names) => {
      for (const { from, to } of names) keepName(safeJoin(root, from), safeJoin(root, to));
    },
    read: async (path) => readIfThere(() => readFileSync(safeJoin(root, path)), path),
    readLink: async (path) => readIfThere(() => readlinkSync(safeJoin(root, path)), path),
    list: async (folder) => readIfThere(() => readdirSync(safeJoin(root, folder)).sort(), folder) ?? [],
    commit: async (pointers) => {
      for (const pointer of pointers) point(root, pointer);
    },
    remove: async (paths) => {
      for (const path of paths) durable.removeTree(safeJoin(root, path));
    },
    [Symbol.asyncDispose]: release,
  };
}

async function eachFile(
  { here, files }: Batch,
  ctx: Context,
  work: (file: BatchFile, from: string) => Promise<boolean>,
): Promise<readonly string[]> {
  const done: string[] = [];
  for (const [index, file] of files.entries()) {
    if (index % TURN === 0) ctx.signal.throwIfAborted();
    if (await work(file, safeJoin(here, file.path))) done.push(file.path);
  }
  return done;
}

interface Placing {
  /** The file. */
  readonly here: string;
  /** The folder its path is below. */
  readonly there: string;
  readonly unique: boolean;
  readonly like: readonly string[];
}

async function place(file: BatchFile, { here, there, unique, like }: Placing): Promise<boolean> {
  const goal = safeJoin(there, file.path);
  const found = statSync(goal, { throwIfNoEntry: false });
  if (found !== undefined && (await isSame(goal, found.size, file, unique))) return false;
  if (found !== undefined && !unique) throw otherBytes(goal);
  durable.makeFolder(dirname(goal));
  const temporary = `${goal}.new~`;
  rmSync(temporary, { force: true });
  const alike = like.map((folder) => safeJoin(folder, file.path)).find((path) => statSync(path, { throwIfNoEntry: false })?.size === file.size);
  const from = alike ?? realpathSync(here);
  if (!linked(from, temporary)) copy(from, temporary);
  durable.moveFile(temporary, goal);
  return true;
}

async function isSame(goal: string, size: number, file: BatchFile, unique: boolean): Promise<boolean> {
  return size === file.size && (unique || (await hashFile(goal)) === file.sha256);
}

export function otherBytes(path: string): ArtifactsError {
  return new ArtifactsError('E_CONFLICT', `${path} is there already with other bytes`, {
    hint: 'A file that other releases may refer to is never replaced: give one of the two another name.',
  });
}

/** False where a second name is impossible: another file system, or one without hard links. */
function linked(from: string, to: string): boolean {
  try {
    return durable.linkFile(from, to);
  } catch {
    return false;
  }
}

function copy(from: string, to: string): void {
  durable.step(() => {
    try {
      copyFileSync(from, to);
    } catch (error) {
      rmSync(to, { force: true });
      throw fromSystemError(error, `writing ${to}`);
    }
  });
}

function keepName(from: string, to: string): void {
  mkdirSync(dirname(to), { recursive: true });
  if (statSync(from, { throwIfNoEntry: false }) !== undefined) durable.linkFile(from, to);
}

function point(root: string, pointer: Pointer): void {
  const path = safeJoin(root, pointer.path);
  durable.makeFolderDurably(dirname(path));
  if (pointer.kind === 'link') {
    if (readIfThere(() => readlinkSync(path), path) !== pointer.to) durable.switchLink(path, pointer.to);
    return;
  }
  durable.step(() => renameSync(safeJoin(root, pointer.from), path));
  durable.flushFolder(dirname(path));
}

function readIfThere<T>(read: () => T, what: string): T | undefined {
  try {
    return read();
  } catch (error) {
    if (hasCode(error, 'ENOENT', 'ENOTDIR', 'EINVAL')) return undefined; // EINVAL: no link
    throw fromSystemError(error, `reading ${what}`);
  }
}
