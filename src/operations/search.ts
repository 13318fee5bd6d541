/** Searching whatever holds packages: snapshots, mirrors, local repositories. */
import type { Catalog } from '../catalog/catalog.ts';
import { namedPackage, type NamedPackage } from '../core/package-names.ts';
import type { Frozen } from '../snapshot/select.ts';
import { followFrom, FOLLOW_OPTIONS, readQueries, type FollowInput } from './queries.ts';

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

/** What the query means among the packages held, in publication order or, with their needs, by name. */
export async function search(catalog: Catalog, held: Frozen, input: SearchInput): Promise<readonly NamedPackage[]> {
  const { formatOf } = await import('../formats/index.ts');
  const { selectPackages } = await import('../snapshot/select.ts');
  const queries = input.query === undefined ? ['Name'] : readQueries([input.query]);
  const { packages } = selectPackages(catalog, held, { queries, follow: input.withDeps ? followFrom(input) : undefined });
  const { names } = formatOf(held.format);
  return packages.map((one) => namedPackage(one, names));
}

export function renderFound(found: readonly NamedPackage[]): string {
  return found.length === 0 ? 'No package matches.' : found.map((one) => one.package).join('\n');
}
