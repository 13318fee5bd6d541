/** Ways to spoil bytes, each decided by a generator of random numbers, so that a seed gives the same bytes every time. */

/** Gives numbers of [0, 1). */
export type Random = () => number;

/** mulberry32: small, fast, and the same on every machine. */
export function randomFrom(seed: number): Random {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** A whole number of [0, limit). */
export function below(random: Random, limit: number): number {
  return Math.floor(random() * limit);
}

export function pick<T>(random: Random, list: readonly [T, ...T[]]): T {
  return list[below(random, list.length)] ?? list[0];
}

/** What is spoilt never gets larger than this, in bytes. */
const LARGEST = 8 * 1024 * 1024;

/** One to four mutations, one after another. `other` is what a splice takes its second half from. */
export function mutate(bytes: Buffer, other: Buffer, random: Random): Buffer {
  let spoilt = bytes;
  for (let left = 1 + below(random, 4); left > 0; left -= 1) spoilt = pick(random, MUTATORS)(spoilt, random, other);
  return spoilt.subarray(0, LARGEST);
}

type Mutator = (bytes: Buffer, random: Random, other: Buffer) => Buffer;

const MUTATORS: readonly [Mutator, ...Mutator[]] = [
  flipBits,
  setByte,
  (bytes, random) => bytes.subarray(0, below(random, bytes.length + 1)),
  (bytes, random) => bytes.subarray(below(random, bytes.length + 1)),
  (bytes, random) => without(bytes, span(bytes, random)),
  duplicate,
  repeat,
  (bytes, random, other) => Buffer.concat([bytes.subarray(0, below(random, bytes.length)), other.subarray(below(random, other.length))]),
  (bytes, random) => insert(bytes, random, Buffer.alloc(1 + below(random, 600))),
  (bytes, random) => insert(bytes, random, Buffer.from(pick(random, ODD_TEXTS), 'latin1')),
  (bytes, random) => insert(bytes, random, Buffer.alloc(1 << below(random, 21), pick(random, [' ', 'a', '-', '9', '.', '\t', 'é', '(', '~', ':']))),
  nest,
  changeNumber,
  swapLines,
  swapValues,
  manyFields,
  (bytes) => Buffer.from(bytes.toString('latin1').replaceAll('\n', '\r\n'), 'latin1'),
];

const ODD_TEXTS = [
  '\n', '\n\n', '\r\n', ' \n', '\n \n', '\n .\n', ':', ': ', '\n:\n', '\u0000', '\u00ff\u00fe', '\u00ef\u00bb\u00bf', '\u001b[2J', '\u202e', '#', '\n# c\n', '-',
  '../', '/', '\\', '%2e%2e/', '%00', '|', ',', '<', '>', '(>= ', ')', '[', ']', '${', '\nPackage: x', '\nVersion: ', '\nFilename: ../../etc/passwd',
  '\n-----BEGIN PGP SIGNED MESSAGE-----\n', '\n-----END PGP SIGNATURE-----\n', '!<arch>\n', '`\n', '//', '#1/9999999999', 'NaN', '1e309', '-1', '0x10',
  '<', '</', '/>', '">', '&', '&amp;', '&a;', '&#0;', '&#x110000;', '<![CDATA[', ']]>', '<!--', '-->', '<?x', '<!DOCTYPE a [<!ENTITY a "aaaa">]>', ' xmlns:rpm="x"', '</package>', '<package>', 'sha', 'sha512', '::', '0:', '-- ',
  '\n---\n', '\n...\n', '\n- ', ' *a', ' &a', '<<: *a', '? ', ': |', '!!js/function ', '\n[', 'sha256:', ' = ', '\n  ', 'https://', 'file:///',
  '__proto__', 'constructor', '\n__proto__: x', '\nConstructor: x',
] as const satisfies readonly [string, ...string[]];

const NUMBERS = ['0', '-1', '1e9', '2147483648', '4294967296', '9007199254740993', '9223372036854775808', '99999999999999999999999999', '', ' ', '0x7f', '٣', '1.5'] as const;

function flipBits(bytes: Buffer, random: Random): Buffer {
  const spoilt = Buffer.from(bytes);
  for (let left = 1 + below(random, 16); left > 0; left -= 1) {
    const at = below(random, spoilt.length);
    spoilt[at] = (spoilt[at] ?? 0) ^ (1 << below(random, 8));
  }
  return spoilt;
}

function setByte(bytes: Buffer, random: Random): Buffer {
  const spoilt = Buffer.from(bytes);
  spoilt[below(random, spoilt.length)] = pick(random, [0, 10, 13, 32, 45, 46, 47, 58, 127, 128, 255]);
  return spoilt;
}

interface Span {
  readonly start: number;
  readonly end: number;
}

function span(bytes: Buffer, random: Random): Span {
  const start = below(random, bytes.length + 1);
  return { start, end: Math.min(bytes.length, start + below(random, pick(random, [4, 64, 1024]))) };
}

function without(bytes: Buffer, { start, end }: Span): Buffer {
  return Buffer.concat([bytes.subarray(0, start), bytes.subarray(end)]);
}

function insert(bytes: Buffer, random: Random, piece: Buffer): Buffer {
  const at = below(random, bytes.length + 1);
  return Buffer.concat([bytes.subarray(0, at), piece, bytes.subarray(at)]);
}

function duplicate(bytes: Buffer, random: Random): Buffer {
  const { start, end } = span(bytes, random);
  return insert(bytes, random, bytes.subarray(start, end));
}

/** The same piece hundreds of thousands of times: what is quadratic shows. */
function repeat(bytes: Buffer, random: Random): Buffer {
  const { start, end } = span(bytes, random);
  const size = 1 << below(random, 21);
  return Buffer.concat([bytes.subarray(0, end), Buffer.alloc(end > start ? size : 0, bytes.subarray(start, end)), bytes.subarray(end)]);
}

function nest(bytes: Buffer, random: Random): Buffer {
  const [open, close] = pick(random, [['(', ')'], ['[', ']'], ['<', '>'], ['a | (', ')'], ['{', '}'], ['a <!b> [', ']'], ['<a>', '</a>'], ['<group><id>', '</id></group>'], ['(a or ', ')']]);
  const depth = 1 << below(random, 17);
  return insert(bytes, random, Buffer.from(open.repeat(depth) + close.repeat(depth)));
}

function changeNumber(bytes: Buffer, random: Random): Buffer {
  const numbers = [...bytes.subarray(0, 65_536).toString('latin1').matchAll(/\d+/g)];
  const found = numbers[below(random, numbers.length)];
  if (found === undefined) return bytes;
  return Buffer.concat([bytes.subarray(0, found.index), Buffer.from(pick(random, NUMBERS)), bytes.subarray(found.index + found[0].length)]);
}

function swapLines(bytes: Buffer, random: Random): Buffer {
  return relined(bytes, (lines) => {
    const [a, b] = [below(random, lines.length), below(random, lines.length)];
    return lines.with(a, lines[b] ?? '').with(b, lines[a] ?? '');
  });
}

/** The value of one field under the name of another. */
function swapValues(bytes: Buffer, random: Random): Buffer {
  return relined(bytes, (lines) => {
    const [a, b] = [below(random, lines.length), below(random, lines.length)];
    const parts = (line = ''): readonly [string, string] => [line.slice(0, line.indexOf(':') + 1), line.slice(line.indexOf(':') + 1)];
    const [first, second] = [parts(lines[a]), parts(lines[b])];
    return lines.with(a, first[0] + second[1]).with(b, second[0] + first[1]);
  });
}

function relined(bytes: Buffer, change: (lines: readonly string[]) => readonly string[]): Buffer {
  return Buffer.from(change(bytes.toString('latin1').split('\n')).join('\n'), 'latin1');
}

function manyFields(bytes: Buffer, random: Random): Buffer {
  const count = 1 << below(random, 18);
  const at = bytes.indexOf('\n', below(random, bytes.length)) + 1;
  const fields = Array.from({ length: count }, (_, index) => `X-${index}: a\n`).join('');
  return Buffer.concat([bytes.subarray(0, at), Buffer.from(fields), bytes.subarray(at)]);
}
