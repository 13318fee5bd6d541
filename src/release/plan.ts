/** What a build of a release would do, and why. Pure: facts in, plan out. */
import type { ArtifactTask } from '../artifacts/kind.ts';
import { canonicalJson, sha256, type Sha256 } from '../core/digest.ts';
import { nodesOf, type NodeOf, type ReleaseNode } from './nodes.ts';
import { publicationPlaces, slushieName, type ReleaseSpec, type RepoSpec, type SourceSpec } from './spec.ts';

export interface PlannedNode {
  readonly id: string;
  /** What sort of work it is; for an artifact, its kind. */
  readonly kind: string;
  readonly state: 'fresh' | 'build' | 'blocked';
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
  ): { readonly snapshot: number | undefined; readonly generation: number; /** Clients will refuse it soon. */ readonly expiring?: boolean } | undefined;
  /** What an artifact was made with, and from. */
  artifact(id: string): { readonly inputs: Readonly<Record<string, unknown>>; readonly needs: Readonly<Record<string, string>> } | undefined;
  /** Digest of what a publication or an artifact holds; undefined where there is none. */
  digest(id: string): Sha256 | undefined;
  /** Fingerprint of what a published folder was made from. */
  place(place: string): Sha256 | undefined;
  /** Whether the files that a kind's releases share list what there is. */
  indexed(kind: string): boolean;
  /** Artifacts and places the catalog holds for the release. */
  recorded(): Recorded;
  /** What the last complete build was told besides what it is made of, `toldInputs`; undefined when there is none. */
  readonly built: Sha256 | undefined;
}

export interface Recorded {
  readonly artifacts: readonly string[];
  readonly places: readonly string[];
}

export interface PlanOptions {
  readonly replace: boolean;
  /** Empty: all of the release's. */
  readonly codenames: readonly string[];
  /** Kinds of artifacts, as `--only` takes them; empty: all. */
  readonly only: readonly string[];
  /** Make what can be made when kinds that are left out are absent, as a run that tries a change does. */
  readonly adapt: boolean;
}

export interface ReleasePlan {
  readonly nodes: readonly ReleaseNode[];
  readonly planned: readonly PlannedNode[];
}

/** The nodes of a release in the order they are made, each with its state and the reason for it. */
export function planRelease(spec: ReleaseSpec, facts: ReleaseFacts, options: PlanOptions): ReleasePlan {
  const { only } = options;
  const codenames = spec.codenames.filter(({ codename }) => options.codenames.length === 0 || options.codenames.includes(codename));
  const all = nodesOf(spec, codenames);
  const nodes = all.filter(({ family }) => only.length === 0 || only.includes(family));
  if (isWhole(spec, nodes, facts) && staysTrue(all, nodes, { spec, facts, options })) nodes.push(...lastNodes(spec, nodes));
  const chosen = new Set(nodes.map(({ id }) => id));
  const planned = judgeAll(nodes, { spec, facts, options });
  // Frozen sources are not updated: their mirrors are no part of the build.
  const idle = new Set(planned.filter(({ kind, state }) => kind === 'mirror' && state === 'fresh').map(({ id }) => id));
  return {
    nodes: nodes
      .filter(({ id }) => !idle.has(id))
      .map((node) => ({ ...node, needs: node.needs.filter((id) => chosen.has(id) && !idle.has(id)) })),
    planned: planned.filter(({ id }) => !idle.has(id)),
  };
}

function judgeAll(nodes: readonly ReleaseNode[], base: Pick<Judging, 'spec' | 'facts' | 'options'>): PlannedNode[] {
  const chosen = new Set(nodes.map(({ id }) => id));
  const planned: PlannedNode[] = [];
  for (const node of nodes) {
    const judgement = judge(node, { ...base, planned, chosen });
    planned.push({ id: node.id, kind: node.kind === 'artifact' ? node.task.kind : node.kind, ...judgement });
  }
  return planned;
}

/** Whether the artifacts that are left out are still made from what the others will be then. */
function staysTrue(all: readonly ReleaseNode[], chosen: readonly ReleaseNode[], base: Pick<Judging, 'spec' | 'facts' | 'options'>): boolean {
  if (chosen.length === all.length) return true;
  const left = new Set(all.filter((node) => node.kind === 'artifact' && !chosen.includes(node)).map(({ id }) => id));
  return judgeAll(all, base).every(({ id, state }) => state === 'fresh' || !left.has(id));
}

