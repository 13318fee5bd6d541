import type { ArtifactFile } from '../core/artifact.ts';
import type { Sha256 } from '../core/digest.ts';

/** Lists of files as the catalog keeps them: [[sha256, size, path], …]. */
export function packFiles(files: readonly ArtifactFile[]): string {
  return JSON.stringify(files.map(({ sha256, size, path }) => [sha256, size, path]));
}

export function unpackFiles(packed: string): ArtifactFile[] {
  return (JSON.parse(packed) as [Sha256, number, string][]).map(([sha256, size, path]) => ({ path, size, sha256 }));
}
