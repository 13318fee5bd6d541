import type { Context } from '../core/context.ts';
import { ArtifactsError, type ErrorCode } from '../core/errors.ts';
import { pause } from './abort.ts';
import { isAbsentStatus, isFailure, type Failure } from './failure.ts';
import { redact } from './redact.ts';

/** An URL in the two parts a request needs, without an object for each of many thousand files. */
export interface Place {
  /** Scheme, host and port; `FILES` for files of this machine. */
  readonly origin: string;
  /** Path and query, encoded. */
  readonly path: string;
}

/** An origin, although URLs of files have none. */
export const FILES = 'file://';

/** One of the places an upstream can be read from. */
export interface Base {
  readonly url: URL;
  /** The same without its query. */
  readonly place: Place;
  readonly authorization: string | undefined;
}

export interface Patience {
  /** Further tries after the first, per base. */
  readonly retries: number;
  /** Milliseconds before the first further try; doubled for each one after. */
  readonly delay: number;
  /** The longest wait, whatever the server asks for. */
  readonly longestDelay: number;
}

/** The bases of an upstream, and which one to ask first: the one that answered last. */
export interface Bases {
  readonly list: readonly Base[];
  preferred: number;
}

/** All bases failed: how, in order. */
export interface Defeat {
  readonly failures: readonly (Failure & { readonly base: Base })[];
}

export interface Attempts<T extends object> {
  /** Makes one request. */
  attempt(base: Base): Promise<T | Failure>;
  /** Called before every further request with what went wrong. */
  beforeRetry?(failure: Failure, sameBase: boolean): void;
}

/** Asks base after base, each as often as it may help, until one gives a result. */
export async function tryBases<T extends object>(
  bases: Bases,
  attempts: Attempts<T>,
  options: { readonly patience: Patience; readonly ctx: Context },
): Promise<T | Defeat> {
  const failures: (Failure & { readonly base: Base })[] = [];
  const first = bases.preferred;
  for (let offset = 0; offset < bases.list.length; offset += 1) {
    const index = (first + offset) % bases.list.length;
    const base = bases.list[index] as Base;
    const last = failures.at(-1);
    if (last) attempts.beforeRetry?.(last, false);
    const result = await tryBase(base, attempts, options);
    if (!isFailure(result)) {
      if (offset > 0) prefer(bases, index, { failures, ctx: options.ctx });
      return result;
    }
    failures.push({ ...result, base });
  }
  return { failures };
}

/** The error of a request that no base answered. A wrong answer weighs more than none. */
export function defeatError(what: string, { failures }: Defeat): ArtifactsError {
  const worst = failures.find((failure) => failure.code !== 'E_FETCH') ?? failures[0];
  const code = worst?.code ?? 'E_FETCH';
  const tried = failures.map((failure) => `${redact(failure.base.url)}: ${failure.reason}`).join('; ');
  const message = `${code === 'E_FETCH' ? 'Cannot fetch' : 'Refused'} ${what}: ${tried}`;
  const details = isAbsent({ failures }) ? { details: { absent: true } } : {};
  return new ArtifactsError(code, message, { ...HINTS[code], ...details });
}

/** True when every base answered that it does not have the file. Silence of one of them proves nothing. */
export function isAbsent({ failures }: Defeat): boolean {
  return failures.length > 0 && failures.every((failure) => isAbsentStatus(failure.status));
}

async function tryBase<T extends object>(
  base: Base,
  attempts: Attempts<T>,
  { patience, ctx }: { readonly patience: Patience; readonly ctx: Context },
): Promise<T | Failure> {
  let restarts = 0;
  let timeouts = 0;
  for (let tries = 1; ; tries += 1) {
    const result = await attempts.attempt(base);
    if (!isFailure(result) || result.remedy === 'next') return result;
    if (result.timedOut) timeouts += 1;
    if (result.remedy === 'restart') restarts += 1;
    // A server that is silent or does not know ranges is given one more chance, not five.
    if (tries > patience.retries || timeouts > 1 || restarts > 1) return withTries(result, tries);
    attempts.beforeRetry?.(result, true);
    if (result.remedy === 'retry') await pause(waitBefore(result, tries, patience), ctx.signal);
  }
}

function withTries(failure: Failure, tries: number): Failure {
  return tries === 1 ? failure : { ...failure, reason: `${failure.reason} (${tries} tries)` };
}

/** Exponential, with jitter so that many clients do not come back at once; a server's Retry-After is honoured. */
function waitBefore(failure: Failure, tries: number, { delay, longestDelay }: Patience): number {
  const backOff = delay * 2 ** (tries - 1) * (0.5 + Math.random() / 2);
  return Math.min(longestDelay, Math.max(backOff, failure.retryAfter ?? 0));
}

/** A base that does not work is not asked first for each of the next thousand files. A missing file says nothing. */
function prefer(bases: Bases, index: number, { failures, ctx }: Defeat & { readonly ctx: Context }): void {
  const down = failures.find((failure) => failure.code === 'E_FETCH' && !isAbsentStatus(failure.status));
  if (!down || bases.preferred === index) return;
  bases.preferred = index;
  const now = redact((bases.list[index] as Base).url);
  ctx.report({ type: 'warning', message: `${redact(down.base.url)} failed: ${down.reason}; going on with ${now}` });
}

const CHANGING = { hint: 'The upstream is being updated, or somebody changes its answers. Try again later.' };
const HINTS: Partial<Record<ErrorCode, { readonly hint: string }>> = {
  E_FETCH: { hint: 'Check the URL and the network. What was fetched is kept: run the same command again.' },
  E_HASH: CHANGING,
  E_SIZE: CHANGING,
  E_TOO_LARGE: { hint: 'Check that the URL is that of a repository.' },
};