function lastNodes({ completeness }: ReleaseSpec, nodes: readonly ReleaseNode[]): ReleaseNode[] {
  const needs = nodes.map(({ id }) => id);
  const manifest: ReleaseNode = { id: 'manifest', kind: 'manifest', family: '', needs };
  if (completeness === undefined) return [manifest];
  return [
    { id: 'completeness', kind: 'completeness', family: '', needs, completeness },
    { ...manifest, needs: [...needs, 'completeness'] },
  ];
}

/** A release is complete when its manifest says so: there is none before everything of all its codenames is published. */
function isWhole(spec: ReleaseSpec, chosen: readonly ReleaseNode[], facts: ReleaseFacts): boolean {
  if (!spec.publish) return false;
  const ids = new Set(chosen.map(({ id }) => id));
  return nodesOf(spec, spec.codenames)
    .filter(({ id }) => !ids.has(id))
    .every((node) => isThere(node, facts));
}

/** Whether something of the node is there already, as of any build. */
export function isThere(node: ReleaseNode, facts: ReleaseFacts): boolean {
  switch (node.kind) {
    case 'publish':
      return facts.published(node.prefix, node.distribution) !== undefined;
    case 'artifact':
      return facts.artifact(node.id) !== undefined;
    case 'place':
      return facts.place(node.place) !== undefined;
    default:
      return true;
  }
}

interface Judging {
  readonly spec: ReleaseSpec;
  readonly facts: ReleaseFacts;
  readonly options: PlanOptions;
  readonly planned: readonly PlannedNode[];
  /** Ids of all nodes of the plan. */
  readonly chosen: ReadonlySet<string>;
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
    case 'artifact':
      return blockedNeed(node, judging) ?? rebuiltNeed(node, judging.planned, judging.facts.artifact(node.id) !== undefined) ?? judgeArtifact(node.task, judging.facts, judging.options);
    case 'place':
      return judgePlace(node, judging);
    case 'index':
      return rebuiltNeed(node, judging.planned, false) ?? (judging.facts.indexed(node.family) ? FRESH : make('it does not list what there is'));
    case 'completeness':
    case 'manifest':
      return rebuiltNeed(node, judging.planned, false) ?? judgeLast(judging);
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
  const changed = names.filter((name) => canonicalJson(before?.[name]) !== canonicalJson(after[name]));
  return before === undefined || changed.length === 0 ? 'its definition changed' : `${changed.join(' and ')} changed`;
}

function judgeMerge(node: NodeOf<'merge'>, { facts, planned }: Judging): Judgement {
  const merged = facts.merged(node.name);
  const rebuilt = rebuiltNeed(node, planned, merged !== undefined);
  if (rebuilt !== undefined) return rebuilt;
  if (merged === undefined) return make('not merged yet');
  const wanted = node.sources.map((name) => facts.slushie(name)?.id);
  if (JSON.stringify(merged.sources) !== JSON.stringify(wanted)) return replace('its sources changed');
  return merged.policy === node.policy ? FRESH : replace('the merge policy changed');
}

function judgePublish(node: NodeOf<'publish'>, { facts, planned }: Judging): Judgement {
  const published = facts.published(node.prefix, node.distribution);
  const rebuilt = rebuiltNeed(node, planned, published !== undefined);
  if (rebuilt !== undefined) return rebuilt;
  if (published === undefined) return make('not published yet');
  if (published.snapshot !== facts.snapshot(node.snapshot)) return replace('it serves something else');
  return published.expiring === true ? make('its Valid-Until draws near') : FRESH;
}

