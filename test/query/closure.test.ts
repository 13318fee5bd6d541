import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'ava';
import fc from 'fast-check';
import type { QuerySubject } from '../../src/core/relation.ts';
import { compareVersions } from '../../src/formats/apt/version.ts';
import type { ClosureOptions, Missing } from '../../src/query/closure.ts';
import { buildUniverse, closure, verify } from '../../src/query/closure.ts';
import { described, packages } from './packages.ts';

const OPTIONS: ClosureOptions = { follow: {}, architectures: ['amd64'], compareVersions };

/** The closure of all packages of a name, as `name version architecture`. */
function closed(world: readonly QuerySubject[], root: string, options: Partial<ClosureOptions> = {}): string[] {
  const roots = world.filter(({ name }) => name === root);
  return described(closure(buildUniverse(world), roots, { ...OPTIONS, ...options }).selected);
}

function missing(list: readonly Missing[]): string[] {
  return list.map(({ subject, architecture, requirement }) => {
    const needs = requirement.map(({ name, version }) => (version === undefined ? name : `${name} ${version}`));
    return `${subject.name} on ${architecture}: ${needs.join(' | ')}`;
  });
}

test('what is needed is followed to the end, circles included', (t) => {
  const world = packages(`Package: a
Depends: b, c (>= 1)

Package: b
Pre-Depends: d

Package: c
Depends: a

Package: d

Package: e
`);

  t.deepEqual(closed(world, 'a'), ['a 1 amd64', 'b 1 amd64', 'c 1 amd64', 'd 1 amd64']);
  t.deepEqual(closed(world, 'd'), ['d 1 amd64']);
});

test('Recommends and Suggests are followed when asked for', (t) => {
  const world = packages('Package: a\nRecommends: b\nSuggests: c\n\nPackage: b\n\nPackage: c\n');

  t.deepEqual(closed(world, 'a'), ['a 1 amd64']);
  t.deepEqual(closed(world, 'a', { follow: { recommends: true } }), ['a 1 amd64', 'b 1 amd64']);
  t.deepEqual(closed(world, 'a', { follow: { suggests: true } }), ['a 1 amd64', 'c 1 amd64']);
});

const MAIL = `Package: a
Depends: postfix | mail-transport-agent

Package: b
Depends: a, exim4

Package: exim4
Provides: mail-transport-agent

Package: postfix
Provides: mail-transport-agent
`;

test('the first alternative is taken, unless another one is selected already', (t) => {
  const world = packages(MAIL);

  t.deepEqual(closed(world, 'a'), ['a 1 amd64', 'postfix 1 amd64']);
  t.deepEqual(closed(world, 'b'), ['a 1 amd64', 'b 1 amd64', 'exim4 1 amd64']);
  t.deepEqual(closed(world.filter(({ name }) => name !== 'postfix'), 'a'), ['a 1 amd64', 'exim4 1 amd64']);
});

test('all variants take one package for each alternative', (t) => {
  const world = packages(`Package: a\nDepends: x | nowhere | y\n\nPackage: x\n\nPackage: y\nDepends: z\n\nPackage: z\n`);

  t.deepEqual(closed(world, 'a', { allVariants: true }), ['a 1 amd64', 'x 1 amd64', 'y 1 amd64', 'z 1 amd64']);
  t.deepEqual(closed(world, 'a'), ['a 1 amd64', 'x 1 amd64']);
});

test('a package of the name comes before providers, then the highest version, then the name', (t) => {
  const world = packages(`Package: need-virt
Depends: virt

Package: need-real
Depends: real

Package: pb
Provides: virt

Package: pa
Provides: virt

Package: pz
Version: 2
Provides: real

Package: real
Version: 1.9

Package: real
Version: 1.10
`);

  t.deepEqual(closed(world, 'need-virt'), ['need-virt 1 amd64', 'pa 1 amd64']);
  t.deepEqual(closed(world, 'need-real'), ['need-real 1 amd64', 'real 1.10 amd64']);
});

test('a versioned need is met by versions only', (t) => {
  const world = packages(`Package: a
Depends: virt (>= 2)

Package: b
Depends: virt (>= 2), virt

Package: p1
Provides: virt

Package: p2
Provides: virt (= 1)
`);
  const good = packages('Package: p3\nProvides: virt (= 2.1)\n');

  t.deepEqual(missing(verify(buildUniverse(world), world, OPTIONS)), ['a on amd64: virt 2', 'b on amd64: virt 2']);
  t.deepEqual(missing(verify(buildUniverse([...world, ...good]), world, OPTIONS)), []);
  t.deepEqual(closed([...world, ...good], 'b'), ['b 1 amd64', 'p3 1 amd64']);
});

test('what nobody offers is reported with who needs it, and the rest is still followed', (t) => {
  const world = packages('Package: a\nDepends: x | y (>> 1), b\n\nPackage: b\nDepends: z\n\nPackage: y\n');

  const result = closure(buildUniverse(world), world.slice(0, 1), OPTIONS);

  t.deepEqual(described(result.selected), ['a 1 amd64', 'b 1 amd64']);
  t.deepEqual(missing(result.missing), ['a on amd64: x | y 1', 'b on amd64: z']);
});

test('verify looks at the direct needs of the members only', (t) => {
  const world = packages('Package: a\nDepends: b\n\nPackage: b\nDepends: c\nRecommends: d\n');

  t.deepEqual(missing(verify(buildUniverse(world), world.slice(0, 1), OPTIONS)), []);
  t.deepEqual(missing(verify(buildUniverse(world), world, OPTIONS)), ['b on amd64: c']);
  t.deepEqual(missing(verify(buildUniverse(world), world, { ...OPTIONS, follow: { recommends: true } })), [
    'b on amd64: c',
    'b on amd64: d',
  ]);
});

