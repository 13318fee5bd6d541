import { copyFileSync, constants, existsSync, statSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { ArtifactsError } from '../core/errors.ts';

/** Times to try again when a writer was at work meanwhile. Its commits take milliseconds. */
const TRIES = 100;

/** Several ticks of the clock that stamps files. */
const REST_MILLISECONDS = 20;

/**
 * Copies a catalog as of some commit, also while others write to it, without opening it: not a byte beside it changes,
 * and no right to write there is needed. The database and its log belong together; a copy during which neither changed
 * is what one would have found after a power cut, which SQLite recovers from. Nothing happens when there is no catalog.
 */
export async function copyCatalog(from: string, to: string): Promise<void> {
  if (!existsSync(from)) return;
  for (let left = TRIES; left > 0; left -= 1) {
    // Time stamps are coarser than commits: only files at rest can be compared by them.
    await sleep(REST_MILLISECONDS);
    const before = fingerprint(from);
    copyFileSync(from, to, constants.COPYFILE_FICLONE);
    if (existsSync(logOf(from))) copyFileSync(logOf(from), logOf(to), constants.COPYFILE_FICLONE);
    if (fingerprint(from) === before) return;
  }
  throw new ArtifactsError('E_STATE', 'The catalog changes too fast to be copied', {
    hint: 'Try again when less is written to it.',
  });
}

function logOf(file: string): string {
  return `${file}-wal`;
}

function fingerprint(file: string): string {
  return [file, logOf(file)]
    .map((path) => {
      const stat = statSync(path, { bigint: true, throwIfNoEntry: false });
      return stat === undefined ? '-' : `${stat.size} ${stat.mtimeNs}`;
    })
    .join(' ');
}
