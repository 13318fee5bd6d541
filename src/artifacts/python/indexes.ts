/**
 * The package indexes wheels are made from. Each project has ONE index, the first whose patterns match its name, and no
 * other is ever asked for it: a stranger's project of the same name, however high its version, is not seen. Every file is
 * checked against the digest its page lists.
 */
import { existsSync, mkdirSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { Context } from '../../core/context.ts';
import type { Sha256 } from '../../core/digest.ts';
import { ArtifactsError } from '../../core/errors.ts';
import { redact } from '../../http/redact.ts';
import type { Upstream } from '../../http/upstream.ts';
import { moveFile } from '../../util/durable.ts';
import { hashFile } from '../../util/hash-file.ts';
import { parsePage, type PageFile } from './index-page.ts';
import { touch } from './kept.ts';
import { normalizeName } from './names.ts';

/** The page of a project with very many releases has some megabytes. */
const PAGE_LIMIT = 64 * 1024 * 1024;
const FILE_LIMIT = 4 * 1024 * 1024 * 1024;

export interface PackageIndex {
  readonly name: string;
  /** The root of its simple API, perhaps with user and password. */
  readonly url: string;
  /** Patterns of normalized names, `*` for anything. */
  readonly packages: readonly string[];
}

/** A file as it was fetched. */
export interface FetchedFile {
  readonly name: string;
  readonly file: string;
  /** Fit to be shown; empty for what was built here. */
  readonly url: string;
  readonly sha256: Sha256;
}

export interface Indexes extends AsyncDisposable {
  /** The files of a project as its index lists them; empty when the index does not know it, or no index is for it. Asked once. */
  files(name: string, ctx: Context): Promise<readonly PageFile[]>;
  /** Where the bytes of a listed file are, verified. */
  fetch(name: string, file: PageFile, ctx: Context): Promise<string>;
}

export interface IndexesOptions {
  readonly indexes: readonly PackageIndex[];
  /** Keeps files by their digest; may be deleted. */
  readonly cache: string;
  /** The same of another state, for reading only. */
  readonly cacheBelow: string | undefined;
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** Why there is no index for whatever none of them is for; undefined: because nobody wants one. */
  readonly lacking?: unknown;
}

/** The index a project comes from. */
export function indexOf(name: string, indexes: readonly PackageIndex[]): PackageIndex | undefined {
  return indexes.find(({ packages }) => packages.some((pattern) => matches(pattern, name)));
}

/** Whether a pattern, `*` for anything, is for a normalized name. */
export function matches(pattern: string, name: string): boolean {
  const written = pattern.split('*').map((part) => part.replace(/[-_.]+/g, '-').toLowerCase().replace(/[^a-z0-9-]/g, '\\$&'));
  return new RegExp(`^${written.join('.*')}$`).test(name);
}

export function openIndexes(options: IndexesOptions): Indexes {
  const upstreams = new Map<string, Promise<Upstream>>();
  const pages = new Map<string, Promise<readonly PageFile[]>>();
  const fetches = new Map<string, Promise<string>>();
  const open = (url: string, foreign: boolean): Promise<Upstream> => once(upstreams, url, async () => {
    const { openUpstream } = await import('../../http/upstream.ts');
    return openUpstream({ urls: [url], environment: options.environment, foreign, retries: 3 });
  });
  return {
    files: (name, ctx) => once(pages, name, () => readPage(name, { ...options, open }, ctx)),
    fetch: (name, file, ctx) => once(fetches, file.sha256, () => fetchFile(name, file, { ...options, open }, ctx)),
    [Symbol.asyncDispose]: async () => {
      for (const upstream of await Promise.allSettled(upstreams.values())) {
        if (upstream.status === 'fulfilled') await upstream.value.close();
      }
    },
  };
}

/** A failure is remembered as well: whatever is resolved from an index sees one state of it. */
function once<T>(known: Map<string, Promise<T>>, key: string, make: () => Promise<T>): Promise<T> {
  const before = known.get(key);
  if (before !== undefined) return before;
  const made = make();
  known.set(key, made);
  return made;
}

interface Tools extends IndexesOptions {
  readonly open: (url: string, foreign: boolean) => Promise<Upstream>;
}

async function readPage(name: string, tools: Tools, ctx: Context): Promise<readonly PageFile[]> {
  const index = indexOf(normalizeName(name), tools.indexes);
  if (index === undefined && tools.lacking !== undefined) throw tools.lacking;
  if (index === undefined) return [];
  const upstream = await tools.open(index.url, false);
  const answer = await upstream.fetchSmall(name, { limit: PAGE_LIMIT, folder: true }, ctx);
  if (answer.status !== 'ok') return [];
  // Links are relative to where the page is, wherever a redirect led: to a project's page by its normalized name.
  return parsePage(answer.bytes.toString('utf8'), `${index.url.replace(/\/*$/, '')}/${name}/`);
}

async function fetchFile(name: string, file: PageFile, tools: Tools, ctx: Context): Promise<string> {
  const relative = join('files', file.sha256.slice(0, 2), file.sha256);
  for (const cache of [tools.cache, tools.cacheBelow]) {
    if (cache === undefined || !existsSync(join(cache, relative))) continue;
    if ((await hashFile(join(cache, relative))) !== file.sha256) continue;
    if (cache === tools.cache) touch(join(cache, relative));
    return join(cache, relative);
  }
  const path = join(tools.cache, relative);
  const partial = `${path}.${process.pid}.part`;
  mkdirSync(dirname(path), { recursive: true });
  const index = indexOf(name, tools.indexes);
  try {
    await download({ file, index, partial }, tools, ctx);
    moveFile(partial, path);
  } finally {
    rmSync(partial, { force: true });
  }
  return path;
}

interface Download {
  readonly file: PageFile;
  readonly index: PackageIndex | undefined;
  readonly partial: string;
}

async function download({ file, index, partial }: Download, { open }: Tools, ctx: Context): Promise<void> {
  const url = new URL(file.url);
  const home = index === undefined ? undefined : new URL(index.url);
  if (url.search !== '' || home === undefined) {
    throw new ArtifactsError('E_FETCH', `${redact(url)} cannot be fetched: an URL of a file has no query`);
  }
  if (home.protocol === 'https:' && url.protocol !== 'https:') {
    throw new ArtifactsError('E_FETCH', `Index "${index?.name}" is read by https and links to ${redact(url)}`);
  }
  const own = url.origin === home.origin;
  const origin = own ? Object.assign(new URL('/', home), { username: home.username, password: home.password }).href : `${url.origin}/`;
  const upstream = await open(origin, !own);
  await upstream.download({ path: decodeURIComponent(url.pathname.slice(1)), file: partial, sha256: file.sha256, limit: FILE_LIMIT }, ctx);
}
