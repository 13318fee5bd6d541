/** Writing the indexes of a generation from compressed leaves: what did not change is copied, not made again. */
import { createHash, type Hash } from 'node:crypto';
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

/** Compresses what the indexes need and reads all of them, each text once for both: work that can be done while something else is. */
export async function prepareIndexes(
  components: Components,
  architectures: readonly string[],
  tools: IndexTools,
  ctx: Context,
): Promise<PreparedIndex[]> {
  const { cache, format, clients } = tools;
  const groups = [...components].flatMap(([component, content]) => planGroups(component, content, architectures, tools));
  const reading = readInStep(groups, tools, ctx);
  const leaves = groups.flatMap((group) => group.leaves);
  await compressLeaves(leaves, { cache, texts: reading, parts: format.parts, packings: format.profile(clients).packings }, ctx);
  await reading.end();
  return groups.flatMap((group) => group.indexes.map(({ path, part, frame, size, hash }) => {
    const plain = { path, size: size + frame.tail.length, sha256: hash.update(frame.tail).digest('hex') as Sha256 };
    return { plain, part, leaves: group.leaves, frame };
  }));
}

/** Indexes of the parts of the same texts. */
interface IndexGroup {
  readonly leaves: readonly Leaf[];
  readonly indexes: readonly IndexInReading[];
}

/** An index of which the beginning was read. */
interface IndexInReading {
  readonly path: string;
  readonly part: string;
  readonly frame: IndexFrame;
  readonly hash: Hash;
  size: number;
}

function planGroups(component: string, content: Content, architectures: readonly string[], { catalog, format }: IndexTools): IndexGroup[] {
  const all = catalog.contents.leaves(content.id);
  const plans = format.indexes({ component, partitions: new Set(all.map((leaf) => leaf.partition)) }, architectures);
  return ofSameLeaves(plans).map((together) => {
    const leaves = together[0]?.partitions.flatMap((partition) => all.filter((leaf) => leaf.partition === partition)) ?? [];
    const packages = leaves.reduce((sum, { count }) => sum + count, 0);
    const indexes = together.map(({ path, part }): IndexInReading => {
      const frame = format.frame(part, packages);
      return { path, part, frame, hash: createHash('sha256').update(frame.head), size: frame.head.length };
    });
    return { leaves, indexes };
  });
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

interface Reading extends LeafTexts {
  /** Reads on to the end. */
  end(): Promise<void>;
}

/** Reads all leaves in their order, as far as somebody wants one of them, and takes the digests of the plain indexes on the way. */
function readInStep(groups: readonly IndexGroup[], tools: IndexTools, ctx: Context): Reading {
  const reading = readLeaves(groups, tools, ctx);
  return {
    parts: async ({ digest }) => {
      for (let next = await reading.next(); next.done !== true; next = await reading.next()) {
        if (next.value.leaf.digest === digest) return next.value.parts;
      }
      throw new Error(`Leaf ${digest} is of none of the indexes that are read`);
    },
    size: ({ size, count }) => size + count * Buffer.byteLength(tools.format.separator),
    end: async () => {
      for (let next = await reading.next(); next.done !== true; next = await reading.next());
    },
  };
}

async function* readLeaves(groups: readonly IndexGroup[], tools: IndexTools, ctx: Context): AsyncGenerator<{ readonly leaf: Leaf; readonly parts: readonly Buffer[] }> {
  for (const { leaves, indexes } of groups) {
    for (const leaf of leaves) {
      const parts = partsOf(leaf, tools);
      for (const index of indexes) {
        const bytes = parts[tools.format.parts.indexOf(index.part)] ?? Buffer.alloc(0);
        index.hash.update(bytes);
        index.size += bytes.length;
      }
      yield { leaf, parts };
      await setImmediate(); // whoever links meanwhile gets its turn
      ctx.signal.throwIfAborted();
    }
  }
}

function partsOf({ id }: Leaf, { catalog: { members, contents }, format }: IndexTools): readonly Buffer[] {
  if (format.parts.length === 1) return [members.joinedTexts(contents.members(id), format.separator)];
  const separator = Buffer.from(format.separator);
  const ended = (pieces: Buffer[]): Buffer[] => (separator.length === 0 ? pieces : pieces.flatMap((piece) => [piece, separator]));
  const texts = members.texts(contents.members(id));
  return format.parts.map((part) => Buffer.concat(ended(texts.map((text) => format.textOf(text, part)))));
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
