import { apt } from './apt/index.ts';
import type { RepoFormat } from './format.ts';
import { rpm } from './rpm/index.ts';

/** Every repository format: one folder beside this file, one name here. */
export const formats = { apt, rpm } satisfies Record<string, RepoFormat>;

/** The format with this id, as the catalog recorded it. */
export function formatOf(id: string): RepoFormat {
  const found = Object.entries(formats).find(([name]) => name === id)?.[1];
  if (found === undefined) throw new Error(`Unknown repository format ${id} in the catalog`);
  return found;
}
