import type { Catalog } from '../catalog/catalog.ts';
import type { Publication, PublicationFields } from '../catalog/publications.ts';
import { ArtifactsError } from '../core/errors.ts';
import { expiry } from '../publish/expiry.ts';
import { integratedPrefix } from '../release/spec.ts';

/** Which prefix is meant when none is named for something new: where releases are merged to. */
export const DEFAULT_PREFIX = `${integratedPrefix('apt')}, for rpm ${integratedPrefix('rpm')}`;

/** And where something is only looked at. */
export const SHOWN_PREFIX = `the prefix (default: ${DEFAULT_PREFIX}, or the only one that has it)`;

/** A publication as `--json` shows it. */
export interface PublicationView {
  readonly prefix: string;
  readonly distribution: string;
  readonly format: string;
  readonly components: readonly { readonly component: string; readonly snapshot: string; readonly packages: number }[];
  readonly architectures: readonly string[];
  readonly origin: string;
  readonly label: string;
  readonly generation: number;
  readonly publishedAt: string;
  readonly signedBy: readonly string[];
  /** What else it says of itself. */
  readonly fields: PublicationFields;
  /** Components that are published as their upstream made and signed them. */
  readonly exact: readonly string[];
  /** Components that follow a local repository with each update: component -> repository. */
  readonly repos: Readonly<Record<string, string>>;
  /** Until when clients accept it, ISO 8601; null: for ever. */
  readonly validUntil: string | null;
  /** `near`: it should have been published anew by now. */
  readonly expires: 'valid' | 'near' | 'past' | null;
}

export function viewPublication(catalog: Catalog, publication: Publication, now: Date): PublicationView {
  const { prefix, distribution, format, generation, publishedAt, spec } = publication;
  const components = publication.components.map(({ component, snapshot }) => {
    const { name, content } = catalog.snapshots.get(snapshot);
    return { component, snapshot: name, packages: content.count };
  });
  const { architectures, origin, label, signedBy, given: _, repos = {}, exact = [], validUntil = null, ...fields } = spec;
  const expires = expiry(publication, now) ?? null;
  return { prefix, distribution, format, components, architectures, origin, label, generation, publishedAt, signedBy, fields, repos, exact, validUntil, expires };
}

/** To be looked at: without a prefix the one where releases are merged to, or else the only one. Throws like `requirePublication`. */
export function findPublication(catalog: Catalog, prefix: string | undefined, distribution: string): Publication {
  const there = publicationsOf(catalog, distribution);
  const merged = there.filter(isMerged);
  return onlyOne(prefix === undefined && merged.length === 0 ? there : there.filter(isMeant(prefix)), { prefix, distribution, there });
}

/**
 * To be changed: without a prefix the one where releases are merged to, and no other, or a command that is given twice would
 * change two. Throws E_NOT_FOUND, and E_USAGE where several are meant.
 */
export function requirePublication(catalog: Catalog, prefix: string | undefined, distribution: string): Publication {
  const there = publicationsOf(catalog, distribution);
  return onlyOne(there.filter(isMeant(prefix)), { prefix, distribution, there });
}

function publicationsOf(catalog: Catalog, distribution: string): readonly Publication[] {
  return catalog.publications.list().filter((publication) => publication.distribution === distribution);
}

function isMerged({ prefix, format }: Publication): boolean {
  return prefix === integratedPrefix(format);
}

function isMeant(prefix: string | undefined): (publication: Publication) => boolean {
  return (publication) => (prefix === undefined ? isMerged(publication) : publication.prefix === prefix);
}

interface Asked {
  readonly prefix: string | undefined;
  readonly distribution: string;
  readonly there: readonly Publication[];
}

function onlyOne([found, ...others]: readonly Publication[], { prefix, distribution, there }: Asked): Publication {
  if (found !== undefined && others.length === 0) return found;
  const places = there.map((publication) => publication.prefix).join(' and ');
  const hint = places === '' ? '`artifacts publish list` shows what is.' : 'Name the prefix, too.';
  if (found !== undefined) throw new ArtifactsError('E_USAGE', `${distribution} is published below ${places}`, { hint });
  if (places === '') throw new ArtifactsError('E_NOT_FOUND', `Nothing is published as ${prefix === undefined ? '' : `${prefix} `}${distribution}`, { hint });
  const asked = prefix === undefined ? `Which ${distribution} is meant was not said` : `Nothing is published as ${prefix} ${distribution}`;
  throw new ArtifactsError('E_NOT_FOUND', `${asked}: it is published below ${places}`, { hint });
}
