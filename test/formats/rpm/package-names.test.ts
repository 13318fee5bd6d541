import { spawnSync } from 'node:child_process';
import test from 'ava';
import fc from 'fast-check';
import type { PackageForm } from '../../../src/core/package-names.ts';
import { rpmNames } from '../../../src/formats/rpm/package-names.ts';
import { parseQuery } from '../../../src/query/parse.ts';
import { formTest, settleAmong } from '../../../src/query/words.ts';
import { testWith } from '../../rig/skip.ts';

// dnf's own parser lies in the library it is built on, which the distribution's python knows.
const PYTHON = '/usr/bin/python3';
const hasHawkey = spawnSync(PYTHON, ['-c', 'import hawkey'], { stdio: 'ignore' }).status === 0;

/** Every form that each word has for dnf, in dnf's order. */
const PROGRAM = `
import hawkey, json, sys
FORMS = [hawkey.FORM_NEVRA, hawkey.FORM_NA, hawkey.FORM_NAME, hawkey.FORM_NEVR, hawkey.FORM_NEV]
def forms(word):
    return [[n.name, n.epoch, n.version, n.release, n.arch] for n in hawkey.Subject(word).get_nevra_possibilities(forms=FORMS)]
print(json.dumps([forms(word) for word in json.load(sys.stdin)]))
`;

const word = fc.oneof(
  fc.string({ unit: fc.constantFrom(...'ab1.-:~^_+*?[]/(= '), minLength: 1, maxLength: 14 }),
  fc
    .tuple(fc.constantFrom('a', 'a-b', 'a-1', 'a.b', 'A', '*', '-', ''), fc.constantFrom('', '-'), fc.constantFrom('', '0:', '12:', '007:', ':', 'x:'), fc.constantFrom('1', '1.0~rc1', '', '1*', '1:2'), fc.constantFrom('', '-1', '-1.el9', '-', '-1:1'), fc.constantFrom('', '.noarch', '.x86_64', '.', '.a-b', '.*'))
    .map((parts) => parts.join('')),
).filter((one) => one !== '');

testWith(hasHawkey, 'the distribution\'s python has no hawkey')('words are cut into names, versions and architectures where dnf cuts them', (t) => {
  const words = fc.sample(word, { numRuns: 5000, seed: 20261121 });
  const { stdout, status, stderr } = spawnSync(PYTHON, ['-c', PROGRAM], { input: JSON.stringify(words), encoding: 'utf8', maxBuffer: 64 * 1024 * 1024 });
  t.is(status, 0, stderr);
  const theirs = JSON.parse(stdout) as readonly (readonly (readonly [string, number | null, string | null, string | null, string | null])[])[];
  let cut = 0;
  for (const [at, text] of words.entries()) {
    const expected = (theirs[at] ?? []).map(([name, epoch, version, release, architecture]) => ({
      name,
      ...(epoch === null || epoch < 0 ? {} : { epoch: String(epoch) }),
      ...(version ? { version } : {}),
      ...(release ? { release } : {}),
      ...(architecture ? { architecture } : {}),
    }));
    const ours = rpmNames.forms(text).filter((form) => form['name'] !== undefined);
    t.deepEqual(ours.map(sorted), expected.map(sorted), JSON.stringify(text));
    cut += ours.length;
  }
  t.true(cut > 1500, `${cut}`);
});

function sorted(form: PackageForm): unknown {
  return Object.entries(form).toSorted(([a], [b]) => (a < b ? -1 : 1));
}

const token = (characters: string, minLength = 1): fc.Arbitrary<string> => fc.string({ unit: fc.constantFrom(...characters), minLength, maxLength: 6 });
const key = fc.record({
  name: token('abAB12.-+_').filter((name) => /^[A-Za-z]/.test(name)),
  version: fc.tuple(fc.constantFrom('', '1:', '12:'), token('ab12.~^+_'), token('ab12.~^+_')).map(([epoch, version, release]) => `${epoch}${version}-${release}`),
  architecture: fc.constantFrom('noarch', 'x86_64', 'src', 'i686'),
});

test('a package as it is written means itself, and no package of another name, version or architecture that is cut there', (t) => {
  fc.assert(
    fc.property(key, key, (one, other) => {
      const [exact, ...rest] = rpmNames.forms(rpmNames.write(one));
      const means = (candidate: typeof one): boolean => Object.entries(exact ?? { name: '' }).every(([part, wanted]) => rpmNames.part(candidate, part) === wanted);
      t.true(means(one));
      t.true(rest.length >= 1);
      t.is(means(other), rpmNames.write(other) === rpmNames.write(one) && one.name === other.name);
    }),
    { numRuns: 500 },
  );
});

test('no word is too long or too odd', (t) => {
  const there = { name: 'a', version: '1-1', architecture: 'noarch' };
  const long = [`${'a-'.repeat(300_000)}b.c`, `${'.'.repeat(500_000)}-`, `${'a-1:'.repeat(200_000)}1-1.x`, `${'*'.repeat(100_000)}-1.noarch`, `${'['.repeat(100_000)}-1`];
  for (const text of ['-', '--', '.', ':', '-:-.', 'a-:-b.c', '[', '*[', 'a-1:', 'constructor', '__proto__', 'toString', 'a-[1', ...long]) {
    const query = settleAmong(parseQuery(text), rpmNames, [there]);
    t.true(query.kind === 'package' || (query.kind === 'form' && !formTest(query.form, rpmNames)(there)), text.slice(0, 20));
    for (const form of rpmNames.forms(text)) t.false(Object.values(form).includes(''), text.slice(0, 20));
  }
});

test('fields are known whatever their spelling, and what is none is none', (t) => {
  for (const name of ['Summary', 'LICENSE', 'Requires', 'Buildtime', 'Installed-Size', 'Name', 'Supplements']) t.true(rpmNames.isField(name), name);
  for (const name of ['ImageMagick', 'Constructor', 'HasOwnProperty', '', 'Section']) t.false(rpmNames.isField(name), name);
});
