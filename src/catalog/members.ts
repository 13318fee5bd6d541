/**
 * Questions about many records at once. A row costs the driver some microseconds whatever it holds, which for a whole
 * distribution is more than all else a search does; so the columns of many rows come packed into one.
 */
import type { Sha256 } from '../core/digest.ts';
import type { FileRef, RecordDigest } from '../core/package.ts';
import { asBuffer, type RecordHead } from './records.ts';
import type { Database } from './open.ts';

/** What is the same for thousands of records. */
export interface MemberKind {
  readonly partition: string;
  readonly architecture: string;
}

/** What tells records of one name apart, in two columns as long as the list asked for and in its order. */
export interface MemberColumns {
  readonly kinds: readonly MemberKind[];
  readonly versions: readonly string[];
}

export interface MemberOutline {
  readonly id: number;
  readonly digest: RecordDigest;
  readonly name: string;
  readonly size: number;
}

export type MemberFiles = Pick<RecordHead, 'partition' | 'files'>;

export interface Members {
  /** Numbers of all records of a format, but for those of one partition. */
  all(format: string, except: string): Uint32Array;
  names(ids: Uint32Array): readonly string[];
  /** For each identity the number of its record, where there is one. */
  find(digests: readonly RecordDigest[]): (number | undefined)[];
  /** What cutting leaves needs of the records, in the order of the list: a quarter of the cost of their heads. */
  outlines(ids: Uint32Array): MemberOutline[];
  /** The records without their texts, in the order of the list. */
  heads(ids: Uint32Array): RecordHead[];
  /** What of them lies in the pool, in the order of the list: a third of the cost of their heads. */
  files(ids: Uint32Array): MemberFiles[];
  columns(ids: Uint32Array): MemberColumns;
  /** The texts of the records, in their order. All are in memory at once: ask for some thousand at a time. */
  texts(ids: Uint32Array): readonly Buffer[];
  /** The same as one value, each text followed by the separator: what reading all of an index comes down to. */
  joinedTexts(ids: Uint32Array, separator: string): Buffer;
  /**
   * Positions in the list of the records whose text holds this word, in whatever case; some others may be among them.
   * For `%` and `_` in the word anything will do.
   */
  mentioning(ids: Uint32Array, word: string): readonly number[];
}

/**
 * Numbers go in as one JSON list. The join is CROSS so that SQLite visits the records in the order of the list, which is
 * the order in which the aggregates collect.
 */
const FROM_LIST = 'FROM json_each(?) AS item CROSS JOIN';

export function openMembers(database: Database): Members {
  return {
    all: (format, except) => {
      const row = database.get<{ ids: string }>(
        'SELECT json_group_array(id) AS ids FROM record WHERE format = ? AND partition <> ?',
        format,
        except,
      );
      return Uint32Array.from(JSON.parse(row?.ids ?? '[]') as number[]);
    },
    names: (ids) => packed(database, ['name'], ids)[0] ?? [],
    columns: (ids) => {
      const [versions = [], written = []] = packed(database, ['version', "architecture || ' ' || partition"], ids);
      return { versions, kinds: kinds(written) };
    },
    find: (digests) => {
      const row = database.get<{ found: string }>(
        `SELECT json_group_array(json_array(item.key, record.id)) AS found ${FROM_LIST} record ON record.digest = unhex(item.value)`,
        JSON.stringify(digests),
      );
      const ids = Array.from<unknown, number | undefined>(digests, () => undefined);
      for (const [position, id] of JSON.parse(row?.found ?? '[]') as [number, number][]) ids[position] = id;
      return ids;
    },
    outlines: (ids) => {
      const row = database.get<{ outlines: string }>(
        `SELECT json_group_array(lower(hex(digest)) || ' ' || size || ' ' || name) AS outlines ${FROM_LIST} record ON record.id = item.value`,
        list(ids),
      );
      const found = JSON.parse(row?.outlines ?? '[]') as string[];
      if (found.length !== ids.length) throw new Error('Records are missing from the catalog');
      return found.map((line, index) => outlineFrom(ids[index] ?? 0, line));
    },
    files: (ids) => slices(ids, HEADS_AT_ONCE).flatMap((slice) => files(database, slice)),
    heads: (ids) => slices(ids, HEADS_AT_ONCE).flatMap((slice) => heads(database, slice)),
    texts: (ids) => texts(database, ids),
    joinedTexts: (ids, separator) => joinedTexts(database, ids, separator),
    mentioning: (ids, word) => {
      const row = database.get<{ positions: string }>(
        `SELECT json_group_array(item.key) AS positions ${FROM_LIST} record_text ON record_text.id = item.value
         WHERE CAST(text AS TEXT) LIKE ?`,
        list(ids),
        `%${word}%`,
      );
      return JSON.parse(row?.positions ?? '[]') as number[];
    },
  };
}

