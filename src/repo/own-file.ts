import { readFileSync } from 'node:fs';
import { basename } from 'node:path';
import { ArtifactsError } from '../core/errors.ts';

/** A file that the user named. Throws E_NOT_FOUND when it cannot be read. */
export function readOwn(path: string): Buffer {
  try {
    return readFileSync(path);
  } catch (error) {
    throw new ArtifactsError('E_NOT_FOUND', `"${path}" cannot be read: ${error instanceof Error ? error.message : basename(path)}`, { cause: error });
  }
}
