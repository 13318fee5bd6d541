/** Manifests that come from elsewhere: nothing in them is believed before the signature is, and no path before it was looked at. */
import type { Artifact, ArtifactFacts } from '../core/artifact.ts';
import { parseSha256, sha256, type Sha256 } from '../core/digest.ts';
import { ArtifactsError } from '../core/errors.ts';
import { verifyDetached } from '../sign/verify.ts';
import { pathProblem } from '../util/safe-path.ts';
import type { Manifest, ManifestFile } from './manifest.ts';

/** The files of a release and how to switch to them: what whoever copies it needs of its manifest. */
export interface ReadManifest extends Pick<Manifest, 'release' | 'build' | 'places' | 'files' | 'publications'> {
  readonly artifacts: readonly Artifact[];
  /** Digest of its bytes. */
  readonly digest: Sha256;
}

/** A manifest of 60,000 packages has some 15 MB. */
export const MANIFEST_LIMIT = 512 * 1024 * 1024;

export interface ManifestTrust {
  /** Full fingerprints of the keys that may have signed it; at least one. */
  readonly fingerprints: readonly string[];
  readonly keyrings: readonly Uint8Array[];
  readonly now: Date;
}

export interface VerifiedManifest {
  readonly manifest: ReadManifest;
  /** Full fingerprints of the pinned keys whose signatures are good. */
  readonly signedBy: readonly string[];
}

/** The manifest when its signature is good. Throws as verifyDetached and parseManifest do. */
export async function verifyManifest(bytes: Uint8Array, signature: Uint8Array, trust: ManifestTrust): Promise<VerifiedManifest> {
  if (trust.fingerprints.length === 0) {
    throw new ArtifactsError('E_NO_KEY', 'No key is pinned that the manifest must be signed with', {
      hint: 'Give the full fingerprint of the release key with --key, or name it as consumers.keys in vars/.',
    });
  }
  const { fingerprints } = await verifyDetached(bytes, signature, { ...trust, name: 'The manifest' });
  return { manifest: parseManifest(bytes), signedBy: fingerprints };
}

/** Throws E_FORMAT, E_PATH. */
export function parseManifest(bytes: Uint8Array): ReadManifest {
  const written = parseJson(bytes);
  const { release, build } = written;
  if (written['schema'] !== 1) throw bad('has an unknown schema');
  if (!isName(release) || !isName(build)) throw bad('names no release and build');
  const files = listOf(written, 'files').map(readFile);
  const publications = listOf(written, 'publications').map(readPublication);
  const places = Array.isArray(written['places']) ? (written['places'] as unknown[]).map(readPath) : publications.map(placeOf);
  refuseDoubled(files);
  refuseNested(places);
  const byPath = new Map(files.map((file) => [file.path, file]));
  const artifacts = (written['artifacts'] === undefined ? [] : listOf(written, 'artifacts')).map((item) => readArtifact(item, release, byPath));
  return { release, build, places, files, publications, artifacts, digest: sha256(bytes) };
}

function parseJson(bytes: Uint8Array): Readonly<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(Buffer.from(bytes).toString());
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Record<string, unknown>;
  } catch {
    // Told below.
  }
  throw bad('is no manifest');
}

function listOf(written: Readonly<Record<string, unknown>>, key: string): readonly Readonly<Record<string, unknown>>[] {
  const value = written[key];
  if (Array.isArray(value) && value.every((item) => typeof item === 'object' && item !== null)) return value;
  throw bad(`has no list of ${key}`);
}

function readFile({ path, size, sha256: digest }: Readonly<Record<string, unknown>>): ManifestFile {
  const parsed = typeof digest === 'string' ? parseSha256(digest) : undefined;
  if (parsed === undefined || typeof size !== 'number' || !Number.isSafeInteger(size) || size < 0) {
    throw bad(`lists ${JSON.stringify(path)} without size and digest`);
  }
  return { path: readPath(path), size, sha256: parsed };
}

function readPublication({ prefix, distribution, generation, keys }: Readonly<Record<string, unknown>>): Manifest['publications'][number] {
  const read = { prefix: readPath(prefix), distribution: readPath(distribution), generation: Number(generation) };
  if (keys === undefined) return read;
  if (typeof keys !== 'object' || keys === null) throw bad('describes the keys of a publication badly');
  return { ...read, keys: Object.fromEntries(Object.entries(keys).map(([base, key]) => [readPath(base), String(key)])) };
}

function readArtifact(written: Readonly<Record<string, unknown>>, release: string, byPath: ReadonlyMap<string, ManifestFile>): Artifact {
  const { id, kind, facts, madeAt, paths } = written;
  if (typeof id !== 'string' || typeof kind !== 'string' || typeof facts !== 'object' || facts === null) throw bad('describes an artifact badly');
  const files = (Array.isArray(paths) ? (paths as unknown[]) : []).map((path) => byPath.get(String(path)));
  if (files.includes(undefined)) throw bad(`does not list every file of ${id}`);
  return { release, id, kind, facts: facts as ArtifactFacts, madeAt: String(madeAt), files: files as ManifestFile[] };
}

/** Manifests older than `places` are of apt alone. */
function placeOf({ prefix, distribution }: Manifest['publications'][number]): string {
  return `${prefix}/dists/${distribution}`;
}

/** Hidden names are the tree's own: the lock, the copies. */
function readPath(path: unknown): string {
  const problem = typeof path === 'string' ? pathProblem(path) : 'is no text';
  if (problem === undefined && !(path as string).startsWith('.')) return path as string;
  throw new ArtifactsError('E_PATH', `The manifest lists the path ${JSON.stringify(path)}, which ${problem ?? 'is hidden'}`);
}

function refuseDoubled(files: readonly ManifestFile[]): void {
  const paths = new Set(files.map(({ path }) => path));
  if (paths.size !== files.length) throw bad('lists a path twice');
}

/** A link cannot lie in what another link is switched to. */
function refuseNested(places: readonly string[]): void {
  const nested = places.find((place) => places.some((other) => other !== place && place.startsWith(`${other}/`)));
  if (nested !== undefined) throw bad(`switches ${nested} inside another place`);
}

/** Whether it can be the name of a release or a build. */
export function isName(value: unknown): value is string {
  return typeof value === 'string' && /^[A-Za-z0-9][A-Za-z0-9.+_~-]*$/.test(value);
}

function bad(what: string): ArtifactsError {
  return new ArtifactsError('E_FORMAT', `The manifest ${what}`, { hint: 'It was damaged, or written by a newer version.' });
}
