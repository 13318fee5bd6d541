/** Choosing packages of contents by query and closure: what filter, search and pull have in common. */
import type { Catalog } from '../catalog/catalog.ts';
import { ArtifactsError } from '../core/errors.ts';
import type { Member } from '../core/leaf-cutter.ts';
import type { Content, Snapshot } from '../core/snapshot.ts';
import type { FollowOptions } from '../core/relation.ts';
import { formatOf } from '../formats/index.ts';
import type { RepoFormat } from '../formats/format.ts';
import { closure, type ClosureOptions, type Missing } from '../query/closure.ts';
import { formatQuery } from '../query/format.ts';
import { parseQuery } from '../query/parse.ts';
import type { Query } from '../query/query.ts';
import type { Universe } from '../query/universe.ts';
import { architecturesIn, openPackages, type PackageSet, type PackageSubject } from './packages.ts';
import { createSnapshot } from './snapshots.ts';

/** How a closure is followed. */
export interface Follow extends Pick<FollowOptions, 'recommends' | 'suggests'> {
  /** From a binary package to the source package it was built from. */
  readonly sources?: boolean;
  /** From a source package to what its build needs. */
  readonly builds?: boolean;
  /** Take a package for every alternative that can be had. */
  readonly allVariants?: boolean;
  /** Architectures whose needs count. Empty: those there are packages of. */
  readonly architectures: readonly string[];
}

export interface Selection {
  readonly packages: readonly PackageSubject[];
  /** Needs of the selected packages that nothing meets. */
  readonly missing: readonly Missing[];
}

export interface SelectRequest {
  readonly queries: readonly string[];
  /** Undefined: only what the queries mean. */
  readonly follow: Follow | undefined;
}

/** What any of the queries means, with its closure when that is asked for. Throws E_USAGE for a query that cannot be read. */
export function selectPackages(catalog: Catalog, { format, content }: Frozen, { queries, follow }: SelectRequest): Selection {
  const repository = formatOf(format);
  const packages = openPackages(catalog, repository, [content]);
  const named = packages.matching(parseQueries(queries));
  if (follow === undefined) return { packages: named, missing: [] };
  const architectures = chooseArchitectures(catalog, repository, { contents: [content], wanted: follow.architectures });
  return withNeeded(packages, named, { ...follow, architectures });
}

/** Whatever holds a content: a mirror, a snapshot. */
export interface Frozen {
  readonly format: string;
  readonly content: Content;
}

/** Any of the queries. */
export function parseQueries(queries: readonly string[]): Query {
  const parts = queries.map(parseQuery);
  const [only] = parts;
  return parts.length === 1 && only !== undefined ? only : { kind: 'any', parts: parts.flatMap((part) => (part.kind === 'any' ? part.parts : part)) };
}

/** The architectures asked for, or those the contents have packages of. Throws E_USAGE when there are none to be known. */
export function chooseArchitectures(
  catalog: Catalog,
  format: RepoFormat,
  { contents, wanted }: { readonly contents: readonly Content[]; readonly wanted: readonly string[] },
): readonly string[] {
  const architectures = wanted.length > 0 ? wanted : architecturesIn(catalog, format, contents);
  if (architectures.length > 0 || contents.every(({ count }) => count === 0)) return architectures;
  throw new ArtifactsError('E_USAGE', 'There are no packages of a certain architecture whose needs could be followed', {
    hint: 'Name the architectures with --architectures.',
  });
}

/** The roots and what they need; needs that `present` meets are not followed. */
export function withNeeded(
  packages: PackageSet,
  roots: readonly PackageSubject[],
  follow: Follow & { readonly present?: Universe },
): Selection {
  const options = closureOptions(packages.format, follow);
  let start = roots;
  for (;;) {
    const { selected, missing } = packages.reading(start, () => closure(packages.universe, start, options));
    const found = selected as readonly PackageSubject[]; // the universe holds no others
    const sources = follow.sources === true ? sourcesOf(packages, found) : [];
    if (sources.length === 0) return { packages: found, missing };
    if (follow.builds !== true) return { packages: [...found, ...sources], missing };
    start = [...found, ...sources]; // their builds may need more, which has sources in turn
  }
}

export function closureOptions(
  format: RepoFormat,
  { recommends = false, suggests = false, builds = false, allVariants = false, architectures, present }: Follow & { readonly present?: Universe },
): ClosureOptions {
  return {
    follow: { recommends, suggests, source: builds },
    architectures,
    compareVersions: format.compareVersions,
    allVariants,
    ...(present === undefined ? {} : { present }),
  };
}

/** The source packages of what is selected that are not selected yet. */
function sourcesOf(packages: PackageSet, selected: readonly PackageSubject[]): readonly PackageSubject[] {
  const known = new Set(selected);
  const found = new Set<PackageSubject>();
  for (const subject of selected) {
    const source = findSource(packages, subject);
    if (source !== undefined && !known.has(source)) found.add(source);
  }
  return [...found];
}

/** The source package a binary package was built from, if it is there; a source package itself. */
export function findSource(packages: PackageSet, subject: PackageSubject): PackageSubject | undefined {
  if (subject.type === 'source') return subject;
  const { name, version } = subject.source;
  return packages.named(name).find((one) => one.type === 'source' && one.source.version === version);
}

export interface FilterRequest extends SelectRequest {
  readonly name: string;
  readonly source: Snapshot;
  readonly now: Date;
}

export interface Filtered {
  readonly snapshot: Snapshot;
  readonly missing: readonly Missing[];
}

/**
 * Freezes what the queries mean of a snapshot. Files that are no packages stay: they describe more than is left, which
 * harms nobody. Throws E_USAGE, E_EXISTS.
 */
export function filterSnapshot(catalog: Catalog, { name, source, now, ...request }: FilterRequest): Filtered {
  const { packages, missing } = selectPackages(catalog, source, request);
  const content = catalog.contents.storeMembers(keptMembers(catalog, source, new Set(packages.map(({ id }) => id))));
  const query = request.queries.map((text) => formatQuery(parseQuery(text))).join(' | ');
  const origin = { kind: 'filter', query, sources: [{ id: source.id, name: source.name }] } as const;
  return { snapshot: createSnapshot(catalog, { name, format: source.format, content, origin, now }), missing };
}

function* keptMembers(catalog: Catalog, { format, content }: Frozen, kept: ReadonlySet<number>): Generator<Member> {
  const { listed } = formatOf(format).publishing;
  for (const leaf of catalog.contents.leaves(content.id)) {
    const members = catalog.contents.members(leaf.id);
    yield* catalog.members.heads(leaf.partition === listed.partition ? members : members.filter((id) => kept.has(id)));
  }
}
