import type { Sha256 } from '../core/digest.ts';
import type { Content } from '../core/snapshot.ts';
import type { Contents } from './contents.ts';
import type { Database } from './open.ts';

/** What is remembered of an upstream between updates. */
export interface MirrorState {
  readonly name: string;
  readonly format: string;
  /** Fingerprint of the definition the content was made with. */
  readonly inputs: Sha256;
  /** That definition, to say what changed. */
  readonly description: Readonly<Record<string, unknown>>;
  readonly root: RootState;
  /** Indexes whose packages are known, so that they are fetched again only when they change. */
  readonly indexes: readonly KnownIndex[];
  readonly content: Content;
  /** When the upstream was last asked, and when its answer last changed the content. ISO 8601, UTC. */
  readonly checkedAt: string;
  readonly changedAt: string;
}

/** What is remembered of the signed root metadata, against roll-back and for conditional requests. */
export interface RootState {
  /** Where it was read: `dists/bookworm/InRelease`. */
  readonly path: string;
  readonly sha256: Sha256;
  readonly url: string;
  readonly etag?: string;
  readonly lastModified?: string;
  /** Its Date, ISO 8601. */
  readonly date: string;
  readonly validUntil?: string;
  /** Suite, codename, origin… as it named itself. */
  readonly identity: Readonly<Record<string, string>>;
  /** Fingerprints of the keys whose signatures were good. */
  readonly signedBy: readonly string[];
}

export interface KnownIndex {
  readonly name: string;
  /** Digest of its plain bytes. */
  readonly sha256: Sha256;
  /** Number of the content with exactly its packages. */
  readonly content: number;
}

/** False after `distrust`: of what the mirror holds nothing may be taken for granted. */
export function isTrusted({ root }: MirrorState): boolean {
  return root.sha256.length > 0;
}

interface MirrorRow {
  name: string;
  format: string;
  inputs: string;
  definition: string;
  root: string;
  indexes: string;
  content: number;
  checked_at: string;
  changed_at: string;
}

export interface Mirrors {
  get(name: string): MirrorState | undefined;
  list(): MirrorState[];
  /** Creates or replaces. */
  put(state: MirrorState): void;
  /** Nothing new upstream. */
  checked(name: string, at: string): void;
  /** Forgets the upstream's validators, so that the next update reads everything again and looks for every file. */
  distrust(name: string): void;
  drop(name: string): void;
}

export function openMirrors(database: Database, contents: Contents): Mirrors {
  const from = (row: MirrorRow): MirrorState => ({
    name: row.name,
    format: row.format,
    inputs: row.inputs as Sha256,
    description: JSON.parse(row.definition) as Record<string, unknown>,
    root: JSON.parse(row.root) as RootState,
    indexes: JSON.parse(row.indexes) as KnownIndex[],
    content: contents.get(row.content),
    checkedAt: row.checked_at,
    changedAt: row.changed_at,
  });
  const get = (name: string): MirrorState | undefined => {
    const row = database.get<MirrorRow>('SELECT * FROM mirror WHERE name = ?', name);
    return row === undefined ? undefined : from(row);
  };
  return {
    get,
    list: () => database.all<MirrorRow>('SELECT * FROM mirror ORDER BY name').map(from),
    put: (state) => {
      database.run(
        `INSERT INTO mirror (name, format, inputs, definition, root, indexes, content, checked_at, changed_at)
         VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
         ON CONFLICT (name) DO UPDATE SET format = excluded.format, inputs = excluded.inputs,
           definition = excluded.definition, root = excluded.root, indexes = excluded.indexes, content = excluded.content,
           checked_at = excluded.checked_at, changed_at = excluded.changed_at`,
        state.name,
        state.format,
        state.inputs,
        JSON.stringify(state.description),
        JSON.stringify(state.root),
        JSON.stringify(state.indexes),
        state.content.id,
        state.checkedAt,
        state.changedAt,
      );
    },
    checked: (name, at) => void database.run('UPDATE mirror SET checked_at = ? WHERE name = ?', at, name),
    distrust: (name) =>
      void database.run(
        `UPDATE mirror SET root = json_set(json_remove(root, '$.etag', '$.lastModified'), '$.sha256', ''), indexes = '[]'
         WHERE name = ?`,
        name,
      ),
    drop: (name) => void database.run('DELETE FROM mirror WHERE name = ?', name),
  };
}
