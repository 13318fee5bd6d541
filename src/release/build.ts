/** Building a release: each node of its graph once, a failure confined to what leans on it. */
import type { Catalog } from '../catalog/catalog.ts';
import type { LockFolder } from '../catalog/lock.ts';
import type { Context } from '../core/context.ts';
import { canonicalJson, sha256, type Sha256 } from '../core/digest.ts';
import { ArtifactsError, isArtifactsError, type ErrorCode } from '../core/errors.ts';
import type { Snapshot } from '../core/snapshot.ts';
import { requireMirrorState } from '../mirror/require-state.ts';
import { updateMirror, type MirrorTools } from '../mirror/update.ts';
import { publish, type PublishTools } from '../publish/publish.ts';
import { DEFAULT_FORMAT } from '../repo/repos.ts';
import type { Signer } from '../sign/signer.ts';
import { createSnapshot, mergeSnapshots, requireSnapshot } from '../snapshot/snapshots.ts';
import { counted } from '../util/counted.ts';
import { runGraph } from '../util/graph.ts';
import { checkCompleteness, describeMissing } from './completeness.ts';
import { releaseFacts } from './facts.ts';
import { writeManifest, type ManifestNode } from './manifest.ts';
import { planRelease, type PlanOptions, type PlannedNode, type ReleaseNode } from './plan.ts';
import type { CompletenessSpec, ReleaseSpec, SourceSpec } from './spec.ts';

export interface BuildTools extends MirrorTools, PublishTools {
  readonly locks: LockFolder;
  /** Runs work that changes catalog or published trees, with what an interrupted run left put right first. */
  change<T>(ctx: Context, work: () => Promise<T>): Promise<T>;
  signer(): Promise<Signer>;
}

export interface BuiltNode {
  readonly id: string;
  readonly kind: PlannedNode['kind'];
  /** `kept`: the update failed and what was frozen before stays. */
  readonly state: 'done' | 'fresh' | 'kept' | 'failed' | 'blocked';
  readonly detail: string;
  readonly error?: { readonly code: ErrorCode; readonly message: string; readonly hint?: string };
}

export interface ReleaseBuild {
  readonly release: string;
  readonly result: 'unchanged' | 'done' | 'partial';
  /** UTC, `YYYYMMDDTHHMMSSZ`; the last complete build's when nothing was to do. */
  readonly build: string | undefined;
  readonly nodes: readonly BuiltNode[];
}

/** Mirrors updated at a time: each has connections of its own, and unpacking takes a core. */
const PARALLEL_NODES = 4;

/** Builds what is missing of the release. Two builds of one release take turns. */
export async function buildRelease(
  spec: ReleaseSpec,
  options: PlanOptions,
  tools: BuildTools,
  ctx: Context,
): Promise<ReleaseBuild> {
  return tools.locks.hold(`release-${spec.name}`, ctx, async () => {
    const { nodes, planned } = planRelease(spec, releaseFacts(tools.catalog, spec.name, tools.clock()), options);
    if (planned.every(({ state }) => state === 'fresh')) {
      const build = tools.catalog.builds.latest(spec.name)?.id;
      return { release: spec.name, result: 'unchanged', build, nodes: planned.map(({ id, kind, reason }) => ({ id, kind, state: 'fresh', detail: reason })) };
    }
    refuseLocked(spec, planned);
    const signs = planned.some(({ kind, state }) => state === 'build' && (kind === 'publish' || kind === 'manifest'));
    const signer = signs ? await tools.signer() : undefined; // a missing key is told before anything is fetched
    for (const message of signer?.warnings ?? []) ctx.report({ type: 'warning', message });
    return run(spec, { nodes, planned, signer, options }, tools, ctx);
  });
}

