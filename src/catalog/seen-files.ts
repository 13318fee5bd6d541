import type { Sha256 } from '../core/digest.ts';
import type { RecordDigest } from '../core/package.ts';
import type { Database } from './open.ts';

/** A file of the user's, and the record that was read from it. */
export interface SeenFile {
  /** Absolute. */
  readonly path: string;
  /** What tells whether it is still what it was. */
  readonly stamp: string;
  readonly file: Sha256;
  readonly record: RecordDigest;
}

/** Files of the user's that were read before: see `LeafCache`. */
export interface SeenFiles {
  /** What is remembered of the files at these paths. */
  seenFiles(paths: readonly string[]): SeenFile[];
  putSeenFiles(seen: readonly SeenFile[]): void;
  /** Forgets files whose package file is not among these. */
  keepSeenFiles(files: ReadonlySet<Sha256>): void;
}

export function openSeenFiles(database: () => Database): SeenFiles {
  return {
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
  };
}
