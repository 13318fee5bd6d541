/** SQLite's own failures, as ours. */
import { ArtifactsError } from '../core/errors.ts';

/** Runs what speaks to the database; its failures tell what to do about the file. Mistakes in SQL are thrown as they are. */
export function guarded<T>(file: string, work: () => T): T {
  try {
    return work();
  } catch (error) {
    throw fromDriverError(error, file);
  }
}

/** Primary result codes, https://www.sqlite.org/rescode.html. */
const BUSY = 5;
const NOMEM = 7;
const READONLY = 8;
const IOERR = 10;
const CORRUPT = 11;
const FULL = 13;
const CANTOPEN = 14;
const NOTADB = 26;

/** Whether somebody else holds what was asked for. */
export function isBusy(error: unknown): boolean {
  return error instanceof Error && codeOf(error) === BUSY;
}

/** The low byte; what stands above it says more exactly which read or write failed. */
function codeOf(error: Error): number | undefined {
  return 'sqliteCode' in error && typeof error.sqliteCode === 'number' ? error.sqliteCode & 0xff : undefined;
}

function fromDriverError(error: unknown, file: string): unknown {
  if (!(error instanceof Error)) return error;
  switch (codeOf(error)) {
    case CORRUPT:
    case NOTADB:
      return new ArtifactsError('E_STATE', `The database ${file} is damaged: ${error.message}`, {
        hint: 'Restore it from a backup; the pool and the published trees are not affected.',
        cause: error,
      });
    case FULL:
      return new ArtifactsError('E_NO_SPACE', `No space left while writing ${file}`, {
        hint: 'Free space, then run the same command again.',
        cause: error,
      });
    case BUSY:
      return new ArtifactsError('E_LOCKED', `The database ${file} is in use by another program`, { cause: error });
    case READONLY:
    case IOERR:
    case CANTOPEN:
    case NOMEM:
      return new ArtifactsError('E_IO', `${error.message}: ${file}`, { cause: error });
    default:
      return error;
  }
}
