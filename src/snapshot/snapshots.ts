/** Snapshots: making, merging, comparing and dropping them in the catalog. The caller holds the aptly lock for changes. */
import type { Catalog } from '../catalog/catalog.ts';
import type { RecordHead } from '../catalog/records.ts';
import { ArtifactsError } from '../core/errors.ts';
import { checkName } from '../core/names.ts';
import type { Content, MergePolicy, Snapshot, SnapshotOrigin } from '../core/snapshot.ts';
import type { HasPackage, RepoFormat } from '../formats/format.ts';
import { formatOf } from '../formats/index.ts';
import { diffContents, type ContentDiff } from './diff.ts';
import { differingMembers, walkedSources } from './leaf-members.ts';
import { describeConflict, mergeContents, type MergeConflict, type MergedMember } from './merge.ts';
import { newestWinners } from './newest-packages.ts';
import { sourceWinners, type WinnersRequest } from './source-packages.ts';
import type { WalkedSource } from './walk.ts';

/** The snapshot with this name. Throws E_NOT_FOUND. */
export function requireSnapshot(catalog: Catalog, name: string): Snapshot {
  const found = catalog.snapshots.find(name);
  if (found !== undefined) return found;
  throw new ArtifactsError('E_NOT_FOUND', `Snapshot "${name}" not found`, { hint: '`artifacts snapshot list` shows what there is.' });
}

export interface NewSnapshot {
  readonly name: string;
  readonly format: string;
  readonly content: Content;
  readonly origin: SnapshotOrigin;
  readonly now: Date;
}

/** Adds a snapshot under a free name. Throws E_USAGE for a bad name, E_EXISTS for a taken one. */
export function createSnapshot(catalog: Catalog, { name, format, content, origin, now }: NewSnapshot): Snapshot {
  checkFree(catalog, name);
  return catalog.snapshots.add({ name, format, content, origin, createdAt: now.toISOString() });
}

function checkFree(catalog: Catalog, name: string): void {
  checkName(name, 'snapshot');
  if (catalog.snapshots.find(name) !== undefined) {
    throw new ArtifactsError('E_EXISTS', `Snapshot "${name}" exists already`, {
      hint: 'A snapshot never changes: choose another name, or drop it first.',
    });
  }
}

/** The name, or with a number behind it when it is taken. */
export function freeName(catalog: Catalog, wanted: string): string {
  let name = wanted;
  for (let n = 2; catalog.snapshots.find(name) !== undefined; n += 1) name = `${wanted}.${n}`;
  return name;
}

export interface MergeRequest {
  readonly name: string;
  readonly sources: readonly Snapshot[];
  readonly policy: MergePolicy;
  /** What `boundPackages` tells of the sources. */
  readonly isBound: HasPackage | undefined;
  readonly now: Date;
}

export interface Merged {
  readonly snapshot: Snapshot;
  /** How many packages two sources described differently though their files are the same. */
  readonly redescribed: number;
}

/** Merges snapshots in their order into a new one. Throws E_CONFLICT naming both origins of what cannot be merged. */
export function mergeSnapshots(catalog: Catalog, { name, sources, policy, isBound, now }: MergeRequest): Merged {
  checkFree(catalog, name);
  const format = sources[0]?.format;
  if (format === undefined) throw new ArtifactsError('E_USAGE', 'A merge needs at least one source');
  const other = sources.find((source) => source.format !== format);
  if (other !== undefined) {
    throw new ArtifactsError('E_USAGE', `Snapshot "${other.name}" is ${other.format} and cannot be merged with ${format}`);
  }
  const { compareVersions, publishing } = formatOf(format);
  const contents = sources.map(({ content }) => content);
  const winners = WINNERS[policy]?.(catalog, { format: formatOf(format), contents, isBound });
  const walked = winners === undefined ? walkedSources(catalog, contents) : winningSources(catalog, winners, { contents, format: formatOf(format) });
  const result = mergeContents(walked.map((source, index) => ({ ...source, name: sources[index]?.name ?? '' })), {
    policy,
    compareVersions,
    listedPartition: publishing.listed.partition,
    isBound,
    differing: differingMembers(catalog),
  });
  if (result.conflicts.length > 0) throw conflictError(name, result.conflicts);
  const origin: SnapshotOrigin = { kind: 'merge', policy, sources: sources.map(({ id, name: source }) => ({ id, name: source })) };
  const content = catalog.contents.store(result.pieces);
  return {
    snapshot: catalog.snapshots.add({ name, format, content, origin, createdAt: now.toISOString() }),
    redescribed: result.redescribed.length,
  };
}

