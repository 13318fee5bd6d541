import test from 'ava';
import fc from 'fast-check';
import { formatQuery } from '../../src/query/format.ts';
import { parseQuery } from '../../src/query/parse.ts';
import { queries, withoutColumns } from './queries.ts';

test('a query reads back as it was written', (t) => {
  fc.assert(
    fc.property(queries, (query) => {
      t.deepEqual(withoutColumns(parseQuery(formatQuery(query))), withoutColumns(query));
    }),
    { numRuns: 500 },
  );
});

test('only the brackets and quotation marks that matter are written', (t) => {
  const canonical: readonly (readonly [string, string])[] = [
    ['((a|(b)))', 'a | b'],
    ['a,(b,c)', 'a, b, c'],
    ['a,(b|c)', 'a, (b | c)'],
    ['(a,b)|c', 'a, b | c'],
    ['!(a)', '!a'],
    ['! ( a , b )', '!(a, b)'],
    ['foo(>1)', 'foo (>= 1)'],
    ['"foo" (\'1.0\') { amd64 }', 'foo (= 1.0) {amd64}'],
    ["'Foo'", '"Foo"'],
    ['Name(%"lib* x")', 'Name (% "lib* x")'],
    ['foo_1.0_amd64', 'foo_1.0_amd64'],
    ["( 'foo' )|foo-1:1-1.x86_64", '"foo" | foo-1:1-1.x86_64'],
  ];
  for (const [written, expected] of canonical) t.is(formatQuery(parseQuery(written)), expected, written);
});
