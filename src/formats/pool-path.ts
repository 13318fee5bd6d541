import type { Sha256 } from '../core/digest.ts';
import { ArtifactsError } from '../core/errors.ts';
import type { FileRef } from '../core/package.ts';

/**
 * Where a package file lies below a publication's prefix. The digest makes the path immutable and the same in every
 * release and on every host; the name is kept behind it for people and for tools that look at it.
 */
export function poolPath(file: Pick<FileRef, 'name' | 'sha256'>): string {
  return `pool/${file.sha256.slice(0, 2)}/${file.sha256}_${file.name}`;
}

/** The longest name of a file on common file systems, less the digest that stands before it in the published pool. */
const LONGEST_NAME = 255 - 65;

/**
 * What a package file of this name is called here: as before it was published so, since whoever takes from a publication
 * of ours has the same packages. Throws E_PATH for a name too long to be published; `path` is what it ends, for messages.
 */
export function packageFileName(name: string, sha256: Sha256, path: () => string): string {
  const own = name.startsWith(`${sha256}_`) ? name.slice(sha256.length + 1) : name;
  if (Buffer.byteLength(own) <= LONGEST_NAME) return own;
  throw new ArtifactsError('E_PATH', `${path()} ends in a name longer than ${LONGEST_NAME} bytes`);
}
