/**
 * The one module that changes what lies on disk. Its rule: a file appears complete under its name or not at all, and
 * what was acknowledged survives a power cut (write beside the goal, flush, rename, flush the folder).
 *
 * Every change is a numbered step. With ARTIFACTS_KILL_AT=N in the environment the process kills itself before step N,
 * with N+ after it, so that tests can stop a run at each of its steps and look at what is left.
 */
import {
  closeSync,
  existsSync,
  fsyncSync,
  linkSync,
  mkdirSync,
  openSync,
  readdirSync,
  renameSync,
  rmSync,
  symlinkSync,
  unlinkSync,
  writeSync,
} from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { fromSystemError, hasCode } from '../core/errors.ts';
import { runCommand } from './run-command.ts';

/** Below this many files, flushing each is cheaper than flushing a file system that others write to as well. */
const FEW_FILES = 32;

const killAt = process.env['ARTIFACTS_KILL_AT'];
let steps = 0;

/** Counts one change of state and performs it; the place where a test's kill strikes. */
export function step<T>(change: () => T): T {
  steps += 1;
  if (killAt === String(steps)) process.kill(process.pid, 'SIGKILL');
  const result = change();
  if (killAt === `${steps}+`) process.kill(process.pid, 'SIGKILL');
  return result;
}

/** How many steps this process has made. */
export function stepCount(): number {
  return steps;
}

/** Creates the folder and its parents. Not flushed. */
export function makeFolder(path: string): void {
  guard(`creating ${path}`, () => makeFolders(path));
}

/** Creates the folder and its parents so that they last: for the way to something that is flushed itself. */
export function makeFolderDurably(path: string): void {
  const first = guard(`creating ${path}`, () => makeFolders(path));
  if (first === undefined) return;
  for (let folder = path; folder.length >= first.length; folder = dirname(folder)) flush(dirname(folder));
}

/**
 * Replaces or creates a file: all of the bytes or none. Flushed when it returns, its folder included. Writers of one file
 * take turns: whoever calls this holds a lock.
 */
export function writeFileDurably(path: string, bytes: Uint8Array | string, mode = 0o644): void {
  const temporary = writeTemporary(path, bytes, mode);
  step(() => guard(`writing ${path}`, () => renameSync(temporary, path)));
  flushFolder(dirname(path));
}

function writeTemporary(path: string, bytes: Uint8Array | string, mode: number): string {
  const temporary = temporaryFor(path);
  try {
    step(() =>
      guard(`writing ${path}`, () => {
        const file = openSync(temporary, 'w', mode);
        try {
          writeAll(file, typeof bytes === 'string' ? Buffer.from(bytes) : bytes);
          fsyncSync(file);
        } finally {
          closeSync(file);
        }
      }),
    );
  } catch (error) {
    rmSync(temporary, { force: true });
    throw error;
  }
  return temporary;
}

/** Always the same name for a goal, so that what a killed run leaves is taken over by the next and nothing piles up. */
function temporaryFor(path: string): string {
  return join(dirname(path), `.${basename(path)}.tmp`);
}

/**
 * Writes a file that is not there yet from the pieces `produce` hands over; returns its size. Not flushed: for files of a
 * tree that is flushed as a whole before anybody is pointed to it.
 */
export function writeNewFile(path: string, produce: (write: (bytes: Uint8Array) => void) => void): number {
  let size = 0;
  step(() =>
    guard(`writing ${path}`, () => {
      const file = openNew(path);
      try {
        produce((bytes) => {
          writeAll(file, bytes);
          size += bytes.length;
        });
      } finally {
        closeSync(file);
      }
    }),
  );
  return size;
}

/** The folder is there for all but the first of many. */
function openNew(path: string): number {
  try {
    return openSync(path, 'wx', 0o644);
  } catch (error) {
    if (!hasCode(error, 'ENOENT')) throw error;
    makeFolders(dirname(path));
    return openSync(path, 'wx', 0o644);
  }
}

