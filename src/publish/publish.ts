/**
 * Publishing: a new generation of a distribution is written beside the served one, complete and flushed, and becomes
 * visible by one rename of a symbolic link. Order (design, section 3.5): pool files, indexes by digest, root metadata,
 * switch. The caller holds the aptly lock.
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import type { Catalog } from '../catalog/catalog.ts';
import type { LeafCache } from '../catalog/leaf-cache.ts';
import type { Publication, PublicationFields, PublicationSpec, PublishIntent } from '../catalog/publications.ts';
import type { Clock, Context } from '../core/context.ts';
import { canonicalJson } from '../core/digest.ts';
import type { Content, Snapshot } from '../core/snapshot.ts';
import type { ExactFormat, PublishingFormat, RepoFormat } from '../formats/format.ts';
import { formatOf } from '../formats/index.ts';
import type { Pool } from '../pool/index.ts';
import type { Signer } from '../sign/signer.ts';
import * as durable from '../util/durable.ts';
import { checkNames } from './check-names.ts';
import { carryExact, exactFiles, linkExact, type ExactFiles, type ExactTools } from './exact.ts';
import { isHalfExpired } from './expiry.ts';
import { writeFileLists } from './file-lists.ts';
import { isServing, keptGenerations, pruneGenerations, type KeepRule } from './generations.ts';
import { compressAhead, prepareIndexes, writeIndexes, type Components, type PreparedIndex } from './index-files.ts';
import { linkFiles } from './link-files.ts';
import { writeListed } from './listed-files.ts';
import { nextDate } from './next-date.ts';
import { checkFields, rootFields } from './root-fields.ts';
import { distributionLink, generationFolder, generationsFolder, keyPath, linkTarget, prefixFolder, type Place } from './layout.ts';

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
  /** Published when the contents are for none of their own, so that an empty distribution has indexes too. */
  readonly architectures: readonly string[];
  /** What else it says of itself; default: nothing that need not be said. */
  readonly fields?: Omit<PublicationFields, 'origin' | 'label'>;
  /** Remembered with the publication: see PublicationSpec. */
  readonly given?: PublicationFields;
  readonly repos?: Readonly<Record<string, string>>;
  /** Publish also what is served already: with today's date and keys. */
  readonly refresh?: boolean;
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
  const { publications } = tools.catalog;
  const format = formatOf([...request.components.values()][0]?.format ?? '');
  checkNames({ ...request, components: request.components.keys() }, format.publishing, publications.list());
  const before = publications.find(request.prefix, request.distribution);
  checkFields(request);
  format.publishing.profile(request.fields?.clients); // before anything is done
  const exact = await exactComponents(request, { ...tools, format }, ctx);
  const spec = specOf(request, { signer, format, exact }, tools.catalog);
  const place: Place = { publicRoot: tools.publicRoot, prefix: request.prefix, distribution: request.distribution };
  const stays = before !== undefined && request.refresh !== true && isServed(before, request, spec) && !isHalfExpired(before, tools.clock());
  if (stays && isServing(place, before)) {
    return { publication: before, changed: false, linked: 0 };
  }

  ctx.report({ type: 'phase', subject: `${place.prefix} ${place.distribution}`, text: 'publishing' });
  // What is served has its files, unless the tree is damaged or somebody wants it made anew.
  const whole = before !== undefined && before.spec.exact === undefined && request.refresh !== true && isServing(place, before) ? before : undefined;
  const components = contentsOf(request, exact);
  const contents = [...components.values()];
  const { linked, indexes } = await whileCompressing(contents, { format, tools, clients: spec.clients }, ctx, async (working) => ({
    linked: await linkFiles(contents, whole, { format, place, again: before !== undefined, tools }),
    indexes: await prepareIndexes(components, spec.architectures, { ...tools, format: format.publishing }, working),
  }));
  const intent = await writeGeneration(request, { spec, signer, format, place, components, exact, indexes }, tools, ctx);
  await exportKey(place, signer);
  switchTo(intent, place, format, tools);
  pruneGenerations(place, tools);
  const publication = publications.find(request.prefix, request.distribution);
  if (publication === undefined) throw new Error('A publication vanished while it was made');
  return { publication, changed: true, linked };
}

async function exactComponents({ components }: PublishRequest, tools: ExactTools, ctx: Context): Promise<ReadonlyMap<string, ExactFiles>> {
  const found = new Map<string, ExactFiles>();
  for (const [component, { content }] of components) {
    const files = await exactFiles(content, tools, ctx);
    if (files !== undefined) found.set(component, files);
  }
  return found;
}

interface Compressing {
  readonly format: RepoFormat;
  readonly clients: string | undefined;
  readonly tools: PublishTools;
}

