/**
 * What is expensive to compute again: compressed leaves by leaf digest, the lists of what packages install by the digest of
 * the package file, and which files of the user's were read before. A cache that may be deleted at any time; apart from the catalog, and not flushed.
 */
import { openFileLists, type FileLists } from './file-lists.ts';
import { openDatabase, type Database } from './open.ts';
import { openPackedLeaves, type PackedLeaves } from './packed-leaves.ts';
import { openSeenFiles, type SeenFiles } from './seen-files.ts';

export interface LeafCache extends PackedLeaves, FileLists, SeenFiles {
  close(): void;
}

/** Which forms there are is asked for all leaves at once: looked up here, and not in a tree that has the bytes between its rows. */
const FORM_INDEX = 'CREATE INDEX packed_form ON packed (leaf, part, packing)';

/** Nothing is opened before it is asked for: most commands that are handed the cache have no use for it. */
export function openLeafCache(file: string): LeafCache {
  let opened: Database | undefined;
  const database = (): Database => (opened ??= openDatabase(file, [FIRST_SCHEMA, FILE_LISTS, FORMS, SEEN_FILES, FORM_INDEX]));
  return { ...openPackedLeaves(database), ...openFileLists(database), ...openSeenFiles(database), close: () => opened?.close() };
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
