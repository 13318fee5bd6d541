import type { Sha256 } from '../../core/digest.ts';

/**
 * Where a package file lies below a publication's prefix. The digest makes the path immutable and the same in every
 * release and on every host; the name is kept behind it for people and for tools that look at it.
 */
export function poolPath(file: { readonly name: string; readonly sha256: Sha256 }): string {
  return `pool/${file.sha256.slice(0, 2)}/${file.sha256}_${file.name}`;
}
