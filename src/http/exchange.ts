import type { Dispatcher } from 'undici';
import { onAbort } from './abort.ts';
import type { Place } from './bases.ts';
import { Refused } from './failure.ts';
import { ERROR_BODY_LIMIT, type Timeouts } from './limits.ts';
import type { RequestHeaders, Transport } from './transport.ts';

/** The head of the final answer to one request. Header names are lower-case. */
export interface Head {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
}

/** Takes the body of a 200 or 206. What it throws ends the request at once, and is what the request fails with. */
export interface Sink {
  /** Called once, before any data. */
  begin(head: Head): void;
  data(chunk: Buffer): void;
}

export interface ExchangeOptions {
  readonly place: Place;
  readonly headers: RequestHeaders;
  readonly sink: Sink;
  readonly timeouts: Timeouts;
  readonly signal: AbortSignal;
}

/** One request and its answer, redirects and errors included: a status that is no content is a result, not a throw. */
export function exchange(transport: Transport, options: ExchangeOptions): Promise<Head> {
  return new Promise((resolve, reject) => {
    transport.get(options.place, options.headers, new Exchange(options, resolve, reject));
  });
}

/**
 * The state of one request. There is one for each of many thousands of small files, so it makes no streams, no timers
 * and no abort controllers of its own.
 */
class Exchange implements Dispatcher.DispatchHandler {
  readonly #options: ExchangeOptions;
  readonly #resolve: (head: Head) => void;
  readonly #reject: (error: unknown) => void;
  readonly #forget: () => void;
  #controller: Dispatcher.DispatchController | undefined;
  #head: Head | undefined;
  #discarded = 0;
  #windowStart = 0;
  #windowBytes = 0;

  constructor(options: ExchangeOptions, resolve: (head: Head) => void, reject: (error: unknown) => void) {
    this.#options = options;
    this.#resolve = resolve;
    this.#reject = reject;
    this.#forget = onAbort(options.signal, () => this.#cancel());
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.#controller = controller;
    if (this.#options.signal.aborted) this.#cancel();
  }

  onResponseStart(_controller: Dispatcher.DispatchController, status: number, headers: Head['headers']): void {
    if (status < 200) return;
    this.#head = { status, headers };
    this.#windowStart = Date.now();
    if (isContent(status)) this.#options.sink.begin(this.#head);
  }

  onResponseData(controller: Dispatcher.DispatchController, chunk: Buffer): void {
    if (this.#head && isContent(this.#head.status)) {
      this.#checkRate(chunk.length);
      this.#options.sink.data(chunk);
      return;
    }
    this.#discarded += chunk.length;
    if (this.#discarded > ERROR_BODY_LIMIT) controller.abort(new Error('enough of an error page'));
  }

  onResponseEnd(): void {
    this.#forget();
    if (this.#head) this.#resolve(this.#head);
  }

  onResponseError(_controller: Dispatcher.DispatchController, error: Error): void {
    this.#forget();
    const { signal } = this.#options;
    if (signal.aborted) this.#reject(signal.reason);
    // The status of an error tells more than how its page broke off.
    else if (this.#head && !isContent(this.#head.status)) this.#resolve(this.#head);
    else this.#reject(error);
  }

  #cancel(): void {
    // A request that waits for a connection cannot be aborted yet: onRequestStart looks again.
    this.#controller?.abort(new Error('cancelled'));
    this.#reject(this.#options.signal.reason);
  }

  /** The idle timeout alone can be kept at bay with a byte now and then. */
  #checkRate(bytes: number): void {
    const { rate, rateWindow } = this.#options.timeouts;
    this.#windowBytes += bytes;
    const now = Date.now();
    const elapsed = now - this.#windowStart;
    if (elapsed < rateWindow) return;
    if (this.#windowBytes < (rate * elapsed) / 1000) {
      const reason = `slower than ${rate} bytes per second over ${Math.round(elapsed / 1000)} s`;
      throw new Refused({ code: 'E_FETCH', reason, remedy: 'next', timedOut: true });
    }
    this.#windowStart = now;
    this.#windowBytes = 0;
  }
}

function isContent(status: number): boolean {
  return status === 200 || status === 206;
}
