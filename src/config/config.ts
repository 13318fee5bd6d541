/**
 * The configuration as the rest of the program sees it: what stands in vars/ and mappings/, checked and with its
 * defaults, but not yet tied to a machine. Resolving `system:` and `native` is resolve-mirror.ts's and
 * resolve-release.ts's work, so that a configuration can be checked anywhere.
 */
import type { GitLimits, GitRepository } from '../artifacts/git/spec.ts';
import type { MergePolicy } from '../core/snapshot.ts';
import type { RetentionRule } from '../retention/policy.ts';
import type { BaseRepository } from './base-repositories.ts';
import type { ContainerImage } from './build-container.ts';
import type { PythonSet } from './build-python.ts';
import type { TargetDefinition } from '../targets/target.ts';
import type { EnvironmentSettings } from './environment.ts';
import type { Place, Problem } from './problem.ts';

export interface Config {
  /** The folder that holds vars/ and mappings/; an absolute path. */
  readonly root: string;
  /** Architectures of whatever names none itself. May hold `native`: the machine's own. */
  readonly architectures: readonly string[];
  readonly mirrors: readonly Mirror[];
  readonly repos: readonly Repo[];
  readonly releases: readonly Release[];
  /** Ordered sources of the merge. Names may hold the placeholder of the release (templates.ts). */
  readonly miko: Mapping<string>;
  /** What is published apart. */
  readonly independent: Mapping<Independent>;
  /** The same for rpm. */
  readonly rpm: { readonly miko: Mapping<string>; readonly independent: Mapping<Independent>; readonly mergePolicy: MergePolicy; readonly clients: ReadonlyMap<string, string> };
  /** Codename -> `<id>-<version>`, where the machine does not know it. */
  readonly distributions: ReadonlyMap<string, string>;
  /** Codename, or `system`, -> the repositories below a release, nearest first. */
  readonly baseRepositories: ReadonlyMap<string, readonly BaseRepository[]>;
  /** Which images are built; the mapping names them. */
  readonly containers: { readonly images: readonly ContainerImage[]; readonly mapping: Mapping<string> };
  /** What is built of Python; the mapping names sets. */
  readonly python: { readonly sets: readonly PythonSet[]; readonly mapping: Mapping<string> };
  readonly mergePolicy: MergePolicy;
  /** Exact names of mirrors and repositories of which no snapshot is taken: releases leave them out. */
  readonly dontSnapshot: readonly string[];
  /** Whether the closure of a filter follows Suggests. */
  readonly followSuggests: boolean;
  readonly signing: Signing;
  readonly publish: PublishSettings;
  readonly downloads: DownloadSettings;
  /** Which snapshots a prune may drop. */
  readonly retention: readonly RetentionRule[];
  /** Where releases are pushed to. */
  readonly targets: readonly TargetDefinition[];
  readonly consumers: ConsumerSettings;
  /** Undefined: releases are not tested for completeness. */
  readonly completeness: CompletenessSettings | undefined;
  readonly git: GitSettings;
  readonly environment: EnvironmentSettings;
  readonly warnings: readonly Problem[];
  /** Variables of RPC-O that mean nothing here. */
  readonly ignored: readonly IgnoredVariable[];
}

/** Series -> codename -> entries in their order. The codename may be `system`: the machine's own. */
export type Mapping<T> = ReadonlyMap<string, ReadonlyMap<string, readonly T[]>>;

/** A word in place of a codename or a URL: whatever this machine has. */
export const SYSTEM = 'system';
/** A word in place of an architecture: the machine's own. */
export const NATIVE = 'native';

