/**
 * What a sandbox sees of the package indexes: one simple index on a UNIX socket. It asks the right index for each
 * project, offers wheels that were built here before instead of the archives they were built from, leaves out what may not
 * be used, and remembers who fetched what.
 */
import type { Context } from '../../core/context.ts';
import type { Sha256 } from '../../core/digest.ts';
import { isArtifactsError } from '../../core/errors.ts';
import { redact } from '../../http/redact.ts';
import { serveSocket, type SocketAnswer } from '../../http/serve-socket.ts';
import { projectPage, type PageFile } from './index-page.ts';
import type { FetchedFile, Indexes } from './indexes.ts';
import { comparableVersion, normalizeName, parseFileName } from './names.ts';

/** A wheel that lies on this machine. */
export interface LocalWheel {
  readonly file: string;
  readonly path: string;
  readonly sha256: Sha256;
  readonly requiresPython: string | undefined;
}

export interface ProxyOptions {
  readonly socket: string;
  readonly indexes: Indexes;
  /** Whether a project is only taken as source. */
  readonly sourceOnly: (name: string) => boolean;
  /** The wheel that was built from this archive before. */
  readonly built: (name: string, archive: PageFile) => LocalWheel | undefined;
}

export interface IndexProxy extends AsyncDisposable {
  /** The path of the index for one user of it, told apart by a word: `/resolve/simple/`. */
  pathFor(user: string): string;
  /** From now on this is all there is of a project. */
  provide(name: string, wheel: LocalWheel): void;
  /** What may be used of a project; a path of those that lie here already. */
  offered(name: string, ctx: Context): Promise<readonly Offer[]>;
  /** What lies behind an URL that pip reports; undefined for one that was not offered. */
  find(url: string): Offer | undefined;
  /** What a user fetched of the indexes, by file name. */
  fetched(user: string): readonly FetchedFile[];
  /** The first reason why an index could not be used, as a failure of the run. */
  failure(): unknown;
}

export interface Offer {
  readonly name: string;
  readonly page: PageFile;
  /** Undefined: it is fetched from its index. */
  readonly local: LocalWheel | undefined;
}

const USER = /^\/([a-z0-9-]+)\/(simple|files)\/([^/]+)\/(?:([^/]+))?$/;

export async function openIndexProxy(options: ProxyOptions, ctx: Context): Promise<IndexProxy> {
  const provided = new Map<string, LocalWheel>();
  const offers = new Map<Sha256, Offer>();
  const fetched = new Map<string, Map<string, FetchedFile>>();
  let failure: unknown;

  const offered = async (name: string): Promise<readonly Offer[]> => {
    const own = provided.get(name);
    const found = own === undefined ? chooseFiles(name, await options.indexes.files(name, ctx), options) : [localOffer(name, own)];
    for (const offer of found) offers.set(offer.page.sha256, offer);
    return found;
  };
  const page = async (name: string): Promise<SocketAnswer> => {
    if (name !== safeName(name)) return { status: 404, text: 'no such project' };
    const found = await offered(name);
    if (found.length === 0) return { status: 404, text: 'no such project' };
    const files = found.map(({ page: one }) => ({ ...one, url: `../../files/${one.sha256}/${encodeURIComponent(one.file)}` }));
    return { status: 200, type: 'text/html; charset=utf-8', bytes: projectPage(name, files) };
  };
  const file = async (user: string, digest: string): Promise<SocketAnswer> => {
    const offer = offers.get(digest as Sha256);
    if (offer === undefined) return { status: 404, text: 'no such file' };
    const path = offer.local?.path ?? (await options.indexes.fetch(offer.name, offer.page, ctx));
    note(fetched, user, offer);
    return { status: 200, type: 'application/octet-stream', file: path };
  };
  const server = await serveSocket(options.socket, async (path) => {
    const [, user = '', kind, third = '', last] = USER.exec(path) ?? [];
    try {
      if (kind === 'simple' && last === undefined) return await page(third);
      if (kind === 'files' && last !== undefined) return await file(user, third);
    } catch (error) {
      // pip would say that there is no such version; the run shall say why.
      failure ??= error;
      return { status: 403, text: isArtifactsError(error) ? error.message : 'failed' };
    }
    return { status: 404, text: 'not found' };
  });
  return {
    pathFor: (user) => `/${user}/simple/`,
    provide: (name, wheel) => void provided.set(name, wheel),
    offered,
    find: (url) => offers.get((/\/files\/([0-9a-f]{64})\//.exec(url)?.[1] ?? '') as Sha256),
    fetched: (user) => [...(fetched.get(user)?.values() ?? [])].sort((a, b) => (a.file < b.file ? -1 : 1)),
    failure: () => failure,
    [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
  };
}

function safeName(name: string): string | undefined {
  try {
    return normalizeName(name);
  } catch {
    return undefined;
  }
}

/**
 * What may be used of a page, the same whatever was built before: a wheel of ours stands in for an archive only where
 * nothing but that archive could have been chosen.
 */
function chooseFiles(name: string, files: readonly PageFile[], { sourceOnly, built }: ProxyOptions): readonly Offer[] {
  const known = files.flatMap((page) => {
    const distribution = parseFileName(page.file, name);
    return distribution === undefined ? [] : [{ page, ...distribution, key: comparableVersion(distribution.version) }];
  });
  const withWheels = new Set(known.flatMap(({ kind, key }) => (kind === 'wheel' ? [key] : [])));
  return known.flatMap(({ page, kind, key }): readonly Offer[] => {
    if (kind === 'wheel') return sourceOnly(name) ? [] : [{ name, page, local: undefined }];
    const wheel = sourceOnly(name) || !withWheels.has(key) ? built(name, page) : undefined;
    if (wheel === undefined) return [{ name, page, local: undefined }];
    const { yanked } = page;
    const offer = localOffer(name, wheel);
    return [yanked === undefined ? offer : { ...offer, page: { ...offer.page, yanked } }];
  });
}

function localOffer(name: string, wheel: LocalWheel): Offer {
  const { file, sha256, requiresPython } = wheel;
  return { name, page: { file, url: '', sha256, ...(requiresPython === undefined ? {} : { requiresPython }) }, local: wheel };
}

function note(fetched: Map<string, Map<string, FetchedFile>>, user: string, { name, page, local }: Offer): void {
  const own = fetched.get(user) ?? new Map<string, FetchedFile>();
  fetched.set(user, own);
  own.set(page.file, { name, file: page.file, url: local === undefined ? redact(page.url) : '', sha256: page.sha256 });
}
