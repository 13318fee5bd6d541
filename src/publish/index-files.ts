/** Writing the indexes of a generation from compressed leaves: what did not change is copied, not made again. */
import { createHash } from 'node:crypto';
import { dirname, join } from 'node:path';
import type { Catalog } from '../catalog/catalog.ts';
import type { CompressedLeaf, LeafCache } from '../catalog/leaf-cache.ts';
import type { PublishedIndex } from '../catalog/publications.ts';
import type { Context } from '../core/context.ts';
import type { Sha256 } from '../core/digest.ts';
import type { Content, Leaf } from '../core/snapshot.ts';
import type { IndexPlan, PublishingFormat } from '../formats/format.ts';
import * as durable from '../util/durable.ts';
import { xzHeader, xzTrailer } from '../util/xz-stream.ts';
import { compressLeaves, type LeafTexts } from './compress.ts';

/** The content of each component of a publication. */
export type Components = ReadonlyMap<string, Content>;

export interface IndexTools {
  readonly catalog: Catalog;
  readonly cache: LeafCache;
  readonly format: PublishingFormat;
}

/** An index as the root metadata lists it; the plain form is listed and not written. */
export interface WrittenIndex {
  readonly listed: readonly PublishedIndex[];
  readonly written: readonly PublishedIndex[];
}

/** Writes all indexes below the folder, each under its name and under its digest. */
export async function writeIndexes(
  folder: string,
  { plans, components }: { readonly plans: readonly IndexPlan[]; readonly components: Components },
  tools: IndexTools,
  ctx: Context,
): Promise<WrittenIndex> {
  const texts = leafTexts(tools);
  const leavesOf = leafReader(tools.catalog, components);
  const wanted = plans.map((plan) => ({ plan, leaves: leavesOf(plan) }));

  await compressLeaves(wanted.flatMap(({ leaves }) => leaves), { cache: tools.cache, texts }, ctx);
  const listed: PublishedIndex[] = [];
  const written: PublishedIndex[] = [];
  for (const { plan, leaves } of wanted) {
    ctx.signal.throwIfAborted();
    const parts = leaves.map((leaf) => compressedLeaf(tools.cache, leaf));
    const compressed = [writeGz(folder, plan.path, parts, tools.format), writeXz(folder, plan.path, parts, tools.format)];
    written.push(...compressed);
    listed.push(plainDigest(plan.path, leaves, texts), ...compressed);
  }
  return { listed, written };
}

/** Compresses all that the indexes of these contents will need: work that can be done while something else is. */
export async function compressAhead(contents: Iterable<Content>, tools: IndexTools, ctx: Context): Promise<void> {
  const { catalog, cache, format } = tools;
  const leaves = [...contents].flatMap(({ id }) => catalog.contents.leaves(id));
  const indexed = leaves.filter(({ partition }) => partition !== format.listed.partition);
  await compressLeaves(indexed, { cache, texts: leafTexts(tools) }, ctx);
}

function leafTexts({ catalog: { members, contents }, format }: IndexTools): LeafTexts {
  const separator = Buffer.from(format.separator);
  return {
    text: (leaf) => Buffer.concat(members.texts(contents.members(leaf.id)).flatMap((part) => [part, separator])),
    size: ({ size, count }) => size + count * separator.length,
  };
}

/** The leaves of an index in the order of its partitions. */
function leafReader(catalog: Catalog, components: Components): (plan: IndexPlan) => Leaf[] {
  const all = new Map<string, Leaf[]>();
  for (const [component, content] of components) all.set(component, catalog.contents.leaves(content.id));
  return (plan) =>
    plan.partitions.flatMap((partition) => (all.get(plan.component) ?? []).filter((leaf) => leaf.partition === partition));
}

function plainDigest(path: string, leaves: readonly Leaf[], texts: LeafTexts): PublishedIndex {
  const hash = createHash('sha256');
  let size = 0;
  for (const leaf of leaves) {
    const bytes = texts.text(leaf);
    hash.update(bytes);
    size += bytes.length;
  }
  return { path, size, sha256: hash.digest('hex') as Sha256 };
}

/** An empty gzip member, so that an index without leaves is a gzip file all the same. */
const EMPTY_GZ = Buffer.from('1f8b080000000000000303000000000000000000', 'hex');

function writeGz(folder: string, path: string, parts: readonly CompressedLeaf[], format: PublishingFormat): PublishedIndex {
  return writeHashed(folder, `${path}.gz`, format, (write) => {
    if (parts.length === 0) write(EMPTY_GZ);
    for (const { gz } of parts) write(gz);
  });
}

function writeXz(folder: string, path: string, parts: readonly CompressedLeaf[], format: PublishingFormat): PublishedIndex {
  return writeHashed(folder, `${path}.xz`, format, (write) => {
    write(xzHeader());
    for (const { xz } of parts) write(xz.bytes);
    write(xzTrailer(parts.map(({ xz }) => xz)));
  });
}

function compressedLeaf(cache: LeafCache, leaf: Leaf): CompressedLeaf {
  const found = cache.get(leaf.digest);
  if (found === undefined) throw new Error(`Leaf ${leaf.digest} left the cache while it was needed`);
  return found;
}

/** Writes a file, hashing on the way, and gives it its two names. The caller flushes the tree. */
function writeHashed(
  folder: string,
  path: string,
  format: PublishingFormat,
  produce: (write: (bytes: Buffer) => void) => void,
): PublishedIndex {
  const hash = createHash('sha256');
  const named = join(folder, path);
  const size = durable.writeNewFile(named, (write) =>
    produce((bytes) => {
      hash.update(bytes);
      write(bytes);
    }),
  );
  const sha256 = hash.digest('hex') as Sha256;
  const hashed = join(folder, format.hashedPath(path, sha256));
  durable.makeFolder(dirname(hashed));
  durable.linkFile(named, hashed);
  return { path, size, sha256 };
}
