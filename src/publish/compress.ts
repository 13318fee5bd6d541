/** Compressing leaves: each once in its life, all that are new in one go, the results kept in the leaf cache. */
import { once } from 'node:events';
import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import type { CompressedLeaf, LeafCache } from '../catalog/leaf-cache.ts';
import type { Context } from '../core/context.ts';
import type { Leaf } from '../core/snapshot.ts';
import { startCommand } from '../util/run-command.ts';
import { splitXz } from '../util/xz-stream.ts';

/** Leaves handed to one xz process: bounds what is in memory at a time. */
const BATCH = 256;

/** A dictionary no larger than a leaf saves xz the time to set up one that could never be filled. */
const PRESET = 'preset=6,dict=1MiB';

/** zlib's default level; set here so that the bytes do not follow a change of the default. */
const GZIP_LEVEL = 6;

const gzipAsync = promisify(gzip);

/** The published bytes of a leaf: its texts, each followed by the format's separator. */
export type LeafText = (leaf: Leaf) => Buffer;

/** Makes sure that the cache holds all of these leaves. */
export async function compressLeaves(
  leaves: readonly Leaf[],
  { cache, text }: { readonly cache: LeafCache; readonly text: LeafText },
  ctx: Context,
): Promise<void> {
  const missing = [...new Map(leaves.filter((leaf) => !cache.has(leaf.digest)).map((leaf) => [leaf.digest, leaf])).values()];
  for (let at = 0; at < missing.length; at += BATCH) {
    ctx.signal.throwIfAborted();
    ctx.report({ type: 'progress', id: 'compress', label: 'compressing indexes', done: at, total: missing.length, unit: 'files' });
    const batch = missing.slice(at, at + BATCH);
    const compressed = await compressBatch(batch.map(text), ctx);
    cache.put(batch.map((leaf, index) => [leaf.digest, compressed[index] as CompressedLeaf]));
  }
  if (missing.length > 0) ctx.report({ type: 'progress-end', id: 'compress' });
}

async function compressBatch(texts: readonly Buffer[], ctx: Context): Promise<CompressedLeaf[]> {
  const [members, blocks] = await Promise.all([
    Promise.all(texts.map((text) => gzipAsync(text, { level: GZIP_LEVEL }))),
    compressBlocks(texts, ctx),
  ]);
  return texts.map((_, index) => {
    const gz = members[index];
    const xz = blocks[index];
    if (gz === undefined || xz === undefined) throw new Error('A compressor returned fewer leaves than it was given');
    return { gz, xz };
  });
}

/**
 * One block per text. `-T2` even on one core: in threaded mode the block headers hold their sizes, and the bytes are the
 * same for any number of threads but one.
 */
async function compressBlocks(texts: readonly Buffer[], ctx: Context): Promise<CompressedLeaf['xz'][]> {
  const sizes = texts.map((text) => text.length);
  const xz = startCommand(
    'xz',
    ['-T2', '-C', 'crc64', `--lzma2=${PRESET}`, `--block-size=${Math.max(...sizes)}`, `--block-list=${sizes.join(',')}`, '-c'],
    { signal: ctx.signal },
  );
  const output: Buffer[] = [];
  xz.stdout.on('data', (chunk: Buffer) => output.push(chunk));
  xz.stdin.on('error', () => {}); // EPIPE: the exit status tells what went wrong
  for (const text of texts) {
    if (!xz.stdin.write(text)) await Promise.race([once(xz.stdin, 'drain'), xz.ended]);
  }
  xz.stdin.end();
  await xz.ended;
  return splitXz(Buffer.concat(output));
}
