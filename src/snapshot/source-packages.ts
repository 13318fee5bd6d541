/** Keeping together what was built together: of each source package one version, from the first content that has any. */
import type { Catalog } from '../catalog/catalog.ts';
import type { Content } from '../core/snapshot.ts';
import type { RepoFormat } from '../formats/format.ts';
import { openPackages } from './packages.ts';

interface Built {
  readonly id: number;
  readonly source: string;
  readonly version: string;
}

interface Winner {
  readonly content: number;
  readonly version: string;
}

/** For each content the numbers of the records that a merge takes from it. */
export function sourceWinners(catalog: Catalog, format: RepoFormat, contents: readonly Content[]): readonly ReadonlySet<number>[] {
  const winners = new Map<string, Winner>();
  const all = contents.map((content, index) => {
    const built: Built[] = [];
    for (const { id, source } of openPackages(catalog, format, [content]).eachOf(content)) {
      built.push({ id, source: source.name, version: source.version });
      const before = winners.get(source.name);
      const isFirst = before === undefined || (before.content === index && format.compareVersions(source.version, before.version) > 0);
      if (isFirst) winners.set(source.name, { content: index, version: source.version });
    }
    return built;
  });
  return all.map((built, index) => {
    const wins = ({ source, version }: Built): boolean => {
      const winner = winners.get(source);
      return winner?.content === index && format.compareVersions(version, winner.version) === 0;
    };
    return new Set(built.filter(wins).map(({ id }) => id));
  });
}
