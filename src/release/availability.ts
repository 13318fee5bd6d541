/** Whether a release is to be had somewhere. Silence is never taken for absence. */
import type { Context } from '../core/context.ts';
import { sha256 } from '../core/digest.ts';
import { ArtifactsError, isArtifactsError } from '../core/errors.ts';
import { kindFinder } from './kind-of-path.ts';
import { MANIFEST_KEY } from './manifest.ts';
import { verifyManifest, type ManifestTrust, type ReadManifest } from './read-manifest.ts';
import { parseReleaseIndex, RELEASE_INDEX } from './release-index.ts';
import type { ReleaseSource } from './release-source.ts';

export type Availability =
  | {
      /** Its manifest, which is written last, is there and signed by a pinned key. */
      readonly state: 'complete';
      readonly build: string;
      readonly kinds: readonly KindOfRelease[];
    }
  /** Whoever serves the tree has no such release: it says so, and its list of releases agrees. */
  | { readonly state: 'absent' }
  /** Nobody knows: no answer, an error, or answers that contradict each other. */
  | { readonly state: 'unknown'; readonly reason: string };

export interface KindOfRelease {
  readonly kind: string;
  readonly files: number;
  readonly bytes: number;
}

/** Which keys may have signed a manifest; without keyrings those beside the manifest, which the fingerprints prove. */
export interface PinnedKeys {
  readonly fingerprints: readonly string[];
  readonly keyrings: readonly Uint8Array[] | undefined;
  readonly now: Date;
}

/** What a source has of a release. A signature by another key throws, as verifyManifest does. */
export async function availability(source: ReleaseSource, release: string, pinned: PinnedKeys, ctx: Context): Promise<Availability> {
  try {
    const found = await findManifest(source, release, pinned, ctx);
    if (found === undefined) return await judgeAbsence(source, release, ctx);
    return { state: 'complete', build: found.manifest.build, kinds: kindsOf(found.manifest) };
  } catch (error) {
    if (!isArtifactsError(error, 'E_FETCH') && !isArtifactsError(error, 'E_FORMAT')) throw error;
    return { state: 'unknown', reason: error.message };
  }
}

export interface FoundManifest {
  readonly manifest: ReadManifest;
  /** Full fingerprints of the pinned keys whose signatures are good. */
  readonly signedBy: readonly string[];
  /** Its bytes, those of its signature and of the keys beside it. */
  readonly files: ReadonlyMap<string, Buffer>;
}

/** The manifest of the latest build, verified. Throws E_NOT_FOUND only when the release is absent, else E_FETCH and as verifyManifest. */
export async function requireManifest(source: ReleaseSource, release: string, pinned: PinnedKeys, ctx: Context): Promise<FoundManifest> {
  const found = await findManifest(source, release, pinned, ctx);
  if (found !== undefined) return found;
  const judged = await judgeAbsence(source, release, ctx);
  if (judged.state === 'absent') {
    throw new ArtifactsError('E_NOT_FOUND', `${source.where} has no release "${release}"`, { hint: 'Check the name; `artifacts status` tells more.' });
  }
  throw new ArtifactsError('E_FETCH', `Whether ${source.where} has release "${release}" is not known: ${judged.reason}`);
}

async function findManifest(source: ReleaseSource, release: string, pinned: PinnedKeys, ctx: Context): Promise<FoundManifest | undefined> {
  try {
    return await readOnce(source, release, pinned, ctx);
  } catch (error) {
    // The release may have been switched between manifest and signature.
    if (!isArtifactsError(error, 'E_SIGNATURE')) throw error;
    return readOnce(source, release, pinned, ctx);
  }
}

async function readOnce(source: ReleaseSource, release: string, pinned: PinnedKeys, ctx: Context): Promise<FoundManifest | undefined> {
  const folder = `releases/${release}/latest`;
  const manifest = await source.read(`${folder}/manifest.json`, ctx);
  if (manifest === undefined) return undefined;
  const signature = await source.read(`${folder}/manifest.json.asc`, ctx);
  if (signature === undefined) throw new ArtifactsError('E_UNSIGNED', `The manifest of ${release} at ${source.where} is not signed`);
  const key = await source.read(`${folder}/${MANIFEST_KEY}`, ctx);
  if (pinned.keyrings === undefined && key === undefined) {
    throw new ArtifactsError('E_NO_KEY', `${source.where} has no key beside the manifest`, { hint: 'Give a file with the public keys: --keyring.' });
  }
  const trust: ManifestTrust = { ...pinned, keyrings: pinned.keyrings ?? [key as Buffer] };
  const { manifest: read, signedBy } = await verifyManifest(manifest, signature, trust);
  if (read.release !== release) {
    throw new ArtifactsError('E_SUITE', `${source.where} has the manifest of ${read.release} where that of ${release} should be`);
  }
  refuseStrangeKeys(key, read, source);
  const files = new Map([['manifest.json', manifest], ['manifest.json.asc', signature], [MANIFEST_KEY, key ?? Buffer.concat(pinned.keyrings ?? [])]]);
  return { manifest: read, signedBy, files };
}

/** Clients are handed all keys of that file; none may be among them that the release did not vouch for. */
function refuseStrangeKeys(key: Buffer | undefined, { release, build, files }: ReadManifest, source: ReleaseSource): void {
  const path = `releases/${release}/${build}/${MANIFEST_KEY}`;
  if (key === undefined || files.some((file) => file.path === path && file.sha256 === sha256(key))) return;
  throw new ArtifactsError('E_HASH', `The keys beside the manifest of ${release} at ${source.where} are not those it lists`);
}

async function judgeAbsence(source: ReleaseSource, release: string, ctx: Context): Promise<Exclude<Availability, { state: 'complete' }>> {
  const index = await source.read(RELEASE_INDEX, ctx);
  if (index === undefined) return { state: 'unknown', reason: `there is neither a manifest nor ${RELEASE_INDEX}` };
  const listed = parseReleaseIndex(index).some((entry) => entry.release === release);
  return listed ? { state: 'unknown', reason: `it is listed, and its manifest is not there` } : { state: 'absent' };
}

export function kindsOf(manifest: ReadManifest): KindOfRelease[] {
  const kindOf = kindFinder(manifest);
  const kinds = new Map<string, { files: number; bytes: number }>();
  for (const { path, size } of manifest.files) {
    const kind = kindOf(path);
    if (kind === undefined) continue;
    const sum = kinds.get(kind) ?? { files: 0, bytes: 0 };
    kinds.set(kind, { files: sum.files + 1, bytes: sum.bytes + size });
  }
  return [...kinds].map(([kind, sums]) => ({ kind, ...sums })).sort((a, b) => (a.kind < b.kind ? -1 : 1));
}
