/** Package files in published pools that no kept generation of their prefix refers to. */
import { existsSync, readdirSync, readlinkSync, statSync, type Dirent } from 'node:fs';
import { join, relative } from 'node:path';
import type { Catalog } from '../catalog/catalog.ts';
import type { Clock, Context } from '../core/context.ts';
import { formatOf, formats } from '../formats/index.ts';
import * as durable from '../util/durable.ts';
import { GENERATIONS, prefixFolder } from './layout.ts';

export interface PublishedSweep {
  readonly catalog: Catalog;
  readonly publicRoot: string;
  readonly clock: Clock;
  readonly dryRun: boolean;
  /** Files stay at least this long after they were linked. */
  readonly grace: number;
}

/**
 * Removes them, and returns how many there were. Prefixes are looked for on disk, since one whose publications are all
 * dropped is no longer in the catalog. Where something is served that the catalog does not know nothing is removed.
 */
export function sweepPublished(sweep: PublishedSweep, ctx: Context): number {
  let removed = 0;
  for (const prefix of findPrefixes(sweep.publicRoot)) {
    const stranger = strangerIn(prefix, sweep);
    if (stranger === undefined) removed += sweepPrefix(prefix, sweep, ctx);
    else ctx.report({ type: 'warning', message: `${prefix} ${stranger} is served and not in the catalog; nothing below ${prefix} is removed` });
  }
  return removed;
}

function sweepPrefix(prefix: string, { catalog, publicRoot, clock, dryRun, grace }: PublishedSweep, ctx: Context): number {
  const needed = neededFiles(prefix, catalog);
  let removed = 0;
  for (const path of poolFolders().flatMap((name) => listFiles(join(prefixFolder({ publicRoot, prefix }), name)))) {
    ctx.signal.throwIfAborted();
    // A link shares the times of its file: the change of the link count tells when it was made.
    if (needed.has(relative(prefixFolder({ publicRoot, prefix }), path)) || clock().getTime() - statSync(path).ctimeMs < grace) continue;
    if (!dryRun) durable.removeFile(path);
    removed += 1;
  }
  return removed;
}

function neededFiles(prefix: string, catalog: Catalog): Set<string> {
  const needed = new Set<string>();
  for (const { format, contents } of catalog.publications.prefixes().filter((known) => known.prefix === prefix)) {
    const { publishing } = formatOf(format);
    for (const content of contents) {
      for (const { id } of catalog.contents.leaves(content)) {
        for (const head of catalog.members.heads(catalog.contents.members(id))) for (const path of publishing.poolPaths(head)) needed.add(path);
      }
    }
  }
  return needed;
}

/** Folders below the public one that something was ever published in. */
function findPrefixes(publicRoot: string, below = ''): string[] {
  const folders = entriesOf(join(publicRoot, below)).filter((entry) => entry.isDirectory());
  const ours = folders.some(({ name }) => name === GENERATIONS);
  const inner = folders.filter(({ name }) => !name.startsWith('.') && !(ours && reservedFolders().includes(name)));
  return [...(ours ? [below] : []), ...inner.flatMap(({ name }) => findPrefixes(publicRoot, join(below, name)))];
}

/** A distribution that is served from a generation and that the catalog says nothing of. */
function strangerIn(prefix: string, { catalog, publicRoot }: PublishedSweep): string | undefined {
  for (const { publishing } of Object.values(formats)) {
    const folder = join(prefixFolder({ publicRoot, prefix }), publishing.folders.distributions);
    for (const link of linksBelow(folder)) {
      const distribution = relative(folder, link);
      if (isLinkToGeneration(link) && catalog.publications.find(prefix, distribution) === undefined) return distribution;
    }
  }
  return undefined;
}

/** Links of distributions; other prefixes and pools that lie in the same folder are not looked into. */
function* linksBelow(folder: string): Generator<string> {
  for (const entry of entriesOf(folder)) {
    const path = join(folder, entry.name);
    if (entry.name.startsWith('.')) continue;
    if (entry.isSymbolicLink()) yield path;
    else if (entry.isDirectory() && !reservedFolders().includes(entry.name) && !existsSync(join(path, GENERATIONS))) yield* linksBelow(path);
  }
}

function isLinkToGeneration(path: string): boolean {
  try {
    return readlinkSync(path).includes(`${GENERATIONS}/`);
  } catch {
    return false; // a plain file
  }
}

function poolFolders(): string[] {
  return [...new Set(Object.values(formats).map(({ publishing }) => publishing.folders.pool))];
}

function reservedFolders(): string[] {
  return Object.values(formats).flatMap(({ publishing }) => Object.values(publishing.folders));
}

/** Files and links below a folder; links are not followed. */
function listFiles(folder: string): string[] {
  if (!existsSync(folder)) return [];
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => !entry.isDirectory())
    .map((entry) => join(entry.parentPath, entry.name));
}

function entriesOf(folder: string): Dirent[] {
  return existsSync(folder) ? readdirSync(folder, { withFileTypes: true }) : [];
}
