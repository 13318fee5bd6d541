/**
 * What a repository format can do, and all the domain knows of it: bytes to records and back, pure. A format neither
 * fetches, nor writes, nor checks keys; `mirror/` and `publish/` join it with network, pool and signatures.
 */
import type { Sha256 } from '../core/digest.ts';
import type { PackageRecord } from '../core/package.ts';
import type { QuerySubject } from '../core/relation.ts';
import type { Packing } from '../util/unpack.ts';

export interface RepoFormat {
  readonly id: string;
  /** Negative, 0 or positive, as the package manager itself orders versions. */
  compareVersions(a: string, b: string): number;
  /** What queries and closures see of a package. */
  subject(record: PackageRecord): QuerySubject;
  readonly upstream: UpstreamFormat;
  readonly publishing: PublishingFormat;
}

/** Reading somebody else's repository. */
export interface UpstreamFormat {
  /** Root metadata, in the order they are tried: the first one that exists decides. */
  entries(request: UpstreamRequest): readonly RootEntry[];
  /** Reads verified root metadata. Throws E_FORMAT, E_WEAK_HASH, E_SUITE when it is not what was asked for. */
  readRoot(text: Buffer, request: UpstreamRequest): UpstreamRoot;
  /** Reads an index as its plain bytes arrive; packages come in batches. Throws E_FORMAT, E_PATH. */
  readIndex(index: UpstreamIndex, chunks: AsyncIterable<Buffer>): AsyncIterable<readonly UpstreamPackage[]>;
}

/** What is wanted of an upstream, in the words all formats share. */
export interface UpstreamRequest {
  readonly distribution: string;
  /** Empty: all that the root metadata lists. */
  readonly components: readonly string[];
  readonly architectures: readonly string[];
  /** What is wanted besides binary packages, in the format's words: `source`, `udeb`. */
  readonly kinds?: readonly string[];
  /** Globs of further files that the root metadata lists; `*` stands for anything. */
  readonly files?: readonly string[];
}

/** A file that carries the signature of the whole repository. */
export type RootEntry =
  | { readonly kind: 'clearsigned'; readonly path: string }
  | { readonly kind: 'detached'; readonly path: string; readonly signature: string };

export interface UpstreamRoot {
  readonly date: Date;
  readonly validUntil?: Date;
  /** Suite, codename, origin… as it names itself; a change of these is reported. */
  readonly identity: Readonly<Record<string, string>>;
  readonly indexes: readonly UpstreamIndex[];
  /** Further files that are wanted, as records; the root metadata vouches for their digests. */
  readonly files: readonly UpstreamPackage[];
}

/** An index the root metadata lists, in every form it is offered. */
export interface UpstreamIndex {
  /** What it is called in messages: `main/binary-amd64/Packages`. */
  readonly name: string;
  /** What it is an index of, in the format's words. */
  readonly kind: string;
  /** Best first. */
  readonly offers: readonly IndexOffer[];
  /** The plain bytes, whatever form is fetched. */
  readonly plain: Digested;
}

export interface Digested {
  readonly size: number;
  readonly sha256: Sha256;
}

export interface IndexOffer extends Digested {
  /** Paths below the upstream's URL that may serve it; a path by hash comes first. */
  readonly paths: readonly string[];
  readonly compression: Packing;
}

export interface UpstreamPackage {
  readonly record: PackageRecord;
  /** Where its files lie below the upstream's URL, in the order of `record.files`. */
  readonly locations: readonly string[];
}

/** Writing our own repository. */
export interface PublishingFormat {
  /** What stands between two texts of an index. */
  readonly separator: string;
  /** Folders below the prefix: where distributions appear and where package files lie. */
  readonly folders: { readonly distributions: string; readonly pool: string };
  /** Where an index stays reachable under its digest after a newer one took its name. */
  hashedPath(path: string, sha256: Sha256): string;
  /** Places of a record's files below the prefix, in the order of its files; the same that its text points to. */
  poolPaths(record: Pick<PackageRecord, 'partition' | 'files'>): readonly string[];
  /** The architectures a content with these partitions is published for. */
  architectures(partitions: Iterable<string>): readonly string[];
  /** The indexes of a component. The plain ones exist even when empty. */
  indexes(component: PlannedComponent, architectures: readonly string[]): readonly IndexPlan[];
  readonly listed: ListedFormat;
  /** The root metadata to be signed. */
  root(publication: RootPlan): Buffer;
  /** The files that carry the signed root metadata. */
  readonly signedFiles: { readonly clearsigned: string; readonly plain: string; readonly detached: string };
}

/** A component of a publication and the partitions its content has. */
export interface PlannedComponent {
  readonly component: string;
  readonly partitions: ReadonlySet<string>;
}

/** Files that stand beside the indexes as the upstream wrote them, and travel as records of a partition of their own. */
export interface ListedFormat {
  readonly partition: string;
  /** What a record of that partition stands for. */
  read(record: Pick<PackageRecord, 'name' | 'text'>): ListedFile;
  /**
   * One file made from the plain bytes of several of the same name, as those of several mirrors. Undefined where nothing
   * but taking the last one makes sense.
   */
  combine(name: string): ((parts: readonly AsyncIterable<Buffer>[]) => AsyncIterable<Buffer>) | undefined;
}

export interface ListedFile {
  /** Path below a component, the suffix of its packing left out. */
  readonly name: string;
  readonly suffix: string;
  readonly packing: Packing;
  readonly plain: Digested;
}

/** An index to write: the leaves of these partitions of this component, one after another. */
export interface IndexPlan {
  readonly path: string;
  readonly component: string;
  readonly partitions: readonly string[];
}

export interface RootPlan {
  readonly origin: string;
  readonly label: string;
  readonly distribution: string;
  readonly description: string;
  readonly date: Date;
  readonly architectures: readonly string[];
  readonly components: readonly string[];
  readonly files: readonly (Digested & { readonly path: string })[];
}
