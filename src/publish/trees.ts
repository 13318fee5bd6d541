/**
 * Folders that are published as a whole, for what is no repository: git archives, wheels, images' indexes. As with
 * distributions, a new generation is written beside the served one and becomes visible by one rename of a symbolic link.
 * The caller holds the aptly lock.
 */
import { existsSync, lstatSync, readlinkSync } from 'node:fs';
import { basename, dirname, join, relative } from 'node:path';
import type { Catalog } from '../catalog/catalog.ts';
import type { Tree } from '../catalog/trees.ts';
import type { ArtifactFile } from '../core/artifact.ts';
import type { Clock } from '../core/context.ts';
import type { Sha256 } from '../core/digest.ts';
import { ArtifactsError } from '../core/errors.ts';
import type { Pool } from '../pool/index.ts';
import * as durable from '../util/durable.ts';
import { safeJoin } from '../util/safe-path.ts';
import { nextNumber, removeOthers } from './generation-folders.ts';
import type { KeepRule } from './generations.ts';

export interface TreeTools {
  readonly catalog: Catalog;
  readonly pool: Pool;
  readonly publicRoot: string;
  readonly clock: Clock;
  readonly keep: KeepRule;
}

export interface TreeRequest {
  /** The folder, below the public one. */
  readonly place: string;
  /** The release it belongs to; empty where releases share it. */
  readonly release: string;
  /** Fingerprint of what it was made from. */
  readonly inputs: Sha256;
  /** All it will hold; their paths are below the place, their bytes in the pool. */
  readonly files: readonly ArtifactFile[];
}

/** Beside the link that clients follow, so that the switch stays within one file system. */
const GENERATIONS = '.trees';

/** Serves exactly these files at the place. Throws E_CONFLICT when something else lies there that is not ours. */
export async function publishTree(request: TreeRequest, tools: TreeTools): Promise<Tree> {
  const { catalog, pool, publicRoot, clock } = tools;
  const { place } = request;
  const link = safeJoin(publicRoot, place);
  refuseForeign(link, place);
  const tree = { ...request, number: nextNumber(catalog.trees.generations(place), generationsFolder(publicRoot, place)), publishedAt: clock().toISOString() };
  catalog.transaction(() => catalog.trees.announce(tree));
  const folder = generationFolder(publicRoot, tree);
  durable.makeFolderDurably(dirname(folder));
  durable.removeTree(folder);
  durable.makeFolder(folder);
  for (const file of request.files) {
    const path = safeJoin(folder, file.path);
    durable.makeFolder(dirname(path));
    if (!pool.link(file.sha256, path)) throw new Error(`${place} lists ${file.path} twice`);
  }
  await durable.flushTree(folder);
  durable.flushFolder(dirname(folder));
  durable.makeFolderDurably(dirname(link));
  durable.switchLink(link, linkTarget(publicRoot, tree));
  catalog.transaction(() => catalog.trees.serve(place, tree.number, clock().toISOString()));
  pruneTrees(place, tools);
  return tree;
}

/** True when clients who follow the place's link see this generation. */
export function isTreeServed(tree: Pick<Tree, 'place' | 'number'>, publicRoot: string): boolean {
  try {
    return readlinkSync(safeJoin(publicRoot, tree.place)) === linkTarget(publicRoot, tree);
  } catch {
    return false; // no link, or something else in its place
  }
}

/** Stops serving a place. Its generations stay for those who are in the middle of them. */
export function dropTree(place: string, { catalog, publicRoot, clock }: TreeTools): void {
  const link = safeJoin(publicRoot, place);
  durable.removeFile(link);
  if (existsSync(dirname(link))) durable.flushFolder(dirname(link));
  catalog.transaction(() => catalog.trees.retire(place, clock().toISOString()));
}

/** What the links say happened, after a run was stopped between announcing a generation and recording its switch. */
export function recoverTrees({ catalog, publicRoot, clock }: Pick<TreeTools, 'catalog' | 'publicRoot' | 'clock'>): void {
  for (const tree of catalog.trees.coming()) {
    if (isTreeServed(tree, publicRoot)) {
      catalog.transaction(() => catalog.trees.serve(tree.place, tree.number, clock().toISOString()));
    } else {
      durable.removeTree(generationFolder(publicRoot, tree));
      catalog.transaction(() => catalog.trees.drop(tree.place, tree.number));
    }
  }
  for (const tree of catalog.trees.list()) restoreLink(tree, publicRoot);
}

function restoreLink(tree: Tree, publicRoot: string): void {
  const link = safeJoin(publicRoot, tree.place);
  if (lstatSync(link, { throwIfNoEntry: false }) !== undefined || !existsSync(generationFolder(publicRoot, tree))) return;
  durable.makeFolderDurably(dirname(link));
  durable.switchLink(link, linkTarget(publicRoot, tree));
}

/** Removes generations that no rule keeps, and folders that none stands for. */
export function pruneTrees(place: string, { catalog, publicRoot, clock, keep }: Omit<TreeTools, 'pool'>): void {
  const generations = catalog.trees.generations(place);
  const kept = generations.filter(({ retiredAt }, index) => {
    if (retiredAt === undefined || generations.length - index <= keep.generations) return true;
    return clock().getTime() - new Date(retiredAt).getTime() <= keep.milliseconds;
  });
  const gone = generations.filter((generation) => !kept.includes(generation));
  if (gone.length > 0) {
    catalog.transaction(() => {
      for (const { number } of gone) catalog.trees.drop(place, number);
    });
  }
  removeOthers(generationsFolder(publicRoot, place), kept);
}

/** A folder or file that somebody put where ours is to be seen: renaming over it fails, and removing it is not for us. */
function refuseForeign(link: string, place: string): void {
  const found = lstatSync(link, { throwIfNoEntry: false });
  if (found === undefined || found.isSymbolicLink()) return;
  throw new ArtifactsError('E_CONFLICT', `${place} is in the way: it was not published by artifacts`, {
    hint: `Move ${link} aside.`,
  });
}

function generationsFolder(publicRoot: string, place: string): string {
  const link = safeJoin(publicRoot, place);
  return join(dirname(link), GENERATIONS, basename(link));
}

function generationFolder(publicRoot: string, { place, number }: Pick<Tree, 'place' | 'number'>): string {
  return join(generationsFolder(publicRoot, place), String(number));
}

/** Relative, so that the public folder may be copied or served from elsewhere. */
function linkTarget(publicRoot: string, tree: Pick<Tree, 'place' | 'number'>): string {
  return relative(dirname(safeJoin(publicRoot, tree.place)), generationFolder(publicRoot, tree));
}