/** Adds a line to a file that only grows; it lasts when this returns. */
export function appendLine(path: string, line: string): void {
  makeFolderDurably(dirname(path));
  step(() =>
    guard(`writing ${path}`, () => {
      const file = openSync(path, 'a', 0o640);
      try {
        writeAll(file, Buffer.from(`${line}\n`));
        fsyncSync(file);
      } finally {
        closeSync(file);
      }
    }),
  );
}

/** Writes all bytes, however many calls that takes. */
export function writeAll(file: number, bytes: Uint8Array): void {
  for (let done = 0; done < bytes.length; ) done += writeSync(file, bytes, done);
}

/** Makes the symbolic link point to `target` in one atomic step, whether it existed or not. Callers take turns, as above. */
export function switchLink(link: string, target: string): void {
  const temporary = temporaryFor(link);
  rmSync(temporary, { force: true });
  guard(`switching ${link}`, () => symlinkSync(target, temporary));
  step(() => guard(`switching ${link}`, () => renameSync(temporary, link)));
  flushFolder(dirname(link));
}

/** Gives a file a second name. False when the name exists already. Not flushed: see flushAll. */
export function linkFile(from: string, to: string): boolean {
  return step(() =>
    guard(`linking ${to}`, () => {
      try {
        linkSync(from, to);
        return true;
      } catch (error) {
        if (hasCode(error, 'EEXIST')) return false;
        throw error;
      }
    }),
  );
}

/** Makes a symbolic link. False when the name exists already. */
export function linkSymbolically(target: string, link: string): boolean {
  return step(() =>
    guard(`linking ${link}`, () => {
      try {
        symlinkSync(target, link);
        return true;
      } catch (error) {
        if (hasCode(error, 'EEXIST')) return false;
        throw error;
      }
    }),
  );
}

/** Moves a finished, flushed file or folder to its place. Not flushed: see flushAll. */
export function moveFile(from: string, to: string): void {
  step(() => guard(`moving ${to}`, () => renameSync(from, to)));
}

/** Removes a file; no error when there is none. */
export function removeFile(path: string): void {
  step(() =>
    guard(`removing ${path}`, () => {
      try {
        unlinkSync(path);
      } catch (error) {
        if (!hasCode(error, 'ENOENT')) throw error;
      }
    }),
  );
}

/** Removes a folder and all below it; no error when there is none. */
export function removeTree(path: string): void {
  step(() => guard(`removing ${path}`, () => rmSync(path, { recursive: true, force: true })));
}

/** Flushes these files: one by one when they are few, else their whole file system at once. */
export async function flushFiles(paths: readonly string[], folder: string): Promise<void> {
  if (paths.length > FEW_FILES) return flushAll(folder);
  for (const path of paths) flush(path);
}

/** Flushes everything written to the file system that holds the folder. */
export async function flushAll(folder: string): Promise<void> {
  await runCommand('sync', ['-f', folder]);
}

/** Flushes a folder, so that names created, renamed or removed in it last. */
export function flushFolder(path: string): void {
  flush(path);
}

/** Flushes the whole tree below a folder: its files and folders. */
export async function flushTree(folder: string): Promise<void> {
  const entries = readdirSync(folder, { recursive: true, withFileTypes: true });
  if (entries.length > FEW_FILES) return flushAll(folder);
  for (const entry of entries) {
    if (!entry.isSymbolicLink()) flush(join(entry.parentPath, entry.name));
  }
  flush(folder);
}

function flush(path: string): void {
  guard(`flushing ${path}`, () => {
    const file = openSync(path, 'r');
    try {
      fsyncSync(file);
    } finally {
      closeSync(file);
    }
  });
}

function guard<T>(doing: string, change: () => T): T {
  try {
    return change();
  } catch (error) {
    throw fromSystemError(error, doing);
  }
}

/** The first folder that was made; undefined when all were there. */
function makeFolders(path: string): string | undefined {
  try {
    return mkdirSync(path, { recursive: true });
  } catch (error) {
    // Node calls a disk that is read-only by the name of a missing folder; a single folder gets the system's own answer.
    if (hasCode(error, 'ENOENT')) mkdirSync(firstMissing(path));
    throw error;
  }
}

function firstMissing(path: string): string {
  const parent = dirname(path);
  return parent === path || existsSync(parent) ? path : firstMissing(parent);
}
