/** Changing what a repository holds: the members it will have, and recording them. */
import type { Catalog } from '../catalog/catalog.ts';
import type { RecordHead } from '../catalog/records.ts';
import type { Repo } from '../catalog/repos.ts';
import { ArtifactsError } from '../core/errors.ts';
import type { Member } from '../core/leaf-cutter.ts';
import { compareMembers, memberKey } from '../core/member-order.ts';
import { describePackage, sameFiles, type FileRef, type PackageKey, type PackageRecord, type RecordDigest } from '../core/package.ts';
import { formatOf } from '../formats/index.ts';

/** A package that is to stand in a repository, in the catalog already or not yet. */
export interface Entrant extends PackageKey {
  readonly partition: string;
  readonly digest: RecordDigest;
  /** Bytes of its text. */
  readonly size: number;
  readonly files: readonly FileRef[];
  /** For messages: the file or the snapshot it came from. */
  readonly origin: string;
  /** Its number in the catalog, or the record that gets one. */
  readonly source: number | PackageRecord;
}

/** What an addition would do. */
export interface Addition {
  readonly members: readonly Entrant[];
  readonly added: readonly PackageKey[];
  /** There already, with the same bytes: nothing is done. */
  readonly same: readonly PackageKey[];
  /** What gave way to other bytes. */
  readonly replaced: readonly PackageKey[];
}

export interface AdditionRules {
  /** The repository, for messages. */
  readonly repo: string;
  /** Other bytes under the same name, version and architecture take the place of what is there. */
  readonly replace: boolean;
}

/** What a repository holds. */
export function membersOf(catalog: Catalog, { name, content }: Pick<Repo, 'name' | 'content'>): Entrant[] {
  return Array.from(catalog.contents.allMembers(content.id), (id) => entrantOf(catalog.records.head(id), `repository "${name}"`));
}

/** A record of the catalog as something to put into a repository. */
export function entrantOf({ id, partition, name, version, architecture, digest, size, files }: RecordHead, origin: string): Entrant {
  return { partition, name, version, architecture, digest, size, files, origin, source: id };
}

/**
 * Joins packages to what a repository holds. Throws E_CONFLICT, naming both, for the same name, version and architecture
 * with other bytes: among the newcomers always, against what is there unless it is to be replaced.
 */
export function addMembers(members: readonly Entrant[], entrants: readonly Entrant[], { repo, replace }: AdditionRules): Addition {
  const present = new Map(members.map((member) => [memberKey(member), member]));
  const fresh = new Map<string, Entrant>();
  const same: PackageKey[] = [];
  const replaced: PackageKey[] = [];
  const conflicts: string[] = [];
  for (const entrant of entrants) {
    const key = memberKey(entrant);
    const rival = fresh.get(key) ?? present.get(key);
    if (rival === undefined) {
      fresh.set(key, entrant);
    } else if (sameFiles(rival.files, entrant.files)) {
      same.push(keyOf(entrant));
    } else if (replace && !fresh.has(key)) {
      fresh.set(key, entrant);
      replaced.push(keyOf(entrant));
    } else {
      conflicts.push(`${describePackage(entrant)} is ${bytesOf(rival)} in ${rival.origin} and ${bytesOf(entrant)} in ${entrant.origin}`);
    }
  }
  if (conflicts.length > 0) throw conflictError(repo, conflicts);
  const kept = members.filter((member) => !fresh.has(memberKey(member)));
  return { members: [...kept, ...fresh.values()], added: [...fresh.values()].map(keyOf), same, replaced };
}

function bytesOf({ files }: Entrant): string {
  return files[0]?.sha256.slice(0, 12) ?? 'without files';
}

function conflictError(repo: string, conflicts: readonly string[]): ArtifactsError {
  const more = conflicts.length > 1 ? ` (and ${conflicts.length - 1} more)` : '';
  return new ArtifactsError('E_CONFLICT', `Nothing was added to "${repo}": ${conflicts[0]}${more}`, {
    hint: 'Give the package a new version, or replace what is there with --force-replace.',
    details: { conflicts, ...(conflicts.length > 1 ? { problems: conflicts } : {}) },
  });
}

export function keyOf({ name, version, architecture }: PackageKey): PackageKey {
  return { name, version, architecture };
}

/** Makes these the members of the repository. Call it within a transaction. */
export function putMembers(catalog: Catalog, { repo, members, now }: { readonly repo: Repo; readonly members: readonly Entrant[]; readonly now: Date }): Repo {
  const { compareVersions } = formatOf(repo.format);
  const sorted = members.toSorted((a, b) => compareMembers(a, b, compareVersions));
  const content = catalog.contents.storeMembers(sorted.map((member) => numbered(catalog, member)));
  if (content.id === repo.content.id) return repo;
  const changed = { ...repo, content, changedAt: now.toISOString() };
  catalog.repos.put(changed);
  return changed;
}

function numbered(catalog: Catalog, { source, digest, partition, name, size }: Entrant): Member {
  const id = typeof source === 'number' ? source : (catalog.records.find(digest) ?? catalog.records.add(source, digest));
  return { id, digest, partition, name, size };
}
