/**
 * Where the files of a release lie in a copy of its tree, and what is switched in which order. Pure.
 *
 * What releases share never changes under its name and lies where the manifest says. What belongs to one release alone,
 * its places, lies in a folder of the copy's own, and links lead there: the old copy and the new one stand side by side,
 * so a reader finds either whole.
 */
import { posix } from 'node:path';
import type { Pointer } from '../targets/target.ts';
import type { ManifestFile } from './manifest.ts';
import type { ReadManifest } from './read-manifest.ts';

export const COPIES = '.artifacts/copies';

export interface CopyPlan {
  /** The copy's own folder: `.artifacts/copies/r1.0.0/20261121T031500Z-0123456789abcdef`. */
  readonly folder: string;
  /** Files with their digest in their names, and other files that releases share. */
  readonly hashed: readonly ManifestFile[];
  readonly shared: readonly ManifestFile[];
  /** Files of the places; they lie in the copy's folder under the same path. */
  readonly placed: readonly ManifestFile[];
  /** The places the files lie in: those of the manifest, less those of which nothing is copied. */
  readonly places: readonly string[];
  /** `releases/<release>/<build>`: manifest, signature, key, overrides. */
  readonly buildFolder: string;
  /** Files in it, less manifest and signature, which nothing can list. */
  readonly described: readonly ManifestFile[];
  /** In their order; the last one says that the release is complete. */
  readonly links: readonly Pointer[];
}

/** What of a manifest is to be copied. Undefined: all of it. */
export type Selection = ((path: string) => boolean) | undefined;

export function planCopy(manifest: ReadManifest, selected: Selection = undefined): CopyPlan {
  const { release, build, digest } = manifest;
  const folder = `${COPIES}/${release}/${build}-${digest.slice(0, 16)}`;
  const files = selected === undefined ? manifest.files : manifest.files.filter(({ path }) => selected(path));
  const placeOf = placeFinder(manifest.places);
  const placed = files.filter(({ path }) => placeOf(path) !== undefined);
  const buildFolder = `releases/${release}/${build}`;
  const described = files.filter(({ path }) => path.startsWith(`${buildFolder}/`));
  const others = files.filter((file) => placeOf(file.path) === undefined && !file.path.startsWith(`${buildFolder}/`));
  const places = [...new Set(placed.map(({ path }) => placeOf(path) as string))].sort();
  const links = places.map((place): Pointer => ({ kind: 'link', path: place, to: linkText(place, `${folder}/${place}`) }));
  const latest: Pointer = { kind: 'link', path: `releases/${release}/latest`, to: build };
  return {
    folder,
    hashed: others.filter(isHashed),
    shared: others.filter((file) => !isHashed(file)),
    placed,
    places,
    buildFolder,
    described,
    // Part of a release must not pass for the whole.
    links: selected === undefined ? [...links, latest] : links,
  };
}

/** No other bytes can have a name that holds their digest. */
export function isHashed({ path, sha256 }: Pick<ManifestFile, 'path' | 'sha256'>): boolean {
  return path.includes(sha256);
}

/** The place a path lies in. */
export function placeFinder(places: readonly string[]): (path: string) => string | undefined {
  const known = new Set(places);
  return (path) => {
    for (let end = path.indexOf('/'); end >= 0; end = path.indexOf('/', end + 1)) {
      const folder = path.slice(0, end);
      if (known.has(folder)) return folder;
    }
    return undefined;
  };
}

/** Relative, so that the tree may be served from anywhere. */
export function linkText(link: string, to: string): string {
  return posix.relative(posix.dirname(link), to);
}
