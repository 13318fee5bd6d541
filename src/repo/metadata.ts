/** Metadata of a local repository that is not made from its packages: one file of each type, published beside the indexes. */
import { basename } from 'node:path';
import type { Catalog } from '../catalog/catalog.ts';
import type { RecordHead } from '../catalog/records.ts';
import type { Repo } from '../catalog/repos.ts';
import type { Context } from '../core/context.ts';
import { sha256, type Sha256 } from '../core/digest.ts';
import { ArtifactsError, isArtifactsError } from '../core/errors.ts';
import type { CarriedRecord, RecordDigest } from '../core/package.ts';
import type { Content } from '../core/snapshot.ts';
import type { LocalMetadata } from '../formats/format.ts';
import { formatOf } from '../formats/index.ts';
import { unpackMany } from '../util/unpack-many.ts';
import type { Pool } from '../pool/index.ts';
import type { RepoTools } from './add.ts';
import { changeContent, changeRepo, entrantOf, type Entrant } from './change.ts';
import { checkFileSize } from './intake.ts';
import { readOwn } from './own-file.ts';
import { newEntrant, withPath } from './read-packages.ts';
import { openReceiver } from './receive.ts';
import { findRepo, openRepo, type KnownRepo } from './repos.ts';

export interface MetadataRequest {
  readonly repo: string;
  readonly paths: readonly string[];
  /** Of the one file; undefined: what contents and names say. */
  readonly type: string | undefined;
  readonly dryRun: boolean;
}

export interface MetadataView {
  readonly type: string;
  /** Of the file as it was given. */
  readonly size: number;
  readonly sha256: Sha256;
  /** Identity of the record. */
  readonly digest: RecordDigest;
}

/** What became of the files. */
export interface MetadataAdded {
  readonly repo: string;
  readonly added: readonly MetadataView[];
  /** There already, with the same bytes. */
  readonly same: readonly MetadataView[];
  /** What gave way to what was added. */
  readonly replaced: readonly MetadataView[];
}

/** What one file may unpack to, and be: the largest advisories there are have some 60 MB. */
const LARGEST = 256 * 1024 * 1024;

/** By type. */
export function listMetadata(catalog: Catalog, repo: Pick<KnownRepo, 'format' | 'content'>): MetadataView[] {
  return recordsOf(catalog, repo).map(view).sort((a, b) => (a.type < b.type ? -1 : 1));
}

/**
 * Puts files in, each in the place of what there is of its type. All or nothing. Throws E_USAGE for a repository without
 * metadata and for a type that cannot be put in, E_FORMAT and E_TOO_LARGE for what cannot be read, E_CONFLICT for two
 * files of one type, E_NOT_FOUND.
 */
export async function addMetadata({ repo: name, paths, type, dryRun }: MetadataRequest, tools: RepoTools, ctx: Context): Promise<MetadataAdded> {
  const { catalog, pool, clock, declared } = tools;
  const format = metadataOf(findRepo(catalog, name, declared));
  if (type !== undefined && paths.length > 1) throw new ArtifactsError('E_USAGE', '--type is for one file; give the others in calls of their own');
  const files: OwnFile[] = [];
  for (const path of paths) files.push(await readFile(path, { format, type }, ctx));
  refuseTwins(files);
  const entrants = files.map(({ entrant }) => entrant);
  if (dryRun) return outcome(name, compare(catalog, findRepo(catalog, name, declared), entrants));
  const owner = `repo-${name}`;
  return tools.locks.hold(owner, ctx, async () => {
    const receiver = openReceiver(pool, owner);
    try {
      for (;;) {
        for (const { bytes } of files) receiver.keep(bytes);
        await receiver.settle();
        const done = await tools.change(ctx, async () => {
          // A clean-up takes away what nothing uses yet.
          if (files.some(({ bytes }) => !pool.has(sha256(bytes)))) return undefined;
          return catalog.transaction(() => {
            const now = clock();
            const repo = openRepo(catalog, name, { declared, now });
            const change = compare(catalog, repo, entrants);
            changeRepo(catalog, repo, { fresh: change.fresh, gone: change.gone, now });
            return outcome(name, change);
          });
        });
        if (done !== undefined) return done;
      }
    } finally {
      receiver.clear();
    }
  });
}

/** Brings the files of such records to the pool. Call it under the aptly lock, before the catalog speaks of them. */
export async function receiveCarried(carried: readonly CarriedRecord[], repo: string, pool: Pool): Promise<void> {
  const receiver = openReceiver(pool, `carried-${repo}`);
  try {
    for (const { bytes } of carried) if (bytes !== undefined) receiver.keep(bytes);
    await receiver.settle();
  } finally {
    receiver.clear();
  }
}

/** Puts what came along with packages in the place of what there is of its name. Call it within a transaction, under the aptly lock. */
export function putCarried(carried: readonly CarriedRecord[], name: string, { catalog, clock, declared }: Pick<RepoTools, 'catalog' | 'clock' | 'declared'>): void {
  if (carried.length === 0) return;
  const now = clock();
  const repo = openRepo(catalog, name, { declared, now });
  const { fresh, gone } = compare(catalog, repo, entrantsOf(carried));
  changeRepo(catalog, repo, { fresh, gone, now });
}

/** The content that this would be of one that belongs to no repository. Call it within a transaction. */
export function withCarried(carried: readonly CarriedRecord[], held: Pick<Repo, 'format' | 'content'>, catalog: Catalog): Content {
  return carried.length === 0 ? held.content : changeContent(catalog, held, compare(catalog, held, entrantsOf(carried)));
}

