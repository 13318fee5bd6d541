import type { Context } from '../core/context.ts';
import { defeatError, isAbsent, tryBases, type Base } from './bases.ts';
import { encodePath } from './encode-path.ts';
import { isFailure, type Failure } from './failure.ts';
import { MemorySink } from './memory-sink.ts';
import type { Answer } from './redirect.ts';
import { asker, placeOf, shown, type Source } from './source.ts';

export interface SmallRequest {
  /** Bytes after which reading stops: E_TOO_LARGE. */
  readonly limit: number;
  /** The path is a folder's, so that a slash ends it: the page of a project at a package index. */
  readonly folder?: boolean;
  /** The query of the URL, `?` included. */
  readonly search?: string;
  /** Validators of what is already known; with one of them the answer can be `unchanged`. */
  readonly etag?: string;
  readonly lastModified?: string;
}

export type SmallAnswer =
  | {
      readonly status: 'ok';
      readonly bytes: Buffer;
      readonly etag?: string;
      readonly lastModified?: string;
      /** Where it came from, fit to be shown. */
      readonly url: string;
    }
  | { readonly status: 'unchanged' }
  /** Every base says that it has no such file (404, 410, 403). */
  | { readonly status: 'absent'; readonly url: string };

/** See `Upstream.fetchSmall`. */
export async function fetchSmall(
  source: Source,
  { path, request }: { readonly path: string; readonly request: SmallRequest },
  ctx: Context,
): Promise<SmallAnswer> {
  const encoded = `${encodePath(path)}${request.folder === true ? '/' : ''}${request.search ?? ''}`;
  const sink = new MemorySink(request.limit);
  const headers = {
    ...(request.etag !== undefined && { 'if-none-match': request.etag }),
    ...(request.lastModified !== undefined && { 'if-modified-since': request.lastModified }),
  };
  const conditional = request.etag !== undefined || request.lastModified !== undefined;
  const ask = asker(source, { path: encoded, sink, conditional }, ctx);
  const attempt = async (base: Base): Promise<SmallAnswer | Failure> => {
    const answer = await ask(base, headers);
    if (isFailure(answer)) return answer;
    return answer.head.status === 304 ? { status: 'unchanged' } : smallAnswer(answer, sink);
  };
  const result = await tryBases(source.bases, { attempt }, { patience: source.patience, ctx });
  if (!('failures' in result)) return result;
  const first = result.failures[0];
  if (first && isAbsent(result)) return { status: 'absent', url: shown(placeOf(first.base, encoded)) };
  throw defeatError(path, result);
}

function smallAnswer({ head, place }: Answer, sink: MemorySink): SmallAnswer {
  const { etag, 'last-modified': lastModified } = head.headers;
  return {
    status: 'ok',
    bytes: sink.bytes(),
    ...(typeof etag === 'string' && { etag }),
    ...(typeof lastModified === 'string' && { lastModified }),
    url: shown(place),
  };
}
