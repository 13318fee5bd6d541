/**
 * The only user of the network. An upstream is one repository that can be read from several base URLs; a path below them
 * is fetched from the first that gives it, with retries, resumption and verification of size and digest. It knows
 * nothing of repositories: which path is to be trusted for what is the caller's business. Import it only when something
 * is to be fetched, it brings the HTTP library along.
 */
import type { Clock, Context } from '../core/context.ts';
import { ArtifactsError, isArtifactsError } from '../core/errors.ts';
import { isInternalAddress } from './address.ts';
import { FILES, type Base } from './bases.ts';
import { download, type Downloaded, type DownloadRequest } from './download.ts';
import { fetchSmall, type SmallAnswer, type SmallRequest } from './fetch-small.ts';
import { DEFAULT_TIMEOUTS, type Timeouts } from './limits.ts';
import type { ProxyOptions } from './proxy.ts';
import { redact } from './redact.ts';
import type { Source } from './source.ts';
import { basicCredentials, openTransport, type TlsOptions } from './transport.ts';

export type { Downloaded, DownloadRequest } from './download.ts';
export type { Expectation } from './file-sink.ts';
export type { SmallAnswer, SmallRequest } from './fetch-small.ts';

export interface UpstreamOptions {
  /** Base URLs: http or https, with user and password if need be, or file for a folder of this machine. The first is preferred, the others are for fail-over. */
  readonly urls: readonly string[];
  /** Proxies; without them `http_proxy`, `https_proxy` and `no_proxy` of the environment. An empty text means none. */
  readonly proxy?: ProxyOptions;
  /** Certificates beyond the usual ones. */
  readonly tls?: TlsOptions;
  /** Where the proxy variables are read. Default: the environment of the process. */
  readonly environment?: Readonly<Record<string, string | undefined>>;
  /** Connections per host, 16 by default. Requests beyond them wait their turn, so any number may be made at once. */
  readonly parallel?: number;
  /** Further tries per base after the first, 4 by default. */
  readonly retries?: number;
  /** Milliseconds before the first further try (500) and at most (30,000). */
  readonly delay?: number;
  readonly longestDelay?: number;
  readonly timeouts?: Partial<Timeouts>;
  /** Hosts besides those of `urls` that a redirect may lead to although their addresses are internal. */
  readonly allowHosts?: readonly string[];
  /** The URLs were read from somebody's page and not named by the user: internal addresses are refused at once. */
  readonly foreign?: boolean;
  readonly now?: Clock;
}

export interface Upstream {
  /** Connections per host: with some more requests than that under way all of them are busy. */
  readonly parallel: number;
  /**
   * A file into memory. Throws E_FETCH when no base answers properly, E_TOO_LARGE; an abort throws the signal's reason.
   */
  fetchSmall(path: string, request: SmallRequest, ctx: Context): Promise<SmallAnswer>;
  /**
   * A file to disk, verified. Throws E_FETCH, and after all bases gave the wrong thing E_SIZE, E_HASH or E_TOO_LARGE;
   * E_NO_SPACE and E_IO from the disk; an abort throws the signal's reason. See `isAbsentError`.
   */
  download(request: DownloadRequest, ctx: Context): Promise<Downloaded>;
  /**
   * Another base that metadata of this upstream names, asked with the same settings but for credentials. It is somebody's
   * page: E_FETCH when it leads to an internal address, unless the user named that host.
   */
  elsewhere(base: string): Upstream;
  /** Cuts what is still under way, also elsewhere. */
  close(): Promise<void>;
}

/** Bases that one upstream's metadata may name: each has connections of its own. */
const MOST_ELSEWHERE = 64;

/** True for the E_FETCH of a file that every base says it does not have. */
export function isAbsentError(error: unknown): boolean {
  return isArtifactsError(error, 'E_FETCH') && error.details?.['absent'] === true;
}

export function openUpstream(options: UpstreamOptions): Upstream {
  const list = options.urls.map((url) => parseBase(url, options.foreign === true));
  if (list.length === 0) throw new ArtifactsError('E_CONFIG', 'An upstream needs at least one URL');
  const timeouts = { ...DEFAULT_TIMEOUTS, ...options.timeouts };
  const named = options.foreign === true ? [] : list.map((base) => base.url.hostname);
  const trustedHosts = new Set([...named, ...(options.allowHosts ?? [])]);
  for (const { url } of options.foreign === true ? list : []) refuseInternal(url, trustedHosts);
  const { proxy = {}, tls = {}, parallel = 16, environment = process.env } = options;
  const { retries = 4, delay = 500, longestDelay = 30_000 } = options;
  const source: Source = {
    bases: { list, preferred: 0 },
    patience: { retries, delay, longestDelay },
    timeouts,
    trustedHosts,
    transport: openTransport({ parallel, timeouts, proxy, tls, environment, trustedHosts }),
    now: options.now ?? (() => new Date()),
  };
  const others = new Map<string, Upstream>();
  return {
    parallel,
    fetchSmall: (path, request, ctx) => fetchSmall(source, { path, request }, ctx),
    download: (request, ctx) => download(source, request, ctx),
    elsewhere: (base) => {
      const known = others.get(base);
      if (known !== undefined) return known;
      if (others.size >= MOST_ELSEWHERE) throw new ArtifactsError('E_TOO_LARGE', `The metadata names more than ${MOST_ELSEWHERE} addresses that files lie at`);
      const opened = openUpstream({ ...options, urls: [base], foreign: true, allowHosts: [...trustedHosts] });
      others.set(base, opened);
      return opened;
    },
    close: async () => {
      for (const other of others.values()) await other.close();
      await source.transport.close();
    },
  };
}

function refuseInternal(url: URL, trustedHosts: ReadonlySet<string>): void {
  if (trustedHosts.has(url.hostname) || !isInternalAddress(url.hostname)) return;
  throw new ArtifactsError('E_FETCH', `Refused to fetch from the internal address ${redact(url)}`, {
    hint: 'Somebody\'s page names it. If it is yours, name it in fallback_urls, too.',
  });
}

/** Only the user names files of this machine; a page of somebody's does not. */
function parseBase(text: string, isForeign: boolean): Base {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  const isFolder = url?.protocol === 'file:' && url.hostname === '' && !isForeign;
  if (url === undefined || (url.protocol !== 'http:' && url.protocol !== 'https:' && !isFolder)) {
    throw new ArtifactsError('E_CONFIG', `"${redact(text)}" is no http or https URL`);
  }
  const authorization = basicCredentials(url);
  url.username = '';
  url.password = '';
  if (!url.pathname.endsWith('/')) url.pathname += '/';
  return { url, place: { origin: isFolder ? FILES : url.origin, path: url.pathname }, authorization };
}
