/** Keeping together what was built together: of each source package one version, from the first content that has any. */
import type { Catalog } from '../catalog/catalog.ts';
import type { Content } from '../core/snapshot.ts';
import type { HasPackage, RepoFormat } from '../formats/format.ts';
import { openPackages } from './packages.ts';

/** What a merge chooses from before it looks at single names. */
export interface WinnersRequest {
  readonly format: RepoFormat;
  readonly contents: readonly Content[];
  /** See `MergeOptions`. */
  readonly isBound?: HasPackage | undefined;
}

interface Built {
  readonly id: number;
  readonly source: string;
  readonly version: string;
}

interface Winner {
  readonly content: number;
  readonly version: string;
}

/**
 * For each content the numbers of the records that a merge takes from it. Builds with bound packages are compared with
 * nothing: each is taken from the first content that has it.
 */
export function sourceWinners(catalog: Catalog, { format, contents, isBound }: WinnersRequest): readonly ReadonlySet<number>[] {
  const bound = new Set<string>();
  const all = contents.map((content) => {
    const built: Built[] = [];
    for (const subject of openPackages(catalog, format, [content]).eachOf(content)) {
      const { id, source } = subject;
      built.push({ id, source: source.name, version: source.version });
      if (isBound?.(subject) === true) bound.add(buildOf(source.name, source.version));
    }
    return built;
  });
  /** What a package is compared within. */
  const rivals = ({ source, version }: Built): string => (bound.has(buildOf(source, version)) ? buildOf(source, version) : source);
  const winners = new Map<string, Winner>();
  for (const [index, built] of all.entries()) {
    for (const one of built) {
      const before = winners.get(rivals(one));
      const isFirst = before === undefined || (before.content === index && format.compareVersions(one.version, before.version) > 0);
      if (isFirst) winners.set(rivals(one), { content: index, version: one.version });
    }
  }
  return all.map((built, index) => {
    const wins = (one: Built): boolean => {
      const winner = winners.get(rivals(one));
      return winner?.content === index && format.compareVersions(one.version, winner.version) === 0;
    };
    return new Set(built.filter(wins).map(({ id }) => id));
  });
}

function buildOf(source: string, version: string): string {
  return `${source} ${version}`;
}
