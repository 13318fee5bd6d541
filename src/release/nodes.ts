/** The nodes of a release: every piece of work its build consists of, and what each needs. Pure. */
import type { ArtifactKind, ArtifactTask } from '../artifacts/kind.ts';
import type { MergePolicy } from '../core/snapshot.ts';
import {
  distributionName,
  independentPrefix,
  integratedPrefix,
  mikoName,
  slushieName,
  type CodenameSpec,
  type CompletenessSpec,
  type MirrorSpec,
  type ReleaseSpec,
  type SourceSpec,
} from './spec.ts';

interface NodeBase {
  readonly id: string;
  readonly needs: readonly string[];
  /** The kind of artifact it belongs to, as `--only` takes it: `apt`, `git`. */
  readonly family: string;
}

/** A piece of work of a release build. */
export type ReleaseNode = NodeBase &
  (
    | { readonly kind: 'mirror'; readonly source: MirrorSpec }
    | { readonly kind: 'snapshot'; readonly source: SourceSpec; readonly name: string }
    | { readonly kind: 'merge'; readonly name: string; readonly sources: readonly string[]; readonly policy: MergePolicy }
    | { readonly kind: 'publish'; readonly prefix: string; readonly distribution: string; readonly snapshot: string; readonly clients?: string }
    | { readonly kind: 'artifact'; readonly task: ArtifactTask }
    | { readonly kind: 'place'; readonly place: string; readonly maker: ArtifactKind; readonly artifacts: readonly string[] }
    | { readonly kind: 'index'; readonly maker: ArtifactKind }
    | { readonly kind: 'completeness'; readonly completeness: CompletenessSpec }
    | { readonly kind: 'manifest' }
  );

export type NodeOf<Kind extends ReleaseNode['kind']> = Extract<ReleaseNode, { readonly kind: Kind }>;

/** The kinds of artifacts the release has, as `--only` takes them: repositories of packages first, what most others are made from. */
export function familiesOf(spec: Pick<ReleaseSpec, 'kinds' | 'codenames'>): readonly string[] {
  return [...new Set([...spec.codenames.map(({ format }) => format), ...spec.kinds.map(({ name }) => name)])];
}

/** All nodes of these codenames but the last two, in an order in which they can be made. */
export function nodesOf(spec: ReleaseSpec, codenames: readonly CodenameSpec[]): ReleaseNode[] {
  const used = new Map(codenames.flatMap(({ format, merged, independent }) => [...merged, ...independent.map(({ source }) => source)].map((name) => [name, format])));
  const sources = [...spec.sources.values()].filter(({ name }) => used.has(name));
  const others = spec.codenames.filter((codename) => !codenames.includes(codename));
  return [
    ...sources.flatMap((source) => sourceNodes(spec, source, used.get(source.name) ?? '')),
    ...codenames.flatMap((codename) => codenameNodes(spec, codename)),
    ...artifactNodes(spec, new Set(others.flatMap((codename) => codenameNodes(spec, codename).map(({ id }) => id)))),
  ];
}

function sourceNodes(spec: ReleaseSpec, source: SourceSpec, family: string): ReleaseNode[] {
  const name = slushieName(spec.name, source.name);
  const mirror = `mirror ${source.name}`;
  const needs = source.kind === 'mirror' ? [mirror] : [];
  const snapshot: ReleaseNode = { id: `snapshot ${name}`, kind: 'snapshot', family, needs, source, name };
  return source.kind === 'mirror' ? [{ id: mirror, kind: 'mirror', family, needs: [], source }, snapshot] : [snapshot];
}

function codenameNodes(spec: ReleaseSpec, { codename, format: family, mergePolicy: policy, merged, independent, clients }: CodenameSpec): ReleaseNode[] {
  const nodes: ReleaseNode[] = [];
  const distribution = distributionName(spec.name, codename);
  const publishNode = (prefix: string, snapshot: string, need: string): void => {
    if (!spec.publish) return;
    const id = publicationId(prefix, distribution);
    nodes.push({ id, kind: 'publish', family, needs: [need], prefix, distribution, snapshot, ...(clients === undefined ? {} : { clients }) });
  };
  if (merged.length > 0) {
    const name = mikoName(spec.name, codename);
    const sources = merged.map((source) => slushieName(spec.name, source));
    const needs = sources.map((source) => `snapshot ${source}`);
    nodes.push({ id: `merge ${name}`, kind: 'merge', family, needs, name, sources, policy });
    publishNode(integratedPrefix(family), name, `merge ${name}`);
  }
  for (const { source, dest } of independent) {
    const slushie = slushieName(spec.name, source);
    publishNode(independentPrefix(family, dest), slushie, `snapshot ${slushie}`);
  }
  return nodes;
}

/** Tasks lean on publications by this. */
export function publicationId(prefix: string, distribution: string): string {
  return `publish ${prefix} ${distribution}`;
}

/**
 * What is made besides packages needs a published release: without one there is nothing to make it from. `apart` are
 * nodes that are not wanted now; what is made from them is not, either.
 */
function artifactNodes({ publish, kinds, tasks }: ReleaseSpec, apart: ReadonlySet<string>): ReleaseNode[] {
  if (!publish) return [];
  const unwanted = new Set(apart);
  return kinds.flatMap((maker) => {
    const family = maker.name;
    const own = tasks.filter(({ kind }) => kind === family);
    for (const { id } of own.filter((task) => task.needs.some((need) => unwanted.has(need)))) unwanted.add(id);
    const wanted = own.filter(({ id }) => !unwanted.has(id));
    const made = wanted.map((task): ReleaseNode => ({ id: task.id, kind: 'artifact', family, needs: task.needs, task }));
    const nodes = [...made, ...placeNodes(maker, wanted, own)];
    if (maker.shared === undefined || nodes.length === 0) return nodes;
    return [...nodes, { id: `index ${family}`, kind: 'index', family, needs: nodes.map(({ id }) => id), maker }];
  });
}

/** A place holds all of its artifacts, also those that are not made now. */
function placeNodes(maker: ArtifactKind, wanted: readonly ArtifactTask[], own: readonly ArtifactTask[]): ReleaseNode[] {
  return [...new Set(wanted.flatMap((task) => task.places))].map((place) => {
    const inPlace = (tasks: readonly ArtifactTask[]): string[] => tasks.filter(({ places }) => places.includes(place)).map(({ id }) => id);
    const needs = inPlace(wanted);
    return { id: `publish ${place}`, kind: 'place', family: maker.name, needs, place, maker, artifacts: inPlace(own) };
  });
}
