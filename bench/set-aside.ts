/** Beginning anew without deleting. */
import { existsSync, renameSync, rmSync } from 'node:fs';

const aside: string[] = [];

/**
 * Moves what an earlier round left out of the way; it is removed when the bench ends. ext4 does not give out the inodes of
 * files that were removed within the last minutes, and looks past every one of them whenever a file is made: after
 * `rm -r` of thousands, making a file takes ten times as long.
 */
export function setAside(path: string): void {
  if (!existsSync(path)) return;
  if (aside.length === 0) process.once('exit', () => aside.forEach((old) => rmSync(old, { recursive: true, force: true })));
  const old = `${path}.${process.pid}-${aside.length}`;
  renameSync(path, old);
  aside.push(old);
}