/** For each content the numbers of the records that a merge takes from it. */
type Winners = readonly ReadonlySet<number>[];

/** Policies that need to see more than the packages of one name. */
const WINNERS: Readonly<Partial<Record<MergePolicy, (catalog: Catalog, request: WinnersRequest) => Winners>>> = {
  source: sourceWinners,
  newest: newestWinners,
};

/** The contents without what another one's builds take the place of. Files that are no packages stay. */
function winningSources(catalog: Catalog, winners: Winners, { contents, format }: { readonly contents: readonly Content[]; readonly format: RepoFormat }): WalkedSource<MergedMember>[] {
  return walkedSources(catalog, contents).map(({ leaves, load }, index) => ({
    leaves,
    load: (leaf) => (leaf.partition === format.publishing.listed.partition ? load(leaf) : load(leaf).filter(({ id }) => winners[index]?.has(id) === true)),
  }));
}

/** A merge that cannot be, for the first conflict found. */
export function conflictError(name: string, found: readonly MergeConflict[]): ArtifactsError {
  const conflicts = found.map(describeConflict);
  const more = conflicts.length > 1 ? ` (and ${conflicts.length - 1} more)` : '';
  return new ArtifactsError('E_CONFLICT', `Cannot merge "${name}": ${conflicts[0]}${more}`, {
    hint: 'Publish one of the two apart, by aptly_n_mapping or rpm_n_mapping, or keep one out with a filter of its mirror.',
    details: { conflicts },
  });
}

/** What must change in the first snapshot's content to get the second's. */
export function diffSnapshots(catalog: Catalog, a: Snapshot, b: Snapshot): ContentDiff {
  const [from, to] = walkedSources(catalog, [a.content, b.content]);
  if (from === undefined || to === undefined) throw new Error('Two contents are two sources');
  return diffContents(from, to, differingMembers(catalog));
}

/** What still needs a snapshot, in words: publications and the snapshots merged from it. */
export function usersOf(catalog: Catalog, snapshot: Snapshot): string[] {
  return [
    ...catalog.publications.using(snapshot.id).map(({ prefix, distribution }) => `publication ${prefix}/${distribution}`),
    ...catalog.snapshots.madeFrom(snapshot.id).map(({ name }) => `snapshot ${name}`),
  ];
}

/** Drops a snapshot. Throws E_IN_USE naming what needs it. */
export function dropSnapshot(catalog: Catalog, snapshot: Snapshot): void {
  const users = usersOf(catalog, snapshot);
  if (users.length > 0) {
    throw new ArtifactsError('E_IN_USE', `Snapshot "${snapshot.name}" is used by ${users.join(', ')}`, {
      hint: 'Drop those first.',
      details: { users },
    });
  }
  catalog.snapshots.drop(snapshot.id);
}

/** Gives a snapshot another name; whatever uses it keeps using it. Throws E_USAGE for a bad name, E_EXISTS for a taken one. */
export function renameSnapshot(catalog: Catalog, snapshot: Snapshot, name: string): void {
  checkFree(catalog, name);
  catalog.snapshots.rename(snapshot.id, name);
}

/** Every member of a snapshot, in publication order. */
export function* membersOf(catalog: Catalog, content: Content): Generator<RecordHead> {
  for (const leaf of catalog.contents.leaves(content.id)) yield* catalog.members.heads(catalog.contents.members(leaf.id));
}
