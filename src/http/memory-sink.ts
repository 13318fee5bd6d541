import type { Head, Sink } from './exchange.ts';
import { Refused } from './failure.ts';

/** Keeps a small body in memory. */
export class MemorySink implements Sink {
  readonly #limit: number;
  #chunks: Buffer[] = [];
  #size = 0;

  constructor(limit: number) {
    this.#limit = limit;
  }

  begin(head: Head): void {
    this.#chunks = [];
    this.#size = 0;
    const length = head.headers['content-length'];
    if (typeof length === 'string' && Number(length) > this.#limit) throw tooLarge(this.#limit);
  }

  data(chunk: Buffer): void {
    this.#size += chunk.length;
    if (this.#size > this.#limit) throw tooLarge(this.#limit);
    this.#chunks.push(chunk);
  }

  bytes(): Buffer {
    return Buffer.concat(this.#chunks);
  }
}

function tooLarge(limit: number): Refused {
  return new Refused({ code: 'E_TOO_LARGE', reason: `more than the limit of ${limit} bytes`, remedy: 'next' });
}
