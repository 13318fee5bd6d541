/** Indexes: fetched in the best form on offer, unpacked and read, every byte checked on the way. */
import { createHash } from 'node:crypto';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { KnownIndex } from '../catalog/mirrors.ts';
import type { Context } from '../core/context.ts';
import { EMPTY_SHA256, sha256, type Sha256 } from '../core/digest.ts';
import { ArtifactsError } from '../core/errors.ts';
import type { IndexOffer, ListedDigest, UpstreamFormat, UpstreamIndex, UpstreamPackage } from '../formats/format.ts';
import { METADATA_LIMIT, PLAIN_LIMIT } from '../http/limits.ts';
import { isAbsentError, type Expectation, type Upstream } from '../http/upstream.ts';
import { exitStatusOf } from '../util/run-command.ts';
import { unpackFile } from '../util/unpack.ts';
import type { Candidate } from './spool.ts';

/** What one index contributes: packages just read, or the number of a content that is known to hold them. */
export type IndexPackages =
  | { readonly index: UpstreamIndex; readonly candidates: readonly Candidate[] }
  | { readonly index: UpstreamIndex; readonly known: KnownIndex };

/** Files that the root metadata vouches for itself take the place of an index that was read. */
export const ROOT_FILES: UpstreamIndex = { name: 'the root metadata', kind: 'file', offers: [], plain: { size: 0, sha256: EMPTY_SHA256 } };

export interface IndexTools {
  readonly upstream: Upstream;
  readonly format: UpstreamFormat;
  /** A folder for the fetched file, ours alone. */
  readonly folder: string;
}

/** Reads an index; packages come in batches. Throws E_FETCH, E_HASH, E_SIZE, E_FORMAT or E_PATH. */
export async function* readIndex(index: UpstreamIndex, tools: IndexTools, ctx: Context): AsyncGenerator<readonly UpstreamPackage[]> {
  const all = [index, ...(index.companions ?? [])];
  const files = all.map((_, number) => join(tools.folder, `index-${number}`));
  try {
    const plain: AsyncIterable<Buffer>[] = [];
    for (const [number, document] of all.entries()) {
      const file = files[number] ?? '';
      const offer = await fetchOffer(document, { upstream: tools.upstream, file }, ctx);
      plain.push(plainBytes(document, { file, offer }, ctx));
    }
    const [chunks, ...companions] = plain;
    if (chunks !== undefined) yield* tools.format.readIndex(index, chunks, companions);
  } finally {
    for (const file of files) await rm(file, { force: true });
  }
}

/** What tells an index from another: whether it is the one that was read before depends on all that is read for it. */
export function indexDigest({ companions = [], ...index }: UpstreamIndex): Sha256 {
  if (companions.length === 0) return documentDigest(index);
  return sha256([index, ...companions].map(documentDigest).join(' '));
}

function documentDigest({ name, plain, offers: [offer] }: UpstreamIndex): Sha256 {
  const digest = plain?.sha256 ?? offer?.sha256;
  if (digest === undefined) throw new Error(`${name} is offered in no form`);
  return digest;
}

/** Unpacked and checked on the way. */
async function* plainBytes(
  index: UpstreamIndex,
  { file, offer }: { readonly file: string; readonly offer: IndexOffer },
  ctx: Context,
): AsyncGenerator<Buffer> {
  try {
    yield* checked(index, unpackFile(file, offer.compression, ctx.signal));
  } catch (error) {
    ctx.signal.throwIfAborted();
    throw unpackError(index, error) ?? error;
  }
}

/** The plain bytes of a small file that the root metadata lists. Throws like `readIndex`, E_TOO_LARGE beyond the limit. */
export async function readListed(
  index: UpstreamIndex,
  { upstream, folder, limit }: Omit<IndexTools, 'format'> & { readonly limit: number },
  ctx: Context,
): Promise<Buffer> {
  const listed = index.plain?.size ?? 0;
  if (listed > limit) throw tooLarge(`${index.name} has ${listed} bytes`, limit);
  const file = join(folder, 'index');
  const offer = await fetchOffer(index, { upstream, file }, ctx);
  try {
    const chunks: Buffer[] = [];
    for await (const chunk of checked(index, unpackFile(file, offer.compression, ctx.signal), limit)) chunks.push(chunk);
    return Buffer.concat(chunks);
  } catch (error) {
    ctx.signal.throwIfAborted();
    throw unpackError(index, error) ?? error;
  } finally {
    await rm(file, { force: true });
  }
}

/** The first offer that is there. A path by digest cannot be overtaken by a newer index, so it is tried first. */
async function fetchOffer(
  index: UpstreamIndex,
  { upstream, file }: { readonly upstream: Upstream; readonly file: string },
  ctx: Context,
): Promise<IndexOffer> {
  let missing: unknown;
  for (const offer of index.offers) {
    const from = offer.base === undefined ? upstream : upstream.elsewhere(offer.base);
    for (const path of offer.paths) {
      await rm(file, { force: true });
      try {
        await from.download({ path, file, ...expected(offer) }, ctx);
        return offer;
      } catch (error) {
        if (!isAbsentError(error)) throw error;
        missing = error;
      }
    }
  }
  throw missing;
}

/** What a download is to be compared with. */
function expected({ size, sha256, other }: ListedDigest): Expectation {
  return { ...(size === undefined ? { limit: METADATA_LIMIT } : { size }), ...(other === undefined ? { sha256 } : { other }) };
}

/** Plain bytes, and what is told of them. */
export interface PlainListed {
  readonly name: string;
  readonly plain?: Partial<ListedDigest>;
}

/** Passes the plain bytes on while they agree with what the root metadata lists: a bomb ends at the listed size, or at the limit. */
export async function* checked({ name, plain = {} }: PlainListed, source: AsyncIterable<Buffer>, limit = PLAIN_LIMIT): AsyncGenerator<Buffer> {
  const { size: listedSize, sha256: listed, other } = plain;
  const hash = createHash(other?.algorithm ?? 'sha256');
  let size = 0;
  for await (const chunk of source) {
    size += chunk.length;
    if (listedSize === undefined ? size > limit : size > listedSize) {
      throw listedSize === undefined ? tooLarge(name, limit) : new ArtifactsError('E_SIZE', `${name} unpacks to more than the ${listedSize} bytes listed`);
    }
    hash.update(chunk);
    yield chunk;
  }
  if (listedSize !== undefined && size !== listedSize) {
    throw new ArtifactsError('E_SIZE', `${name} unpacks to ${size} bytes, ${listedSize} are listed`);
  }
  const digest = other?.hex ?? listed;
  if (digest !== undefined && hash.digest('hex') !== digest) {
    throw new ArtifactsError('E_HASH', `${name} unpacks to other bytes than the root metadata lists`);
  }
}

function tooLarge(what: string, limit: number): ArtifactsError {
  return new ArtifactsError('E_TOO_LARGE', `${what}: more than the limit of ${limit} bytes`, { hint: 'Check that the URL is that of a repository.' });
}

/** The listed bytes came and are damaged all the same: what zlib or the tool that unpacks says, as our error. */
export function unpackError(index: Pick<UpstreamIndex, 'name'>, error: unknown): ArtifactsError | undefined {
  if (!(error instanceof Error)) return undefined;
  const byZlib = 'code' in error && String(error.code).startsWith('Z_');
  if (exitStatusOf(error) === undefined && !byZlib) return undefined;
  return new ArtifactsError('E_FORMAT', `${index.name} cannot be unpacked: ${error.message}`, { cause: error });
}
