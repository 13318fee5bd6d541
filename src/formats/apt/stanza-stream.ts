/** Splitting an index into its stanzas as the bytes arrive, without decoding what nobody reads. */
import { ArtifactsError } from '../../core/errors.ts';

/** A stanza longer than this is refused: the longest in Debian have some 100 kB. */
const LONGEST_STANZA = 16 * 1024 * 1024;

/** A stanza and, for messages, where it stands: `main/binary-amd64/Packages, line 12`. */
export interface PlacedStanza {
  /** With the newline of its last field, if that has one. */
  readonly bytes: Buffer;
  place(): string;
}

/** The stanzas of an index in batches. Throws E_FORMAT for one without end. */
export async function* readStanzas(chunks: AsyncIterable<Buffer>, name: string): AsyncGenerator<PlacedStanza[]> {
  let rest: Buffer = Buffer.alloc(0);
  let line = 1;
  const take = (bytes: Buffer, final: boolean): PlacedStanza[] => {
    const { stanzas, used } = splitStanzas(bytes, final);
    const before = line;
    line += countLines(bytes, used);
    rest = bytes.subarray(used);
    return stanzas.map(({ start, end }) => ({
      bytes: bytes.subarray(start, end),
      place: () => `${name}, line ${before + countLines(bytes, start)}`,
    }));
  };
  for await (const chunk of chunks) {
    const batch = take(rest.length === 0 ? chunk : Buffer.concat([rest, chunk]), false);
    if (rest.length > LONGEST_STANZA) throw malformed(`${name}, line ${line}`, 'a stanza without end');
    if (batch.length > 0) yield batch;
  }
  const last = take(rest, true);
  if (last.length > 0) yield last;
}

/** E_FORMAT with its place. */
export function malformed(place: string, problem: string): ArtifactsError {
  return new ArtifactsError('E_FORMAT', `${place}: ${problem}`);
}

interface Span {
  readonly start: number;
  readonly end: number;
}

const NEWLINE = 0x0a;
const RETURN = 0x0d;

/** Stanzas are separated by empty lines; `end` includes the newline of the last field. */
function splitStanzas(bytes: Buffer, final: boolean): { stanzas: Span[]; used: number } {
  const stanzas: Span[] = [];
  let start = skipEmptyLines(bytes, 0);
  for (;;) {
    const end = findEnd(bytes, start);
    if (end === -1) break;
    stanzas.push({ start, end });
    start = skipEmptyLines(bytes, end);
  }
  if (final && start < bytes.length) {
    stanzas.push({ start, end: bytes.length });
    start = bytes.length;
  }
  return { stanzas, used: start };
}

/** Just behind the newline that an empty line follows, or -1. */
function findEnd(bytes: Buffer, from: number): number {
  let at = from;
  for (;;) {
    const newline = bytes.indexOf(NEWLINE, at);
    if (newline === -1) return -1;
    const next = bytes[newline + 1];
    if (next === NEWLINE || (next === RETURN && bytes[newline + 2] === NEWLINE)) return newline + 1;
    if (next !== RETURN && bytes[newline - 1] !== RETURN) {
      // Most lines are short: jumping to the next pair of newlines saves looking at each.
      const pair = bytes.indexOf('\n\n', newline, 'latin1');
      return pair === -1 ? -1 : pair + 1;
    }
    at = newline + 1;
  }
}

function skipEmptyLines(bytes: Buffer, from: number): number {
  let at = from;
  while (at < bytes.length && (bytes[at] === NEWLINE || (bytes[at] === RETURN && bytes[at + 1] === NEWLINE))) at += 1;
  return at;
}

function countLines(bytes: Buffer, to: number): number {
  let lines = 0;
  for (let at = bytes.indexOf(NEWLINE); at !== -1 && at < to; at = bytes.indexOf(NEWLINE, at + 1)) lines += 1;
  return lines;
}
