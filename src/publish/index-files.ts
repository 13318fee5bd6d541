/** Writing the indexes of a generation from compressed leaves: what did not change is copied, not made again. */
import { createHash } from 'node:crypto';
import { dirname, join } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import { gzipSync } from 'node:zlib';
import type { Catalog } from '../catalog/catalog.ts';
import type { LeafCache } from '../catalog/leaf-cache.ts';
import type { LeafForm, PackedLeaf } from '../catalog/packed-leaves.ts';
import type { PublishedIndex } from '../catalog/publications.ts';
import type { Context } from '../core/context.ts';
import type { Sha256 } from '../core/digest.ts';
import type { Content, Leaf } from '../core/snapshot.ts';
import type { IndexFrame, IndexPacking, IndexPlan, PublishingFormat } from '../formats/format.ts';
import * as durable from '../util/durable.ts';
import { zstdStored } from '../util/zstd-stream.ts';
import { xzHeader, xzTrailer } from '../util/xz-stream.ts';
import { compressLeaves, type LeafTexts } from './compress.ts';

/** The content of each component of a publication. */
export type Components = ReadonlyMap<string, Content>;

export interface IndexTools {
  readonly catalog: Catalog;
  readonly cache: LeafCache;
  readonly format: PublishingFormat;
  /** The kind of clients; undefined: any. */
  readonly clients?: string | undefined;
}

/** An index as the root metadata lists it; the plain form is listed and not written. */
export interface WrittenIndex {
  readonly listed: readonly PublishedIndex[];
  readonly written: readonly PublishedIndex[];
}

/** An index that will be written, with all that is known of it before its leaves are compressed. */
export interface PreparedIndex {
  readonly plain: PublishedIndex;
  readonly part: string;
  readonly leaves: readonly Leaf[];
  readonly frame: IndexFrame;
}

/** Digests of the plain forms: reading all texts is work for while the leaves are compressed. */
export async function prepareIndexes(
  components: Components,
  architectures: readonly string[],
  tools: IndexTools,
  ctx: Context,
): Promise<PreparedIndex[]> {
  const { catalog, format } = tools;
  const prepared: PreparedIndex[] = [];
  for (const [component, content] of components) {
    const all = catalog.contents.leaves(content.id);
    const plans = format.indexes({ component, partitions: new Set(all.map((leaf) => leaf.partition)) }, architectures);
    for (const together of ofSameLeaves(plans)) {
      const leaves = together[0]?.partitions.flatMap((partition) => all.filter((leaf) => leaf.partition === partition)) ?? [];
      const packages = leaves.reduce((sum, { count }) => sum + count, 0);
      const framed = together.map(({ path, part }) => ({ path, part, frame: format.frame(part, packages) }));
      const digests = await plainDigests(framed, leaves, tools, ctx);
      prepared.push(...framed.map(({ part, frame }, at) => ({ plain: digests[at] as PublishedIndex, part, leaves, frame })));
    }
  }
  return prepared;
}

/** Indexes of the parts of the same texts, so that these are read once for all of them. In the order of the plans. */
function ofSameLeaves(plans: readonly IndexPlan[]): IndexPlan[][] {
  const groups = new Map<string, IndexPlan[]>();
  for (const plan of plans) {
    const key = plan.partitions.join(' ');
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [plan]);
    else group.push(plan);
  }
  return [...groups.values()];
}

/** Writes all indexes below the folder, each under its name and under its digest. Their leaves are in the cache. */
export function writeIndexes(folder: string, prepared: readonly PreparedIndex[], { cache, format, clients }: IndexTools, ctx: Context): WrittenIndex {
  const listed: PublishedIndex[] = [];
  const written: PublishedIndex[] = [];
  for (const { plain, part, leaves, frame } of prepared) {
    ctx.signal.throwIfAborted();
    const compressed = format.profile(clients).packings.map((packing) => {
      const pieces = leaves.map((leaf) => packedLeaf(cache, { leaf: leaf.digest, part, packing }));
      return WRITERS[packing](folder, plain.path, { pieces, frame, format });
    });
    written.push(...compressed);
    listed.push(plain, ...compressed);
  }
  return { listed, written };
}

/** Compresses all that the indexes of these contents will need: work that can be done while something else is. */
export async function compressAhead(contents: Iterable<Content>, tools: IndexTools, ctx: Context): Promise<void> {
  const { catalog, cache, format, clients } = tools;
  const { packings } = format.profile(clients);
  const leaves = [...contents].flatMap(({ id }) => catalog.contents.leaves(id));
  const indexed = leaves.filter(({ partition }) => partition !== format.listed.partition);
  await compressLeaves(indexed, { cache, texts: leafTexts(tools), parts: format.parts, packings }, ctx);
}

function leafTexts({ catalog: { members, contents }, format }: IndexTools): LeafTexts {
  const separator = Buffer.from(format.separator);
  const isWhole = format.parts.length === 1;
  const ended = (pieces: Buffer[]): Buffer[] => (separator.length === 0 ? pieces : pieces.flatMap((piece) => [piece, separator]));
  return {
    parts: ({ id }) => {
      if (isWhole) return [members.joinedTexts(contents.members(id), format.separator)];
      const texts = members.texts(contents.members(id));
      return format.parts.map((part) => Buffer.concat(ended(texts.map((text) => format.textOf(text, part)))));
    },
    size: ({ size, count }) => size + count * separator.length,
  };
}

interface FramedIndex {
  readonly path: string;
  readonly part: string;
  readonly frame: IndexFrame;
}

async function plainDigests(indexes: readonly FramedIndex[], leaves: readonly Leaf[], tools: IndexTools, ctx: Context): Promise<PublishedIndex[]> {
  const texts = leafTexts(tools);
  const digests = indexes.map(({ path, part, frame }) => ({
    path,
    part: tools.format.parts.indexOf(part),
    tail: frame.tail,
    hash: createHash('sha256').update(frame.head),
    size: frame.head.length + frame.tail.length,
  }));
  for (const leaf of leaves) {
    const parts = texts.parts(leaf);
    for (const digest of digests) {
      const bytes = parts[digest.part] ?? Buffer.alloc(0);
      digest.hash.update(bytes);
      digest.size += bytes.length;
    }
    await setImmediate(); // whoever compresses meanwhile gets its turn
    ctx.signal.throwIfAborted();
  }
  return digests.map(({ path, size, hash, tail }) => ({ path, size, sha256: hash.update(tail).digest('hex') as Sha256 }));
}

interface PackedIndex {
  readonly pieces: readonly PackedLeaf[];
  readonly frame: IndexFrame;
  readonly format: PublishingFormat;
}

const WRITERS: Readonly<Record<IndexPacking, (folder: string, path: string, index: PackedIndex) => PublishedIndex>> = { gz: writeGz, xz: writeXz, zst: writeZst };

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

/** Frames one after another are one file (RFC 8878, 3.1). */
function writeZst(folder: string, path: string, { pieces, frame, format }: PackedIndex): PublishedIndex {
  return writeHashed(folder, `${path}.zst`, format, (write) => {
    write(zstdStored(frame.head));
    for (const { bytes } of pieces) write(bytes);
    write(zstdStored(frame.tail));
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
