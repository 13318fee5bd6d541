/** Bringing found packages into pool and catalog. */
import { constants, copyFileSync, rmSync, statSync } from 'node:fs';
import type { Catalog } from '../catalog/catalog.ts';
import type { Context } from '../core/context.ts';
import type { Sha256 } from '../core/digest.ts';
import { ArtifactsError, fromSystemError, hasCode } from '../core/errors.ts';
import type { Member } from '../core/leaf-cutter.ts';
import { compareMembers } from '../core/member-order.ts';
import { recordDigest, type FileRef } from '../core/package.ts';
import type { Content } from '../core/snapshot.ts';
import type { RepoFormat } from '../formats/format.ts';
import type { Pool } from '../pool/index.ts';
import { hashFile } from '../util/hash-file.ts';
import type { FoundPackage } from './found.ts';

export interface StoreTools {
  readonly catalog: Catalog;
  readonly pool: Pool;
  readonly format: RepoFormat;
}

export interface Stored {
  readonly files: number;
  readonly bytes: number;
}

/**
 * Copies files that the pool lacks, sharing their blocks where the file system can (a link would share their mode and
 * fate as well). Each is hashed before it counts. One import at a time: the caller holds a lock. Throws E_HASH, E_SIZE,
 * E_NOT_FOUND.
 */
export async function storeFiles(packages: Iterable<FoundPackage>, { pool }: StoreTools, ctx: Context): Promise<Stored> {
  const incoming = pool.receive('import');
  const wanted = new Map<Sha256, { readonly file: FileRef; readonly path: string }>();
  for (const { record, paths } of packages) {
    for (const [index, file] of record.files.entries()) wanted.set(file.sha256, { file, path: paths[index] ?? '' });
  }
  let files = 0;
  let bytes = 0;
  for (const { file, path } of wanted.values()) {
    ctx.signal.throwIfAborted();
    if (pool.has(file.sha256)) continue;
    ctx.report({ type: 'progress', id: 'import', label: 'importing files', done: files, total: wanted.size, unit: 'files' });
    await receive(path, file, incoming.partial(file.sha256));
    await incoming.complete(file.sha256);
    files += 1;
    bytes += file.size;
  }
  await incoming.settle();
  incoming.clear();
  if (files > 0) ctx.report({ type: 'progress-end', id: 'import' });
  return { files, bytes };
}

async function receive(from: string, { name, size, sha256 }: FileRef, to: string): Promise<void> {
  try {
    rmSync(to, { force: true });
    copyFileSync(from, to, constants.COPYFILE_FICLONE);
  } catch (error) {
    if (hasCode(error, 'ENOENT')) {
      throw new ArtifactsError('E_NOT_FOUND', `The file ${from} of ${name} is missing`, { cause: error });
    }
    throw fromSystemError(error, `copying ${from}`);
  }
  const problem = statSync(to).size !== size ? 'E_SIZE' : (await hashFile(to)) !== sha256 ? 'E_HASH' : undefined;
  if (problem === undefined) return;
  rmSync(to, { force: true });
  throw new ArtifactsError(problem, `${from} is not the file it should be: ${name}, SHA256 ${sha256}`, {
    hint: 'It was changed since it was recorded; get it anew from where it came from.',
  });
}

/** The content with these packages. To be called within a transaction under the aptly lock. Throws E_STATE. */
export function storeContent(packages: readonly FoundPackage[], { catalog, pool, format }: StoreTools): Content {
  const lost = packages.flatMap(({ record }) => record.files).find(({ sha256 }) => !pool.has(sha256));
  if (lost !== undefined) {
    throw new ArtifactsError('E_STATE', `The pool lost ${lost.name} to a clean-up meanwhile`, { hint: 'Run the same command again.' });
  }
  const entries = packages.map(({ record }) => ({ ...record, digest: recordDigest(record), record }));
  entries.sort((a, b) => compareMembers(a, b, format.compareVersions));
  const members = entries.map(({ record, digest }): Member => {
    const { partition, name, text } = record;
    return { id: catalog.records.find(digest) ?? catalog.records.add(record, digest), digest, partition, name, size: text.length };
  });
  return catalog.contents.storeMembers(members);
}
