/**
 * Publishing: a new generation of a distribution is written beside the served one, complete and flushed, and becomes
 * visible by one rename of a symbolic link. Order: pool files, indexes by digest, root metadata,
 * switch. The caller holds the aptly lock.
 */
import { dirname } from 'node:path';
import type { Catalog } from '../catalog/catalog.ts';
import type { LeafCache } from '../catalog/leaf-cache.ts';
import type { Publication, PublicationFields, PublicationSpec, PublishIntent } from '../catalog/publications.ts';
import type { Clock, Context } from '../core/context.ts';
import { canonicalJson } from '../core/digest.ts';
import { ArtifactsError } from '../core/errors.ts';
import type { Snapshot } from '../core/snapshot.ts';
import type { RepoFormat } from '../formats/format.ts';
import { formatOf } from '../formats/index.ts';
import type { Pool } from '../pool/index.ts';
import type { Signer } from '../sign/signer.ts';
import * as durable from '../util/durable.ts';
import { checkNames } from './check-names.ts';
import { exportKey } from './client-key.ts';
import { exactFiles, type ExactFiles, type ExactTools } from './exact.ts';
import { isHalfExpired } from './expiry.ts';
import { isServing, pruneGenerations, type KeepRule } from './generations.ts';
import { prepareIndexes, type Components, type PreparedIndex } from './index-files.ts';
import { linkFiles } from './link-files.ts';
import { checkFields, toldFields } from './root-fields.ts';
import { distributionLink, linkTarget, type Place } from './layout.ts';
import { writeGeneration, type Writing } from './write-generation.ts';

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

/** Publishes the components under the prefix, replacing what the distribution served before in one step. Throws E_USAGE, E_EXISTS. */
export async function publish(
  request: PublishRequest,
  signer: Signer,
  tools: PublishTools,
  ctx: Context,
): Promise<Published> {
  const { publications } = tools.catalog;
  const before = publications.find(request.prefix, request.distribution);
  const format = formatFor(request, before);
  checkNames({ ...request, components: request.components.keys() }, format.publishing, publications.list());
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
  const { linked, indexes } = await whileLinking(linkFiles(contents, whole, { format, place, again: before !== undefined, tools }), ctx, (working) =>
    prepareIndexes(components, spec.architectures, { ...tools, format: format.publishing, clients: spec.clients }, working),
  );
  const intent = await writeGeneration(request, { spec, signer, format, place, components, exact, indexes }, tools, ctx);
  await exportKey(place, { signer, catalog: tools.catalog }, ctx);
  switchTo(intent, place, format, tools);
  pruneGenerations(place, tools);
  const publication = publications.find(request.prefix, request.distribution);
  if (publication === undefined) throw new Error('A publication vanished while it was made');
  return { publication, changed: true, linked };
}

/** Of all snapshots, and of what is served before: links and paths of another would stay behind. Throws E_USAGE. */
function formatFor({ components }: PublishRequest, before: Publication | undefined): RepoFormat {
  const [first, ...others] = components.values();
  if (first === undefined) throw new Error('A publication without components');
  const { format: id } = first;
  const other = others.find(({ format }) => format !== id);
  if (other !== undefined) throw new ArtifactsError('E_USAGE', `Snapshot "${other.name}" is ${other.format} and cannot be published beside ${id}`, { hint: 'Publish it as a distribution of its own.' });
  if (before === undefined || before.format === id) return formatOf(id);
  throw new ArtifactsError('E_USAGE', `${before.prefix} ${before.distribution} is ${before.format} and cannot serve snapshot "${first.name}", which is ${id}`, {
    hint: 'Publish it as another distribution, or drop this one first.',
  });
}

async function exactComponents({ components }: PublishRequest, tools: ExactTools, ctx: Context): Promise<ReadonlyMap<string, ExactFiles>> {
  const found = new Map<string, ExactFiles>();
  for (const [component, { content }] of components) {
    const files = await exactFiles(content, tools, ctx);
    if (files !== undefined) found.set(component, files);
  }
  return found;
}

/** Linking waits for the disk and compressing for the other cores: both at once. Both have ended when it returns. */
async function whileLinking(linking: Promise<number>, ctx: Context, prepare: (ctx: Context) => Promise<PreparedIndex[]>): Promise<{ readonly linked: number; readonly indexes: PreparedIndex[] }> {
  const stop = new AbortController();
  const signal = AbortSignal.any([ctx.signal, stop.signal]);
  const orStop = linking.catch((error: unknown) => {
    stop.abort(error);
    throw error;
  });
  const [linked, prepared] = await Promise.allSettled([orStop, prepare({ ...ctx, signal })]);
  if (linked.status === 'rejected') throw linked.reason;
  if (prepared.status === 'rejected') throw prepared.reason;
  return { linked: linked.value, indexes: prepared.value };
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
    ...toldFields(request.fields ?? {}, format.publishing),
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

/** The components by name, for they are written in that order; less those that are written as they came. */
function contentsOf(request: PublishRequest, exact: ReadonlyMap<string, ExactFiles>): Components {
  const sorted = [...request.components].filter(([name]) => !exact.has(name)).sort(([a], [b]) => (a < b ? -1 : 1));
  return new Map(sorted.map(([name, { content }]) => [name, content]));
}

function switchTo(intent: PublishIntent, place: Place, format: RepoFormat, tools: PublishTools): void {
  const { catalog } = tools;
  catalog.transaction(() => catalog.publications.begin(intent));
  const link = distributionLink(place, format.publishing);
  durable.makeFolderDurably(dirname(link));
  durable.switchLink(link, linkTarget(place, format.publishing, intent.generation));
  catalog.transaction(() => catalog.publications.finish(intent, tools.clock().toISOString()));
}
