import test from 'ava';
import fc from 'fast-check';
import { compileGlob, compileRegex } from '../../src/query/pattern.ts';

function regex(pattern: string): (text: string) => boolean {
  const compiled = compileRegex(pattern);
  return compiled.ok ? compiled.test : () => { throw new Error(compiled.reason); };
}

function glob(pattern: string): (text: string) => boolean {
  const compiled = compileGlob(pattern);
  return compiled.ok ? compiled.test : () => { throw new Error(compiled.reason); };
}

const atom = fc.constantFrom('a', 'b', 'c', '.', '[ab]', '[^a]', '[a-b-]', '[]c]', '\\d', '\\W', '\\.', '^', '$', '-', '{', 'é');
const expressions = fc.letrec<{ expression: string }>((tie) => ({
  expression: fc.oneof(
    { maxDepth: 4, withCrossShrink: true },
    atom,
    fc.array(tie('expression'), { maxLength: 3 }).map((parts) => parts.join('')),
    fc.array(tie('expression'), { minLength: 1, maxLength: 3 }).map((parts) => `(${parts.join('|')})`),
    fc
      .tuple(tie('expression'), fc.constantFrom('*', '+', '?', '*?', '{2}', '{1,}', '{0,2}'))
      .map(([part, repeat]) => `(?:${part})${repeat}`),
  ),
})).expression;
const texts = fc.string({ unit: fc.constantFrom('a', 'b', 'c', '-', '.', '1', '\n', 'é', ' ', '{'), maxLength: 8 });

test('regular expressions match what JavaScript’s match', (t) => {
  fc.assert(
    fc.property(expressions, fc.array(texts, { minLength: 1, maxLength: 4 }), (expression, samples) => {
      // "[]c]" is "]" or "c" here, as in Go and POSIX, and must be escaped for JavaScript; a lone "{" too.
      const theirs = new RegExp(expression.replaceAll('[]c]', '[\\]c]').replace(/\{(?!\d)/g, '\\{'), 'u');
      const ours = regex(expression);
      for (const sample of samples) t.is(ours(sample), theirs.test(sample), `${expression} in ${JSON.stringify(sample)}`);
    }),
    { numRuns: 1000 },
  );
});

test('(?i) makes upper and lower case equal', (t) => {
  t.true(regex('(?i)^gnu É[x-z]$')('GNU éY'));
  t.false(regex('(?i)[^a]')('A'));
  t.false(regex('gnu')('GNU'));
});

test('a character is a code point', (t) => {
  t.true(regex('^.$')('😀'));
  t.true(glob('?')('😀'));
  t.true(regex('[😀-😂]')('x😁'));
});

test('globs match whole values', (t) => {
  const cases: readonly (readonly [string, string, boolean])[] = [
    ['lib*-dev', 'libfoo-dev', true],
    ['lib*-dev', 'libfoo-dev2', false],
    ['lib*', 'alib', false],
    ['*', '', true],
    ['*', 'a/b\nc', true],
    ['?', '', false],
    ['a?c', 'abc', true],
    ['[a-c]x', 'bx', true],
    ['[^a-c]x', 'bx', false],
    ['[!a-c]x', 'dx', true],
    ['a\\*', 'a*', true],
    ['a\\*', 'ab', false],
    ['a.c', 'abc', false],
    ['a+(b|c)', 'a+(b|c)', true],
    ['', '', true],
    ['', 'a', false],
    ['*a*b*c*', 'xxaxxbxxcxx', true],
    ['*a*b*c*', 'xxaxxcxxbxx', false],
  ];
  for (const [pattern, text, expected] of cases) t.is(glob(pattern)(text), expected, `${pattern} for ${text}`);
});

test('what is no pattern is refused with a reason', (t) => {
  for (const wrong of ['(', ')', 'a)', '[a', '[z-a]', '*', 'a**', 'a{3,2}', 'a{1001}', '\\', '\\b', '\\1', '(?=a)', '(?<n>a)', '[[:alpha:]]']) {
    const compiled = compileRegex(wrong);
    t.false(compiled.ok, wrong);
    t.true(!compiled.ok && compiled.reason.length > 5);
  }
  for (const wrong of ['[', '[a', 'a\\', '[]']) t.false(compileGlob(wrong).ok, wrong);
  t.deepEqual(compileRegex('(a{1000}){1000}'), { ok: false, reason: 'is too big' });
  t.false(compileRegex('('.repeat(100_000)).ok);
});

test('no pattern takes longer than its text is long', (t) => {
  const long = `${'a'.repeat(100_000)}!`;
  const begin = performance.now();

  for (const evil of ['^(a+)+$', '^(a|a)*$', '^(a|aa)+$', '(a*)*b', 'a*a*a*a*a*a*b', '(.*)(.*)(.*)(.*)x$', '((()*)*)*b', '((((){1000}){1000}){1000}){1000}b']) {
    t.false(regex(evil)(long), evil);
  }
  t.false(glob('*a*a*a*a*a*a*b')(long));
  t.false(regex('(a|b|c)*a(a|b|c){12}$')(`${'abc'.repeat(3000)}d`));

  t.true(performance.now() - begin < 3000);
});
