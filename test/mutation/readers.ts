/** The real readers, each fed with one input: what they throw is the outcome. */
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { openCatalog } from '../../src/catalog/catalog.ts';
import { openLocks } from '../../src/catalog/lock.ts';
import { isArtifactsError } from '../../src/core/errors.ts';
import { parseSha256 } from '../../src/core/digest.ts';
import { formatOf } from '../../src/formats/index.ts';
import type { UpstreamIndex, UpstreamPackage } from '../../src/formats/format.ts';
import { readIndex } from '../../src/mirror/indexes.ts';
import { openLocalPool } from '../../src/pool/index.ts';
import { addFiles, type RepoTools } from '../../src/repo/add.ts';
import { includeUploads } from '../../src/repo/include.ts';
import { parseClearsigned } from '../../src/sign/clearsigned.ts';
import { verifyClearsigned, verifyDetached } from '../../src/sign/verify.ts';
import { tarPaths } from '../../src/util/tar-paths.ts';
import { INRELEASE, PUBLIC_KEY, UPLOADED, type Input, type Kind, type Packing } from './corpus.ts';
import { below, type Random } from './mutators.ts';

/** Reads an input to its end. Throws what the reader throws. */
export type Readers = (input: Input, random: Random) => Promise<void>;

const format = formatOf('apt');
const NOW = new Date('2026-02-01T00:00:00Z');
const REQUEST = { distribution: 'rig', components: ['main'], architectures: ['amd64'], kinds: ['source', 'udeb'], files: ['*/i18n/*', '*Contents*'] };
const context = { signal: new AbortController().signal, report: () => {} };

/** Opens readers that keep what they need in an empty folder of their own. */
export function openReaders(folder: string): Readers {
  const tools = openRepoTools(folder);
  const incoming = join(folder, 'incoming');
  const addAs = async (name: string, bytes: Buffer): Promise<void> => {
    writeFileSync(join(incoming, name), bytes);
    try {
      await addFiles({ repo: 'r', paths: [join(incoming, name)], replace: true, removeFiles: false }, tools, context);
    } finally {
      rmSync(join(incoming, name));
    }
  };
  mkdirSync(incoming, { recursive: true });
  for (const [name, bytes] of UPLOADED) writeFileSync(join(incoming, name), bytes);
  const kinds: Readonly<Record<Kind, (input: Input, random: Random) => Promise<void>>> = {
    packages: ({ bytes }, random) => walk(format.upstream.readIndex(indexOf('packages'), inPieces(bytes, random))),
    udebs: ({ bytes }, random) => walk(format.upstream.readIndex(indexOf('udebs'), inPieces(bytes, random))),
    sources: ({ bytes }, random) => walk(format.upstream.readIndex(indexOf('sources'), inPieces(bytes, random))),
    packed: ({ bytes, packing }) => walk(readPacked(bytes, packing, folder)),
    release: async ({ bytes }) => readRelease(bytes),
    inrelease: async ({ bytes }) => {
      readRelease((await verifyClearsigned(bytes, { name: 'InRelease', keyrings: [PUBLIC_KEY], fingerprints: [], now: NOW })).text);
    },
    signature: async ({ bytes }) => void (await verifyDetached(SIGNED, bytes, { name: 'InRelease', keyrings: [PUBLIC_KEY], fingerprints: [], now: NOW })),
    keyring: async ({ bytes }) => void (await verifyClearsigned(INRELEASE, { name: 'InRelease', keyrings: [bytes], fingerprints: [], now: NOW })),
    deb: ({ bytes }) => addAs('x.deb', bytes),
    'data-tar': async ({ bytes }, random) => {
      for await (const path of tarPaths(inPieces(bytes, random))) if (path === '') throw new Error('an empty path');
    },
    dsc: ({ bytes }) => addAs('x.dsc', bytes),
    changes: async ({ bytes }) => {
      const path = join(incoming, 'x.changes');
      writeFileSync(path, bytes);
      await includeUploads({ ...INCLUDE, paths: [path] }, tools, context);
    },
  };
  return (input, random) => kinds[input.kind](input, random);
}

/** What the signature of the InRelease covers (RFC 9580, 7.1). */
const SIGNED = Buffer.from(parseClearsigned(INRELEASE, 'InRelease').text.toString().replaceAll('\n', '\r\n'));
const INCLUDE = { repo: 'r', keyrings: [], fingerprints: [], acceptUnsigned: true, uploaders: undefined, replace: true, removeFiles: false };

function openRepoTools(folder: string): RepoTools {
  return {
    catalog: openCatalog(join(folder, 'catalog.db')),
    pool: openLocalPool(join(folder, 'pool')),
    locks: openLocks(join(folder, 'locks'), 'mutation'),
    clock: () => NOW,
    declared: [{ name: 'r', comment: '', format: 'apt' }],
    change: (_ctx, work) => work(),
  };
}

function readRelease(bytes: Buffer): void {
  const problems = [() => format.upstream.readRoot(bytes, REQUEST), () => format.publishing.readServed(bytes, { root: '' })].map((read) => {
    try {
      return void read();
    } catch (error) {
      return error;
    }
  });
  const worst = problems.find((problem) => problem !== undefined && !isArtifactsError(problem)) ?? problems[0];
  if (worst !== undefined) throw worst;
}

/** Every package as queries, closures and publishing look at it. Relations may be refused by name. */
async function walk(batches: AsyncIterable<readonly UpstreamPackage[]>): Promise<void> {
  let before = '1.0-1';
  for await (const batch of batches) {
    for (const { record, locations } of batch) {
      const subject = format.subject(record);
      format.publishing.poolPaths(record);
      format.compareVersions(before, record.version);
      before = record.version;
      if (locations.some((location) => location.includes('..') && location.split('/').includes('..'))) throw new Error(`left its folder: ${locations.join()}`);
      void [subject.source, subject.multiArch, subject.field('Tag')];
      allowed(() => subject.capabilities);
      allowed(() => subject.requirements({ recommends: true, suggests: true, source: true }));
    }
  }
}

function allowed(read: () => unknown): void {
  try {
    read();
  } catch (error) {
    if (!isArtifactsError(error, 'E_FORMAT')) throw error;
  }
}

const DIGEST = parseSha256('0'.repeat(64));

function indexOf(kind: string): UpstreamIndex {
  if (DIGEST === undefined) throw new Error('no digest');
  return { name: `main/${kind}`, kind, offers: [], plain: { size: 64 * 1024 * 1024, sha256: DIGEST } };
}

/** By way of a file and of whatever unpacks it, as a mirror does. */
function readPacked(bytes: Buffer, compression: Packing, folder: string): AsyncIterable<readonly UpstreamPackage[]> {
  const index = indexOf('packages');
  const offers = DIGEST === undefined ? [] : [{ paths: ['index'], compression, size: bytes.length, sha256: DIGEST }];
  const download = async ({ file }: { readonly file: string }): Promise<void> => writeFileSync(file, bytes);
  const upstream = { download } as unknown as Parameters<typeof readIndex>[1]['upstream'];
  return readIndex({ ...index, offers }, { upstream, format: format.upstream, folder }, context);
}

/** Cut at random places, as a network does. */
async function* inPieces(bytes: Buffer, random: Random): AsyncGenerator<Buffer> {
  for (let at = 0; at < bytes.length; ) {
    const size = 1 + below(random, random() < 0.1 ? 16 : 256 * 1024);
    yield Buffer.from(bytes.subarray(at, at + size));
    at += size;
  }
}
