/** Packages of our own, which no mirror has: what is added to a local repository. */
import { createHash } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { buildDeb } from '../test/rig/deb.ts';

export const LOCAL_DEBS = 5000;

/** Writes the packages into the folder: some kilobytes each, always the same bytes. */
export function writeLocalDebs(folder: string): void {
  mkdirSync(folder, { recursive: true });
  for (let at = 0; at < LOCAL_DEBS; at += 1) {
    const name = `local-${at}`;
    // Digests do not compress, so that the files are as large as they are meant to be.
    const data = Buffer.concat(Array.from({ length: 96 }, (_, part) => createHash('sha256').update(`${name} ${part}`).digest()));
    const deb = buildDeb({ name, files: { [`usr/share/${name}/data`]: data }, fields: { Depends: 'libc6 (>= 2.14)' } });
    writeFileSync(join(folder, deb.fileName), deb.bytes);
  }
}
