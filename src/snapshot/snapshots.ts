/** Snapshots: making, merging, comparing and dropping them in the catalog. The caller holds the aptly lock for changes. */
import type { Catalog } from '../catalog/catalog.ts';
import type { RecordHead } from '../catalog/records.ts';
import { ArtifactsError } from '../core/errors.ts';
import type { Content, Leaf, MergePolicy, Snapshot, SnapshotOrigin } from '../core/snapshot.ts';
import { formatOf } from '../formats/index.ts';
import { diffContents, type ContentDiff } from './diff.ts';
import { describeConflict, mergeContents, type MergeSource } from './merge.ts';

/** What names may look like: they stand in paths, URLs and messages. */
const NAME = /^[A-Za-z0-9][A-Za-z0-9+._~@:-]*$/;

/** The snapshot with this name. Throws E_NOT_FOUND with the names that are near. */
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
  checkName(catalog, name);
  return catalog.snapshots.add({ name, format, content, origin, createdAt: now.toISOString() });
}

function checkName(catalog: Catalog, name: string): void {
  if (!NAME.test(name) || name.length > 200) {
    throw new ArtifactsError('E_USAGE', `"${name}" is no name for a snapshot`, {
      hint: 'Use letters, digits and + . _ ~ @ : - and begin with a letter or digit.',
    });
  }
  if (catalog.snapshots.find(name) !== undefined) {
    throw new ArtifactsError('E_EXISTS', `Snapshot "${name}" exists already`, {
      hint: 'A snapshot never changes: choose another name, or drop it first.',
    });
  }
}

export interface MergeRequest {
  readonly name: string;
  readonly sources: readonly Snapshot[];
  readonly policy: MergePolicy;
  readonly now: Date;
}

export interface Merged {
  readonly snapshot: Snapshot;
  /** How many packages two sources described differently though their files are the same. */
  readonly redescribed: number;
}

/** Merges snapshots in their order into a new one. Throws E_CONFLICT naming both origins of what cannot be merged. */
export function mergeSnapshots(catalog: Catalog, { name, sources, policy, now }: MergeRequest): Merged {
  checkName(catalog, name);
  const format = sources[0]?.format;
  if (format === undefined) throw new ArtifactsError('E_USAGE', 'A merge needs at least one source');
  const other = sources.find((source) => source.format !== format);
  if (other !== undefined) {
    throw new ArtifactsError('E_USAGE', `Snapshot "${other.name}" is ${other.format} and cannot be merged with ${format}`);
  }
  const { compareVersions, publishing } = formatOf(format);
  const result = mergeContents(sources.map((source) => mergeSource(catalog, source)), {
    policy,
    compareVersions,
    listedPartition: publishing.listed.partition,
  });
  if (result.conflicts.length > 0) throw conflictError(name, result.conflicts.map(describeConflict));
  const origin: SnapshotOrigin = { kind: 'merge', policy, sources: sources.map(({ id, name: source }) => ({ id, name: source })) };
  const content = catalog.contents.store(result.pieces);
  return {
    snapshot: catalog.snapshots.add({ name, format, content, origin, createdAt: now.toISOString() }),
    redescribed: result.redescribed.length,
  };
}

function conflictError(name: string, conflicts: readonly string[]): ArtifactsError {
  const more = conflicts.length > 1 ? ` (and ${conflicts.length - 1} more)` : '';
  return new ArtifactsError('E_CONFLICT', `Cannot merge "${name}": ${conflicts[0]}${more}`, {
    hint: 'Publish one of the two apart: move it from aptly_miko_mapping to aptly_n_mapping.',
    details: { conflicts },
  });
}

function mergeSource(catalog: Catalog, snapshot: Snapshot): MergeSource {
  return { name: snapshot.name, ...contentSource(catalog, snapshot.content) };
}

/** A content as something to walk. */
export function contentSource(
  catalog: Catalog,
  content: Content,
): { readonly leaves: readonly Leaf[]; readonly load: (leaf: Leaf) => RecordHead[] } {
  return {
    leaves: catalog.contents.leaves(content.id),
    load: (leaf) => Array.from(catalog.contents.members(leaf.id), (id) => catalog.records.head(id)),
  };
}

/** What must change in the first snapshot's content to get the second's. */
export function diffSnapshots(catalog: Catalog, a: Snapshot, b: Snapshot): ContentDiff {
  return diffContents(contentSource(catalog, a.content), contentSource(catalog, b.content));
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

/** Every member of a snapshot, in publication order. */
export function* membersOf(catalog: Catalog, content: Content): Generator<RecordHead> {
  for (const id of catalog.contents.allMembers(content.id)) yield catalog.records.head(id);
}
