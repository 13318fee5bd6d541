/**
 * What a repository format can do, and all the domain knows of it: bytes to records and back, pure. A format neither
 * fetches, nor writes, nor checks keys; `mirror/` and `publish/` join it with network, pool and signatures.
 */
import type { OtherDigest, Sha256 } from '../core/digest.ts';
import type { FileRef, PackageRecord } from '../core/package.ts';
import type { QuerySubject } from '../core/relation.ts';
import type { Packing } from '../util/unpack.ts';

export interface RepoFormat {
  readonly id: string;
  /** Negative, 0 or positive, as the package manager itself orders versions. */
  compareVersions(a: string, b: string): number;
  /** What queries and closures see of a package. */
  subject(record: PackageRecord): QuerySubject;
  /**
   * A word, in any case, that the text of every record holds which has more capabilities than its own name and version:
   * lets closures pass over all others unread.
   */
  readonly capabilityWord: string;
  readonly upstream: UpstreamFormat;
  readonly local: LocalFormat;
  readonly publishing: PublishingFormat;
}

/** Reading somebody else's repository. */
export interface UpstreamFormat {
  /** Root metadata, in the order they are tried: the first one that exists decides. */
  entries(request: UpstreamRequest): readonly RootEntry[];
  /** Reads verified root metadata. Throws E_FORMAT, E_WEAK_HASH, E_SUITE when it is not what was asked for. */
  readRoot(text: Buffer, request: UpstreamRequest): UpstreamRoot;
  /**
   * Reads an index as its plain bytes arrive, and those of its companions in their order; packages come in batches.
   * Throws E_FORMAT, E_PATH.
   */
  readIndex(index: UpstreamIndex, chunks: AsyncIterable<Buffer>, companions?: readonly AsyncIterable<Buffer>[]): AsyncIterable<readonly UpstreamPackage[]>;
  /** For formats whose upstreams may list other digests than SHA-256. */
  readonly others?: OtherDigests;
  /** Reads a list of mirrors, where the format has such. Throws E_FORMAT. */
  readMirrorList?(text: Buffer): MirrorList;
  /** Reads a file that vouches for others. Throws E_FORMAT, E_PATH. */
  readBundle(index: UpstreamIndex, text: Buffer): UpstreamBundle;
}

/** Records of files whose SHA-256 shows only when they are there. */
export interface OtherDigests {
  /** The record with the true digests in place of those that stood for others: of its file, and of what that unpacks to. */
  settle(record: PackageRecord, file: Sha256, plain?: Sha256): PackageRecord;
  /** The other digest that a settled record's file was listed with. */
  listed(record: PackageRecord): OtherDigest | undefined;
}

/** What is wanted of an upstream, in the words all formats share. */
export interface UpstreamRequest {
  readonly distribution: string;
  /** Empty: all that the root metadata lists. */
  readonly components: readonly string[];
  readonly architectures: readonly string[];
  /** What is wanted besides binary packages, in the format's words: `source`, `udeb`, `installer`. */
  readonly kinds?: readonly string[];
  /** Globs of further files that the root metadata lists; `*` stands for anything. */
  readonly files?: readonly string[];
}

/** Where an upstream can be had. */
export interface MirrorList {
  /** Base URLs, the preferred one first. */
  readonly urls: readonly string[];
  /** Digests of root metadata it vouches for, older ones that still may be served included; none: it vouches for nothing. */
  readonly roots: readonly Sha256[];
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
  /** Listed files that vouch for others, and are wanted together with those. */
  readonly bundles: readonly UpstreamIndex[];
}

/** Files that a listed one vouches for by digest. How large they are shows when they are fetched. */
export interface UpstreamBundle {
  /** Paths are below the upstream's URL. */
  readonly files: readonly BundledFile[];
  /** The record of them all, from the sizes of the files in their order. */
  record(sizes: readonly number[]): UpstreamPackage;
}

export interface BundledFile {
  readonly path: string;
  readonly sha256: Sha256;
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
  /** Further documents about the same packages, which are read along with it. */
  readonly companions?: readonly UpstreamIndex[];
  /** Whether packages of a partition are wanted; undefined: all are. */
  wants?(partition: string): boolean;
  /** SHA-1 is taken where nothing better is listed, because the user said so. */
  readonly weak?: boolean;
}

export interface Digested {
  readonly size: number;
  readonly sha256: Sha256;
  /** The only digest that the upstream lists: bytes are judged by it, and `sha256` merely stands for it. */
  readonly other?: OtherDigest;
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
  /** The URL they count from instead of the upstream's own. */
  readonly base?: string;
  /** What has to be looked at besides the SHA-256 and the size of its files. */
  readonly checks?: FileChecks;
}

/** Of a record with one file. */
export interface FileChecks {
  /** The only digest that the upstream lists: the SHA-256 in the record stands for it until the file is there. */
  readonly other?: OtherDigest;
  /** What the file unpacks to. */
  readonly plain?: Digested & { readonly packing: Packing };
}

