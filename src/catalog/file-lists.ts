import { deflateRawSync, inflateRawSync } from 'node:zlib';
import type { Sha256 } from '../core/digest.ts';
import type { Database } from './open.ts';
import { asBuffer } from './records.ts';

/** What packages install, by the digest of the package file: see `LeafCache`. */
export interface FileLists {
  /** The paths a package file installs, one a line, a character per byte; undefined when they were never listed. */
  fileList(sha256: Sha256): string | undefined;
  putFileLists(lists: ReadonlyMap<Sha256, string>): void;
  /** Removes lists of package files that are not among these. */
  keepFileLists(files: ReadonlySet<Sha256>): void;
}

export function openFileLists(database: () => Database): FileLists {
  return {
    fileList: (sha256) => {
      const row = database().get<{ paths: Uint8Array }>('SELECT paths FROM file_list WHERE file = ?', Buffer.from(sha256, 'hex'));
      return row === undefined ? undefined : inflateRawSync(row.paths).toString('latin1');
    },
    putFileLists: (lists) =>
      database().transaction(() => {
        for (const [file, paths] of lists) {
          const packed = deflateRawSync(Buffer.from(paths, 'latin1'));
          database().run('INSERT OR REPLACE INTO file_list (file, paths) VALUES (?, ?)', Buffer.from(file, 'hex'), packed);
        }
      }),
    keepFileLists: (files) =>
      database().transaction(() => {
        for (const row of database().all<{ file: Uint8Array }>('SELECT file FROM file_list')) {
          const raw = asBuffer(row.file);
          if (!files.has(raw.toString('hex') as Sha256)) database().run('DELETE FROM file_list WHERE file = ?', raw);
        }
      }),
  };
}
