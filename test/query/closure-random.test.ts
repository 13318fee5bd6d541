import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'ava';
import fc from 'fast-check';
import type { QuerySubject } from '../../src/core/relation.ts';
import { compareVersions } from '../../src/formats/apt/version.ts';
import type { ClosureOptions } from '../../src/query/closure.ts';
import { closure, verify } from '../../src/query/closure.ts';
import { described, missing, packages, universeOf } from './packages.ts';
import { hasCommand, testWith } from '../rig/skip.ts';

const OPTIONS: ClosureOptions = { follow: {}, architectures: ['amd64'], compareVersions };
const BOTH: Partial<ClosureOptions> = { architectures: ['amd64', 'i386'] };

// Random worlds. One version a name: what a system can install is then just what can be had, for a tool that looks at
// whole systems as for us.

const NAMES = ['a', 'b', 'c', 'd', 'e', 'f'] as const;
const VIRTUALS = ['u', 'v', 'w'] as const;
const VERSIONS = ['1', '1.5', '2~rc1', '2', '1:0'] as const;

const relation = fc
  .tuple(
    fc.constantFrom(...NAMES, ...VIRTUALS, 'x'),
    fc.option(fc.tuple(fc.constantFrom('<<', '<=', '=', '>=', '>>'), fc.constantFrom(...VERSIONS)), { nil: undefined }),
  )
  .map(([name, wanted]) => (wanted === undefined ? name : `${name} (${wanted.join(' ')})`));
const relations = fc
  .array(fc.array(relation, { minLength: 1, maxLength: 3 }), { maxLength: 3 })
  .map((needs) => needs.map((one) => one.join(' | ')).join(', '));
const provides = fc
  .uniqueArray(fc.tuple(fc.constantFrom(...VIRTUALS), fc.option(fc.constantFrom(...VERSIONS), { nil: undefined })), {
    maxLength: 2,
    selector: ([name]) => name,
  })
  .map((all) => all.map(([name, version]) => (version === undefined ? name : `${name} (= ${version})`)).join(', '));

interface Stanza {
  readonly name: string;
  readonly version: string;
  readonly architecture: string;
  readonly multiArch: string;
  readonly depends: string;
  readonly provides: string;
}

function stanzas(shape: { readonly architectures: readonly string[]; readonly multiArch: readonly string[] }): fc.Arbitrary<Stanza[]> {
  return fc.uniqueArray(
    fc.record({
      name: fc.constantFrom(...NAMES),
      version: fc.constantFrom(...VERSIONS),
      architecture: fc.constantFrom(...shape.architectures),
      multiArch: fc.constantFrom(...shape.multiArch),
      depends: relations,
      provides,
    }),
    { maxLength: NAMES.length, minLength: 2, selector: ({ name }) => name },
  );
}

function write(world: readonly Stanza[], prefix = ''): string {
  return world
    .map((one) => ({ ...one, name: prefix + one.name }))
    .map(({ name, version, architecture, multiArch, ...relations }) => {
      const prefixed = (text: string): string => text.replace(/\b[a-fu-x]\b/g, (word) => prefix + word);
      const lines = [
        `Package: ${name}`,
        'Status: install ok installed',
        `Version: ${version}`,
        `Architecture: ${architecture}`,
        'Maintainer: Nobody <nobody@example.org>',
        ...(multiArch === 'no' ? [] : [`Multi-Arch: ${multiArch}`]),
        ...(relations.depends === '' ? [] : [`Depends: ${prefixed(relations.depends)}`]),
        ...(relations.provides === '' ? [] : [`Provides: ${prefixed(relations.provides)}`]),
        'Description: a package',
      ];
      return `${lines.join('\n')}\n`;
    })
    .join('\n');
}

/** Many small worlds in one file, kept apart by prefixes: one run of a slow tool answers for all. */
function manyWorlds(worlds: fc.Arbitrary<Stanza[]>, count: number): string {
  return fc
    .sample(worlds, count)
    .map((world, i) => write(world, `w${i}-`))
    .join('\n');
}