/** Reading packages that lie as files: what local repositories are filled with. */
export interface LocalFormat {
  /** What a file is by its name; undefined for none of this format's. */
  kindOf(fileName: string): 'package' | 'source' | 'upload' | undefined;
  /** Looks for what describes a package in its bytes, without unpacking it. `label` names it in messages. */
  scan(label: string): PackageScan;
  /** The record of a package from its unpacked description. Throws E_FORMAT. */
  readPackage(file: LocalPackage, description: Buffer): PackageRecord;
  /** The record of a source package from the file that lists its parts. Throws E_FORMAT, E_WEAK_HASH, E_PATH. */
  readSource(file: LocalText): PackageRecord;
  /** Reads what a builder sends along with the files of an upload. Throws E_FORMAT, E_WEAK_HASH, E_PATH. */
  readUpload(file: LocalText): Upload;
  /** Signatures within packages; undefined for a format that has none. */
  readonly signing?: PackageSigning;
}

/** Works on what `scan` finds, which is where such packages begin. Throws E_FORMAT. */
export interface PackageSigning {
  /** What a signature is made over. */
  signedBytes(head: Buffer): Buffer;
  /** When the package was built: dating its signature so gives the same bytes whenever it is signed. */
  builtAt(head: Buffer): Date;
  /** OpenPGP signatures the package has. */
  signatures(head: Buffer): readonly Buffer[];
  /** The same with this signature instead of those it had. */
  withSignature(head: Buffer, signature: PackageSignature): Buffer;
}

export interface PackageSignature {
  /** Of the public key, RFC 9580, 9.1. */
  readonly algorithm: number;
  /** One OpenPGP packet. */
  readonly packet: Buffer;
}

/** Receives the bytes of a package file in their order. The pieces are kept until `end`: no longer, for their memory is used again. */
export interface PackageScan {
  /** Throws E_FORMAT as soon as the file cannot be a package. */
  push(chunk: Buffer): void;
  /** The file has ended. Throws E_FORMAT when it ended too early. */
  end(): PackedDescription;
}

/** A part of a package that describes it, to be unpacked by whoever may start tools. */
export interface PackedDescription {
  readonly packing: Packing;
  readonly bytes: Buffer;
  /** Unpacked bytes beyond which it is refused. */
  readonly limit: number;
}

export interface LocalPackage extends Digested {
  readonly fileName: string;
}

/** A text file, and its text without the signature it may be wrapped in. */
export interface LocalText {
  readonly fileName: string;
  readonly bytes: Buffer;
  readonly text: Buffer;
}

/** The files of one upload, and what rules about uploaders can look at. */
export interface Upload {
  readonly files: readonly FileRef[];
  readonly subject: QuerySubject;
}

/** Writing our own repository. */
export interface PublishingFormat {
  /** What stands behind each text of an index. */
  readonly separator: string;
  /** What clients of this kind read; undefined: what is published where nobody said. Throws E_USAGE for no such kind. */
  profile(clients: string | undefined): ClientProfile;
  /** The pieces of a record's text that stand in indexes of their own. */
  readonly parts: readonly string[];
  /** The piece of a record's text that stands in indexes of a part. */
  textOf(text: Buffer, part: string): Buffer;
  /** What stands before and behind the texts of an index with this many packages. */
  frame(part: string, packages: number): IndexFrame;
  /** Folders below the prefix: where distributions appear and where package files lie. */
  readonly folders: { readonly distributions: string; readonly pool: string };
  /** Where an index is reachable under its digest, also after a newer one took its name. Given such a path, the same. */
  hashedPath(path: string, sha256: Sha256): string;
  /** Whether an index is also served under the name that it has in every generation. */
  readonly namesStay: boolean;
  /** Places of a record's files below the prefix, in the order of its files; the same that its text points to. */
  poolPaths(record: Pick<PackageRecord, 'partition' | 'files'>): readonly string[];
  /** The architectures a content with these partitions is published for; with packages for none in particular, those asked for, named as Debian does. */
  architectures(partitions: Iterable<string>, asked: readonly string[]): readonly string[];
  /** The indexes of a component. The plain ones exist even when empty. */
  indexes(component: PlannedComponent, architectures: readonly string[]): readonly IndexPlan[];
  readonly listed: ListedFormat;
  /** Undefined where indexes themselves tell what packages install. */
  readonly fileLists?: FileListFormat;
  /** What clients are pointed to in a distribution, each with root metadata of its own. */
  seats(components: readonly string[], architectures: readonly string[]): readonly Seat[];
  /** The root metadata of a seat, to be signed. */
  root(publication: RootPlan, seat: Seat): Buffer;
  /** What root metadata that was served promises. Throws E_FORMAT, E_PATH, E_WEAK_HASH. */
  readServed(root: Buffer, seat: Seat): ServedRoot;
  /** The files that a served one vouches for; all paths are below the distribution. Throws E_FORMAT, E_PATH. */
  readBundle(path: string, text: Buffer): readonly BundledFile[];
  /** The files that carry the signed root metadata, in the folder of a seat's root. */
  readonly signedFiles: { readonly clearsigned?: string; readonly plain: string; readonly detached: string };
}

