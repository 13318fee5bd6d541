import type { Sha256 } from '../core/digest.ts';
import type { FileRef } from '../core/package.ts';

/**
 * Where a package file lies below a publication's prefix. The digest makes the path immutable and the same in every
 * release and on every host; the name is kept behind it for people and for tools that look at it.
 */
export function poolPath(file: Pick<FileRef, 'name' | 'sha256'>): string {
  return `pool/${file.sha256.slice(0, 2)}/${file.sha256}_${file.name}`;
}

/** The name a file had before it was published so: what mirrors a publication of ours has the same packages. */
export function nameWithoutDigest(name: string, sha256: Sha256): string {
  return name.startsWith(`${sha256}_`) ? name.slice(sha256.length + 1) : name;
}
