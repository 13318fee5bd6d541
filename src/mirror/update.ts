/** Updating a mirror: all or nothing for its content, file by file for the pool. */
import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { Catalog } from '../catalog/catalog.ts';
import type { LockFolder } from '../catalog/lock.ts';
import type { KnownIndex, MirrorState } from '../catalog/mirrors.ts';
import type { Clock, Context } from '../core/context.ts';
import { EMPTY_SHA256 } from '../core/digest.ts';
import { ArtifactsError, isArtifactsError } from '../core/errors.ts';
import type { RepoFormat, UpstreamIndex } from '../formats/format.ts';
import { formatOf } from '../formats/index.ts';
import { isAbsentError, type Upstream } from '../http/upstream.ts';
import type { Pool } from '../pool/index.ts';
import type { MirrorDefinition } from './definition.ts';
import { fetchFiles } from './files.ts';
import { readIndex, type IndexPackages } from './indexes.ts';
import { fetchRoot, type FreshRoot, type UpdateOptions } from './root.ts';
import { selectPackages } from './select.ts';
import { openSpool, type Candidate, type Spool } from './spool.ts';
import { prepareUpdate, storeUpdate } from './store.ts';

export interface MirrorTools {
  readonly catalog: Catalog;
  readonly pool: Pool;
  readonly locks: LockFolder;
  readonly clock: Clock;
  /** For what need not outlive the run. */
  readonly temporary: string;
}

/** A definition and how to reach its upstream: opened when it is asked, closed by the update. */
export interface MirrorSource {
  readonly definition: MirrorDefinition;
  open(): Promise<Upstream>;
}

export interface MirrorUpdate {
  readonly mirror: string;
  readonly changed: boolean;
  readonly packages: number;
  /** Package files fetched, and their bytes. */
  readonly files: number;
  readonly bytes: number;
  /** Date of the upstream's root metadata, ISO 8601. */
  readonly date: string;
  readonly signedBy: readonly string[];
}

/** Updates the mirror. On any failure its last good state stays; files that came whole stay in the pool. */
export async function updateMirror(
  { definition: mirror, open }: MirrorSource,
  options: UpdateOptions,
  tools: MirrorTools,
  ctx: Context,
): Promise<MirrorUpdate> {
  return tools.locks.hold(`mirror-${mirror.name}`, ctx, async () => {
    const upstream = await open();
    try {
      return await updateFrom(upstream, { mirror, options }, tools, ctx);
    } finally {
      await upstream.close();
    }
  });
}

interface Wish {
  readonly mirror: MirrorDefinition;
  readonly options: UpdateOptions;
}

async function updateFrom(upstream: Upstream, { mirror, options }: Wish, tools: MirrorTools, ctx: Context): Promise<MirrorUpdate> {
  const format = formatOf(mirror.format);
  const before = tools.catalog.mirrors.get(mirror.name);
  const redefined = before !== undefined && before.inputs !== mirror.inputs;
  const ask = (force: boolean): Promise<FreshRoot | undefined> =>
    fetchRoot(mirror, { before, options: { ...options, force } }, { upstream, format, clock: tools.clock }, ctx);

  ctx.report({ type: 'phase', subject: mirror.name, text: 'asking the upstream' });
  const fresh = await ask(options.force === true || redefined);
  if (fresh === undefined) return unchanged(mirror, before, tools);
  const known = redefined || options.force === true ? undefined : before;
  try {
    return await updateTo(fresh, { mirror, known, format, upstream }, tools, ctx);
  } catch (error) {
    if (!mayBeOvertaken(error)) throw error;
    // The upstream published while we were reading: once more from its new root metadata, if it has one.
    const newer = await ask(true);
    if (newer === undefined || newer.state.sha256 === fresh.state.sha256) throw error;
    ctx.report({ type: 'note', message: `${mirror.name}: the upstream changed meanwhile; starting over` });
    return updateTo(newer, { mirror, known, format, upstream }, tools, ctx);
  }
}

function mayBeOvertaken(error: unknown): boolean {
  return isAbsentError(error) || isArtifactsError(error, 'E_HASH') || isArtifactsError(error, 'E_SIZE');
}

