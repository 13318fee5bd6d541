/** Changing what a repository holds: the members it will have, and recording them. */
import type { Catalog } from '../catalog/catalog.ts';
import type { RecordHead } from '../catalog/records.ts';
import type { Repo } from '../catalog/repos.ts';
import { ArtifactsError } from '../core/errors.ts';
import { memberKey } from '../core/member-order.ts';
import { namedPackage, type NamedPackage, type PackageNames } from '../core/package-names.ts';
import { describePackage, sameFiles, type FileRef, type PackageKey, type PackageRecord, type RecordDigest } from '../core/package.ts';
import type { Content } from '../core/snapshot.ts';
import { formatOf } from '../formats/index.ts';
import { editContent, membersNamed, type ContentEdit, type PlacedMember } from './edit-content.ts';

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
  /** What the repository does not have yet. */
  readonly fresh: readonly Entrant[];
  /** What these take the place of. */
  readonly gone: readonly Entrant[];
  readonly added: readonly NamedPackage[];
  /** There already, with the same bytes: nothing is done. */
  readonly same: readonly NamedPackage[];
  /** What gave way to other bytes. */
  readonly replaced: readonly NamedPackage[];
}

export interface AdditionRules {
  /** The repository, for messages. */
  readonly repo: string;
  /** Other bytes under the same name, version and architecture take the place of what is there. */
  readonly replace: boolean;
  readonly names: PackageNames;
}

/** What a repository holds of packages with the names of these. */
export function rivalsOf(catalog: Catalog, { name, content }: Pick<Repo, 'name' | 'content'>, entrants: readonly Entrant[]): Entrant[] {
  return membersNamed(catalog, content, entrants).map((head) => entrantOf(head, `repository "${name}"`));
}

/** A record of the catalog as something to put into a repository. */
export function entrantOf({ id, partition, name, version, architecture, digest, size, files }: RecordHead, origin: string): Entrant {
  return { partition, name, version, architecture, digest, size, files, origin, source: id };
}

/**
 * Joins packages to what a repository holds under their names. Throws E_CONFLICT, naming both, for the same name, version and architecture
 * with other bytes: among the newcomers always, against what is there unless it is to be replaced.
 */
export function joinRivals(rivals: readonly Entrant[], entrants: readonly Entrant[], { repo, replace, names }: AdditionRules): Addition {
  const present = new Map(rivals.map((rival) => [memberKey(rival), rival]));
  const fresh = new Map<string, Entrant>();
  const same: NamedPackage[] = [];
  const named = (one: Entrant): NamedPackage => namedPackage(one, names);
  const gone: Entrant[] = [];
  const conflicts: string[] = [];
  for (const entrant of entrants) {
    const key = memberKey(entrant);
    const rival = fresh.get(key) ?? present.get(key);
    if (rival === undefined) {
      fresh.set(key, entrant);
    } else if (sameFiles(rival.files, entrant.files)) {
      same.push(named(entrant));
    } else if (replace && !fresh.has(key)) {
      fresh.set(key, entrant);
      gone.push(rival);
    } else {
      conflicts.push(`${describePackage(entrant)} is ${bytesOf(rival)} in ${rival.origin} and ${bytesOf(entrant)} in ${entrant.origin}`);
    }
  }
  if (conflicts.length > 0) throw conflictError(repo, conflicts);
  const all = [...fresh.values()];
  return { fresh: all, gone, added: all.map(named), same, replaced: gone.map(named) };
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

/** Puts packages into the repository and takes others out. Call it within a transaction. */
export function changeRepo(
  catalog: Catalog,
  repo: Repo,
  { fresh, gone, now }: { readonly fresh: readonly Entrant[]; readonly gone: ContentEdit['drop']; readonly now: Date },
): Repo {
  const content = changeContent(catalog, repo, { fresh, gone });
  if (content.id === repo.content.id) return repo;
  const changed = { ...repo, content, changedAt: now.toISOString() };
  catalog.repos.put(changed);
  return changed;
}

/** The same for a content that belongs to no repository: what it would be. Call it within a transaction. */
export function changeContent(
  catalog: Catalog,
  { format, content }: Pick<Repo, 'format' | 'content'>,
  { fresh, gone }: { readonly fresh: readonly Entrant[]; readonly gone: ContentEdit['drop'] },
): Content {
  const { compareVersions } = formatOf(format);
  const add = fresh.map((entrant) => numbered(catalog, entrant));
  return editContent(content, { add, drop: gone }, { catalog, compareVersions });
}

function numbered(catalog: Catalog, { source, digest, partition, name, version, architecture, size }: Entrant): PlacedMember {
  const id = typeof source === 'number' ? source : (catalog.records.find(digest) ?? catalog.records.add(source, digest));
  return { id, digest, partition, name, version, architecture, size };
}
