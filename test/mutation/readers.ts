/** The real readers, each fed with one input: what they throw is the outcome. */
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { openCatalog } from '../../src/catalog/catalog.ts';
import { openLocks } from '../../src/catalog/lock.ts';
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
import type { Random } from './mutators.ts';
import { inPieces, walk, worstOf } from './read-all.ts';
import { readSignatures, RPM_READERS } from './rpm-readers.ts';

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
  const addAs = async (name: string, bytes: Buffer, repo = 'r'): Promise<void> => {
    writeFileSync(join(incoming, name), bytes);
    try {
      await addFiles({ repo, paths: [join(incoming, name)], replace: true, removeFiles: false }, tools, context);
    } finally {
      rmSync(join(incoming, name));
    }
  };
  mkdirSync(incoming, { recursive: true });
  for (const [name, bytes] of UPLOADED) writeFileSync(join(incoming, name), bytes);
  const kinds: Readonly<Record<Kind, (input: Input, random: Random) => Promise<void>>> = {
    packages: ({ bytes }, random) => walk(format, format.upstream.readIndex(indexOf('packages'), inPieces(bytes, random))),
    udebs: ({ bytes }, random) => walk(format, format.upstream.readIndex(indexOf('udebs'), inPieces(bytes, random))),
    sources: ({ bytes }, random) => walk(format, format.upstream.readIndex(indexOf('sources'), inPieces(bytes, random))),
    packed: ({ bytes, packing }) => walk(format, readPacked(bytes, packing, folder)),
    release: ({ bytes }) => readRelease(bytes),
    inrelease: async ({ bytes }) => {
      await readRelease((await verifyClearsigned(bytes, { name: 'InRelease', keyrings: [PUBLIC_KEY], fingerprints: [], now: NOW })).text);
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
    rpm: async ({ bytes }) => {
      await addAs('x.rpm', bytes, 'rpms');
      readSignatures(bytes);
    },
    ...rpmReaders(),
  };
  return (input, random) => kinds[input.kind](input, random);
}

function rpmReaders(): Readonly<Record<keyof typeof RPM_READERS, (input: Input, random: Random) => Promise<void>>> {
  const readers = Object.entries(RPM_READERS).map(([kind, read]) => [kind, ({ bytes }: Input, random: Random) => read(bytes, random)] as const);
  return Object.fromEntries(readers) as Record<keyof typeof RPM_READERS, (input: Input, random: Random) => Promise<void>>;
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
    declared: [{ name: 'r', comment: '', format: 'apt' }, { name: 'rpms', comment: '', format: 'rpm' }],
    change: (_ctx, work) => work(),
  };
}

function readRelease(bytes: Buffer): Promise<void> {
  return worstOf([() => format.upstream.readRoot(bytes, REQUEST), () => format.publishing.readServed(bytes, { root: '' })]);
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
