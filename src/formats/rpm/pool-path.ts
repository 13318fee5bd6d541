import { LISTED, type PackageRecord } from '../../core/package.ts';
import { poolPath } from '../pool-path.ts';

/** The record of that partition that stands for the upstream's whole repository: its files are those of an exact copy. */
export const EXACT = 'exact';

/** The list of further files of an upstream's tree, and the record of them all, which stands nowhere but in an exact copy. */
export const EXTRA_FILES = 'extra_files.json';
export const EXTRA = `${EXACT}:extra_files`;

/** The list of an installer tree, and what our own repomd.xml lists it as. */
export const TREEINFO = '.treeinfo';
export const TREE_TYPE = 'treeinfo';

/** The architecture a list is for, by the name of its record; undefined for other metadata. */
export function archOfTree(name: string): string | undefined {
  return name.startsWith(`${TREE_TYPE}-`) ? name.slice(TREE_TYPE.length + 1) : undefined;
}

/** Places of all files of a record; none for what stands elsewhere. */
export function poolPaths({ partition, files }: Pick<PackageRecord, 'partition' | 'files'>): string[] {
  return partition === LISTED ? [] : files.map(poolPath);
}