/** What is published depends on who reads it. */
export interface ClientProfile {
  /** Forms in which indexes are written, besides the plain one, which is only listed. */
  readonly packings: readonly IndexPacking[];
  /** The forms in which a listed file is published; undefined: as it came. */
  listedForms(file: ListedFile): readonly ListedForm[] | undefined;
  /** A file beside the root metadata that holds the public keys. */
  readonly keyFile?: string;
}

export interface ListedForm {
  /** Path below the component, the suffix of its packing left out. */
  readonly name: string;
  readonly packing: 'none' | 'gz';
}

export interface Seat {
  /** Folder of its root metadata, below the distribution. */
  readonly root: string;
  /** Folder below the distribution that package paths count from; undefined: from the prefix. The pool is linked there. */
  readonly base?: string;
  /** Whose packages it serves; undefined: those of all. */
  readonly component?: string;
  readonly partitions?: readonly string[];
}

/** A component of a publication and the partitions its content has. */
export interface PlannedComponent {
  readonly component: string;
  readonly partitions: ReadonlySet<string>;
}

/** Files that stand beside the indexes as the upstream wrote them, and travel as records of a partition of their own. */
export interface ListedFormat {
  readonly partition: string;
  /** Where a file stands in a distribution: once, or once for each of the architectures. */
  paths(name: string, component: string, architectures: readonly string[]): readonly string[];
  /** The record of a file in its best form; `name` is its path below the component, without the suffix of its packing. */
  record(name: string, index: UpstreamIndex): UpstreamPackage;
  /** What a record of that partition stands for. */
  read(record: Pick<PackageRecord, 'name' | 'text'>): ListedFile;
  /**
   * One file made from the plain bytes of several of the same name, as those of several mirrors. Undefined where nothing
   * but taking the last one makes sense.
   */
  combine(name: string): CombineFiles | undefined;
}

/** Told what a person should know: how contradictions were settled, and what had to be left out. */
export type CombineFiles = (parts: readonly AsyncIterable<Buffer>[], note: (message: string) => void) => AsyncIterable<Buffer>;

export interface ListedFile {
  /** Path below a component, the suffix of its packing left out. */
  readonly name: string;
  readonly suffix: string;
  readonly packing: Packing;
  readonly plain: Digested;
}

/** Lists of what packages install: which package a file comes from. One a component and architecture. */
export interface FileListFormat {
  /** The lists of a component: their paths below it, and the partitions whose packages they cover. */
  plan(partitions: ReadonlySet<string>, architectures: readonly string[]): readonly FileListPlan[];
  /** What a package is called in a list. */
  qualifiedName(record: Pick<PackageRecord, 'name' | 'text'>): string;
  /** The line of a path that these packages install. */
  line(path: string, packages: readonly string[]): string;
  /** The path and the packages of a line; undefined for a heading. */
  readLine(line: string): { readonly path: string; readonly packages: readonly string[] } | undefined;
  /** The name of a package in what `qualifiedName` gives. */
  packageName(qualified: string): string;
}

export interface FileListPlan {
  readonly name: string;
  readonly partitions: readonly string[];
}

/** A served tree as its root metadata describes it: what a client can see of it. */
export interface ServedRoot {
  readonly date: Date;
  readonly validUntil?: Date;
  /** Every listed file by its path below the distribution. */
  readonly files: ReadonlyMap<string, Digested>;
  /** The listed indexes of packages; their offers' paths are below the distribution. */
  readonly indexes: readonly UpstreamIndex[];
  /** Other listed files in every form they are listed in, by the name of the plain one. */
  readonly forms: ReadonlyMap<string, readonly ServedForm[]>;
  /** Listed files that vouch for others; `readBundle` of the format tells for which. */
  readonly bundles: readonly string[];
}

export interface ServedForm {
  readonly path: string;
  readonly packing: Packing;
}

/** An index to write: the leaves of these partitions of this component, one after another. */
export interface IndexPlan {
  readonly path: string;
  readonly component: string;
  readonly partitions: readonly string[];
  /** Which piece of the texts stands in it. */
  readonly part: string;
}

export type IndexPacking = 'gz' | 'xz' | 'zst';

export interface IndexFrame {
  readonly head: Buffer;
  readonly tail: Buffer;
}

export interface RootPlan {
  readonly origin: string;
  readonly label: string;
  readonly suite: string;
  readonly codename: string;
  readonly version?: string;
  readonly description: string;
  readonly date: Date;
  readonly validUntil?: Date;
  readonly notAutomatic?: boolean;
  readonly butAutomaticUpgrades?: boolean;
  /** Fingerprints of the keys that may sign what comes next. */
  readonly signedBy?: readonly string[];
  readonly architectures: readonly string[];
  readonly components: readonly string[];
  readonly files: readonly (Digested & { readonly path: string })[];
}
