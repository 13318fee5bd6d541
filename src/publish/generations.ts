/** What becomes of generations that are no longer served, and of publications whose switch was interrupted. */
import { existsSync, lstatSync, readlinkSync } from 'node:fs';
import { dirname } from 'node:path';
import type { Catalog } from '../catalog/catalog.ts';
import type { Generation, Publication, PublishIntent } from '../catalog/publications.ts';
import type { Clock } from '../core/context.ts';
import { formatOf } from '../formats/index.ts';
import * as durable from '../util/durable.ts';
import { removeOthers } from './generation-folders.ts';
import { distributionLink, generationFolder, generationsFolder, linkTarget, type Place } from './layout.ts';

/** Clients in the middle of a generation may go on with it while either rule keeps it. */
export interface KeepRule {
  /** How many generations are kept, the served one included. */
  readonly generations: number;
  /** How long a generation is kept after it was replaced, milliseconds. */
  readonly milliseconds: number;
}

interface GenerationTools {
  readonly catalog: Catalog;
  readonly publicRoot: string;
  readonly clock: Clock;
  readonly keep: KeepRule;
}

/** The rule at a point in time. */
export interface KeepNow {
  readonly keep: KeepRule;
  readonly now: Date;
  /** Generations about to be added, which count as the newest. */
  readonly coming?: number;
}

/** Those of a distribution that clients may still be in the middle of; of what is no longer served only time decides. */
export function keptGenerations(generations: readonly Generation[], { keep, now, coming = 0 }: KeepNow): Generation[] {
  const isServed = coming > 0 || generations.some(({ retiredAt }) => retiredAt === undefined);
  const newest = isServed ? keep.generations - coming : 0;
  return generations.filter(({ retiredAt }, index) => {
    if (retiredAt === undefined || generations.length - index <= newest) return true;
    return now.getTime() - new Date(retiredAt).getTime() <= keep.milliseconds;
  });
}

/** Removes generations that no rule keeps, and folders that no generation stands for. */
export function pruneGenerations(place: Place, tools: GenerationTools): void {
  const { publications } = tools.catalog;
  const generations = publications.generations(place.prefix, place.distribution);
  const kept = keptGenerations(generations, { keep: tools.keep, now: tools.clock() });
  const gone = generations.filter((generation) => !kept.includes(generation));
  if (gone.length > 0) {
    tools.catalog.transaction(() => {
      for (const { number } of gone) publications.dropGeneration(place.prefix, place.distribution, number);
    });
  }
  removeOthers(generationsFolder(place), kept);
}

/**
 * Brings catalog and trees together after a run was stopped between announcing a switch and recording it: what the link
 * says happened. A link that is gone without such an announcement was on its way to be dropped, or somebody removed it:
 * it is put back. To be called whenever the aptly lock was taken.
 */
export function recoverPublications(tools: Omit<GenerationTools, 'keep'>): void {
  for (const intent of tools.catalog.publications.intents()) {
    const { publications } = tools.catalog;
    if (isSwitched(intent, tools.publicRoot)) {
      tools.catalog.transaction(() => publications.finish(intent, tools.clock().toISOString()));
    } else {
      durable.removeTree(generationFolder({ publicRoot: tools.publicRoot, ...intent }, intent.generation));
      tools.catalog.transaction(() => publications.abandon(intent.prefix, intent.distribution));
    }
  }
  for (const publication of tools.catalog.publications.list()) restoreLink(publication, tools.publicRoot);
}

function restoreLink(publication: Publication, publicRoot: string): void {
  const place: Place = { publicRoot, prefix: publication.prefix, distribution: publication.distribution };
  const format = formatOf(publication.format).publishing;
  const link = distributionLink(place, format);
  if (lstatSync(link, { throwIfNoEntry: false }) !== undefined) return;
  if (!existsSync(generationFolder(place, publication.generation))) return; // `db check` tells; publishing again mends
  durable.makeFolderDurably(dirname(link));
  durable.switchLink(link, linkTarget(place, format, publication.generation));
}

function isSwitched(intent: PublishIntent, publicRoot: string): boolean {
  const place: Place = { publicRoot, prefix: intent.prefix, distribution: intent.distribution };
  return isServing(place, intent);
}

/** True when the link clients read through points at the generation. */
export function isServing(place: Place, what: Pick<Publication, 'format' | 'generation'>): boolean {
  const format = formatOf(what.format).publishing;
  try {
    return readlinkSync(distributionLink(place, format)) === linkTarget(place, format, what.generation);
  } catch {
    return false; // no link, or something else in its place
  }
}

/** Stops serving a distribution. Its generations stay until the keep rule lets them go. */
export function dropPublication(publication: Publication, tools: GenerationTools): void {
  const place: Place = { publicRoot: tools.publicRoot, prefix: publication.prefix, distribution: publication.distribution };
  const link = distributionLink(place, formatOf(publication.format).publishing);
  durable.removeFile(link);
  if (existsSync(dirname(link))) durable.flushFolder(dirname(link));
  tools.catalog.transaction(() =>
    tools.catalog.publications.drop(publication.prefix, publication.distribution, tools.clock().toISOString()),
  );
}
