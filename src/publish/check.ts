/** Whether catalog, pool and published trees are whole and agree with each other. Changes nothing but mirrors' trust. */
import type { Catalog } from '../catalog/catalog.ts';
import type { Publication } from '../catalog/publications.ts';
import type { Clock, Context } from '../core/context.ts';
import type { Sha256 } from '../core/digest.ts';
import type { FileRef } from '../core/package.ts';
import type { Pool } from '../pool/index.ts';
import { fileChecker } from './check-file.ts';
import { isServing } from './generations.ts';
import { isTreeServed } from './trees.ts';
import { verifyPublication } from './verify.ts';

export interface CheckRequest {
  readonly catalog: Catalog;
  readonly pool: Pool;
  readonly publicRoot: string;
  readonly clock: Clock;
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
  const database = catalog.sweep.problems();
  const pool = await checkPool(request, ctx);
  const publications = catalog.publications.list();
  const published: string[][] = [];
  for (const publication of publications) published.push(await checkPublication(publication, request, ctx));
  const intents = catalog.publications.intents();
  const interrupted = intents.map(({ prefix, distribution }) => `publication ${prefix} ${distribution}: a switch was interrupted; the next change puts it right`);
  const problems = [...database, ...pool.problems, ...checkTrees(request), ...published.flat(), ...interrupted];
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
  const check = fileChecker({ hash: deep });
  const problems: string[] = [];
  let records = 0;
  for (const { file, isRecord } of neededFiles(catalog)) {
    if (isRecord) records += 1;
    if (seen.has(file.sha256)) continue;
    seen.add(file.sha256);
    ctx.signal.throwIfAborted();
    const problem = await check(pool.path(file.sha256), file);
    if (problem === undefined) continue;
    lost.add(file.sha256);
    problems.push(`pool: ${file.name} (${file.sha256}) ${problem}`);
  }
  return { records, files: seen.size, problems, lost };
}

interface NeededFile {
  readonly file: FileRef;
  readonly isRecord: boolean;
}

function* neededFiles(catalog: Catalog): Generator<NeededFile> {
  for (const file of catalog.records.eachFile()) yield { file, isRecord: true };
  for (const file of catalog.artifacts.eachFile()) yield { file: { ...file, name: file.path }, isRecord: false };
  for (const { place, files } of catalog.trees.list()) {
    for (const file of files) yield { file: { ...file, name: `${place}/${file.path}` }, isRecord: false };
  }
}

/** Whether clients see what is recorded as served. */
function checkTrees({ catalog, publicRoot }: CheckRequest): string[] {
  const unseen = catalog.trees.list().filter((tree) => !isTreeServed(tree, publicRoot));
  return [
    ...unseen.map(({ place, number }) => `${place}: generation ${number} is not what is served`),
    ...catalog.trees.coming().map(({ place }) => `${place}: a switch was interrupted; the next change puts it right`),
  ];
}

/** The served tree as a client sees it. */
async function checkPublication(publication: Publication, { catalog, publicRoot, deep, clock }: CheckRequest, ctx: Context): Promise<string[]> {
  const name = `publication ${publication.prefix} ${publication.distribution}`;
  if (!isServing({ publicRoot, ...publication }, publication)) return [`${name}: generation ${publication.generation} is not what is served`];
  const request = { catalog, publicRoot, now: clock(), check: fileChecker({ hash: deep }), unpack: deep };
  const { problems } = await verifyPublication(publication, request, ctx);
  return problems.map(({ path, problem }) => `${name}: ${path} ${problem}`);
}

function distrustMirrors(catalog: Catalog, lost: ReadonlySet<Sha256>): void {
  if (lost.size === 0) return;
  for (const mirror of catalog.mirrors.list()) {
    const members = catalog.contents.allMembers(mirror.content.id);
    const needs = members.some((id) => catalog.records.head(id).files.some(({ sha256 }) => lost.has(sha256)));
    if (needs) catalog.transaction(() => catalog.mirrors.distrust(mirror.name));
  }
}
