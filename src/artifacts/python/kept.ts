/** What the cache of python artifacts has: files from indexes, wheels, and what builds said. */
import { existsSync, readdirSync, statSync, utimesSync } from 'node:fs';
import { join } from 'node:path';
import type { Kept, Workshop } from '../kind.ts';

export const CACHE = 'python';

/** All entries; each is touched when a run uses it. */
export function keptPython(cache: Workshop['cache']): readonly Kept[] {
  const folder = cache(CACHE);
  const below = (...names: string[]): string[] => {
    const path = join(folder, ...names);
    return existsSync(path) ? readdirSync(path).map((name) => join(path, name)) : [];
  };
  const shelves = ['files', 'wheels'].flatMap((kind) => below(kind)).flatMap((shelf) => readdirSync(shelf).map((name) => join(shelf, name)));
  return [...shelves, ...below('logs')].map((path) => ({ paths: [path], used: statSync(path).mtimeMs }));
}

/** An entry of one's own cache is in use: it stays for another while. */
export function touch(path: string): void {
  const now = new Date();
  utimesSync(path, now, now);
}
