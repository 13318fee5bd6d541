import { ArtifactsError } from '../core/errors.ts';
import { compileGlob, compileRegex } from './pattern.ts';
import type { Condition, FieldTerm, PackageTerm, Query } from './query.ts';
import { fieldType, SPECIAL_FIELDS } from './query.ts';

/**
 * Reads a query (grammar in query.ts). Throws E_USAGE, with the column, for what cannot be read, for a pattern that is
 * none or too big, and for a size compared with something that is no number.
 */
export function parseQuery(text: string): Query {
  if (text.length > MAX_LENGTH) {
    throw new ArtifactsError('E_USAGE', `Query: longer than ${MAX_LENGTH} characters`);
  }
  const cursor: Cursor = { text, at: 0, depth: 0 };
  const query = parseAny(cursor);
  if (peek(cursor) !== '') {
    throw expected(cursor, '"," or "|" or the end', 'Conditions stand in brackets: name (>= 1.0).');
  }
  return query;
}

const MAX_LENGTH = 1024 * 1024;

/** Brackets and exclamation marks within each other: more than anybody writes, less than fills the stack. */
const MAX_DEPTH = 200;

interface Cursor {
  readonly text: string;
  at: number;
  depth: number;
}

function parseAny(cursor: Cursor): Query {
  return parseList(cursor, { kind: 'any', separator: '|', parsePart: parseAll });
}

function parseAll(cursor: Cursor): Query {
  return parseList(cursor, { kind: 'all', separator: ',', parsePart: parseTerm });
}

interface ListSyntax {
  readonly kind: 'any' | 'all';
  readonly separator: string;
  readonly parsePart: (cursor: Cursor) => Query;
}

function parseList(cursor: Cursor, { kind, separator, parsePart }: ListSyntax): Query {
  const parts: Query[] = [];
  const add = (part: Query): void => {
    if (part.kind !== kind) parts.push(part);
    else for (const inner of part.parts) parts.push(inner);
  };
  const first = parsePart(cursor);
  add(first);
  while (skip(cursor, separator)) add(parsePart(cursor));
  return parts.length === 1 ? first : { kind, parts };
}

function parseTerm(cursor: Cursor): Query {
  const next = peek(cursor);
  if (next !== '!' && next !== '(') return parseLeaf(cursor);
  if (++cursor.depth > MAX_DEPTH) throw failure(cursor.at, `more than ${MAX_DEPTH} brackets within each other`);
  cursor.at++;
  const inner = next === '!' ? parseTerm(cursor) : parseAny(cursor);
  if (next === '(' && !skip(cursor, ')')) throw expected(cursor, '")"');
  cursor.depth--;
  return next === '!' ? { kind: 'not', part: inner } : inner;
}

function parseLeaf(cursor: Cursor): Query {
  const next = peek(cursor);
  const column = cursor.at + 1;
  if (next === '"' || next === "'") return parsePackage(cursor, readQuoted(cursor), column);
  const word = readWord(cursor, NAME_END);
  if (word === '') throw expected(cursor, 'a package, a field, "!" or "("');
  if (word.startsWith('$') || /^[A-Z][^_]*$/.test(word)) return parseField(cursor, word, column);
  const isQualified = ['(', '{'].includes(peek(cursor));
  return isQualified ? parsePackage(cursor, word, column) : { kind: 'word', text: word, column };
}

function parsePackage(cursor: Cursor, name: string, column: number): PackageTerm {
  if (name === '') throw failure(column - 1, 'expected the name of a package, found an empty one');
  const condition = parseCondition(cursor);
  const architecture = parseArchitecture(cursor);
  return {
    kind: 'package',
    name,
    ...(condition === undefined ? {} : { condition }),
    ...(architecture === undefined ? {} : { architecture }),
    column,
  };
}

function parseArchitecture(cursor: Cursor): string | undefined {
  if (!skip(cursor, '{')) return undefined;
  const value = readValue(cursor, ARCHITECTURE_END);
  if (value === '') throw expected(cursor, 'an architecture');
  if (!skip(cursor, '}')) throw expected(cursor, '"}"');
  return value;
}

