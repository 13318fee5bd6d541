import test from 'ava';
import { parseQuery } from '../../src/query/parse.ts';
import { withoutColumns } from './queries.ts';

test('words are told apart by their shape', (t) => {
  t.deepEqual(parseQuery('foo'), { kind: 'word', text: 'foo', column: 1 });
  t.deepEqual(parseQuery(' Section'), { kind: 'field', field: 'Section', column: 2 });
  t.deepEqual(parseQuery('$Source'), { kind: 'field', field: '$Source', column: 1 });
  t.deepEqual(parseQuery('"Foo"'), { kind: 'package', name: 'Foo', column: 1 });
  t.deepEqual(parseQuery('Foo_bar'), { kind: 'word', text: 'Foo_bar', column: 1 });
  for (const text of ['foo_1:1.0~rc1-1_amd64', 'foo-1:1.0^git~1-1.el9.x86_64', '*.noarch', 'foo[12]?']) {
    t.deepEqual(parseQuery(text), { kind: 'word', text, column: 1 });
  }
  t.deepEqual(parseQuery('"a_b_c"'), { kind: 'package', name: 'a_b_c', column: 1 });
});

test('conditions need no blanks, and every operator is read', (t) => {
  const operators = { '<<': '<<', '<': '<=', '<=': '<=', '=': '=', '': '=', '>=': '>=', '>': '>=', '>>': '>>', '%': 'glob', '~': 'regex' };
  for (const [written, operator] of Object.entries(operators)) {
    for (const text of [`foo(${written}1)`, `foo (${written} 1)`, `foo ( ${written}  "1" ) `]) {
      t.deepEqual(withoutColumns(parseQuery(text)), { kind: 'package', name: 'foo', condition: { operator, value: '1' } }, text);
    }
  }
});

test('values are quoted, or go to the next blank or bracket', (t) => {
  const value = (text: string): unknown => withoutColumns(parseQuery(`Name (${text})`));
  const expected = (value: string, operator = '='): unknown => ({ kind: 'field', field: 'Name', condition: { operator, value } });

  t.deepEqual(value('"a (b) \\"c\\" \\\\ \'d\'"'), expected('a (b) "c" \\ \'d\''));
  t.deepEqual(value("'a \\'b'"), expected("a 'b"));
  t.deepEqual(value("''"), expected(''));
  t.deepEqual(value('~ ^a|b{2},[!c]$'), expected('^a|b{2},[!c]$', 'regex'));
  t.deepEqual(value('% *[!a]?'), expected('*[!a]?', 'glob'));
});

test('"," binds closer than "|", "!" closest', (t) => {
  const named = (text: string): unknown => ({ kind: 'word', text });

  t.deepEqual(withoutColumns(parseQuery('a, !b | c, (d | e)')), {
    kind: 'any',
    parts: [
      { kind: 'all', parts: [named('a'), { kind: 'not', part: named('b') }] },
      { kind: 'all', parts: [named('c'), { kind: 'any', parts: [named('d'), named('e')] }] },
    ],
  });
  t.deepEqual(withoutColumns(parseQuery('!!a')), { kind: 'not', part: { kind: 'not', part: named('a') } });
  t.deepEqual(withoutColumns(parseQuery('a | (b | c)')), { kind: 'any', parts: [named('a'), named('b'), named('c')] });
});

test('an architecture may follow a package', (t) => {
  t.deepEqual(withoutColumns(parseQuery('foo (>= 1) {amd64}')), {
    kind: 'package',
    name: 'foo',
    condition: { operator: '>=', value: '1' },
    architecture: 'amd64',
  });
  t.deepEqual(withoutColumns(parseQuery('foo{source}')), { kind: 'package', name: 'foo', architecture: 'source' });
});

const WRONG: readonly (readonly [string, string])[] = [
  ['', 'Query, column 1: expected a package, a field, "!" or "(", found the end'],
  ['  ', 'Query, column 3: expected a package, a field, "!" or "(", found the end'],
  ['a,', 'Query, column 3: expected a package, a field, "!" or "(", found the end'],
  ['a | | b', 'Query, column 5: expected a package, a field, "!" or "(", found "|"'],
  ['a b', 'Query, column 3: expected "," or "|" or the end, found "b"'],
  ['a >= 1', 'Query, column 3: expected "," or "|" or the end, found ">="'],
  ['Version>=1', 'Query, column 8: expected "," or "|" or the end, found ">=1"'],
  ['a)', 'Query, column 2: expected "," or "|" or the end, found ")"'],
  ['(a', 'Query, column 3: expected ")", found the end'],
  ['a (>= 1', 'Query, column 8: expected ")", found the end'],
  ['a (>= )', 'Query, column 7: expected a value, found ")"'],
  ['Name (= a b)', 'Query, column 11: expected ")", found "b)"'],
  ['a {}', 'Query, column 4: expected an architecture, found "}"'],
  ['a {b', 'Query, column 5: expected "}", found the end'],
  ['Section {amd64}', 'Query, column 9: expected "," or "|" or the end, found "{amd64}"'],
  ['a, "b', 'Query, column 4: the quotation that begins here does not end'],
  ["''", 'Query, column 1: expected the name of a package, found an empty one'],
  ['$Foo', 'Query, column 1: expected one of $Architecture, $PackageType, $Source, $SourceVersion, $Version, found "$Foo"'],
  ['Size (>= big)', 'Query, column 5: expected a number for Size, found "big"'],
  ['Name (~ "a(b")', 'Query, column 9: "a(b" misses a ")"'],
  ['Name (% [a)', 'Query, column 9: "[a" misses a "]"'],
];

test('what cannot be read is refused with its column', (t) => {
  for (const [text, message] of WRONG) t.throws(() => parseQuery(text), { code: 'E_USAGE', message }, text);
});

test('no query is too deep or too long for the reader', (t) => {
  t.notThrows(() => parseQuery(`${'('.repeat(150)}a${')'.repeat(150)}`));
  t.throws(() => parseQuery(`${'('.repeat(100_000)}a`), { code: 'E_USAGE', message: /more than 200 brackets/ });
  t.throws(() => parseQuery(`${'!'.repeat(100_000)}a`), { code: 'E_USAGE' });
  t.throws(() => parseQuery('a'.repeat(2_000_000)), { code: 'E_USAGE', message: /longer than/ });
  const many = parseQuery(Array.from({ length: 50_000 }, (_, i) => `package-${i}`).join('|'));
  t.is(many.kind === 'any' && many.parts.length, 50_000);
});
