/** What the operations on local repositories share. */
import type { Catalog } from '../catalog/catalog.ts';
import type { RecordHead } from '../catalog/records.ts';
import type { NamedPackage } from '../core/package-names.ts';
import type { Content } from '../core/snapshot.ts';
import type { Missing } from '../query/closure.ts';
import type { Added, RepoTools } from '../repo/add.ts';
import type { DeclaredRepo, KnownRepo } from '../repo/repos.ts';
import type { Follow } from '../snapshot/select.ts';
import type { App } from './app.ts';
import { counted } from './text.ts';

/** The repositories of aptly_repos and rpm_repos, with the names of the releases filled in. */
export async function declaredRepos(app: App): Promise<readonly DeclaredRepo[]> {
  const { fillRelease } = await import('../config/templates.ts');
  const { repos, releases } = await app.config();
  return repos
    .filter(({ present }) => present)
    .flatMap(({ name, comment = '', format }) => {
      const names = name.includes('{{') ? releases.map((release) => fillRelease(name, release)) : [name];
      return [...new Set(names)].map((filled) => ({ name: filled, comment, format }));
    });
}

export async function repoTools(app: App): Promise<RepoTools> {
  return {
    catalog: await app.catalog(),
    pool: await app.pool(),
    locks: await app.locks(),
    clock: app.clock,
    declared: await declaredRepos(app),
    seen: await app.cache(),
    change: app.change,
  };
}

/** A repository as `--json` shows it. */
export interface RepoView {
  readonly name: string;
  readonly comment: string;
  readonly format: string;
  readonly packages: number;
  readonly createdAt: string | null;
  readonly changedAt: string | null;
}

export function viewRepo({ name, comment, format, createdAt, changedAt }: KnownRepo, packages: number): RepoView {
  return { name, comment, format, packages, createdAt: createdAt ?? null, changedAt: changedAt ?? null };
}

/** Whatever holds packages; undefined content: none. */
export interface Holder {
  readonly format: string;
  readonly content: Content | undefined;
}

export interface Selected {
  readonly records: readonly RecordHead[];
  readonly missing: readonly Missing[];
}

/** The packages that queries mean, with what these need where `follow` says how. Throws E_USAGE for a bad query. */
export async function selectRecords(
  catalog: Catalog,
  { format, content }: Holder,
  { queries, follow }: { readonly queries: readonly string[]; readonly follow: Follow | undefined },
): Promise<Selected> {
  const { parseQueries, selectPackages } = await import('../snapshot/select.ts');
  parseQueries(queries); // one that cannot be read is told even where there is nothing to choose from
  if (content === undefined) return { records: [], missing: [] };
  const { packages, missing } = selectPackages(catalog, { format, content }, { queries, follow });
  return { records: packages.map(({ id }) => catalog.records.head(id)), missing };
}

/** What an addition did, line by line. */
export function additionLines({ added, same, replaced }: Pick<Added, 'added' | 'same' | 'replaced'>): string[] {
  const gone = new Set(replaced.map((one) => one.package));
  const line = (one: NamedPackage): string => (gone.has(one.package) ? `! ${one.package} replaced` : `+ ${one.package}`);
  return [...added.map(line), ...same.map((one) => `= ${one.package} is there already`)];
}

/** The last line: how many packages there are now. */
export function repoLine({ repo, packages }: Pick<Added, 'repo' | 'packages'>, dryRun = false): string {
  return dryRun ? `Repository ${repo} would have ${counted(packages, 'package')}.` : `Repository ${repo}: ${counted(packages, 'package')}.`;
}
