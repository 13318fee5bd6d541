/**
 * What a repository format can do, and all the domain knows of it: bytes to records and back, pure. A format neither
 * fetches, nor writes, nor checks keys; `mirror/` and `publish/` join it with network, pool and signatures.
 */
import type { OtherDigest, Sha256 } from '../core/digest.ts';
import type { FileRef, PackageRecord } from '../core/package.ts';
import type { PackageNames } from '../core/package-names.ts';
import type { QuerySubject } from '../core/relation.ts';
import type { Packing } from '../util/packing.ts';
import type { PublishingFormat } from './publishing-format.ts';

export type {
  ClientLine,
  ClientProfile,
  CombineFiles,
  ExtractFile,
  FileListFormat,
  FileListPlan,
  IndexFrame,
  IndexPacking,
  IndexPlan,
  HasPackage,
  ListedFile,
  ListedForm,
  ListedFormat,
  PlannedComponent,
  PublishingFormat,
  ReachedPublication,
  RootPlan,
  Seat,
  ServedForm,
  ServedRoot,
} from './publishing-format.ts';

export interface RepoFormat {
  readonly id: string;
  /** Negative, 0 or positive, as the package manager itself orders versions. */
  compareVersions(a: string, b: string): number;
  /** What people call its packages. */
  readonly names: PackageNames;
  /** What queries and closures see of a package. */
  subject(record: PackageRecord): QuerySubject;
  /**
   * A word, in any case, that the text of every record holds which has more capabilities than its own name and version:
   * lets closures pass over all others unread.
   */
  readonly capabilityWord: string;
  /** Likewise what stands in the text of every record that has companions when that is followed. */
  readonly companionWords: Readonly<Partial<Record<'recommends' | 'suggests', string>>>;
  readonly upstream: UpstreamFormat;
  readonly local: LocalFormat;
  readonly publishing: PublishingFormat;
  /** For formats whose repositories can be kept and published as their upstream made them. */
  readonly exact?: ExactFormat;
}

/** Repositories kept byte for byte, each by a record that holds all files but the packages. */
export interface ExactFormat {
  /** Where the public keys go that the root metadata is signed with; paths are below the repository. */
  readonly keyPath: string;
  isExact(record: Pick<PackageRecord, 'partition' | 'name'>): boolean;
  /** The file of the record that lists the packages. */
  index(record: Pick<PackageRecord, 'files' | 'text'>): { readonly file: FileRef; readonly packing: Packing };
  /** Where the packages lie, from the plain bytes of that file. Throws E_FORMAT, E_PATH, and E_CONFLICT for two files at one path. */
  places(record: Pick<PackageRecord, 'files' | 'text'>, chunks: AsyncIterable<Buffer>): AsyncIterable<ExactPlace>;
}

export interface ExactPlace {
  readonly path: string;
  /** Of the package, or what stands for it where another digest is listed. */
  readonly sha256: Sha256;
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
  /** For formats whose upstreams may list other digests than SHA-256, or no sizes. */
  readonly others?: OtherDigests;
  /** Reads a list of mirrors, where the format has such. Throws E_FORMAT. */
  readMirrorList?(text: Buffer): MirrorList;
  /** Files that vouch for others and that root metadata need not list: their paths, and their digests where the user pinned them. */
  unlisted?(request: UpstreamRequest): readonly UnlistedFile[];
  /** Reads a file that vouches for others, where the format has such. Throws E_FORMAT, E_PATH. */
  readBundle?(index: UpstreamIndex, text: Buffer): UpstreamBundle;
}

export interface UnlistedFile {
  readonly path: string;
  readonly sha256?: Sha256;
}

/** Records of files whose SHA-256 or size shows only when they are there. */
export interface OtherDigests {
  /** The record with what is true in place of what stood for it: of its file, and of what that unpacks to. */
  settle(record: PackageRecord, file: Digested, plain?: Digested): PackageRecord;
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
  /** Present when the repository is wanted as it is. */
  readonly exact?: ExactUpstream;
}

export interface ExactUpstream {
  /** Everything the root metadata lists but packages, as records of one file each. */
  readonly files: readonly UpstreamPackage[];
  /** The record that holds it together: root metadata, signature, key, and those files, each by its path. */
  record(files: readonly FileRef[]): PackageRecord;
}

