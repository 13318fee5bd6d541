/**
 * What goes along with packages that are put elsewhere: what is said beside them of these very packages, as the format tells
 * it, joined to what is said there. A package of a module without its module would be installed like any other one.
 */
import { gzipSync } from 'node:zlib';
import type { Catalog } from '../catalog/catalog.ts';
import type { Context } from '../core/context.ts';
import { sha256 } from '../core/digest.ts';
import { ArtifactsError } from '../core/errors.ts';
import type { CarriedRecord, PackageKey, StoredRecord } from '../core/package.ts';
import type { Content } from '../core/snapshot.ts';
import type { HasPackage, ListedFormat, LocalMetadata } from '../formats/format.ts';
import { formatOf } from '../formats/index.ts';
import type { Pool } from '../pool/index.ts';
import { collect, once } from '../util/collect.ts';
import { unpackFile } from '../util/unpack.ts';
import { listedRecords } from './listed-records.ts';

export interface CarryRequest {
  readonly format: string;
  /** Undefined: it is empty. */
  readonly source: Content | undefined;
  /** Undefined: there is nothing yet. */
  readonly target: Content | undefined;
  /** What goes from the one to the other. */
  readonly packages: readonly PackageKey[];
  /** Types that go along whole, whatever they speak of. */
  readonly whole: readonly string[];
}

/**
 * Nothing where the target has it all. Contradictions are settled for what the target has, and told. Throws E_NOT_FOUND for a
 * type that the source does not have, E_CONFLICT for one that the target has otherwise and that cannot be joined.
 */
export async function carriedMetadata({ format, source, target, packages, whole }: CarryRequest, tools: { readonly catalog: Catalog; readonly pool: Pool }, ctx: Context): Promise<readonly CarriedRecord[]> {
  const { publishing, local } = formatOf(format);
  const { listed } = publishing;
  const types = namedTypes(local.metadata, whole, format);
  if (local.metadata === undefined || (packages.length === 0 && types.size === 0)) return [];
  const recordsOf = (content: Content | undefined): readonly StoredRecord[] => (content === undefined ? [] : listedRecords(tools.catalog, listed, content));
  const offered = byName(listed, recordsOf(source));
  const present = byName(listed, recordsOf(target));
  const typeOf = ([record]: readonly StoredRecord[]): string => (record === undefined ? '' : (local.metadata?.typeOf(record) ?? ''));
  const there = new Set([...offered.values()].map(typeOf));
  for (const type of types) if (!there.has(type)) throw missing(type, there);
  const has = among(packages);
  const work: Work = { listed, metadata: local.metadata, pool: tools.pool, ctx };
  const carried: CarriedRecord[] = [];
  for (const [name, records] of offered) {
    const extract = types.has(typeOf(records)) ? (plain: Buffer): Buffer => plain : listed.extract?.(name);
    if (extract === undefined) continue;
    const note = (message: string): void => ctx.report({ type: 'warning', message: `${name}: ${message}` });
    const pieces = (await plainsOf(records, work)).flatMap((plain) => extract(plain, has, note) ?? []);
    const there = pieces.length === 0 ? [] : await plainsOf(present.get(name) ?? [], work);
    const known = there.flatMap((plain) => extract(plain, has, () => {}) ?? []);
    if (pieces.every((piece) => known.some((one) => one.equals(piece)))) continue;
    const joined = await join(name, { records, pieces, there, note }, work);
    if (joined !== undefined) carried.push(joined);
  }
  return carried;
}

/** One after another: each is unpacked by a process. */
async function plainsOf(records: readonly StoredRecord[], work: Work): Promise<readonly Buffer[]> {
  const plains: Buffer[] = [];
  for (const record of records) plains.push(await plainOf(record, work));
  return plains;
}

interface Work {
  readonly listed: ListedFormat;
  readonly metadata: LocalMetadata;
  readonly pool: Pool;
  readonly ctx: Context;
}

interface Joining {
  readonly records: readonly StoredRecord[];
  readonly pieces: readonly Buffer[];
  /** What the target has of that name. */
  readonly there: readonly Buffer[];
  note(message: string): void;
}

/** Undefined when the target says all of it already, if in other words. */
async function join(name: string, { records, pieces, there, note }: Joining, work: Work): Promise<CarriedRecord | undefined> {
  const [record] = records;
  const combine = work.listed.combine(name);
  if (combine === undefined) {
    if (there.length === 0 && record !== undefined) return { record };
    throw new ArtifactsError('E_CONFLICT', `The metadata "${record?.name}" is there with other bytes, and cannot be joined; nothing was changed`, {
      hint: 'Leave it out, or take out what is there with `artifacts repo metadata remove`.',
    });
  }
  const made = async (parts: readonly Buffer[], tell = note): Promise<Buffer> => collect(combine(parts.map(once), tell));
  const plain = await made([...there, ...pieces]);
  if (there.length > 0 && plain.equals(await made(there, () => {}))) return undefined;
  const bytes = gzipSync(plain);
  const file = { fileName: `${name}.gz`, type: record?.name, packing: 'gz', size: bytes.length, sha256: sha256(bytes), plain: { size: plain.length, sha256: sha256(plain) } } as const;
  return { record: work.metadata.read(file, plain), bytes };
}

function namedTypes(metadata: LocalMetadata | undefined, whole: readonly string[], format: string): ReadonlySet<string> {
  if (metadata === undefined && whole.length > 0) throw new ArtifactsError('E_USAGE', `There is no metadata of types in repositories of ${format}`);
  return new Set(whole.map((type) => metadata?.typeNamed(type) ?? type));
}

function missing(type: string, there: ReadonlySet<string>): ArtifactsError {
  return new ArtifactsError('E_NOT_FOUND', `The source has no metadata of the type "${type}"; nothing was changed`, {
    hint: there.size === 0 ? 'It has no metadata at all.' : `It has ${[...there].sort().join(', ')}.`,
  });
}

function byName(listed: ListedFormat, records: readonly StoredRecord[]): ReadonlyMap<string, readonly StoredRecord[]> {
  const found = new Map<string, StoredRecord[]>();
  for (const record of records) {
    const { name } = listed.read(record);
    const known = found.get(name);
    if (known === undefined) found.set(name, [record]);
    else known.push(record);
  }
  return found;
}

function among(packages: readonly PackageKey[]): HasPackage {
  const word = ({ name, version, architecture }: PackageKey): string => `${name} ${version} ${architecture}`;
  const words = new Set(packages.map(word));
  return (key) => words.has(word(key));
}

/** What a file may unpack to: the largest advisories there are have some 60 MB. */
const LARGEST = 512 * 1024 * 1024;

async function plainOf(record: StoredRecord, { listed, pool, ctx }: Work): Promise<Buffer> {
  const { name, packing, plain } = listed.read(record);
  const [file] = record.files;
  if (file === undefined) throw new Error(`The listed file ${name} has no file`);
  if (plain.size > LARGEST) throw new ArtifactsError('E_TOO_LARGE', `${name} has ${plain.size} bytes, which is more than can be joined`);
  return collect(unpackFile(pool.path(file.sha256), packing, ctx.signal));
}
