import type { Sha256 } from '../../core/digest.ts';
import { LISTED, type PackageRecord } from '../../core/package.ts';
import { poolPath } from '../pool-path.ts';

/** The partition of source packages. */
export const SOURCE = 'source';

/**
 * The folder of a source package. Its files keep their names, because the .dsc lists them by name; the digest of the
 * .dsc, which vouches for all of them, makes the folder as immutable as a hashed name would be.
 */
export function sourceFolder(dsc: Sha256): string {
  return `pool/${dsc.slice(0, 2)}/${dsc}`;
}

/** Places of all files of a record; none for what stands elsewhere. */
export function poolPaths({ partition, files }: Pick<PackageRecord, 'partition' | 'files'>): string[] {
  if (partition === LISTED) return [];
  if (partition !== SOURCE) return files.map(poolPath);
  const dsc = files.find(({ name }) => name.endsWith('.dsc'));
  if (dsc === undefined) throw new Error('A source package without its .dsc is in the catalog');
  return files.map(({ name }) => `${sourceFolder(dsc.sha256)}/${name}`);
}
