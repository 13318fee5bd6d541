/** Which of the files a Release lists are wanted, and in which forms they are offered. */
import { posix } from 'node:path';
import { ArtifactsError } from '../../core/errors.ts';
import type { IndexOffer, UpstreamIndex, UpstreamPackage, UpstreamRequest } from '../format.ts';
import { globPattern } from '../glob.ts';
import { suffixOf, unpackedName, type Packing } from '../../util/packing.ts';
import { besideLists, installerLists } from './installer.ts';
import { listedRecord } from './listed.ts';
import type { Listing } from './release-listing.ts';

/** A Release file whose signature and identity are fine. */
export interface ReadRelease {
  /** By lower-case name. */
  readonly fields: ReadonlyMap<string, string>;
  readonly listing: Listing;
  /** Folder of the Release file below the upstream's URL: empty, or ending in a slash. */
  readonly folder: string;
}

/** A distribution that ends in a slash is a folder with its packages beside its Release (sources.list(5)). */
export function isFlat({ distribution }: UpstreamRequest): boolean {
  return distribution.endsWith('/');
}

/** The indexes of packages that are wanted. Throws E_NOT_FOUND for a component or architectures the upstream lacks. */
export function chooseIndexes(release: ReadRelease, request: UpstreamRequest): UpstreamIndex[] {
  const names = isFlat(request) ? flatNames(request) : treeNames(release, request);
  const indexes = names.flatMap((index) => offersOf(release, index) ?? []);
  if (indexes.some(({ kind }) => kind === 'packages')) return indexes;
  throw new ArtifactsError('E_NOT_FOUND', `The upstream offers no Packages index for ${request.architectures.join(', ')}`, {
    hint: `It offers the architectures ${(release.fields.get('architectures') ?? '(none named)').slice(0, 200)}.`,
  });
}

/** Further listed files that are wanted, as records: they are kept and published byte for byte. */
export function chooseFiles(release: ReadRelease, request: UpstreamRequest): UpstreamPackage[] {
  const patterns = (request.files ?? []).map(globPattern);
  const bundles = bundleNames(release, request);
  const beside = besideLists(bundles);
  if (patterns.length === 0 && beside.size === 0) return [];
  const components = isFlat(request) ? [''] : chooseComponents(release, request).map((name) => `${name}/`);
  const found = new Map<string, UpstreamPackage>();
  for (const path of release.listing.keys()) {
    const component = components.find((prefix) => path.startsWith(prefix));
    if (component === undefined) continue;
    const plain = unpackedName(path);
    const name = plain.slice(component.length);
    const isNamed = patterns.some((pattern) => pattern.test(name) || pattern.test(path.slice(component.length)));
    if (found.has(plain) || bundles.includes(plain) || !(isNamed || beside.has(plain))) continue;
    const offered = beside.has(plain) ? plainOf(release, plain) : offersOf(release, { name: plain, kind: 'file' }, 'file');
    if (offered !== undefined) found.set(plain, listedRecord(name, offered, { named: beside.has(plain) }));
  }
  return [...found.values()];
}

/** Listed files that are wanted together with those they vouch for. */
export function chooseBundles(release: ReadRelease, request: UpstreamRequest): UpstreamIndex[] {
  return bundleNames(release, request).flatMap((name) => plainOf(release, name) ?? []);
}

function bundleNames(release: ReadRelease, request: UpstreamRequest): string[] {
  if (isFlat(request) || request.kinds?.includes('installer') !== true) return [];
  return installerLists(release.listing, chooseComponents(release, request), chooseArchitectures(release, request));
}

type Named = Pick<UpstreamIndex, 'name' | 'kind'>;

function treeNames(release: ReadRelease, request: UpstreamRequest): Named[] {
  const kinds = new Set(request.kinds);
  return chooseComponents(release, request).flatMap((component) => [
    ...chooseArchitectures(release, request).flatMap((architecture): Named[] => [
      { name: `${component}/binary-${architecture}/Packages`, kind: 'packages' },
      ...(kinds.has('udeb') ? [{ name: `${component}/debian-installer/binary-${architecture}/Packages`, kind: 'udebs' }] : []),
    ]),
    ...(kinds.has('source') ? [{ name: `${component}/source/Sources`, kind: 'sources' }] : []),
  ]);
}

function flatNames(request: UpstreamRequest): Named[] {
  return [{ name: 'Packages', kind: 'packages' }, ...(request.kinds?.includes('source') ? [{ name: 'Sources', kind: 'sources' }] : [])];
}

function words(text: string | undefined): string[] {
  return (text ?? '').split(/\s+/).filter((word) => word !== '');
}

/** `updates/main` in Components stands for `main` below `bookworm/updates` (RepositoryFormat, "Components"). */
function chooseComponents({ fields }: ReadRelease, request: UpstreamRequest): string[] {
  const offered = words(fields.get('components')).map((name) => posix.basename(name));
  if (request.components.length === 0) return offered;
  for (const component of request.components) {
    if (offered.length > 0 && !offered.includes(posix.basename(component))) {
      throw new ArtifactsError('E_NOT_FOUND', `The upstream offers no component "${component}"`, {
        hint: `It offers ${offered.join(', ').slice(0, 500)}.`,
      });
    }
  }
  return [...request.components];
}

/**
 * Architectures the upstream does not have are left out, since one list serves all mirrors. `all` has an index of its
 * own unless the Release says that Packages does without (No-Support-for-Architecture-all).
 */
function chooseArchitectures({ fields }: ReadRelease, request: UpstreamRequest): string[] {
  const offered = words(fields.get('architectures'));
  const wanted = request.architectures.filter((name) => offered.length === 0 || offered.includes(name));
  const separateAll = offered.includes('all') && !words(fields.get('no-support-for-architecture-all')).includes('Packages');
  return separateAll && !wanted.includes('all') ? [...wanted, 'all'] : wanted;
}

/** For clients that know nothing of packing, as whoever checks images with sha256sum. */
function plainOf(release: ReadRelease, name: string): UpstreamIndex | undefined {
  const found = offersOf(release, { name, kind: 'file' }, 'file');
  const offers = found?.offers.filter(({ compression }) => compression === 'none') ?? [];
  return found === undefined || offers.length === 0 ? undefined : { ...found, offers };
}

/** Smallest download first; the plain file last, because it is often listed and not there. */
const PREFERENCE: readonly Packing[] = ['xz', 'gz', 'zst', 'bz2', 'none'];

/** Undefined when it is not listed at all. A file that is not read needs no plain digest. */
function offersOf(
  { fields, listing, folder }: ReadRelease,
  { name, kind }: Named,
  use: 'index' | 'file' = 'index',
): UpstreamIndex | undefined {
  const byHash = fields.get('acquire-by-hash')?.toLowerCase() === 'yes';
  const offers: IndexOffer[] = [];
  for (const compression of PREFERENCE) {
    const path = name + suffixOf(compression);
    const listed = listing.get(path);
    if (listed === undefined) continue;
    const named = folder + path;
    const hashed = posix.join(folder, posix.dirname(name), 'by-hash', 'SHA256', listed.sha256);
    offers.push({ ...listed, compression, paths: byHash ? [hashed, named] : [named] });
  }
  const best = offers[0];
  if (best === undefined) return undefined;
  const plain = listing.get(name) ?? (use === 'file' ? best : undefined);
  if (plain !== undefined) return { name, kind, offers, plain };
  throw new ArtifactsError('E_FORMAT', `Release lists ${name} compressed but not its plain digest`);
}
