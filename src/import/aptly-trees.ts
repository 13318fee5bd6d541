/** What aptly published, read as a client reads it: the way in when aptly itself cannot be run. */
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join, relative } from 'node:path';
import type { Context } from '../core/context.ts';
import { ArtifactsError } from '../core/errors.ts';
import { recordDigest } from '../core/package.ts';
import type { RepoFormat, ServedRoot, UpstreamIndex, UpstreamPackage } from '../formats/format.ts';
import { verifyClearsigned, verifyDetached } from '../sign/verify.ts';
import { hashFile } from '../util/hash-file.ts';
import { unpackFile } from '../util/unpack.ts';
import type { FoundList, FoundPackage } from './found.ts';

export interface Trees {
  /** The folder that holds prefixes and `dists`: aptly's `public`. */
  readonly folder: string;
  /** Public keys the trees must be signed with; without, they are believed as the local files they are. */
  readonly keyring: Buffer | undefined;
  readonly now: Date;
}

/** One list for each component of each published distribution. Throws as a mirror does when a tree is not as it says. */
export async function readTrees(trees: Trees, format: RepoFormat, ctx: Context): Promise<FoundList[]> {
  const lists: FoundList[] = [];
  for (const place of findTrees(trees.folder, format.publishing.folders.distributions)) {
    ctx.report({ type: 'phase', subject: place.prefix, text: `reading ${place.distribution}` });
    const text = await readVerified(place, trees, format, ctx);
    const root = format.publishing.readServed(text, { root: '' });
    for (const component of [...new Set(root.indexes.map(componentOf))].sort()) {
      const indexes = root.indexes.filter((index) => componentOf(index) === component);
      const name = [place.prefix, place.distribution, component].filter((part) => part !== '').join('-').replaceAll('/', '-');
      const packages = [...(await readComponent(indexes, { place, format }, ctx)), ...readListed(root, component, { place, format })];
      lists.push({ kind: 'published', name, packages, problems: [] });
    }
  }
  return lists;
}

/** RepositoryFormat: `<component>/binary-<architecture>/Packages`, `<component>/source/Sources`; components may have slashes. */
function componentOf({ name }: UpstreamIndex): string {
  return name.slice(0, name.search(/\/(?:debian-installer\/)?(?:binary-|source\/)/));
}

interface TreePlace {
  /** The folder of the distribution. */
  readonly folder: string;
  /** The folder that file names of packages are relative to, and its name below the public one. */
  readonly base: string;
  readonly prefix: string;
  readonly distribution: string;
}

/** Every folder below a `dists` that has a Release with indexes; those of single indexes have none. */
function findTrees(folder: string, distributions: string): TreePlace[] {
  if (!existsSync(folder)) throw new ArtifactsError('E_NOT_FOUND', `There is no folder ${folder}`, { hint: 'Name the rootDir of aptly.' });
  const found: TreePlace[] = [];
  const isRelease = new RegExp(`^(?:(.*)/)?${distributions}/(.+)/Release$`);
  for (const path of readdirSync(folder, { recursive: true, encoding: 'utf8' }).sort()) {
    const match = isRelease.exec(path);
    if (match === null || path.split('/').includes('pool')) continue;
    const file = join(folder, path);
    if (!/^SHA256:/m.test(readFileSync(file, 'latin1'))) continue;
    const [, prefix = '', distribution = ''] = match;
    found.push({ folder: join(file, '..'), base: join(folder, prefix), prefix, distribution });
  }
  return found;
}

