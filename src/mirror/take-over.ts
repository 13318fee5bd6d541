/** Taking over what an upstream offers now: indexes read, packages chosen, files fetched, the result recorded. */
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import type { KnownIndex, MirrorState } from '../catalog/mirrors.ts';
import type { Context } from '../core/context.ts';
import type { RepoFormat, UpstreamIndex } from '../formats/format.ts';
import type { Upstream } from '../http/upstream.ts';
import { collectEarly, MUCH_TEXT } from '../util/collect-early.ts';
import * as durable from '../util/durable.ts';
import { fetchBundles } from './bundles.ts';
import { isChoosing, type MirrorDefinition } from './definition.ts';
import { keepExact } from './exact.ts';
import { fetchFiles } from './files.ts';
import { indexDigest, readIndex, ROOT_FILES, type IndexPackages } from './indexes.ts';
import type { FreshRoot } from './root.ts';
import { selectPackages } from './select.ts';
import { checkSignatures } from './signatures.ts';
import { settlePackages } from './settle.ts';
import { openSpool, type Candidate, type Spool } from './spool.ts';
import { prepareUpdate, storeUpdate } from './store.ts';
import type { MirrorTools } from './update.ts';

/** A mirror whose upstream changed. */
export interface Update {
  readonly mirror: MirrorDefinition;
  /** The state whose unread indexes may be taken over. */
  readonly known: MirrorState | undefined;
  readonly format: RepoFormat;
  readonly upstream: Upstream;
}

/** What was recorded, and the package files and bytes that were fetched for it. */
export interface TakenOver {
  readonly state: MirrorState;
  readonly files: number;
  readonly bytes: number;
}

/** Brings the mirror to what the verified root metadata says: all or nothing, but for files, which are kept one by one. */
export async function takeOver(fresh: FreshRoot, update: Update, tools: MirrorTools, ctx: Context): Promise<TakenOver> {
  const isAllRead = update.known === undefined || isChoosing(update.mirror);
  if (isAllRead && textBytes(fresh.root.indexes) >= MUCH_TEXT) collectEarly();
  const folder = join(tools.temporary, `mirror-${update.mirror.name}`);
  rmSync(folder, { recursive: true, force: true });
  durable.makeFolder(folder);
  const spool = openSpool(join(folder, 'spool'));
  try {
    const incoming = tools.pool.receive(`mirror-${update.mirror.name}`);
    const bundles = await fetchBundles(fresh.root.bundles, { ...update, pool: tools.pool, incoming, folder }, ctx);
    const others = update.format.upstream.others;
    const settling = { ...update, ...tools, incoming, spool, others };
    const exact = await keepExact(fresh, { format: update.format.exact, bundles: bundles.packages }, settling, ctx);
    const listed = [...fresh.root.files, ...bundles.packages, ...exact.packages];
    const read = await readIndexes(fresh.root.indexes, { ...update, spool, folder }, ctx);
    if (listed.length > 0) read.push({ index: ROOT_FILES, candidates: listed.map((file) => spool.add(file, ROOT_FILES.name)) });
    const selected = selectPackages(read, update, ctx);
    const settled = await settlePackages(selected, settling, ctx);
    const { chosen } = settled;
    const prepared = prepareUpdate({ ...update, fresh, chosen }, tools);
    let fetched = sum(bundles.fetched, exact.fetched, settled.fetched);
    for (;;) {
      const more = await fetchFiles(prepared.coming, { ...update, pool: tools.pool, incoming }, ctx);
      fetched = sum(fetched, more);
      await checkSignatures(prepared.coming, { ...update, ...tools }, ctx);
      const state = await storeUpdate({ ...update, fresh, chosen }, prepared, tools, ctx);
      if (state === undefined) continue; // a clean-up took unused files away that we had counted on
      incoming.clear();
      return { state, ...fetched };
    }
  } finally {
    spool.close();
    rmSync(folder, { recursive: true, force: true });
  }
}

type Fetched = Pick<TakenOver, 'files' | 'bytes'>;

function sum(...all: readonly Fetched[]): Fetched {
  return { files: all.reduce((total, { files }) => total + files, 0), bytes: all.reduce((total, { bytes }) => total + bytes, 0) };
}

interface Reading extends Update {
  readonly spool: Spool;
  readonly folder: string;
}

/** What there is to read; nobody knows for an index of which nothing is told. */
function textBytes(indexes: readonly UpstreamIndex[]): number {
  return indexes.reduce((sum, { plain, companions = [] }) => sum + (plain?.size ?? Number.POSITIVE_INFINITY) + textBytes(companions), 0);
}

async function readIndexes(indexes: readonly UpstreamIndex[], reading: Reading, ctx: Context): Promise<IndexPackages[]> {
  const { mirror, known, format, upstream, spool, folder } = reading;
  const parts: IndexPackages[] = [];
  for (const index of indexes) {
    ctx.signal.throwIfAborted();
    // A filter needs to see everything, so nothing is taken over unread.
    const isSame = ({ name, sha256 }: KnownIndex): boolean => name === index.name && sha256 === indexDigest(index);
    const same = isChoosing(mirror) ? undefined : known?.indexes.find(isSame);
    if (same !== undefined) {
      parts.push({ index, known: same });
      continue;
    }
    ctx.report({ type: 'phase', subject: mirror.name, text: `reading ${index.name}` });
    const candidates: Candidate[] = [];
    for await (const batch of readIndex(index, { upstream, format: format.upstream, folder }, ctx)) {
      for (const offered of batch) candidates.push(spool.add(offered, index.name));
    }
    parts.push({ index, candidates });
  }
  return parts;
}
