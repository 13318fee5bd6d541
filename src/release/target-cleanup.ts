/** What may go from a target: copies that were replaced long ago, and the files that only they listed. */
import type { Context } from '../core/context.ts';
import { OWN_FOLDER, type TargetSession } from '../targets/target.ts';
import { COPIES, planCopy } from './copy-plan.ts';
import { readRecords, type KeptCopy } from './deliver.ts';
import { parseManifest, type ReadManifest } from './read-manifest.ts';

export interface TargetCleanup {
  /** `<release> <build>` of the copies that go. */
  readonly builds: readonly string[];
  /** Files that releases share and none of the remaining builds lists. */
  readonly files: readonly string[];
}

export interface CleanupRule {
  readonly now: Date;
  /** Milliseconds readers may stay in the middle of a copy that was replaced. */
  readonly keepFor: number;
  readonly dryRun: boolean;
}

/** Removes only what a manifest on the target lists, so nothing that was put there by hand. Order: files last, so that a manifest never lists what is gone. */
export async function cleanTarget(session: TargetSession, rule: CleanupRule, ctx: Context): Promise<TargetCleanup> {
  const copies = [...(await readRecords(session, ctx)).values()];
  const gone: KeptCopy[] = [];
  for (const ofRelease of copies) gone.push(...(await replacedCopies(session, ofRelease, rule, ctx)));
  const dropped: ReadManifest[] = [];
  for (const { release, build } of gone) {
    const manifest = await readManifest(session, release, build, ctx);
    if (manifest !== undefined) dropped.push(manifest);
  }
  const kept = await keptPaths(session, gone, ctx);
  const files = [...new Set(dropped.flatMap(sharedPaths))].filter((path) => !kept.has(path)).sort();
  if (!rule.dryRun && gone.length > 0) {
    await session.remove(gone.map(({ release, build }) => `releases/${release}/${build}`), ctx);
    await session.remove(gone.map(({ folder }) => folder), ctx);
    await session.remove(files, ctx);
  }
  if (!rule.dryRun) await session.remove([`${OWN_FOLDER}/new`], ctx); // of switches that were stopped; ours is the lock
  return { builds: gone.map(({ release, build }) => `${release} ${build}`).sort(), files };
}

/** A copy was replaced when its successor was prepared; one that nothing leads to and that has no successor was never switched to. */
async function replacedCopies(session: TargetSession, copies: readonly KeptCopy[], { now, keepFor }: CleanupRule, ctx: Context): Promise<KeptCopy[]> {
  const sorted = copies.toSorted((a, b) => (a.preparedAt < b.preparedAt ? -1 : 1));
  const replaced: KeptCopy[] = [];
  for (const [index, copy] of sorted.entries()) {
    const since = new Date((sorted[index + 1] ?? copy).preparedAt).getTime();
    if (now.getTime() - since > keepFor && !(await isServed(session, copy, ctx))) replaced.push(copy);
  }
  return replaced;
}

async function isServed(session: TargetSession, { release, build, places, folder }: KeptCopy, ctx: Context): Promise<boolean> {
  if ((await session.readLink(`releases/${release}/latest`, ctx)) === build) return true;
  const name = folder.slice(COPIES.length);
  for (const place of places) if ((await session.readLink(place, ctx))?.includes(`${name}/`) === true) return true;
  return false;
}

/** What any other build on the target lists, pushed by whomever. */
async function keptPaths(session: TargetSession, gone: readonly KeptCopy[], ctx: Context): Promise<ReadonlySet<string>> {
  const kept = new Set<string>();
  for (const release of await session.list('releases', ctx)) {
    for (const build of await session.list(`releases/${release}`, ctx)) {
      if (gone.some((copy) => copy.release === release && copy.build === build)) continue;
      const manifest = build === 'latest' ? undefined : await readManifest(session, release, build, ctx);
      for (const path of manifest === undefined ? [] : sharedPaths(manifest)) kept.add(path);
    }
  }
  return kept;
}

async function readManifest(session: TargetSession, release: string, build: string, ctx: Context): Promise<ReadManifest | undefined> {
  const bytes = await session.read(`releases/${release}/${build}/manifest.json`, ctx);
  return bytes === undefined ? undefined : parseManifest(bytes);
}

function sharedPaths(manifest: ReadManifest): string[] {
  const { hashed, shared } = planCopy(manifest);
  return [...hashed, ...shared].map(({ path }) => path);
}