/** Each of the columns, or what SQL makes of them. */
function packed(database: Database, columns: readonly string[], ids: Uint32Array): readonly string[][] {
  const packing = columns.map((column, index) => `json_group_array(${column}) AS c${index}`).join(', ');
  const row = database.get<Record<string, string>>(`SELECT ${packing} ${FROM_LIST} record ON record.id = item.value`, list(ids));
  const found = columns.map((_, index) => JSON.parse(row?.[`c${index}`] ?? '[]') as string[]);
  if (found.some(({ length }) => length !== ids.length)) throw new Error('Records are missing from the catalog');
  return found;
}

/** No architecture holds a blank. */
function kinds(written: readonly string[]): readonly MemberKind[] {
  const known = new Map<string, MemberKind>();
  return written.map((text) => {
    let kind = known.get(text);
    if (kind === undefined) {
      const blank = text.indexOf(' ');
      known.set(text, (kind = { architecture: text.slice(0, blank), partition: text.slice(blank + 1) }));
    }
    return kind;
  });
}

const DIGEST_LENGTH = 64;

function outlineFrom(id: number, line: string): MemberOutline {
  const nameAt = line.indexOf(' ', DIGEST_LENGTH + 1) + 1;
  const size = Number(line.slice(DIGEST_LENGTH + 1, nameAt - 1));
  return { id, digest: line.slice(0, DIGEST_LENGTH) as RecordDigest, name: line.slice(nameAt), size };
}

/** Records whose heads are asked for at once: bounds the JSON that is made of them. */
const HEADS_AT_ONCE = 2000;

type PackedHead = readonly [
  id: number,
  digest: RecordDigest,
  format: string,
  partition: string,
  name: string,
  version: string,
  architecture: string,
  size: number,
  files: readonly PackedFile[],
];

function heads(database: Database, ids: Uint32Array): RecordHead[] {
  const row = database.get<{ heads: string }>(
    `SELECT json_group_array(json_array(record.id, lower(hex(digest)), format, partition, name, version, architecture, size,
       json(files))) AS heads ${FROM_LIST} record ON record.id = item.value`,
    list(ids),
  );
  const found = JSON.parse(row?.heads ?? '[]') as PackedHead[];
  if (found.length !== ids.length) throw new Error('Records are missing from the catalog');
  return found.map(headFrom);
}

function headFrom([id, digest, format, partition, name, version, architecture, size, packedFiles]: PackedHead): RecordHead {
  return { id, digest, format, partition, name, version, architecture, size, files: packedFiles.map(fileFrom) };
}

type PackedFile = readonly [Sha256, number, string];

function fileFrom([sha256, size, name]: PackedFile): FileRef {
  return { sha256, size, name };
}

/** Files are kept as JSON, and put together as it. */
function files(database: Database, ids: Uint32Array): MemberFiles[] {
  const row = database.get<{ files: string | null }>(
    `SELECT group_concat('[' || json_quote(partition) || ',' || files || ']') AS files ${FROM_LIST} record ON record.id = item.value`,
    list(ids),
  );
  const found = JSON.parse(`[${row?.files ?? ''}]`) as (readonly [string, readonly PackedFile[]])[];
  if (found.length !== ids.length) throw new Error('Records are missing from the catalog');
  return found.map(([partition, packedFiles]) => ({ partition, files: packedFiles.map(fileFrom) }));
}

function slices(ids: Uint32Array, length: number): Uint32Array[] {
  return Array.from({ length: Math.ceil(ids.length / length) }, (_, index) => ids.subarray(index * length, (index + 1) * length));
}

/** All texts come as one value; where one ends and the next begins is known from their lengths. */
function texts(database: Database, ids: Uint32Array): Buffer[] {
  if (ids.length === 0) return [];
  const row = database.get<{ sizes: string; bytes: Uint8Array | null }>(
    `SELECT json_group_array(length(text)) AS sizes, CAST(group_concat(CAST(text AS TEXT), '') AS BLOB) AS bytes
     ${FROM_LIST} record_text ON record_text.id = item.value`,
    list(ids),
  );
  const sizes = JSON.parse(row?.sizes ?? '[]') as number[];
  const bytes = asBuffer(row?.bytes ?? new Uint8Array());
  let at = 0;
  const found = sizes.map((size) => bytes.subarray(at, (at += size)));
  if (found.length !== ids.length || at !== bytes.length) throw new Error('Texts of records are missing from the catalog');
  return found;
}

function joinedTexts(database: Database, ids: Uint32Array, separator: string): Buffer {
  if (ids.length === 0) return Buffer.alloc(0);
  const row = database.get<{ count: number; bytes: Uint8Array }>(
    `SELECT count(*) AS count, CAST(group_concat(CAST(text AS TEXT), ?) || ? AS BLOB) AS bytes
     ${FROM_LIST} record_text ON record_text.id = item.value`,
    separator,
    separator,
    list(ids),
  );
  if (row?.count !== ids.length) throw new Error('Texts of records are missing from the catalog');
  return asBuffer(row.bytes);
}

/** The same list is asked about several times, and writing a long one down takes a while. */
const lists = new WeakMap<Uint32Array, string>();

function list(ids: Uint32Array): string {
  let text = lists.get(ids);
  if (text === undefined) lists.set(ids, (text = JSON.stringify(Array.from(ids))));
  return text;
}
