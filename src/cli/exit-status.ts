import type { ErrorCode } from '../core/errors.ts';

/** Exit status of a run that ended well, or had nothing to do. */
export const EXIT_OK = 0;
/** Exit status of a failure without a code of its own, and of a bug. */
export const EXIT_FAILED = 1;
export const EXIT_USAGE = 2;
export const EXIT_CANCELLED = 130;

/** The exit status of every error code. A new code does not compile before it is listed here. */
const EXIT_STATUS: Readonly<Record<ErrorCode, number>> = {
  E_USAGE: EXIT_USAGE,
  E_CONFIG: EXIT_USAGE,
  E_NO_KEY: EXIT_USAGE,
  E_PARTIAL: 3,
  E_CHECK: 3,
  E_NOT_FOUND: 10,
  E_LOCKED: 11,
  E_UNSIGNED: 12,
  E_SIGNATURE: 12,
  E_KEY_EXPIRED: 12,
  E_KEY_REVOKED: 12,
  E_SIGNATURE_EXPIRED: 12,
  E_WEAK_HASH: 12,
  E_HASH: 12,
  E_SIZE: 12,
  E_TOO_LARGE: 12,
  E_STALE: 12,
  E_ROLLBACK: 12,
  E_SUITE: 12,
  E_EXISTS: 13,
  E_IN_USE: 13,
  E_CONFLICT: 13,
  E_PATH: EXIT_FAILED,
  E_FORMAT: EXIT_FAILED,
  E_FETCH: EXIT_FAILED,
  E_NO_SPACE: EXIT_FAILED,
  E_IO: EXIT_FAILED,
  E_TOOL: EXIT_FAILED,
  E_STATE: EXIT_FAILED,
  E_CANCELLED: EXIT_CANCELLED,
};

export function exitStatusOf(code: ErrorCode): number {
  return EXIT_STATUS[code];
}

/** What each exit status means, in the words of every help text. */
export const EXIT_STATUS_MEANINGS: readonly (readonly [status: number, meaning: string])[] = [
  [EXIT_OK, 'done, or nothing to do'],
  [EXIT_FAILED, 'failed'],
  [EXIT_USAGE, 'wrong usage or configuration, or no key to sign with'],
  [3, 'a check found something, or part of the run failed'],
  [10, 'not found'],
  [11, 'locked'],
  [12, 'signature, checksum or freshness refused'],
  [13, 'conflict: the name is taken, something is in use, or bytes differ'],
  [EXIT_CANCELLED, 'cancelled'],
];
