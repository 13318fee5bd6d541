/** Updating a mirror: all or nothing for its content, file by file for the pool. */
import type { Catalog } from '../catalog/catalog.ts';
import type { LockFolder } from '../catalog/lock.ts';
import { isTrusted, type MirrorState } from '../catalog/mirrors.ts';
import type { Clock, Context } from '../core/context.ts';
import { isArtifactsError } from '../core/errors.ts';
import { formatOf } from '../formats/index.ts';
import { isAbsentError } from '../http/upstream.ts';
import type { Pool } from '../pool/index.ts';
import type { MirrorDefinition } from './definition.ts';
import type { MirrorUpstream } from './listed-upstream.ts';
import { fetchRoot, type FreshRoot, type UpdateOptions } from './root.ts';

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
  open(ctx: Context): Promise<MirrorUpstream>;
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
    const upstream = await open(ctx);
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

async function updateFrom(upstream: MirrorUpstream, { mirror, options }: Wish, tools: MirrorTools, ctx: Context): Promise<MirrorUpdate> {
  const format = formatOf(mirror.format);
  const before = tools.catalog.mirrors.get(mirror.name);
  const redefined = before !== undefined && before.inputs !== mirror.inputs;
  const ask = (force: boolean): Promise<FreshRoot | undefined> =>
    fetchRoot(mirror, { before, options: { ...options, force } }, { upstream, format, clock: tools.clock }, ctx);

  ctx.report({ type: 'phase', subject: mirror.name, text: 'asking the upstream' });
  const fresh = await ask(options.force === true || redefined);
  if (fresh === undefined) return unchanged(mirror, before, tools);
  const known = redefined || options.force === true || before === undefined || !isTrusted(before) ? undefined : before;
  // Loaded here, so that an unchanged upstream, which is what most updates find, does not pay for it.
  const { takeOver } = await import('./take-over.ts');
  const update = async (root: FreshRoot): Promise<MirrorUpdate> => {
    const { state, ...fetched } = await takeOver(root, { mirror, known, format, upstream }, tools, ctx);
    return summary(state, { changed: true, ...fetched });
  };
  try {
    return await update(fresh);
  } catch (error) {
    if (!mayBeOvertaken(error)) throw error;
    // The upstream published while we were reading: once more from its new root metadata, if it has one.
    const newer = await ask(true);
    if (newer === undefined || newer.state.sha256 === fresh.state.sha256) throw error;
    ctx.report({ type: 'note', message: `${mirror.name}: the upstream changed meanwhile; starting over` });
    return update(newer);
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

function summary(state: MirrorState, changes: Pick<MirrorUpdate, 'changed' | 'files' | 'bytes'>): MirrorUpdate {
  return {
    mirror: state.name,
    packages: state.content.count,
    date: state.root.date,
    signedBy: state.root.signedBy,
    ...changes,
  };
}
