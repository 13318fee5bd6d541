/**
 * Importing what another tool kept: its packages come in by their digests, its lists of packages become snapshots.
 * Nothing of the other tool's is changed. A source (aptly's own program, published trees) says what there is; store.ts
 * brings it in.
 */
import type { PackageRecord } from '../core/package.ts';

/** A package and where its files lie, in the order of the record's files. */
export interface FoundPackage {
  readonly record: PackageRecord;
  readonly paths: readonly string[];
}

/** A list of packages that becomes a snapshot. */
export interface FoundList {
  readonly kind: 'snapshot' | 'mirror' | 'repo' | 'published';
  readonly name: string;
  readonly packages: readonly FoundPackage[];
  /** Why it cannot be imported whole, and so is not imported at all. */
  readonly problems: readonly string[];
}