/** A locked release may be completed, never replaced. */
function refuseLocked(spec: ReleaseSpec, planned: readonly PlannedNode[]): void {
  if (!spec.locked) return;
  const replaced = planned.filter(({ replaces }) => replaces);
  if (replaced.length === 0) return;
  throw new ArtifactsError('E_LOCKED', `Release "${spec.name}" is locked: ${replaced[0]?.id}, ${replaced[0]?.reason}`, {
    hint: 'A locked release is not replaced; build a new one, or set its state in vars/.',
  });
}

interface Running {
  readonly nodes: readonly ReleaseNode[];
  readonly planned: readonly PlannedNode[];
  /** Absent when nothing is to be signed. */
  readonly signer: Signer | undefined;
  readonly options: PlanOptions;
}

async function run(spec: ReleaseSpec, running: Running, tools: BuildTools, ctx: Context): Promise<ReleaseBuild> {
  const build = buildId(tools, spec.name);
  const states = new Map(running.planned.map((node) => [node.id, node]));
  const results = await runGraph<ReleaseNode, BuiltNode>(running.nodes, PARALLEL_NODES, async (node, needed) => {
    const blocker = needed.find(({ state }) => state === 'failed' || state === 'blocked');
    const report = (result: Omit<BuiltNode, 'id' | 'kind'>): BuiltNode => {
      ctx.report({ type: 'node', node: node.id, state: result.state === 'kept' ? 'failed' : result.state, detail: result.detail });
      return { id: node.id, kind: node.kind, ...result };
    };
    if (blocker !== undefined && node.kind !== 'manifest') return report({ state: 'blocked', detail: `needs ${blocker.id}` });
    if (node.kind === 'manifest') return report(await finish(spec, { build, needed, signer: running.signer }, tools, ctx));
    if (states.get(node.id)?.state === 'fresh') return report({ state: 'fresh', detail: 'unchanged' });
    ctx.report({ type: 'node', node: node.id, state: 'running' });
    try {
      return report(await make(node, { spec, signer: running.signer, needed }, tools, ctx));
    } catch (error) {
      return report(failed(error, node, { spec, tools, ctx }));
    }
  });
  const nodes = [...results.values()];
  const partial = nodes.some(({ state }) => state === 'failed' || state === 'blocked' || state === 'kept');
  const recorded = !partial && nodes.some(({ kind }) => kind === 'manifest');
  return { release: spec.name, result: partial ? 'partial' : 'done', build: recorded ? build : undefined, nodes };
}

/** Whoever cancels wants no summary, and a bug is no failed upstream. */
function failed(error: unknown, node: ReleaseNode, { spec, tools, ctx }: { spec: ReleaseSpec; tools: BuildTools; ctx: Context }): Omit<BuiltNode, 'id' | 'kind'> {
  ctx.signal.throwIfAborted();
  if (!isArtifactsError(error)) throw error;
  const told = { code: error.code, message: error.message, ...(error.hint === undefined ? {} : { hint: error.hint }) };
  if (node.kind === 'mirror' && releaseFacts(tools.catalog, spec.name, tools.clock()).slushie(`slushie-${spec.name}-${node.source.name}`) !== undefined) {
    return { state: 'kept', detail: `${error.message}; what was frozen before stays`, error: told };
  }
  return { state: 'failed', detail: error.message, error: told };
}

interface Making {
  readonly spec: ReleaseSpec;
  readonly signer: Signer | undefined;
  readonly needed: readonly BuiltNode[];
}

type Made = Pick<BuiltNode, 'state' | 'detail'>;

async function make(node: ReleaseNode, making: Making, tools: BuildTools, ctx: Context): Promise<Made> {
  switch (node.kind) {
    case 'mirror':
      return makeMirror(node, tools, ctx);
    case 'snapshot':
      return makeSlushie(node, making, tools, ctx);
    case 'merge':
      return makeMerge(node, making, tools, ctx);
    case 'publish':
      return makePublication(node, making, tools, ctx);
    case 'completeness':
      return testCompleteness(node.completeness, making.spec, { catalog: tools.catalog, ctx });
    default:
      throw new Error(`No way to make ${node.kind}`);
  }
}

