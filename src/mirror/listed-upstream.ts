/** Upstreams that are found by a list of mirrors: one that is up to date is chosen, and the others stand in for it. */
import type { Context } from '../core/context.ts';
import { sha256, type Sha256 } from '../core/digest.ts';
import { ArtifactsError } from '../core/errors.ts';
import type { MirrorList } from '../formats/format.ts';
import { formatOf } from '../formats/index.ts';
import { RELEASE_LIMIT } from '../http/limits.ts';
import { openUpstream, type Upstream, type UpstreamOptions } from '../http/upstream.ts';
import type { MirrorDefinition } from './definition.ts';

/** An upstream, and what is known of its root metadata from a list that was had over TLS. */
export interface MirrorUpstream extends Upstream {
  /** Digests of root metadata that may be believed without a signature; undefined: none may. */
  readonly vouched?: ReadonlySet<Sha256>;
}

/** A list of mirrors is short; some thousand lines at the most. */
const LIST_LIMIT = 4_000_000;
/** Mirrors that are asked before all of them are taken to be out of date. */
const MOST_ASKED = 8;

/** Reads the list and opens what it leads to. Throws E_FETCH, E_FORMAT, and E_STALE when no mirror has what the list vouches for. */
export async function openListed(mirror: MirrorDefinition, listUrl: string, options: Omit<UpstreamOptions, 'urls'>, ctx: Context): Promise<MirrorUpstream> {
  const list = await fetchList(mirror, listUrl, options, ctx);
  // The user named the list, and with it its host; whatever else it names is somebody's page.
  const allowHosts = [listUrl, ...mirror.urls].map((url) => new URL(url).hostname);
  const open = (urls: readonly string[]): Upstream => openUpstream({ ...options, urls, foreign: true, allowHosts });
  const urls = [...list.urls, ...mirror.urls];
  if (list.roots.length === 0) return open(urls);
  const vouched = new Set(list.roots);
  const [path = ''] = formatOf(mirror.format).upstream.entries(mirror.request).map((entry) => entry.path);
  for (const url of urls.slice(0, MOST_ASKED)) {
    const upstream = open([url, ...urls.filter((other) => other !== url)]);
    const answer = await upstream.fetchSmall(path, { limit: RELEASE_LIMIT }, ctx);
    if (answer.status === 'ok' && vouched.has(sha256(answer.bytes))) return { ...upstream, vouched };
    await upstream.close();
  }
  throw new ArtifactsError('E_STALE', `Mirror "${mirror.name}": none of ${Math.min(urls.length, MOST_ASKED)} mirrors has the ${path} that the metalink vouches for`, {
    hint: 'They are out of date, or the metalink is. Try again later.',
  });
}

async function fetchList(mirror: MirrorDefinition, listUrl: string, options: Omit<UpstreamOptions, 'urls'>, ctx: Context): Promise<MirrorList> {
  const { readMirrorList } = formatOf(mirror.format).upstream;
  if (readMirrorList === undefined) throw new Error(`Lists of mirrors of ${mirror.format} cannot be read`);
  const url = new URL(listUrl);
  const cut = url.pathname.lastIndexOf('/') + 1;
  const path = decodeURIComponent(url.pathname.slice(cut));
  const { search } = url;
  url.pathname = url.pathname.slice(0, cut);
  url.search = '';
  const upstream = openUpstream({ ...options, urls: [url.href] });
  try {
    const answer = await upstream.fetchSmall(path, { limit: LIST_LIMIT, search }, ctx);
    if (answer.status !== 'ok') throw new ArtifactsError('E_FETCH', `Mirror "${mirror.name}": there is no list of mirrors at its address`, { hint: 'Check metalink or mirrorlist.' });
    const list = readMirrorList(answer.bytes);
    // What came over an open line vouches for nothing.
    return url.protocol === 'https:' ? list : { ...list, roots: [] };
  } finally {
    await upstream.close();
  }
}
