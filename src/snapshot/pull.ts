/** Pulling packages, with what they need, from one snapshot into another. */
import type { Catalog } from '../catalog/catalog.ts';
import type { RecordHead } from '../catalog/records.ts';
import type { Sha256 } from '../core/digest.ts';
import { ArtifactsError } from '../core/errors.ts';
import { compareMembers } from '../core/member-order.ts';
import type { Leaf, Snapshot } from '../core/snapshot.ts';
import type { RepoFormat } from '../formats/format.ts';
import { formatOf } from '../formats/index.ts';
import type { Missing } from '../query/closure.ts';
import { formatQuery } from '../query/format.ts';
import { parseQuery } from '../query/parse.ts';
import type { Universe } from '../query/universe.ts';
import { walkedSources } from './leaf-members.ts';
import { mergeContents, type MergeSource } from './merge.ts';
import { openPackages, type PackageSet, type PackageSubject } from './packages.ts';
import { chooseArchitectures, parseQueries, withNeeded, type Follow } from './select.ts';
import { conflictError, createSnapshot } from './snapshots.ts';

export interface PullRequest {
  /** The snapshot packages are pulled into. */
  readonly target: Snapshot;
  readonly source: Snapshot;
  readonly queries: readonly string[];
  readonly follow: Follow;
  /** Also what the pulled packages need and the target does not have. */
  readonly withDependencies: boolean;
  /** Other versions of a pulled package leave the target. */
  readonly remove: boolean;
  /** Every version the queries mean, not the highest of each package alone. */
  readonly allMatches: boolean;
}

export interface PullPlan {
  /** What comes in: records of the source that the target does not have. */
  readonly added: readonly RecordHead[];
  /** What they replace. */
  readonly removed: readonly RecordHead[];
  readonly missing: readonly Missing[];
  /** All that is pulled, whether the target has it or not, in publication order. */
  readonly pulled: readonly RecordHead[];
}

/** What a pull would do. The same whatever the order of packages. Throws E_USAGE. */
export function planPull(catalog: Catalog, request: PullRequest): PullPlan {
  const { target, source } = request;
  if (source.format !== target.format) {
    throw new ArtifactsError('E_USAGE', `Snapshot "${source.name}" is ${source.format} and cannot be pulled into ${target.format}`);
  }
  const format = formatOf(target.format);
  const contents = [target.content, source.content];
  const architectures = chooseArchitectures(catalog, format, { contents: target.content.count === 0 ? contents : [target.content], wanted: request.follow.architectures });
  const there = openPackages(catalog, format, [target.content]);
  const offered = openPackages(catalog, format, [source.content]);
  const roots = chooseRoots(offered, request, architectures);
  const { packages, missing } = request.withDependencies
    ? neededToo({ there, offered, roots, request: { ...request, follow: { ...request.follow, architectures } } })
    : { packages: roots, missing: [] };
  const pulled = inOrder(packages.map(({ id }) => catalog.records.head(id)), format);
  const held = new Set(packages.flatMap(({ name }) => there.named(name).map(({ id }) => id)));
  return {
    added: pulled.filter(({ id }) => !held.has(id)),
    removed: request.remove ? inOrder(replacedBy(packages, there).map(({ id }) => catalog.records.head(id)), format) : [],
    missing,
    pulled,
  };
}