async function readVerified({ folder, prefix, distribution }: TreePlace, { keyring, now }: Trees, format: RepoFormat, ctx: Context): Promise<Buffer> {
  const { clearsigned, plain, detached } = format.publishing.signedFiles;
  const text = readFileSync(join(folder, plain));
  if (keyring === undefined) {
    ctx.report({ type: 'warning', message: `${prefix} ${distribution}: its signature is not checked; give --keyring to have it checked` });
    return text;
  }
  const name = `${prefix} ${distribution}`;
  const trust = { keyrings: [keyring], fingerprints: [], now, name: `${clearsigned ?? plain} of ${name}` };
  if (clearsigned !== undefined && existsSync(join(folder, clearsigned))) return (await verifyClearsigned(readFileSync(join(folder, clearsigned)), trust)).text;
  if (existsSync(join(folder, detached))) {
    await verifyDetached(text, readFileSync(join(folder, detached)), { ...trust, name: `${plain} of ${name}` });
    return text;
  }
  throw new ArtifactsError('E_UNSIGNED', `The published ${name} is not signed`, { hint: 'Leave --keyring out to believe it as it is.' });
}

async function readComponent(
  indexes: readonly UpstreamIndex[],
  { place, format }: { readonly place: TreePlace; readonly format: RepoFormat },
  ctx: Context,
): Promise<FoundPackage[]> {
  const packages = new Map<string, FoundPackage>();
  for (const index of indexes) {
    const offer = index.offers.map((item) => ({ ...item, path: join(place.folder, item.paths[0] ?? '') })).find(({ path }) => existsSync(path));
    if (offer === undefined) {
      if (index.plain?.size === 0) continue;
      throw new ArtifactsError('E_STATE', `${place.distribution} lists ${index.name}, which is not there`);
    }
    if (statSync(offer.path).size !== offer.size || (await hashFile(offer.path)) !== offer.sha256) {
      throw new ArtifactsError('E_HASH', `${relative(place.base, offer.path)} is not as its Release says`, { hint: 'Publish it anew with aptly.' });
    }
    for await (const batch of format.upstream.readIndex(index, unpackFile(offer.path, offer.compression, ctx.signal))) {
      // What is for all architectures stands in the index of each.
      for (const { record, locations } of batch) {
        packages.set(recordDigest(record), { record, paths: locations.map((location) => join(place.base, location)) });
      }
    }
  }
  return [...packages.values()];
}

/** What is listed besides indexes of packages and their own Release files: RepositoryFormat's further kinds. */
const FURTHER = /^(?:Contents-|i18n\/|dep11\/|cnf\/)/;

/** Files are only named here: whoever stores them checks their digests. */
function readListed(root: ServedRoot, component: string, { place, format }: { readonly place: TreePlace; readonly format: RepoFormat }): FoundPackage[] {
  const found: FoundPackage[] = [];
  for (const [listed, forms] of root.forms) {
    const name = listed.startsWith(`${component}/`) ? listed.slice(component.length + 1) : '';
    const offers = forms.flatMap(({ path, packing }) => {
      const digested = root.files.get(path);
      return digested !== undefined && existsSync(join(place.folder, path)) ? [{ ...digested, paths: [path], compression: packing }] : [];
    });
    const plain = root.files.get(listed) ?? offers[0];
    if (plain === undefined || offers.length === 0) continue;
    const index = { name: listed, kind: 'file', offers, plain };
    const isBundle = name !== '' && root.bundles.includes(listed);
    const offered = isBundle ? readBundle(index, place, format) : FURTHER.test(name) ? format.publishing.listed.record(name, index) : undefined;
    if (offered !== undefined) found.push({ record: offered.record, paths: offered.locations.map((path) => join(place.folder, path)) });
  }
  return found;
}

function readBundle(index: UpstreamIndex, { folder, distribution }: TreePlace, format: RepoFormat): UpstreamPackage {
  const bundle = format.upstream.readBundle?.(index, readFileSync(join(folder, index.name)));
  if (bundle === undefined) throw new Error(`Files of ${format.id} that vouch for others are listed and cannot be read`);
  return bundle.record(
    bundle.files.map(({ path }) => {
      const stat = statSync(join(folder, path), { throwIfNoEntry: false });
      if (stat === undefined) throw new ArtifactsError('E_STATE', `${distribution}: ${index.name} lists ${path}, which is not there`);
      return stat.size;
    }),
  );
}
