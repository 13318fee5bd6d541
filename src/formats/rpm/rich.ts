/**
 * Rich dependencies (rpm's boolean_dependencies): `(a or b)`, `(a if b else c)`, `(a with b)` … as needs that must all be
 * met, each by one of its alternatives. What must not be there is no need but a conflict, and not looked at.
 */
import type { Alternative, Requirement, VersionOperator } from '../../core/relation.ts';

type Rich =
  | { readonly kind: 'plain'; readonly alternative: Alternative }
  | { readonly kind: 'joined'; readonly operator: string; readonly parts: readonly Rich[] };

/** What no packager writes; the longest there are have some hundred characters. */
const LONGEST = 16 * 1024;

/** What cannot be read is a need of nothing, and so is what would be more needs than any package has. */
export function readRich(text: string): readonly Requirement[] {
  if (text.length > LONGEST) return [];
  const words = splitWords(text);
  const cursor = { words, at: 0 };
  const rich = parse(cursor, 0);
  if (rich === undefined || cursor.at !== words.length) return [];
  const needs = needsOf(rich).met;
  return needs === undefined ? [] : needs.filter((need) => need.some(({ absent }) => absent !== true));
}

/** Brackets of the language stand at the ends of words; those of a name, as in `libx.so()(64bit)`, within or balanced. */
function splitWords(text: string): string[] {
  return text.split(/\s+/).flatMap((word) => {
    const opening = /^\(*/.exec(word)?.[0].length ?? 0;
    const closing = closingBrackets(word.slice(opening));
    const rest = word.slice(opening, word.length - closing);
    return [...Array.from({ length: opening }, () => '('), ...(rest === '' ? [] : [rest]), ...Array.from({ length: closing }, () => ')')];
  });
}

/** How many at the end of a word have no opening one within it. */
function closingBrackets(word: string): number {
  const last = /\)*$/.exec(word)?.[0].length ?? 0;
  return Math.min(last, Math.max(0, count(word, ')') - count(word, '(')));
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
const COMPARISONS: ReadonlyMap<string, VersionOperator> = new Map([['<', '<<'], ['<=', '<='], ['=', '='], ['>=', '>='], ['>', '>>']]);

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
  const operator = COMPARISONS.get(cursor.words[cursor.at + 1] ?? '');
  const version = cursor.words[cursor.at + 2];
  cursor.at += operator === undefined ? 1 : 3;
  if (operator === undefined || version === undefined) return { kind: 'plain', alternative: { name } };
  return { kind: 'plain', alternative: { name, operator, version } };
}

/** More than this many needs of one dependency, or alternatives of one need, are not told apart. */
const MOST_NEEDS = 500;

type Needs = readonly Requirement[] | undefined;

/** In conjunctive normal form. Undefined when there is no meaning to it, or there are too many. */
interface Outcomes {
  /** The needs that make it true. */
  readonly met: Needs;
  /** Those that make it false. */
  readonly unmet: Needs;
}

/** Both at once: what stands behind `if` counts either way, and would be worked out anew at every depth. */
function needsOf(rich: Rich): Outcomes {
  if (rich.kind === 'plain') return { met: [[rich.alternative]], unmet: [[{ ...rich.alternative, absent: true }]] };
  if (ONE_PACKAGE.has(rich.operator)) return needsOfOne(rich);
  const parts = rich.parts.map(needsOf);
  const [first, second, third] = parts;
  if (first === undefined || second === undefined) return first ?? { met: undefined, unmet: undefined };
  switch (rich.operator) {
    case 'or':
      return anyOf(parts);
    case 'and':
      return allOf(parts);
    case 'if': {
      const then = anyOf([first, opposite(second)]);
      return third === undefined ? then : allOf([then, anyOf([third, second])]);
    }
    default: {
      const unless = allOf([first, opposite(second)]);
      return third === undefined ? unless : anyOf([unless, allOf([third, second])]);
    }
  }
}

function opposite({ met, unmet }: Outcomes): Outcomes {
  return { met: unmet, unmet: met };
}

function allOf(parts: readonly Outcomes[]): Outcomes {
  return { met: all(parts.map(({ met }) => met)), unmet: any(parts.map(({ unmet }) => unmet)) };
}

/** De Morgan. */
function anyOf(parts: readonly Outcomes[]): Outcomes {
  return opposite(allOf(parts.map(opposite)));
}

function all(needs: readonly Needs[]): Needs {
  return needs.includes(undefined) ? undefined : needs.flatMap((one) => one ?? []);
}

function any(needs: readonly Needs[]): Needs {
  return needs.reduce(either);
}

/** Needs of which one list must be met: each of the one with each of the other. */
function either(a: Needs, b: Needs): Needs {
  if (a === undefined || b === undefined || a.length * b.length > MOST_NEEDS) return undefined;
  return a.flatMap((one) => b.map((other) => [...one, ...other]));
}

/** Operators that speak of a single package. */
const ONE_PACKAGE = new Set(['with', 'without']);

function needsOfOne(rich: Rich): Outcomes {
  const alternatives = onePackage(rich);
  if (alternatives === undefined) return { met: undefined, unmet: undefined };
  return { met: [alternatives], unmet: alternatives.map((alternative) => [{ ...alternative, absent: true }]) };
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
      return rest.reduce<readonly Alternative[] | undefined>(together, first);
    case 'without':
      return first.map((one) => ({ ...one, without: [...(one.without ?? []), ...rest.flat()] }));
    default:
      return undefined;
  }
}

function together(found: readonly Alternative[] | undefined, also: readonly Alternative[]): readonly Alternative[] | undefined {
  if (found === undefined || found.length * also.length > MOST_NEEDS) return undefined;
  return found.flatMap((one) => also.map((other) => ({ ...one, with: [...(one.with ?? []), other] })));
}