export interface Mirror {
  readonly name: string;
  readonly format: PackageFormat;
  readonly upstream: Upstream;
  /** What stands in the file: an URL (possibly with credentials: redact before showing) or `system:<suite>`. */
  readonly archiveUrl: string;
  /** The URL is that of a list of mirrors: a metalink, which vouches for what they serve, or a plain list. */
  readonly list: 'metalink' | 'mirrorlist' | undefined;
  /** As asked of the upstream; empty for rpm. Undefined only with a `system` upstream: then it is its suite. */
  readonly distribution: string | undefined;
  /** Empty: those the upstream's Release (or the machine's source) lists. */
  readonly components: readonly string[];
  readonly architectures: readonly string[];
  readonly filter: string | undefined;
  readonly filterWithDeps: boolean;
  /** Of each name and architecture only so many of the highest versions; undefined: all. */
  readonly newest: number | undefined;
  /** Of packages with one version and other bytes the one built last; undefined: they are refused. */
  readonly duplicates?: 'newest';
  /** Besides binary packages, in the words of the format: `source`, `udeb`, `exact`, `treeinfo`. */
  readonly kinds: readonly string[];
  /** Globs of listed files that are mirrored byte for byte, below a component. */
  readonly files: readonly string[];
  /** Full fingerprints, upper-case hex. Empty only with a `system` upstream: then its keyring's keys serve. */
  readonly fingerprints: readonly string[];
  /** The same of keys one of which must have signed every package itself; none: nobody must. */
  readonly packageFingerprints?: readonly string[];
  /** Key ids too short to pin anything. A mirror that has any is not resolved. */
  readonly shortKeyIds: readonly string[];
  /** Absolute paths. Empty: the machine's source's own, or the machine's trusted keys. */
  readonly keyrings: readonly string[];
  /** `state: present`. */
  readonly present: boolean;
  /** `do_update`: false keeps what was mirrored last. */
  readonly update: boolean;
  /** Asked in their order when the first URL fails. */
  readonly fallbackUrls: readonly string[];
  /** Milliseconds a Release may be old by its Date; undefined for no limit. */
  readonly maxAge: number | undefined;
  /** Undefined: true, unless the machine's own source says otherwise. */
  readonly checkValidUntil: boolean | undefined;
  readonly place: Place;
}

export type Upstream =
  | { readonly kind: 'url'; readonly url: string }
  /** The machine's own apt source of that suite; no suite means the machine's codename. */
  | { readonly kind: 'system'; readonly suite: string | undefined };

/** A local repository. Its name may hold the placeholder of the release. */
export interface Repo {
  readonly name: string;
  readonly format: PackageFormat;
  readonly comment: string | undefined;
  readonly present: boolean;
  readonly place: Place;
}

export type ReleaseState = 'draft' | 'candidate' | 'locked';

export interface Release {
  readonly name: string;
  readonly series: string;
  readonly codenames: readonly string[];
  readonly state: ReleaseState;
  readonly place: Place;
}

/** An `n` publication: a source under a prefix of its own. */
export interface Independent {
  readonly source: string;
  readonly dest: string;
}

export interface Signing {
  readonly keys: readonly SigningKey[];
  /** Where the public key is written for clients, or the file to hand out. */
  readonly publicKey: string | undefined;
}

export type SigningKey =
  | { readonly kind: 'file'; readonly file: string; readonly passphraseFile: string | undefined }
  | { readonly kind: 'agent'; readonly fingerprint: string; readonly home: string | undefined };

export interface PublishSettings {
  readonly origin: string;
  readonly label: string;
  /** Old generations kept at least, so that clients in the middle of one can finish. */
  readonly keepGenerations: number;
  /** Milliseconds an old generation is kept at least. */
  readonly keepFor: number;
  /** Milliseconds from the date of a publication until clients refuse it; undefined: for ever. */
  readonly validFor: number | undefined;
  /** Whether publications name the keys their successors will be signed with (Signed-By). */
  readonly signedBy: boolean;
  /** Whether lists of the packages' files are published. */
  readonly contents: boolean;
}

export interface DownloadSettings {
  readonly parallel: number;
  /** Overrides the machine's own proxy. */
  readonly proxy: string | undefined;
}

/** What those who use a release know of it. */
export interface ConsumerSettings {
  /** Where the published tree is served, without a slash at the end; undefined: not known here. */
  readonly baseUrl: string | undefined;
  /** Full fingerprints of the keys a manifest may be signed with. */
  readonly keys: readonly string[];
  /** Absolute path of a file with those keys; undefined: what lies beside the manifest. */
  readonly keyring: string | undefined;
}

/** Which packages a release must have. Paths are absolute. */
export interface CompletenessSettings {
  /** Files with one package a line. */
  readonly wanted: readonly string[];
  /** Folders whose YAML files may hold lists of packages, as Ansible roles do. */
  readonly roles: readonly string[];
  /** Names and globs of packages that need not be there. */
  readonly ignore: readonly string[];
  /** What deployers have besides the release: names of mirrors, publications (`prefix/distribution`), or Packages files. */
  readonly base: readonly string[];
}

/** Which git repositories releases are made of. */
export interface GitSettings {
  readonly repositories: readonly (GitRepository & { readonly place: Place })[];
  /** Folders whose YAML files name further ones, as Ansible roles do; absolute. */
  readonly roles: readonly string[];
  /** Series -> names, or `all`. */
  readonly mapping: ReadonlyMap<string, readonly string[]>;
  readonly limits: GitLimits;
}

export interface IgnoredVariable extends Place {
  readonly name: string;
}

/** Ids of repository formats that can be configured. */
export type PackageFormat = 'apt' | 'rpm';

export function isSystem(mirror: Mirror): boolean {
  return mirror.upstream.kind === 'system';
}
