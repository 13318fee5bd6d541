/** Writing the indexes of a generation from compressed leaves: what did not change is copied, not made again. */
import { createHash } from 'node:crypto';
import { dirname, join } from 'node:path';
import { gzipSync } from 'node:zlib';
import type { Catalog } from '../catalog/catalog.ts';
import type { LeafCache, LeafForm, PackedLeaf } from '../catalog/leaf-cache.ts';
import type { PublishedIndex } from '../catalog/publications.ts';
import type { Context } from '../core/context.ts';
import type { Sha256 } from '../core/digest.ts';
import type { Content, Leaf } from '../core/snapshot.ts';
import type { IndexFrame, IndexPacking, IndexPlan, PublishingFormat } from '../formats/format.ts';
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
  const { format, cache } = tools;
  const leavesOf = leafReader(tools.catalog, components);
  const wanted = plans.map((plan) => ({ plan, leaves: leavesOf(plan), texts: leafTexts(tools, plan.part) }));

  for (const part of format.parts) {
    const leaves = wanted.filter(({ plan }) => plan.part === part).flatMap((one) => one.leaves);
    await compressLeaves(leaves, { cache, texts: leafTexts(tools, part), part, packings: format.packings }, ctx);
  }
  const listed: PublishedIndex[] = [];
  const written: PublishedIndex[] = [];
  for (const { plan, leaves, texts } of wanted) {
    ctx.signal.throwIfAborted();
    const frame = format.frame(plan.part, leaves.reduce((sum, { count }) => sum + count, 0));
    const compressed = format.packings.map((packing) => {
      const pieces = leaves.map((leaf) => packedLeaf(cache, { leaf: leaf.digest, part: plan.part, packing }));
      return WRITERS[packing](folder, plan.path, { pieces, frame, format });
    });
    written.push(...compressed);
    listed.push(plainDigest(plan.path, { leaves, texts, frame }), ...compressed);
  }
  return { listed, written };
}

/** Compresses all that the indexes of these contents will need: work that can be done while something else is. */
export async function compressAhead(contents: Iterable<Content>, tools: IndexTools, ctx: Context): Promise<void> {
  const { catalog, cache, format } = tools;
  const leaves = [...contents].flatMap(({ id }) => catalog.contents.leaves(id));
  const indexed = leaves.filter(({ partition }) => partition !== format.listed.partition);
  for (const part of format.parts) {
    await compressLeaves(indexed, { cache, texts: leafTexts(tools, part), part, packings: format.packings }, ctx);
  }
}

function leafTexts({ catalog: { members, contents }, format }: IndexTools, part: string): LeafTexts {
  const separator = Buffer.from(format.separator);
  return {
    text: (leaf) => Buffer.concat(members.texts(contents.members(leaf.id)).flatMap((text) => [format.textOf(text, part), separator])),
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

interface PlainIndex {
  readonly leaves: readonly Leaf[];
  readonly texts: LeafTexts;
  readonly frame: IndexFrame;
}

function plainDigest(path: string, { leaves, texts, frame }: PlainIndex): PublishedIndex {
  const hash = createHash('sha256').update(frame.head);
  let size = frame.head.length + frame.tail.length;
  for (const leaf of leaves) {
    const bytes = texts.text(leaf);
    hash.update(bytes);
    size += bytes.length;
  }
  return { path, size, sha256: hash.update(frame.tail).digest('hex') as Sha256 };
}

interface PackedIndex {
  readonly pieces: readonly PackedLeaf[];
  readonly frame: IndexFrame;
  readonly format: PublishingFormat;
}

const WRITERS: Readonly<Record<IndexPacking, (folder: string, path: string, index: PackedIndex) => PublishedIndex>> = { gz: writeGz, xz: writeXz };

/** An empty gzip member, so that an index without leaves is a gzip file all the same. */
const EMPTY_GZ = Buffer.from('1f8b080000000000000303000000000000000000', 'hex');

function writeGz(folder: string, path: string, { pieces, frame, format }: PackedIndex): PublishedIndex {
  return writeHashed(folder, `${path}.gz`, format, (write) => {
    if (pieces.length === 0 && frame.head.length === 0) write(EMPTY_GZ);
    if (frame.head.length > 0) write(gzipSync(frame.head));
    for (const { bytes } of pieces) write(bytes);
    if (frame.tail.length > 0) write(gzipSync(frame.tail));
  });
}

/** Formats with a frame have no xz: nothing is gained by it there. */
function writeXz(folder: string, path: string, { pieces, format }: PackedIndex): PublishedIndex {
  return writeHashed(folder, `${path}.xz`, format, (write) => {
    write(xzHeader());
    for (const { bytes } of pieces) write(bytes);
    write(xzTrailer(pieces));
  });
}

function packedLeaf(cache: LeafCache, form: LeafForm): PackedLeaf {
  const found = cache.get(form);
  if (found === undefined) throw new Error(`Leaf ${form.leaf} left the cache while it was needed`);
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
  return { path: nameByHash(folder, { path, sha256 }, format), size, sha256 };
}

/** Makes a file of a generation reachable under its digest too, or only so. Returns the path it is listed with. */
export function nameByHash(folder: string, { path, sha256 }: Pick<PublishedIndex, 'path' | 'sha256'>, format: PublishingFormat): string {
  const hashed = format.hashedPath(path, sha256);
  durable.makeFolder(dirname(join(folder, hashed)));
  if (format.namesStay) durable.linkFile(join(folder, path), join(folder, hashed));
  else durable.moveFile(join(folder, path), join(folder, hashed));
  return format.namesStay ? path : hashed;
}
