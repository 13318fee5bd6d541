/**
 * Releases: what a release is made of, which of it is there already, and building the rest in dependency order. Knows
 * mirrors, snapshots and publications; not where their definitions were written down.
 */
import type { ArtifactKind, ArtifactTask } from '../artifacts/kind.ts';
import type { PublicationFields } from '../catalog/publications.ts';
import type { Context } from '../core/context.ts';
import type { Sha256 } from '../core/digest.ts';
import type { MergePolicy } from '../core/snapshot.ts';
import type { MirrorSource } from '../mirror/update.ts';

/** A release with everything it names looked up. */
export interface ReleaseSpec {
  readonly name: string;
  readonly series: string;
  /** Nothing that exists may be replaced. */
  readonly locked: boolean;
  readonly codenames: readonly CodenameSpec[];
  /** Every source the codenames name, by its name. */
  readonly sources: ReadonlyMap<string, SourceSpec>;
  readonly origin: string;
  readonly label: string;
  /** What else its publications say of themselves. */
  readonly fields: Omit<PublicationFields, 'origin' | 'label'>;
  readonly architectures: readonly string[];
  /** Whether to publish; PUBLISH_SNAPSHOT=no leaves it at snapshots. */
  readonly publish: boolean;
  /** What is made besides packages; kinds in the order they are made. */
  readonly kinds: readonly ArtifactKind[];
  readonly tasks: readonly ArtifactTask[];
  /** Where clients reach the public folder; undefined where nobody said. */
  readonly baseUrl: string | undefined;
  /** Undefined: nobody said what the release must have. */
  readonly completeness: CompletenessSpec | undefined;
}

/** What a release must have. The paths of lists and roles are absolute. */
export interface CompletenessSpec {
  /** Files with one package a line. */
  readonly wanted: readonly string[];
  /** Folders whose YAML files may hold lists of packages. */
  readonly roles: readonly string[];
  /** Names and globs of packages that need not be there. */
  readonly ignore: readonly string[];
  /** What deployers have besides the release. */
  readonly base: readonly string[];
  /** Where relative paths in `base` begin. */
  readonly root: string;
}

export interface CodenameSpec {
  readonly codename: string;
  /** Id of the repository format. */
  readonly format: string;
  readonly mergePolicy: MergePolicy;
  /** The kind of clients its publications are made for; undefined: any. */
  readonly clients?: string;
  /** Names of what is merged, in order. */
  readonly merged: readonly string[];
  readonly independent: readonly { readonly source: string; readonly dest: string }[];
}

/** Where packages of a release come from. */
export type SourceSpec = MirrorSpec | RepoSpec;

/** A local repository. It is nobody's upstream: what it holds when it is first needed is frozen. */
export interface RepoSpec {
  readonly kind: 'repo';
  readonly name: string;
  readonly format: string;
  /** Digest of what it holds now. */
  readonly inputs: Sha256;
}

export interface MirrorSpec {
  readonly kind: 'mirror';
  readonly name: string;
  /** Fingerprint of its definition, and the readable form of it. */
  readonly inputs: Sha256;
  readonly description: Readonly<Record<string, unknown>>;
  /** False: freeze what was mirrored last. */
  readonly update: boolean;
  /** Looks up keys and URLs; only when it is to be updated. */
  resolve(ctx: Context): Promise<MirrorSource>;
}

/** Exact names: a release never matches part of another's. */
export function slushieName(release: string, source: string): string {
  return `slushie-${release}-${source}`;
}

export function mikoName(release: string, codename: string): string {
  return `miko-${release}-${codename}`;
}

/** RPC-O's paths, because deployers' variables point there: `apt-mirror/integrated`. */
export function integratedPrefix(format: string): string {
  return `${format}-mirror/integrated`;
}

export function independentPrefix(format: string, dest: string): string {
  return `${format}-mirror/independent/${dest}`;
}

export function distributionName(release: string, codename: string): string {
  return `${release}-${codename}`;
}

/** Where a release is published: the merge of each codename, and beside it what is published apart. */
export function publicationPlaces(
  spec: Pick<ReleaseSpec, 'name' | 'codenames'>,
): { readonly prefix: string; readonly distribution: string }[] {
  return spec.codenames.flatMap(({ codename, format, independent }) =>
    [integratedPrefix(format), ...independent.map(({ dest }) => independentPrefix(format, dest))].map((prefix) => ({
      prefix,
      distribution: distributionName(spec.name, codename),
    })),
  );
}
