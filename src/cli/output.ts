import { fromSystemError, hasCode } from '../core/errors.ts';
import { printableJson } from './printable.ts';

/** Where the command line writes to: standard output or standard error, or what a test puts in their place. */
export type Output = NodeJS.WritableStream & {
  readonly isTTY?: boolean;
  readonly columns?: number;
  readonly rows?: number;
};

/** A reader that has seen enough closes its end (`artifacts … | head -1`): that is no failure of ours. */
export function tolerateClosedReader(output: Output): void {
  output.on('error', () => {}); // writeOut() gets the same error and decides
}

/**
 * Writes the text and waits until the system has taken it. Resolves when the reader is gone; throws E_NO_SPACE or E_IO
 * when output was sent to a file that cannot be written.
 */
export async function writeOut(output: Output, text: string): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    output.write(text, (error?: Error | null) => {
      if (error === undefined || error === null || hasCode(error, 'EPIPE', 'ERR_STREAM_DESTROYED')) resolve();
      else reject(fromSystemError(error, 'writing the output'));
    });
  });
}

/**
 * A result as JSON text that ends with a newline. A Map becomes an object, a Set an array, a Date its ISO 8601 text;
 * bytes are never printed, only how many there are.
 */
export function jsonText(value: unknown): string {
  return `${printableJson(JSON.stringify(plain(value), null, 2) ?? 'null')}\n`;
}

function plain(value: unknown): unknown {
  if (typeof value === 'bigint') return Number.isSafeInteger(Number(value)) ? Number(value) : String(value);
  if (typeof value !== 'object' || value === null) return value;
  if (value instanceof Uint8Array) return { bytes: value.length };
  if (value instanceof Map) return plainEntries(value.entries());
  if (value instanceof Set || Array.isArray(value)) return Array.from(value, plain);
  if (value instanceof Error) return value.message;
  if ('toJSON' in value && typeof value.toJSON === 'function') return value.toJSON() as unknown;
  return plainEntries(Object.entries(value));
}

function plainEntries(entries: Iterable<readonly [unknown, unknown]>): Record<string, unknown> {
  // fromEntries defines keys instead of assigning them: a package called `__proto__` is a key like any other
  return Object.fromEntries(Array.from(entries, ([key, item]) => [String(key), plain(item)]));
}
