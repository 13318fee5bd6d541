/** Files published beside the indexes: byte for byte where one source has them, combined where several do. */
import { createHash } from 'node:crypto';
import { closeSync, openSync } from 'node:fs';
import { dirname, join, posix } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { createGzip } from 'node:zlib';
import type { Catalog } from '../catalog/catalog.ts';
import type { PublishedIndex } from '../catalog/publications.ts';
import type { Context } from '../core/context.ts';
import type { Sha256 } from '../core/digest.ts';
import { ArtifactsError } from '../core/errors.ts';
import type { StoredRecord } from '../core/package.ts';
import type { Content } from '../core/snapshot.ts';
import type { HasPackage, ListedFile, PublishingFormat } from '../formats/format.ts';
import type { Pool } from '../pool/index.ts';
import * as durable from '../util/durable.ts';
import { suffixOf } from '../util/packing.ts';
import { collect, once } from '../util/collect.ts';
import { unpackFile } from '../util/unpack.ts';
import { nameByHash, type WrittenIndex } from './index-files.ts';

export interface ListedTools {
  readonly catalog: Catalog;
  readonly pool: Pool;
  readonly format: PublishingFormat;
  /** The kind of clients; undefined: any. */
  readonly clients?: string | undefined;
}

export interface Part {
  readonly record: StoredRecord;
  readonly file: ListedFile;
}

export interface ListedRequest {
  readonly component: string;
  readonly content: Content;
  readonly architectures: readonly string[];
  readonly except: ReadonlySet<string>;
}

/** What is larger is published as it came: advisories, the largest there are, have some 60 MB. */
const LARGEST_PRUNED = 512 * 1024 * 1024;

/** Writes the listed files of a component, but for those of these names, below the folder of a generation. */
export async function writeListed(
  folder: string,
  { component, content, architectures, except }: ListedRequest,
  tools: ListedTools,
  ctx: Context,
): Promise<WrittenIndex> {
  const listed: PublishedIndex[] = [];
  const written: PublishedIndex[] = [];
  const placed = new Map<string, Sha256>();
  let present: HasPackage | undefined;
  const has: HasPackage = (key) => (present ??= packagesOf(content, tools))(key);
  for (const [name, parts] of partsByName(content, tools)) {
    if (except.has(name)) continue;
    const isLarge = parts.some(({ file }) => file.plain.size > LARGEST_PRUNED);
    const prune = isLarge ? undefined : tools.format.listed.prune?.(parts[0]?.file.name ?? '');
    for (const path of tools.format.listed.paths(name, component, architectures)) {
      ctx.signal.throwIfAborted();
      for (const file of await writeForms(folder, { path, parts, ...(prune === undefined ? {} : { prune: (plain: Buffer) => prune(plain, has) }) }, tools, ctx)) {
        for (const one of [file.packed, ...(file.bundled ?? [])]) refuseOther(placed, one);
        written.push(file.packed, ...(file.bundled ?? []));
        listed.push(file.packed, ...(file.plain.path === file.packed.path ? [] : [file.plain]));
      }
    }
  }
  return { listed, written };
}

/** What one list vouches for may be listed by another as well, but not with other bytes. */
function refuseOther(placed: Map<string, Sha256>, { path, sha256 }: PublishedIndex): void {
  if ((placed.get(path) ?? sha256) !== sha256) throw new ArtifactsError('E_CONFLICT', `${path} is listed with different bytes`);
  placed.set(path, sha256);
}

/** The listed files of a content: for each name its sources, each once. */
export function partsByName(content: Content, { catalog, format }: ListedTools): Map<string, Part[]> {
  const found = new Map<string, Part[]>();
  for (const leaf of catalog.contents.leaves(content.id)) {
    if (leaf.partition !== format.listed.partition) continue;
    for (const id of catalog.contents.members(leaf.id)) {
      const record = catalog.records.get(id);
      const file = format.listed.read(record);
      const parts = found.get(file.name) ?? [];
      if (!parts.some((part) => part.file.plain.sha256 === file.plain.sha256)) parts.push({ record, file });
      found.set(file.name, parts);
    }
  }
  return found;
}

interface WrittenFile {
  readonly packed: PublishedIndex;
  readonly plain: PublishedIndex;
  /** What the file vouches for, and the root metadata does not list. */
  readonly bundled?: readonly PublishedIndex[];
}

interface Wanted {
  readonly path: string;
  readonly parts: readonly Part[];
  /** See ListedFormat. */
  readonly prune?: (plain: Buffer) => Buffer | undefined;
}

function packagesOf(content: Content, { catalog }: ListedTools): HasPackage {
  const word = ({ name, version, architecture }: Parameters<HasPackage>[0]): string => `${name} ${version} ${architecture}`;
  const found = new Set(catalog.members.heads(catalog.contents.allMembers(content.id)).map(word));
  return (key) => found.has(word(key));
}

/** As it came, or in the forms that the clients read. */
async function writeForms(folder: string, wanted: Wanted, tools: ListedTools, ctx: Context): Promise<readonly WrittenFile[]> {
  const { path, parts } = wanted;
  const last = parts.at(-1);
  const forms = last === undefined ? undefined : tools.format.profile(tools.clients).listedForms(last.file);
  if (forms === undefined) return [await writeOne(folder, wanted, tools, ctx)];
  const files: WrittenFile[] = [];
  for (const { name, packing } of forms) {
    const place = posix.join(posix.dirname(path), posix.basename(name));
    files.push(await writePlain(folder, { path: place, packing }, plainBytes(wanted, tools, ctx), tools));
  }
  return files;
}

