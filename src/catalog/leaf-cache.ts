/**
 * What is expensive to compute again: compressed leaves by leaf digest, the lists of what packages install by the digest of
 * the package file, and which files of the user's were read before. A cache that may be deleted at any time; apart from the catalog, and not flushed.
 */
import { deflateRawSync, inflateRawSync } from 'node:zlib';
import type { Sha256 } from '../core/digest.ts';
import type { RecordDigest } from '../core/package.ts';
import { openDatabase, type Database } from './open.ts';
import { asBuffer } from './records.ts';

/** Which form of which piece of a leaf's texts. */
export interface LeafForm {
  readonly leaf: Sha256;
  readonly part: string;
  readonly packing: 'gz' | 'xz' | 'zst';
}

/** A leaf as it stands in published indexes: a gzip member or an xz block, whose two sizes only the latter needs. */
export interface PackedLeaf {
  readonly bytes: Buffer;
  readonly unpaddedSize: number;
  readonly plainSize: number;
}

export interface LeafCache {
  get(form: LeafForm): PackedLeaf | undefined;
  /** The leaves among these that lack any of the forms. */
  lacking(leaves: readonly Sha256[], forms: readonly Omit<LeafForm, 'leaf'>[]): ReadonlySet<Sha256>;
  put(entries: readonly (readonly [LeafForm, PackedLeaf])[]): void;
  /** Removes what is not among these. Returns how many leaves went. */
  keep(leaves: ReadonlySet<Sha256>): number;
  /** The paths a package file installs, one a line, a character per byte; undefined when they were never listed. */
  fileList(sha256: Sha256): string | undefined;
  putFileLists(lists: ReadonlyMap<Sha256, string>): void;
  /** Removes lists of package files that are not among these. */
  keepFileLists(files: ReadonlySet<Sha256>): void;
  /** What is remembered of the files at these paths. */
  seenFiles(paths: readonly string[]): SeenFile[];
  putSeenFiles(seen: readonly SeenFile[]): void;
  /** Forgets files whose package file is not among these. */
  keepSeenFiles(files: ReadonlySet<Sha256>): void;
  close(): void;
}

/** A file of the user's, and the record that was read from it. */
export interface SeenFile {
  /** Absolute. */
  readonly path: string;
  /** What tells whether it is still what it was. */
  readonly stamp: string;
  readonly file: Sha256;
  readonly record: RecordDigest;
}

const FIRST_SCHEMA = `
CREATE TABLE compressed (
  leaf BLOB PRIMARY KEY,
  gz BLOB NOT NULL,
  xz BLOB NOT NULL,
  unpadded_size INTEGER NOT NULL,
  plain_size INTEGER NOT NULL
) STRICT, WITHOUT ROWID`;

const FILE_LISTS = `
CREATE TABLE file_list (
  file BLOB PRIMARY KEY,
  paths BLOB NOT NULL        -- deflated
) STRICT, WITHOUT ROWID`;

/** One row a form, since formats differ in the forms they publish; what was cached is kept. */
const FORMS = `
CREATE TABLE packed (
  leaf BLOB NOT NULL,
  part TEXT NOT NULL,
  packing TEXT NOT NULL,
  bytes BLOB NOT NULL,
  unpadded_size INTEGER NOT NULL,
  plain_size INTEGER NOT NULL,
  PRIMARY KEY (leaf, part, packing)
) STRICT, WITHOUT ROWID;
INSERT INTO packed SELECT leaf, '', 'gz', gz, 0, 0 FROM compressed;
INSERT INTO packed SELECT leaf, '', 'xz', xz, unpadded_size, plain_size FROM compressed;
DROP TABLE compressed`;

const SEEN_FILES = `
CREATE TABLE seen_file (
  path TEXT PRIMARY KEY,
  stamp TEXT NOT NULL,
  file TEXT NOT NULL,
  record TEXT NOT NULL
) STRICT, WITHOUT ROWID`;

interface Row {
  bytes: Uint8Array;
  unpadded_size: number;
  plain_size: number;
}

