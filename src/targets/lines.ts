import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';

/** The lines of a stream, one at a time; undefined after the last. */
export function lineReader(stream: Readable): () => Promise<string | undefined> {
  const lines = createInterface({ input: stream, crlfDelay: Infinity })[Symbol.asyncIterator]();
  return async () => {
    const { done, value } = await lines.next();
    return done === true ? undefined : value;
  };
}
