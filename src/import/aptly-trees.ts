/** What aptly published, read as a client reads it: the way in when aptly itself cannot be run. */
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join, relative } from 'node:path';
import type { Context } from '../core/context.ts';
import { ArtifactsError } from '../core/errors.ts';
import { recordDigest } from '../core/package.ts';
import type { RepoFormat, UpstreamIndex } from '../formats/format.ts';
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
      lists.push({ kind: 'published', name, packages: await readComponent(indexes, { place, format }, ctx), problems: [] });
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
  for (const path of readdirSync(folder, { recursive: true, encoding: 'utf8' }).sort()) {
    const match = new RegExp(`^(?:(.*)/)?${distributions}/(.+)/Release$`).exec(path);
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
      if (index.plain.size === 0) continue;
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