async function unchanged(
  mirror: MirrorDefinition,
  before: MirrorState | undefined,
  { catalog, clock }: MirrorTools,
): Promise<MirrorUpdate> {
  if (before === undefined) throw new Error('A mirror without a state cannot be unchanged');
  catalog.transaction(() => catalog.mirrors.checked(mirror.name, clock().toISOString()));
  return summary(before, { changed: false, files: 0, bytes: 0 });
}

interface Update {
  readonly mirror: MirrorDefinition;
  /** The state whose unread indexes may be taken over. */
  readonly known: MirrorState | undefined;
  readonly format: RepoFormat;
  readonly upstream: Upstream;
}

async function updateTo(fresh: FreshRoot, update: Update, tools: MirrorTools, ctx: Context): Promise<MirrorUpdate> {
  const folder = join(tools.temporary, `mirror-${update.mirror.name}`);
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  const spool = openSpool(join(folder, 'spool'));
  try {
    const read = await readIndexes(fresh, { ...update, spool, folder }, ctx);
    const chosen = selectPackages(read, update, ctx);
    const candidates = chosen.flatMap((part) => ('candidates' in part ? part.candidates : []));
    const prepared = prepareUpdate({ ...update, fresh, chosen }, tools);
    const incoming = tools.pool.receive(`mirror-${update.mirror.name}`);
    let fetched = { files: 0, bytes: 0 };
    for (;;) {
      const more = await fetchFiles(candidates, { ...update, pool: tools.pool, incoming }, ctx);
      fetched = { files: fetched.files + more.files, bytes: fetched.bytes + more.bytes };
      const state = await storeUpdate({ ...update, fresh, chosen }, prepared, tools, ctx);
      if (state === undefined) continue; // a clean-up took unused files away that we had counted on
      incoming.clear();
      return summary(state, { changed: true, ...fetched });
    }
  } finally {
    spool.close();
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Files the root metadata vouches for itself take the place of an index that was read. */
const LISTED_FILES: UpstreamIndex = { name: 'Release', kind: 'file', offers: [], plain: { size: 0, sha256: EMPTY_SHA256 } };

interface Reading extends Update {
  readonly spool: Spool;
  readonly folder: string;
}

async function readIndexes(fresh: FreshRoot, reading: Reading, ctx: Context): Promise<IndexPackages[]> {
  const { mirror, known, format, upstream, spool, folder } = reading;
  const parts: IndexPackages[] = [];
  for (const index of fresh.root.indexes) {
    ctx.signal.throwIfAborted();
    // A filter needs to see everything, so nothing is taken over unread.
    const isSame = ({ name, sha256 }: KnownIndex): boolean => name === index.name && sha256 === index.plain.sha256;
    const same = mirror.filter === undefined ? known?.indexes.find(isSame) : undefined;
    if (same !== undefined) {
      parts.push({ index, known: same });
      continue;
    }
    ctx.report({ type: 'phase', subject: mirror.name, text: `reading ${index.name}` });
    const candidates: Candidate[] = [];
    for await (const batch of readIndex(index, { upstream, format: format.upstream, folder }, ctx)) {
      for (const offered of batch) candidates.push(spool.add(offered));
    }
    parts.push({ index, candidates });
  }
  if (fresh.root.files.length > 0) parts.push({ index: LISTED_FILES, candidates: fresh.root.files.map((file) => spool.add(file)) });
  return parts;
}

function summary(state: MirrorState, changes: Pick<MirrorUpdate, 'changed' | 'files' | 'bytes'>): MirrorUpdate {
  return {
    mirror: state.name,
    packages: state.content.count,
    date: state.root.date,
    signedBy: state.root.signedBy,
    ...changes,
  };
}

/** The definition's mirror in the catalog. Throws E_NOT_FOUND when it was never updated. */
export function requireMirrorState(catalog: Catalog, name: string): MirrorState {
  const state = catalog.mirrors.get(name);
  if (state !== undefined) return state;
  throw new ArtifactsError('E_NOT_FOUND', `Mirror "${name}" has no content yet`, {
    hint: `Run \`artifacts mirror update ${name}\` first.`,
  });
}
