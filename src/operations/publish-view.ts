import type { Catalog } from '../catalog/catalog.ts';
import type { Publication, PublicationFields } from '../catalog/publications.ts';
import { ArtifactsError } from '../core/errors.ts';
import { expiry } from '../publish/expiry.ts';
import { integratedPrefix } from '../release/spec.ts';

/** Which prefix is meant when none is named: where releases are merged to. */
export const DEFAULT_PREFIX = `${integratedPrefix('apt')}, of rpm ${integratedPrefix('rpm')}`;

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

/** Without a prefix, the one where releases are merged to, of either format. Throws E_NOT_FOUND. */
export function requirePublication(catalog: Catalog, prefix: string | undefined, distribution: string): Publication {
  const there = catalog.publications.list().filter((publication) => publication.distribution === distribution);
  const found = there.find((publication) => publication.prefix === (prefix ?? integratedPrefix(publication.format)));
  if (found !== undefined) return found;
  const elsewhere = there.map((publication) => publication.prefix).join(', ');
  throw new ArtifactsError('E_NOT_FOUND', `Nothing is published as ${prefix ?? integratedPrefix('apt')} ${distribution}`, {
    hint: elsewhere === '' ? '`artifacts publish list` shows what is.' : `Name the prefix, too; ${distribution} is published as ${elsewhere}.`,
  });
}
