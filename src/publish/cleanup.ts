/** Mark and sweep over catalog, pool and published pools. The caller holds the aptly lock. */
import { existsSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import type { Catalog } from '../catalog/catalog.ts';
import type { LeafCache } from '../catalog/leaf-cache.ts';
import type { Clock, Context } from '../core/context.ts';
import type { Sha256 } from '../core/digest.ts';
import { formatOf } from '../formats/index.ts';
import type { Pool } from '../pool/index.ts';
import * as durable from '../util/durable.ts';
import { pruneGenerations, type KeepRule } from './generations.ts';
import { prefixFolder } from './layout.ts';

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
  const publishedFiles = sweepPublished(request, ctx);
  const records = catalog.sweep.collect(dryRun);
  const pool = sweepPool(request, records.files, ctx);
  if (!dryRun) request.cache.keep(catalog.sweep.leafDigests());
  return { dryRun, records: records.records, poolFiles: pool.files, poolBytes: pool.bytes, publishedFiles };
}

function pruneAll(request: CleanUpRequest): void {
  for (const { prefix, distribution } of request.catalog.publications.places()) {
    pruneGenerations({ publicRoot: request.publicRoot, prefix, distribution }, request);
  }
}

/** Files in a published pool that no kept generation of its prefix refers to. */
function sweepPublished({ catalog, publicRoot, clock, dryRun }: CleanUpRequest, ctx: Context): number {
  let removed = 0;
  for (const { prefix, format, contents } of catalog.publications.prefixes()) {
    const { publishing } = formatOf(format);
    const folder = prefixFolder({ publicRoot, prefix });
    const needed = new Set<string>();
    for (const content of contents) {
      for (const id of catalog.contents.allMembers(content)) {
        for (const path of publishing.poolPaths(catalog.records.head(id))) needed.add(join(folder, path));
      }
    }
    for (const path of listFiles(join(folder, publishing.folders.pool))) {
      ctx.signal.throwIfAborted();
      // A link shares the times of its file: the change of the link count tells when it was made.
      if (needed.has(path) || clock().getTime() - statSync(path).ctimeMs < GRACE_MILLISECONDS) continue;
      if (!dryRun) durable.removeFile(path);
      removed += 1;
    }
  }
  return removed;
}

function listFiles(folder: string): string[] {
  if (!existsSync(folder)) return [];
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => !entry.isDirectory())
    .map((entry) => join(entry.parentPath, entry.name));
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
