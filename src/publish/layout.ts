/** Where things lie in a published tree. Pure. */
import { dirname, join, relative } from 'node:path';
import type { PublishingFormat } from '../formats/format.ts';
import { safeJoin } from '../util/safe-path.ts';

/** A published distribution and the folder all publications lie in. */
export interface Place {
  readonly publicRoot: string;
  readonly prefix: string;
  readonly distribution: string;
}

/** Generations lie beside the folder that clients see, so that the switch stays within one file system. */
export const GENERATIONS = '.generations';

export function prefixFolder(place: Pick<Place, 'publicRoot' | 'prefix'>): string {
  return safeJoin(place.publicRoot, place.prefix);
}

/** The public key that clients of a prefix need, below the public folder: `apt-mirror/release-signing-key.asc`. */
export function keyPath(prefix: string): string {
  return join(prefix.split('/')[0] ?? '', 'release-signing-key.asc');
}

/** The symbolic link clients read through: `<prefix>/dists/<distribution>`. */
export function distributionLink(place: Place, format: PublishingFormat): string {
  return safeJoin(join(prefixFolder(place), format.folders.distributions), place.distribution);
}

/** One folder for each distribution: no name of a distribution holds a percent sign, and none lies in another's. */
export function generationsFolder(place: Place): string {
  return safeJoin(join(prefixFolder(place), GENERATIONS), place.distribution.replaceAll('/', '%'));
}

export function generationFolder(place: Place, number: number): string {
  return join(generationsFolder(place), String(number));
}

/** What the link says: relative, so that the tree may be copied or served from elsewhere. */
export function linkTarget(place: Place, format: PublishingFormat, number: number): string {
  return relative(dirname(distributionLink(place, format)), generationFolder(place, number));
}