/** The work waits for the disk and compressing for the other cores: both at once. Both have ended when it returns. */
async function whileCompressing<T>(
  contents: readonly Content[],
  { format, tools, clients }: Compressing,
  ctx: Context,
  work: (ctx: Context) => Promise<T>,
): Promise<T> {
  const { catalog, cache } = tools;
  const stop = new AbortController();
  const signal = AbortSignal.any([ctx.signal, stop.signal]);
  const compressing = compressAhead(contents, { catalog, cache, format: format.publishing, clients }, { ...ctx, signal });
  const orStop = (working: Promise<T>): Promise<T> =>
    working.catch((error: unknown) => {
      stop.abort(error);
      throw error;
    });
  const [worked, compressed] = await Promise.allSettled([orStop(work({ ...ctx, signal })), compressing]);
  if (worked.status === 'rejected') throw worked.reason;
  if (compressed.status === 'rejected') throw compressed.reason;
  return worked.value;
}

async function exportKey({ publicRoot, prefix }: Place, signer: Signer): Promise<void> {
  const path = join(publicRoot, keyPath(prefix));
  const key = await signer.publicKeys();
  if (!existsSync(path) || !readFileSync(path).equals(key)) durable.writeFileDurably(path, key);
}

function specOf(request: PublishRequest, { signer, format, exact }: Pick<Writing, 'signer' | 'format' | 'exact'>, catalog: Catalog): PublicationSpec {
  const partitions = [...request.components.values()].flatMap(({ content }) =>
    catalog.contents.leaves(content.id).map((leaf) => leaf.partition),
  );
  return {
    architectures: format.publishing.architectures(partitions, request.architectures),
    origin: request.origin,
    label: request.label,
    signedBy: [...signer.fingerprints],
    ...request.fields,
    ...(exact.size === 0 ? {} : { exact: [...exact.keys()].sort() }),
    ...(request.given === undefined || Object.keys(request.given).length === 0 ? {} : { given: request.given }),
    ...(request.repos === undefined || Object.keys(request.repos).length === 0 ? {} : { repos: request.repos }),
  };
}

function isServed(before: Publication, request: PublishRequest, spec: PublicationSpec): boolean {
  const components = [...request.components].map(([component, { id }]) => ({ component, snapshot: id }));
  components.sort((a, b) => (a.component < b.component ? -1 : 1));
  const { validUntil: _, ...said } = before.spec;
  return JSON.stringify(before.components) === JSON.stringify(components) && canonicalJson(said) === canonicalJson(spec);
}

interface Writing {
  readonly spec: PublicationSpec;
  readonly signer: Signer;
  readonly format: RepoFormat;
  readonly place: Place;
  /** Those that are not exact. */
  readonly components: Components;
  readonly exact: ReadonlyMap<string, ExactFiles>;
  readonly indexes: readonly PreparedIndex[];
}

/** Writes a complete, signed and flushed generation that nobody reads yet. */
async function writeGeneration(
  request: PublishRequest,
  { spec, signer, format, place, components, exact, indexes }: Writing,
  tools: PublishTools,
  ctx: Context,
): Promise<PublishIntent> {
  const number = nextNumber(place, tools.catalog);
  const folder = generationFolder(place, number);
  durable.makeFolderDurably(dirname(folder));
  durable.removeTree(folder);
  const { clients } = spec;
  const own = writeIndexes(folder, indexes, { ...tools, format: format.publishing, clients }, ctx);
  const listed = [...own.listed];
  const written = [...own.written];
  for (const [component, content] of components) {
    const at = { component, content };
    const publishing = { ...tools, format: format.publishing, clients };
    const complete = spec.contents === true;
    const lists = await writeFileLists(folder, { ...at, architectures: spec.architectures, complete }, publishing, ctx);
    const more = await writeListed(folder, { ...at, architectures: spec.architectures, except: lists.names }, publishing, ctx);
    listed.push(...lists.listed, ...more.listed);
    written.push(...lists.written, ...more.written);
  }
  carryOver(place, folder, { format, tools });

  const names = [...request.components.keys()].sort();
  const date = await nextDate(place, tools, ctx);
  const validUntil = spec.validFor === undefined ? undefined : new Date(date.getTime() + spec.validFor);
  const plan = { ...rootFields(spec, request.distribution), date, ...(validUntil === undefined ? {} : { validUntil }), components: names, files: listed };
  for (const seat of format.publishing.seats(names, spec.architectures)) {
    const files = exact.get(seat.component ?? '');
    if (files !== undefined) {
      written.push(...linkExact(folder, seat.base ?? '', files, tools.pool));
      // For clients in the middle of a generation that was not exact.
      const { pool } = format.publishing.folders;
      if (seat.base !== undefined && !files.some(({ name }) => name.split('/', 1)[0] === pool)) linkPool(place, join(folder, seat.base), format.publishing);
      continue;
    }
    await writeRoot(join(folder, seat.root), format.publishing.root(plan, seat), { signer, format: format.publishing, clients });
    if (seat.base !== undefined) linkPool(place, join(folder, seat.base), format.publishing);
  }
  if (format.exact !== undefined) carryOverExact(place, folder, format.exact, tools);
  await durable.flushTree(folder);
  durable.flushFolder(dirname(folder));
  return {
    prefix: request.prefix,
    distribution: request.distribution,
    format: format.id,
    generation: number,
    components: [...request.components].map(([component, { id }]) => ({ component, snapshot: id })),
    contents: [...new Set([...request.components.values()].map(({ content }) => content.id))],
    indexes: written,
    spec: { ...spec, ...(validUntil === undefined ? {} : { validUntil: validUntil.toISOString() }) },
    publishedAt: date.toISOString(),
  };
}

