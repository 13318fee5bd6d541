/** Proxies by scheme of the URL that is asked for. */
export interface ProxyOptions {
  readonly http?: string;
  readonly https?: string;
}

type Environment = Readonly<Record<string, string | undefined>>;

/**
 * The proxy for an URL, or undefined for a direct connection. An explicit proxy wins over `http_proxy` and
 * `https_proxy` of the environment; `no_proxy` and loopback addresses only exempt from those (as Go's httpproxy does).
 */
export function proxyFor(url: URL, options: ProxyOptions, environment: Environment): URL | undefined {
  const scheme = url.protocol === 'https:' ? 'https' : 'http';
  const explicit = options[scheme];
  if (explicit !== undefined) return explicit === '' ? undefined : parseProxy(explicit);
  const inherited = environment[`${scheme}_proxy`] ?? environment[`${scheme.toUpperCase()}_PROXY`] ?? '';
  if (inherited === '' || isExempt(url, environment)) return undefined;
  return parseProxy(inherited);
}

function parseProxy(text: string): URL {
  return new URL(/^[a-z][a-z0-9+.-]*:\/\//i.test(text) ? text : `http://${text}`);
}

function isExempt(url: URL, environment: Environment): boolean {
  const host = url.hostname.replace(/^\[|\]$/g, '');
  if (host === 'localhost' || host === '::1' || host.startsWith('127.')) return true;
  const list = environment['no_proxy'] ?? environment['NO_PROXY'] ?? '';
  return list.split(/[\s,]+/).some((entry) => entry !== '' && entryMatches(entry.toLowerCase(), url, host));
}

/** `*`, `example.org` (and all below it), `.example.org` (the same), each with an optional port. */
function entryMatches(entry: string, url: URL, host: string): boolean {
  if (entry === '*') return true;
  const [, name = entry, port] = /^(.*?)(?::(\d+))?$/.exec(entry) ?? [];
  const actual = url.port || (url.protocol === 'https:' ? '443' : '80');
  if (port !== undefined && port !== actual) return entry === host;
  const bare = name.replace(/^\*?\./, '');
  return host === bare || host.endsWith(`.${bare}`);
}
