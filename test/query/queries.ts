import fc from 'fast-check';
import type { Condition, Query } from '../../src/query/query.ts';

/** The query without the places of its terms. */
export function withoutColumns(query: Query): unknown {
  return JSON.parse(JSON.stringify(query, (key, value: unknown) => (key === 'column' ? undefined : value)));
}

const awkward = fc.string({ unit: fc.constantFrom(...'abA_-1.$!|,(){}"\'\\ =<~%*[]^é'), minLength: 1, maxLength: 8 });
const plain = fc.constantFrom('a', 'b', 'c', 'libfoo', 'g++', '1.0~rc1');
const comparison = fc.constantFrom('<<', '<=', '=', '>=', '>>') satisfies fc.Arbitrary<Condition['operator']>;

const condition: fc.Arbitrary<Condition> = fc.oneof(
  fc.record({ operator: comparison, value: fc.oneof(plain, awkward, fc.constant('')) }),
  fc.record({ operator: fc.constant('glob'), value: fc.constantFrom('*', 'a*', '[ab]?', 'lib*-dev (x)') }),
  fc.record({ operator: fc.constant('regex'), value: fc.constantFrom('', '^a', 'a|b', '(a b)+', '"x"', '~', '\\.') }),
);

function term<T extends object>(required: { [K in keyof T]: fc.Arbitrary<T[K]> }, optional: object = {}): fc.Arbitrary<T> {
  return fc
    .tuple(fc.record(required), fc.record(optional as Record<string, fc.Arbitrary<unknown>>, { requiredKeys: [] }))
    .map(([a, b]) => ({ ...a, ...b }) as T);
}

const leaf: fc.Arbitrary<Query> = fc.oneof(
  term<Query & { kind: 'package' }>(
    { kind: fc.constant('package'), name: fc.oneof(plain, awkward), column: fc.constant(1) },
    { condition, architecture: fc.oneof(fc.constantFrom('amd64', 'all'), awkward) },
  ),
  term<Query & { kind: 'field' }>(
    {
      kind: fc.constant('field'),
      field: fc.constantFrom('Name', 'Version', 'Section', '$Architecture', '$PackageType', '$SourceVersion', 'X-Y'),
      column: fc.constant(1),
    },
    { condition },
  ),
  term<Query & { kind: 'word' }>({
    kind: fc.constant('word'),
    text: fc.oneof(plain, fc.constantFrom('lib*', 'g?+', 'a_1_amd64', 'libfoo_1:2-3_all', 'a-1:2-3.x86_64', 'Foo_bar', '[', '-', '_')),
    column: fc.constant(1),
  }),
);

/** Queries as `parseQuery` makes them: lists of one kind never lie in each other. */
export const queries: fc.Arbitrary<Query> = fc.letrec<{ query: Query }>((tie) => ({
  query: fc.oneof(
    { maxDepth: 3, withCrossShrink: true },
    leaf,
    tie('query').map((part): Query => ({ kind: 'not', part })),
    fc.array(tie('query'), { minLength: 2, maxLength: 4 }).map((parts) => list('all', parts)),
    fc.array(tie('query'), { minLength: 2, maxLength: 4 }).map((parts) => list('any', parts)),
  ),
})).query;

function list(kind: 'all' | 'any', parts: readonly Query[]): Query {
  return { kind, parts: parts.flatMap((part) => (part.kind === kind ? part.parts : [part])) };
}