async function writeRoot(
  folder: string,
  root: Buffer,
  { signer, format, clients }: { readonly signer: Signer; readonly format: PublishingFormat; readonly clients: string | undefined },
): Promise<void> {
  const { clearsigned, plain, detached } = format.signedFiles;
  durable.writeNewFile(join(folder, plain), (write) => write(root));
  const text = root.toString();
  const signature = await signer.detach(text);
  const whole = clearsigned === undefined ? undefined : await signer.clearsign(text);
  durable.writeNewFile(join(folder, detached), (write) => write(signature));
  const { keyFile } = format.profile(clients);
  const keys = keyFile === undefined ? undefined : await signer.publicKeys();
  if (keyFile !== undefined && keys !== undefined) durable.writeNewFile(join(folder, keyFile), (write) => write(keys));
  if (clearsigned !== undefined && whole !== undefined) durable.writeNewFile(join(folder, clearsigned), (write) => write(whole));
}

/** Relative, so that the tree may be copied or served from elsewhere. */
function linkPool(place: Place, base: string, { folders }: PublishingFormat): void {
  durable.makeFolder(base);
  durable.linkSymbolically(relative(base, join(prefixFolder(place), folders.pool)), join(base, folders.pool));
}

/** The components by name, for they are written in that order; less those that are written as they came. */
function contentsOf(request: PublishRequest, exact: ReadonlyMap<string, ExactFiles>): Components {
  const sorted = [...request.components].filter(([name]) => !exact.has(name)).sort(([a], [b]) => (a < b ? -1 : 1));
  return new Map(sorted.map(([name, { content }]) => [name, content]));
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

/** Indexes of generations that are still kept stay reachable by their digests through the new one. */
function carryOver(place: Place, folder: string, { format, tools }: { format: RepoFormat; tools: PublishTools }): void {
  const generations = tools.catalog.publications.generations(place.prefix, place.distribution);
  for (const generation of keptGenerations(generations, { keep: tools.keep, now: tools.clock(), coming: 1 })) {
    for (const { path, sha256 } of generation.indexes) {
      const hashed = format.publishing.hashedPath(path, sha256);
      const from = join(generationFolder(place, generation.number), hashed);
      if (!existsSync(from)) continue; // somebody removed it
      durable.makeFolder(dirname(join(folder, hashed)));
      durable.linkFile(from, join(folder, hashed));
    }
  }
}

/** The same for repositories kept exactly, whose files have the names that the upstream gave them. */
function carryOverExact(place: Place, folder: string, { keyPath }: ExactFormat, tools: PublishTools): void {
  const generations = tools.catalog.publications.generations(place.prefix, place.distribution);
  for (const generation of keptGenerations(generations, { keep: tools.keep, now: tools.clock(), coming: 1 }).toReversed()) {
    // A key says whose signature stands there now.
    const files = generation.indexes.filter(({ path }) => !path.endsWith(`/${keyPath}`) && !/\/\.[^/]*$/.test(path));
    carryExact(generationFolder(place, generation.number), folder, files);
  }
}

function switchTo(intent: PublishIntent, place: Place, format: RepoFormat, tools: PublishTools): void {
  const { catalog } = tools;
  catalog.transaction(() => catalog.publications.begin(intent));
  const link = distributionLink(place, format.publishing);
  durable.makeFolderDurably(dirname(link));
  durable.switchLink(link, linkTarget(place, format.publishing, intent.generation));
  catalog.transaction(() => catalog.publications.finish(intent, tools.clock().toISOString()));
}