async function makeMirror(node: Extract<ReleaseNode, { kind: 'mirror' }>, tools: BuildTools, ctx: Context): Promise<Made> {
  if (!node.source.update) {
    const { checkedAt } = requireMirrorState(tools.catalog, node.source.name);
    return { state: 'fresh', detail: `not to be updated; as of ${checkedAt}` };
  }
  const update = await updateMirror(await node.source.resolve(ctx), {}, tools, ctx);
  if (!update.changed) return { state: 'fresh', detail: `${counted(update.packages, 'package')}, unchanged upstream` };
  return { state: 'done', detail: `${counted(update.packages, 'package')}, ${counted(update.files, 'file')} fetched` };
}

async function makeSlushie(
  node: Extract<ReleaseNode, { kind: 'snapshot' }>,
  { needed }: Making,
  tools: BuildTools,
  ctx: Context,
): Promise<Made> {
  const { catalog, clock } = tools;
  if (needed.some(({ state }) => state === 'kept')) return { state: 'fresh', detail: 'kept as it was' };
  return tools.change(ctx, async () =>
    catalog.transaction(() => {
      const { format, content, origin } = contentOf(node.source, catalog);
      const before = catalog.snapshots.find(node.name);
      const same = before?.content.id === content.id && canonicalJson(before.origin) === canonicalJson(origin);
      if (same) return { state: 'fresh', detail: 'the same packages' };
      setAside(catalog, before);
      createSnapshot(catalog, { name: node.name, format, content, origin, now: clock() });
      return { state: 'done', detail: counted(content.count, 'package') };
    }),
  );
}

/** What a source holds. A repository nothing was put in holds nothing. */
function contentOf(source: SourceSpec, catalog: Catalog): Pick<Snapshot, 'format' | 'content' | 'origin'> {
  if (source.kind === 'mirror') {
    const { format, content, inputs } = requireMirrorState(catalog, source.name);
    return { format, content, origin: { kind: 'mirror', mirror: source.name, inputs } };
  }
  const repo = catalog.repos.find(source.name);
  const content = repo?.content ?? catalog.contents.storeMembers([]);
  return { format: repo?.format ?? DEFAULT_FORMAT, content, origin: { kind: 'repo', repo: source.name } };
}

/** A snapshot never changes: its successor takes over the name, and it stays under a dated one. */
function setAside(catalog: Catalog, snapshot: Snapshot | undefined): void {
  if (snapshot === undefined) return;
  const dated = `${snapshot.name}@${compactDate(new Date(snapshot.createdAt))}`;
  let name = dated;
  for (let n = 2; catalog.snapshots.find(name) !== undefined; n += 1) name = `${dated}.${n}`;
  catalog.snapshots.rename(snapshot.id, name);
}

async function makeMerge(
  node: Extract<ReleaseNode, { kind: 'merge' }>,
  { spec }: Making,
  tools: BuildTools,
  ctx: Context,
): Promise<Made> {
  const { catalog, clock } = tools;
  return tools.change(ctx, async () => {
    const sources = node.sources.map((name) => requireSnapshot(catalog, name));
    const before = catalog.snapshots.find(node.name);
    if (before?.origin.kind === 'merge' && before.origin.policy === spec.mergePolicy) {
      if (JSON.stringify(before.origin.sources.map(({ id }) => id)) === JSON.stringify(sources.map(({ id }) => id))) {
        return { state: 'fresh', detail: 'the same sources' };
      }
    }
    const merged = catalog.transaction(() => {
      setAside(catalog, before);
      return mergeSnapshots(catalog, { name: node.name, sources, policy: spec.mergePolicy, now: clock() });
    });
    const notes = merged.redescribed > 0 ? `, ${merged.redescribed} described differently by several sources` : '';
    return { state: 'done', detail: `${counted(merged.snapshot.content.count, 'package')}${notes}` };
  });
}

