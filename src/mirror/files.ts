/** Package files: those the pool lacks, fetched in parallel, each on its own. */
import { existsSync, rmSync, statfsSync, statSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import type { Context } from '../core/context.ts';
import { sha256, type OtherDigest, type Sha256 } from '../core/digest.ts';
import { ArtifactsError } from '../core/errors.ts';
import type { FileRef } from '../core/package.ts';
import type { BundledFile } from '../formats/format.ts';
import { UNSIZED_LIMIT } from '../http/limits.ts';
import type { Downloaded, Upstream } from '../http/upstream.ts';
import type { Incoming, Pool } from '../pool/index.ts';
import { collectEarly, MANY_FILES } from '../util/collect-early.ts';
import type { MirrorDefinition } from './definition.ts';
import { counted } from '../util/counted.ts';
import * as durable from '../util/durable.ts';
import { hashFile } from '../util/hash-file.ts';
import type { Candidate } from './spool.ts';

/** Requests for each connection: somewhat more than one, so that none waits for us, and few, for each costs memory. */
const PER_CONNECTION = 1.5;

export interface FileTools {
  readonly mirror: MirrorDefinition;
  readonly upstream: Upstream;
  readonly pool: Pool;
  readonly incoming: Incoming;
}

interface Missing {
  /** Without a size its digest alone tells whether it is right. */
  readonly file: Pick<FileRef, 'sha256'> & { readonly size?: number };
  readonly location: string;
  /** The URL the location counts from; undefined: the upstream's. */
  readonly base?: string | undefined;
  /** What it is compared with instead of the SHA-256, which stands for it. */
  readonly other?: OtherDigest;
}

interface Fetched {
  readonly files: number;
  readonly bytes: number;
}

interface OthersFetched extends Fetched {
  /** The SHA-256 of each file that came by what stood for it. */
  readonly digests: ReadonlyMap<Sha256, Sha256>;
}

/** Fetches what the pool lacks of these packages. The first failure stops the rest; what came whole is kept. */
export async function fetchFiles(
  candidates: readonly Candidate[],
  tools: FileTools,
  ctx: Context,
): Promise<Fetched> {
  return fetchMissing(findMissing(candidates, tools), tools, ctx);
}

/** Fetches files that are listed with another digest. */
export async function fetchOthers(candidates: readonly Candidate[], tools: FileTools, ctx: Context): Promise<OthersFetched> {
  const digests = new Map<Sha256, Sha256>();
  const missing = new Map<Sha256, Missing>();
  for (const { files: [file], locations: [location = ''], base, checks } of candidates) {
    if (file !== undefined && checks?.other !== undefined) missing.set(file.sha256, { file, location, base, other: checks.other });
  }
  const onFile = ({ sha256 }: Downloaded, { file }: Missing): void => void digests.set(file.sha256, sha256);
  return { ...(await fetchMissing([...missing.values()], { ...tools, onFile }, ctx)), digests };
}

async function fetchMissing(missing: readonly Missing[], tools: FileTools & Pick<Fetching, 'onFile'>, ctx: Context): Promise<Fetched> {
  if (missing.length === 0) return { files: 0, bytes: 0 };
  const total = missing.reduce((sum, { file: { size = 0 } }) => sum + size, 0);
  checkSpace(tools, total);
  if (missing.length >= MANY_FILES) collectEarly();

  const progress = { id: `fetch ${tools.mirror.name}`, label: `${tools.mirror.name}: fetching ${counted(missing.length, 'file')}`, total };
  let done = 0;
  const onBytes = (count: number): void => {
    done += count;
    ctx.report({ type: 'progress', ...progress, done: Math.min(done, total), unit: 'bytes' });
  };
  const stop = new AbortController();
  const signal = AbortSignal.any([ctx.signal, stop.signal]);
  try {
    await fetchAll(missing, { ...tools, onBytes, stop }, { ...ctx, signal });
  } finally {
    await tools.incoming.settle();
    ctx.report({ type: 'progress-end', id: progress.id });
  }
  return { files: missing.length, bytes: total };
}

/** Bytes that are here already, on their way into the pool. */
export async function receiveBytes(bytes: Buffer, { pool, incoming }: Pick<FileTools, 'pool' | 'incoming'>): Promise<void> {
  const digest = sha256(bytes);
  if (pool.has(digest)) return;
  writeFileSync(incoming.partial(digest), bytes);
  await incoming.complete(digest);
  await incoming.settle();
}

/** A file whose size nobody tells, by its path, and what else is known of it. */
export type UnsizedFile = BundledFile & Pick<Missing, 'base' | 'other'>;

/** Fetches files whose sizes nobody tells: those that came show them. `what` they are is for progress. */
export async function fetchUnsized(files: readonly UnsizedFile[], tools: FileTools & Pick<Fetching, 'limit'> & { readonly what: string }, ctx: Context): Promise<OthersFetched> {
  const { pool, incoming, mirror, what } = tools;
  const missing = new Map<Sha256, Missing>();
  for (const { path, sha256, base, other } of files) {
    if (pool.has(sha256)) continue;
    const partial = incoming.partial(sha256);
    // A whole file of an interrupted run leaves nothing to ask for, and without its size that does not show.
    if (other !== undefined) rmSync(partial, { force: true });
    if (existsSync(partial) && (await hashFile(partial)) === sha256) await incoming.complete(sha256);
    else missing.set(sha256, { file: { sha256 }, location: path, base, ...(other === undefined ? {} : { other }) });
  }
  const stop = new AbortController();
  const signal = AbortSignal.any([ctx.signal, stop.signal]);
  const progress = { id: `fetch ${mirror.name}`, label: `${mirror.name}: fetching ${what}`, total: missing.size, unit: 'files' } as const;
  const digests = new Map<Sha256, Sha256>();
  let bytes = 0;
  let done = 0;
  const onFile = ({ size, sha256 }: Downloaded, { file }: Missing): void => {
    digests.set(file.sha256, sha256);
    bytes += size;
    done += 1;
    ctx.report({ type: 'progress', ...progress, done });
  };
  try {
    await fetchAll([...missing.values()], { ...tools, onFile, stop }, { ...ctx, signal });
  } finally {
    await incoming.settle();
    if (missing.size > 0) ctx.report({ type: 'progress-end', id: progress.id });
  }
  return { files: missing.size, bytes, digests };
}

/** A file of another size than listed is missing as well: either it is damaged, or the answer will prove the list wrong. */
function findMissing(candidates: readonly Candidate[], { mirror, pool }: FileTools): Missing[] {
  const missing = new Map<Sha256, Missing>();
  for (const { files, locations, base } of candidates) {
    for (const [index, file] of files.entries()) {
      const location = locations[index] ?? '';
      const before = missing.get(file.sha256);
      if (before !== undefined && before.file.size !== file.size) throw twoSizes(mirror, before, { file, location });
      if (before !== undefined || statSync(pool.path(file.sha256), { throwIfNoEntry: false })?.size === file.size) continue;
      missing.set(file.sha256, { file, location, base });
    }
  }
  return [...missing.values()];
}

function twoSizes(mirror: MirrorDefinition, first: Missing, second: Missing): ArtifactsError {
  const side = ({ file, location }: Missing): string => `${file.size} bytes as ${location}`;
  return new ArtifactsError('E_SIZE', `Mirror "${mirror.name}": ${first.file.sha256} is listed with ${side(first)} and ${side(second)}`, {
    hint: 'The upstream contradicts itself: tell whoever runs it, or filter one of the two out.',
  });
}

/** Better to refuse now than to fill the disk for everybody and fail in the end. */
function checkSpace({ mirror, incoming, pool }: FileTools, needed: number): void {
  const { bavail, bsize } = statfsSync(dirname(incoming.partial('' as Sha256)));
  const free = Number(bavail) * Number(bsize);
  if (free > needed) return;
  throw new ArtifactsError('E_NO_SPACE', `Mirror "${mirror.name}" needs ${needed} bytes more and ${free} are free at ${dirname(pool.path('00' as Sha256))}`, {
    hint: 'Free space, or run `artifacts db cleanup`, then run the same command again.',
  });
}

interface Fetching extends FileTools {
  readonly onBytes?: (count: number) => void;
  readonly onFile?: (fetched: Downloaded, missing: Missing) => void;
  readonly stop: AbortController;
  /** Bytes that are too many for a file without a size. */
  readonly limit?: number;
}

/** As many loops as requests may be under way, each with its next file when the last is done. */
async function fetchAll(missing: readonly Missing[], { upstream, incoming, onBytes, onFile, stop, limit = UNSIZED_LIMIT }: Fetching, ctx: Context): Promise<void> {
  let failure: { error: unknown } | undefined;
  const remaining = missing.values();
  const fetchOne = async (item: Missing): Promise<void> => {
    const { file, location, base, other } = item;
    const { sha256, ...size } = file;
    const partial = incoming.partial(sha256);
    const digest = other === undefined ? { sha256 } : { other };
    const wanted = { path: location, file: partial, isNew: incoming.isNew(sha256), limit, ...size, ...digest };
    const from = base === undefined ? upstream : upstream.elsewhere(base);
    const fetched = await from.download(onBytes === undefined ? wanted : { ...wanted, onBytes }, ctx);
    if (other !== undefined) durable.moveFile(partial, incoming.partial(fetched.sha256));
    await incoming.complete(fetched.sha256, fetched.size);
    onFile?.(fetched, item);
  };
  const fetchOnes = async (): Promise<void> => {
    try {
      for (const item of remaining) {
        if (failure !== undefined || ctx.signal.aborted) return;
        await fetchOne(item);
      }
    } catch (error) {
      failure ??= { error };
      stop.abort();
    }
  };
  await Promise.all(Array.from({ length: Math.ceil(upstream.parallel * PER_CONNECTION) }, fetchOnes));
  if (failure !== undefined) throw failure.error;
  ctx.signal.throwIfAborted();
}
