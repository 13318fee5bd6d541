/** What a build of a release would do, and why. Pure: facts in, plan out. */
import type { Sha256 } from '../core/digest.ts';
import {
  distributionName,
  INTEGRATED_PREFIX,
  independentPrefix,
  mikoName,
  slushieName,
  type CodenameSpec,
  type CompletenessSpec,
  type ReleaseSpec,
  type MirrorSpec,
  type RepoSpec,
  type SourceSpec,
} from './spec.ts';

export type NodeKind = 'mirror' | 'snapshot' | 'merge' | 'publish' | 'completeness' | 'manifest';

interface NodeBase {
  readonly id: string;
  readonly needs: readonly string[];
}

/** A piece of work of a release build. */
export type ReleaseNode = NodeBase &
  (
    | { readonly kind: 'mirror'; readonly source: MirrorSpec }
    | { readonly kind: 'snapshot'; readonly source: SourceSpec; readonly name: string }
    | { readonly kind: 'merge'; readonly name: string; readonly sources: readonly string[] }
    | { readonly kind: 'publish'; readonly prefix: string; readonly distribution: string; readonly snapshot: string }
    | { readonly kind: 'completeness'; readonly completeness: CompletenessSpec }
    | { readonly kind: 'manifest' }
  );

export interface PlannedNode {
  readonly id: string;
  readonly kind: NodeKind;
  readonly state: 'fresh' | 'build';
  readonly reason: string;
  /** True when something that exists would give way. */
  readonly replaces: boolean;
}

/** What there is already. */
export interface ReleaseFacts {
  /** The frozen source: number of the snapshot and fingerprint and description of what it was made with. */
  slushie(
    name: string,
  ): { readonly id: number; readonly inputs: Sha256 | undefined; /** Digest of what was in the repository. */ readonly repoContent: Sha256 | undefined } | undefined;
  /** Number of the snapshot with this name. */
  snapshot(name: string): number | undefined;
  /** Fingerprint of the definition a mirror's content was made with, and that definition. */
  mirrorInputs(name: string): Sha256 | undefined;
  mirrorDescription(name: string): Readonly<Record<string, unknown>> | undefined;
  merged(name: string): { readonly sources: readonly number[]; readonly policy: string } | undefined;
  published(
    prefix: string,
    distribution: string,
  ): { readonly snapshot: number | undefined; /** Clients will refuse it soon. */ readonly expiring?: boolean } | undefined;
  /** Whether a complete build is recorded. */
  readonly built: boolean;
}

export interface PlanOptions {
  readonly replace: boolean;
  /** Empty: all of the release's. */
  readonly codenames: readonly string[];
}

export interface ReleasePlan {
  readonly nodes: readonly ReleaseNode[];
  readonly planned: readonly PlannedNode[];
}

/** The nodes of a release in the order they are made, each with its state and the reason for it. */
export function planRelease(spec: ReleaseSpec, facts: ReleaseFacts, options: PlanOptions): ReleasePlan {
  const codenames = spec.codenames.filter(({ codename }) => options.codenames.length === 0 || options.codenames.includes(codename));
  const nodes = nodesOf(spec, codenames);
  if (isWhole(spec, codenames, facts)) {
    const { completeness } = spec;
    if (completeness !== undefined) nodes.push({ id: 'completeness', kind: 'completeness', needs: nodes.map(({ id }) => id), completeness });
    nodes.push({ id: 'manifest', kind: 'manifest', needs: nodes.map(({ id }) => id) });
  }
  const planned: PlannedNode[] = [];
  for (const node of nodes) planned.push({ id: node.id, kind: node.kind, ...judge(node, { spec, facts, options, planned }) });
  // Frozen sources are not updated: their mirrors are no part of the build.
  const idle = new Set(planned.filter(({ kind, state }) => kind === 'mirror' && state === 'fresh').map(({ id }) => id));
  return {
    nodes: nodes.filter(({ id }) => !idle.has(id)).map((node) => ({ ...node, needs: node.needs.filter((id) => !idle.has(id)) })),
    planned: planned.filter(({ id }) => !idle.has(id)),
  };
}

function nodesOf(spec: ReleaseSpec, codenames: readonly CodenameSpec[]): ReleaseNode[] {
  const used = new Set(codenames.flatMap(({ merged, independent }) => [...merged, ...independent.map(({ source }) => source)]));
  const sources = [...spec.sources.values()].filter(({ name }) => used.has(name));
  const nodes: ReleaseNode[] = [];
  for (const source of sources) {
    const name = slushieName(spec.name, source.name);
    const needs = source.kind === 'mirror' ? [`mirror ${source.name}`] : [];
    if (source.kind === 'mirror') nodes.push({ id: `mirror ${source.name}`, kind: 'mirror', needs: [], source });
    nodes.push({ id: `snapshot ${name}`, kind: 'snapshot', needs, source, name });
  }
  for (const codename of codenames) nodes.push(...codenameNodes(spec, codename));
  return nodes;
}

/** A release is complete when its manifest says so: there is none before everything of all its codenames is published. */
function isWhole(spec: ReleaseSpec, codenames: readonly CodenameSpec[], facts: ReleaseFacts): boolean {
  if (!spec.publish) return false;
  const others = spec.codenames.filter((codename) => !codenames.includes(codename));
  return others
    .flatMap((codename) => codenameNodes(spec, codename))
    .every((node) => node.kind !== 'publish' || facts.published(node.prefix, node.distribution) !== undefined);
}

