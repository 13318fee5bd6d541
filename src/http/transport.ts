import { rootCertificates } from 'node:tls';
import type { Dispatcher } from 'undici';
import connect from 'undici/lib/api/api-connect.js';
import Agent from 'undici/lib/dispatcher/agent.js';
import Pool from 'undici/lib/dispatcher/pool.js';
import ProxyAgent from 'undici/lib/dispatcher/proxy-agent.js';
import { lookupPublic } from './address.ts';
import { FILES, type Place } from './bases.ts';
import { openFileReader } from './file-reader.ts';
import { HEADER_LIMIT, type Timeouts } from './limits.ts';
import { proxyFor, type ProxyOptions } from './proxy.ts';

export type RequestHeaders = Readonly<Record<string, string>>;

/** Connections: kept alive, shared by all requests of an upstream, directly or by proxy. */
export interface Transport {
  /** Starts a GET. Everything, also that it cannot be started, is told to the handler. */
  get(place: Place, headers: RequestHeaders, handler: Dispatcher.DispatchHandler): void;
  close(): Promise<void>;
}

/** PEM. */
export interface TlsOptions {
  /** Authorities that are trusted besides the usual ones. */
  readonly ca?: string;
  /** What we show when asked who we are. */
  readonly certificate?: string;
  readonly key?: string;
}

export interface TransportOptions {
  readonly parallel: number;
  readonly timeouts: Timeouts;
  readonly proxy: ProxyOptions;
  readonly tls: TlsOptions;
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** Hosts whose addresses are not looked at: those the user named. */
  readonly trustedHosts: ReadonlySet<string>;
}

interface Route {
  readonly dispatcher: Dispatcher;
  readonly origin: string;
  /** What stands before the path: nothing, or the origin when a proxy is asked (RFC 9112, 3.2.2). */
  readonly prefix: string;
  readonly headers: RequestHeaders;
}

export function openTransport(options: TransportOptions): Transport {
  const dispatchers: Dispatcher[] = [];
  const routes = new Map<string, Route>();
  const files = openFileReader(options.parallel);
  const keep = <D extends Dispatcher>(dispatcher: D): D => {
    dispatchers.push(dispatcher);
    return dispatcher;
  };
  return {
    get(place, headers, handler) {
      if (place.origin === FILES) return files.get(new URL(place.origin + place.path), handler);
      const route = routes.get(place.origin) ?? findRoute(new URL(place.origin), options, keep);
      routes.set(place.origin, route);
      const path = route.prefix + place.path;
      const all = { ...headers, ...route.headers };
      route.dispatcher.dispatch({ origin: route.origin, path, method: 'GET', headers: all }, handler);
    },
    async close() {
      files.close();
      await Promise.all(dispatchers.map((dispatcher) => dispatcher.destroy()));
    },
  };
}

type Keep = <D extends Dispatcher>(dispatcher: D) => D;

function findRoute(url: URL, options: TransportOptions, keep: Keep): Route {
  const proxy = proxyFor(url, options.proxy, options.environment);
  const settings = agentSettings(options);
  if (!proxy) {
    const guard = options.trustedHosts.has(url.hostname) ? {} : { lookup: lookupPublic };
    const connect = { timeout: options.timeouts.connect, ...guard, ...tlsSettings(options.tls) };
    return { dispatcher: keep(new Agent({ ...settings, connect })), origin: url.origin, prefix: '', headers: {} };
  }
  const credentials = basicCredentials(proxy);
  if (url.protocol === 'http:' && proxy.protocol === 'http:') {
    const headers = { host: url.host, ...(credentials !== undefined && { 'proxy-authorization': credentials }) };
    return { dispatcher: keep(new Agent(settings)), origin: proxy.origin, prefix: url.origin, headers };
  }
  const token = credentials === undefined ? {} : { token: credentials };
  const tls = { timeout: options.timeouts.connect, ...tlsSettings(options.tls) };
  // What undici's main entry does for all dispatchers: without it the proxy cannot be asked for a tunnel.
  const clientFactory: ProxyAgent.Options['clientFactory'] = (origin, options) => Object.assign(new Pool(origin, options), { connect });
  const dispatcher = keep(new ProxyAgent({ ...settings, uri: proxy.origin, proxyTls: tls, requestTls: tls, clientFactory, ...token }));
  return { dispatcher, origin: url.origin, prefix: '', headers: {} };
}

function tlsSettings({ ca, certificate, key }: TlsOptions): Readonly<Record<string, unknown>> {
  return {
    ...(ca === undefined ? {} : { ca: [...rootCertificates, ca] }),
    ...(certificate === undefined ? {} : { cert: certificate }),
    ...(key === undefined ? {} : { key }),
  };
}

function agentSettings({ parallel, timeouts }: TransportOptions): Omit<Agent.Options, 'connect' | 'factory'> {
  return {
    connections: parallel,
    // Measured: answering order makes pipelining useless for files.
    pipelining: 1,
    headersTimeout: timeouts.headers,
    bodyTimeout: timeouts.idle,
    connectTimeout: timeouts.connect,
    maxHeaderSize: HEADER_LIMIT,
  };
}

/** The user and password of an URL as a header value (RFC 7617); undefined when it has none. */
export function basicCredentials(url: URL): string | undefined {
  if (url.username === '' && url.password === '') return undefined;
  const pair = `${decodeURIComponent(url.username)}:${decodeURIComponent(url.password)}`;
  return `Basic ${Buffer.from(pair).toString('base64')}`;
}
