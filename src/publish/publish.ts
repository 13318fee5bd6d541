/**
 * Publishing: a new generation of a distribution is written beside the served one, complete and flushed, and becomes
 * visible by one rename of a symbolic link. Order (design, section 3.5): pool files, indexes by digest, root metadata,
 * switch. The caller holds the aptly lock.
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { Catalog } from '../catalog/catalog.ts';
import type { LeafCache } from '../catalog/leaf-cache.ts';
import type { Publication, PublicationSpec, PublishIntent } from '../catalog/publications.ts';
import type { Clock, Context } from '../core/context.ts';
import { ArtifactsError } from '../core/errors.ts';
import type { Content, Snapshot } from '../core/snapshot.ts';
import type { RepoFormat } from '../formats/format.ts';
import { formatOf } from '../formats/index.ts';
import type { Pool } from '../pool/index.ts';
import type { Signer } from '../sign/signer.ts';
import * as durable from '../util/durable.ts';
import { isOutOfKeep, pruneGenerations, type KeepRule } from './generations.ts';
import { writeIndexes, type Components } from './index-files.ts';
import { linkFiles } from './link-files.ts';
import { writeListed } from './listed-files.ts';
import { distributionLink, generationFolder, generationsFolder, keyPath, linkTarget, type Place } from './layout.ts';

export interface PublishTools {
  readonly catalog: Catalog;
  readonly pool: Pool;
  readonly cache: LeafCache;
  readonly publicRoot: string;
  readonly clock: Clock;
  readonly keep: KeepRule;
}

export interface PublishRequest {
  readonly prefix: string;
  readonly distribution: string;
  /** What each component serves. */
  readonly components: ReadonlyMap<string, Snapshot>;
  readonly origin: string;
  readonly label: string;
  /** Published even when a component has nothing for them; the contents' own are added. */
  readonly architectures: readonly string[];
}

export interface Published {
  readonly publication: Publication;
  /** False when what is served is what was asked for already. */
  readonly changed: boolean;
  /** Package files that were not in the published pool before. */
  readonly linked: number;
}

/** Publishes the components under the prefix, replacing what the distribution served before in one step. */
export async function publish(
  request: PublishRequest,
  signer: Signer,
  tools: PublishTools,
  ctx: Context,
): Promise<Published> {
  checkNames(request);
  const before = tools.catalog.publications.find(request.prefix, request.distribution);
  const format = formatOf([...request.components.values()][0]?.format ?? '');
  const spec = specOf(request, signer, format, tools.catalog);
  if (before !== undefined && isServed(before, request, spec)) return { publication: before, changed: false, linked: 0 };

  const place: Place = { publicRoot: tools.publicRoot, prefix: request.prefix, distribution: request.distribution };
  ctx.report({ type: 'phase', subject: `${place.prefix} ${place.distribution}`, text: 'publishing' });
  const linked = await linkFiles([...request.components.values()].map(({ content }) => content), before, { format, place, tools });
  const intent = await writeGeneration(request, { spec, signer, format, place, before }, tools, ctx);
  await exportKey(place, signer);
  switchTo(intent, place, format, tools);
  pruneGenerations(place, tools);
  const publication = tools.catalog.publications.find(request.prefix, request.distribution);
  if (publication === undefined) throw new Error('A publication vanished while it was made');
  return { publication, changed: true, linked };
}

async function exportKey({ publicRoot, prefix }: Place, signer: Signer): Promise<void> {
  const path = join(publicRoot, keyPath(prefix));
  const key = await signer.publicKeys();
  if (!existsSync(path) || !readFileSync(path).equals(key)) durable.writeFileDurably(path, key);
}

/** Distribution, prefix and component names stand in URLs and one-line sources. */
function checkNames({ prefix, distribution, components }: PublishRequest): void {
  for (const name of [prefix, distribution, ...components.keys()]) {
    if (/^[A-Za-z0-9][A-Za-z0-9+._~-]*(\/[A-Za-z0-9][A-Za-z0-9+._~-]*)*$/.test(name)) continue;
    throw new ArtifactsError('E_USAGE', `"${name}" cannot be published under that name`, {
      hint: 'Use letters, digits and + . _ ~ - in the parts of a prefix, distribution or component.',
    });
  }
}

function specOf(request: PublishRequest, signer: Signer, format: RepoFormat, catalog: Catalog): PublicationSpec {
  const partitions = [...request.components.values()].flatMap(({ content }) =>
    catalog.contents.leaves(content.id).map((leaf) => leaf.partition),
  );
  const present = format.publishing.architectures(partitions);
  return {
    architectures: [...new Set([...present, ...(present.length === 0 ? request.architectures : [])])].sort(),
    origin: request.origin,
    label: request.label,
    signedBy: [...signer.fingerprints],
  };
}

function isServed(before: Publication, request: PublishRequest, spec: PublicationSpec): boolean {
  const components = [...request.components].map(([component, { id }]) => ({ component, snapshot: id }));
  components.sort((a, b) => (a.component < b.component ? -1 : 1));
  return JSON.stringify(before.components) === JSON.stringify(components) && JSON.stringify(before.spec) === JSON.stringify(spec);
}

