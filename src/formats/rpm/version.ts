/**
 * The order of rpm versions (rpm(8) "version comparison", rpmvercmp): -1, 0 or 1. A version is written
 * `[epoch:]version[-release]`; a missing epoch is 0. Where one side names no release, releases do not count: so a
 * dependency on `1.0` is met by any build of it. Accepts any text.
 */
export function compareVersions(a: string, b: string): -1 | 0 | 1 {
  if (a === b) return 0;
  const one = splitVersion(a);
  const two = splitVersion(b);
  const epochs = compareSegments(one.epoch, two.epoch) || compareSegments(one.version, two.version);
  if (epochs !== 0 || one.release === '' || two.release === '') return epochs;
  return compareSegments(one.release, two.release);
}

export interface VersionParts {
  /** Digits; `0` when none is written. */
  readonly epoch: string;
  readonly version: string;
  /** Empty when none is written. */
  readonly release: string;
}

/** The parts of a version: the epoch is digits before the first colon, the release stands behind the last hyphen. */
export function splitVersion(text: string): VersionParts {
  const colon = /^\d*:/.exec(text)?.[0].length ?? 0;
  const hyphen = text.lastIndexOf('-');
  const end = hyphen < colon ? text.length : hyphen;
  return { epoch: text.slice(0, Math.max(0, colon - 1)) || '0', version: text.slice(colon, end), release: text.slice(end + 1) };
}

/** The usual spelling: an epoch of 0 is not written. */
export function joinVersion({ epoch, version, release }: VersionParts): string {
  const prefix = /^0*$/.test(epoch) ? '' : `${epoch}:`;
  return `${prefix}${version}${release === '' ? '' : `-${release}`}`;
}

/**
 * Segments of digits or letters from the left; everything else only parts them. `~` sorts before everything, the end
 * included; `^` behind the end and before anything else; a number behind any word.
 */
function compareSegments(a: string, b: string): -1 | 0 | 1 {
  let i = 0;
  let j = 0;
  while (i < a.length || j < b.length) {
    i = skip(a, i);
    j = skip(b, j);
    const mark = compareMarks(a[i], b[j]);
    if (mark === 'both') {
      i += 1;
      j += 1;
      continue;
    }
    if (mark !== undefined) return mark;
    if (i >= a.length || j >= b.length) break;
    const digits = isDigit(a.charCodeAt(i));
    const one = a.slice(i, (i = segmentEnd(a, i, digits)));
    const two = b.slice(j, (j = segmentEnd(b, j, digits)));
    if (two === '') return digits ? 1 : -1;
    const order = digits ? compareNumbers(one, two) : compareWords(one, two);
    if (order !== 0) return order;
  }
  return i < a.length ? 1 : j < b.length ? -1 : 0;
}

/** Undefined when neither side stands at a tilde or caret. */
function compareMarks(a: string | undefined, b: string | undefined): -1 | 1 | 'both' | undefined {
  for (const mark of ['~', '^']) {
    if (a !== mark && b !== mark) continue;
    if (a === b) return 'both';
    // Undefined is the end.
    if (mark === '^' && (a === undefined || b === undefined)) return a === undefined ? -1 : 1;
    return a === mark ? -1 : 1;
  }
  return undefined;
}

/** Without leading zeros the longer number is the greater one, however long both are. */
function compareNumbers(a: string, b: string): -1 | 0 | 1 {
  const [one, two] = [a.replace(/^0+/, ''), b.replace(/^0+/, '')];
  if (one.length !== two.length) return one.length < two.length ? -1 : 1;
  return compareWords(one, two);
}

function compareWords(a: string, b: string): -1 | 0 | 1 {
  return a === b ? 0 : a < b ? -1 : 1;
}

function segmentEnd(text: string, from: number, digits: boolean): number {
  let at = from;
  while (at < text.length && (digits ? isDigit(text.charCodeAt(at)) : isLetter(text.charCodeAt(at)))) at += 1;
  return at;
}

/** Past what is neither a letter, a digit, a tilde nor a caret. */
function skip(text: string, from: number): number {
  let at = from;
  for (; at < text.length; at += 1) {
    const code = text.charCodeAt(at);
    if (isDigit(code) || isLetter(code) || code === TILDE || code === CARET) break;
  }
  return at;
}

const TILDE = 0x7e;
const CARET = 0x5e;

function isDigit(code: number): boolean {
  return code >= 0x30 && code <= 0x39;
}

function isLetter(code: number): boolean {
  const letter = code | 0x20;
  return code < 0x80 && letter >= 0x61 && letter <= 0x7a;
}
