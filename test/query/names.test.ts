import test from 'ava';
import fc from 'fast-check';
import { apt } from '../../src/formats/apt/index.ts';
import { matcher } from '../../src/query/match.ts';
import { exactNames } from '../../src/query/names.ts';
import { parseQuery } from '../../src/query/parse.ts';
import { settleAmong } from '../../src/query/words.ts';
import { packages } from './packages.ts';
import { queries } from './queries.ts';

function names(query: string, by?: 'name' | 'capability'): string[] | undefined {
  const found = exactNames(settleAmong(parseQuery(query), apt.names, []), by);
  return found === undefined ? undefined : [...found].sort();
}

test('names are pinned by equality only', (t) => {
  t.deepEqual(names('Name (= a)'), ['a']);
  t.deepEqual(names('a_1_all | Name (b)'), ['a', 'b']);
  t.deepEqual(names('Name (= a), Section (= x)'), ['a']);
  t.deepEqual(names('(Name (= a) | Name (= b)), !c_1_all'), ['a', 'b']);
  for (const open of ['a', '!Name (= a)', 'Name (% a)', 'Name (>= a)', 'Name', 'Name (= a) | b', 'Section (= a)']) {
    t.is(names(open), undefined, open);
  }
});

test('a dependency-like term pins the names packages answer to', (t) => {
  t.deepEqual(names('a (>= 1) | Name (= b)', 'capability'), ['a', 'b']);
  t.deepEqual(names('a, Section (= x)', 'capability'), ['a']);
  t.is(names('!a', 'capability'), undefined);
});

test('nothing that matches lies outside of the names', (t) => {
  const world = packages(
    ['a', 'b', 'c', 'libfoo', 'g++']
      .map((name, i, all) => `Package: ${name}\nSection: x\nProvides: ${all[(i + 1) % all.length]} (= 1)\n`)
      .join('\n'),
  );
  let narrowed = 0;
  fc.assert(
    fc.property(queries, (open) => {
      const query = settleAmong(open, apt.names, world);
      const own = exactNames(query);
      const answered = exactNames(query, 'capability');
      for (const subject of world.filter(matcher(query, apt))) {
        if (own !== undefined) narrowed += 1;
        t.true(own?.has(subject.name) ?? true);
        t.true(answered === undefined || subject.capabilities.some(({ name }) => answered.has(name)));
      }
    }),
    // Few queries that are made up by chance name what is there.
    { numRuns: 2000, examples: ['a', 'b | c', 'a, b', 'libfoo (>= 0)', 'a, !c'].map((text) => [parseQuery(text)]) },
  );
  t.true(narrowed > 0, 'some matches are of queries that name packages');
});
