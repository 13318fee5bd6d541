/** Pushing a release to targets: all are prepared, then all are switched. */
import { existsSync, mkdtempSync, realpathSync, rmSync, statSync, symlinkSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { dirname, join, sep } from 'node:path';
import type { Clock, Context } from '../core/context.ts';
import { ArtifactsError, isArtifactsError, type ErrorCode } from '../core/errors.ts';
import type { Target, TargetSession } from '../targets/index.ts';
import * as durable from '../util/durable.ts';
import { hashFile } from '../util/hash-file.ts';
import { planCopy, type CopyPlan } from './copy-plan.ts';
import { prepare, type Delivery, type Prepared } from './deliver.ts';
import type { ManifestFile } from './manifest.ts';
import { parseManifest, type ReadManifest } from './read-manifest.ts';

export interface PushTools {
  readonly publicRoot: string;
  readonly temporary: string;
  /** Where what was transferred is written down. */
  readonly logs: string;
  readonly clock: Clock;
  readonly kinds: Delivery['kinds'];
  /** Asked only when something must be signed anew. */
  sign(text: string): Promise<Buffer>;
}

export interface Pushed {
  readonly release: string;
  readonly build: string;
  readonly files: number;
  readonly bytes: number;
  readonly targets: readonly PushedTarget[];
}

export interface PushedTarget {
  readonly name: string;
  readonly where: string;
  /** `planned` of a dry run. */
  readonly state: 'planned' | 'unchanged' | 'switched' | 'failed';
  readonly copied: number;
  /** Links and lists that were switched, in their order. */
  readonly switched: readonly string[];
  /** The list of what changed. */
  readonly log?: string;
  readonly error?: { readonly code: ErrorCode; readonly message: string };
}

/** A release as it lies below the public folder, every file looked at. */
interface LocalRelease extends Disposable {
  readonly delivery: Delivery;
}

/** What a push would do; connects to nothing. */
export async function planPush(release: string, targets: readonly Target[], tools: PushTools): Promise<Pushed> {
  const { manifest } = await readLocal(release, tools);
  const planned = targets.map(({ name, where }): PushedTarget => ({ name, where, state: 'planned', copied: 0, switched: [] }));
  return { ...summary(manifest), targets: planned };
}

/**
 * Copies the latest complete build to all targets. When one cannot be prepared, none is switched: its error is thrown,
 * and all serve what they served. A switch that fails is told in the result.
 */
export async function pushRelease(release: string, targets: readonly Target[], tools: PushTools, ctx: Context): Promise<Pushed> {
  const { manifest, plan } = await readLocal(release, tools);
  using local = await openLocal(manifest, plan, tools, ctx);
  const open: OpenTarget[] = [];
  try {
    // In one order, so that two publishers do not wait for each other for ever.
    for (const target of targets.toSorted((a, b) => (a.where < b.where ? -1 : 1))) open.push({ target, session: await target.open(ctx) });
    const prepared = await prepareAll(open, local, ctx);
    const results: PushedTarget[] = [];
    for (const one of prepared) results.push(await switchOne({ ...one, manifest }, tools, ctx));
    return { ...summary(manifest), targets: results };
  } finally {
    for (const { session } of open) await session[Symbol.asyncDispose]();
  }
}

interface OpenTarget {
  readonly target: Target;
  readonly session: TargetSession;
}

/** All side by side, and all of them ended when it returns or throws. */
async function prepareAll(open: readonly OpenTarget[], local: LocalRelease, ctx: Context): Promise<(OpenTarget & { readonly prepared: Prepared })[]> {
  const results = await Promise.allSettled(
    open.map(async ({ target, session }) => ({ target, session, prepared: await prepareOne(target, session, local, ctx) })),
  );
  return results.map((result) => {
    if (result.status === 'rejected') throw result.reason;
    return result.value;
  });
}

function summary({ release, build, files }: ReadManifest): Omit<Pushed, 'targets'> {
  return { release, build, files: files.length, bytes: files.reduce((sum, { size }) => sum + size, 0) };
}

async function readLocal(release: string, { publicRoot }: PushTools): Promise<{ manifest: ReadManifest; plan: CopyPlan }> {
  const file = join(publicRoot, 'releases', release, 'latest', 'manifest.json');
  if (!existsSync(file)) {
    throw new ArtifactsError('E_NOT_FOUND', `Release "${release}" has no complete build`, { hint: `Run \`artifacts build --release ${release}\` first.` });
  }
  const manifest = parseManifest(await readFile(file));
  return { manifest, plan: planCopy(manifest) };
}

/** The folders that the places lead to now, under one roof; they are of one generation each and do not change. */
async function openLocal(manifest: ReadManifest, plan: CopyPlan, tools: PushTools, ctx: Context): Promise<LocalRelease> {
  const { publicRoot, temporary, kinds } = tools;
  ctx.report({ type: 'phase', subject: manifest.release, text: 'looking at its files' });
  durable.makeFolder(temporary);
  const placed = mkdtempSync(join(temporary, 'push-'));
  const close = (): void => rmSync(placed, { recursive: true, force: true });
  try {
    for (const place of plan.places) {
      durable.makeFolder(dirname(join(placed, place)));
      symlinkSync(realpathSync(join(publicRoot, place)), join(placed, place));
    }
    for (const file of plan.hashed) await checkFile(publicRoot, file, { read: false, publicRoot });
    for (const file of [...plan.shared, ...plan.described]) await checkFile(publicRoot, file, { read: true, publicRoot });
    for (const file of plan.placed) await checkFile(placed, file, { read: true, publicRoot });
  } catch (error) {
    close();
    throw error;
  }
  const buildFolder = join(publicRoot, plan.buildFolder);
  return { delivery: { manifest, plan, shared: publicRoot, placed, buildFolder, kinds, sign: (text) => tools.sign(text), temporary, clock: tools.clock }, [Symbol.dispose]: close };
}

/** Files named by their digest were checked when they came; of these the size is enough. A link out of the tree is followed for nobody. */
async function checkFile(folder: string, file: ManifestFile, { read, publicRoot }: { readonly read: boolean; readonly publicRoot: string }): Promise<void> {
  const path = join(folder, file.path);
  const found = statSync(path, { throwIfNoEntry: false });
  const same = found?.isFile() === true && found.size === file.size && (!read || (await hashFile(path)) === file.sha256);
  if (!same) {
    throw new ArtifactsError('E_CONFLICT', `${file.path} is not as the manifest lists it`, {
      hint: 'Somebody published since, or the tree is damaged: build the release, or run `artifacts publish verify`.',
    });
  }
  if (read && !`${realpathSync(path)}${sep}`.startsWith(`${realpathSync(publicRoot)}${sep}`)) {
    throw new ArtifactsError('E_PATH', `${file.path} leads out of the published tree`);
  }
}

async function prepareOne(target: Target, session: TargetSession, { delivery }: LocalRelease, ctx: Context): Promise<Prepared> {
  ctx.report({ type: 'phase', subject: target.name, text: `copying ${delivery.manifest.files.length} files` });
  try {
    return await prepare(session, delivery, ctx);
  } catch (error) {
    if (!isArtifactsError(error)) throw error;
    const hint = error.hint === undefined ? 'Nothing was switched.' : `Nothing was switched. ${error.hint}`;
    throw new ArtifactsError(error.code, `Target "${target.name}": ${error.message}`, { hint, cause: error });
  }
}

interface Switching extends OpenTarget {
  readonly prepared: Prepared;
  readonly manifest: ReadManifest;
}

async function switchOne({ target, session, prepared, manifest }: Switching, tools: PushTools, ctx: Context): Promise<PushedTarget> {
  const { name, where } = target;
  const { copied, pointers } = prepared;
  const switched = pointers.map(({ path }) => path);
  if (copied.length === 0 && switched.length === 0) return { name, where, state: 'unchanged', copied: 0, switched };
  try {
    await session.commit(pointers, ctx);
  } catch (error) {
    if (!isArtifactsError(error)) throw error;
    return { name, where, state: 'failed', copied: copied.length, switched: [], error: { code: error.code, message: error.message } };
  }
  const log = writeLog({ target, prepared, manifest }, tools);
  return { name, where, state: 'switched', copied: copied.length, switched, log };
}

/** One file a push: what was copied and what was switched, a line each. */
function writeLog({ target, prepared, manifest }: Omit<Switching, 'session'>, { logs, clock }: PushTools): string {
  const at = clock().toISOString();
  const folder = join(logs, 'push', manifest.release);
  const file = join(folder, `${manifest.build}-${target.name}.log`);
  durable.makeFolderDurably(folder);
  const lines = [
    `pushed ${manifest.release} ${manifest.build} to ${target.where} at ${at}`,
    `${prepared.copied.length} files copied, ${prepared.pointers.length} pointers switched`,
    ...prepared.copied.map((path) => `copied ${path}`),
    ...prepared.pointers.map((pointer) => `switched ${pointer.path}${pointer.kind === 'link' ? ` -> ${pointer.to}` : ''}`),
  ];
  durable.writeFileDurably(file, `${lines.join('\n')}\n`);
  return file;
}