async function makePublication(
  node: Extract<ReleaseNode, { kind: 'publish' }>,
  { spec, signer }: Making,
  tools: BuildTools,
  ctx: Context,
): Promise<Made> {
  return tools.change(ctx, async () => {
    const { prefix, distribution } = node;
    const components = new Map([['main', requireSnapshot(tools.catalog, node.snapshot)]]);
    const { origin, label, fields, architectures } = spec;
    const published = await publish({ prefix, distribution, components, origin, label, fields, architectures }, required(signer), tools, ctx);
    if (!published.changed) return { state: 'fresh', detail: 'served already' };
    return { state: 'done', detail: `generation ${published.publication.generation}, ${published.linked} files added` };
  });
}

async function testCompleteness(
  completeness: CompletenessSpec,
  { name, codenames }: ReleaseSpec,
  { catalog, ctx }: { readonly catalog: Catalog; readonly ctx: Context },
): Promise<Made> {
  const result = await checkCompleteness({ name, codenames, completeness }, catalog, ctx);
  if (result.missing.length === 0) return { state: 'done', detail: `all of ${result.wanted} wanted packages are there` };
  throw new ArtifactsError('E_CHECK', describeMissing(result), { hint: `\`artifacts release completeness ${name}\` lists them all, and who wants them.` });
}

interface Finishing {
  readonly build: string;
  readonly needed: readonly BuiltNode[];
  readonly signer: Signer | undefined;
}

/** The manifest is written when everything it would list is there: a partial build leaves the last complete one. */
async function finish(spec: ReleaseSpec, { build, needed, signer }: Finishing, tools: BuildTools, ctx: Context): Promise<Omit<BuiltNode, 'id' | 'kind'>> {
  const { catalog } = tools;
  const nodes: ManifestNode[] = needed.map(({ id, state, detail }) => ({ id, state, detail }));
  if (needed.some(({ state }) => state === 'failed' || state === 'blocked')) {
    await tools.change(ctx, async () => catalog.transaction(() => recordBuild(spec, { build, result: 'partial' }, tools)));
    return { state: 'blocked', detail: 'the release is not complete' };
  }
  if (needed.some(({ state }) => state === 'kept')) {
    await tools.change(ctx, async () => catalog.transaction(() => recordBuild(spec, { build, result: 'partial' }, tools)));
    return { state: 'fresh', detail: 'the last complete build stays' };
  }
  return tools.change(ctx, async () => {
    const manifest = await writeManifest(spec, { build, nodes }, { ...tools, signer: required(signer) });
    catalog.transaction(() => recordBuild(spec, { build, result: 'done', manifest }, tools));
    return { state: 'done', detail: `releases/${spec.name}/${build}/manifest.json` };
  });
}

function required(signer: Signer | undefined): Signer {
  if (signer === undefined) throw new Error('Something is to be signed that the plan did not know of');
  return signer;
}

interface Outcome {
  readonly build: string;
  readonly result: 'done' | 'partial';
  readonly manifest?: Sha256;
}

function recordBuild(spec: ReleaseSpec, { build, result, manifest }: Outcome, { catalog, clock }: BuildTools): void {
  const inputs = sha256(canonicalJson([...spec.sources.values()].map((source) => source.inputs)));
  catalog.builds.add({
    release: spec.name,
    id: build,
    result,
    inputs,
    ...(manifest === undefined ? {} : { manifest }),
    finishedAt: clock().toISOString(),
  });
}

/** UTC, and later than every id there is, also when two builds end within a second or the clock stands still. */
function buildId({ catalog, clock }: BuildTools, release: string): string {
  const taken = new Set(catalog.builds.list(release).map(({ id }) => id));
  let time = clock().getTime();
  while (taken.has(compactDate(new Date(time)))) time += 1000;
  return compactDate(new Date(time));
}

/** `YYYYMMDDTHHMMSSZ`. */
function compactDate(date: Date): string {
  return date.toISOString().replace(/[-:]|\.\d+/g, '');
}
