/** Published files that releases share and that never change under their name: wheels in a pool, dated images. */
import { existsSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import type { ArtifactFile } from '../core/artifact.ts';
import { ArtifactsError } from '../core/errors.ts';
import type { Pool } from '../pool/index.ts';
import * as durable from '../util/durable.ts';
import { hashFile } from '../util/hash-file.ts';
import { safeJoin } from '../util/safe-path.ts';

/** Makes the files visible; those there already are left alone. Throws E_CONFLICT when one has other bytes. */
export async function linkShared(files: readonly ArtifactFile[], { pool, publicRoot }: { readonly pool: Pool; readonly publicRoot: string }): Promise<void> {
  const folders = new Set<string>();
  for (const file of files) {
    const path = safeJoin(publicRoot, file.path);
    if (existsSync(path)) {
      await refuseOther(path, file);
      continue;
    }
    durable.makeFolderDurably(dirname(path));
    pool.link(file.sha256, path);
    folders.add(dirname(path));
  }
  for (const folder of folders) durable.flushFolder(folder);
}

async function refuseOther(path: string, { path: name, size, sha256 }: ArtifactFile): Promise<void> {
  if (statSync(path).size === size && (await hashFile(path)) === sha256) return;
  throw new ArtifactsError('E_CONFLICT', `${name} is published already, with other bytes`, {
    hint: 'A published file never changes; a build with other bytes needs another name, such as a build tag or date.',
  });
}

/** Removes files that no artifact stands for any more; the folders they leave empty stay. */
export function unlinkShared(paths: Iterable<string>, publicRoot: string): number {
  let removed = 0;
  for (const path of paths) {
    const file = safeJoin(publicRoot, path);
    if (!existsSync(file)) continue;
    durable.removeFile(file);
    removed += 1;
  }
  return removed;
}
