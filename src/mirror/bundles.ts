/** Bundles: a listed file and those it vouches for by their digests, whose sizes show only when they are there. */
import { statSync } from 'node:fs';
import type { Context } from '../core/context.ts';
import type { RepoFormat, UpstreamIndex, UpstreamPackage } from '../formats/format.ts';
import { BUNDLE_LIMIT } from '../http/limits.ts';
import { fetchUnsized, receiveBytes, type FileTools } from './files.ts';
import { readListed } from './indexes.ts';

export interface BundleTools extends FileTools {
  readonly format: RepoFormat;
  /** A folder for the fetched list, ours alone. */
  readonly folder: string;
}

export interface FetchedBundles {
  readonly packages: readonly UpstreamPackage[];
  readonly fetched: { readonly files: number; readonly bytes: number };
}

/** Reads these lists and fetches what the pool lacks of what they list. Throws like `readIndex` and `fetchFiles`. */
export async function fetchBundles(lists: readonly UpstreamIndex[], tools: BundleTools, ctx: Context): Promise<FetchedBundles> {
  const { mirror, upstream, pool, format, folder } = tools;
  const packages: UpstreamPackage[] = [];
  const fetched = { files: 0, bytes: 0 };
  for (const list of lists) {
    ctx.signal.throwIfAborted();
    ctx.report({ type: 'phase', subject: mirror.name, text: `reading ${list.name}` });
    const text = await readListed(list, { upstream, folder, limit: BUNDLE_LIMIT }, ctx);
    const bundle = format.upstream.readBundle?.(list, text);
    if (bundle === undefined) throw new Error(`Files of ${format.id} that vouch for others are listed and cannot be read`);
    for (const note of bundle.notes ?? []) ctx.report({ type: 'warning', message: `${mirror.name}: ${note}` });
    if (bundle.text !== undefined) await receiveBytes(bundle.text, tools);
    for (;;) {
      const { files, bytes } = await fetchUnsized(bundle.files, { ...tools, what: `files of ${list.name}` }, ctx);
      fetched.files += files;
      fetched.bytes += bytes;
      const sizes = bundle.files.flatMap((file) => statSync(pool.path(file.sha256), { throwIfNoEntry: false })?.size ?? []);
      if (sizes.length < bundle.files.length) continue; // a clean-up took unused files away meanwhile
      packages.push(bundle.record(sizes));
      break;
    }
  }
  return { packages, fetched };
}
