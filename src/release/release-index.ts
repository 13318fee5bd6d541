/** `releases/index.json`: which releases a tree holds completely. Pure. */
import { ArtifactsError } from '../core/errors.ts';

export const RELEASE_INDEX = 'releases/index.json';

export interface ListedRelease {
  readonly release: string;
  /** Its latest complete build. */
  readonly build: string;
}

export function releaseIndex(releases: readonly ListedRelease[]): string {
  const sorted = releases.toSorted((a, b) => (a.release < b.release ? -1 : 1));
  return `${JSON.stringify({ schema: 1, releases: sorted }, null, 1)}\n`;
}

/** Throws E_FORMAT: a login page or half a file is no list of releases. */
export function parseReleaseIndex(bytes: Uint8Array): readonly ListedRelease[] {
  try {
    const { schema, releases } = JSON.parse(Buffer.from(bytes).toString()) as Record<string, unknown>;
    if (schema === 1 && Array.isArray(releases) && releases.every(isListed)) return releases;
  } catch {
    // Told below.
  }
  throw new ArtifactsError('E_FORMAT', `${RELEASE_INDEX} is no list of releases`, { hint: 'Check that the URL is that of a published tree.' });
}

function isListed(value: unknown): value is ListedRelease {
  const { release, build } = (value ?? {}) as Record<string, unknown>;
  return typeof release === 'string' && typeof build === 'string';
}