function parseField(cursor: Cursor, field: string, column: number): FieldTerm {
  if (field.startsWith('$') && !SPECIAL_FIELDS.some((special) => special === field)) {
    throw failure(column - 1, `expected one of ${SPECIAL_FIELDS.join(', ')}, found "${excerpt(field)}"`);
  }
  const valueAt = cursor.at;
  const condition = parseCondition(cursor);
  if (condition === undefined) return { kind: 'field', field, column };
  const compared = condition.operator !== 'glob' && condition.operator !== 'regex';
  if (compared && fieldType(field) === 'number' && !/^\d+$/.test(condition.value)) {
    throw failure(valueAt, `expected a number for ${field}, found "${excerpt(condition.value)}"`);
  }
  return { kind: 'field', field, condition, column };
}

function parseCondition(cursor: Cursor): Condition | undefined {
  if (!skip(cursor, '(')) return undefined;
  const operator = readOperator(cursor);
  peek(cursor);
  const valueAt = cursor.at;
  const value = readValue(cursor, VALUE_END);
  if (value === '' && cursor.at === valueAt) throw expected(cursor, 'a value');
  if (!skip(cursor, ')')) throw expected(cursor, '")"', 'Put values with blanks or round brackets in quotation marks.');
  checkPattern({ operator, value }, valueAt);
  return { operator, value };
}

/** A pattern that is none is better reported now than when it first meets a package. */
function checkPattern({ operator, value }: Condition, at: number): void {
  const result = operator === 'glob' ? compileGlob(value) : operator === 'regex' ? compileRegex(value) : undefined;
  if (result !== undefined && !result.ok) throw failure(at, `"${excerpt(value)}" ${result.reason}`);
}

const OPERATOR = /<<|<=|<|>>|>=|>|=|%|~/y;

const MEANING: Readonly<Record<string, Condition['operator']>> = {
  '<': '<=', // as in relations: "<" was once written for "<=" (Debian Policy 7.1)
  '>': '>=',
  '%': 'glob',
  '~': 'regex',
  '<<': '<<',
  '<=': '<=',
  '=': '=',
  '>=': '>=',
  '>>': '>>',
};

function readOperator(cursor: Cursor): Condition['operator'] {
  peek(cursor);
  OPERATOR.lastIndex = cursor.at;
  const written = OPERATOR.exec(cursor.text)?.[0] ?? '';
  cursor.at += written.length;
  return MEANING[written] ?? '=';
}

// A condition ends at its bracket, so a value may hold what separates terms elsewhere: "Name (~ ^(a|b)$)" needs its
// quotation marks for the brackets only.
const NAME_END = /[\s()|,!{}"'<>=%]/g;
const VALUE_END = /[\s()]/g;
const ARCHITECTURE_END = /[\s(){}]/g;

function readValue(cursor: Cursor, end: RegExp): string {
  const next = peek(cursor);
  return next === '"' || next === "'" ? readQuoted(cursor) : readWord(cursor, end);
}

function readWord(cursor: Cursor, end: RegExp): string {
  end.lastIndex = cursor.at;
  const stop = end.exec(cursor.text)?.index ?? cursor.text.length;
  const word = cursor.text.slice(cursor.at, stop);
  cursor.at = stop;
  return word;
}

function readQuoted(cursor: Cursor): string {
  const { text, at: opening } = cursor;
  const mark = text[opening];
  let value = '';
  for (let at = opening + 1; at < text.length; at++) {
    if (text[at] === mark) {
      cursor.at = at + 1;
      return value;
    }
    if (text[at] === '\\') at++;
    value += text[at] ?? '';
  }
  throw failure(opening, 'the quotation that begins here does not end');
}

/** The next character that is no white space; '' at the end. The cursor then stands at it. */
function peek(cursor: Cursor): string {
  while (/\s/.test(cursor.text[cursor.at] ?? '')) cursor.at++;
  return cursor.text[cursor.at] ?? '';
}

function skip(cursor: Cursor, character: string): boolean {
  if (peek(cursor) !== character) return false;
  cursor.at++;
  return true;
}

function expected(cursor: Cursor, what: string, hint?: string): ArtifactsError {
  const next = peek(cursor);
  const found = next === '' ? 'the end' : `"${excerpt(cursor.text.slice(cursor.at).split(/\s/, 1)[0] ?? '')}"`;
  return failure(cursor.at, `expected ${what}, found ${found}`, hint);
}

function failure(at: number, what: string, hint?: string): ArtifactsError {
  return new ArtifactsError('E_USAGE', `Query, column ${at + 1}: ${what}`, hint === undefined ? {} : { hint });
}

function excerpt(text: string): string {
  return text.length > 40 ? `${text.slice(0, 40)}…` : text;
}
