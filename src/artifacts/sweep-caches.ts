/** Caches of artifact kinds do not grow for ever: what no run used for long goes, and is made or fetched again when needed. */
import { rmSync } from 'node:fs';
import type { LockFolder } from '../catalog/lock.ts';
import type { Clock, Context } from '../core/context.ts';
import type { ArtifactKind, Kept, Workshop } from './kind.ts';

const UNUSED_MILLISECONDS = 30 * 24 * 60 * 60 * 1000;

export interface SweepRequest {
  readonly workshop: Pick<Workshop, 'cache'>;
  readonly locks: LockFolder;
  readonly clock: Clock;
  readonly dryRun: boolean;
}

/** Removes entries that no run used for 30 days, or only counts them. Returns how many. What somebody works with stays. */
export async function sweepCaches(kinds: readonly ArtifactKind[], request: SweepRequest, ctx: Context): Promise<number> {
  const { workshop, locks, clock, dryRun } = request;
  const before = clock().getTime() - UNUSED_MILLISECONDS;
  const unused = kinds.flatMap((kind) => kind.kept?.(workshop.cache) ?? []).filter(({ used }) => used < before);
  const free = unused.filter(({ lock }) => lock === undefined || !locks.isHeld(lock));
  for (const entry of dryRun ? [] : free) {
    ctx.signal.throwIfAborted();
    if (entry.lock === undefined) remove(entry);
    else await locks.hold(entry.lock, ctx, async () => remove(entry));
  }
  return free.length;
}

function remove({ paths }: Kept): void {
  for (const path of paths) rmSync(path, { recursive: true, force: true });
}
