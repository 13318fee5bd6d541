import { spawnSync } from 'node:child_process';
import test from 'ava';
import fc from 'fast-check';
import { checkVersion, compareVersions } from '../../../src/formats/apt/version.ts';
import { holds } from '../../../src/query/operator.ts';

/** dpkg's own answer for each pair: one shell, one dpkg a pair and relation. */
function askDpkg(pairs: readonly (readonly [string, string])[]): number[] {
  const script = `while IFS=' ' read -r a b; do
    if dpkg --compare-versions "$a" lt "$b" 2>/dev/null; then echo -1
    elif dpkg --compare-versions "$a" eq "$b" 2>/dev/null; then echo 0
    else echo 1; fi; done`;
  const input = pairs.map(([a, b]) => `${a} ${b}\n`).join('');
  const { stdout } = spawnSync('sh', ['-c', script], { input, encoding: 'utf8' });
  return stdout.trim().split('\n').map(Number);
}

const ORDERED: readonly (readonly [string, -1 | 0 | 1, string])[] = [
  ['1.0', 0, '1.0'],
  ['1.0', 0, '0:1.0'],
  ['1.0', 0, '1.0-0'],
  ['1.0-0', 0, '1.0-00'],
  ['1.0', 0, '1.00'],
  ['1.0', -1, '1.0-1'],
  ['1.0~rc1', -1, '1.0'],
  ['1.0~~', -1, '1.0~'],
  ['1.0~~a', -1, '1.0~'],
  ['1.0', -1, '1.0a'],
  ['1.0a', -1, '1.0+'],
  ['1.0Z', -1, '1.0a'],
  ['1.0+b1', 1, '1.0'],
  ['9', -1, '10'],
  ['1:0.1', 1, '9.9'],
  ['00:1', 0, '1'],
  ['2:1', -1, '10:1'],
  ['1:1:2-3', 1, '1:1-9'],
  ['4.3.5a', -1, '4.3.5-rc1-1'], // the revision is what follows the last hyphen
  ['1-2-1', 1, '1-2.5'],
  ['100000000000000000000', 1, '99999999999999999999'],
  ['1.100000000000000000000', 1, '1.99999999999999999999'],
  ['20230101000000000000000001', 1, '20230101000000000000000000'],
  ['1.2-1~bpo12+1', -1, '1.2-1'],
];

test('versions are ordered as deb-version(7) says', (t) => {
  for (const [a, order, b] of ORDERED) {
    t.is(compareVersions(a, b), order, `${a} to ${b}`);
    t.is(compareVersions(b, a), order === 0 ? 0 : order === 1 ? -1 : 1, `${b} to ${a}`);
  }
});

test('dpkg agrees with the table', (t) => {
  t.deepEqual(
    askDpkg(ORDERED.map(([a, , b]) => [a, b])),
    ORDERED.map(([, order]) => order),
  );
});

const part = fc.string({ unit: fc.constantFrom(...'0129aAzZ.+~'), minLength: 1, maxLength: 5 });
const upstream = fc.tuple(fc.constantFrom('0', '1', '10', '09'), part).map((parts) => parts.join(''));
const version = fc
  .record({
    epoch: fc.option(fc.constantFrom('0', '1', '01', '2'), { nil: undefined, freq: 3 }),
    upstream,
    middle: fc.option(part, { nil: undefined, freq: 3 }),
    revision: fc.option(part, { nil: undefined }),
  })
  .map((v) => {
    const tail = v.revision === undefined ? '' : `${v.middle === undefined ? '' : `-${v.middle}`}-${v.revision}`;
    return `${v.epoch === undefined ? '' : `${v.epoch}:`}${v.upstream}${tail}`;
  });

/** Two versions that have much in common: independent ones differ in their first character and prove little. */
const pair = fc.tuple(version, version, fc.nat(), fc.boolean()).map(([a, b, cut, near]): [string, string] => {
  const mixed = a.slice(0, cut % (a.length + 1)) + b.slice(b.length - (cut % 3));
  return [a, near && checkVersion(mixed) === undefined ? mixed : b];
});

test('dpkg agrees on random pairs', (t) => {
  const pairs = fc.sample(pair, 300);

  const answers = askDpkg(pairs);

  for (const [i, [a, b]] of pairs.entries()) t.is<number, number>(compareVersions(a, b), Number(answers[i]), `${a} to ${b}`);
});

test('the order is total', (t) => {
  t.notThrows(() =>
    fc.assert(
      fc.property(version, version, version, (a, b, c) => {
        const ab = compareVersions(a, b);
        if (ab + compareVersions(b, a) !== 0) return false;
        return !(ab <= 0 && compareVersions(b, c) <= 0) || compareVersions(a, c) <= 0;
      }),
      { numRuns: 2000 },
    ),
  );
});

test('operators mean what Policy 7.1 says', (t) => {
  const satisfies = (operator: Parameters<typeof holds>[0], candidate: string, wanted: string): boolean =>
    holds(operator, compareVersions(candidate, wanted));

  t.true(satisfies('<<', '1', '2'));
  t.false(satisfies('<<', '1', '1'));
  t.true(satisfies('<=', '1', '1'));
  t.false(satisfies('<=', '2', '1'));
  t.true(satisfies('=', '1', '0:1-0'));
  t.false(satisfies('=', '1', '1-1'));
  t.true(satisfies('>=', '1', '1'));
  t.false(satisfies('>=', '1', '2'));
  t.true(satisfies('>>', '2', '1'));
  t.false(satisfies('>>', '1', '1'));
});

test('a version is accepted exactly when dpkg accepts it', (t) => {
  const good = ['1', '1.0-1', '1:1.0', '1:2:3-1', '1-2-3', '0~', '1.0+dfsg~1-1ubuntu0.1', '2147483647:1'];
  const bad = ['', ':1', 'a:1', '-1:1', '1:', '1-', '-1', 'v1', '1_2', '1-1_2', '1 2', '1/2', '1:-1', '2147483648:1', '1é'];
  for (const text of good) t.is(checkVersion(text), undefined, text);
  for (const text of bad) t.is(typeof checkVersion(text), 'string', text);
  // dpkg says what it minds on standard error, and compares all the same.
  for (const text of [...good, ...bad.filter((one) => one !== '')]) {
    const { stderr } = spawnSync('dpkg', ['--compare-versions', text, 'ge', '1'], { encoding: 'utf8' });
    t.is(stderr === '', checkVersion(text) === undefined, `${text}: ${stderr}`);
  }
});
