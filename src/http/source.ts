import type { Clock, Context } from '../core/context.ts';
import { isArtifactsError } from '../core/errors.ts';
import type { Base, Bases, Patience, Place } from './bases.ts';
import type { Sink } from './exchange.ts';
import { connectionFailure, statusFailure, type Failure } from './failure.ts';
import type { Timeouts } from './limits.ts';
import { redact } from './redact.ts';
import { follow, type Answer } from './redirect.ts';
import type { Transport } from './transport.ts';

/** An open upstream. */
export interface Source {
  readonly bases: Bases;
  readonly patience: Patience;
  readonly timeouts: Timeouts;
  readonly trustedHosts: ReadonlySet<string>;
  readonly transport: Transport;
  readonly now: Clock;
}

/** Where a file below a base lies. The path is already encoded, so that a `?` in it begins a query. */
export function placeOf({ url, place }: Base, encodedPath: string): Place {
  const search = encodedPath.includes('?') ? '' : url.search;
  return { origin: place.origin, path: place.path + encodedPath + search };
}

/** The place as it may be shown. */
export function shown({ origin, path }: Place): string {
  return redact(origin + path);
}

export interface Question {
  /** Path below the base, encoded. */
  readonly path: string;
  readonly sink: Sink & { readonly size?: number };
  /** Whether 304 is an answer. */
  readonly conditional: boolean;
}

export type Ask = (base: Base, headers: Readonly<Record<string, string>>) => Promise<Answer | Failure>;

/**
 * One request to one base, its failure as a value. What is thrown is not the upstream's fault: an abort, the disk, or a
 * bug.
 */
export function asker(source: Source, { path, sink, conditional }: Question, ctx: Context): Ask {
  const { timeouts, trustedHosts, transport } = source;
  return async (base, headers) => {
    ctx.signal.throwIfAborted();
    const place = placeOf(base, path);
    const all = requestHeaders(base, headers);
    try {
      const answer = await follow(transport, { place, headers: all, sink, timeouts, trustedHosts, signal: ctx.signal });
      return answerFailure(answer, { sink, conditional, now: source.now() }) ?? answer;
    } catch (error) {
      ctx.signal.throwIfAborted();
      const failure = isArtifactsError(error) ? undefined : connectionFailure(error);
      if (!failure) throw error;
      return failure;
    }
  };
}

function requestHeaders(base: Base, headers: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
  return {
    'user-agent': 'artifacts',
    accept: '*/*',
    // What is listed are the bytes of the file, not of a compressed form of it; nothing decodes an answer here.
    'accept-encoding': 'identity',
    ...headers,
    ...(base.authorization !== undefined && { authorization: base.authorization }),
  };
}

interface Judgement {
  readonly sink: Question['sink'];
  readonly conditional: boolean;
  readonly now: Date;
}

function answerFailure({ head }: Answer, { sink, conditional, now }: Judgement): Failure | undefined {
  const { status } = head;
  if (status === 200 || (status === 206 && sink.size !== undefined) || (status === 304 && conditional)) return undefined;
  if (status === 304) {
    return { code: 'E_FETCH', reason: '304 Not Modified although nothing was known', remedy: 'retry', status };
  }
  const failure = statusFailure(status, head.headers['retry-after'], now);
  return status === 416 && sink.size ? { ...failure, remedy: 'restart' } : failure;
}