function inTemporaryFolder<T>(use: (folder: string) => T): T {
  const folder = mkdtempSync(join(tmpdir(), 'closure-'));
  try {
    return use(folder);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

const doseTest = testWith(hasCommand('dose-debcheck'), 'dose-debcheck is not installed');
const aptTest = testWith(hasCommand('apt-cache'), 'apt-cache is not installed');

doseTest('dose-debcheck finds the same packages uninstallable', (t) => {
  const text = manyWorlds(stanzas({ architectures: ['amd64', 'all'], multiArch: ['no', 'foreign', 'same'] }), 120);
  const { stdout } = inTemporaryFolder((folder) => {
    const file = join(folder, 'Packages');
    writeFileSync(file, text);
    return spawnSync('dose-debcheck', ['--failures', '--deb-native-arch=amd64', file], { encoding: 'utf8' });
  });
  const theirs = [...stdout.matchAll(/^ +package: (\S+)$/gm)].map(([, name]) => name ?? '').sort();

  // Nothing can be installed whose needs are not met, nor what needs that: taken away until all is well.
  let world = packages(text);
  const ours: string[] = [];
  for (;;) {
    const broken = new Set(verify(universeOf(world), world, OPTIONS).map(({ subject }) => subject));
    if (broken.size === 0) break;
    ours.push(...[...broken].map(({ name }) => name));
    world = world.filter((one) => !broken.has(one));
  }

  t.true(theirs.length > 50);
  t.deepEqual(ours.sort(), theirs);
});

aptTest('apt finds the same needs unmet, within and across architectures', (t) => {
  const shape = { architectures: ['amd64', 'i386'], multiArch: ['no', 'foreign', 'same', 'allowed'] };
  let count = 0;
  const worlds = stanzas(shape).map((world) =>
    // Every other name asks for any architecture.
    world.map((one) => ({
      ...one,
      depends: one.depends.replace(/\b[a-fu-w]\b/g, (name) => (count++ % 2 === 0 ? name : `${name}:any`)),
    })),
  );
  const text = manyWorlds(worlds, 150);
  const { stdout, stderr } = inTemporaryFolder((folder) => {
    writeFileSync(join(folder, 'status'), text);
    const settings = {
      Dir: folder,
      'Dir::State': folder,
      'Dir::State::status': join(folder, 'status'),
      'Dir::Cache': folder,
      'Dir::Etc::sourcelist': '/dev/null',
      'Dir::Etc::sourceparts': '/dev/null',
      'APT::Architecture': 'amd64',
    };
    const options = Object.entries(settings).flatMap(([name, value]) => ['-o', `${name}=${value}`]);
    const both = ['-o', 'APT::Architectures::=amd64', '-o', 'APT::Architectures::=i386'];
    return spawnSync('apt-cache', [...options, ...both, 'unmet'], { encoding: 'utf8', env: { ...process.env, LC_ALL: 'C' } });
  });
  const theirs = new Set(
    [...stdout.matchAll(/^Package ([^\s:]+)\S* version \S+ has an unmet dep/gm)].map(([, name]) => name ?? ''),
  );

  const world = packages(text);
  const unmet = verify(universeOf(world), world, { ...OPTIONS, ...BOTH });

  t.is(stderr, '');
  t.true(theirs.size > 100);
  t.deepEqual([...new Set(unmet.map(({ subject }) => subject.name))].sort(), [...theirs].sort());
});

test('the result does not depend on any order', (t) => {
  const shape = { architectures: ['amd64', 'i386', 'all'], multiArch: ['no', 'foreign', 'same', 'allowed'] };
  fc.assert(
    fc.property(stanzas(shape), fc.infiniteStream(fc.nat()), (world, random) => {
      const subjects = packages(write(world));
      const key = new Map(subjects.map((one) => [one, random.next().value ?? 0]));
      const shuffled = [...subjects].sort((a, b) => (key.get(a) ?? 0) - (key.get(b) ?? 0));
      const roots = (all: readonly QuerySubject[]): QuerySubject[] => all.filter(({ name }) => name < 'd');
      const options = { ...OPTIONS, ...BOTH };

      const one = closure(universeOf(subjects), roots(subjects), options);
      const other = closure(universeOf(shuffled), roots(shuffled), options);

      t.deepEqual(described(one.selected), described(other.selected));
      t.deepEqual(missing(one.missing), missing(other.missing));
    }),
    { numRuns: 200 },
  );
});

test('a closure is closed, and misses what verify says its members miss', (t) => {
  fc.assert(
    fc.property(stanzas({ architectures: ['amd64', 'all'], multiArch: ['no'] }), (world) => {
      const subjects = packages(write(world));
      const universe = universeOf(subjects);

      const result = closure(universe, subjects.slice(0, 2), OPTIONS);

      t.deepEqual(missing(verify(universe, result.selected, OPTIONS)), missing(result.missing));
      t.deepEqual(missing(verify(universeOf(result.selected), result.selected, OPTIONS)), missing(result.missing));
    }),
    { numRuns: 200 },
  );
});
