/**
 * All wheels of a release for one distribution. In this order: what is pinned to a git commit is built; what is certain to
 * be needed is built in parallel; pip chooses the versions of the rest; what of that is source is built as well. Each
 * build has a sandbox of its own, so that none can touch another's result.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import PQueue from 'p-queue';
import type { Context } from '../../core/context.ts';
import { sha256, type Sha256 } from '../../core/digest.ts';
import { ArtifactsError, isArtifactsError } from '../../core/errors.ts';
import { redact } from '../../http/redact.ts';
import type { MakeRequest } from '../kind.ts';
import { buildWheel, checkWheels, type Build, type BuildTools } from './build-wheel.ts';
import { openIndexProxy, type IndexProxy, type LocalWheel, type Offer } from './index-proxy.ts';
import type { PageFile } from './index-page.ts';
import { matches, openIndexes, type FetchedFile, type Indexes, type PackageIndex } from './indexes.ts';
import { CACHE } from './kept.ts';
import { comparableVersion, normalizeName, parseFileName } from './names.ts';
import { certainPins, layerConstraints, parseRequirements, requirementLines, type Requirement } from './requirements.ts';
import { lines, resolve, type Chosen } from './resolve.ts';
import type { PythonSpec } from './spec.ts';
import { buildKey, openWheelStore, type StoredWheel, type WheelStore } from './wheel-store.ts';
import type { Workbench } from './workbench.ts';

/** Where a wheel came from. */
export type WheelOrigin =
  | { readonly kind: 'index'; readonly fetched: FetchedFile }
  | { readonly kind: 'archive'; readonly fetched: FetchedFile }
  | { readonly kind: 'git'; readonly repository: string; readonly commit: string };

export interface ReleasedWheel extends StoredWheel {
  readonly origin: WheelOrigin;
}

export interface Wheels {
  /** Sorted by name. */
  readonly wheels: readonly ReleasedWheel[];
  readonly requirements: readonly string[];
  readonly constraints: readonly string[];
  readonly indexes: readonly PackageIndex[];
  /** How many of them were built now. */
  readonly built: number;
}

/** Makes, or finds, every wheel that is needed. */
export async function makeWheels(wanted: PythonSpec, bench: Workbench, request: MakeRequest, ctx: Context): Promise<Wheels> {
  const { workshop } = request;
  const fallback = await findFallback(wanted);
  const spec = { ...wanted, indexes: [...wanted.indexes, ...fallback.found] };
  const temporary = mkdtempSync(join(workshop.temporary, 'wheels-'));
  const [cache, cacheBelow] = [workshop.cache(CACHE), workshop.cacheBelow(CACHE)];
  const store = openWheelStore(cache, cacheBelow);
  await using indexes = openIndexes({ indexes: spec.indexes, cache, cacheBelow, environment: workshop.environment, lacking: fallback.lacking });
  const socket = join(temporary, 'index');
  const built = (name: string, archive: PageFile): LocalWheel | undefined => {
    const found = store.find(archiveKey(name, archive.sha256, { spec, bench }));
    return found === undefined ? undefined : local(found);
  };
  const sourceOnly = (name: string): boolean => spec.noBinary.some((pattern) => matches(pattern, name));
  try {
    await using proxy = await openIndexProxy({ socket, indexes, sourceOnly, built }, ctx);
    writeFileSync(join(temporary, 'build-constraints.txt'), lines(spec.buildConstraints));
    const tools: BuildTools = {
      bench,
      store,
      temporary,
      index: (user) => ({ socket, path: proxy.pathFor(user) }),
      fetched: (user) => proxy.fetched(user),
      isolation: spec.isolation,
      buildConstraints: join(temporary, 'build-constraints.txt'),
    };
    return await new Maker({ spec, bench, request, indexes, proxy, store, tools, socket, temporary }).make(ctx);
  } finally {
    rmSync(temporary, { recursive: true, force: true });
  }
}

/** A machine without pip has no index to fall back to, and where all comes from git it needs none. */
async function findFallback({ fallbackIndex }: PythonSpec): Promise<{ readonly found: readonly PackageIndex[]; readonly lacking?: unknown }> {
  if (fallbackIndex === undefined) return { found: [] };
  try {
    return { found: [await fallbackIndex()] };
  } catch (error) {
    if (!isArtifactsError(error, 'E_CONFIG')) throw error;
    return { found: [], lacking: error };
  }
}

interface MakerOptions {
  readonly spec: PythonSpec;
  readonly bench: Workbench;
  readonly request: MakeRequest;
  readonly indexes: Indexes;
  readonly proxy: IndexProxy;
  readonly store: WheelStore;
  readonly tools: BuildTools;
  readonly socket: string;
  readonly temporary: string;
}

/** The steps, with what they share. */
class Maker {
  readonly #options: MakerOptions;
  #built = 0;

  constructor(options: MakerOptions) {
    this.#options = options;
  }

