/**
 * Local repositories: packages we put in ourselves, from files or from mirrors and snapshots. Unlike a snapshot a
 * repository changes; each change is all or nothing, and files are in the pool before the catalog speaks of them. Blind
 * to the format. Whoever changes one holds the aptly lock.
 */
import type { Catalog } from '../catalog/catalog.ts';
import type { Repo } from '../catalog/repos.ts';
import { EMPTY_SHA256 } from '../core/digest.ts';
import { ArtifactsError } from '../core/errors.ts';
import { checkName } from '../core/names.ts';
import type { Content } from '../core/snapshot.ts';

/** A repository that vars/ names: it counts as existing and empty before anything is put in. */
export interface DeclaredRepo {
  readonly name: string;
  readonly comment: string;
  /** Id of the repository format. */
  readonly format: string;
}

/** The format of repositories that are made without saying which. */
export const DEFAULT_FORMAT = 'apt';

/** A repository as it can be shown: one that is only declared has no content and no dates yet. */
export interface KnownRepo {
  readonly name: string;
  readonly format: string;
  readonly comment: string;
  readonly content: Content | undefined;
  readonly createdAt: string | undefined;
  readonly changedAt: string | undefined;
}

/** All repositories, those that are only declared too, by name. */
export function listRepos(catalog: Catalog, declared: readonly DeclaredRepo[]): KnownRepo[] {
  const stored = catalog.repos.list();
  const names = new Set(stored.map(({ name }) => name));
  const empty = declared.filter(({ name }) => !names.has(name)).map(asKnown);
  return [...stored, ...empty].sort((a, b) => (a.name < b.name ? -1 : 1));
}

/** How many packages it has: metadata beside them is none. */
export function countPackages({ content }: Pick<KnownRepo, 'content'>): number {
  return content?.count ?? 0;
}

/** The repository with this name. Throws E_NOT_FOUND. */
export function findRepo(catalog: Catalog, name: string, declared: readonly DeclaredRepo[]): KnownRepo {
  const stored = catalog.repos.find(name);
  if (stored !== undefined) return stored;
  const named = declared.find((repo) => repo.name === name);
  if (named !== undefined) return asKnown(named);
  throw new ArtifactsError('E_NOT_FOUND', `Repository "${name}" not found`, {
    hint: `\`artifacts repo list\` shows what there is; \`artifacts repo create ${name}\` makes it.`,
  });
}

/** The same, made in the catalog if it was only declared. Call it within a transaction. */
export function openRepo(catalog: Catalog, name: string, { declared, now }: { readonly declared: readonly DeclaredRepo[]; readonly now: Date }): Repo {
  const stored = catalog.repos.find(name);
  if (stored !== undefined) return stored;
  const { comment, format } = findRepo(catalog, name, declared);
  return addRepo(catalog, { name, comment, format, content: catalog.contents.storeMembers([]), now });
}

export interface NewRepo {
  readonly name: string;
  readonly comment: string;
  readonly format: string;
  readonly content: Content;
  readonly now: Date;
}

/** Creates a repository. Throws E_USAGE for a bad name, E_EXISTS for a taken one. */
export function createRepo(catalog: Catalog, repo: NewRepo): Repo {
  checkName(repo.name, 'repository');
  if (catalog.repos.find(repo.name) !== undefined) throw taken(repo.name);
  return addRepo(catalog, repo);
}

/** Gives a repository another name, also where publications follow it. Throws like `createRepo`. */
export function renameRepo(catalog: Catalog, repo: Repo, name: string): Repo {
  checkName(name, 'repository');
  if (catalog.repos.find(name) !== undefined) throw taken(name);
  const renamed = { ...repo, name };
  catalog.repos.drop(repo.name);
  catalog.repos.put(renamed);
  catalog.publications.renameRepo(repo.name, name);
  return renamed;
}

/** Throws E_IN_USE, naming them, when publications follow the repository, or will with their next update. */
export function refuseUsed(catalog: Catalog, name: string): void {
  const users = catalog.publications
    .list()
    .filter(({ prefix, distribution, spec }) => {
      const staged = catalog.publications.staged(prefix, distribution).map(({ repo }) => repo);
      return [...Object.values(spec.repos ?? {}), ...staged].includes(name);
    })
    .map(({ prefix, distribution }) => `publication ${prefix}/${distribution}`);
  if (users.length === 0) return;
  throw new ArtifactsError('E_IN_USE', `Repository "${name}" is used by ${users.join(', ')}`, {
    hint: 'Drop those first, or switch them to a snapshot.',
    details: { users },
  });
}

/** Names what a repository holds, without looking: equal for equal contents, and that of nothing for an empty one. */
export function contentDigest(repo: Pick<KnownRepo, 'content'> | undefined): Content['digest'] {
  return repo?.content?.digest ?? EMPTY_SHA256;
}

function addRepo(catalog: Catalog, { name, comment, format, content, now }: NewRepo): Repo {
  const createdAt = now.toISOString();
  const repo = { name, format, comment, content, createdAt, changedAt: createdAt };
  catalog.repos.put(repo);
  return repo;
}

function taken(name: string): ArtifactsError {
  return new ArtifactsError('E_EXISTS', `Repository "${name}" exists already`, { hint: 'Choose another name, or drop it first.' });
}

function asKnown({ name, comment, format }: DeclaredRepo): KnownRepo {
  return { name, comment, format, content: undefined, createdAt: undefined, changedAt: undefined };
}
