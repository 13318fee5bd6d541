import type { Sha256 } from '../core/digest.ts';
import type { Database } from './open.ts';

/** One run of a release build that ended. */
export interface Build {
  readonly release: string;
  /** UTC, `YYYYMMDDTHHMMSSZ`. */
  readonly id: string;
  readonly result: 'done' | 'partial' | 'failed';
  /** Fingerprint of what it was told besides what it is made of. */
  readonly inputs: Sha256;
  /** Digest of its manifest; only complete builds have one. */
  readonly manifest?: Sha256;
  readonly finishedAt: string;
}

interface BuildRow {
  release: string;
  id: string;
  result: Build['result'];
  inputs: string;
  manifest: string | null;
  finished_at: string;
}

export interface Builds {
  /** The build the release points at: the last one that was complete. */
  latest(release: string): Build | undefined;
  list(release: string): Build[];
  /** Records a build; a complete one becomes the latest. */
  add(build: Build): void;
}

export function openBuilds(database: Database): Builds {
  const from = (row: BuildRow): Build => ({
    release: row.release,
    id: row.id,
    result: row.result,
    inputs: row.inputs as Sha256,
    ...(row.manifest === null ? {} : { manifest: row.manifest as Sha256 }),
    finishedAt: row.finished_at,
  });
  return {
    latest: (release) => {
      const row = database.get<BuildRow>(
        'SELECT build.* FROM release JOIN build ON build.release = name AND id = latest_build WHERE name = ?',
        release,
      );
      return row === undefined ? undefined : from(row);
    },
    list: (release) => database.all<BuildRow>('SELECT * FROM build WHERE release = ? ORDER BY id', release).map(from),
    add: (build) => {
      database.run(
        'INSERT INTO build (release, id, result, inputs, manifest, finished_at) VALUES (?, ?, ?, ?, ?, ?)',
        build.release,
        build.id,
        build.result,
        build.inputs,
        build.manifest ?? null,
        build.finishedAt,
      );
      if (build.result !== 'done') return;
      database.run(
        `INSERT INTO release (name, latest_build) VALUES (?, ?)
         ON CONFLICT (name) DO UPDATE SET latest_build = excluded.latest_build`,
        build.release,
        build.id,
      );
    },
  };
}