interface Writing {
  readonly spec: PublicationSpec;
  readonly signer: Signer;
  readonly format: RepoFormat;
  readonly place: Place;
  readonly before: Publication | undefined;
}

/** Writes a complete, signed and flushed generation that nobody reads yet. */
async function writeGeneration(
  request: PublishRequest,
  { spec, signer, format, place, before }: Writing,
  tools: PublishTools,
  ctx: Context,
): Promise<PublishIntent> {
  const { catalog } = tools;
  const number = nextNumber(place, catalog);
  const folder = generationFolder(place, number);
  durable.removeTree(folder);
  const names = [...request.components.keys()].sort();
  const contents: Components = new Map(names.map((name) => [name, requireContent(request, name)]));
  const plans = names.flatMap((component) => {
    const leaves = catalog.contents.leaves(requireContent(request, component).id);
    return format.publishing.indexes({ component, partitions: new Set(leaves.map((leaf) => leaf.partition)) }, spec.architectures);
  });
  const indexes = await writeIndexes(folder, { plans, components: contents }, { catalog, cache: tools.cache, format: format.publishing }, ctx);
  const listed = [...indexes.listed];
  const written = [...indexes.written];
  for (const [component, content] of contents) {
    const more = await writeListed(folder, { component, content }, { catalog, pool: tools.pool, format: format.publishing }, ctx);
    listed.push(...more.listed);
    written.push(...more.written);
  }
  carryOver(place, folder, { format, tools });

  const date = nextDate(tools.clock(), before);
  const root = format.publishing.root({
    origin: spec.origin,
    label: spec.label,
    distribution: request.distribution,
    description: `${spec.label} ${request.distribution}`,
    date,
    architectures: spec.architectures,
    components: names,
    files: listed,
  });
  const { clearsigned, plain, detached } = format.publishing.signedFiles;
  durable.writeNewFile(join(folder, plain), (write) => write(root));
  const text = root.toString();
  const [signature, whole] = [await signer.detach(text), await signer.clearsign(text)];
  durable.writeNewFile(join(folder, detached), (write) => write(signature));
  durable.writeNewFile(join(folder, clearsigned), (write) => write(whole));
  await durable.flushTree(folder);
  durable.flushFolder(dirname(folder));
  return {
    prefix: request.prefix,
    distribution: request.distribution,
    format: format.id,
    generation: number,
    components: [...request.components].map(([component, { id }]) => ({ component, snapshot: id })),
    contents: [...new Set([...contents.values()].map(({ id }) => id))],
    indexes: written,
    spec,
    publishedAt: date.toISOString(),
  };
}

function requireContent(request: PublishRequest, component: string): Content {
  const snapshot = request.components.get(component);
  if (snapshot === undefined) throw new Error(`Component ${component} has no snapshot`);
  return snapshot.content;
}

/** Above every number in use, in the catalog or left on disk by a run that was stopped. */
function nextNumber(place: Place, catalog: Catalog): number {
  const recorded = catalog.publications.generations(place.prefix, place.distribution).map(({ number }) => number);
  let onDisk: number[] = [];
  try {
    onDisk = readdirSync(generationsFolder(place)).map(Number).filter(Number.isInteger);
  } catch {
    // No generation has been written yet.
  }
  return Math.max(0, ...recorded, ...onDisk) + 1;
}

/** Clients refuse a Date that goes back, also when an older snapshot is published again. */
function nextDate(now: Date, before: Publication | undefined): Date {
  const second = Math.floor(now.getTime() / 1000) * 1000;
  if (before === undefined) return new Date(second);
  return new Date(Math.max(second, new Date(before.publishedAt).getTime() + 1000));
}

/** Indexes of generations that are still kept stay reachable by their digests through the new one. */
function carryOver(place: Place, folder: string, { format, tools }: { format: RepoFormat; tools: PublishTools }): void {
  const generations = tools.catalog.publications.generations(place.prefix, place.distribution);
  for (const [position, generation] of generations.toReversed().entries()) {
    if (isOutOfKeep(generation, position + 1, { keep: tools.keep, now: tools.clock() })) continue;
    for (const { path, sha256 } of generation.indexes) {
      const hashed = format.publishing.hashedPath(path, sha256);
      const from = join(generationFolder(place, generation.number), hashed);
      durable.makeFolder(dirname(join(folder, hashed)));
      durable.linkFile(from, join(folder, hashed));
    }
  }
}

function switchTo(intent: PublishIntent, place: Place, format: RepoFormat, tools: PublishTools): void {
  const { catalog } = tools;
  catalog.transaction(() => catalog.publications.begin(intent));
  const link = distributionLink(place, format.publishing);
  durable.makeFolder(dirname(link));
  durable.switchLink(link, linkTarget(place, format.publishing, intent.generation));
  catalog.transaction(() => catalog.publications.finish(intent, tools.clock().toISOString()));
}