/** Files that a listed one vouches for by digest. How large they are shows when they are fetched. */
export interface UpstreamBundle {
  /** Paths are below the upstream's URL. */
  readonly files: readonly BundledFile[];
  /** What takes the place of the list, where that is not published as it came. */
  readonly text?: Buffer;
  /** What a person should know. */
  readonly notes?: readonly string[];
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
  /** The plain bytes, whatever form is fetched; absent: nothing is told of them but by the form they come in. */
  readonly plain?: ListedDigest;
  /** Further documents about the same packages, which are read along with it. */
  readonly companions?: readonly UpstreamIndex[];
  /** Whether packages of a partition are wanted; undefined: all are. */
  wants?(partition: string): boolean;
  /** SHA-1 is taken where nothing better is listed, because the user said so. */
  readonly weak?: boolean;
}

/** What a list tells of a file. */
export interface ListedDigest {
  /** Absent where nobody tells it: then a limit takes its place. */
  readonly size?: number;
  readonly sha256: Sha256;
  /** The only digest that the upstream lists: bytes are judged by it, and `sha256` merely stands for it. */
  readonly other?: OtherDigest;
}

export interface Digested extends ListedDigest {
  readonly size: number;
}

export interface IndexOffer extends ListedDigest {
  /** Paths below the upstream's URL that may serve it; a path by hash comes first. */
  readonly paths: readonly string[];
  /** The URL they count from instead of the upstream's own. */
  readonly base?: string;
  readonly compression: Packing;
}

export interface UpstreamPackage {
  readonly record: PackageRecord;
  /** Where its files lie below the upstream's URL, in the order of `record.files`. */
  readonly locations: readonly string[];
  /** The URL they count from instead of the upstream's own. */
  readonly base?: string;
  /** It belongs to a set that is taken as a whole: whatever is newer elsewhere, it is not old. */
  readonly bound?: boolean;
  /** What has to be looked at besides the SHA-256 and the size of its files. */
  readonly checks?: FileChecks;
}

/** Of a record with one file. */
export interface FileChecks {
  /** The only digest that the upstream lists: the SHA-256 in the record stands for it until the file is there. */
  readonly other?: OtherDigest;
  /** Nobody tells how large it is: the record says 0 until the file is there. */
  readonly unsized?: boolean;
  /** What the file unpacks to, as far as it is told. */
  readonly plain?: Partial<ListedDigest> & { readonly packing: Packing };
}

/** Reading packages that lie as files: what local repositories are filled with. */
export interface LocalFormat {
  /** What a file is by its name; undefined for none of this format's. */
  kindOf(fileName: string): 'package' | 'source' | 'upload' | undefined;
  /** Looks for what describes a package in its bytes, without unpacking it. `label` names it in messages. */
  scan(label: string): PackageScan;
  /** The record of a package from its unpacked description. Throws E_FORMAT. */
  readPackage(file: LocalPackage, description: Buffer): PackageRecord;
  /** The record of a source package from the file that lists its parts, where `kindOf` knows such. Throws E_FORMAT, E_WEAK_HASH, E_PATH. */
  readSource?(file: LocalText): PackageRecord;
  /** Reads what a builder sends along with the files of an upload, where `kindOf` knows such. Throws E_FORMAT, E_WEAK_HASH, E_PATH. */
  readUpload?(file: LocalText): Upload;
  /** Signatures within packages; undefined for a format that has none. */
  readonly signing?: PackageSigning;
  /** What is put in besides packages; undefined for a format whose repositories have nothing of the kind. */
  readonly metadata?: LocalMetadata;
}

/** Files that are published beside the indexes, one of each type. */
export interface LocalMetadata {
  packingOf(fileName: string): Packing;
  /** The type a word means. Throws E_USAGE for none, and for what is made from the packages. */
  typeNamed(type: string): string;
  /** The type of a listed record, of an upstream's too. */
  typeOf(record: Pick<PackageRecord, 'name'>): string;
  /** The record of a file; its name is the type. Throws E_FORMAT for what cannot be read, and like `typeNamed`. */
  read(file: LocalMetadataFile, plain: Buffer): PackageRecord;
}

export interface LocalMetadataFile extends LocalPackage {
  readonly packing: Packing;
  readonly plain: Digested;
  /** Undefined: what contents and name say. */
  readonly type?: string | undefined;
}

/** Works on what `scan` finds, which is where such packages begin. Throws E_FORMAT. */
export interface PackageSigning {
  /** What a signature is made over. */
  signedBytes(head: Buffer): Buffer;
  /** When the package was built: dating its signature so gives the same bytes whenever it is signed. */
  builtAt(head: Buffer): Date;
  /** Whether what is signed vouches for everything behind it. */
  coversAll(head: Buffer): boolean;
  /** OpenPGP signatures the package has, of what `signedBytes` gives. */
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
