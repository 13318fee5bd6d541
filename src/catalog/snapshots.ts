import type { Content, Snapshot, SnapshotOrigin } from '../core/snapshot.ts';
import type { Contents } from './contents.ts';
import type { Database } from './open.ts';

interface SnapshotRow {
  id: number;
  name: string;
  format: string;
  content: number;
  origin: string;
  created_at: string;
}

/** A snapshot to be made. */
export interface SnapshotDraft {
  readonly name: string;
  readonly format: string;
  readonly content: Content;
  readonly origin: SnapshotOrigin;
  readonly createdAt: string;
}

export interface Snapshots {
  find(name: string): Snapshot | undefined;
  get(id: number): Snapshot;
  list(): Snapshot[];
  /** The name must be free. */
  add(draft: SnapshotDraft): Snapshot;
  /** Moves a name on: the content under the number never changes. */
  rename(id: number, name: string): void;
  drop(id: number): void;
  /** Snapshots made from this one. */
  madeFrom(id: number): Snapshot[];
}

export function openSnapshots(database: Database, contents: Contents): Snapshots {
  const from = (row: SnapshotRow): Snapshot => ({
    id: row.id,
    name: row.name,
    format: row.format,
    content: contents.get(row.content),
    origin: JSON.parse(row.origin) as SnapshotOrigin,
    createdAt: row.created_at,
  });
  const get = (id: number): Snapshot => {
    const row = database.get<SnapshotRow>('SELECT * FROM snapshot WHERE id = ?', id);
    if (row === undefined) throw new Error(`Snapshot ${id} is missing from the catalog`);
    return from(row);
  };
  return {
    find: (name) => {
      const row = database.get<SnapshotRow>('SELECT * FROM snapshot WHERE name = ?', name);
      return row === undefined ? undefined : from(row);
    },
    get,
    list: () => database.all<SnapshotRow>('SELECT * FROM snapshot ORDER BY name').map(from),
    add: (draft) => {
      const id = database.run(
        'INSERT INTO snapshot (name, format, content, origin, created_at) VALUES (?, ?, ?, ?, ?)',
        draft.name,
        draft.format,
        draft.content.id,
        JSON.stringify(draft.origin),
        draft.createdAt,
      );
      const sources = 'sources' in draft.origin ? draft.origin.sources : [];
      for (const source of new Set(sources.map(({ id: number }) => number))) {
        database.run('INSERT INTO snapshot_source (snapshot, source) VALUES (?, ?)', id, source);
      }
      return { id, ...draft };
    },
    rename: (id, name) => void database.run('UPDATE snapshot SET name = ? WHERE id = ?', name, id),
    drop: (id) => void database.run('DELETE FROM snapshot WHERE id = ?', id),
    madeFrom: (id) =>
      database
        .all<SnapshotRow>(
          'SELECT snapshot.* FROM snapshot_source JOIN snapshot ON snapshot.id = snapshot WHERE source = ? ORDER BY name',
          id,
        )
        .map(from),
  };
}
