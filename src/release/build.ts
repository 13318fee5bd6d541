/** Building a release: each node of its graph once, a failure confined to what leans on it. */
import type { Context } from '../core/context.ts';
import { ArtifactsError, isArtifactsError } from '../core/errors.ts';
import { runGraph } from '../util/graph.ts';
import { buildId } from './build-id.ts';
import { releaseFacts } from './facts.ts';
import { finish, testCompleteness } from './finish.ts';
import { makeArtifact, publishIndex, publishPlace } from './make-artifact.ts';
import { makeMerge, makeMirror, makePublication, makeSlushie } from './make-packages.ts';
import type { BuildOptions, BuildTools, BuiltNode, Made, Making } from './making.ts';
import type { ReleaseNode } from './nodes.ts';
import { planRelease, type PlannedNode, type ReleasePlan } from './plan.ts';
import { slushieName, type ReleaseSpec } from './spec.ts';

export interface ReleaseBuild {
  readonly release: string;
  readonly result: 'unchanged' | 'done' | 'partial';
  /** UTC, `YYYYMMDDTHHMMSSZ`; the last complete build's when nothing was to do. */
  readonly build: string | undefined;
  readonly nodes: readonly BuiltNode[];
}

/** Nodes made at a time: a mirror has connections of its own, and unpacking or compiling takes a core. */
const PARALLEL_NODES = 4;

/** Builds what is missing of the release. Two builds of one release take turns. */
export async function buildRelease(
  spec: ReleaseSpec,
  options: BuildOptions,
  tools: BuildTools,
  ctx: Context,
): Promise<ReleaseBuild> {
  return tools.locks.hold(`release-${spec.name}`, ctx, async () => {
    const plan = planRelease(spec, releaseFacts(tools.catalog, spec, tools.clock()), options);
    const { planned } = plan;
    if (planned.every(({ state }) => state === 'fresh')) {
      const build = tools.catalog.builds.latest(spec.name)?.id;
      return { release: spec.name, result: 'unchanged', build, nodes: planned.map(({ id, kind, reason }) => ({ id, kind, state: 'fresh', detail: reason })) };
    }
    guardLock(spec, planned, options, tools);
    const signer = signs(plan) ? await tools.signer() : undefined; // a missing key is told before anything is fetched
    for (const message of signer?.warnings ?? []) ctx.report({ type: 'warning', message });
    return run(plan, { spec, options, signer, build: buildId(tools, spec.name) }, tools, ctx);
  });
}

/** A locked release may be completed, and replaced only by whoever says so; that is written down. */
function guardLock(spec: ReleaseSpec, planned: readonly PlannedNode[], { overrideLock }: BuildOptions, tools: BuildTools): void {
  if (!spec.locked) return;
  const replaced = planned.filter(({ replaces }) => replaces);
  const [first] = replaced;
  if (first === undefined) return;
  if (!overrideLock) {
    throw new ArtifactsError('E_LOCKED', `Release "${spec.name}" is locked: ${first.id}, ${first.reason}`, {
      hint: 'A locked release is not replaced; build a new one, set its state in vars/, or say --override-lock.',
    });
  }
  tools.audit('lock overridden', { release: spec.name, replaced: replaced.map(({ id, reason }) => `${id}: ${reason}`) });
}

const SIGNED: ReadonlySet<ReleaseNode['kind']> = new Set(['publish', 'place', 'index', 'manifest'] as const);

function signs({ nodes, planned }: ReleasePlan): boolean {
  const signed = new Set(nodes.filter(({ kind }) => SIGNED.has(kind)).map(({ id }) => id));
  return planned.some(({ id, state }) => state === 'build' && signed.has(id));
}

