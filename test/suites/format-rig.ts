/** What a repository format gives to the rules of the domain that hold for every format: packages and upstreams, in words they share. */
import type { RepoFormat, UpstreamRequest } from '../../src/formats/format.ts';
import type { RigKey } from '../rig/key.ts';
import type { TempDir } from '../rig/temp.ts';

export interface RigPackage {
  readonly name: string;
  /** 1, 2, 3…; default 1. */
  readonly version?: number;
  /** For all architectures, or for the one of the rig. */
  readonly forAll?: boolean;
  /** Names of packages. */
  readonly needs?: readonly string[];
  /** Names it answers to besides its own. */
  readonly offers?: readonly string[];
  /** What it installs; another text makes other bytes of the same version. */
  readonly payload?: string;
}

export interface RigFile {
  readonly fileName: string;
  readonly bytes: Buffer;
}

export interface RigUpstreamOptions<File extends RigFile> {
  readonly packages: readonly File[];
  readonly sources?: readonly File[];
  readonly date: Date;
  readonly validUntil?: Date;
  readonly key: RigKey;
  /** Files beside the indexes, by what the rig calls them. */
  readonly metadata?: Readonly<Record<string, string>>;
  /** What digests it lists: SHA-256, or others where the format reads such. */
  readonly digests?: 'others';
}

/** Files by path below the upstream's URL. */
export type RigUpstream = Map<string, Buffer>;

export interface FormatRig<File extends RigFile = RigFile> {
  readonly format: RepoFormat;
  /** Whether its tools are there, and why not. */
  readonly possible: boolean;
  readonly needs: string;
  version(number: number): string;
  /** The word for all architectures, and the architecture of all others. */
  readonly architectures: { readonly all: string; readonly own: string };
  /** In the order of the specifications. */
  build(dir: TempDir, packages: readonly RigPackage[]): Promise<readonly File[]>;
  upstream(dir: TempDir, options: RigUpstreamOptions<File>): Promise<RigUpstream>;
  /** All packages but sources, and all metadata that the rig makes. */
  readonly request: UpstreamRequest;
  /** How a publication of ours is mirrored. */
  served(publication: { readonly prefix: string; readonly distribution: string }): { readonly path: string; readonly request: UpstreamRequest };
  /** Kinds of clients that publications are made for. */
  readonly clients: readonly string[];
  /** A file that tells of single packages: what the rig calls it, its text, and of which packages a text tells. */
  readonly notes: { readonly name: string; write(packages: readonly RigPackage[]): string; read(text: string): readonly string[] };
  /** A file that names sets of packages. */
  readonly sets?: { readonly name: string; write(packages: readonly RigPackage[]): string };
  /** Sources of packages of these names, in version 1. */
  sources?(dir: TempDir, names: readonly string[]): Promise<readonly File[]>;
  /** What a builder leaves behind of these: all files by their names, and the one that lists the others. */
  upload?(files: readonly File[]): { readonly files: readonly RigFile[]; readonly list: string };
  /** Images that a list vouches for: the metadata and files of such an upstream, and the kinds to ask for. */
  tree?(images: Readonly<Record<string, string>>): { readonly metadata: Readonly<Record<string, string>>; readonly files: RigUpstream; readonly kinds: readonly string[] };
  /** A list of mirrors with these addresses. */
  mirrorList?(urls: readonly string[]): string;
}
