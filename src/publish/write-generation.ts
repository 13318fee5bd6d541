/** Writing a generation: complete, signed and flushed, before anybody reads it. */
import { existsSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import type { PublicationSpec, PublishedIndex, PublishIntent } from '../catalog/publications.ts';
import type { Context } from '../core/context.ts';
import type { ExactFormat, PublishingFormat, RepoFormat, RootPlan, Seat } from '../formats/format.ts';
import type { Signer } from '../sign/signer.ts';
import * as durable from '../util/durable.ts';
import { carryExact, linkExact, type ExactFiles } from './exact.ts';
import { writeFileLists } from './file-lists.ts';
import { nextNumber } from './generation-folders.ts';
import { keptGenerations } from './generations.ts';
import { writeIndexes, type Components, type PreparedIndex, type WrittenIndex } from './index-files.ts';
import { generationFolder, generationsFolder, prefixFolder, type Place } from './layout.ts';
import { writeListed } from './listed-files.ts';
import { nextDate } from './next-date.ts';
import type { PublishRequest, PublishTools } from './publish.ts';
import { rootFields } from './root-fields.ts';

export interface Writing {
  readonly spec: PublicationSpec;
  readonly signer: Signer;
  readonly format: RepoFormat;
  readonly place: Place;
  /** Those that are not exact. */
  readonly components: Components;
  readonly exact: ReadonlyMap<string, ExactFiles>;
  readonly indexes: readonly PreparedIndex[];
}

/** Writes it, and returns what is to be recorded once clients are pointed to it. */
export async function writeGeneration(request: PublishRequest, writing: Writing, tools: PublishTools, ctx: Context): Promise<PublishIntent> {
  const { spec, format, place } = writing;
  const generations = tools.catalog.publications.generations(place.prefix, place.distribution);
  const number = nextNumber(generations, generationsFolder(place));
  const folder = generationFolder(place, number);
  durable.makeFolderDurably(dirname(folder));
  durable.removeTree(folder);
  const { listed, written } = await writeComponents(folder, writing, tools, ctx);
  carryOver(place, folder, { format, tools });

  const components = [...request.components.keys()].sort();
  const date = await nextDate(place, tools, ctx);
  const validUntil = spec.validFor === undefined ? undefined : new Date(date.getTime() + spec.validFor);
  const plan = { ...rootFields(spec, request.distribution), date, ...(validUntil === undefined ? {} : { validUntil }), components, files: listed };
  const exact = await writeSeats(folder, plan, writing, tools);
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
    indexes: [...written, ...exact],
    spec: { ...spec, ...(validUntil === undefined ? {} : { validUntil: validUntil.toISOString() }) },
    publishedAt: date.toISOString(),
  };
}

/** Indexes, lists of files and listed files of all components that are ours to write. */
async function writeComponents(folder: string, { spec, format, components, indexes }: Writing, tools: PublishTools, ctx: Context): Promise<WrittenIndex> {
  const publishing = { ...tools, format: format.publishing, clients: spec.clients };
  const own = writeIndexes(folder, indexes, publishing, ctx);
  const listed = [...own.listed];
  const written = [...own.written];
  for (const [component, content] of components) {
    const at = { component, content, architectures: spec.architectures };
    const lists = await writeFileLists(folder, { ...at, complete: spec.contents === true }, publishing, ctx);
    const more = await writeListed(folder, { ...at, except: lists.names }, publishing, ctx);
    listed.push(...lists.listed, ...more.listed);
    written.push(...lists.written, ...more.written);
  }
  return { listed, written };
}

/** The root metadata of every seat, or all of an exact repository in its place. Returns the files of the latter. */
async function writeSeats(folder: string, plan: RootPlan, { spec, signer, format, place, exact }: Writing, tools: PublishTools): Promise<PublishedIndex[]> {
  const { publishing } = format;
  const written: PublishedIndex[][] = [];
  for (const seat of publishing.seats(plan.components, spec.architectures)) {
    const files = exact.get(seat.component ?? '');
    if (files === undefined) await writeRoot(join(folder, seat.root), publishing.root(plan, seat), { signer, format: publishing, clients: spec.clients });
    else written.push(linkExact(folder, seat.base ?? '', files, tools.pool));
    if (!hasPool(files, publishing)) linkPool(place, folder, { seat, format: publishing });
  }
  return written.flat();
}

/** Whether an exact repository has a folder of its own in that place; else clients in the middle of an earlier generation need ours. */
function hasPool(files: ExactFiles | undefined, { folders }: PublishingFormat): boolean {
  return files?.some(({ name }) => name.split('/', 1)[0] === folders.pool) === true;
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

/** Where packages are looked for below a seat. Relative, so that the tree may be copied or served from elsewhere. */
function linkPool(place: Place, folder: string, { seat, format: { folders } }: { readonly seat: Seat; readonly format: PublishingFormat }): void {
  if (seat.base === undefined) return;
  const base = join(folder, seat.base);
  durable.makeFolder(base);
  durable.linkSymbolically(relative(base, join(prefixFolder(place), folders.pool)), join(base, folders.pool));
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
