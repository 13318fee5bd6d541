/** Compressing leaves: each once in its life, all that are new in one go, the results kept in the leaf cache. */
import { once } from 'node:events';
import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import type { LeafCache } from '../catalog/leaf-cache.ts';
import type { LeafForm, PackedLeaf } from '../catalog/packed-leaves.ts';
import type { Context } from '../core/context.ts';
import type { Leaf } from '../core/snapshot.ts';
import type { IndexPacking } from '../formats/format.ts';
import { runCommand, startCommand } from '../util/run-command.ts';
import { splitXz, type XzBlock } from '../util/xz-stream.ts';

/** Leaves handed to one xz process: bounds the length of its command line, and what is in memory at a time. */
const BATCH = 2048;

/**
 * Three per cent more than xz's preset 4 in three fifths of its time, and a third of that of preset 6 (decision 8). A
 * dictionary no larger than a leaf can be saves setting up one that is never filled; text has no alignment (pb=0).
 */
const XZ_SETTINGS = 'preset=4,dict=512KiB,mf=hc4,nice=12,depth=4,lc=4,pb=0';

/**
 * zlib's default level; set here so that the bytes do not follow a change of the default. Pieces as large as most results
 * are, and twice the default memory: a sixth less time and some bytes less.
 */
const GZIP_SETTINGS = { level: 6, memLevel: 9, chunkSize: 64 * 1024 };

/** At level 10 a tenth smaller than gzip's and as fast to make; what is published does not depend on what Node brings along. */
const ZSTD_SETTINGS = ['-10', '--single-thread', '--no-progress', '-q', '-c'];

/** Texts that wait for gzip while xz takes further ones: bounds what is in memory. */
const GZIP_BEHIND = 8;

/** Processes of zstd at a time. */
const ZSTD_BEHIND = 3;

const gzipAsync = promisify(gzip);

/** The published bytes of leaves: their texts, each followed by the format's separator. */
export interface LeafTexts {
  /** One for each part of the format, in their order. Asked for leaves in the order in which they were handed over. */
  parts(leaf: Leaf): Promise<readonly Buffer[]>;
  /** How many bytes that are, known without reading them; only of whole texts. */
  size(leaf: Leaf): number;
}

export interface Compressing {
  readonly cache: LeafCache;
  readonly texts: LeafTexts;
  /** Which pieces of the leaves' texts there are. */
  readonly parts: readonly string[];
  readonly packings: readonly IndexPacking[];
}

/** Makes sure that the cache holds these leaves in these forms. */
export async function compressLeaves(leaves: readonly Leaf[], { cache, texts, parts, packings }: Compressing, ctx: Context): Promise<void> {
  const forms = parts.flatMap((part) => packings.map((packing) => ({ part, packing })));
  const byDigest = new Map(leaves.map((leaf) => [leaf.digest, leaf]));
  const lacking = cache.lacking([...byDigest.keys()], forms);
  const missing = [...byDigest.values()].filter(({ digest }) => lacking.has(digest));
  let done = 0;
  const onLeaf = (): void => {
    done += 1;
    ctx.report({ type: 'progress', id: 'compress', label: 'compressing indexes', done, total: missing.length, unit: 'files' });
  };
  for (let at = 0; at < missing.length; at += BATCH) {
    cache.put(await compressBatch(missing.slice(at, at + BATCH), { texts, parts, packings, onLeaf }, ctx));
  }
  if (missing.length > 0) ctx.report({ type: 'progress-end', id: 'compress' });
}

interface Batch extends Omit<Compressing, 'cache'> {
  readonly onLeaf: () => void;
}

/** Each text is read once and handed to all compressors, as fast as xz takes them. Only whole texts go to xz. */
async function compressBatch(leaves: readonly Leaf[], { texts, parts, packings, onLeaf }: Batch, ctx: Context): Promise<Packed[]> {
  const xz = packings.includes('xz') ? startXz(leaves.map((leaf) => texts.size(leaf)), ctx) : undefined;
  const members: Promise<Packed>[] = [];
  const frames: Promise<Packed>[] = [];
  try {
    for (const leaf of leaves) {
      ctx.signal.throwIfAborted();
      onLeaf();
      for (const [index, text] of (await texts.parts(leaf)).entries()) {
        const of = { leaf: leaf.digest, part: parts[index] ?? '' };
        if (packings.includes('gz')) members.push(packed({ ...of, packing: 'gz' }, gzipAsync(text, GZIP_SETTINGS)));
        if (packings.includes('zst')) frames.push(packed({ ...of, packing: 'zst' }, zstdFrame(text, ctx)));
        if (xz === undefined) continue;
        if (text.length !== texts.size(leaf)) throw new Error(`Leaf ${leaf.digest} is not as long as the catalog says`);
        await xz.write(text);
      }
      await members.at(-GZIP_BEHIND);
      await frames.at(-ZSTD_BEHIND);
    }
    const blocks = (await xz?.end()) ?? [];
    const xzForm = (leaf: Leaf): LeafForm => ({ leaf: leaf.digest, part: parts[0] ?? '', packing: 'xz' });
    const inXz = xz === undefined ? [] : leaves.map((leaf, index) => [xzForm(leaf), requireBlock(blocks[index])] as const);
    return [...(await Promise.all([...members, ...frames])), ...inXz];
  } finally {
    xz?.kill();
    await Promise.allSettled([...members, ...frames]);
  }
}

type Packed = readonly [LeafForm, PackedLeaf];

/** Only blocks of xz need their sizes. */
async function packed(form: LeafForm, packing: Promise<Buffer>): Promise<Packed> {
  return [form, { bytes: await packing, unpaddedSize: 0, plainSize: 0 }];
}

/** One frame that says how long its text is. */
async function zstdFrame(text: Buffer, { signal }: Context): Promise<Buffer> {
  return (await runCommand('zstd', [...ZSTD_SETTINGS, `--stream-size=${text.length}`], { input: text, signal })).stdout;
}

function requireBlock(block: XzBlock | undefined): XzBlock {
  if (block === undefined) throw new Error('xz returned fewer blocks than it was given');
  return block;
}

interface Xz {
  /** Resolves when there is room for more. */
  write(text: Buffer): Promise<void>;
  /** The blocks, one per text. */
  end(): Promise<XzBlock[]>;
  /** Stops it, unless it has ended. */
  kill(): void;
}

/**
 * One block per text. `-T2` even on one core: in threaded mode the block headers hold their sizes, and the bytes are the
 * same for any number of threads but one.
 */
function startXz(sizes: readonly number[], ctx: Context): Xz {
  const args = ['-T2', '-C', 'crc64', `--lzma2=${XZ_SETTINGS}`, `--block-size=${Math.max(...sizes)}`, `--block-list=${sizes.join(',')}`, '-c'];
  const xz = startCommand('xz', args, { signal: ctx.signal });
  const output: Buffer[] = [];
  xz.stdout.on('data', (chunk: Buffer) => output.push(chunk));
  xz.stdin.on('error', () => {}); // EPIPE: the exit status tells what went wrong
  return {
    write: async (text) => {
      if (!xz.stdin.write(text)) await Promise.race([once(xz.stdin, 'drain'), xz.ended]);
    },
    end: async () => {
      xz.stdin.end();
      await xz.ended;
      return splitXz(Buffer.concat(output));
    },
    kill: () => xz.kill(),
  };
}
