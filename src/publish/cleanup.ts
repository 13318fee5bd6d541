/** Mark and sweep over catalog, pool and published pools. The caller holds the aptly lock. */
import type { Catalog } from '../catalog/catalog.ts';
import type { LeafCache } from '../catalog/leaf-cache.ts';
import type { Clock, Context } from '../core/context.ts';
import type { Sha256 } from '../core/digest.ts';
import type { Pool } from '../pool/index.ts';
import { pruneGenerations, type KeepRule } from './generations.ts';
import { sweepPublished } from './sweep-published.ts';

/** A file that is not needed now may belong to an update on its way, or be downloaded by a client: it stays this long. */
const GRACE_MILLISECONDS = 24 * 60 * 60 * 1000;

export interface CleanUpRequest {
  readonly catalog: Catalog;
  readonly pool: Pool;
  readonly cache: LeafCache;
  readonly publicRoot: string;
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
  const publishedFiles = sweepPublished({ ...request, grace: GRACE_MILLISECONDS }, ctx);
  const records = catalog.sweep.collect(dryRun);
  const pool = sweepPool(request, records.files, ctx);
  if (!dryRun) {
    request.pool.removeAbandoned(request.clock().getTime() - GRACE_MILLISECONDS);
    request.cache.keep(catalog.sweep.leafDigests());
    request.cache.keepFileLists(records.files);
  }
  return { dryRun, records: records.records, poolFiles: pool.files, poolBytes: pool.bytes, publishedFiles };
}

function pruneAll(request: CleanUpRequest): void {
  for (const { prefix, distribution } of request.catalog.publications.places()) {
    pruneGenerations({ publicRoot: request.publicRoot, prefix, distribution }, request);
  }
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
