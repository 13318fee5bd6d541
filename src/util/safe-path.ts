import { join } from 'node:path';
import { ArtifactsError } from '../core/errors.ts';

/** A part of a path longer than this is refused by common file systems. */
const LONGEST_PART = 255;

/**
 * Joins a relative path that came from outside to a folder. Refuses whatever could lead out of it or confuse another
 * reader of the same name: absolute paths, empty, `.` and `..` parts, control characters, backslashes, over-long parts.
 */
export function safeJoin(folder: string, relative: string): string {
  const problem = pathProblem(relative);
  if (problem !== undefined) {
    throw new ArtifactsError('E_PATH', `Path ${JSON.stringify(relative.slice(0, 200))} ${problem}`);
  }
  return join(folder, relative);
}

/** The path without `./` in front, however often it stands there: it means nothing. */
export function withoutDot(path: string): string {
  let at = 0;
  while (path.startsWith('./', at)) {
    at += 2;
    while (path[at] === '/') at += 1;
  }
  return path.slice(at);
}

/** Why the path is refused by safeJoin, or undefined when it is fine. */
export function pathProblem(relative: string): string | undefined {
  if (relative === '') return 'is empty';
  if (relative.startsWith('/')) return 'is absolute';
  // eslint-disable-next-line no-control-regex
  if (/[\u0000-\u001f\u007f\\]/.test(relative)) return 'holds a control character or a backslash';
  for (const part of relative.split('/')) {
    if (part === '' || part === '.' || part === '..') return `has the part ${JSON.stringify(part)}`;
    if (Buffer.byteLength(part) > LONGEST_PART) return `has a part longer than ${LONGEST_PART} bytes`;
  }
  return undefined;
}
