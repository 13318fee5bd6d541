import type { Sha256 } from '../core/digest.ts';
import type { FileRef, PackageRecord, RecordDigest, StoredRecord } from '../core/package.ts';
import type { Database } from './open.ts';

/** A record without its text: what merging, searching and linking need. */
export type RecordHead = Omit<StoredRecord, 'text'> & { /** Bytes of its text. */ readonly size: number };

interface HeadRow {
  id: number;
  digest: Uint8Array;
  format: string;
  partition: string;
  name: string;
  version: string;
  architecture: string;
  size: number;
  files: string;
}

const HEAD = 'id, digest, format, partition, name, version, architecture, size, files';

export interface Records {
  /** The number of the record with this identity, if it is known. */
  find(digest: RecordDigest): number | undefined;
  /** Adds a record that `find` did not know. */
  add(record: PackageRecord, digest: RecordDigest): number;
  head(id: number): RecordHead;
  text(id: number): Buffer;
  /** The record with its text. */
  get(id: number): StoredRecord;
  /** All files any record refers to. */
  eachFile(): Iterable<FileRef>;
  /** The files of every record, with its number. */
  eachRecordFiles(): Iterable<{ readonly id: number; readonly files: readonly FileRef[] }>;
}

export function openRecords(database: Database): Records {
  const head = (id: number): RecordHead => {
    const row = database.get<HeadRow>(`SELECT ${HEAD} FROM record WHERE id = ?`, id);
    if (row === undefined) throw new Error(`Record ${id} is missing from the catalog`);
    return headFrom(row);
  };
  const text = (id: number): Buffer => {
    const row = database.get<{ text: Uint8Array }>('SELECT text FROM record_text WHERE id = ?', id);
    if (row === undefined) throw new Error(`The text of record ${id} is missing from the catalog`);
    return asBuffer(row.text);
  };
  return {
    find: (digest) =>
      database.get<{ id: number }>('SELECT id FROM record WHERE digest = ?', Buffer.from(digest, 'hex'))?.id,
    add: (record, digest) => {
      const { text: bytes } = record; // it may lie on disk
      const id = database.run(
        `INSERT INTO record (digest, format, partition, name, version, architecture, size, files)
         VALUES (?, ?, ?, ?, ?, ?, ?, ?)`,
        Buffer.from(digest, 'hex'),
        record.format,
        record.partition,
        record.name,
        record.version,
        record.architecture,
        bytes.length,
        JSON.stringify(record.files.map((file) => [file.sha256, file.size, file.name])),
      );
      database.run('INSERT INTO record_text (id, text) VALUES (?, ?)', id, bytes);
      return id;
    },
    head,
    text,
    get: (id) => ({ ...head(id), text: text(id) }),
    eachRecordFiles: function* () {
      for (const row of database.each<{ id: number; files: string }>('SELECT id, files FROM record')) {
        yield { id: row.id, files: filesFrom(row.files) };
      }
    },
    eachFile: function* () {
      for (const row of database.each<{ files: string }>('SELECT files FROM record')) yield* filesFrom(row.files);
    },
  };
}

function headFrom(row: HeadRow): RecordHead {
  return {
    id: row.id,
    digest: asBuffer(row.digest).toString('hex') as RecordDigest,
    format: row.format,
    partition: row.partition,
    name: row.name,
    version: row.version,
    architecture: row.architecture,
    size: row.size,
    files: filesFrom(row.files),
  };
}

function filesFrom(json: string): FileRef[] {
  const rows = JSON.parse(json) as [Sha256, number, string][];
  return rows.map(([sha256, size, name]) => ({ sha256, size, name }));
}

/** The same bytes as a Buffer; the driver gives plain arrays. */
export function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
