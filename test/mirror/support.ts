/** A mirror of a rig upstream with catalog, pool and locks of its own, updated in process. */
import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { ExecutionContext } from 'ava';
import { openCatalog, type Catalog } from '../../src/catalog/catalog.ts';
import { openLocks } from '../../src/catalog/lock.ts';
import { sha256 } from '../../src/core/digest.ts';
import { ArtifactsError, type ErrorCode } from '../../src/core/errors.ts';
import type { PackageRecord } from '../../src/core/package.ts';
import { openUpstream, type UpstreamOptions as HttpOptions } from '../../src/http/upstream.ts';
import type { MirrorDefinition } from '../../src/mirror/definition.ts';
import type { UpdateOptions } from '../../src/mirror/root.ts';
import { updateMirror, type MirrorUpdate } from '../../src/mirror/update.ts';
import { openLocalPool, type Pool } from '../../src/pool/index.ts';
import { buildDeb, type Deb } from '../rig/deb.ts';
import { rigKey } from '../rig/key.ts';
import { serve, type RigServer } from '../rig/server.ts';
import { tempDir, testContext, type TempDir, type TestContext } from '../rig/temp.ts';
import { aptUpstream, signRelease, type AptUpstream, type UpstreamOptions } from '../rig/upstream.ts';

export interface Bench extends AsyncDisposable {
  readonly dir: TempDir;
  readonly upstream: AptUpstream;
  readonly server: RigServer;
  readonly catalog: Catalog;
  readonly pool: Pool;
  /** The context of the latest update. */
  readonly ctx: () => TestContext;
  /** Updates the mirror `m`. */
  update(wish?: UpdateWish): Promise<MirrorUpdate>;
  /** `name version`, sorted. Empty before the first update. */
  packages(): readonly string[];
  records(): readonly PackageRecord[];
}

export interface UpdateWish {
  readonly options?: UpdateOptions;
  readonly definition?: Partial<MirrorDefinition>;
  readonly http?: Partial<HttpOptions>;
  readonly now?: Date;
  readonly ctx?: TestContext;
}

export const HELLO = buildDeb({ name: 'hello', version: '1.0-1' });
export const WORLD = buildDeb({ name: 'world', version: '2.0-1', architecture: 'all' });

/** An upstream with two packages in `main` unless the options say otherwise, served, and nothing mirrored yet. */
export async function openBench(options: Partial<UpstreamOptions> = {}): Promise<Bench> {
  const dir = await tempDir();
  const upstream = await aptUpstream({ components: { main: [HELLO, WORLD] }, ...options });
  const server = await serve(upstream.files);
  const catalog = openCatalog(dir.join('catalog.db'));
  const pool = openLocalPool(dir.join('pool'));
  const locks = openLocks(dir.join('locks'), 'test');
  let ctx = testContext();
  const records = (): readonly PackageRecord[] => {
    const content = catalog.mirrors.get('m')?.content;
    return content === undefined ? [] : Array.from(catalog.contents.allMembers(content.id), (id) => catalog.records.get(id));
  };
  return {
    dir,
    upstream,
    server,
    catalog,
    pool,
    ctx: () => ctx,
    records,
    packages: () => records().map(({ name, version }) => `${name} ${version}`).sort(),
    update: ({ options: update = {}, definition = {}, http = {}, now, ctx: given } = {}) => {
      ctx = given ?? testContext();
      const clock = (): Date => now ?? new Date();
      const mirror = defineMirror({ upstream, server }, definition);
      const open = (): ReturnType<typeof openUpstream> =>
        openUpstream({ urls: mirror.urls, environment: {}, delay: 1, longestDelay: 20, now: clock, ...http });
      const source = { definition: mirror, open: async () => open() };
      return updateMirror(source, update, { catalog, pool, locks, clock, temporary: dir.join('tmp') }, ctx);
    },
    async [Symbol.asyncDispose]() {
      catalog.close();
      await server.close();
      await dir[Symbol.asyncDispose]();
    },
  };
}

