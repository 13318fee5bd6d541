/** Publishing a repository as its upstream made it: same paths, same bytes, same signature. */
import { existsSync, lstatSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { Catalog } from '../catalog/catalog.ts';
import type { PublishedIndex } from '../catalog/publications.ts';
import type { Context } from '../core/context.ts';
import { standIn, type Sha256 } from '../core/digest.ts';
import type { FileRef, StoredRecord } from '../core/package.ts';
import type { Content } from '../core/snapshot.ts';
import type { RepoFormat } from '../formats/format.ts';
import type { Pool } from '../pool/index.ts';
import * as durable from '../util/durable.ts';
import { safeJoin } from '../util/safe-path.ts';
import { unpackFile } from '../util/unpack.ts';

export interface ExactTools {
  readonly catalog: Catalog;
  readonly pool: Pool;
  readonly format: RepoFormat;
}

/** Every file of such a repository by its path below the repository. */
export type ExactFiles = readonly FileRef[];

/**
 * The files of a content that is nothing but one exact repository, whole. Undefined for any other: with a package more or
 * less than the upstream signed, its signature says nothing of it.
 */
export async function exactFiles(content: Content, tools: ExactTools, ctx: Context): Promise<ExactFiles | undefined> {
  const members = exactMembers(content, tools);
  if (members === undefined) return undefined;
  const { record, packages, listed } = members;
  const { exact } = tools.format;
  if (exact === undefined) return undefined;
  const { file, packing } = exact.index(record);
  const own = new Set(record.files.map(({ sha256 }) => sha256));
  if (listed.some(({ files }) => files.some(({ sha256 }) => !own.has(sha256)))) return undefined;
  const found: FileRef[] = [...record.files];
  const named = new Set<Sha256>();
  for await (const { path, sha256 } of exact.places(record, unpackFile(tools.pool.path(file.sha256), packing, ctx.signal))) {
    const packed = packages.get(sha256);
    if (packed === undefined) return undefined;
    named.add(sha256);
    found.push({ ...packed, name: path });
  }
  return named.size === packages.size ? found : undefined;
}

interface ExactMembers {
  readonly record: StoredRecord;
  /** By their digest, or by what stood for it when they were listed. */
  readonly packages: ReadonlyMap<Sha256, FileRef>;
  readonly listed: readonly StoredRecord[];
}

function exactMembers(content: Content, { catalog, format }: ExactTools): ExactMembers | undefined {
  const { exact, publishing, upstream } = format;
  if (exact === undefined) return undefined;
  const leaves = catalog.contents.leaves(content.id);
  const isListed = ({ partition }: { readonly partition: string }): boolean => partition === publishing.listed.partition;
  const listed = leaves.filter(isListed).flatMap((leaf) => Array.from(catalog.contents.members(leaf.id), (id) => catalog.records.get(id)));
  const [record, ...others] = listed.filter((one) => exact.isExact(one));
  if (record === undefined || others.length > 0) return undefined;
  const packages = new Map<Sha256, FileRef>();
  for (const id of leaves.filter((leaf) => !isListed(leaf)).flatMap((leaf) => Array.from(catalog.contents.members(leaf.id)))) {
    const one = catalog.records.get(id);
    const other = upstream.others?.listed(one);
    const [file] = one.files;
    if (file !== undefined) packages.set(other === undefined ? file.sha256 : standIn(other), file);
  }
  return { record, packages, listed: listed.filter((one) => one !== record) };
}

/** Gives the files their names below a folder of a generation. Returns them by their paths below the distribution. */
export function linkExact(folder: string, base: string, files: ExactFiles, pool: Pool): PublishedIndex[] {
  return files.map(({ name, size, sha256 }) => {
    const path = join(base, name);
    const target = safeJoin(folder, path);
    durable.makeFolder(dirname(target));
    pool.link(sha256, target);
    return { path, size, sha256 };
  });
}

/** Files that clients in the middle of a kept generation may still ask for, where nothing newer has their name. */
export function carryExact(from: string, folder: string, files: readonly PublishedIndex[]): void {
  for (const { path } of files) {
    const target = join(folder, path);
    if (!existsSync(join(from, path)) || !isFree(target, folder)) continue;
    durable.makeFolder(dirname(target));
    durable.linkFile(join(from, path), target);
  }
}

/** Nothing lies there, nor a file where a folder above it would be. */
function isFree(target: string, folder: string): boolean {
  if (lstatSync(target, { throwIfNoEntry: false }) !== undefined) return false;
  for (let above = dirname(target); above.length > folder.length; above = dirname(above)) {
    const found = lstatSync(above, { throwIfNoEntry: false });
    if (found !== undefined) return found.isDirectory();
  }
  return true;
}
