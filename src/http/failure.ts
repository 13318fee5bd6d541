import { STATUS_CODES } from 'node:http';
import type { ErrorCode } from '../core/errors.ts';

/** Why one request to one base URL did not give what was asked for, and what may help. */
export interface Failure {
  readonly code: ErrorCode;
  /** Without the URL, for people: `503 Service Unavailable`. */
  readonly reason: string;
  /** `retry` the same base later, at once `restart` it without the bytes that are there, or go to the `next` base. */
  readonly remedy: 'retry' | 'restart' | 'next';
  readonly status?: number;
  /** Milliseconds the server asked us to wait. */
  readonly retryAfter?: number;
  readonly timedOut?: boolean;
  /** Bytes on disk are known to be wrong: they must not be resumed. */
  readonly spoiled?: boolean;
}

/** A failure on its way through callbacks of the HTTP library. */
export class Refused extends Error {
  readonly failure: Failure;

  constructor(failure: Failure) {
    super(failure.reason);
    this.failure = failure;
  }
}

export function isFailure(value: object): value is Failure {
  return 'remedy' in value;
}

/** 404, 410, and 403 because object stores answer so for what they do not have. */
export function isAbsentStatus(status: number | undefined): boolean {
  return status === 404 || status === 410 || status === 403;
}

/** The status of an answer that is neither content nor a redirect. `now` is for a Retry-After that is a date. */
export function statusFailure(status: number, retryAfter: unknown, now: Date): Failure {
  const text = STATUS_CODES[status];
  const reason = text === undefined ? `status ${status}` : `${status} ${text}`;
  const worthIt = status === 408 || status === 429 || status >= 500;
  const failure: Failure = { code: 'E_FETCH', reason, remedy: worthIt ? 'retry' : 'next', status };
  const wait = worthIt ? parseRetryAfter(retryAfter, now) : undefined;
  return wait === undefined ? failure : { ...failure, retryAfter: wait };
}

/** An error of the HTTP library or of the system as a failure; undefined when it is neither, and so a bug. */
export function connectionFailure(error: unknown): Failure | undefined {
  if (error instanceof Refused) return error.failure;
  if (!(error instanceof Error)) return undefined;
  const cause = error instanceof AggregateError && error.errors[0] instanceof Error ? error.errors[0] : error;
  const code = codeOf(cause);
  if (code === undefined) return undefined;
  return {
    code: 'E_FETCH',
    reason: EXPLANATIONS[code] ?? (oneLine(cause.message) || code),
    remedy: PERMANENT.test(code) ? 'next' : 'retry',
    timedOut: /TIMEOUT|TIMEDOUT/.test(code),
  };
}

function codeOf(error: Error): string | undefined {
  if ('code' in error && typeof error.code === 'string') return error.code;
  return error.name === 'HTTPParserError' ? 'HPE_UNKNOWN' : undefined;
}

/** RFC 9110, 10.2.3: seconds, or a date. */
function parseRetryAfter(value: unknown, now: Date): number | undefined {
  if (typeof value !== 'string') return undefined;
  if (/^\d{1,9}$/.test(value)) return Number(value) * 1000;
  const date = Date.parse(value);
  return Number.isNaN(date) ? undefined : Math.max(0, date - now.getTime());
}

function oneLine(text: string): string {
  // oxlint-disable-next-line no-control-regex -- a server's text must not reach a terminal as it is
  return text.replace(/[\u0000-\u001f\u007f-\u009f]+/g, ' ').trim().slice(0, 200);
}

/** Certificates, broken HTTP, names that do not exist, refused addresses: asking again gives the same. */
const PERMANENT = new RegExp(
  [
    '^(?:CERT_|DEPTH_ZERO|SELF_SIGNED|UNABLE_TO|ERR_TLS|ERR_SSL|HPE_|ENOTFOUND|ERR_INTERNAL_ADDRESS',
    'UND_ERR_(?:HEADERS_OVERFLOW|INVALID_ARG|ABORTED|DESTROYED|CLOSED|PRX_TLS))',
  ].join('|'),
);

const EXPLANATIONS: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'connection refused',
  ECONNRESET: 'connection reset',
  EPIPE: 'connection closed',
  ENOTFOUND: 'host not found',
  EAI_AGAIN: 'host name could not be looked up now',
  UND_ERR_CONNECT_TIMEOUT: 'no connection in time',
  UND_ERR_HEADERS_TIMEOUT: 'no answer in time',
  UND_ERR_BODY_TIMEOUT: 'the answer stopped',
  UND_ERR_SOCKET: 'the connection was cut',
  UND_ERR_RES_CONTENT_LENGTH_MISMATCH: 'the answer is not as long as it says',
  UND_ERR_HEADERS_OVERFLOW: 'the headers are too long',
};
