/** What becomes of generations that are no longer served, and of publications whose switch was interrupted. */
import { readdirSync, readlinkSync } from 'node:fs';
import { join } from 'node:path';
import type { Catalog } from '../catalog/catalog.ts';
import type { Generation, Publication, PublishIntent } from '../catalog/publications.ts';
import type { Clock } from '../core/context.ts';
import { formatOf } from '../formats/index.ts';
import * as durable from '../util/durable.ts';
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

/** `position` counts from 0 for the newest generation. */
export function isOutOfKeep(
  generation: Generation,
  position: number,
  { keep, now }: { readonly keep: KeepRule; readonly now: Date },
): boolean {
  if (generation.retiredAt === undefined || position < keep.generations) return false;
  return now.getTime() - new Date(generation.retiredAt).getTime() > keep.milliseconds;
}

/** Removes generations that no rule keeps, and folders that no generation stands for. */
export function pruneGenerations(place: Place, tools: GenerationTools): number {
  const { publications } = tools.catalog;
  const generations = publications.generations(place.prefix, place.distribution);
  const gone = generations
    .toReversed()
    .filter((generation, position) => isOutOfKeep(generation, position, { keep: tools.keep, now: tools.clock() }));
  tools.catalog.transaction(() => {
    for (const { number } of gone) publications.dropGeneration(place.prefix, place.distribution, number);
  });
  const kept = new Set(generations.filter((generation) => !gone.includes(generation)).map(({ number }) => String(number)));
  let removed = 0;
  for (const name of listFolder(generationsFolder(place))) {
    if (kept.has(name)) continue;
    durable.removeTree(join(generationsFolder(place), name));
    removed += 1;
  }
  return removed;
}

function listFolder(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return []; // nothing was published there yet
  }
}

/**
 * Brings catalog and trees together after a run was stopped between announcing a switch and recording it: what the link
 * says happened. To be called whenever the aptly lock was taken.
 */
export function recoverPublications(tools: GenerationTools): void {
  for (const intent of tools.catalog.publications.intents()) {
    const { publications } = tools.catalog;
    if (isSwitched(intent, tools.publicRoot)) {
      tools.catalog.transaction(() => publications.finish(intent, tools.clock().toISOString()));
    } else {
      durable.removeTree(generationFolder({ publicRoot: tools.publicRoot, ...intent }, intent.generation));
      tools.catalog.transaction(() => publications.abandon(intent.prefix, intent.distribution));
    }
  }
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
  durable.removeFile(distributionLink(place, formatOf(publication.format).publishing));
  tools.catalog.transaction(() =>
    tools.catalog.publications.drop(publication.prefix, publication.distribution, tools.clock().toISOString()),
  );
}
