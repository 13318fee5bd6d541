/** Searching whatever holds packages: snapshots, mirrors, local repositories. */
import type { Catalog } from '../catalog/catalog.ts';
import type { PackageKey } from '../core/package.ts';
import type { Frozen } from '../snapshot/select.ts';
import { exactName, followFrom, FOLLOW_OPTIONS, readQueries, type FollowInput } from './queries.ts';

/** Arguments and options of every search. */
export const SEARCH_QUERY = { summary: 'which packages, in the query language or as @file; all when left out', optional: true } as const;
export const SEARCH_OPTIONS = {
  withDeps: { kind: 'flag', summary: 'also what the packages need' },
  ...FOLLOW_OPTIONS,
} as const;

export interface SearchInput extends FollowInput {
  readonly query: string | undefined;
  readonly withDeps: boolean;
}

export interface Found extends PackageKey {
  /** `name_version_architecture` */
  readonly package: string;
}

/** What the query means among the packages held, in publication order or, with their needs, by name. */
export async function search(catalog: Catalog, held: Frozen, input: SearchInput): Promise<readonly Found[]> {
  const { selectPackages } = await import('../snapshot/select.ts');
  const queries = input.query === undefined ? ['Name'] : readQueries([input.query]);
  const { packages } = selectPackages(catalog, held, { queries, follow: input.withDeps ? followFrom(input) : undefined });
  return packages.map(viewFound);
}

export function viewFound({ name, version, architecture }: PackageKey): Found {
  return { package: exactName({ name, version, architecture }), name, version, architecture };
}

export function renderFound(found: readonly Found[]): string {
  return found.length === 0 ? 'No package matches.' : found.map((one) => one.package).join('\n');
}
