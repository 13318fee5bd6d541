/**
 * Rich dependencies (rpm's boolean_dependencies): `(a or b)`, `(a if b else c)`, `(a with b)` … as needs that must all be
 * met, each by one of its alternatives. What must not be there is no need but a conflict, and not looked at.
 */
import type { Alternative, Requirement, VersionOperator } from '../../core/relation.ts';

type Rich =
  | { readonly kind: 'plain'; readonly alternative: Alternative }
  | { readonly kind: 'joined'; readonly operator: string; readonly parts: readonly Rich[] };

/** What cannot be read is a need of nothing, and so is what would be more needs than any package has. */
export function readRich(text: string): readonly Requirement[] {
  const words = splitWords(text);
  const cursor = { words, at: 0 };
  const rich = parse(cursor, 0);
  if (rich === undefined || cursor.at !== words.length) return [];
  const needs = needsOf(rich, true);
  return needs === undefined ? [] : needs.filter((need) => need.some(({ absent }) => absent !== true));
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
/** Those that may stand more than once between the same brackets. */
const CHAINED = new Set(['and', 'or', 'with']);
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
    const isElse = word === 'else' && parts.length === 2 && (operator === 'if' || operator === 'unless');
    if (operator === '' ? word === 'else' : !isElse && (word !== operator || !CHAINED.has(word))) return undefined;
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

/** More than this many needs of one dependency are not told apart. */
const MOST_NEEDS = 500;

type Needs = readonly Requirement[] | undefined;

/** The needs that make it true, or false: in conjunctive normal form. Undefined when it has no meaning, or too many. */
function needsOf(rich: Rich, wanted: boolean): Needs {
  if (rich.kind === 'plain') return [[wanted ? rich.alternative : { ...rich.alternative, absent: true }]];
  const [first, second, third] = rich.parts;
  if (first === undefined || second === undefined) return first === undefined ? undefined : needsOf(first, wanted);
  const all = (...needs: readonly Needs[]): Needs => (needs.includes(undefined) ? undefined : needs.flatMap((one) => one ?? []));
  const any = (...needs: readonly Needs[]): Needs => needs.reduce(either);
  const [is, isNot] = [(one: Rich): Needs => needsOf(one, wanted), (one: Rich): Needs => needsOf(one, !wanted)];
  // What is wanted to be false has the two exchanged (De Morgan).
  const [both, one] = wanted ? [all, any] : [any, all];
  switch (rich.operator) {
    case 'or':
      return one(...rich.parts.map(is));
    case 'and':
      return both(...rich.parts.map(is));
    case 'if':
      return third === undefined ? one(is(first), isNot(second)) : both(one(is(first), isNot(second)), one(is(third), is(second)));
    case 'unless':
      return third === undefined ? both(is(first), isNot(second)) : one(both(is(first), isNot(second)), both(is(third), is(second)));
    default: {
      const alternatives = onePackage(rich);
      if (alternatives === undefined) return undefined;
      return wanted ? [alternatives] : alternatives.map((alternative) => [{ ...alternative, absent: true }]);
    }
  }
}

/** Needs of which one list must be met: each of the one with each of the other. */
function either(a: Needs, b: Needs): Needs {
  if (a === undefined || b === undefined || a.length * b.length > MOST_NEEDS) return undefined;
  return a.flatMap((one) => b.map((other) => [...one, ...other]));
}

/** What a single package must be: within `with` and `without` other operators than these and `or` mean nothing. */
function onePackage(rich: Rich): readonly Alternative[] | undefined {
  if (rich.kind === 'plain') return [rich.alternative];
  const parts = rich.parts.map(onePackage);
  const [first, ...others] = parts;
  if (first === undefined || others.includes(undefined)) return undefined;
  const rest = others.map((part) => part ?? []);
  switch (rich.operator) {
    case '':
      return first;
    case 'or':
      return [first, ...rest].flat();
    case 'with':
      return rest.reduce((found, part) => found.flatMap((one) => part.map((also) => ({ ...one, with: [...(one.with ?? []), also] }))), first);
    case 'without':
      return first.map((one) => ({ ...one, without: [...(one.without ?? []), ...rest.flat()] }));
    default:
      return undefined;
  }
}
