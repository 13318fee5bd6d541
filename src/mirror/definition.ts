/**
 * Mirrors: bringing somebody else's repository into pool and catalog, verified. Blind to the format; joins network,
 * signatures and format in the order that lets nothing unverified through (root metadata, indexes, package files).
 */
import type { Sha256 } from '../core/digest.ts';
import type { FollowOptions } from '../core/relation.ts';
import type { UpstreamRequest } from '../formats/format.ts';

/** A mirror as it is to be updated: everything resolved, nothing left to look up. */
export interface MirrorDefinition {
  readonly name: string;
  readonly format: string;
  /** Base URLs, the preferred one first; with a list those that stand in when the list's fail. */
  readonly urls: readonly string[];
  /** URL of a list of mirrors. */
  readonly listUrl?: string;
  readonly request: UpstreamRequest;
  readonly filter?: MirrorFilter;
  /** Of each name and architecture only so many of the highest versions. */
  readonly newest?: number;
  /** Of packages of one name, version and architecture with other bytes the one built last; undefined: they are refused. */
  readonly duplicates?: 'newest';
  /** Contents of the keyrings, and the fingerprints that count; none: every key in the keyrings. */
  readonly keyrings: readonly Buffer[];
  readonly fingerprints: readonly string[];
  /** Keys of which one must have signed every package itself; undefined: the digests in the metadata are enough. */
  readonly packageTrust?: { readonly keyrings: readonly Buffer[]; readonly fingerprints: readonly string[] };
  /** Oldest acceptable Date of the root metadata, milliseconds. */
  readonly maxAge?: number;
  readonly checkValidUntil: boolean;
  /** Fingerprint of what decides on the content, and that in readable form, to notice and tell changes. */
  readonly inputs: Sha256;
  readonly description: Readonly<Record<string, unknown>>;
}

/** True when only a part of what is offered is taken, so that all of it must be seen to choose. */
export function isChoosing({ filter, newest, duplicates }: Pick<MirrorDefinition, 'filter' | 'newest' | 'duplicates'>): boolean {
  return filter !== undefined || newest !== undefined || duplicates !== undefined;
}

export interface MirrorFilter {
  /** In the query language. */
  readonly query: string;
  readonly withDependencies: boolean;
  readonly follow: FollowOptions;
}