const MULTI_ARCH = packages(`Package: app
Architecture: i386
Depends: lib, tool, interpreter:any, data

Package: lib
Architecture: amd64
Multi-Arch: same

Package: lib
Architecture: i386
Multi-Arch: same

Package: tool
Architecture: amd64
Multi-Arch: foreign

Package: interpreter
Architecture: amd64
Multi-Arch: allowed

Package: data
Architecture: all
Depends: lib

Package: strict
Architecture: i386
Depends: interpreter

Package: asks-any
Architecture: amd64
Depends: tool:any, lib:any

Package: asks-i386
Architecture: amd64
Depends: lib:i386
`);
const BOTH: Partial<ClosureOptions> = { architectures: ['amd64', 'i386'] };

test('other architectures are taken as Multi-Arch lets them', (t) => {
  t.deepEqual(closed(MULTI_ARCH, 'app', BOTH), [
    'app 1 i386',
    'data 1 all',
    'interpreter 1 amd64',
    'lib 1 amd64', // data is wanted on amd64 too
    'lib 1 i386',
    'tool 1 amd64',
  ]);
  t.deepEqual(closed(MULTI_ARCH, 'asks-i386', BOTH), ['asks-i386 1 amd64', 'lib 1 i386']);
  t.deepEqual(missing(verify(buildUniverse(MULTI_ARCH), MULTI_ARCH, { ...OPTIONS, ...BOTH })), [
    'asks-any on amd64: tool',
    'asks-any on amd64: lib',
    'strict on i386: interpreter',
  ]);
});

test('an architecture that is not wanted is not taken', (t) => {
  const world = MULTI_ARCH.filter(({ name }) => name === 'app' || name === 'tool' || name === 'interpreter');

  const { selected, missing: lacking } = closure(buildUniverse(world), world.slice(0, 1), {
    ...OPTIONS,
    architectures: ['i386'],
  });

  t.deepEqual(described(selected), ['app 1 i386']);
  t.is(lacking.length, 4);
});

test('the needs of architecture-independent packages are looked up everywhere', (t) => {
  const world = packages(`Package: a
Architecture: all
Depends: lib

Package: lib
Architecture: amd64
`);

  t.deepEqual(missing(verify(buildUniverse(world), world, { ...OPTIONS, ...BOTH })), ['a on i386: lib']);
});

test('build dependencies are those of the architecture; sources meet nothing', (t) => {
  const world = packages(`Package: app
X-Index: source
Build-Depends: gcc:native, lib-dev [i386], doc-tool <!nodoc>, app

Package: gcc
Architecture: amd64

Package: gcc
Architecture: i386

Package: lib-dev
Architecture: i386

Package: doc-tool
Architecture: all
`);
  const options = { ...OPTIONS, follow: { source: true } };

  t.deepEqual(closed(world, 'app', options), ['app 1 source', 'doc-tool 1 all', 'gcc 1 amd64']);
  t.deepEqual(closed(world, 'app', { ...options, architectures: ['i386'] }), [
    'app 1 source',
    'doc-tool 1 all',
    'gcc 1 i386',
    'lib-dev 1 i386',
  ]);
  t.deepEqual(missing(verify(buildUniverse(world), world, options)), ['app on amd64: app']);
});

test('packages of the installer and of the system do not meet each other’s needs', (t) => {
  const world = packages(`Package: a
Depends: tool

Package: tool
X-Index: debian-installer-amd64
Depends: lib

Package: lib
`);

  t.deepEqual(missing(verify(buildUniverse(world), world, OPTIONS)), ['a on amd64: tool', 'tool on amd64: lib']);
});

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

const installed = (tool: string): boolean => spawnSync(tool, ['--version']).error === undefined;
const doseTest = installed('dose-debcheck') ? test : test.skip;
const aptTest = installed('apt-cache') ? test : test.skip;

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
    const broken = new Set(verify(buildUniverse(world), world, OPTIONS).map(({ subject }) => subject));
    if (broken.size === 0) break;
    ours.push(...[...broken].map(({ name }) => name));
    world = world.filter((one) => !broken.has(one));
  }

  t.true(theirs.length > 50);
  t.deepEqual(ours.sort(), theirs);
});

aptTest('apt finds the same needs unmet, within and across architectures', (t) => {
  const shape = { architectures: ['amd64', 'i386'], multiArch: ['no', 'foreign', 'same', 'allowed'] };
  const worlds = stanzas(shape).map((world) =>
    // every other need asks for any architecture
    world.map((one) => ({ ...one, depends: one.depends.replace(/\b([a-f])\b(?=[^|]*(\||,|$))/, '$1:any') })),
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
  const theirs = [...stdout.matchAll(/^Package (\S+) version \S+ has an unmet dep/gm)].map(([, name]) => name ?? '');

  const world = packages(text);
  const unmet = verify(buildUniverse(world), world, { ...OPTIONS, ...BOTH });

  t.is(stderr, '');
  t.true(theirs.length > 100);
  t.deepEqual([...new Set(unmet.map(({ subject }) => subject.name))].sort(), [...new Set(theirs.map((name) => name.split(':')[0] ?? ''))].sort());
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

      const one = closure(buildUniverse(subjects), roots(subjects), options);
      const other = closure(buildUniverse(shuffled), roots(shuffled), options);

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
      const universe = buildUniverse(subjects);

      const result = closure(universe, subjects.slice(0, 2), OPTIONS);

      t.deepEqual(missing(verify(universe, result.selected, OPTIONS)), missing(result.missing));
      t.deepEqual(missing(verify(buildUniverse(result.selected), result.selected, OPTIONS)), missing(result.missing));
    }),
    { numRuns: 200 },
  );
});
