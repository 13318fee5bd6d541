/**
 * The order of Debian versions, exactly dpkg's (deb-version(7)): -1, 0 or 1. The epoch stands before the first colon, the
 * revision after the last hyphen; a missing epoch or revision counts as 0. Accepts any text, so that a broken version
 * has a place in the order too.
 */
export function compareVersions(a: string, b: string): -1 | 0 | 1 {
  if (a === b) return 0;
  const aColon = colonOfEpoch(a);
  const bColon = colonOfEpoch(b);
  if (aColon !== -1 || bColon !== -1) {
    const order = compareSpan(epochSpan(a, aColon), epochSpan(b, bColon));
    if (order !== 0) return order;
  }
  const aHyphen = hyphenOfRevision(a, aColon);
  const bHyphen = hyphenOfRevision(b, bColon);
  return (
    compareSpan({ text: a, at: aColon + 1, end: aHyphen }, { text: b, at: bColon + 1, end: bHyphen }) ||
    compareSpan({ text: a, at: aHyphen + 1, end: a.length }, { text: b, at: bHyphen + 1, end: b.length })
  );
}

/**
 * What is wrong with a version, as a phrase for messages; undefined when dpkg accepts it (deb-version(7), Policy 5.6.12).
 * Blanks around it count as wrong: a field value has none.
 */
export function checkVersion(text: string): string | undefined {
  if (text === '') return 'is empty';
  const colon = text.indexOf(':');
  if (colon !== -1) {
    const epoch = text.slice(0, colon);
    if (!/^\d+$/.test(epoch)) return 'has an epoch that is no number';
    if (Number(epoch) > MAX_EPOCH) return 'has an epoch that is too big';
  }
  const rest = text.slice(colon + 1);
  const hyphen = rest.lastIndexOf('-');
  const upstream = hyphen === -1 ? rest : rest.slice(0, hyphen);
  if (upstream === '') return 'has no upstream version';
  if (hyphen === rest.length - 1) return 'has an empty revision';
  if (!/^\d/.test(upstream)) return 'does not start with a digit';
  if (!/^[\w.+~:-]+$/.test(upstream) || upstream.includes('_')) return 'has a character that is not allowed';
  if (hyphen !== -1 && !/^[A-Za-z\d.+~]+$/.test(rest.slice(hyphen + 1))) {
    return 'has a character that is not allowed in the revision';
  }
  return undefined;
}

/** dpkg keeps the epoch in a C int. */
const MAX_EPOCH = 2 ** 31 - 1;

/** The index of the colon that ends an epoch, -1 when there is none. Only digits before the first colon are an epoch. */
function colonOfEpoch(text: string): number {
  const colon = text.indexOf(':');
  for (let at = 0; at < colon; at++) {
    if (!isDigit(text.charCodeAt(at))) return -1;
  }
  return colon === 0 ? -1 : colon;
}

function epochSpan(text: string, colon: number): Span {
  return colon === -1 ? { text, at: text.length, end: text.length } : { text, at: 0, end: colon };
}

/** The index of the last hyphen behind the epoch, the length when there is none. */
function hyphenOfRevision(text: string, colon: number): number {
  const hyphen = text.lastIndexOf('-');
  return hyphen > colon ? hyphen : text.length;
}

/** A piece of a version, not cut out: millions of comparisons would otherwise make millions of strings. */
interface Span {
  readonly text: string;
  readonly at: number;
  readonly end: number;
}

/**
 * Compares what is no number letter by letter and what is a number as a number, by turns, from the left. A span ends at
 * a colon, a hyphen or the end of the text, so a number never runs over its end.
 */
function compareSpan(spanA: Span, spanB: Span): -1 | 0 | 1 {
  const a = spanA.text;
  const b = spanB.text;
  let i = spanA.at;
  let j = spanB.at;
  while (i < spanA.end || j < spanB.end) {
    let x = i < spanA.end ? weight(a.charCodeAt(i)) : 0;
    let y = j < spanB.end ? weight(b.charCodeAt(j)) : 0;
    while (x !== 0 || y !== 0) {
      if (x !== y) return x < y ? -1 : 1;
      x = ++i < spanA.end ? weight(a.charCodeAt(i)) : 0;
      y = ++j < spanB.end ? weight(b.charCodeAt(j)) : 0;
    }
    while (a.charCodeAt(i) === ZERO) i++;
    while (b.charCodeAt(j) === ZERO) j++;
    // Without leading zeros the longer number is the greater one, however long both are: no integer type is involved.
    let first = 0;
    while (isDigit(a.charCodeAt(i)) && isDigit(b.charCodeAt(j))) {
      const difference = a.charCodeAt(i++) - b.charCodeAt(j++);
      if (first === 0) first = difference;
    }
    if (isDigit(a.charCodeAt(i))) return 1;
    if (isDigit(b.charCodeAt(j))) return -1;
    if (first !== 0) return first < 0 ? -1 : 1;
  }
  return 0;
}

const ZERO = 0x30;
const TILDE = 0x7e;

/** False for NaN, which charCodeAt gives behind the end. */
function isDigit(code: number): boolean {
  return code >= ZERO && code <= 0x39;
}

/** Tilde sorts before the end, the end and a digit (0) before letters, letters before everything else. */
function weight(code: number): number {
  if (isDigit(code)) return 0;
  if (code === TILDE) return -1;
  const letter = code | 0x20;
  return letter >= 0x61 && letter <= 0x7a && code < 0x80 ? code : code + 256;
}