export function viewCarried(carried: readonly CarriedRecord[]): MetadataView[] {
  return entrantsOf(carried).map(view);
}

function entrantsOf(carried: readonly CarriedRecord[]): Entrant[] {
  return carried.map(({ record }) => newEntrant(record, 'the source'));
}

export interface MetadataRemoved {
  readonly repo: string;
  readonly removed: readonly MetadataView[];
}

/** Takes metadata of these types out. Throws E_NOT_FOUND when one is not there; nothing is taken out then. */
export async function removeMetadata(
  { repo: name, types, dryRun }: { readonly repo: string; readonly types: readonly string[]; readonly dryRun: boolean },
  tools: Pick<RepoTools, 'catalog' | 'clock' | 'declared' | 'change'>,
  ctx: Context,
): Promise<MetadataRemoved> {
  const { catalog, clock, declared } = tools;
  const choose = (): RecordHead[] => chosen(catalog, findRepo(catalog, name, declared), types);
  const result = (gone: readonly RecordHead[]): MetadataRemoved => ({ repo: name, removed: gone.map(view) });
  if (dryRun) return result(choose());
  return tools.change(ctx, async () =>
    catalog.transaction(() => {
      const gone = choose();
      const now = clock();
      changeRepo(catalog, openRepo(catalog, name, { declared, now }), { fresh: [], gone, now });
      return result(gone);
    }),
  );
}

function chosen(catalog: Catalog, repo: KnownRepo, types: readonly string[]): RecordHead[] {
  const format = metadataOf(repo);
  const present = recordsOf(catalog, repo);
  return [...new Set(types.map((type) => format.typeNamed(type)))].map((type) => {
    const found = present.find(({ name }) => name === type);
    if (found !== undefined) return found;
    const names = present.map(({ name }) => name).sort();
    throw new ArtifactsError('E_NOT_FOUND', `Repository "${repo.name}" has no metadata of the type "${type}"; nothing was removed`, {
      hint: names.length === 0 ? 'It has no metadata at all.' : `It has ${names.join(', ')}.`,
    });
  });
}

function metadataOf({ name, format }: KnownRepo): LocalMetadata {
  const { metadata } = formatOf(format).local;
  if (metadata === undefined) throw new ArtifactsError('E_USAGE', `Repository "${name}" is one of ${format}, which has no metadata to put in`);
  return metadata;
}

function recordsOf(catalog: Catalog, { format, content }: Pick<KnownRepo, 'format' | 'content'>): RecordHead[] {
  if (content === undefined) return [];
  const { partition } = formatOf(format).publishing.listed;
  const leaves = catalog.contents.leaves(content.id).filter((leaf) => leaf.partition === partition);
  return leaves.flatMap(({ id }) => catalog.members.heads(catalog.contents.members(id)));
}

interface OwnFile {
  readonly bytes: Buffer;
  readonly entrant: Entrant;
}

async function readFile(path: string, { format, type }: { readonly format: LocalMetadata; readonly type: string | undefined }, ctx: Context): Promise<OwnFile> {
  checkFileSize(path, LARGEST);
  const bytes = readOwn(path);
  const fileName = basename(path);
  const packing = format.packingOf(fileName);
  for await (const { plain } of unpackMany([{ packing, bytes, limit: LARGEST }], ctx.signal)) {
    if (isArtifactsError(plain)) throw new ArtifactsError(plain.code, `${path} ${plain.message}`, { cause: plain });
    const open = { size: plain.length, sha256: sha256(plain) };
    try {
      return { bytes, entrant: newEntrant(format.read({ fileName, type, packing, size: bytes.length, sha256: sha256(bytes), plain: open }, plain), path) };
    } catch (error) {
      throw withPath(error, path);
    }
  }
  throw new Error(`${path} was not unpacked`);
}

function refuseTwins(files: readonly OwnFile[]): void {
  const paths = new Map<string, string>();
  for (const { entrant } of files) {
    const other = paths.get(entrant.name);
    if (other !== undefined) throw new ArtifactsError('E_CONFLICT', `${other} and ${entrant.origin} are both of the type "${entrant.name}"; nothing was added`);
    paths.set(entrant.name, entrant.origin);
  }
}

interface MetadataChange {
  readonly fresh: readonly Entrant[];
  readonly same: readonly Entrant[];
  readonly gone: readonly Entrant[];
}

function compare(catalog: Catalog, repo: Pick<KnownRepo, 'format' | 'content'>, entrants: readonly Entrant[]): MetadataChange {
  const names = new Set(entrants.map(({ name }) => name));
  const digests = new Set(entrants.map(({ digest }) => digest));
  const present = recordsOf(catalog, repo).filter(({ name }) => names.has(name));
  const there = new Set(present.map(({ digest }) => digest));
  return {
    fresh: entrants.filter(({ digest }) => !there.has(digest)),
    same: entrants.filter(({ digest }) => there.has(digest)),
    gone: present.filter(({ digest }) => !digests.has(digest)).map((head) => entrantOf(head, 'the repository')),
  };
}

function outcome(repo: string, { fresh, same, gone }: MetadataChange): MetadataAdded {
  return { repo, added: fresh.map(view), same: same.map(view), replaced: gone.map(view) };
}

function view({ name, files: [file], digest }: Pick<Entrant, 'name' | 'files' | 'digest'>): MetadataView {
  if (file === undefined) throw new Error(`The metadata ${name} has no file`);
  return { type: name, size: file.size, sha256: file.sha256, digest };
}
