/** Writing our own repository: the half of a format that `publish/` works with. */
import type { Sha256 } from '../core/digest.ts';
import type { PackageRecord } from '../core/package.ts';
import type { Packing } from '../util/packing.ts';
import type { BundledFile, Digested, UpstreamIndex, UpstreamPackage } from './format.ts';

/** See `RepoFormat`. */
export interface PublishingFormat {
  /** What stands behind each text of an index. */
  readonly separator: string;
  /** What clients of this kind read; undefined: what is published where nobody said. Throws E_USAGE for no such kind. */
  profile(clients: string | undefined): ClientProfile;
  /** What no client of this format can be told of a publication, by the names of its fields. */
  readonly untold: readonly string[];
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
  /** What clients write down to reach a publication, in the format's own form, with `URL` and `KEY` in the places of theirs. */
  clientLines(publication: ReachedPublication): readonly ClientLine[];
  /** The root metadata of a seat, to be signed. */
  root(publication: RootPlan, seat: Seat): Buffer;
  /** What root metadata that was served promises. Throws E_FORMAT, E_PATH, E_WEAK_HASH. */
  readServed(root: Buffer, seat: Seat): ServedRoot;
  /** The files that a served one vouches for, where the format has such; all paths are below the distribution. Throws E_FORMAT, E_PATH. */
  readBundle?(path: string, text: Buffer): readonly BundledFile[];
  /** The files that carry the signed root metadata, in the folder of a seat's root. */
  readonly signedFiles: { readonly clearsigned?: string; readonly plain: string; readonly detached: string };
}

export interface ReachedPublication {
  readonly prefix: string;
  readonly distribution: string;
  readonly components: readonly string[];
  readonly architectures: readonly string[];
}

export interface ClientLine {
  /** What such a line is called, for people. */
  readonly label: string;
  readonly line: string;
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
  /** Undefined where the file says nothing of single packages, or may speak of others than those that are there. */
  prune?(name: string): PruneFile | undefined;
  /** Undefined where the file says nothing of single packages that would have to go along with them. */
  extract?(name: string): ExtractFile | undefined;
  /**
   * Reads from the plain bytes of a file which packages are parts of sets that are taken as a whole. Undefined where files of
   * that name tell of none, and then nothing is read of them.
   */
  readBound?(name: string, chunks: AsyncIterable<Buffer>): Promise<HasPackage> | undefined;
}

/** Whether a package is part of something: of what is published, of sets. */
export type HasPackage = (key: { readonly name: string; readonly version: string; readonly architecture: string }) => boolean;

/** The plain bytes without what is said of packages that are not there; undefined when it is all about those that are. */
export type PruneFile = (plain: Buffer, has: HasPackage) => Buffer | undefined;

/** What the plain bytes say of any of these packages, with what belongs to it; undefined when they say nothing. */
export type ExtractFile = (plain: Buffer, has: HasPackage, note: (message: string) => void) => Buffer | undefined;

/** Told what a person should know: how contradictions were settled, and what had to be left out. */
export type CombineFiles = (parts: readonly AsyncIterable<Buffer>[], note: (message: string) => void) => AsyncIterable<Buffer>;

export interface ListedFile {
  /** Path below a component, the suffix of its packing left out. */
  readonly name: string;
  readonly packing: Packing;
  readonly plain: Digested;
}

/** Lists of what packages install: which package a file comes from. One a component and architecture. */
export interface FileListFormat {
  /** The lists of a component: their paths below it, and the partitions whose packages they cover. */
  plan(partitions: ReadonlySet<string>, architectures: readonly string[]): readonly FileListPlan[];
  /** The tool that writes what a package installs to standard output, as a tar archive; the path of the package is its last argument. */
  readonly archiver: readonly [string, ...string[]];
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
