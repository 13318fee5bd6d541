import type { PackageRecord } from '../../core/package.ts';
import { poolPath } from '../pool-path.ts';

/** The partition of metadata that is published beside the indexes: updateinfo, comps, modules and whatever else. */
export const LISTED = 'listed';

/** The record of that partition that stands for the upstream's whole repository: its files are those of an exact copy. */
export const EXACT = 'exact';

/** Places of all files of a record; none for what stands elsewhere. */
export function poolPaths({ partition, files }: Pick<PackageRecord, 'partition' | 'files'>): string[] {
  return partition === LISTED ? [] : files.map(poolPath);
}
