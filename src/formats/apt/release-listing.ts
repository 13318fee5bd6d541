/** What a Release file lists: paths with size and digest. */
import { ArtifactsError } from '../../core/errors.ts';
import { parseSha256, type Sha256 } from '../../core/digest.ts';
import { pathProblem, withoutDot } from '../../util/safe-path.ts';
import type { Digested } from '../format.ts';

/** Paths below the folder of the Release file. */
export type Listing = ReadonlyMap<string, Digested>;

/** The SHA256 section. Throws E_WEAK_HASH without one, E_FORMAT or E_PATH for what cannot stand in it. */
export function readListing(section: string | undefined): Listing {
  if (section === undefined) {
    throw new ArtifactsError('E_WEAK_HASH', 'Release lists no SHA256 digests', {
      hint: 'MD5 and SHA-1 are refused: such an upstream cannot be verified.',
    });
  }
  const listing = new Map<string, Digested>();
  for (const line of section.split('\n')) {
    if (line.trim() !== '') addLine(listing, line.trim());
  }
  return listing;
}

function addLine(listing: Map<string, Digested>, line: string): void {
  const [digest = '', size = '', written = '', ...more] = line.split(/\s+/, 4);
  const sha256: Sha256 | undefined = parseSha256(digest);
  if (sha256 === undefined || !/^\d{1,15}$/.test(size) || written === '' || more.length > 0) {
    throw new ArtifactsError('E_FORMAT', `Release lists ${JSON.stringify(line.slice(0, 120))}, which is no digest, size and path`);
  }
  // Flat repositories list `./Packages`.
  const path = withoutDot(written);
  const problem = pathProblem(path);
  if (problem !== undefined) {
    throw new ArtifactsError('E_PATH', `Release lists the path ${JSON.stringify(written.slice(0, 120))}, which ${problem}`);
  }
  const entry = { size: Number(size), sha256 };
  const before = listing.get(path);
  if (before !== undefined && (before.sha256 !== sha256 || before.size !== entry.size)) {
    throw new ArtifactsError('E_FORMAT', `Release lists ${path} twice with different digests`);
  }
  listing.set(path, entry);
}