function defineMirror({ upstream, server }: Pick<Bench, 'upstream' | 'server'>, changes: Partial<MirrorDefinition>): MirrorDefinition {
  const request = { distribution: 'rig', components: ['main'], architectures: ['amd64'] };
  const definition = {
    name: 'm',
    format: 'apt',
    urls: [server.url],
    request,
    keyrings: [upstream.keyring],
    fingerprints: upstream.fingerprints,
    checkValidUntil: true,
    ...changes,
  };
  const description = { distribution: definition.request.distribution, request: definition.request, filter: definition.filter ?? null };
  return { ...definition, description, inputs: sha256(JSON.stringify(description)) };
}

/**
 * The update is refused with this code in one line that matches, and leaves no trace: the state before stays, no new
 * record is known, the pool holds only whole files, and nothing lies about in the temporary folder.
 */
export async function refused(
  t: ExecutionContext,
  bench: Bench,
  { code, message, ...wish }: UpdateWish & { readonly code: ErrorCode; readonly message?: RegExp },
): Promise<ArtifactsError> {
  const before = trace(bench);
  const error = await t.throwsAsync(bench.update(wish), { instanceOf: ArtifactsError });
  if (error === undefined) throw new Error('the update was not refused');
  t.is(error.code, code, error.message);
  t.false(/[\r\n]/.test(error.message), error.message);
  if (message !== undefined) t.regex(error.message, message);
  t.deepEqual(trace(bench), before);
  t.deepEqual(wrongInPool(bench), []);
  t.false(existsSync(bench.dir.join('tmp', 'mirror-m')));
  t.deepEqual(bench.catalog.sweep.problems(), []);
  return error;
}

function trace({ catalog }: Bench): unknown {
  const { checkedAt: _checked, ...state } = { checkedAt: '', ...catalog.mirrors.get('m') };
  return { state, files: [...catalog.records.eachFile()] };
}

/** Files of the pool whose bytes are not what their names say. */
export function wrongInPool({ dir, pool }: Bench): readonly string[] {
  return [...pool.list()].map(({ sha256: name }) => pool.path(name)).filter((file) => digestOf(file) !== file.slice(-64) || !file.startsWith(dir.path));
}

/** Names of what waits in the pool to be completed. */
export function partials({ dir }: Bench): readonly string[] {
  const folder = dir.join('pool', 'incoming', 'mirror-m');
  return existsSync(folder) ? readdirSync(folder).map((name) => join(folder, name)) : [];
}

export function digestOf(file: string): string {
  return createHash('sha256').update(readFileSync(file)).digest('hex');
}

/** Signs a changed text of the upstream's Release: whatever it says, it says with authority. */
export async function signText({ upstream }: Pick<Bench, 'upstream'>, change: (text: string) => string): Promise<void> {
  const text = change(upstream.release());
  const [inline, detached] = await signRelease(text, [await rigKey()], new Date());
  upstream.files.set(`${upstream.folder}/InRelease`, inline);
  upstream.files.set(`${upstream.folder}/Release`, Buffer.from(text));
  upstream.files.set(`${upstream.folder}/Release.gpg`, detached);
}

/** Publishes a Packages index of that very text. */
export async function publishPackages({ upstream }: Bench, text: string | Uint8Array): Promise<void> {
  await upstream.republish({ indices: { 'main/binary-amd64/Packages': text } });
}

/** A stanza for a package that lies at `path` of the upstream. */
export function stanzaOf(deb: Deb, fields: Readonly<Record<string, string | undefined>> = {}): string {
  const all: Record<string, string | undefined> = {
    Package: deb.name,
    Version: deb.version,
    Architecture: deb.architecture,
    Filename: pathOf(deb),
    Size: String(deb.bytes.length),
    SHA256: deb.sha256,
    ...fields,
  };
  return Object.entries(all).flatMap(([name, value]) => (value === undefined ? [] : [`${name}: ${value}\n`])).join('');
}

/** Where the rig puts a package of `main`. */
export function pathOf(deb: Deb): string {
  return `pool/main/${deb.name[0]}/${deb.name}/${deb.fileName}`;
}

/** How often each path that ends so was asked for. */
export function asked(server: RigServer, suffix: string): number {
  return server.paths().filter((path) => path.endsWith(suffix)).length;
}