async function run({ nodes, planned }: ReleasePlan, making: Omit<Making, 'needed'>, tools: BuildTools, ctx: Context): Promise<ReleaseBuild> {
  const { spec, options, build } = making;
  const plans = new Map(planned.map((node) => [node.id, node]));
  const halt = haltOn(options, ctx);
  const results = await runGraph<ReleaseNode, BuiltNode>(nodes, PARALLEL_NODES, async (node, needed) => {
    const plan = plans.get(node.id);
    const report = (result: Omit<BuiltNode, 'id' | 'kind'>): BuiltNode => {
      ctx.report({ type: 'node', node: node.id, state: result.state === 'kept' ? 'failed' : result.state, detail: result.detail });
      return { id: node.id, kind: plan?.kind ?? node.kind, ...result };
    };
    const before = beforehand(node, plan, needed, halt);
    if (before !== undefined) return report(before);
    ctx.report({ type: 'node', node: node.id, state: 'running' });
    try {
      return report(await make(node, { ...making, needed }, tools, halt.ctx));
    } catch (error) {
      ctx.signal.throwIfAborted(); // whoever cancels wants no summary
      if (halt.ctx.signal.aborted && isCancellation(error)) return report({ state: 'blocked', detail: `stopped: ${halt.cause()} failed` });
      const result = report(failed(error, node, spec, tools));
      if (result.state === 'failed') halt.by(node.id);
      return result;
    }
  });
  const ended = [...results.values()];
  const partial = ended.some(({ state }) => state === 'failed' || state === 'blocked' || state === 'kept');
  const recorded = !partial && ended.some(({ kind }) => kind === 'manifest');
  return { release: spec.name, result: partial ? 'partial' : 'done', build: recorded ? build : undefined, nodes: ended };
}

/** How a node ends that is not made now; undefined when it is. */
function beforehand(node: ReleaseNode, plan: PlannedNode | undefined, needed: readonly BuiltNode[], halt: Halt): Made | undefined {
  if (node.kind === 'manifest') return plan?.state === 'fresh' ? { state: 'fresh', detail: plan.reason } : undefined;
  const blocker = needed.find(({ state }) => state === 'failed' || state === 'blocked');
  if (blocker !== undefined) return { state: 'blocked', detail: `needs ${blocker.id}` };
  if (plan?.state === 'blocked') return { state: 'blocked', detail: plan.reason };
  if (plan?.state === 'fresh') return { state: 'fresh', detail: 'unchanged' };
  if (halt.cause() !== undefined) return { state: 'blocked', detail: `not begun: ${halt.cause()} failed` };
  return undefined;
}

/** What the failure mode makes of the first failure. */
interface Halt {
  /** For what is made: ends with the run, or when it is to stop. */
  readonly ctx: Context;
  by(node: string): void;
  /** The node whose failure ends the run; undefined while it goes on. */
  cause(): string | undefined;
}

function haltOn({ onFailure }: Pick<BuildOptions, 'onFailure'>, ctx: Context): Halt {
  const stop = new AbortController();
  let cause: string | undefined;
  return {
    ctx: { ...ctx, signal: AbortSignal.any([ctx.signal, stop.signal]) },
    cause: () => cause,
    by: (node) => {
      if (onFailure === 'continue') return;
      cause ??= node;
      if (onFailure === 'stop') stop.abort();
    },
  };
}

function isCancellation(error: unknown): boolean {
  return isArtifactsError(error, 'E_CANCELLED') || (error instanceof Error && error.name === 'AbortError');
}

/** A bug is no failed upstream, and is thrown on. */
function failed(error: unknown, node: ReleaseNode, spec: ReleaseSpec, { catalog }: BuildTools): Omit<BuiltNode, 'id' | 'kind'> {
  if (!isArtifactsError(error)) throw error;
  const told = { code: error.code, message: error.message, ...(error.hint === undefined ? {} : { hint: error.hint }) };
  const kept =
    (node.kind === 'mirror' && catalog.snapshots.find(slushieName(spec.name, node.source.name)) !== undefined) ||
    (node.kind === 'artifact' && catalog.artifacts.find(spec.name, node.id) !== undefined);
  if (!kept) return { state: 'failed', detail: error.message, error: told };
  const stays = node.kind === 'mirror' ? 'what was frozen before stays' : 'what was made before stays';
  return { state: 'kept', detail: `${error.message}; ${stays}`, error: told };
}

async function make(node: ReleaseNode, making: Making, tools: BuildTools, ctx: Context): Promise<Made> {
  switch (node.kind) {
    case 'mirror':
      return makeMirror(node, tools, ctx);
    case 'snapshot':
      return makeSlushie(node, making, tools, ctx);
    case 'merge':
      return makeMerge(node, tools, ctx);
    case 'publish':
      return makePublication(node, making, tools, ctx);
    case 'artifact':
      return makeArtifact(node, making, tools, ctx);
    case 'place':
      return publishPlace(node, making, tools, ctx);
    case 'index':
      return publishIndex(node, making, tools, ctx);
    case 'completeness':
      return testCompleteness(node.completeness, making.spec, tools, ctx);
    case 'manifest':
      return finish(making, tools, ctx);
    default:
      return node satisfies never;
  }
}
