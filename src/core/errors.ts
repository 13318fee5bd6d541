/**
 * Every failure a user can cause or meet has a stable code. Whatever else is thrown is a bug and prints its stack.
 * The exit status of each code stands in cli/exit-status.ts.
 */
export type ErrorCode =
  | 'E_USAGE' // the command line is wrong
  | 'E_CONFIG' // vars/ or mappings/ are wrong
  | 'E_NO_KEY' // something must be signed and no usable key was given
  | 'E_NOT_FOUND' // no such mirror, snapshot, publication, release
  | 'E_LOCKED' // the release is locked, or a lock could not be had
  | 'E_UNSIGNED' // no signature where one is required
  | 'E_SIGNATURE' // a signature is wrong, or by no pinned key
  | 'E_KEY_EXPIRED'
  | 'E_KEY_REVOKED'
  | 'E_SIGNATURE_EXPIRED'
  | 'E_WEAK_HASH' // MD5 or SHA-1 where a strong digest is required
  | 'E_HASH' // bytes differ from their listed digest
  | 'E_SIZE' // bytes differ from their listed size
  | 'E_TOO_LARGE' // more bytes than the limit for what has no listed size
  | 'E_STALE' // Valid-Until or max_age has passed, or the date lies in the future
  | 'E_ROLLBACK' // older than what was seen before
  | 'E_SUITE' // the upstream serves another suite than the one asked for
  | 'E_PATH' // a path that leaves its folder
  | 'E_FORMAT' // metadata that cannot be read
  | 'E_FETCH' // the network or the upstream failed
  | 'E_EXISTS' // the name is taken
  | 'E_IN_USE' // something else still needs it
  | 'E_CONFLICT' // same name, version and architecture with other bytes
  | 'E_PARTIAL' // part of the run failed
  | 'E_CHECK' // a check found something
  | 'E_NO_SPACE' // the disk or the quota is full
  | 'E_IO' // the disk failed otherwise
  | 'E_TOOL' // a system tool is missing or failed
  | 'E_STATE' // the state cannot be used: damaged, or written by a newer version
  | 'E_CANCELLED';

export interface ErrorOptions {
  /** What to do about it, one sentence. */
  readonly hint?: string;
  readonly cause?: unknown;
  /** Further facts for `--json`: both origins of a conflict, the users of a snapshot, the single problems of a run. */
  readonly details?: Readonly<Record<string, unknown>>;
}

/** An expected failure: says what, which and what to do, in one line. */
export class ArtifactsError extends Error {
  readonly code: ErrorCode;
  readonly hint: string | undefined;
  readonly details: Readonly<Record<string, unknown>> | undefined;

  constructor(code: ErrorCode, message: string, options: ErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = 'ArtifactsError';
    this.code = code;
    this.hint = options.hint;
    this.details = options.details;
  }
}

export function isArtifactsError(value: unknown, code?: ErrorCode): value is ArtifactsError {
  return value instanceof ArtifactsError && (code === undefined || value.code === code);
}

/** True for an error of the system, or of Node, with one of these codes: `ENOENT`. */
export function hasCode(error: unknown, ...codes: readonly string[]): boolean {
  return error instanceof Error && 'code' in error && codes.includes(error.code as string);
}

/** The system's own errors that mean a full disk or a broken one, as ours; anything else is returned unchanged. */
export function fromSystemError(error: unknown, doing: string): unknown {
  if (!(error instanceof Error) || !('code' in error)) return error;
  switch (error.code) {
    case 'ENOSPC':
    case 'EDQUOT':
      return new ArtifactsError('E_NO_SPACE', `No space left while ${doing}`, {
        hint: 'Free space, or run `artifacts db cleanup`, then run the same command again.',
        cause: error,
      });
    case 'EROFS':
    case 'EACCES':
    case 'EPERM':
    case 'EIO':
    case 'EMFILE':
    case 'ENFILE':
      return new ArtifactsError('E_IO', `${error.message} while ${doing}`, { cause: error });
    default:
      return error;
  }
}
