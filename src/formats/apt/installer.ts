/**
 * Images of the Debian installer: `<component>/installer-<architecture>/<version>/…/images/`, where Release lists only
 * SHA256SUMS, which vouches for the images below its folder by their digests and says nothing of their sizes. The list
 * and its images are one record, so that no merge can bring one's images under another's list.
 */
import { posix } from 'node:path';
import { parseSha256, type Sha256 } from '../../core/digest.ts';
import { ArtifactsError } from '../../core/errors.ts';
import { pathProblem } from '../../util/safe-path.ts';
import type { BundledFile, UpstreamBundle, UpstreamIndex } from '../format.ts';
import { listedRecord } from './listed.ts';
import type { Listing } from './release-listing.ts';

const SUMS = 'SHA256SUMS';
const IMAGE_LIST = /(?:^|\/)(installer-[a-z0-9][a-z0-9-]*\/[^/]+\/(?:.+\/)?SHA256SUMS)$/;

/** What may lie beside the list and is passed through when Release lists it. */
const BESIDE = ['MD5SUMS', ...['sign', 'gpg', 'asc'].flatMap((suffix) => [`SHA256SUMS.${suffix}`, `MD5SUMS.${suffix}`])];

/**
 * Paths of the lists that are wanted: `current`, and the version it stands for, which has the same bytes. Older versions
 * are left where they are, unless there is no `current`.
 */
export function installerLists(listing: Listing, components: readonly string[], architectures: readonly string[]): string[] {
  const wanted = components.flatMap((component) => architectures.map((architecture) => `${component}/installer-${architecture}/`));
  const paths = [...listing.keys()].filter((path) => IMAGE_LIST.test(path) && wanted.some((folder) => path.startsWith(folder)));
  return wanted.flatMap((folder) => {
    const own = paths.filter((path) => path.startsWith(folder));
    const current = own.filter((path) => path.startsWith(`${folder}current/`));
    const digests = new Set(current.map((path) => listing.get(path)?.sha256));
    return current.length === 0 ? own : own.filter((path) => digests.has(listing.get(path)?.sha256));
  });
}

/** Files that belong beside these lists, by their whole paths. */
export function besideLists(lists: readonly string[]): Set<string> {
  return new Set(lists.flatMap((list) => BESIDE.map((name) => `${posix.dirname(list)}/${name}`)));
}

/** Reads a list of an upstream. Throws E_FORMAT or E_PATH. */
export function readBundle(index: UpstreamIndex, text: Buffer): UpstreamBundle {
  const name = IMAGE_LIST.exec(index.name)?.[1];
  const offer = index.offers[0];
  if (name === undefined || offer === undefined) throw new Error(`${index.name} is no list of installer images`);
  const files = readSums(index.name, text);
  const folder = posix.dirname(offer.paths.at(-1) ?? index.name);
  return {
    files: files.map(({ path, sha256 }) => ({ path: `${folder}/${path}`, sha256 })),
    record: (sizes) => {
      const { record, locations } = listedRecord(name, index, { named: true });
      const images = files.map(({ path, sha256 }, at) => ({ name: path, sha256, size: sizes[at] ?? 0 }));
      return { record: { ...record, files: [...record.files, ...images] }, locations: [...locations, ...files.map(({ path }) => `${folder}/${path}`)] };
    },
  };
}

/** The files a served list vouches for, by their paths below the distribution. Throws E_FORMAT or E_PATH. */
export function servedBundle(path: string, text: Buffer): readonly BundledFile[] {
  return readSums(path, text).map((file) => ({ ...file, path: `${posix.dirname(path)}/${file.path}` }));
}

/** Whether a listed path is a list of installer images. */
export function isBundle(path: string): boolean {
  return IMAGE_LIST.test(path);
}

/** sha256sum(1): digest, a space, a space or `*`, path. Paths are below the folder of the list, sorted. */
function readSums(label: string, text: Buffer): BundledFile[] {
  const files = new Map<string, Sha256>();
  for (const line of text.toString('utf8').split('\n')) {
    if (line === '') continue;
    const [, digest = '', written = ''] = /^([0-9a-fA-F]{64}) [ *](.+)$/.exec(line) ?? [];
    const sha256 = parseSha256(digest.toLowerCase());
    if (sha256 === undefined) throw new ArtifactsError('E_FORMAT', `${label} has the line ${JSON.stringify(line.slice(0, 120))}, which is no digest and path`);
    const path = written.replace(/^(\.\/+)+/, '');
    checkPath(label, path);
    if ((files.get(path) ?? sha256) !== sha256) throw new ArtifactsError('E_FORMAT', `${label} lists ${path} twice with different digests`);
    files.set(path, sha256);
  }
  for (const path of files.keys()) checkParents(label, path, files);
  return [...files].map(([path, sha256]) => ({ path, sha256 })).sort((a, b) => (a.path < b.path ? -1 : 1));
}

/** Nor may it take a place that the list itself or files by their digest have when they are published. */
function checkPath(label: string, path: string): void {
  const taken = path === SUMS || path.split('/').includes('by-hash');
  const problem = pathProblem(path) ?? (taken ? 'is not for an image' : undefined);
  if (problem !== undefined) throw new ArtifactsError('E_PATH', `${label} lists the path ${JSON.stringify(path.slice(0, 120))}, which ${problem}`);
}

function checkParents(label: string, path: string, files: ReadonlyMap<string, unknown>): void {
  for (let parent = posix.dirname(path); parent !== '.'; parent = posix.dirname(parent)) {
    if (files.has(parent)) throw new ArtifactsError('E_FORMAT', `${label} lists ${parent} as a file and as a folder`);
  }
}