function codenameNodes(spec: ReleaseSpec, { codename, merged, independent }: CodenameSpec): ReleaseNode[] {
  const nodes: ReleaseNode[] = [];
  const distribution = distributionName(spec.name, codename);
  const publishNode = (prefix: string, snapshot: string, need: string): void => {
    if (!spec.publish) return;
    nodes.push({ id: `publish ${prefix} ${distribution}`, kind: 'publish', needs: [need], prefix, distribution, snapshot });
  };
  if (merged.length > 0) {
    const name = mikoName(spec.name, codename);
    const sources = merged.map((source) => slushieName(spec.name, source));
    nodes.push({ id: `merge ${name}`, kind: 'merge', needs: sources.map((source) => `snapshot ${source}`), name, sources });
    publishNode(INTEGRATED_PREFIX, name, `merge ${name}`);
  }
  for (const { source, dest } of independent) {
    const slushie = slushieName(spec.name, source);
    publishNode(independentPrefix(dest), slushie, `snapshot ${slushie}`);
  }
  return nodes;
}

interface Judging {
  readonly spec: ReleaseSpec;
  readonly facts: ReleaseFacts;
  readonly options: PlanOptions;
  readonly planned: readonly PlannedNode[];
}

type Judgement = Pick<PlannedNode, 'state' | 'reason' | 'replaces'>;

const FRESH: Judgement = { state: 'fresh', reason: 'unchanged', replaces: false };

function make(reason: string): Judgement {
  return { state: 'build', reason, replaces: false };
}

function replace(reason: string): Judgement {
  return { state: 'build', reason, replaces: true };
}

function judge(node: ReleaseNode, judging: Judging): Judgement {
  switch (node.kind) {
    case 'mirror':
      return judgeSource(node.source, slushieName(judging.spec.name, node.source.name), judging);
    case 'snapshot':
      return judgeSource(node.source, node.name, judging);
    case 'merge':
      return judgeMerge(node, judging);
    case 'publish':
      return judgePublish(node, judging);
    case 'completeness':
    case 'manifest':
      return rebuiltNeed(node, judging.planned, false) ?? (judging.facts.built ? FRESH : make('no complete build is recorded'));
    default:
      return node satisfies never;
  }
}

function judgeSource(source: SourceSpec, slushie: string, judging: Judging): Judgement {
  const { facts, options } = judging;
  const frozen = facts.slushie(slushie);
  if (frozen === undefined) return make('not frozen yet');
  if (source.kind === 'repo') return judgeRepo(source, frozen, judging);
  // A mirror that is not to be updated keeps what it was made with, whatever its definition says now.
  const wanted = source.update ? source.inputs : facts.mirrorInputs(source.name);
  if (frozen.inputs !== wanted) {
    return replace(describeChange(facts.mirrorDescription(source.name), source.description));
  }
  return options.replace ? replace('to be replaced') : FRESH;
}

/** What is put into a repository after it was frozen is for the next revision of the release. */
function judgeRepo(source: RepoSpec, frozen: { readonly repoContent: Sha256 | undefined }, { options }: Judging): Judgement {
  if (frozen.repoContent === undefined) return replace('it was frozen from something else');
  return options.replace && frozen.repoContent !== source.inputs ? replace('the repository changed') : FRESH;
}

/** Which parts of a definition changed: "filter changed". */
export function describeChange(
  before: Readonly<Record<string, unknown>> | undefined,
  after: Readonly<Record<string, unknown>>,
): string {
  const names = Object.keys({ ...before, ...after });
  const changed = names.filter((name) => JSON.stringify(before?.[name]) !== JSON.stringify(after[name]));
  return before === undefined || changed.length === 0 ? 'its definition changed' : `${changed.join(' and ')} changed`;
}

function judgeMerge(node: Extract<ReleaseNode, { kind: 'merge' }>, { spec, facts, planned }: Judging): Judgement {
  const merged = facts.merged(node.name);
  const rebuilt = rebuiltNeed(node, planned, merged !== undefined);
  if (rebuilt !== undefined) return rebuilt;
  if (merged === undefined) return make('not merged yet');
  const wanted = node.sources.map((name) => facts.slushie(name)?.id);
  if (JSON.stringify(merged.sources) !== JSON.stringify(wanted)) return replace('its sources changed');
  return merged.policy === spec.mergePolicy ? FRESH : replace('the merge policy changed');
}

function judgePublish(node: Extract<ReleaseNode, { kind: 'publish' }>, { facts, planned }: Judging): Judgement {
  const published = facts.published(node.prefix, node.distribution);
  const rebuilt = rebuiltNeed(node, planned, published !== undefined);
  if (rebuilt !== undefined) return rebuilt;
  if (published === undefined) return make('not published yet');
  if (published.snapshot !== facts.snapshot(node.snapshot)) return replace('it serves something else');
  return published.expiring === true ? make('its Valid-Until draws near') : FRESH;
}

function rebuiltNeed(node: ReleaseNode, planned: readonly PlannedNode[], exists: boolean): Judgement | undefined {
  const needed = planned.find(({ id, state }) => state === 'build' && node.needs.includes(id));
  if (needed === undefined) return undefined;
  const what = needed.replaces ? 'is made anew' : 'is to be made';
  return { state: 'build', reason: `${needed.id} ${what}`, replaces: exists };
}
