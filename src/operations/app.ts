/** What operations work with. The only place that constructs things; nothing is opened before it is asked for. */
import { readFileSync, existsSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import type { Catalog } from '../catalog/catalog.ts';
import type { LeafCache } from '../catalog/leaf-cache.ts';
import type { LockFolder } from '../catalog/lock.ts';
import type { Config, Mirror } from '../config/config.ts';
import { thisMachine, type Machine } from '../config/machine.ts';
import { clockFrom, type Clock, type Context } from '../core/context.ts';
import { ArtifactsError } from '../core/errors.ts';
import type { MirrorSource } from '../mirror/update.ts';
import type { Pool } from '../pool/index.ts';
import type { BuildTools } from '../release/making.ts';
import type { KeySource, Signer } from '../sign/signer.ts';
import { writeAudit } from './audit.ts';
import { keySources } from './key-sources.ts';

export interface Settings {
  /** The folder that holds vars/ and mappings/. */
  readonly root: string;
  /** The folder of catalog, pool and published trees. */
  readonly state: string;
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** The command line, for lock holders and the audit log. */
  readonly command: string;
}

export interface App extends AsyncDisposable {
  readonly settings: Settings;
  readonly clock: Clock;
  /** Where what clients read lies. */
  readonly publicRoot: string;
  /** For what need not outlive a run. */
  readonly temporary: string;
  config(): Promise<Config>;
  /** This machine's codename, architecture and apt sources. */
  machine(): Machine;
  /** A mirror of the configuration, ready to be updated. */
  mirror(mirror: Mirror, ctx: Context): Promise<MirrorSource>;
  catalog(): Promise<Catalog>;
  /** The catalog for reading only; an empty one in memory where there is none, so that looking creates nothing. */
  peek(): Promise<Catalog>;
  pool(): Promise<Pool>;
  cache(): Promise<LeafCache>;
  locks(): Promise<LockFolder>;
  /** Opens the signing keys. Throws E_NO_KEY when there is none that can be used. */
  signer(): Promise<Signer>;
  /** Everything a mirror update, a publication or a release build needs. */
  tools(): Promise<BuildTools>;
  /** Holds the aptly lock, puts right what an interrupted run left, and runs the work. */
  change<T>(ctx: Context, work: () => Promise<T>): Promise<T>;
  /**
   * The same over a copy of the catalog, with the real pool underneath and a key made on the spot: whatever it does
   * leaves the real state byte-identical. Its folder goes when it is disposed.
   */
  scratch(): Promise<App>;
}

export function createApp(settings: Settings): App {
  const publicRoot = resolve(settings.environment['RPC_ARTIFACTS_PUBLIC_FOLDER'] || join(settings.state, 'public'));
  return assemble(settings, {
    publicRoot,
    openPool: async () => (await import('../pool/index.ts')).openLocalPool(join(settings.state, 'pool')),
    keySources: (config) => keySources(config, [settings.state, publicRoot]),
    release: () => {},
  });
}

interface Parts {
  readonly publicRoot: string;
  readonly openPool: () => Promise<Pool>;
  readonly keySources: (config: Config) => readonly KeySource[];
  /** The state this one is a copy of; only to be read. */
  readonly stateBelow?: string;
  /** Lets go of what only this app used. */
  readonly release: () => void;
}

function assemble(settings: Settings, parts: Parts): App {
  const machine = thisMachine();
  const clock = clockFrom(settings.environment);
  const config = once(async () => (await import('../config/load.ts')).loadConfig(settings));
  const { close, ...stores } = openStores(settings, parts);
  const app: App = {
    settings,
    clock,
    publicRoot: parts.publicRoot,
    temporary: join(settings.state, 'tmp'),
    config,
    machine: () => machine,
    mirror: (mirror, ctx) => openMirror(mirror, app, ctx),
    ...stores,
    peek: async () => (existsSync(catalogFile(settings)) ? app.catalog() : (await import('../catalog/catalog.ts')).openCatalog(':memory:')),
    signer: once(async () => openSigner(parts.keySources(await config()), await config(), clock)),
    tools: () => openTools(app, parts),
    change: (ctx, work) => change(app, ctx, work),
    scratch: () => openScratch(app),
    [Symbol.asyncDispose]: async () => {
      close();
      parts.release();
    },
  };
  return app;
}

function once<T>(make: () => Promise<T>): () => Promise<T> {
  let made: Promise<T> | undefined;
  return () => (made ??= make());
}

/** What lies in the state, each opened when it is first asked for. */
function openStores(settings: Settings, parts: Parts): Pick<App, 'catalog' | 'pool' | 'cache' | 'locks'> & { readonly close: () => void } {
  const opened: { catalog?: Catalog; cache?: LeafCache } = {};
  const pool = once(parts.openPool);
  return {
    catalog: once(async () => {
      await refuseLostCatalog(settings, pool);
      return (opened.catalog = (await import('../catalog/catalog.ts')).openCatalog(catalogFile(settings)));
    }),
    pool,
    cache: once(
      async () => (opened.cache = (await import('../catalog/leaf-cache.ts')).openLeafCache(join(settings.state, 'cache.db'))),
    ),
    locks: once(async () => (await import('../catalog/lock.ts')).openLocks(join(settings.state, 'locks'), settings.command)),
    close: () => {
      opened.catalog?.close();
      opened.cache?.close();
    },
  };
}

async function openSigner(sources: readonly KeySource[], config: Config, clock: Clock): Promise<Signer> {
  if (sources.length === 0) {
    throw new ArtifactsError('E_NO_KEY', 'There is no key to sign with', {
      hint: 'Name one under signing.keys in vars/, or set GPG_PRIVATE to the path of a key file.',
    });
  }
  return (await import('../sign/signer.ts')).openSigner(sources, clock, furtherKeys(config));
}

async function openTools(app: App, { stateBelow }: Parts): Promise<BuildTools> {
  const { settings, clock, publicRoot, temporary } = app;
  return {
    catalog: await app.catalog(),
    pool: await app.pool(),
    cache: await app.cache(),
    locks: await app.locks(),
    clock,
    publicRoot,
    temporary,
    keep: await keepRule(app.config),
    change: app.change,
    signer: app.signer,
    workshop: {
      publicRoot,
      cache: (name) => cacheFolder(settings.state, name),
      cacheBelow: (name) => (stateBelow === undefined ? undefined : cacheFolder(stateBelow, name)),
      temporary,
      clock,
      environment: settings.environment,
    },
    audit: (action, details) => writeAudit({ action, details }, settings, clock()),
  };
}

async function change<T>(app: App, ctx: Context, work: () => Promise<T>): Promise<T> {
  return (await app.locks()).hold('aptly', ctx, async () => {
    const { recoverPublications } = await import('../publish/generations.ts');
    const { recoverTrees } = await import('../publish/trees.ts');
    const published = { catalog: await app.catalog(), publicRoot: app.publicRoot, clock: app.clock };
    recoverPublications(published);
    recoverTrees(published);
    return work();
  });
}

/** A pool without its catalog has lost it: begun anew, the next clean-up would take every file in it for unused. */
async function refuseLostCatalog(settings: Settings, pool: () => Promise<Pool>): Promise<void> {
  const file = catalogFile(settings);
  if ((statSync(file, { throwIfNoEntry: false })?.size ?? 0) > 0) return;
  for (const { sha256 } of (await pool()).list()) {
    throw new ArtifactsError('E_STATE', `The catalog ${file} is missing, though its pool is there`, {
      hint: 'Restore it from a backup, or begin anew in another --state folder.',
      details: { found: sha256 },
    });
  }
}

function catalogFile(settings: Settings): string {
  return join(settings.state, 'catalog.db');
}

/** What may be deleted and costs time to make again. */
function cacheFolder(state: string, name: string): string {
  return join(state, 'cache', name);
}

async function keepRule(config: () => Promise<Config>): Promise<BuildTools['keep']> {
  const { keepGenerations, keepFor } = (await config()).publish;
  return { generations: keepGenerations, milliseconds: keepFor };
}

/** GPG_PUBLIC, or signing.public_key: what clients get besides the public halves of the signing keys. */
function furtherKeys({ signing: { publicKey: file } }: Config): Buffer[] {
  if (file === undefined) return [];
  try {
    return [readFileSync(file)];
  } catch (error) {
    throw new ArtifactsError('E_NO_KEY', `The public key file ${file} cannot be read`, { hint: 'GPG_PUBLIC or signing.public_key names it.', cause: error });
  }
}

async function openMirror(mirror: Mirror, app: App, ctx: Context): Promise<MirrorSource> {
  const { resolveMirror } = await import('../config/resolve-mirror.ts');
  const config = await app.config();
  const { definition, proxy, warnings } = await resolveMirror(config, mirror, app.machine());
  for (const warning of warnings) ctx.report({ type: 'warning', message: `${mirror.name}: ${warning}` });
  return {
    definition,
    open: async (during) => {
      const options = {
        parallel: config.downloads.parallel,
        environment: app.settings.environment,
        now: app.clock,
        ...(proxy === undefined ? {} : { proxy }),
      };
      if (definition.listUrl === undefined) return (await import('../http/upstream.ts')).openUpstream({ urls: definition.urls, ...options });
      const { openListed } = await import('../mirror/listed-upstream.ts');
      return openListed(definition, definition.listUrl, options, during);
    },
  };
}

async function openScratch(app: App): Promise<App> {
  const { mkdtempSync } = await import('node:fs');
  const { openOverlayPool } = await import('../pool/index.ts');
  const { copyCatalog } = await import('../catalog/copy.ts');
  const { generateKey } = await import('../sign/generate-key.ts');
  const folder = mkdtempSync(join(tmpdir(), 'artifacts-read-only-'));
  try {
    await copyCatalog(catalogFile(app.settings), join(folder, 'catalog.db'));
    const key = join(folder, 'key.asc');
    await generateKey({ name: 'read-only run', file: key, date: app.clock() });
    const scratch = assemble(
      { ...app.settings, state: folder },
      {
        publicRoot: join(folder, 'public'),
        openPool: async () => openOverlayPool(await app.pool(), join(folder, 'pool')),
        keySources: () => [{ kind: 'file', path: key }],
        stateBelow: app.settings.state,
        release: () => rmSync(folder, { recursive: true, force: true }),
      },
    );
    // Trees are not copied, so that everything is really published once more.
    const catalog = await scratch.catalog();
    catalog.transaction(() => {
      catalog.publications.forgetAll();
      catalog.trees.forgetAll();
    });
    return scratch;
  } catch (error) {
    rmSync(folder, { recursive: true, force: true });
    throw error;
  }
}
