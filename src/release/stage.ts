/** Bringing one release to a site that has no way to the builder: from its signed manifest, every file verified. */
import { existsSync, readdirSync, rmSync, statfsSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { Context } from '../core/context.ts';
import { ArtifactsError } from '../core/errors.ts';
import { localTarget } from '../targets/local.ts';
import { OWN_FOLDER, type TargetSession } from '../targets/target.ts';
import * as durable from '../util/durable.ts';
import { hashFile } from '../util/hash-file.ts';
import { kindsOf, requireManifest, type FoundManifest, type PinnedKeys } from './availability.ts';
import { isHashed, planCopy, type CopyPlan, type Selection } from './copy-plan.ts';
import { prepare, type Delivery } from './deliver.ts';
import { kindFinder } from './kind-of-path.ts';
import type { ManifestFile } from './manifest.ts';
import type { ReadManifest } from './read-manifest.ts';
import { folderSource, type ReleaseSource } from './release-source.ts';

export interface StageRequest {
  readonly release: string;
  /** The folder that will be servable. */
  readonly to: string;
  /** Kinds of artifacts; undefined: all. */
  readonly only: readonly string[] | undefined;
  readonly pinned: PinnedKeys;
  /** Take a build that is older than the one that is there. */
  readonly allowOlder: boolean;
  readonly kinds: Delivery['kinds'];
}

export interface Staged {
  readonly release: string;
  readonly build: string;
  readonly result: 'unchanged' | 'staged';
  readonly files: number;
  /** Files and bytes that were not there yet. */
  readonly fetched: number;
  readonly bytes: number;
}

/** Makes the folder hold the release, switching to it last. A second run does nothing, an interrupted one is resumed. */
export async function stageRelease(request: StageRequest, source: ReleaseSource, ctx: Context): Promise<Staged> {
  const { release, to } = request;
  const found = await requireManifest(source, release, request.pinned, ctx);
  const { manifest } = found;
  const plan = planCopy(manifest, selectionOf(manifest, request.only));
  const session = await localTarget({ kind: 'local', name: 'stage', path: to }, {}).open(ctx);
  try {
    await refuseOlder(session, { ...request, build: manifest.build }, ctx);
    const incoming = join(to, OWN_FOLDER, 'incoming', manifest.digest.slice(0, 16));
    const missing = missingFiles(plan, to);
    checkSpace(missing, to);
    if (missing.length > 0) await fetchOnce(missing, { source, incoming }, ctx);
    const places = { shared: incoming, placed: incoming, buildFolder: keepManifest(found, incoming), temporary: join(to, OWN_FOLDER, 'tmp') };
    const delivery = { manifest, plan, ...places, kinds: request.kinds, clock: () => request.pinned.now };
    const { copied, pointers } = await prepare(session, delivery, ctx);
    await session.commit(pointers, ctx);
    rmSync(join(to, OWN_FOLDER, 'incoming'), { recursive: true, force: true });
    const bytes = missing.reduce((sum, { size }) => sum + size, 0);
    const result = copied.length === 0 && pointers.length === 0 ? 'unchanged' : 'staged';
    return { release, build: manifest.build, result, files: filesOf(plan).length, fetched: missing.length, bytes };
  } finally {
    await session[Symbol.asyncDispose]();
  }
}

export interface CheckedCopy {
  readonly release: string;
  readonly build: string;
  readonly files: number;
  /** One line each. */
  readonly problems: readonly string[];
}

/** Re-hashes everything a staged or pushed folder holds of a release. Throws as requireManifest. */
export async function checkCopy({ release, to, only, pinned }: Omit<StageRequest, 'kinds' | 'allowOlder'>, ctx: Context): Promise<CheckedCopy> {
  const { manifest } = await requireManifest(folderSource(to), release, pinned, ctx);
  const selected = selectionOf(manifest, only) ?? (() => true);
  const files = manifest.files.filter(({ path }) => selected(path));
  const problems: string[] = [];
  for (const { path, size, sha256 } of files) {
    ctx.signal.throwIfAborted();
    const found = statSync(join(to, path), { throwIfNoEntry: false });
    if (found === undefined) problems.push(`${path} is missing`);
    else if (found.size !== size) problems.push(`${path} has ${found.size} bytes, listed are ${size}`);
    else if ((await hashFile(join(to, path))) !== sha256) problems.push(`${path} has other bytes than listed`);
  }
  return { release, build: manifest.build, files: files.length, problems };
}

/** Enabled but missing is a failure, never less than was asked for. */
export function requireKinds(manifest: ReadManifest, wanted: readonly string[]): void {
  const there = kindsOf(manifest).map(({ kind }) => kind);
  const missing = wanted.filter((kind) => !there.includes(kind));
  if (missing.length === 0) return;
  throw new ArtifactsError('E_NOT_FOUND', `Release "${manifest.release}" has no artifacts of kind ${missing.join(', ')}`, { hint: `It has ${there.join(', ') || 'none'}.` });
}

function selectionOf(manifest: ReadManifest, only: readonly string[] | undefined): Selection {
  if (only === undefined) return undefined;
  requireKinds(manifest, only);
  const kindOf = kindFinder(manifest);
  return (path) => {
    const kind = kindOf(path);
    return kind === undefined || only.includes(kind);
  };
}

/** Whoever replays an old manifest, however well signed, takes security updates away. */
async function refuseOlder(session: TargetSession, { release, build, allowOlder }: { release: string; build: string; allowOlder: boolean }, ctx: Context): Promise<void> {
  const before = await session.readLink(`releases/${release}/latest`, ctx);
  if (before === undefined || before <= build || allowOlder) return;
  throw new ArtifactsError('E_ROLLBACK', `Release "${release}" is there as build ${before}, and ${build} is older`, { hint: 'Give --allow-older if that is wanted.' });
}

function filesOf({ hashed, shared, described, placed }: CopyPlan): readonly ManifestFile[] {
  return [...hashed, ...shared, ...described, ...placed];
}

/** A file of another size is fetched anew; other bytes under a name that holds no digest are refused when it is placed. */
function missingFiles({ hashed, shared, described, placed, folder }: CopyPlan, to: string): ManifestFile[] {
  const isThere = (path: string, size: number): boolean => statSync(path, { throwIfNoEntry: false })?.size === size;
  const copies = dirname(join(to, folder));
  const others = existsSync(copies) ? readdirSync(copies) : [];
  const isAlike = (file: ManifestFile): boolean => isHashed(file) && others.some((name) => isThere(join(copies, name, file.path), file.size));
  return [
    ...[...hashed, ...shared, ...described].filter(({ path, size }) => !isThere(join(to, path), size)),
    ...placed.filter((file) => !isThere(join(to, folder, file.path), file.size) && !isAlike(file)),
  ];
}

/** Equal files, such as an index and its name by digest, come once and get a second name. */
async function fetchOnce(missing: readonly ManifestFile[], { source, incoming }: { source: ReleaseSource; incoming: string }, ctx: Context): Promise<void> {
  const first = new Map<string, ManifestFile>();
  for (const file of missing) if (!first.has(file.sha256)) first.set(file.sha256, file);
  await source.fetch([...first.values()], incoming, ctx);
  for (const { path, sha256 } of missing) {
    const from = first.get(sha256)?.path ?? path;
    if (from === path) continue;
    durable.makeFolder(dirname(join(incoming, path)));
    durable.linkFile(join(incoming, from), join(incoming, path));
  }
}

function checkSpace(missing: readonly ManifestFile[], to: string): void {
  const needed = missing.reduce((sum, { size }) => sum + size, 0);
  const { bavail, bsize } = statfsSync(to);
  if (bavail * bsize > needed) return;
  throw new ArtifactsError('E_NO_SPACE', `${to} has ${bavail * bsize} bytes free, and the release needs ${needed} more`);
}

function keepManifest({ files }: FoundManifest, incoming: string): string {
  const folder = join(incoming, '.manifest');
  durable.makeFolder(folder);
  for (const [name, bytes] of files) writeFileSync(join(folder, name), bytes);
  return folder;
}
