import { spawnSync } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import test from 'ava';
import fc from 'fast-check';
import { describeRequirement } from '../../src/query/describe.ts';
import { verifySnapshot } from '../../src/snapshot/verify.ts';
import { hasCommand, testWith } from '../rig/skip.ts';
import { tempDir } from '../rig/temp.ts';
import { freeze, stanza, testCatalog } from './catalog.ts';

const FOLLOW = { architectures: [] };

/** What dose says is missing: the package, and the need that nothing meets, without the architecture it adds to names and with `<<` for its `<`. */
function doseMissing(file: string): { readonly needs: Set<string>; readonly broken: Set<string> } {
  const { stdout } = spawnSync('dose-debcheck', ['--failures', '--explain', '--deb-native-arch=amd64', file], { encoding: 'utf8' });
  const needs = new Set<string>();
  for (const [, name, need] of stdout.matchAll(/missing:\n\s+pkg:\n\s+package: (\S+)\n(?:\s+(?:version|architecture|type|source|essential|multiarch): [^\n]*\n)*\s+unsat-dependency: ([^\n]*)/g)) {
    needs.add(`${name} needs ${plain((need ?? '').replace(/:amd64/g, '').replace(/\(([<>]) /g, '($1$1 '))}`);
  }
  const broken = new Set([...stdout.matchAll(/^ {2}package: (\S+)\n.*\n.*\n {2}status: broken/gm)].map(([, name]) => name ?? ''));
  return { needs, broken };
}

/** Each alternative once: dose repeats those that can be provided. */
function plain(need: string): string {
  return [...new Set(need.split(' | '))].join(' | ');
}

testWith(hasCommand('dose-debcheck'), 'needs dose-debcheck')('dose-debcheck finds the same needs unmet', async (t) => {
  await using dir = await tempDir();
  using catalog = testCatalog(dir);
  // Each package lives alone with what it may need, so that dose, which gives one reason a package, has but one to give.
  const shape = fc.record({
    need: fc.constantFrom('a', 'v', 'gone'),
    alternative: fc.constantFrom('', 'b', 'v', 'gone'),
    operator: fc.constantFrom('', '<<', '<=', '=', '>=', '>>'),
    wanted: fc.constantFrom('1', '1.5', '2~rc1', '2', '1:0'),
    has: fc.constantFrom('1', '1.5', '2~rc1', '2', '1:0'),
    provided: fc.constantFrom('', ' (= 1)', ' (= 1.5)'),
  });
  const text = fc
    .sample(shape, 400)
    .map(({ need, alternative, operator, wanted, has, provided }, n) => {
      const first = `w${n}-${need}${operator === '' ? '' : ` (${operator} ${wanted})`}`;
      return [
        stanza(`w${n}-root`, '1', { Depends: alternative === '' ? first : `${first} | w${n}-${alternative}` }),
        stanza(`w${n}-a`, has, { Provides: `w${n}-v${provided}` }),
        stanza(`w${n}-c`, '1', { 'Multi-Arch': 'foreign' }),
      ].join('');
    })
    .join('');
  await writeFile(dir.join('Packages'), text);

  const theirs = doseMissing(dir.join('Packages'));
  const missing = verifySnapshot(catalog, { snapshot: freeze(catalog, 's', text), sources: [], follow: FOLLOW });

  t.true(theirs.needs.size > 50);
  t.deepEqual(
    missing.map(({ subject, requirement }) => `${subject.name} needs ${plain(describeRequirement(requirement))}`).sort(),
    [...theirs.needs].sort(),
  );
  t.deepEqual(new Set(missing.map(({ subject }) => subject.name)), theirs.broken);
});

test('other snapshots may meet the needs, and are not checked themselves', async (t) => {
  await using dir = await tempDir();
  using catalog = testCatalog(dir);
  const snapshot = freeze(catalog, 's', stanza('a', '1', { Depends: 'b (>= 2), c' }));
  const helper = freeze(catalog, 'h', stanza('b', '2', { Depends: 'nothing-has-this' }));
  const check = (sources: readonly (typeof helper)[]): string[] =>
    verifySnapshot(catalog, { snapshot, sources, follow: FOLLOW }).map(({ requirement }) => describeRequirement(requirement));

  t.deepEqual(check([]), ['b (>= 2)', 'c']);
  t.deepEqual(check([helper]), ['c']);
});

test('0.5 a provider in the wrong version hides no provider in the right one', async (t) => {
  await using dir = await tempDir();
  using catalog = testCatalog(dir);
  const snapshot = freeze(
    catalog,
    's',
    [
      stanza('a', '1', { Depends: 'virt (>= 2)' }),
      stanza('p1', '9', { Provides: 'virt (= 1)' }),
      stanza('p2', '9', { Provides: 'virt (= 2)' }),
      stanza('z', '1', { Depends: 'bare (>= 1)' }),
      stanza('p3', '9', { Provides: 'bare' }),
    ].join(''),
  );

  const missing = verifySnapshot(catalog, { snapshot, sources: [], follow: FOLLOW });

  t.deepEqual(missing.map(({ subject, requirement }) => [subject.name, describeRequirement(requirement)]), [['z', 'bare (>= 1)']]);
});

test('a binary package without its source is told when sources are followed', async (t) => {
  await using dir = await tempDir();
  using catalog = testCatalog(dir);
  const snapshot = freeze(
    catalog,
    's',
    stanza('a', '1+b1', { Source: 'src (1)' }) + stanza('b', '1') + stanza('src', '1', { 'X-Index': 'source' }),
  );

  const missing = verifySnapshot(catalog, { snapshot, sources: [], follow: { sources: true, architectures: [] } });

  t.deepEqual(missing.map(({ subject, requirement }) => [subject.name, describeRequirement(requirement)]), [['b', 'b:source (= 1)']]);
});

test('with packages for all architectures alone it must be said whose needs count', async (t) => {
  await using dir = await tempDir();
  using catalog = testCatalog(dir);
  const snapshot = freeze(catalog, 's', stanza('a', '1', { Architecture: 'all', Depends: 'b' }));

  t.throws(() => verifySnapshot(catalog, { snapshot, sources: [], follow: FOLLOW }), { message: /no packages of a certain architecture/ });
  t.is(verifySnapshot(catalog, { snapshot, sources: [], follow: { architectures: ['arm64'] } })[0]?.architecture, 'arm64');
});
