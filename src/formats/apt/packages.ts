/** Packages indexes (Debian RepositoryFormat, "Packages Indices"): plain bytes to records. */
import { ArtifactsError } from '../../core/errors.ts';
import { parseSha256, type Sha256 } from '../../core/digest.ts';
import type { PackageRecord } from '../../core/package.ts';
import { pathProblem } from '../../util/safe-path.ts';
import type { UpstreamPackage } from '../format.ts';
import { poolPath } from './pool-path.ts';

/** A stanza longer than this is refused: the longest in Debian have some 100 kB. */
const LONGEST_STANZA = 16 * 1024 * 1024;

/** Debian Policy 5.6.1, widened by the upper case, `_` and shorter names that third-party archives use. */
const PACKAGE_NAME = /^[a-zA-Z0-9][a-zA-Z0-9+._-]*$/;
const ARCHITECTURE = /^[a-z0-9][a-z0-9-]*$/;
// eslint-disable-next-line no-control-regex
const VERSION = /^[^\u0000-\u0020\u007f]+$/;

export interface PackagesOptions {
  /** What the index is called in messages. */
  readonly name: string;
  /** `binary` for Packages of programs, `debian-installer` for udebs. */
  readonly section: 'binary' | 'debian-installer';
}

/** Reads stanzas as their bytes arrive. Throws E_FORMAT or E_PATH naming the index and the line. */
export async function* readPackages(
  chunks: AsyncIterable<Buffer>,
  options: PackagesOptions,
): AsyncGenerator<UpstreamPackage[]> {
  let rest: Buffer = Buffer.alloc(0);
  let line = 1;
  const take = (bytes: Buffer, final: boolean): UpstreamPackage[] => {
    const batch: UpstreamPackage[] = [];
    const { stanzas, used } = splitStanzas(bytes, final);
    for (const { start, end } of stanzas) {
      batch.push(readStanza(bytes.subarray(start, end), () => `${options.name}, line ${line + countLines(bytes, start)}`, options));
    }
    line += countLines(bytes, used);
    rest = bytes.subarray(used);
    return batch;
  };
  for await (const chunk of chunks) {
    const batch = take(rest.length === 0 ? chunk : Buffer.concat([rest, chunk]), false);
    if (rest.length > LONGEST_STANZA) throw malformed(`${options.name}, line ${line}`, 'a stanza without end');
    if (batch.length > 0) yield batch;
  }
  const last = take(rest, true);
  if (last.length > 0) yield last;
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
    // Most lines are short: jumping to the next pair of newlines saves looking at each.
    const pair = bytes.indexOf('\n\n', newline, 'latin1');
    const crlf = next === RETURN || bytes[newline - 1] === RETURN;
    if (!crlf) return pair === -1 ? -1 : pair + 1;
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

/** What we read of a stanza; everything else is passed through untouched. */
const WANTED = ['Package', 'Version', 'Architecture', 'Filename', 'Size', 'SHA256'] as const;
type Wanted = (typeof WANTED)[number];
const WANTED_BY_LOWER_CASE = new Map<string, Wanted>(WANTED.map((name) => [name.toLowerCase(), name]));

interface Value {
  readonly text: string;
  /** Where the value lies in the stanza, white space around it included. */
  readonly start: number;
  readonly end: number;
}

function readStanza(bytes: Buffer, place: () => string, options: PackagesOptions): UpstreamPackage {
  const values = readFields(bytes, place);
  const required = (name: Wanted): Value => {
    const value = values[name];
    if (value === undefined || value.text === '') throw malformed(place(), `no ${name}`);
    return value;
  };
  const check = (name: Wanted, pattern: RegExp): string => {
    const { text } = required(name);
    if (!pattern.test(text)) throw malformed(place(), `the ${name} ${JSON.stringify(text.slice(0, 100))} is not allowed`);
    return text;
  };
  const name = check('Package', PACKAGE_NAME);
  const version = check('Version', VERSION);
  const architecture = check('Architecture', ARCHITECTURE);
  const size = Number(check('Size', /^\d{1,15}$/));
  const filename = required('Filename');
  const location = checkLocation(filename.text, place);
  const file = { name: location.slice(location.lastIndexOf('/') + 1), size, sha256: readDigest(values.SHA256, place) };
  const record: PackageRecord = {
    format: 'apt',
    partition: `${options.section}-${architecture}`,
    name,
    version,
    architecture,
    files: [file],
    text: replace(bytes, filename, ` ${poolPath(file)}`),
  };
  return { record, locations: [location] };
}

function readDigest(value: Value | undefined, place: () => string): Sha256 {
  // apt trusts nothing weaker either (apt-secure(8)); MD5 and SHA-1 alone are no identity.
  if (value === undefined) throw new ArtifactsError('E_WEAK_HASH', `${place()}: no SHA256`);
  const digest = parseSha256(value.text);
  if (digest === undefined) throw malformed(place(), 'the SHA256 is no digest');
  return digest;
}

/** A leading `./` is common in flat repositories and means nothing. */
function checkLocation(filename: string, place: () => string): string {
  const location = filename.replace(/^(\.\/+)+/, '');
  const problem = pathProblem(location);
  if (problem !== undefined) {
    throw new ArtifactsError('E_PATH', `${place()}: the Filename ${JSON.stringify(filename.slice(0, 200))} ${problem}`);
  }
  return location;
}

/**
 * One pass over the lines of a stanza. Values are decoded as Latin-1: those we read are ASCII, the rest is not touched.
 * deb-control(5): names are case-insensitive, a continuation line begins with a blank, no field appears twice.
 */
function readFields(bytes: Buffer, place: () => string): Partial<Record<Wanted, Value>> {
  const text = bytes.toString('latin1');
  const values: Partial<Record<Wanted, Value>> = {};
  const seen = new Set<string>();
  for (let start = 0; start < text.length; ) {
    const newline = text.indexOf('\n', start);
    const end = newline === -1 ? text.length : newline;
    const first = text.charCodeAt(start);
    if (first === 0x20 || first === 0x09) {
      if (seen.size === 0) throw malformed(place(), 'a continuation line without a field');
    } else {
      const colon = text.indexOf(':', start);
      if (colon === -1 || colon >= end || colon === start) throw malformed(place(), 'a line without a field name');
      const name = text.slice(start, colon).toLowerCase();
      if (name.includes(' ') || name.includes('\t')) throw malformed(place(), 'a field name with a blank');
      if (seen.has(name)) throw malformed(place(), `the field ${text.slice(start, colon)} appears twice`);
      seen.add(name);
      const wanted = WANTED_BY_LOWER_CASE.get(name);
      if (wanted !== undefined) {
        const crlf = text.charCodeAt(end - 1) === RETURN ? 1 : 0;
        values[wanted] = { text: text.slice(colon + 1, end).trim(), start: colon + 1, end: end - crlf };
      }
    }
    start = end + 1;
  }
  return values;
}

/** The stanza with one value replaced, ending in a newline even where the file's last line did not. */
function replace(bytes: Buffer, old: Value, value: string): Buffer {
  const parts = [bytes.subarray(0, old.start), Buffer.from(value, 'latin1'), bytes.subarray(old.end)];
  if (bytes.at(-1) !== NEWLINE) parts.push(Buffer.from('\n'));
  return Buffer.concat(parts);
}

function malformed(place: string, problem: string): ArtifactsError {
  return new ArtifactsError('E_FORMAT', `${place}: ${problem}`);
}