  async make(ctx: Context): Promise<Wheels> {
    const { spec, bench, proxy, store, socket, temporary } = this.#options;
    const given = readLines(spec);
    const fromGit = await this.#buildGit(ctx);
    const git = new Map([...fromGit].map(([name, { facts, origin }]) => [name, { version: facts.version, commit: origin.commit }]));
    const constraints = layerConstraints({ git, overrides: given.overrides, upper: given.constraints });
    const wanted = [...given.requirements, ...[...git.keys()].map((name) => ({ name, text: name, pinned: undefined, conditional: false }))];
    const requirements = requirementLines(wanted);
    await this.#buildCertain(certainPins(wanted, constraints), ctx);
    ctx.report({ type: 'phase', subject: spec.distro, text: `choosing the versions of ${requirements.length} requirements` });
    const chosen = await resolve({ requirements, constraints, bench, proxy, socket, temporary, log: store.log(`resolve-${spec.distro}`) }, ctx);
    const archives = await this.#buildChosen(chosen.filter(({ name }) => !git.has(name)), ctx);
    const taken = await this.#take(chosen.filter(({ name }) => !git.has(name) && !archives.has(name)), ctx);
    const wheels = chosen.flatMap(({ name }) => fromGit.get(name) ?? archives.get(name) ?? taken.get(name) ?? []);
    return { wheels, requirements, constraints, indexes: spec.indexes, built: this.#built };
  }

  async #build(build: Build, ctx: Context): Promise<StoredWheel> {
    const { wheel, reused } = await buildWheel(build, this.#options.tools, ctx).catch((error: unknown) => {
      throw this.#options.proxy.failure() ?? error;
    });
    if (!reused) this.#built += 1;
    for (const notice of reused ? [] : wheel.facts.notices) ctx.report({ type: 'warning', message: `${wheel.facts.file}: ${notice}` });
    return wheel;
  }

  async #buildGit(outer: Context): Promise<ReadonlyMap<string, StoredWheel & { readonly origin: WheelOrigin & { readonly kind: 'git' } }>> {
    const { spec, bench, request, proxy } = this.#options;
    const built = await inParallel(spec.git, outer, async ({ name, subdirectory }, ctx) => {
      const artifact = request.needed.get(`git ${name}`);
      const tarball = artifact?.files.find(({ path }) => path.endsWith(`/${name}.tgz`));
      const commit = artifact?.facts['commit'];
      if (tarball === undefined || typeof commit !== 'string') throw new ArtifactsError('E_NOT_FOUND', `The release has no git archive "${name}"`);
      const decides = { ...buildInputs({ spec, bench }), commit, repository: name, subdirectory: subdirectory ?? null };
      const user = `git-${name.toLowerCase().replace(/[^a-z0-9]+/g, '-')}${subdirectory === undefined ? '' : `-${sha256(subdirectory).slice(0, 8)}`}`;
      const build = { key: buildKey(decides), title: `${name} at ${commit.slice(0, 12)}`, user, source: request.pathOf(tarball.sha256), sourceName: `${name}.tgz`, expected: undefined, git: { subdirectory } };
      return { ...(await this.#build(build, ctx)), origin: { kind: 'git', repository: name, commit } as const };
    });
    for (const wheel of built) proxy.provide(wheel.facts.name, local(wheel));
    return new Map(built.map((wheel) => [wheel.facts.name, wheel]));
  }

  /** Waiting for pip to choose what is certain anyway would leave all but one processor idle. */
  async #buildCertain(pins: ReadonlyMap<string, string>, outer: Context): Promise<void> {
    await inParallel([...pins], outer, async ([name, version], ctx) => {
      const offers = await this.#options.proxy.offered(name, ctx);
      const same = offers.filter(({ page }) => comparableVersion(parseFileName(page.file, name)?.version ?? '') === comparableVersion(version));
      const [only] = same;
      if (same.length !== 1 || only === undefined || only.local !== undefined || only.page.file.endsWith('.whl')) return;
      await this.#buildArchive({ name, version, offer: only }, ctx);
    });
  }

  /** The archives among what was chosen, by name; those that were built are found again by their key. */
  async #buildChosen(chosen: readonly Chosen[], outer: Context): Promise<ReadonlyMap<string, ReleasedWheel>> {
    const { spec, bench, store } = this.#options;
    const made = await inParallel(chosen, outer, async (choice, ctx): Promise<ReleasedWheel | undefined> => {
      const archive = await this.#archiveOf(choice, ctx);
      if (archive === undefined) return undefined;
      const wheel = store.find(archiveKey(choice.name, archive.sha256, { spec, bench })) ?? (await this.#buildArchive(choice, ctx));
      const fetched = { name: choice.name, file: archive.file, url: redact(archive.url), sha256: archive.sha256 };
      return { ...wheel, origin: { kind: 'archive', fetched } };
    });
    return new Map(made.filter((wheel) => wheel !== undefined).map((wheel) => [wheel.facts.name, wheel]));
  }

  /** The archive a choice is, or was built from; undefined for a wheel of the index. */
  async #archiveOf({ name, offer }: Chosen, ctx: Context): Promise<PageFile | undefined> {
    if (offer.local === undefined) return offer.page.file.endsWith('.whl') ? undefined : offer.page;
    const { spec, bench, store, indexes } = this.#options;
    const files = await indexes.files(name, ctx);
    return files.find((file) => store.find(archiveKey(name, file.sha256, { spec, bench }))?.facts.sha256 === offer.local?.sha256);
  }

  async #buildArchive({ name, version, offer }: Chosen, ctx: Context): Promise<StoredWheel> {
    const { spec, bench, indexes } = this.#options;
    const source = await indexes.fetch(name, offer.page, ctx);
    const user = `${name}-${version.toLowerCase().replace(/[^a-z0-9]+/g, '-')}`;
    const key = archiveKey(name, offer.page.sha256, { spec, bench });
    return this.#build({ key, title: `${name} ${version}`, user, source, sourceName: offer.page.file, expected: { name, version } }, ctx);
  }

  /** Wheels of the indexes stay as they are, byte for byte; each is checked once for a build root. */
  async #take(chosen: readonly Chosen[], ctx: Context): Promise<ReadonlyMap<string, ReleasedWheel>> {
    const { bench, store, indexes, temporary } = this.#options;
    const keyOf = ({ page }: Offer): Sha256 => buildKey({ wheel: page.sha256, file: page.file, root: bench.root.digest });
    const missing = chosen.filter(({ offer }) => store.find(keyOf(offer)) === undefined);
    const paths = new Map<string, string>();
    for (const { name, offer } of missing) paths.set(offer.page.file, await indexes.fetch(name, offer.page, ctx));
    for (const facts of await checkWheels({ paths, bench, temporary }, ctx)) {
      for (const notice of facts.notices) ctx.report({ type: 'warning', message: `${facts.file}: ${notice}` });
      const choice = missing.find(({ offer }) => offer.page.sha256 === facts.sha256);
      if (choice !== undefined) store.keep(keyOf(choice.offer), facts, paths.get(facts.file) ?? '');
    }
    return new Map(
      chosen.map(({ name, offer }) => {
        const wheel = store.find(keyOf(offer));
        if (wheel?.facts.name !== name) throw new ArtifactsError('E_FORMAT', `${offer.page.file} is no wheel of ${name}`);
        const { file, url, sha256: digest } = offer.page;
        return [name, { ...wheel, origin: { kind: 'index', fetched: { name, file, url: redact(url), sha256: digest } } }];
      }),
    );
  }
}

