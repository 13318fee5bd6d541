/** Folders that hold generations, each in a folder called by its number. */
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { removeTree } from '../util/durable.ts';

interface Numbered {
  readonly number: number;
}

/** Above every number in use: recorded, or left on disk by a run that was stopped. */
export function nextNumber(recorded: readonly Numbered[], folder: string): number {
  const onDisk = namesIn(folder).map(Number).filter(Number.isInteger);
  return Math.max(0, ...recorded.map(({ number }) => number), ...onDisk) + 1;
}

/** Removes the folders of all generations but these. */
export function removeOthers(folder: string, kept: readonly Numbered[]): void {
  const names = new Set(kept.map(({ number }) => String(number)));
  for (const name of namesIn(folder)) if (!names.has(name)) removeTree(join(folder, name));
}

/** None where nothing was published yet. */
function namesIn(folder: string): string[] {
  return existsSync(folder) ? readdirSync(folder) : [];
}
