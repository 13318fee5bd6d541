/** Of each name and architecture the package whose file is newest, as mergerepo's `ts` has it. */
import type { Catalog } from '../catalog/catalog.ts';
import { ArtifactsError } from '../core/errors.ts';
import { openPackages } from './packages.ts';
import type { WinnersRequest } from './source-packages.ts';

interface Winner {
  readonly content: number;
  readonly id: number;
  readonly time: number;
  readonly version: string;
}

/**
 * For each content the numbers of the records that a merge takes from it. Of files equally new the first content's counts,
 * and within it the highest version; of bound packages each version is compared with itself alone. Throws E_USAGE for
 * packages that tell no time.
 */
export function newestWinners(catalog: Catalog, { format, contents, isBound }: WinnersRequest): readonly ReadonlySet<number>[] {
  const winners = new Map<string, Winner>();
  for (const [content, each] of contents.entries()) {
    for (const subject of openPackages(catalog, format, [each]).eachOf(each)) {
      const { id, name, architecture, version } = subject;
      const time = subject.times?.().file;
      if (time === undefined) throw new ArtifactsError('E_USAGE', `${name} does not tell how old its file is`, { hint: 'The policy `newest` is for packages of rpm.' });
      const key = `${architecture} ${name}${isBound?.(subject) === true ? ` ${version}` : ''}`;
      const before = winners.get(key);
      const isHigher = before?.content === content && before.time === time && format.compareVersions(version, before.version) > 0;
      if (before === undefined || time > before.time || isHigher) winners.set(key, { content, id, time, version });
    }
  }
  return contents.map((_, index) => new Set([...winners.values()].filter(({ content }) => content === index).map(({ id }) => id)));
}
