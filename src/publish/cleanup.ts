/** Mark and sweep over catalog, pool and published pools. The caller holds the aptly lock. */
import { lstatSync } from 'node:fs';
import { join } from 'node:path';
import type { Catalog } from '../catalog/catalog.ts';
import type { LeafCache } from '../catalog/leaf-cache.ts';
import type { LockFolder } from '../catalog/lock.ts';
import type { Clock, Context } from '../core/context.ts';
import type { Sha256 } from '../core/digest.ts';
import type { Pool } from '../pool/index.ts';
import { pruneGenerations, type KeepRule } from './generations.ts';
import { unlinkShared } from './shared-files.ts';
import { sweepPublished } from './sweep-published.ts';
import { sweepTemporary } from './sweep-temporary.ts';
import { pruneTrees } from './trees.ts';

/** A file that is not needed now may belong to an update on its way, or be downloaded by a client: it stays this long. */
const GRACE_MILLISECONDS = 24 * 60 * 60 * 1000;

export interface CleanUpRequest {
  readonly catalog: Catalog;
  readonly pool: Pool;
  readonly cache: LeafCache;
  readonly publicRoot: string;
  readonly locks: LockFolder;
  /** For what need not outlive a run. */
  readonly temporary: string;
  readonly clock: Clock;
  readonly keep: KeepRule;
  readonly dryRun: boolean;
}

export interface CleanedUp {
  readonly dryRun: boolean;
  readonly records: number;
  readonly poolFiles: number;
  readonly poolBytes: number;
  readonly publishedFiles: number;
}

/** Removes what nothing refers to, or only counts it. Order: published names, catalog, pool: an interruption loses nothing. */
export function cleanUp(request: CleanUpRequest, ctx: Context): CleanedUp {
  const { catalog, dryRun } = request;
  if (!dryRun) pruneAll(request);
  const publishedFiles = sweepPublished({ ...request, grace: GRACE_MILLISECONDS }, ctx) + sweepArtifacts(request);
  const records = catalog.sweep.collect(dryRun);
  const pool = sweepPool(request, records.files, ctx);
  if (!dryRun) {
    const before = request.clock().getTime() - GRACE_MILLISECONDS;
    request.pool.removeAbandoned(before);
    sweepTemporary(request.temporary, { before, locks: request.locks });
    request.cache.keep(catalog.sweep.leafDigests());
    request.cache.keepFileLists(records.files);
    request.cache.keepSeenFiles(records.files);
  }
  return { dryRun, records: records.records, poolFiles: pool.files, poolBytes: pool.bytes, publishedFiles };
}

function pruneAll(request: CleanUpRequest): void {
  for (const { prefix, distribution } of request.catalog.publications.places()) {
    pruneGenerations({ publicRoot: request.publicRoot, prefix, distribution }, request);
  }
  for (const place of request.catalog.trees.places()) pruneTrees(place, request);
}

/** Revisions of artifacts that newer ones took the place of long ago, and what only they had among the shared files. */
function sweepArtifacts({ catalog, publicRoot, clock, keep, dryRun }: CleanUpRequest): number {
  const before = clock().getTime() - Math.max(GRACE_MILLISECONDS, keep.milliseconds);
  const gone = catalog.artifacts.superseded(new Date(before).toISOString());
  if (gone.length === 0) return 0;
  const numbers = new Set(gone.map(({ number }) => number));
  const held = new Set([...catalog.artifacts.eachFile(numbers)].map(({ path }) => path));
  const paths = new Set(gone.flatMap(({ files }) => files.map(({ path }) => path)).filter((path) => !held.has(path)));
  const shared = [...paths].filter((path) => !isInTree(path, publicRoot));
  if (dryRun) return shared.length;
  const removed = unlinkShared(shared, publicRoot);
  catalog.transaction(() => {
    for (const number of numbers) catalog.artifacts.drop(number);
  });
  return removed;
}

/** What lies behind a link belongs to a tree, which has generations of its own. */
function isInTree(path: string, publicRoot: string): boolean {
  const parts = path.split('/');
  return parts.some((_, index) => lstatSync(join(publicRoot, ...parts.slice(0, index)), { throwIfNoEntry: false })?.isSymbolicLink() === true);
}

function sweepPool(
  { pool, clock, dryRun }: CleanUpRequest,
  needed: ReadonlySet<Sha256>,
  ctx: Context,
): { readonly files: number; readonly bytes: number } {
  let files = 0;
  let bytes = 0;
  for (const { sha256, size, since } of pool.list()) {
    ctx.signal.throwIfAborted();
    if (needed.has(sha256) || clock().getTime() - since < GRACE_MILLISECONDS) continue;
    if (!dryRun) pool.remove(sha256);
    files += 1;
    bytes += size;
  }
  return { files, bytes };
}
