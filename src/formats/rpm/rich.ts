/**
 * Rich dependencies (rpm's boolean_dependencies): `(a or b)`, `(a and b)`, `(a if b else c)` … as needs of alternatives.
 * What holds only while something else is installed is met by the package itself: such needs are not followed, and not
 * missed either.
 */
import type { Alternative, Requirement, VersionOperator } from '../../core/relation.ts';

type Rich =
  | { readonly kind: 'plain'; readonly alternative: Alternative }
  | { readonly kind: 'joined'; readonly operator: string; readonly parts: readonly Rich[] };

/** `self`: the name of the package that has the need. What cannot be read is a need of nothing. */
export function readRich(text: string, self: string): readonly Requirement[] {
  const words = splitWords(text);
  const cursor = { words, at: 0 };
  const rich = parse(cursor, 0);
  return rich === undefined || cursor.at !== words.length ? [] : requirementsOf(rich, self);
}

/** Brackets of the language stand at the ends of words; those of a name, as in `libx.so()(64bit)`, within or balanced. */
function splitWords(text: string): string[] {
  return text.split(/\s+/).flatMap((word) => {
    const opening = /^\(*/.exec(word)?.[0].length ?? 0;
    let rest = word.slice(opening);
    let closing = 0;
    while (rest.endsWith(')') && count(rest, ')') > count(rest, '(')) {
      rest = rest.slice(0, -1);
      closing += 1;
    }
    return [...Array.from({ length: opening }, () => '('), ...(rest === '' ? [] : [rest]), ...Array.from({ length: closing }, () => ')')];
  });
}

function count(text: string, character: string): number {
  return text.split(character).length - 1;
}

interface Cursor {
  readonly words: readonly string[];
  at: number;
}

const DEEPEST = 32;
const OPERATORS = new Set(['and', 'or', 'if', 'else', 'with', 'without', 'unless']);
const COMPARISONS: Readonly<Record<string, VersionOperator>> = { '<': '<<', '<=': '<=', '=': '=', '>=': '>=', '>': '>>' };

function parse(cursor: Cursor, depth: number): Rich | undefined {
  if (cursor.words[cursor.at] !== '(') return parsePlain(cursor);
  if (depth > DEEPEST) return undefined;
  cursor.at += 1;
  const parts: Rich[] = [];
  let operator = '';
  for (;;) {
    const part = parse(cursor, depth + 1);
    if (part === undefined) return undefined;
    parts.push(part);
    const word = cursor.words[cursor.at];
    cursor.at += 1;
    if (word === ')') return { kind: 'joined', operator, parts };
    if (word === undefined || !OPERATORS.has(word)) return undefined;
    if (operator === '') operator = word;
  }
}

function parsePlain(cursor: Cursor): Rich | undefined {
  const name = cursor.words[cursor.at];
  if (name === undefined || name === ')') return undefined;
  const operator = COMPARISONS[cursor.words[cursor.at + 1] ?? ''];
  const version = cursor.words[cursor.at + 2];
  cursor.at += operator === undefined ? 1 : 3;
  if (operator === undefined || version === undefined) return { kind: 'plain', alternative: { name } };
  return { kind: 'plain', alternative: { name, operator, version } };
}

function requirementsOf(rich: Rich, self: string): readonly Requirement[] {
  if (rich.kind === 'plain') return [[rich.alternative]];
  const [first, second, third] = rich.parts.map((part) => requirementsOf(part, self));
  switch (rich.operator) {
    case 'or':
      return rich.parts.map((part) => requirementsOf(part, self)).reduce(either);
    case 'if':
      return either(first ?? [], third === undefined ? [[{ name: self }]] : third);
    case 'unless':
    case 'without':
      return first ?? [];
    case '':
      return [...(first ?? []), ...(second ?? [])];
    default:
      return rich.parts.flatMap((part) => requirementsOf(part, self));
  }
}

/** Needs of which one list must be met: each of the one with each of the other. */
function either(a: readonly Requirement[], b: readonly Requirement[]): readonly Requirement[] {
  return a.flatMap((one) => b.map((other) => [...one, ...other]));
}
