/** Globs and regular expressions as trees: both are run by the same linear matcher (pattern.ts). */

export type Pattern =
  | { readonly kind: 'character'; readonly set: CharacterSet }
  | { readonly kind: 'sequence'; readonly parts: readonly Pattern[] }
  | { readonly kind: 'choice'; readonly parts: readonly Pattern[] }
  | { readonly kind: 'repeat'; readonly part: Pattern; readonly min: number; readonly max: number }
  | { readonly kind: 'start' }
  | { readonly kind: 'end' };

/** One code point within, or with `negated` without, these ranges: first, last, first, last… */
export interface CharacterSet {
  readonly negated: boolean;
  readonly ranges: readonly number[];
}

/** Says in its message, for people, why a text is no pattern. */
export class PatternError extends Error {}

/**
 * A glob for a whole value: `*` any characters, `?` one, `[a-z]` one of these, `[^a-z]` and `[!a-z]` none of these, and a
 * backslash takes the next character as it is. Unlike a shell's, `*` and `?` also stand for slashes.
 */
export function parseGlob(text: string): Pattern {
  const cursor: Cursor = { characters: Array.from(text), at: 0, depth: 0 };
  const parts: Pattern[] = [{ kind: 'start' }];
  for (let next = take(cursor); next !== undefined; next = take(cursor)) {
    if (next === '*') parts.push({ kind: 'repeat', part: ANYTHING, min: 0, max: Infinity });
    else if (next === '?') parts.push(ANYTHING);
    else if (next === '[') parts.push(parseClass(cursor, '!'));
    else parts.push(literal(next === '\\' ? (take(cursor) ?? fail('ends in a backslash')) : next));
  }
  return { kind: 'sequence', parts: [...parts, { kind: 'end' }] };
}

/**
 * A regular expression: what Go's, and so aptly's, and JavaScript's have in common and what can be matched in linear
 * time: `.` `[…]` `(…)` `(?:…)` `|` `*` `+` `?` `{n,m}` `^` `$` `\d` `\s` `\w` and their opposites. `^` and `$` are the
 * ends of the value, `.` is no line feed. Throws PatternError for everything else.
 */
export function parseRegex(text: string): Pattern {
  const cursor: Cursor = { characters: Array.from(text), at: 0, depth: 0 };
  const pattern = parseChoice(cursor);
  if (cursor.at < cursor.characters.length) fail('has a ")" too many');
  return pattern;
}

/** Code points and a place among them. */
interface Cursor {
  readonly characters: readonly string[];
  at: number;
  depth: number;
}

const ANYTHING: Pattern = { kind: 'character', set: { negated: true, ranges: [] } };
const NO_LINE_FEED: Pattern = { kind: 'character', set: { negated: true, ranges: [0x0a, 0x0a] } };

/** Each copy costs memory and time. */
const MAX_REPEAT = 1000;
const MAX_DEPTH = 100;
const LAST_CODE_POINT = 0x10ffff;

function fail(reason: string): never {
  throw new PatternError(reason);
}

function take(cursor: Cursor): string | undefined {
  return cursor.characters[cursor.at++];
}

function takeIf(cursor: Cursor, character: string): boolean {
  if (cursor.characters[cursor.at] !== character) return false;
  cursor.at++;
  return true;
}

function literal(character: string): Pattern {
  const code = codeOf(character);
  return { kind: 'character', set: { negated: false, ranges: [code, code] } };
}

function codeOf(character: string): number {
  return character.codePointAt(0) ?? 0;
}

function parseChoice(cursor: Cursor): Pattern {
  const parts = [parseSequence(cursor)];
  while (takeIf(cursor, '|')) parts.push(parseSequence(cursor));
  const [only] = parts;
  return parts.length === 1 && only !== undefined ? only : { kind: 'choice', parts };
}

function parseSequence(cursor: Cursor): Pattern {
  const parts: Pattern[] = [];
  for (;;) {
    const next = cursor.characters[cursor.at];
    if (next === undefined || next === '|' || next === ')') return { kind: 'sequence', parts };
    parts.push(parseRepeat(cursor));
  }
}

function parseRepeat(cursor: Cursor): Pattern {
  const part = parseAtom(cursor);
  const bounds = parseBounds(cursor);
  if (bounds === undefined) return part;
  takeIf(cursor, '?'); // shortest instead of longest: no difference to whether something matches
  if (parseBounds(cursor) !== undefined) fail('repeats a repetition: use brackets');
  return { kind: 'repeat', part, ...bounds };
}

interface Bounds {
  readonly min: number;
  readonly max: number;
}

