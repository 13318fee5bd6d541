/**
 * The catalog: what is known, in one SQLite file. Only this folder speaks SQL. A method is a question or a change;
 * changes that belong together are made in one `transaction`. Readers never wait (WAL); whoever writes holds the aptly
 * lock, taken by the operation, not here.
 */
import { dirname } from 'node:path';
import { DatabaseSync, type DatabaseSyncInstance, type StatementSyncInstance } from '@photostructure/sqlite';
import { ArtifactsError } from '../core/errors.ts';
import * as durable from '../util/durable.ts';
import { guarded } from './driver-errors.ts';
import { migrations } from './migrations/index.ts';

export type SqlValue = string | number | bigint | null | Uint8Array;

/** An open database with its prepared statements. */
export interface Database {
  /** All rows. */
  all<Row>(sql: string, ...values: SqlValue[]): Row[];
  /** Rows one by one; the statement must be finished before it is used again. */
  each<Row>(sql: string, ...values: SqlValue[]): Iterable<Row>;
  get<Row>(sql: string, ...values: SqlValue[]): Row | undefined;
  /** Runs a change; the number of the inserted row is returned. */
  run(sql: string, ...values: SqlValue[]): number;
  /** All or nothing, durable when it returns. */
  transaction<T>(work: () => T): T;
  close(): void;
}

/** How long a writer waits for another one's commit. Commits are short; locks for longer work are taken above. */
const BUSY_MILLISECONDS = 10_000;

/** Opens the database file, creating and migrating it. Refuses one that a newer version wrote (E_STATE). */
export function openDatabase(file: string, steps: readonly string[] = migrations): Database {
  durable.makeFolder(dirname(file));
  return guarded(file, () => {
    const connection = new DatabaseSync(file, { timeout: BUSY_MILLISECONDS });
    // WAL first: changing the journal mode resets synchronous on some builds. FULL, or a power cut loses commits.
    connection.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON;');
    connection.exec('PRAGMA cache_size = -16000; PRAGMA trusted_schema = OFF;');
    const database = wrap(connection, file);
    migrate(database, steps, file);
    return database;
  });
}

function wrap(connection: DatabaseSyncInstance, file: string): Database {
  const prepared = new Map<string, StatementSyncInstance>();
  const iterating = new Set<StatementSyncInstance>();
  const statement = (sql: string): StatementSyncInstance => {
    let found = prepared.get(sql);
    if (found === undefined) prepared.set(sql, (found = connection.prepare(sql)));
    return found;
  };
  return {
    all: <Row>(sql: string, ...values: SqlValue[]) => guarded(file, () => statement(sql).all(...values) as Row[]),
    each: <Row>(sql: string, ...values: SqlValue[]) => iterate<Row>(connection, iterating, { sql, values }),
    get: <Row>(sql: string, ...values: SqlValue[]) => guarded(file, () => statement(sql).get(...values) as Row | undefined),
    run: (sql, ...values) => guarded(file, () => Number(statement(sql).run(...values).lastInsertRowid)),
    transaction: (work) => guarded(file, () => transaction(connection, work)),
    close: () => close(connection),
  };
}

/** The driver's iterator does not hold on to its statement, and a statement that is garbage-collected is finalized. */
function* iterate<Row>(
  connection: DatabaseSyncInstance,
  iterating: Set<StatementSyncInstance>,
  { sql, values }: { readonly sql: string; readonly values: readonly SqlValue[] },
): Generator<Row> {
  const statement = connection.prepare(sql);
  iterating.add(statement);
  try {
    yield* statement.iterate(...values) as IterableIterator<Row>;
  } finally {
    iterating.delete(statement);
  }
}

/**
 * The driver cannot finalize statements, so SQLite never sees the last connection go and keeps its log; emptied here, it
 * costs the next one nothing to read. Somebody else using the log is no reason to wait: then they will do it.
 */
function close(connection: DatabaseSyncInstance): void {
  try {
    connection.exec('PRAGMA busy_timeout = 0; PRAGMA wal_checkpoint(TRUNCATE)');
  } catch {
    // A full disk: what was committed is safe in the log, and whoever opens it next tries again.
  }
  connection.close();
}

function transaction<T>(connection: DatabaseSyncInstance, work: () => T): T {
  connection.exec('BEGIN IMMEDIATE');
  try {
    const result = work();
    durable.step(() => connection.exec('COMMIT'));
    return result;
  } catch (error) {
    rollBack(connection);
    throw error;
  }
}

/** A full disk ends the transaction by itself; what matters then is the failure, not that there is nothing to roll back. */
function rollBack(connection: DatabaseSyncInstance): void {
  try {
    connection.exec('ROLLBACK');
  } catch {
    // It is rolled back already.
  }
}

function migrate(database: Database, steps: readonly string[], file: string): void {
  const version = (): number => database.get<{ user_version: number }>('PRAGMA user_version')?.user_version ?? 0;
  if (version() > steps.length) {
    throw new ArtifactsError('E_STATE', `${file} was written by a newer version of artifacts`, {
      hint: 'Use that version, or another --state folder.',
    });
  }
  if (version() === steps.length) return;
  database.transaction(() => {
    // Read again inside the transaction: another process may have migrated meanwhile.
    for (let done = version(); done < steps.length; done += 1) {
      for (const sql of splitStatements(steps[done] ?? '')) database.run(sql);
    }
    database.run(`PRAGMA user_version = ${steps.length}`);
  });
}

function splitStatements(sql: string): string[] {
  return sql
    .replace(/--.*$/gm, '')
    .split(';')
    .map((part) => part.trim())
    .filter((part) => part !== '');
}
