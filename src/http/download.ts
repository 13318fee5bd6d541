import { statSync } from 'node:fs';
import type { Context } from '../core/context.ts';
import type { Sha256 } from '../core/digest.ts';
import { isArtifactsError } from '../core/errors.ts';
import { defeatError, tryBases, type Base } from './bases.ts';
import { encodePath } from './encode-path.ts';
import { isFailure, type Failure } from './failure.ts';
import { FileSink, type Expectation } from './file-sink.ts';
import { asker, placeOf, shown, type Source } from './source.ts';

export interface DownloadRequest extends Expectation {
  /** Path below the base URL, not encoded. */
  readonly path: string;
  /**
   * Where the bytes go. Content that is already there is taken as the beginning when `sha256` is given. After a failure
   * what may be resumed stays, what is wrong is removed. It is not synced to disk.
   */
  readonly file: string;
  /** Nothing lies there yet, so that nobody need look. */
  readonly isNew?: boolean;
  /** Told of each piece that arrives; pieces of a try that failed were told too. */
  readonly onBytes?: (count: number) => void;
}

export interface Downloaded {
  readonly size: number;
  readonly sha256: Sha256;
  /** Where it came from, fit to be shown. */
  readonly url: () => string;
  /** Bytes that came over the network now: 0 when the file was complete. */
  readonly received: number;
}

/** See `Upstream.download`. */
export async function download(source: Source, request: DownloadRequest, ctx: Context): Promise<Downloaded> {
  const { path, file } = request;
  const encoded = encodePath(path);
  const sink = new FileSink(file, request, request.onBytes);
  if (request.isNew !== true && statSync(file, { throwIfNoEntry: false })?.size) sink.adopt();
  const ask = asker(source, { path: encoded, sink, conditional: false }, ctx);
  const attempt = async (base: Base): Promise<Downloaded | Failure> => {
    const answer = sink.isFull() ? { place: placeOf(base, encoded) } : await ask(base, sink.rangeHeaders());
    sink.close();
    if (isFailure(answer)) return answer;
    const digest = sink.verdict();
    if (typeof digest !== 'string') return digest;
    return { size: sink.size, sha256: digest, url: () => shown(answer.place), received: sink.received };
  };
  const beforeRetry = (failure: Failure, sameBase: boolean): void => {
    if (failure.spoiled || failure.remedy === 'restart') sink.restart();
    else sink.prepareRetry(sameBase);
  };
  try {
    const result = await tryBases(source.bases, { attempt, beforeRetry }, { patience: source.patience, ctx });
    if (!('failures' in result)) return result;
    if (result.failures.some((failure) => failure.spoiled)) sink.remove();
    throw defeatError(path, result);
  } catch (error) {
    // On a full disk half a file is of no use to anybody.
    if (isArtifactsError(error, 'E_NO_SPACE')) sink.remove();
    throw error;
  } finally {
    sink.close();
  }
}