async function writeOne(folder: string, wanted: Wanted, tools: ListedTools, ctx: Context): Promise<WrittenFile> {
  const { path, parts } = wanted;
  const last = parts.at(-1);
  if (last === undefined) throw new Error(`${path} has no source`);
  if (isMade(wanted, tools)) return writeCombined(folder, path, plainBytes(wanted, tools, ctx), tools);
  if (parts.length > 1) {
    ctx.report({ type: 'warning', message: `${path} comes from ${parts.length} sources and cannot be combined: that of the last one is published` });
  }
  const pruned = wanted.prune?.(await collect(unpackFile(sourceOf(last, tools), last.file.packing, ctx.signal)));
  return pruned === undefined ? linkPart(folder, path, last, tools) : writeCombined(folder, path, once(pruned), tools);
}

/** Whether it is made of several, and not one that came. */
function isMade({ parts }: Wanted, { format }: ListedTools): boolean {
  return parts.length > 1 && format.listed.combine(parts[0]?.file.name ?? '') !== undefined;
}

/** What several sources say in one, or what the last one says, of the packages that are there. */
async function* plainBytes({ path, parts, prune }: Wanted, tools: ListedTools, ctx: Context): AsyncGenerator<Buffer> {
  const plain = (part: Part): AsyncIterable<Buffer> => unpackFile(sourceOf(part, tools), part.file.packing, ctx.signal);
  const last = parts.at(-1);
  if (last === undefined) throw new Error(`${path} has no source`);
  const combine = parts.length > 1 ? tools.format.listed.combine(parts[0]?.file.name ?? '') : undefined;
  const all = combine === undefined ? plain(last) : combine(parts.map(plain), (message) => ctx.report({ type: 'warning', message: `${path}: ${message}` }));
  if (prune === undefined) return yield* all;
  const text = await collect(all);
  yield prune(text) ?? text;
}

/** Where the packed bytes lie. */
export function sourceOf({ record }: Part, { pool }: ListedTools): string {
  const file = record.files[0];
  if (file === undefined) throw new Error(`The listed file ${record.name} has no file`);
  return pool.path(file.sha256);
}

function linkPart(folder: string, path: string, part: Part, { pool, format }: ListedTools): WrittenFile {
  const file = part.record.files[0];
  if (file === undefined) throw new Error(`The listed file ${part.record.name} has no file`);
  const { size, sha256 } = file;
  const packed = { path: `${path}${suffixOf(part.file.packing)}`, size, sha256 };
  const hashed = format.hashedPath(packed.path, sha256);
  for (const place of format.namesStay ? [packed.path, hashed] : [hashed]) {
    durable.makeFolder(dirname(join(folder, place)));
    pool.link(sha256, join(folder, place));
  }
  const listed = { ...packed, path: format.namesStay ? packed.path : hashed };
  const bundled = part.record.files.slice(1).map((one) => ({ path: posix.join(posix.dirname(path), one.name), size: one.size, sha256: one.sha256 }));
  for (const one of bundled) {
    durable.makeFolder(dirname(join(folder, one.path)));
    pool.link(one.sha256, join(folder, one.path));
  }
  // An unpacked file is listed once.
  const plain = part.file.packing === 'none' ? listed : { path, size: part.file.plain.size, sha256: part.file.plain.sha256 };
  return { packed: listed, plain, bundled };
}

/** Writes plain bytes packed, under their name and under their digest. */
export async function writeCombined(folder: string, path: string, plain: AsyncIterable<Buffer>, tools: ListedTools): Promise<WrittenFile> {
  return writePlain(folder, { path, packing: 'gz' }, plain, tools);
}

async function writePlain(
  folder: string,
  { path, packing }: { readonly path: string; readonly packing: 'none' | 'gz' },
  plain: AsyncIterable<Buffer>,
  { format }: ListedTools,
): Promise<WrittenFile> {
  const packed = digester();
  const unpacked = digester();
  const name = packing === 'gz' ? `${path}.gz` : path;
  const target = join(folder, name);
  durable.makeFolder(dirname(target));
  const file = openSync(target, 'wx', 0o644);
  try {
    const write = async (chunks: AsyncIterable<Buffer>): Promise<void> => {
      for await (const chunk of packed.pass(chunks)) durable.writeAll(file, chunk);
    };
    if (packing === 'gz') await pipeline(unpacked.pass(plain), createGzip({ level: 6 }), write);
    else await write(plain);
  } finally {
    closeSync(file);
  }
  const digest = packed.result();
  const entry = { path: nameByHash(folder, { path: name, ...digest }, format), ...digest };
  return { packed: entry, plain: packing === 'gz' ? { path, ...unpacked.result() } : entry };
}

function digester(): {
  pass(chunks: AsyncIterable<Buffer>): AsyncGenerator<Buffer>;
  result(): { readonly size: number; readonly sha256: Sha256 };
} {
  const hash = createHash('sha256');
  let size = 0;
  return {
    pass: async function* (chunks) {
      for await (const chunk of chunks) {
        hash.update(chunk);
        size += chunk.length;
        yield chunk;
      }
    },
    result: () => ({ size, sha256: hash.digest('hex') as Sha256 }),
  };
}
