/**
 * Releases: what a release is made of, which of it is there already, and building the rest in dependency order. Knows
 * mirrors, snapshots and publications; not where their definitions were written down.
 */
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
  readonly mergePolicy: MergePolicy;
  readonly origin: string;
  readonly label: string;
  readonly architectures: readonly string[];
  /** Whether to publish; PUBLISH_SNAPSHOT=no leaves it at snapshots. */
  readonly publish: boolean;
}

export interface CodenameSpec {
  readonly codename: string;
  /** Names of what is merged, in order. */
  readonly merged: readonly string[];
  readonly independent: readonly { readonly source: string; readonly dest: string }[];
}

export interface SourceSpec {
  readonly name: string;
  /** Fingerprint of its definition, and the readable form of it. */
  readonly inputs: Sha256;
  readonly description: Readonly<Record<string, unknown>>;
  /** False: freeze what was mirrored last. */
  readonly update: boolean;
  /** Looks up keys and URLs; only when it is to be updated. */
  resolve(ctx: Context): Promise<MirrorSource>;
}

/** Exact names: a release never matches part of another's (design, section 3.10). */
export function slushieName(release: string, source: string): string {
  return `slushie-${release}-${source}`;
}

export function mikoName(release: string, codename: string): string {
  return `miko-${release}-${codename}`;
}

/** RPC-O's paths, because deployers' variables point there. */
export const INTEGRATED_PREFIX = 'apt-mirror/integrated';

export function independentPrefix(dest: string): string {
  return `apt-mirror/independent/${dest}`;
}

export function distributionName(release: string, codename: string): string {
  return `${release}-${codename}`;
}

/** Where a release is published: the merge of each codename, and beside it what is published apart. */
export function publicationPlaces(
  spec: Pick<ReleaseSpec, 'name' | 'codenames'>,
): { readonly prefix: string; readonly distribution: string }[] {
  return spec.codenames.flatMap(({ codename, independent }) =>
    [INTEGRATED_PREFIX, ...independent.map(({ dest }) => independentPrefix(dest))].map((prefix) => ({
      prefix,
      distribution: distributionName(spec.name, codename),
    })),
  );
}