function parseBounds(cursor: Cursor): Bounds | undefined {
  if (takeIf(cursor, '*')) return { min: 0, max: Infinity };
  if (takeIf(cursor, '+')) return { min: 1, max: Infinity };
  if (takeIf(cursor, '?')) return { min: 0, max: 1 };
  if (cursor.characters[cursor.at] !== '{') return undefined;
  const written = /^\{(\d{1,5})(,(\d{0,5}))?\}/.exec(cursor.characters.slice(cursor.at, cursor.at + 13).join(''));
  if (written === null) return undefined; // a brace that counts nothing is a character
  cursor.at += written[0].length;
  const min = Number(written[1]);
  const max = written[2] === undefined ? min : written[3] === '' ? Infinity : Number(written[3]);
  if (max < min) fail(`has a repetition from ${min} to ${max}`);
  if (min > MAX_REPEAT || (max !== Infinity && max > MAX_REPEAT)) fail(`repeats more than ${MAX_REPEAT} times`);
  return { min, max };
}

function parseAtom(cursor: Cursor): Pattern {
  const next = take(cursor) ?? '';
  switch (next) {
    case '(':
      return parseGroup(cursor);
    case '[':
      return parseClass(cursor, '^');
    case '.':
      return NO_LINE_FEED;
    case '^':
      return { kind: 'start' };
    case '$':
      return { kind: 'end' };
    case '*':
    case '+':
    case '?':
      return fail(`has nothing before "${next}" to repeat`);
    case '\\':
      return { kind: 'character', set: { negated: false, ranges: parseEscape(cursor) } };
    default:
      return literal(next);
  }
}

function parseGroup(cursor: Cursor): Pattern {
  if (++cursor.depth > MAX_DEPTH) fail(`has more than ${MAX_DEPTH} brackets within each other`);
  if (takeIf(cursor, '?') && !takeIf(cursor, ':')) fail('uses "(?", which is supported as "(?:" only');
  const inner = parseChoice(cursor);
  if (!takeIf(cursor, ')')) fail('misses a ")"');
  cursor.depth--;
  return inner;
}

const DIGITS: readonly number[] = [0x30, 0x39];
const WORD: readonly number[] = [0x30, 0x39, 0x41, 0x5a, 0x5f, 0x5f, 0x61, 0x7a];
const WHITE_SPACE: readonly number[] = [0x09, 0x0a, 0x0c, 0x0d, 0x20, 0x20];

/** What follows a backslash, as ranges. */
function parseEscape(cursor: Cursor): readonly number[] {
  const next = take(cursor) ?? fail('ends in a backslash');
  switch (next) {
    case 'd':
      return DIGITS;
    case 'D':
      return complement(DIGITS);
    case 'w':
      return WORD;
    case 'W':
      return complement(WORD);
    case 's':
      return WHITE_SPACE;
    case 'S':
      return complement(WHITE_SPACE);
    case 't':
      return [0x09, 0x09];
    case 'n':
      return [0x0a, 0x0a];
    case 'r':
      return [0x0d, 0x0d];
    default:
      if (/[A-Za-z0-9]/.test(next)) fail(`uses "\\${next}", which is not supported`);
      return [codeOf(next), codeOf(next)];
  }
}

/** All code points outside of sorted ranges. */
function complement(ranges: readonly number[]): readonly number[] {
  const outside: number[] = [];
  let from = 0;
  for (let i = 0; i + 1 < ranges.length; i += 2) {
    const [first = 0, last = 0] = ranges.slice(i, i + 2);
    if (first > from) outside.push(from, first - 1);
    from = last + 1;
  }
  return [...outside, from, LAST_CODE_POINT];
}

/** What follows `[`. A `]` in the first place is a character. `^` negates, and so does the other mark. */
function parseClass(cursor: Cursor, otherMark: string): Pattern {
  const negated = takeIf(cursor, '^') || takeIf(cursor, otherMark);
  const ranges: number[] = [];
  for (let first = true; first || !takeIf(cursor, ']'); first = false) {
    const low = parseMember(cursor);
    const isRange = cursor.characters[cursor.at] === '-' && cursor.characters[cursor.at + 1] !== ']';
    if (!isRange) {
      ranges.push(...low);
      continue;
    }
    cursor.at++;
    const high = parseMember(cursor);
    const [from = 0, to = 0] = [low[0], high[1]];
    if (low[0] !== low[1] || high[0] !== high[1] || from > to) fail('has a range that goes backwards or nowhere');
    ranges.push(from, to);
  }
  return { kind: 'character', set: { negated, ranges } };
}

function parseMember(cursor: Cursor): readonly number[] {
  const next = take(cursor) ?? fail('misses a "]"');
  if (next === '[' && cursor.characters[cursor.at] === ':') fail('uses "[:", which is not supported');
  return next === '\\' ? parseEscape(cursor) : [codeOf(next), codeOf(next)];
}
