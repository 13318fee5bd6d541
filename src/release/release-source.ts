/** Where a release is copied from: a server, a folder, a target. What comes is not believed before it is verified. */
import { copyFileSync, constants, readFileSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import PQueue from 'p-queue';
import type { Context } from '../core/context.ts';
import { ArtifactsError, fromSystemError, hasCode } from '../core/errors.ts';
import type { Upstream } from '../http/upstream.ts';
import type { TargetSession } from '../targets/index.ts';
import * as durable from '../util/durable.ts';
import { hashFile } from '../util/hash-file.ts';
import { safeJoin } from '../util/safe-path.ts';
import type { ManifestFile } from './manifest.ts';
import { MANIFEST_LIMIT } from './read-manifest.ts';

export interface ReleaseSource extends AsyncDisposable {
  /** For people, without secrets. */
  readonly where: string;
  /** A small file. Undefined only when the source answers that it has none; silence and errors throw E_FETCH. */
  read(path: string, ctx: Context): Promise<Buffer | undefined>;
  /**
   * Brings files below the folder, each under its path and verified by size and digest; what an interrupted run left there
   * is taken up again. The first failure stops the rest. A file that is not there is E_FETCH: the
   * release is not absent, its copy is not whole. Throws E_HASH, E_SIZE.
   */
  fetch(files: readonly ManifestFile[], folder: string, ctx: Context): Promise<void>;
}

/** A published tree on a web server. */
export function httpSource(upstream: Upstream, where: string): ReleaseSource {
  return {
    where,
    read: async (path, ctx) => {
      const answer = await upstream.fetchSmall(path, { limit: MANIFEST_LIMIT }, ctx);
      return answer.status === 'ok' ? answer.bytes : undefined;
    },
    fetch: (files, folder, ctx) => eachVerified(files, upstream.parallel, ctx, (file, count, inner) => download(upstream, { file, folder, count, where }, inner)),
    [Symbol.asyncDispose]: () => upstream.close(),
  };
}

/** A published tree in a folder: a mounted disk. */
export function folderSource(root: string): ReleaseSource {
  return {
    where: root,
    read: async (path) => {
      try {
        return readFileSync(safeJoin(root, path));
      } catch (error) {
        // A disk that is not there has nothing to say about what is on it.
        if (hasCode(error, 'ENOENT', 'ENOTDIR') && statSync(root, { throwIfNoEntry: false })?.isDirectory() === true) return undefined;
        throw hasCode(error, 'ENOENT', 'ENOTDIR') ? new ArtifactsError('E_FETCH', `There is no folder ${root}`) : fromSystemError(error, `reading ${path}`);
      }
    },
    fetch: (files, folder, ctx) =>
      eachVerified(files, 1, ctx, async (file, count) => {
        const to = safeJoin(folder, file.path);
        durable.makeFolder(dirname(to));
        copy(safeJoin(root, file.path), to, file.path);
        await verify(to, file, root);
        count(file.size);
      }),
    [Symbol.asyncDispose]: async () => {},
  };
}

/** A published tree on a target that releases are pushed to. */
export function targetSource(session: TargetSession, where: string): ReleaseSource {
  return {
    where,
    read: (path, ctx) => session.read(path, ctx),
    fetch: async (files, folder, ctx) => {
      await session.fetch({ here: folder, there: '', files, unique: true }, ctx);
      for (const file of files) await verify(join(folder, file.path), file, where);
    },
    [Symbol.asyncDispose]: () => session[Symbol.asyncDispose](),
  };
}

interface Downloading {
  readonly file: ManifestFile;
  readonly folder: string;
  readonly count: (bytes: number) => void;
  readonly where: string;
}

async function download(upstream: Upstream, { file, folder, count, where }: Downloading, ctx: Context): Promise<void> {
  const { isAbsentError } = await import('../http/upstream.ts');
  const { path, size, sha256 } = file;
  const to = safeJoin(folder, path);
  durable.makeFolder(dirname(to));
  try {
    await upstream.download({ path, file: to, size, sha256, onBytes: count }, ctx);
  } catch (error) {
    throw isAbsentError(error) ? missing(path, where) : error;
  }
}

type Fetch = (file: ManifestFile, count: (bytes: number) => void, ctx: Context) => Promise<void>;

async function eachVerified(files: readonly ManifestFile[], parallel: number, ctx: Context, fetch: Fetch): Promise<void> {
  const total = files.reduce((sum, { size }) => sum + size, 0);
  let done = 0;
  const count = (bytes: number): void => {
    done += bytes;
    ctx.report({ type: 'progress', id: 'copy', label: `copying ${files.length} files`, done: Math.min(done, total), total, unit: 'bytes' });
  };
  const stop = new AbortController();
  const inner = { ...ctx, signal: AbortSignal.any([ctx.signal, stop.signal]) };
  const queue = new PQueue({ concurrency: parallel });
  let failure: { readonly error: unknown } | undefined;
  for (const file of files) {
    if (queue.size > parallel * 4) await queue.onSizeLessThan(parallel);
    if (inner.signal.aborted) break;
    void queue.add(async () => {
      if (inner.signal.aborted) return;
      try {
        await fetch(file, count, inner);
      } catch (error) {
        failure ??= { error };
        stop.abort();
      }
    });
  }
  await queue.onIdle();
  ctx.report({ type: 'progress-end', id: 'copy' });
  ctx.signal.throwIfAborted();
  if (failure !== undefined) throw failure.error;
}

function copy(from: string, to: string, path: string): void {
  try {
    copyFileSync(from, to, constants.COPYFILE_FICLONE);
  } catch (error) {
    throw hasCode(error, 'ENOENT', 'ENOTDIR') ? missing(path, dirname(from)) : fromSystemError(error, `copying ${path}`);
  }
}

async function verify(path: string, file: ManifestFile, where: string): Promise<void> {
  const size = statSync(path, { throwIfNoEntry: false })?.size;
  if (size === undefined) throw missing(file.path, where);
  if (size !== file.size) throw different('E_SIZE', file.path, where);
  if ((await hashFile(path)) !== file.sha256) throw different('E_HASH', file.path, where);
}

function missing(path: string, where: string): ArtifactsError {
  return new ArtifactsError('E_FETCH', `${where} lacks ${path}, which the manifest lists`, {
    hint: 'That copy of the release is not complete: push it again, or copy from elsewhere.',
  });
}

function different(code: 'E_SIZE' | 'E_HASH', path: string, where: string): ArtifactsError {
  return new ArtifactsError(code, `${path} at ${where} is not what the manifest lists`, {
    hint: 'That copy of the release is damaged: push it again, or copy from elsewhere.',
  });
}