/** Nothing is opened before it is asked for: most commands that are handed the cache have no use for it. */
export function openLeafCache(file: string): LeafCache {
  let opened: Database | undefined;
  const database = (): Database => (opened ??= openDatabase(file, [FIRST_SCHEMA, FILE_LISTS, FORMS, SEEN_FILES]));
  const key = (leaf: Sha256): Buffer => Buffer.from(leaf, 'hex');
  return {
    get: ({ leaf, part, packing }) => {
      const row = database().get<Row>(
        'SELECT bytes, unpadded_size, plain_size FROM packed WHERE leaf = ? AND part = ? AND packing = ?',
        key(leaf),
        part,
        packing,
      );
      if (row === undefined) return undefined;
      return { bytes: asBuffer(row.bytes), unpaddedSize: row.unpadded_size, plainSize: row.plain_size };
    },
    lacking: (leaves, forms) => {
      const row = database().get<{ leaves: string }>(
        `SELECT json_group_array(DISTINCT item.value) AS leaves FROM json_each(?) AS item JOIN json_each(?) AS form
         WHERE NOT EXISTS (
           SELECT 1 FROM packed
           WHERE leaf = unhex(item.value) AND part = form.value ->> 'part' AND packing = form.value ->> 'packing'
         )`,
        JSON.stringify(leaves),
        JSON.stringify(forms),
      );
      return new Set(JSON.parse(row?.leaves ?? '[]') as Sha256[]);
    },
    put: (entries) =>
      database().transaction(() => {
        for (const [{ leaf, part, packing }, { bytes, unpaddedSize, plainSize }] of entries) {
          database().run(
            'INSERT OR REPLACE INTO packed (leaf, part, packing, bytes, unpadded_size, plain_size) VALUES (?, ?, ?, ?, ?, ?)',
            key(leaf),
            part,
            packing,
            bytes,
            unpaddedSize,
            plainSize,
          );
        }
      }),
    keep: (leaves) =>
      database().transaction(() => {
        let removed = 0;
        for (const { leaf } of database().all<{ leaf: Uint8Array }>('SELECT DISTINCT leaf FROM packed')) {
          const raw = asBuffer(leaf);
          if (leaves.has(raw.toString('hex') as Sha256)) continue;
          database().run('DELETE FROM packed WHERE leaf = ?', raw);
          removed += 1;
        }
        return removed;
      }),
    fileList: (sha256) => {
      const row = database().get<{ paths: Uint8Array }>('SELECT paths FROM file_list WHERE file = ?', key(sha256));
      return row === undefined ? undefined : inflateRawSync(row.paths).toString('latin1');
    },
    putFileLists: (lists) =>
      database().transaction(() => {
        for (const [file, paths] of lists) {
          const packed = deflateRawSync(Buffer.from(paths, 'latin1'));
          database().run('INSERT OR REPLACE INTO file_list (file, paths) VALUES (?, ?)', key(file), packed);
        }
      }),
    keepFileLists: (files) =>
      database().transaction(() => {
        for (const row of database().all<{ file: Uint8Array }>('SELECT file FROM file_list')) {
          const raw = asBuffer(row.file);
          if (!files.has(raw.toString('hex') as Sha256)) database().run('DELETE FROM file_list WHERE file = ?', raw);
        }
      }),
    seenFiles: (paths) =>
      database().all<SeenFile>('SELECT seen_file.path, stamp, file, record FROM json_each(?) AS item JOIN seen_file ON seen_file.path = item.value', JSON.stringify(paths)),
    putSeenFiles: (seen) =>
      database().transaction(() => {
        for (const { path, stamp, file, record } of seen) {
          database().run('INSERT OR REPLACE INTO seen_file (path, stamp, file, record) VALUES (?, ?, ?, ?)', path, stamp, file, record);
        }
      }),
    keepSeenFiles: (files) =>
      database().transaction(() => {
        for (const { file } of database().all<{ file: Sha256 }>('SELECT DISTINCT file FROM seen_file')) {
          if (!files.has(file)) database().run('DELETE FROM seen_file WHERE file = ?', file);
        }
      }),
    close: () => opened?.close(),
  };
}