function readLines(spec: PythonSpec): Record<'requirements' | 'overrides' | 'constraints', readonly Requirement[]> {
  const read = (key: 'requirements' | 'overrides' | 'constraints'): readonly Requirement[] => parseRequirements(spec[key].join('\n'), key);
  const services = spec.services.flatMap(({ name, requirements }) => parseRequirements(requirements.join('\n'), `service ${name}`));
  return { requirements: [...read('requirements'), ...services], overrides: read('overrides'), constraints: read('constraints') };
}

interface Deciding {
  readonly spec: PythonSpec;
  readonly bench: Workbench;
}

/** What decides a wheel besides its source. Which versions its build tools had is recorded, not asked for again. */
function buildInputs({ spec, bench }: Deciding): Record<string, unknown> {
  const { isolation, buildConstraints, indexes } = spec;
  return {
    root: bench.root.digest,
    isolation,
    buildConstraints,
    indexes: isolation ? indexes.map(({ name, url, packages }) => ({ name, url: redact(url), packages })) : [],
  };
}

function archiveKey(name: string, digest: Sha256, deciding: Deciding): Sha256 {
  return buildKey({ ...buildInputs(deciding), name: normalizeName(name), archive: digest });
}

function local({ facts, path }: StoredWheel): LocalWheel {
  return { file: facts.file, path, sha256: facts.sha256, requiresPython: facts.requiresPython ?? undefined };
}

/** All of them, some at a time. The first failure stops the others and is thrown when nothing runs any more. */
async function inParallel<T, R>(items: readonly T[], ctx: Context, work: (item: T, ctx: Context) => Promise<R>): Promise<R[]> {
  const queue = new PQueue({ concurrency: availableParallelism() });
  const stop = new AbortController();
  const inner = { ...ctx, signal: AbortSignal.any([ctx.signal, stop.signal]) };
  let failure: { readonly error: unknown } | undefined;
  const attempt = async (item: T): Promise<R> => {
    inner.signal.throwIfAborted();
    return work(item, inner);
  };
  const results = await Promise.allSettled(
    items.map((item) =>
      queue.add(() =>
        attempt(item).catch((error: unknown) => {
          failure ??= { error };
          stop.abort();
          throw error;
        }),
      ),
    ),
  );
  ctx.signal.throwIfAborted();
  if (failure !== undefined) throw failure.error;
  return results.flatMap((result) => (result.status === 'fulfilled' ? [result.value] : []));
}
