/**
 * Reading control data (deb822(5), Debian Policy 5.1) as bytes: a stanza is one paragraph of fields, a field a name, a
 * colon and a value that may go on in lines that begin with a blank. Nothing is re-encoded or refolded here: a field is
 * a place in the bytes it was found in, and only what is asked for becomes a string.
 */
import { ArtifactsError } from '../../core/errors.ts';

/** A field's place in the bytes it was read from. */
export interface Field {
  /** As it is spelled. */
  readonly name: string;
  /** Where its name begins. */
  readonly start: number;
  /** Where its value begins: behind the colon. */
  readonly valueStart: number;
  /** Where the next field begins: behind the line feed of its last line. */
  readonly end: number;
  /** Counted from 1. */
  readonly line: number;
}

/** One paragraph of a control file. */
export interface Paragraph {
  /** The line of its first field. */
  readonly line: number;
  readonly start: number;
  /** Behind the line feed of its last line. */
  readonly end: number;
  readonly fields: readonly Field[];
}

export interface ControlOptions {
  /** Accept lines that begin with `#`: legal in source control files, never in an index (Policy 5.1). */
  readonly comments?: boolean;
  /** Refuse a second paragraph where it begins. */
  readonly single?: boolean;
  /** What the text is called in messages. */
  readonly label?: string;
}

/**
 * The fields of one stanza in the order they stand in. A line of white space only separates nothing here: what ends a
 * stanza was decided by whoever cut it out. Throws E_FORMAT like `parseControl`.
 */
export function fields(text: Buffer, options: ControlOptions = {}): readonly Field[] {
  const found: Field[] = [];
  const names = new Set<string>();
  scan(text, options, (line) => {
    if (line.kind === 'field') found.push(readField(text, line, names, options));
    else if (line.kind === 'continuation') extendLast(found, line, options);
  });
  return found;
}

/**
 * The paragraphs of a control file. Any number of empty lines, or lines of white space only, separates two paragraphs;
 * lines may end in CR LF. Throws E_FORMAT, naming the line, for a continuation of nothing, a field name with a blank or
 * without a colon, and a field that stands twice in one paragraph.
 */
export function parseControl(text: Buffer, options: ControlOptions = {}): readonly Paragraph[] {
  const paragraphs: Paragraph[] = [];
  let current: Field[] = [];
  const names = new Set<string>();
  const close = (): undefined => {
    const first = current[0];
    const last = current.at(-1);
    if (first === undefined || last === undefined) return;
    paragraphs.push({ line: first.line, start: first.start, end: last.end, fields: current });
    current = [];
    names.clear();
  };
  scan(text, options, (line) => {
    if (line.kind === 'blank') return close();
    if (paragraphs.length > 0 && options.single === true) throw failure(options, line, 'there is more than one paragraph in it');
    if (line.kind === 'field') current.push(readField(text, line, names, options));
    else if (line.kind === 'continuation') extendLast(current, line, options);
    return undefined;
  });
  close();
  return paragraphs;
}

/**
 * The value of the first field of that name, in any case, or undefined. White space around its first line is removed;
 * folded lines follow after a line feed each, without their leading blank: ` .` stays `.`. Bytes that are no UTF-8
 * become U+FFFD, so the value is for looking at, not for writing back.
 */
export function fieldValue(text: Buffer, name: string): string | undefined {
  const valueStart = findField(text, name);
  return valueStart === -1 ? undefined : decodeValue(text, valueStart, endOfField(text, valueStart));
}

/** The value of a field that `fields` or `parseControl` found in the same bytes, as `fieldValue` gives it. */
export function valueOf(text: Buffer, field: Field): string {
  return decodeValue(text, field.valueStart, field.end);
}

/** Packages have some dozens. Each costs more memory than its few bytes. */
const MOST_FIELDS = 10_000;

const TAB = 0x09;
const LINE_FEED = 0x0a;
const CARRIAGE_RETURN = 0x0d;
const SPACE = 0x20;
const HASH = 0x23;
const COLON = 0x3a;

interface Line {
  readonly kind: 'field' | 'continuation' | 'blank' | 'comment';
  readonly number: number;
  readonly start: number;
  /** Behind its line feed. */
  readonly end: number;
}

function scan(text: Buffer, options: ControlOptions, visit: (line: Line) => void): void {
  let number = 0;
  for (let start = 0; start < text.length; ) {
    const feed = text.indexOf(LINE_FEED, start);
    const end = feed === -1 ? text.length : feed + 1;
    number++;
    visit({ kind: kindOfLine(text, start, end, options), number, start, end });
    start = end;
  }
}

function kindOfLine(text: Buffer, start: number, end: number, options: ControlOptions): Line['kind'] {
  const first = text[start];
  if (first === HASH && options.comments === true) return 'comment';
  let at = start;
  while (at < end && isWhiteSpace(text[at])) at++;
  if (at === end) return 'blank';
  return isBlank(first) ? 'continuation' : 'field';
}

