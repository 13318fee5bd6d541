import type { Sha256 } from '../core/digest.ts';
import { ArtifactsError } from '../core/errors.ts';
import { asBuffer } from './records.ts';
import type { Database } from './open.ts';

/** What a collection found, and which files are still needed after it. */
export interface Collected {
  readonly contents: number;
  readonly leaves: number;
  readonly records: number;
  /** Digests of the files of all records that stay, and of all artifacts and published trees. */
  readonly files: ReadonlySet<Sha256>;
}

export interface Sweep {
  /**
   * Removes contents, leaves and records that no mirror, snapshot, publication or kept generation reaches; with a dry run
   * everything is rolled back again.
   */
  collect(dryRun: boolean): Collected;
  /** Numbers of the contents that something else than a snapshot holds. */
  heldBesidesSnapshots(): number[];
  /** Every leaf there is. */
  leafDigests(): ReadonlySet<Sha256>;
  /** Problems of the database itself, in words; empty when it is sound. */
  problems(): string[];
}

/** What holds contents besides snapshots. */
const OTHER_ROOTS = `
  SELECT content FROM mirror
  UNION SELECT json_extract(value, '$.content') FROM mirror, json_each(mirror.indexes)
  UNION SELECT content FROM repo
  UNION SELECT value FROM generation, json_each(generation.contents)
  UNION SELECT value FROM intent, json_each(intent.plan, '$.contents')`;

const ROOTS = `${OTHER_ROOTS} UNION SELECT content FROM snapshot`;

const FILES = 'SELECT files FROM record UNION ALL SELECT files FROM artifact UNION ALL SELECT files FROM tree';

/** Carries the result of a dry run out of the transaction it rolls back. */
class RolledBack extends Error {
  readonly collected: Collected;

  constructor(collected: Collected) {
    super('dry run');
    this.collected = collected;
  }
}

export function openSweep(database: Database): Sweep {
  return {
    collect: (dryRun) => {
      try {
        return database.transaction(() => {
          const collected = collect(database);
          if (dryRun) throw new RolledBack(collected);
          return collected;
        });
      } catch (error) {
        if (error instanceof RolledBack) return error.collected;
        throw error;
      }
    },
    heldBesidesSnapshots: () => database.all<{ content: number }>(OTHER_ROOTS).map(({ content }) => content),
    leafDigests: () =>
      new Set(
        database
          .all<{ digest: Uint8Array }>('SELECT digest FROM leaf')
          .map((row) => asBuffer(row.digest).toString('hex') as Sha256),
      ),
    problems: () => problems(database),
  };
}

function collect(database: Database): Collected {
  const remove = (table: string, where: string): number => {
    const count = database.get<{ n: number }>(`SELECT count(*) AS n FROM ${table} WHERE ${where}`)?.n ?? 0;
    if (count > 0) database.run(`DELETE FROM ${table} WHERE ${where}`);
    return count;
  };
  remove('content_leaf', `content NOT IN (${ROOTS})`);
  const contents = remove('content', `id NOT IN (${ROOTS})`);
  const leaves = remove('leaf', 'id NOT IN (SELECT leaf FROM content_leaf)');
  markReached(database);
  remove('record_text', 'id NOT IN (SELECT id FROM temp.reached)');
  const records = remove('record', 'id NOT IN (SELECT id FROM temp.reached)');
  database.run('DELETE FROM temp.reached');
  const files = new Set<Sha256>();
  for (const row of database.each<{ files: string }>(FILES)) {
    for (const [sha256] of JSON.parse(row.files) as [Sha256][]) files.add(sha256);
  }
  return { contents, leaves, records, files };
}

/** Leaves hold their members packed, so SQL alone cannot tell which records they reach. */
function markReached(database: Database): void {
  database.run('CREATE TEMP TABLE IF NOT EXISTS reached (id INTEGER PRIMARY KEY)');
  database.run('DELETE FROM temp.reached');
  for (const row of database.all<{ members: Uint8Array }>('SELECT members FROM leaf')) {
    const members = asBuffer(row.members);
    for (let at = 0; at < members.length; at += 4) {
      database.run('INSERT OR IGNORE INTO temp.reached (id) VALUES (?)', members.readUInt32LE(at));
    }
  }
}

function problems(database: Database): string[] {
  try {
    const integrity = database.all<Record<string, string>>('PRAGMA integrity_check').map((row) => Object.values(row)[0] ?? '');
    const foreign = database.all<{ table: string; rowid: number }>('PRAGMA foreign_key_check');
    return [
      ...integrity.filter((line) => line !== 'ok').map((line) => `catalog: ${line}`),
      ...foreign.map((row) => `catalog: row ${row.rowid} of ${row.table} refers to something that is gone`),
    ];
  } catch (error) {
    throw new ArtifactsError('E_STATE', `The catalog cannot be read: ${(error as Error).message}`, { cause: error });
  }
}
