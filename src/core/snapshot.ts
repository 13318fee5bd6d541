import type { Sha256 } from './digest.ts';

/**
 * A piece of a snapshot: the members of one partition between two cuts, in publication order. Addressed by the digest of
 * its members, so that snapshots which differ little share almost all of their leaves.
 */
export interface Leaf {
  /** Number of the leaf in this catalog; never leaves it. */
  readonly id: number;
  readonly digest: Sha256;
  readonly partition: string;
  /** Names of the first and the last member. Members of one name never lie in two leaves. */
  readonly first: string;
  readonly last: string;
  readonly count: number;
  /** Bytes of published text, separators included. */
  readonly size: number;
}

/** An immutable list of packages: what a mirror holds, what a snapshot froze, what is published. */
export interface Content {
  readonly id: number;
  /** Digest of the list of leaf digests: equal for equal contents, in any catalog. */
  readonly digest: Sha256;
  /** Of packages: files that stand beside the indexes are members, and are not counted. */
  readonly count: number;
}

/** Where a snapshot came from, kept for provenance and for refusing to drop what others lean on. */
export type SnapshotOrigin =
  | { readonly kind: 'mirror'; readonly mirror: string; readonly inputs?: Sha256 }
  | { readonly kind: 'repo'; readonly repo: string }
  | { readonly kind: 'merge'; readonly policy: MergePolicy; readonly sources: readonly SnapshotSource[] }
  | { readonly kind: 'filter' | 'pull'; readonly query: string; readonly sources: readonly SnapshotSource[] }
  | { readonly kind: 'empty' }
  | { readonly kind: 'import'; readonly from: string };

/** A snapshot another one was made from. Its id stays when its name moves on. */
export interface SnapshotSource {
  readonly id: number;
  readonly name: string;
}

/** A frozen, named content. */
export interface Snapshot {
  readonly id: number;
  readonly name: string;
  readonly format: string;
  readonly content: Content;
  readonly origin: SnapshotOrigin;
  /** ISO 8601, UTC. */
  readonly createdAt: string;
}

/**
 * How a merge treats several versions of a name and architecture. aptly's three ways: `no-remove` keeps all versions of
 * all sources, `latest` the highest version, `replace` those of the last source. Three more of rpm's tools: `first` keeps
 * those of the first source (mergerepo's `repo`), `source` takes all that was built from a source package from the first
 * source that has any of it, in its highest version there (Koji's way), so that no two builds are mixed, `newest` the one
 * whose file is newest (mergerepo's `ts`).
 */
export type MergePolicy = 'no-remove' | 'latest' | 'replace' | 'first' | 'source' | 'newest';
export const MERGE_POLICIES: readonly MergePolicy[] = ['no-remove', 'latest', 'replace', 'first', 'source', 'newest'];
