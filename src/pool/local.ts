import { chmodSync, copyFileSync, constants, existsSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { parseSha256, type Sha256 } from '../core/digest.ts';
import { hasCode } from '../core/errors.ts';
import * as durable from '../util/durable.ts';
import type { Incoming, Pool, PoolEntry, ReceivedFile } from './pool.ts';

/** Files are moved into the pool in bulks of this many, or when this many bytes have come together. */
const BULK_FILES = 4096;
const BULK_BYTES = 256 * 1024 * 1024;

/** A pool in a local folder: `<2 hex>/<64 hex>`, and `incoming/<owner>/<64 hex>` for what is on its way. */
export function openLocalPool(folder: string): Pool {
  const made = new Set<string>();
  let flushing: Promise<void> | undefined;
  // Asked for each of many thousand files: put together by hand, for `join` takes longer than the rest.
  const root = join(folder, '/');
  const place = (sha256: Sha256): string => `${root}${sha256.slice(0, 2)}/${sha256}`;
  const move = async (files: readonly ReceivedFile[]): Promise<void> => {
    await durable.flushFiles(files.map(({ path }) => path), folder);
    for (const { path, sha256 } of files) {
      const prefix = sha256.slice(0, 2);
      if (!made.has(prefix)) durable.makeFolder(root + prefix);
      made.add(prefix);
      chmodSync(path, 0o444);
      durable.moveFile(path, place(sha256));
    }
  };
  return {
    folders: [folder],
    has: (sha256) => existsSync(place(sha256)),
    path: place,
    link: (sha256, to) => linkOrCopy(place(sha256), to),
    receive: (owner) => receive(join(folder, 'incoming', owner), folder, move),
    enter: async (files) => {
      if (files.length === 0) return;
      await move(files);
      await durable.flushAll(folder);
    },
    flushAhead: () => {
      // What it fails at, `enter` fails at too.
      flushing ??= durable.flushAll(folder).catch(() => {}).finally(() => (flushing = undefined));
    },
    list: () => listPool(folder),
    remove: (sha256) => durable.removeFile(place(sha256)),
    removeAbandoned: (before) => removeAbandoned(join(folder, 'incoming'), before),
  };
}

/**
 * A pool that reads from `base` and writes to a folder of its own, so that a read-only run can work over the real pool
 * without changing even a link count in it: names for files of the base are symbolic links.
 */
export function openOverlayPool(base: Pool, folder: string): Pool {
  const own = openLocalPool(folder);
  return {
    ...own,
    folders: [folder, ...base.folders],
    has: (sha256) => own.has(sha256) || base.has(sha256),
    path: (sha256) => (own.has(sha256) ? own.path(sha256) : base.path(sha256)),
    link: (sha256, to) =>
      own.has(sha256) ? own.link(sha256, to) : durable.linkSymbolically(base.path(sha256), to),
  };
}

/** The pool with these folders. */
export function openPool(folders: readonly string[]): Pool {
  const [folder, ...below] = folders;
  if (folder === undefined) throw new Error('A pool needs a folder');
  return below.length === 0 ? openLocalPool(folder) : openOverlayPool(openPool(below), folder);
}

/** Links, or copies where the goal lies on another file system or the link count is exhausted. */
function linkOrCopy(from: string, to: string): boolean {
  try {
    return durable.linkFile(from, to);
  } catch (error) {
    if (!hasCode(error, 'EXDEV', 'EMLINK')) throw error;
  }
  if (existsSync(to)) return false;
  const temporary = `${to}.${process.pid}.tmp`;
  copyFileSync(from, temporary, constants.COPYFILE_FICLONE);
  durable.moveFile(temporary, to);
  return true;
}

function receive(incoming: string, folder: string, move: (files: readonly ReceivedFile[]) => Promise<void>): Incoming {
  let waiting: Sha256[] = [];
  let bytes = 0;
  let settling: Promise<void> = Promise.resolve();
  let moved = false;
  let unnamed = 0;
  durable.makeFolder(incoming);

  const left = new Set(readdirSync(incoming));
  const own = join(incoming, '/');
  const partial = (sha256: Sha256): string => own + sha256;
  const moveBulk = async (): Promise<void> => {
    const bulk = waiting;
    waiting = [];
    bytes = 0;
    if (bulk.length === 0) return;
    await move(bulk.map((sha256) => ({ path: partial(sha256), sha256 })));
    moved = true;
  };
  const startBulk = (): Promise<void> => (settling = settling.then(moveBulk));

  return {
    partial,
    isNew: (sha256) => !left.has(sha256),
    unnamed: () => join(incoming, `unnamed-${(unnamed += 1)}`),
    complete: async (sha256, size = statSync(partial(sha256)).size) => {
      waiting.push(sha256);
      bytes += size;
      if (waiting.length >= BULK_FILES || bytes >= BULK_BYTES) await startBulk();
    },
    settle: async () => {
      await startBulk();
      if (moved) await durable.flushAll(folder);
      moved = false;
    },
    clear: () => durable.removeTree(incoming),
  };
}

function removeAbandoned(incoming: string, before: number): void {
  if (!existsSync(incoming)) return;
  for (const owner of readdirSync(incoming)) {
    for (const name of readdirSync(join(incoming, owner))) {
      const file = join(incoming, owner, name);
      if ((statSync(file, { throwIfNoEntry: false })?.mtimeMs ?? before) < before) durable.removeFile(file);
    }
  }
}

function* listPool(folder: string): Generator<PoolEntry> {
  if (!existsSync(folder)) return;
  for (const prefix of readdirSync(folder)) {
    if (!/^[0-9a-f]{2}$/.test(prefix)) continue;
    for (const name of readdirSync(join(folder, prefix))) {
      const digest = parseSha256(name);
      if (digest === undefined) continue;
      const { size, mtimeMs } = statSync(join(folder, prefix, name));
      yield { sha256: digest, size, since: mtimeMs };
    }
  }
}