/** `names` has those of the paragraph so far, in lower case. */
function readField(text: Buffer, line: Line, names: Set<string>, options: ControlOptions): Field {
  const colon = text.indexOf(COLON, line.start);
  if (colon === -1 || colon >= line.end) throw failure(options, line, 'a line without a colon');
  const name = text.toString('latin1', line.start, colon);
  // Policy 5.1: printable US-ASCII without blanks, not beginning with "#" or "-".
  if (!/^[!"$-,.-9;-~][!-9;-~]*$/.test(name)) throw failure(options, line, `"${printable(name)}" is no field name`);
  const lower = name.toLowerCase();
  if (names.has(lower)) throw failure(options, line, `the field ${name} stands twice in one paragraph`);
  if (names.size >= MOST_FIELDS) throw failure(options, line, `more than ${MOST_FIELDS} fields in one paragraph`);
  names.add(lower);
  return { name, start: line.start, valueStart: colon + 1, end: line.end, line: line.number };
}

/** The last field reaches to the end of this line. */
function extendLast(found: Field[], line: Line, options: ControlOptions): void {
  const last = found.pop();
  if (last !== undefined) found.push({ ...last, end: line.end });
  else throw failure(options, line, 'a continuation line before any field');
}

function failure(options: ControlOptions, line: Line, what: string): ArtifactsError {
  return new ArtifactsError('E_FORMAT', `${options.label ?? 'Control data'}, line ${line.number}: ${what}`);
}

function printable(name: string): string {
  return name.slice(0, 60).replace(/[^ -~]/g, '?');
}

const needles = new Map<string, Buffer>();

/** Where the value of the first field of that name begins, -1 when there is none. */
function findField(text: Buffer, name: string): number {
  // Almost every index spells names alike, and a search for bytes beats a walk over lines several times.
  let needle = needles.get(name);
  if (needle === undefined) {
    needle = Buffer.from(`\n${name}:`, 'latin1');
    if (needles.size < 100) needles.set(name, needle);
  }
  const found = text.indexOf(needle);
  if (found !== -1) return found + needle.length;
  return walkToField(text, needle);
}

function walkToField(text: Buffer, needle: Buffer): number {
  const length = needle.length - 2;
  for (let start = 0; start < text.length; ) {
    if (text[start + length] === COLON && namesEqual(text, start, needle)) return start + length + 1;
    const feed = text.indexOf(LINE_FEED, start);
    if (feed === -1) break;
    start = feed + 1;
  }
  return -1;
}

/** Compares without regard to case; the name in the needle stands between its line feed and its colon. */
function namesEqual(text: Buffer, start: number, needle: Buffer): boolean {
  for (let i = 1; i < needle.length - 1; i++) {
    if (lowerCase(text[start + i - 1]) !== lowerCase(needle[i])) return false;
  }
  return true;
}

function lowerCase(code: number | undefined): number {
  return code === undefined ? -1 : code >= 0x41 && code <= 0x5a ? code | 0x20 : code;
}

/** Behind the last line that belongs to the field: blank lines within it do. */
function endOfField(text: Buffer, valueStart: number): number {
  let end = valueStart;
  do {
    const feed = text.indexOf(LINE_FEED, end);
    end = feed === -1 ? text.length : feed + 1;
  } while (end < text.length && (isBlank(text[end]) || text[end] === HASH));
  return end;
}

function decodeValue(text: Buffer, start: number, end: number): string {
  const firstFeed = text.indexOf(LINE_FEED, start);
  if (firstFeed === -1 || firstFeed >= end - 1) return trimmed(text, start, end);
  const lines = [trimmed(text, start, firstFeed)];
  for (let at = firstFeed + 1; at < end; ) {
    const feed = text.indexOf(LINE_FEED, at);
    const next = feed === -1 || feed >= end ? end : feed + 1;
    // Policy 5.1: a comment may stand between the lines of a field; no other line of a field begins with "#".
    if (text[at] !== HASH) lines.push(continuation(text, at, next));
    at = next;
  }
  while (lines.length > 1 && lines.at(-1) === '') lines.pop();
  return lines.join('\n');
}

/** Without its leading blank and its line end; other white space may be meant. */
function continuation(text: Buffer, start: number, end: number): string {
  let to = end;
  while (to > start && (text[to - 1] === LINE_FEED || text[to - 1] === CARRIAGE_RETURN)) to--;
  return text.toString('utf8', isBlank(text[start]) ? start + 1 : start, to);
}

function trimmed(text: Buffer, start: number, end: number): string {
  let from = start;
  let to = end;
  while (from < to && isWhiteSpace(text[from])) from++;
  while (to > from && isWhiteSpace(text[to - 1])) to--;
  return text.toString('utf8', from, to);
}

function isBlank(code: number | undefined): boolean {
  return code === SPACE || code === TAB;
}

function isWhiteSpace(code: number | undefined): boolean {
  return code === SPACE || code === TAB || code === CARRIAGE_RETURN || code === LINE_FEED;
}
