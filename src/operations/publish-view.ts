import type { Catalog } from '../catalog/catalog.ts';
import type { Publication, PublicationFields } from '../catalog/publications.ts';
import { ArtifactsError } from '../core/errors.ts';
import { expiry } from '../publish/expiry.ts';

/** Where releases are merged to; the prefix when none is named. */
export const DEFAULT_PREFIX = 'apt-mirror/integrated';

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

/** Throws E_NOT_FOUND. */
export function requirePublication(catalog: Catalog, prefix: string, distribution: string): Publication {
  const found = catalog.publications.find(prefix, distribution);
  if (found !== undefined) return found;
  throw new ArtifactsError('E_NOT_FOUND', `Nothing is published as ${prefix} ${distribution}`, {
    hint: '`artifacts publish list` shows what is.',
  });
}
