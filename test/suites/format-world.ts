/** Catalog, pool, keys and a published tree of their own, and the domain's verbs over them: what the rules of formats are tried in. */
import { mkdir, writeFile } from 'node:fs/promises';
import type { Publication } from '../../src/catalog/publications.ts';
import { openCatalog, type Catalog } from '../../src/catalog/catalog.ts';
import { openLeafCache } from '../../src/catalog/leaf-cache.ts';
import { openLocks } from '../../src/catalog/lock.ts';
import { sha256 } from '../../src/core/digest.ts';
import type { PackageRecord } from '../../src/core/package.ts';
import type { Content, Snapshot } from '../../src/core/snapshot.ts';
import { openUpstream } from '../../src/http/upstream.ts';
import type { MirrorDefinition } from '../../src/mirror/definition.ts';
import { openListed } from '../../src/mirror/listed-upstream.ts';
import type { UpdateOptions } from '../../src/mirror/root.ts';
import { updateMirror, type MirrorUpdate } from '../../src/mirror/update.ts';
import { openLocalPool, type Pool } from '../../src/pool/index.ts';
import { fileChecker } from '../../src/publish/check-file.ts';
import { publish, type Published, type PublishRequest } from '../../src/publish/publish.ts';
import { verifyPublication, type Verification } from '../../src/publish/verify.ts';
import type { RepoTools } from '../../src/repo/add.ts';
import { openSigner, type Signer } from '../../src/sign/signer.ts';
import { createSnapshot } from '../../src/snapshot/snapshots.ts';
import { rigKey } from '../rig/key.ts';
import { serve, type RigServer } from '../rig/server.ts';
import { tempDir, testContext, type TempDir, type TestContext } from '../rig/temp.ts';
import type { FormatRig, RigFile, RigUpstream } from './format-rig.ts';

export const PREFIX = 'some-mirror/integrated';
export const DISTRIBUTION = 'r1.0.0-rig';
const HOUR = 3600_000;

export interface World<File extends RigFile> extends AsyncDisposable {
  readonly dir: TempDir;
  readonly catalog: Catalog;
  readonly pool: Pool;
  readonly signer: Signer;
  readonly publicRoot: string;
  /** Serves the published tree. */
  readonly published: RigServer;
  readonly repoTools: RepoTools;
  now(): Date;
  pass(hours: number): void;
  /** An upstream as of an hour ago, signed by the rig's key `upstream`. */
  upstream(options: Partial<Parameters<FormatRig<File>['upstream']>[1]>): Promise<RigUpstream>;
  mirror(name: string, from: RigServer, wish?: MirrorWish): Promise<MirrorUpdate>;
  /** What the last mirror update told. */
  told(): TestContext;
  content(mirror: string): Content;
  freeze(mirror: string, name?: string): Snapshot;
  /** Mirrors an upstream of these and freezes it under the name. */
  frozen(name: string, options: Partial<Parameters<FormatRig<File>['upstream']>[1]>): Promise<Snapshot>;
  records(content: Content): readonly PackageRecord[];
  /** `name version architecture` of all packages, sorted. */
  packages(content: Content): readonly string[];
  publish(snapshot: Snapshot, wish?: Partial<PublishRequest>, ctx?: TestContext): Promise<Published>;
  verify(publication: Publication): Promise<Verification>;
}

export interface MirrorWish {
  readonly definition?: Partial<MirrorDefinition>;
  readonly options?: UpdateOptions;
}

export async function openWorld<File extends RigFile>(rig: FormatRig<File>): Promise<World<File>> {
  const dir = await tempDir();
  let now = Math.floor(Date.now() / 1000) * 1000;
  const clock = (): Date => new Date(now);
  const catalog = openCatalog(dir.join('catalog.db'));
  const pool = openLocalPool(dir.join('pool'));
  const cache = openLeafCache(dir.join('cache.db'));
  const locks = openLocks(dir.join('locks'), 'test');
  const publicRoot = dir.join('public');
  await mkdir(publicRoot);
  await writeFile(dir.join('key.asc'), (await rigKey('site')).secretKey, { mode: 0o600 });
  const signer = await openSigner([{ kind: 'file', path: dir.join('key.asc') }], clock);
  const published = await serve(publicRoot);
  let told = testContext();
  const tools = { catalog, pool, cache, publicRoot, clock, keep: { generations: 2, milliseconds: 24 * HOUR } };
  const records = (content: Content): readonly PackageRecord[] => Array.from(catalog.contents.allMembers(content.id), (id) => catalog.records.get(id));

  const world: World<File> = {
    dir,
    catalog,
    pool,
    signer,
    publicRoot,
    published,
    repoTools: { catalog, pool, locks, clock, declared: [{ name: 'own', comment: '', format: rig.format.id }], change: (_ctx, work) => work() },
    now: clock,
    pass: (hours) => void (now += hours * HOUR),
    upstream: async (options) => rig.upstream(dir, { packages: [], date: new Date(now - HOUR), key: await rigKey('upstream'), ...options }),
    mirror: async (name, from, { definition = {}, options = {} } = {}) => {
      told = testContext();
      const mirror = await defineMirror(rig, { name, url: from.url, definition });
      const http = { environment: {}, delay: 1, longestDelay: 20, retries: 1, now: clock };
      const open = mirror.listUrl === undefined ? async () => openUpstream({ urls: mirror.urls, ...http }) : () => openListed(mirror, mirror.listUrl ?? '', http, told);
      return updateMirror({ definition: mirror, open }, options, { catalog, pool, locks, clock, temporary: dir.join('tmp') }, told);
    },
    told: () => told,
    content: (mirror) => catalog.mirrors.get(mirror)?.content ?? catalog.contents.storeMembers([]),
    freeze: (mirror, name = mirror) => catalog.transaction(() => createSnapshot(catalog, { name, format: rig.format.id, content: world.content(mirror), origin: { kind: 'mirror', mirror }, now: clock() })),
    frozen: async (name, options) => {
      await using server = await serve(await world.upstream(options));
      await world.mirror(name, server);
      return world.freeze(name);
    },
    records,
    packages: (content) => records(content).filter(({ partition }) => partition !== rig.format.publishing.listed.partition).map(({ name, version, architecture }) => `${name} ${version} ${architecture}`).sort(),
    publish: (snapshot, wish = {}, ctx = testContext()) =>
      publish({ prefix: PREFIX, distribution: DISTRIBUTION, components: new Map([['main', snapshot]]), origin: 'Rig', label: 'Rig', architectures: [rig.architectures.own], ...wish }, signer, tools, ctx),
    verify: (publication) => verifyPublication(publication, { catalog, publicRoot, now: clock(), check: fileChecker({ hash: true }), unpack: true }, testContext()),
    [Symbol.asyncDispose]: async () => {
      catalog.close();
      cache.close();
      await published.close();
      await dir[Symbol.asyncDispose]();
    },
  };
  return world;
}

async function defineMirror({ format, request }: FormatRig, { name, url, definition }: { readonly name: string; readonly url: string; readonly definition: Partial<MirrorDefinition> }): Promise<MirrorDefinition> {
  const key = await rigKey('upstream');
  const mirror = { name, format: format.id, urls: [url], request, keyrings: [key.publicKey], fingerprints: [key.fingerprint], checkValidUntil: true, ...definition };
  const description = { distribution: mirror.request.distribution, request: mirror.request, filter: mirror.filter ?? null, newest: mirror.newest ?? null };
  return { ...mirror, description, inputs: sha256(JSON.stringify(description)) };
}
