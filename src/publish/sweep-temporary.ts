/** What runs that were killed left in the folder for what need not outlive them. */
import { existsSync, lstatSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import type { LockFolder } from '../catalog/lock.ts';
import * as durable from '../util/durable.ts';

/**
 * Removes entries in which nothing was touched since `before`, milliseconds. A run that is still at work holds the lock
 * its entry is named after, or touches it; the next of its name would remove it as well, but may never come.
 */
export function sweepTemporary(folder: string, { before, locks }: { readonly before: number; readonly locks: LockFolder }): void {
  if (!existsSync(folder)) return;
  for (const name of readdirSync(folder)) {
    if (!locks.isHeld(name) && lastTouched(join(folder, name)) < before) durable.removeTree(join(folder, name));
  }
}

/** By the time of change, which unpacking an archive does not set back. */
function lastTouched(path: string): number {
  const stat = lstatSync(path, { throwIfNoEntry: false });
  if (stat === undefined) return Infinity;
  if (!stat.isDirectory()) return stat.ctimeMs;
  return readdirSync(path).reduce((last, name) => Math.max(last, lastTouched(join(path, name))), stat.ctimeMs);
}
