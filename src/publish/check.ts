/** Whether catalog, pool and published trees are whole and agree with each other. Changes nothing but mirrors' trust. */
import { createHash } from 'node:crypto';
import { createReadStream, statSync } from 'node:fs';
import { join } from 'node:path';
import type { Catalog } from '../catalog/catalog.ts';
import type { Publication } from '../catalog/publications.ts';
import type { Context } from '../core/context.ts';
import type { Sha256 } from '../core/digest.ts';
import { formatOf } from '../formats/index.ts';
import type { Pool } from '../pool/index.ts';
import { isServing } from './generations.ts';
import { distributionLink, prefixFolder, type Place } from './layout.ts';

export interface CheckRequest {
  readonly catalog: Catalog;
  readonly pool: Pool;
  readonly publicRoot: string;
  /** Read and hash every file. */
  readonly deep: boolean;
}

export interface CheckResult {
  readonly ok: boolean;
  readonly records: number;
  readonly files: number;
  readonly publications: number;
  /** One line each. */
  readonly problems: readonly string[];
}

/** Every problem there is, in words. Mirrors that hold a lost file will read everything again at their next update. */
export async function checkState(request: CheckRequest, ctx: Context): Promise<CheckResult> {
  const { catalog } = request;
  const problems = catalog.sweep.problems();
  const pool = await checkPool(request, ctx);
  problems.push(...pool.problems);
  const publications = catalog.publications.list();
  for (const publication of publications) problems.push(...(await checkPublication(publication, request, ctx)));
  for (const { prefix, distribution } of catalog.publications.intents()) {
    problems.push(`publication ${prefix} ${distribution}: a switch was interrupted; the next change puts it right`);
  }
  distrustMirrors(catalog, pool.lost);
  return { ok: problems.length === 0, records: pool.records, files: pool.files, publications: publications.length, problems };
}

interface PoolCheck {
  readonly records: number;
  readonly files: number;
  readonly problems: readonly string[];
  readonly lost: ReadonlySet<Sha256>;
}

async function checkPool({ catalog, pool, deep }: CheckRequest, ctx: Context): Promise<PoolCheck> {
  const seen = new Set<Sha256>();
  const lost = new Set<Sha256>();
  const problems: string[] = [];
  let records = 0;
  for (const file of catalog.records.eachFile()) {
    records += 1;
    if (seen.has(file.sha256)) continue;
    seen.add(file.sha256);
    ctx.signal.throwIfAborted();
    const problem = await checkFile(pool.path(file.sha256), file, deep);
    if (problem === undefined) continue;
    lost.add(file.sha256);
    problems.push(`pool: ${file.name} (${file.sha256}) ${problem}`);
  }
  return { records, files: seen.size, problems, lost };
}

async function checkFile(path: string, { size, sha256 }: { size: number; sha256: Sha256 }, deep: boolean): Promise<string | undefined> {
  const found = statSync(path, { throwIfNoEntry: false });
  if (found === undefined) return 'is missing';
  if (found.size !== size) return `has ${found.size} bytes instead of ${size}`;
  if (deep && (await hashFile(path)) !== sha256) return 'has other bytes than it should';
  return undefined;
}

async function hashFile(path: string): Promise<string> {
  const hash = createHash('sha256');
  for await (const chunk of createReadStream(path, { highWaterMark: 1024 * 1024 })) hash.update(chunk as Buffer);
  return hash.digest('hex');
}

/** Served generation: its link, its indexes, and a name in the published pool for every package file. */
async function checkPublication(publication: Publication, request: CheckRequest, ctx: Context): Promise<string[]> {
  const { catalog, publicRoot, deep } = request;
  const { publishing } = formatOf(publication.format);
  const place: Place = { publicRoot, prefix: publication.prefix, distribution: publication.distribution };
  const name = `publication ${publication.prefix} ${publication.distribution}`;
  if (!isServing(place, publication)) return [`${name}: generation ${publication.generation} is not what is served`];
  const problems: string[] = [];
  const served = catalog.publications
    .generations(publication.prefix, publication.distribution)
    .find(({ number }) => number === publication.generation);
  const expect = async (path: string, file: { size: number; sha256: Sha256 }): Promise<void> => {
    const problem = await checkFile(path, file, deep);
    if (problem !== undefined) problems.push(`${name}: ${path} ${problem}`);
  };
  const link = distributionLink(place, publishing);
  for (const index of served?.indexes ?? []) {
    await expect(join(link, index.path), index);
    await expect(join(link, publishing.hashedPath(index.path, index.sha256)), index);
  }
  for (const content of served?.contents ?? []) {
    for (const id of catalog.contents.allMembers(content)) {
      ctx.signal.throwIfAborted();
      const record = catalog.records.head(id);
      for (const [index, path] of publishing.poolPaths(record).entries()) {
        const file = record.files[index];
        if (file !== undefined) await expect(join(prefixFolder(place), path), file);
      }
    }
  }
  return problems;
}

function distrustMirrors(catalog: Catalog, lost: ReadonlySet<Sha256>): void {
  if (lost.size === 0) return;
  for (const mirror of catalog.mirrors.list()) {
    const members = catalog.contents.allMembers(mirror.content.id);
    const needs = members.some((id) => catalog.records.head(id).files.some(({ sha256 }) => lost.has(sha256)));
    if (needs) catalog.transaction(() => catalog.mirrors.distrust(mirror.name));
  }
}
