import { ArtifactsError, fromSystemError, isArtifactsError } from '../core/errors.ts';
import { EXIT_FAILED, exitStatusOf } from './exit-status.ts';
import { printableBlock, printableLine } from './printable.ts';
import { withSourceLines } from './source-lines.ts';

/** A failure as the command line shows it. */
export interface Failure {
  readonly exitStatus: number;
  /** For people: one line, then one per problem. A bug brings its stack. Ends with a newline. */
  readonly text: string;
  /** For `--json`. */
  readonly json: { readonly error: Readonly<Record<string, unknown>> };
  /** True when it is the program's own fault: the text is shown even when JSON was asked for. */
  readonly bug: boolean;
}

export interface FailureOptions {
  /** True when the user asked to stop: whatever then breaks is a consequence of that. */
  readonly cancelled: boolean;
  /** What was being done, for errors of the system: "running mirror update". */
  readonly doing: string;
}

/** How to show what was thrown. Every ArtifactsError is an expected failure; anything else is a bug. */
export function describeFailure(thrown: unknown, options: FailureOptions): Failure {
  const error = expectedError(thrown, options);
  return error === undefined ? describeBug(thrown) : describeExpected(error);
}

function expectedError(thrown: unknown, options: FailureOptions): ArtifactsError | undefined {
  if (isAbort(thrown) || (options.cancelled && isArtifactsError(thrown))) {
    return isArtifactsError(thrown, 'E_CANCELLED') ? thrown : new ArtifactsError('E_CANCELLED', 'Cancelled');
  }
  const error = fromSystemError(thrown, options.doing);
  return isArtifactsError(error) ? error : undefined;
}

function isAbort(thrown: unknown): boolean {
  for (let error = thrown; error instanceof Error; error = error.cause) {
    if (error.name === 'AbortError') return true;
  }
  return false;
}

function describeExpected(error: ArtifactsError): Failure {
  const { code, message, hint, details } = error;
  const exitStatus = exitStatusOf(code);
  const lines = [errorLine(code, message, hint), ...problemLines(details?.['problems'])];
  return {
    exitStatus,
    text: lines.map((line) => `${printableLine(line)}\n`).join(''),
    json: { error: { code, message, hint, details, exitStatus } },
    bug: false,
  };
}

function errorLine(code: string, message: string, hint: string | undefined): string {
  const sentence = hint === undefined ? message : `${message.replace(/[.\s]+$/, '')}. ${hint}`;
  return `artifacts: ${code}: ${sentence}`;
}

function problemLines(problems: unknown): string[] {
  return Array.isArray(problems) ? problems.map((problem: unknown) => `  ${problemText(problem)}`) : [];
}

/** A problem is a text, or `{file, line, column, message}` of which only the message is certain. */
function problemText(problem: unknown): string {
  if (typeof problem !== 'object' || problem === null) return String(problem);
  const { file, line, column, message } = problem as Readonly<Record<string, unknown>>;
  if (message === undefined) return JSON.stringify(problem);
  const place = [file, line, column].filter((part) => part !== undefined).join(':');
  return place === '' ? String(message) : `${place}: ${String(message)}`;
}

function describeBug(thrown: unknown): Failure {
  const stack = thrown instanceof Error ? (thrown.stack ?? thrown.message) : String(thrown);
  const message = thrown instanceof Error ? thrown.message : String(thrown);
  return {
    exitStatus: EXIT_FAILED,
    text: `${printableBlock(withSourceLines(stack))}\nThis is a bug in artifacts; please report it with the lines above.\n`,
    json: { error: { code: 'BUG', message, exitStatus: EXIT_FAILED } },
    bug: true,
  };
}