/** Whether the artifact would be made anew although nothing of what it needs is. */
export function judgeArtifact(task: ArtifactTask, facts: ReleaseFacts, options: Pick<PlanOptions, 'replace'>): Judgement {
  const made = facts.artifact(task.id);
  if (made === undefined) return make('not made yet');
  if (canonicalJson(made.inputs) !== canonicalJson(task.inputs)) return replace(describeChange(made.inputs, task.inputs));
  const needs = digestsOf(task.needs, facts);
  const changed = Object.keys({ ...made.needs, ...needs }).find((id) => made.needs[id] !== needs[id]);
  if (changed !== undefined) return replace(`${changed} changed`);
  return options.replace ? replace('to be replaced') : FRESH;
}

/** Digests of the nodes that are there. */
export function digestsOf(ids: readonly string[], facts: Pick<ReleaseFacts, 'digest'>): Record<string, Sha256> {
  return Object.fromEntries(
    ids.flatMap((id) => {
      const digest = facts.digest(id);
      return digest === undefined ? [] : [[id, digest]];
    }),
  );
}

function judgePlace(node: NodeOf<'place'>, { facts, planned }: Judging): Judgement {
  const served = facts.place(node.place);
  // What is only added to takes nothing away.
  const replaced = planned.some(({ id, replaces }) => replaces && node.needs.includes(id));
  const rebuilt = rebuiltNeed(node, planned, replaced);
  if (rebuilt !== undefined) return rebuilt;
  if (served === undefined) return make('not published yet');
  return served === placeInputs(node.artifacts, facts) ? FRESH : replace('it serves something else');
}

/** Fingerprint of what a place is to hold. */
export function placeInputs(artifacts: readonly string[], facts: Pick<ReleaseFacts, 'digest'>): Sha256 {
  return sha256(canonicalJson(digestsOf(artifacts, facts)));
}

function judgeLast({ spec, facts, options }: Judging): Judgement {
  if (facts.built === undefined) return make('no complete build is recorded');
  if (facts.built !== toldInputs(spec, facts)) return make('some of it was published anew since, or where it is served changed');
  if (options.only.length > 0 || options.codenames.length > 0) return FRESH;
  const gone = leftOver(spec, facts);
  const first = gone.artifacts[0] ?? gone.places[0];
  return first === undefined ? FRESH : replace(`${first} is no part of it any more`);
}

/**
 * Fingerprint of what stands in the files of a build and is in nothing it is made of. Generations are: what is published
 * by hand, with other keys or there and back, has files of other bytes, although it is made of the same.
 */
export function toldInputs(spec: ReleaseSpec, { published }: Pick<ReleaseFacts, 'published'>): Sha256 {
  const generations = publicationPlaces(spec).map(({ prefix, distribution }) => [prefix, distribution, published(prefix, distribution)?.generation ?? null]);
  return sha256(canonicalJson({ baseUrl: spec.baseUrl ?? null, generations }));
}

/** What is recorded of a release and no longer said of it. */
export function leftOver(spec: ReleaseSpec, facts: Pick<ReleaseFacts, 'recorded'>): Recorded {
  const recorded = facts.recorded();
  const tasks = new Set(spec.tasks.map(({ id }) => id));
  const places = new Set(spec.tasks.flatMap((task) => task.places));
  return { artifacts: recorded.artifacts.filter((id) => !tasks.has(id)), places: recorded.places.filter((place) => !places.has(place)) };
}

function rebuiltNeed(node: ReleaseNode, planned: readonly PlannedNode[], exists: boolean): Judgement | undefined {
  const needed = planned.find(({ id, state }) => state !== 'fresh' && node.needs.includes(id));
  if (needed === undefined) return undefined;
  if (needed.state === 'blocked') return { state: 'blocked', reason: `needs ${needed.id}`, replaces: false };
  const what = needed.replaces ? 'is made anew' : 'is to be made';
  return { state: 'build', reason: `${needed.id} ${what}`, replaces: exists };
}

/** Needs that are left out of the build must be there from an earlier one. */
function blockedNeed(node: NodeOf<'artifact'>, { chosen, facts, options }: Judging): Judgement | undefined {
  const absent = node.needs.find((id) => !chosen.has(id) && facts.digest(id) === undefined);
  if (absent === undefined) return undefined;
  if (options.adapt) return { ...make(`made without ${absent}, which is not there`), replaces: facts.artifact(node.id) !== undefined };
  return { state: 'blocked', reason: `needs ${absent}, which is not there and not to be made`, replaces: false };
}
