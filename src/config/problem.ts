import { ArtifactsError } from '../core/errors.ts';

/** Where a value stands. Lines and columns count from 1; line 0 means the file as a whole. */
export interface Place {
  /** Relative to the root (`vars/aptly.yml`), or `environment`. */
  readonly file: string;
  readonly line: number;
  readonly column: number;
}

/** Something wrong, or worth a warning, in the configuration. */
export interface Problem extends Place {
  readonly message: string;
}

/** Everything found so far: a person should see all problems at once, not one a run. */
export interface Findings {
  readonly problems: Problem[];
  readonly warnings: Problem[];
}

export function newFindings(): Findings {
  return { problems: [], warnings: [] };
}

/** `vars/aptly.yml:12:5: message`, as compilers write it, so that editors can jump there. */
export function formatProblem(problem: Problem): string {
  return `${formatPlace(problem)}: ${problem.message}`;
}

export function formatPlace(place: Place): string {
  return place.line === 0 ? place.file : `${place.file}:${place.line}:${place.column}`;
}

export function sortProblems(problems: readonly Problem[]): readonly Problem[] {
  return problems.toSorted(
    (a, b) => (a.file < b.file ? -1 : a.file > b.file ? 1 : 0) || a.line - b.line || a.column - b.column,
  );
}

/** All problems as one error: the message is the first of them, `details.problems` holds every one. */
export function configError(problems: readonly Problem[]): ArtifactsError {
  const sorted = sortProblems(problems);
  const first = sorted[0];
  const more = sorted.length > 1 ? ` (and ${sorted.length - 1} more)` : '';
  return new ArtifactsError('E_CONFIG', `${first === undefined ? 'Bad configuration' : formatProblem(first)}${more}`, {
    hint: 'Correct the configuration; `artifacts config check` lists every problem.',
    details: { problems: sorted },
  });
}

/** Keys and indices from the top of the configuration to a value. */
export type Path = readonly (string | number)[];

/** `aptly_mirrors[3].gpg.key`, as messages name a value. */
export function formatPath(path: Path): string {
  return path
    .map((part, index) => {
      if (typeof part === 'number') return `[${part}]`;
      const text = /^[\w.+-]+$/.test(part) ? part : JSON.stringify(part.slice(0, 80));
      return index === 0 ? text : `.${text}`;
    })
    .join('');
}
