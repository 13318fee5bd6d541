import type { FileRef } from '../core/package.ts';

/**
 * Where a package file lies below a publication's prefix. The digest makes the path immutable and the same in every
 * release and on every host; the name is kept behind it for people and for tools that look at it.
 */
export function poolPath(file: Pick<FileRef, 'name' | 'sha256'>): string {
  return `pool/${file.sha256.slice(0, 2)}/${file.sha256}_${file.name}`;
}
