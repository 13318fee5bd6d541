/** Making artifacts, and publishing the folders they lie in. */
import { mkdirSync, rmSync } from 'node:fs';
import { readFile, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { ArtifactTask, Listing, MadeArtifact } from '../artifacts/kind.ts';
import type { Artifact, ArtifactFile } from '../core/artifact.ts';
import type { Context } from '../core/context.ts';
import { canonicalJson, sha256 } from '../core/digest.ts';
import { isArtifactsError } from '../core/errors.ts';
import { linkShared } from '../publish/shared-files.ts';
import { isTreeServed, publishTree, type TreeRequest } from '../publish/trees.ts';
import { openReceiver } from '../repo/receive.ts';
import type { Signer } from '../sign/signer.ts';
import { counted } from '../util/counted.ts';
import { indexInputs, releaseFacts } from './facts.ts';
import { required, type BuildTools, type Made, type Making } from './making.ts';
import type { NodeOf } from './nodes.ts';
import { digestsOf, judgeArtifact, placeInputs } from './plan.ts';

/** Makes the artifact, unless what it is made from turned out the same; its files are in the pool when it is recorded. */
export async function makeArtifact({ task }: NodeOf<'artifact'>, making: Making, tools: BuildTools, ctx: Context): Promise<Made> {
  const { spec, options } = making;
  const facts = releaseFacts(tools.catalog, spec, tools.clock());
  if (judgeArtifact(task, facts, options).state === 'fresh') return { state: 'fresh', detail: 'made from the same' };
  if (task.lock === undefined) return attempt(task, making, tools, ctx);
  return tools.locks.hold(task.lock, ctx, () => attempt(task, making, tools, ctx));
}

async function attempt(task: ArtifactTask, making: Making, tools: BuildTools, ctx: Context): Promise<Made> {
  const { catalog, clock } = tools;
  const note = (state: 'building' | 'ready' | 'failed', detail: string): void =>
    catalog.transaction(() =>
      catalog.artifacts.attempt({ release: making.spec.name, id: task.id, kind: task.kind, state, detail, at: clock().toISOString() }),
    );
  note('building', '');
  try {
    const made = await make(task, making, tools, ctx);
    note('ready', made.detail);
    return made;
  } catch (error) {
    // Whoever cancels or meets a bug leaves it unfinished, as a killed run does.
    if (isArtifactsError(error) && !ctx.signal.aborted) note('failed', error.message);
    throw error;
  }
}

async function make(task: ArtifactTask, making: Making, tools: BuildTools, ctx: Context): Promise<Made> {
  const { spec, build } = making;
  const { catalog, pool, workshop, clock } = tools;
  const facts = releaseFacts(catalog, spec, clock());
  const folder = join(tools.temporary, `make ${spec.name} ${task.id}`.replaceAll(/[^\w.-]+/g, '-'));
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  try {
    const needs = digestsOf(task.needs, facts);
    const previous = catalog.artifacts.find(spec.name, task.id);
    const made = await task.make(
      { release: spec.name, build, folder, needed: neededArtifacts(task, spec.name, tools), previous, pathOf: pool.path, workshop },
      ctx,
    );
    const files = await takeIn(made, { before: previous?.files ?? [], owner: `make-${spec.name}-${task.id}`, signer: making.signer }, tools);
    // Signatures bear their date, and so say nothing of what was made.
    const signatures = new Set(made.files.filter(({ signed }) => signed === true).map(signatureOf));
    const digest = sha256(canonicalJson(files.filter(({ path }) => !signatures.has(path)).map((file) => [file.path, file.sha256])));
    return await tools.change(ctx, async () => {
      await linkShared(files.filter(({ path }) => !isIn(path, task.places)), tools);
      const { id, kind, inputs } = task;
      const artifact = { release: spec.name, id, kind, inputs, needs, digest, files, facts: made.facts, madeAt: clock().toISOString() };
      catalog.transaction(() => catalog.artifacts.add(artifact));
      return { state: previous?.digest === digest ? 'fresh' : 'done', detail: made.detail };
    });
  } finally {
    // Thousands of files perhaps, beside which others go on.
    await rm(folder, { recursive: true, force: true });
  }
}

function neededArtifacts(task: ArtifactTask, release: string, { catalog }: BuildTools): ReadonlyMap<string, Artifact> {
  return new Map(
    task.needs.flatMap((id): [string, Artifact][] => {
      const artifact = catalog.artifacts.find(release, id);
      return artifact === undefined ? [] : [[id, artifact]];
    }),
  );
}

interface Taking {
  /** What lies in the pool already, where a task may take it over from: that is not read again. */
  readonly before: readonly ArtifactFile[];
  readonly owner: string;
  readonly signer: Signer | undefined;
}

/** Brings the files to the pool, with signatures beside those that are to have one, in the order of their paths. */
async function takeIn({ files }: MadeArtifact, { before, owner, signer }: Taking, { pool }: BuildTools): Promise<ArtifactFile[]> {
  const receiver = openReceiver(pool, owner.replaceAll(/[^\w.-]+/g, '-'));
  const known = new Map(before.map((file) => [pool.path(file.sha256), file]));
  const there = new Set(files.map(({ path }) => path));
  const taken: ArtifactFile[] = [];
  for (const file of files) {
    if (file.signed === true && !there.has(signatureOf(file))) {
      const signature = await required(signer).detach(await readFile(file.from));
      taken.push({ path: signatureOf(file), ...receiver.keep(signature) });
    }
    taken.push({ ...(known.get(file.from) ?? receiver.receive(file.from)), path: file.path });
  }
  await receiver.settle();
  receiver.clear();
  return taken.sort((a, b) => (a.path < b.path ? -1 : 1));
}

function signatureOf({ path }: { readonly path: string }): string {
  return `${path}.asc`;
}

/** Publishes what a place holds with the files that list it, all at once. */
export async function publishPlace(node: NodeOf<'place'>, { spec, signer }: Making, tools: BuildTools, ctx: Context): Promise<Made> {
  const { catalog } = tools;
  const facts = releaseFacts(catalog, spec, tools.clock());
  const artifacts = node.artifacts.flatMap((id) => catalog.artifacts.find(spec.name, id) ?? []);
  const inputs = placeInputs(node.artifacts, facts);
  const own = artifacts.flatMap(({ files }) => files).filter(({ path }) => isIn(path, [node.place]));
  const listed = node.maker.listings(node.place, artifacts);
  return publishFiles({ place: node.place, release: spec.name, inputs, own, listed }, required(signer), tools, ctx);
}

/** Publishes the files that list what all releases have of a kind, a folder at a time. */
export async function publishIndex({ maker }: NodeOf<'index'>, { signer }: Making, tools: BuildTools, ctx: Context): Promise<Made> {
  const artifacts = tools.catalog.artifacts.ofKind(maker.name);
  const listed = maker.shared?.(artifacts) ?? [];
  const inputs = indexInputs(maker.name, artifacts);
  const places = [...new Set(listed.map(({ path }) => dirname(path)))];
  let made: Made = { state: 'fresh', detail: 'nothing to list' };
  for (const place of places) {
    const files = listed.filter(({ path }) => dirname(path) === place);
    made = await publishFiles({ place, release: '', inputs, own: [], listed: files }, required(signer), tools, ctx);
  }
  return made;
}

interface Publishing {
  readonly place: string;
  readonly release: string;
  readonly inputs: TreeRequest['inputs'];
  readonly own: readonly ArtifactFile[];
  readonly listed: readonly Listing[];
}

async function publishFiles({ place, release, inputs, own, listed }: Publishing, signer: Signer, tools: BuildTools, ctx: Context): Promise<Made> {
  const { catalog } = tools;
  const served = catalog.trees.served(place);
  if (served?.inputs === inputs && isTreeServed(served, tools.publicRoot)) return { state: 'fresh', detail: 'served already' };
  const receiver = openReceiver(tools.pool, `listings-${place.replaceAll('/', '-')}`);
  const listings: ArtifactFile[] = [];
  for (const { path, bytes, signed } of listed) {
    const text = Buffer.from(bytes);
    listings.push({ path, ...receiver.keep(text) });
    if (signed) listings.push({ path: `${path}.asc`, ...receiver.keep(await signer.detach(text.toString())) });
  }
  await receiver.settle();
  receiver.clear();
  const files = [...own, ...listings].map((file) => ({ ...file, path: file.path.slice(place.length + 1) }));
  files.sort((a, b) => (a.path < b.path ? -1 : 1));
  return tools.change(ctx, async () => {
    const tree = await publishTree({ place, release, inputs, files }, tools);
    return { state: 'done', detail: `generation ${tree.number}, ${counted(files.length, 'file')}` };
  });
}

function isIn(path: string, places: readonly string[]): boolean {
  return places.some((place) => path.startsWith(`${place}/`));
}
