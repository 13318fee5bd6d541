/** Whether a file on disk is what it should be. */
import { statSync } from 'node:fs';
import type { Sha256 } from '../core/digest.ts';
import type { Digested } from '../formats/format.ts';
import { hashFile } from '../util/hash-file.ts';

/** Where nobody tells the size, the digest must do. */
export type Expected = Pick<Digested, 'sha256'> & { readonly size?: number };

/** What is wrong with a file, in words that follow its name; undefined when nothing is. */
export type FileCheck = (path: string, expected: Expected) => Promise<string | undefined>;

/** With `hash` every file is read, but each only once however many names it has; without, its size must do. */
export function fileChecker({ hash }: { readonly hash: boolean }): FileCheck {
  const known = new Map<string, Sha256>();
  return async (path, { size, sha256 }) => {
    const found = statSync(path, { throwIfNoEntry: false });
    if (found === undefined || !found.isFile()) return 'is missing';
    if (size !== undefined && found.size !== size) return `has ${found.size} bytes instead of ${size}`;
    if (!hash) return undefined;
    const inode = `${found.dev} ${found.ino} ${found.mtimeMs}`;
    const digest = known.get(inode) ?? (await hashFile(path));
    known.set(inode, digest);
    return digest === sha256 ? undefined : 'has other bytes than it should';
  };
}
