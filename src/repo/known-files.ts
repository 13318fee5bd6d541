/**
 * Files that were read before and have not changed since: a folder that is given again and again is not read again and
 * again. What stands in the pool was read and hashed when it came; nothing is believed of a file but that it is the same.
 */
import { statSync } from 'node:fs';
import { resolve } from 'node:path';
import type { Catalog } from '../catalog/catalog.ts';
import type { SeenFile, SeenFiles } from '../catalog/seen-files.ts';
import type { RepoFormat } from '../formats/format.ts';
import type { Pool } from '../pool/index.ts';
import { entrantOf, type Entrant } from './change.ts';
import type { FoundFile } from './find-files.ts';

export interface KnownFiles {
  /** What these files are, by their paths; those that are new, or not what they were, are left out. */
  find(files: readonly FoundFile[]): ReadonlyMap<string, Entrant>;
  /** Whether the catalog still has all that `find` found of these: to be asked under the aptly lock. */
  hold(entrants: readonly Entrant[]): boolean;
  /** Remembers what was read of files that `find` left out. Call it when all of it is recorded. */
  remember(entrants: readonly Entrant[]): void;
}

export interface KnownFilesTools {
  readonly format: RepoFormat;
  readonly catalog: Catalog;
  readonly pool: Pool;
  readonly seen: Omit<SeenFiles, 'keepSeenFiles'>;
}

/** For a few files it is cheaper to read them. */
const FEW_FILES = 64;
/** A change so soon after the last one may leave the times as they were. */
const SETTLED_MILLISECONDS = 2000;
/** To be raised when packages are described otherwise than before. */
const READING = 1;

export function openKnownFiles({ format, catalog, pool, seen }: KnownFilesTools): KnownFiles {
  const stamps = new Map<string, string>();
  const isWhole = ({ files }: Pick<Entrant, 'files'>): boolean => files.every(({ sha256 }) => pool.has(sha256));
  return {
    find: (files) => {
      stamps.clear();
      if (files.length < FEW_FILES) return new Map();
      const before = Date.now() - SETTLED_MILLISECONDS;
      const byPath = new Map<string, string>();
      for (const { path, kind, expected } of files) {
        const stamp = kind === 'package' && expected === undefined ? stampOf(path, before) : undefined;
        if (stamp === undefined) continue;
        byPath.set(resolve(path), path);
        stamps.set(path, stamp);
      }
      const same = seen.seenFiles([...byPath.keys()]).filter(({ path, stamp }) => stamps.get(byPath.get(path) ?? '') === stamp);
      const found = new Map<string, Entrant>();
      for (const [{ path }, head] of withHeads(same, catalog)) {
        const given = byPath.get(path) ?? path;
        const entrant = entrantOf(head, given);
        if (head.format !== format.id || !isWhole(entrant)) continue;
        found.set(given, entrant);
        stamps.delete(given);
      }
      return found;
    },
    hold: (entrants) => {
      const numbered = entrants.filter(({ source }) => typeof source === 'number');
      const ids = catalog.members.find(numbered.map(({ digest }) => digest));
      return numbered.every(({ source }, at) => source === ids[at]);
    },
    remember: (entrants) => {
      const list = entrants.flatMap(({ origin, digest, files }): SeenFile[] => {
        const [stamp, file] = [stamps.get(origin), files[0]];
        return stamp === undefined || file === undefined ? [] : [{ path: resolve(origin), stamp, file: file.sha256, record: digest }];
      });
      if (list.length > 0) seen.putSeenFiles(list);
    },
  };
}

/** Undefined for a file that changed just now. Whoever writes to a file changes its ctime, which nobody can set. */
function stampOf(path: string, before: number): string | undefined {
  const stat = statSync(path, { bigint: true, throwIfNoEntry: false });
  if (stat === undefined || stat.ctimeNs / 1_000_000n >= BigInt(before)) return undefined;
  return [READING, stat.dev, stat.ino, stat.size, stat.mtimeNs, stat.ctimeNs].join(' ');
}

function withHeads(seen: readonly SeenFile[], { members }: Catalog): (readonly [SeenFile, ReturnType<Catalog['members']['heads']>[number]])[] {
  const ids = members.find(seen.map(({ record }) => record));
  const known = seen.flatMap((file, at) => (ids[at] === undefined ? [] : [{ file, id: ids[at] }]));
  const heads = members.heads(Uint32Array.from(known, ({ id }) => id));
  return heads.map((head, at) => [known[at]?.file as SeenFile, head] as const);
}
