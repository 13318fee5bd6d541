/**
 * What a repository format can do, and all the domain knows of it: bytes to records and back, pure. A format neither
 * fetches, nor writes, nor checks keys; `mirror/` and `publish/` join it with network, pool and signatures.
 */
import type { Sha256 } from '../core/digest.ts';
import type { PackageRecord } from '../core/package.ts';
import type { QuerySubject } from '../core/relation.ts';

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
}

/** An index the root metadata lists, in every form it is offered. */
export interface UpstreamIndex {
  /** What it is called in messages: `main/binary-amd64/Packages`. */
  readonly name: string;
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
  readonly compression: Compression;
}

export type Compression = 'none' | 'gz' | 'xz' | 'bz2' | 'zst';

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
  /** Place of a package file below the prefix; the same that record texts point to. */
  poolPath(file: { readonly name: string; readonly sha256: Sha256 }): string;
  /** The architectures a content with these partitions is published for. */
  architectures(partitions: Iterable<string>): readonly string[];
  /** The indexes of a distribution. Every one exists even when empty. */
  indexes(components: readonly string[], architectures: readonly string[]): readonly IndexPlan[];
  /** The root metadata to be signed. */
  root(publication: RootPlan): Buffer;
  /** The files that carry the signed root metadata. */
  readonly signedFiles: { readonly clearsigned: string; readonly plain: string; readonly detached: string };
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