/** Makes the snapshot a plan describes. Throws E_CONFLICT when a pulled version is there with other bytes, E_EXISTS. */
export function applyPull(
  catalog: Catalog,
  { target, source, queries, remove }: PullRequest,
  { plan, name, now }: { readonly plan: PullPlan; readonly name: string; readonly now: Date },
): Snapshot {
  const { compareVersions, publishing } = formatOf(target.format);
  const walked = walkedSources(catalog, [target.content]).map((content) => ({ ...content, name: target.name }));
  const sources = [...walked, inMemory(source.name, plan.pulled)];
  // Replacing per name and architecture is what a pull does; without removal it is a merge that keeps all versions.
  const merged = mergeContents(sources, { policy: remove ? 'replace' : 'no-remove', compareVersions, listedPartition: publishing.listed.partition });
  if (merged.conflicts.length > 0) throw conflictError(name, merged.conflicts);
  const query = queries.map((text) => formatQuery(parseQuery(text))).join(' | ');
  const origin = { kind: 'pull', query, sources: [target, source].map(({ id, name: from }) => ({ id, name: from })) } as const;
  return createSnapshot(catalog, { name, format: target.format, content: catalog.contents.store(merged.pieces), origin, now });
}

/** What the queries mean for the architectures of the target; of each package the highest version unless all are asked for. */
function chooseRoots(offered: PackageSet, { queries, allMatches }: PullRequest, architectures: readonly string[]): readonly PackageSubject[] {
  const wanted = new Set(architectures);
  const named = offered.matching(parseQueries(queries)).filter(({ architecture, isForAll, type }) => isForAll || type === 'source' || wanted.has(architecture));
  if (allMatches) return named;
  const best = new Map<string, PackageSubject>();
  for (const subject of named) {
    const before = best.get(keyOf(subject));
    if (before === undefined || offered.format.compareVersions(subject.version, before.version) > 0) best.set(keyOf(subject), subject);
  }
  return [...best.values()];
}

interface Pulling {
  readonly there: PackageSet;
  readonly offered: PackageSet;
  readonly roots: readonly PackageSubject[];
  readonly request: PullRequest;
}

/**
 * The roots and what they need. What a pulled package replaces meets no need any more, so the closure is made again until
 * nothing more is replaced; each round replaces more than the one before, or it is the last.
 */
function neededToo({ there, offered, roots, request }: Pulling): { packages: readonly PackageSubject[]; missing: readonly Missing[] } {
  let replaced = new Set(request.remove ? replacedBy(roots, there) : []);
  for (;;) {
    const selection = withNeeded(offered, roots, { ...request.follow, present: without(there.universe, replaced) });
    const now = new Set(request.remove ? [...replaced, ...replacedBy(selection.packages, there)] : []);
    if (now.size === replaced.size) return selection;
    replaced = now;
  }
}

function without(universe: Universe, gone: ReadonlySet<unknown>): Universe {
  return { named: (name) => universe.named(name).filter((subject) => !gone.has(subject)) };
}

/** Packages of the target that give way: same name and architecture, another record. */
function replacedBy(pulled: readonly PackageSubject[], there: PackageSet): PackageSubject[] {
  const ids = new Set(pulled.map(({ id }) => id));
  const replaced = new Set<PackageSubject>();
  for (const subject of pulled) {
    for (const other of there.named(subject.name)) {
      if (keyOf(other) === keyOf(subject) && !ids.has(other.id)) replaced.add(other);
    }
  }
  return [...replaced];
}

function keyOf({ type, name, architecture }: PackageSubject): string {
  return `${type}\0${name}\0${architecture}`;
}

function inOrder(heads: readonly RecordHead[], { compareVersions }: RepoFormat): readonly RecordHead[] {
  return [...heads].sort((a, b) => compareMembers(a, b, compareVersions));
}

/** Members that no content holds as something to merge. Leaves without size are never taken over whole. */
function inMemory(name: string, members: readonly RecordHead[]): MergeSource {
  const partitions = [...new Set(members.map(({ partition }) => partition))];
  const groups = partitions.map((partition) => members.filter((member) => member.partition === partition));
  const leaves = groups.map((group, index): Leaf => ({
    id: index,
    digest: '' as Sha256,
    partition: group[0]?.partition ?? '',
    first: group[0]?.name ?? '',
    last: group.at(-1)?.name ?? '',
    count: group.length,
    size: 0,
  }));
  return { name, leaves, load: (leaf) => groups[leaf.id] ?? [] };
}
