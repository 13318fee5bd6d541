import { isInternalAddress } from './address.ts';
import type { Place } from './bases.ts';
import { exchange, type ExchangeOptions, type Head } from './exchange.ts';
import { Refused } from './failure.ts';
import { REDIRECT_LIMIT } from './limits.ts';
import { redact } from './redact.ts';
import type { Transport } from './transport.ts';

export interface Answer {
  readonly head: Head;
  /** Where the answer came from in the end. */
  readonly place: Place;
}

export interface FollowOptions extends ExchangeOptions {
  /** Hosts that a redirect may lead to even when they are internal. */
  readonly trustedHosts: ReadonlySet<string>;
}

/** Makes a request and follows redirects as far as they are safe. Throws Refused for one that is not. */
export async function follow(transport: Transport, options: FollowOptions): Promise<Answer> {
  let { place, headers } = options;
  for (let hops = 0; hops <= REDIRECT_LIMIT; hops += 1) {
    const head = await exchange(transport, { ...options, place, headers });
    if (!isRedirect(head.status)) return { head, place };
    const url = new URL(place.origin + place.path);
    const target = redirectTarget(head, url, options.trustedHosts);
    if (target.origin !== url.origin && 'authorization' in headers) {
      const { authorization: _secret, ...others } = headers;
      headers = others;
    }
    place = { origin: target.origin, path: target.pathname + target.search };
  }
  throw refused(`more than ${REDIRECT_LIMIT} redirects`);
}

function isRedirect(status: number): boolean {
  return status === 301 || status === 302 || status === 303 || status === 307 || status === 308;
}

/** apt, methods/basehttp.cc: neither from https to anything less nor to another kind of URL. */
function redirectTarget(head: Head, from: URL, trustedHosts: ReadonlySet<string>): URL {
  const { location } = head.headers;
  if (typeof location !== 'string') throw refused('redirect without a single Location');
  if (!URL.canParse(location, from.href)) throw refused('redirect to what is no URL');
  const target = new URL(location, from);
  const { protocol } = target;
  if (protocol !== 'https:' && protocol !== 'http:') throw refused(`redirect to ${protocol} refused`);
  const shown = redact(target);
  if (from.protocol === 'https:' && protocol === 'http:') throw refused(`redirect from https to ${shown} refused`);
  if (target.username !== '' || target.password !== '') throw refused(`redirect to ${shown} with a password refused`);
  if (!trustedHosts.has(target.hostname) && isInternalAddress(target.hostname)) {
    throw refused(`redirect to the internal address ${shown} refused`);
  }
  return target;
}

function refused(reason: string): Refused {
  return new Refused({ code: 'E_FETCH', reason, remedy: 'next' });
}
