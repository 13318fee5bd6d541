/** Reading a few fields of an index stanza fast, keeping where their values lie; everything else is passed through. */
import { ArtifactsError } from '../../core/errors.ts';
import { parseSha256, type Sha256 } from '../../core/digest.ts';
import { pathProblem, withoutDot } from '../../util/safe-path.ts';
import { malformed, type PlacedStanza } from './stanza-stream.ts';

export interface Value {
  /** Folded lines included, white space around it removed. Latin-1: what we read is ASCII. */
  readonly text: string;
  /** Where the value lies in the stanza, the line's end excluded. */
  readonly start: number;
  readonly end: number;
}

const RETURN = 0x0d;
const NEWLINE = 0x0a;

/**
 * One pass over the lines of a stanza. deb-control(5): names are case-insensitive, a continuation line begins with a
 * blank, no field appears twice. `wanted` holds the names in lower case.
 */
export function readFields<Name extends string>({ bytes, place }: PlacedStanza, wanted: ReadonlyMap<string, Name>): Partial<Record<Name, Value>> {
  const text = bytes.toString('latin1');
  const values: Partial<Record<Name, Value>> = {};
  const seen = new Set<string>();
  let open: { readonly name: Name; readonly start: number } | undefined;
  for (let start = 0; start < text.length; ) {
    const newline = text.indexOf('\n', start);
    const end = newline === -1 ? text.length : newline;
    const valueEnd = text.charCodeAt(end - 1) === RETURN ? end - 1 : end;
    const first = text.charCodeAt(start);
    if (first === 0x20 || first === 0x09) {
      if (seen.size === 0) throw malformed(place(), 'a continuation line without a field');
      if (open !== undefined) values[open.name] = valueOf(text, open.start, valueEnd);
    } else {
      const colon = text.indexOf(':', start);
      if (colon === -1 || colon >= end || colon === start) throw malformed(place(), 'a line without a field name');
      const name = text.slice(start, colon).toLowerCase();
      if (name.includes(' ') || name.includes('\t')) throw malformed(place(), 'a field name with a blank');
      if (seen.has(name)) throw malformed(place(), `the field ${text.slice(start, colon)} appears twice`);
      seen.add(name);
      const found = wanted.get(name);
      open = found === undefined ? undefined : { name: found, start: colon + 1 };
      if (open !== undefined) values[open.name] = valueOf(text, open.start, valueEnd);
    }
    start = end + 1;
  }
  return values;
}

function valueOf(text: string, start: number, end: number): Value {
  return { text: text.slice(start, end).trim(), start, end };
}

/** Names by their lower-case form, for readFields. */
export function fieldNames<const Name extends string>(names: readonly Name[]): ReadonlyMap<string, Name> {
  return new Map(names.map((name) => [name.toLowerCase(), name]));
}

/** The value of a field that must be there. */
export function required(value: Value | undefined, name: string, place: () => string): Value {
  if (value === undefined || value.text === '') throw malformed(place(), `no ${name}`);
  return value;
}

/** The text of a field that must be there and look like this. */
export function matching(value: Value | undefined, { name, pattern }: { readonly name: string; readonly pattern: RegExp }, place: () => string): string {
  const { text } = required(value, name, place);
  if (!pattern.test(text)) throw malformed(place(), `the ${name} ${JSON.stringify(text.slice(0, 100))} is not allowed`);
  return text;
}

/** A digest, or E_WEAK_HASH: apt trusts nothing weaker either (apt-secure(8)). */
export function sha256Of(text: string | undefined, place: () => string): Sha256 {
  if (text === undefined) throw new ArtifactsError('E_WEAK_HASH', `${place()}: no SHA256`);
  const digest = parseSha256(text);
  if (digest === undefined) throw malformed(place(), 'the SHA256 is no digest');
  return digest;
}

/**
 * A path below the upstream's URL, of a value as `readFields` gives it. A leading `./` is common in flat repositories and
 * means nothing.
 */
export function checkLocation(value: string, name: string, place: () => string): string {
  const path = Buffer.from(value, 'latin1').toString('utf8');
  const location = withoutDot(path);
  const problem = path.includes('\ufffd') ? 'is not UTF-8' : pathProblem(location);
  if (problem !== undefined) {
    throw new ArtifactsError('E_PATH', `${place()}: the ${name} ${JSON.stringify(path.slice(0, 200))} ${problem}`);
  }
  return location;
}

/** The stanza with one value replaced, ending in a newline even where the file's last line did not. */
export function replaceValue(bytes: Buffer, old: Value, value: string): Buffer {
  const parts = [bytes.subarray(0, old.start), Buffer.from(` ${value}`), bytes.subarray(old.end)];
  if (bytes.at(-1) !== NEWLINE) parts.push(Buffer.from('\n'));
  return Buffer.concat(parts);
}
