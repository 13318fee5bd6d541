import test from 'ava';
import type { QuerySubject } from '../../src/core/relation.ts';
import { compareVersions } from '../../src/formats/apt/version.ts';
import type { ClosureOptions } from '../../src/query/closure.ts';
import { closure, verify } from '../../src/query/closure.ts';
import { described, missing, packages, universeOf } from './packages.ts';

const OPTIONS: ClosureOptions = { follow: {}, architectures: ['amd64'], compareVersions };

/** The closure of all packages of a name, as `name version architecture`. */
function closed(world: readonly QuerySubject[], root: string, options: Partial<ClosureOptions> = {}): string[] {
  const roots = world.filter(({ name }) => name === root);
  return described(closure(universeOf(world), roots, { ...OPTIONS, ...options }).selected);
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

  t.deepEqual(missing(verify(universeOf(world), world, OPTIONS)), ['a on amd64: virt 2', 'b on amd64: virt 2']);
  t.deepEqual(missing(verify(universeOf([...world, ...good]), world, OPTIONS)), []);
  t.deepEqual(closed([...world, ...good], 'b'), ['b 1 amd64', 'p3 1 amd64']);
});

test('what nobody offers is reported with who needs it, and the rest is still followed', (t) => {
  const world = packages('Package: a\nDepends: x | y (>> 1), b\n\nPackage: b\nDepends: z\n\nPackage: y\n');

  const result = closure(universeOf(world), world.slice(0, 1), OPTIONS);

  t.deepEqual(described(result.selected), ['a 1 amd64', 'b 1 amd64']);
  t.deepEqual(missing(result.missing), ['a on amd64: x | y 1', 'b on amd64: z']);
});

test('verify looks at the direct needs of the members only', (t) => {
  const world = packages('Package: a\nDepends: b\n\nPackage: b\nDepends: c\nRecommends: d\n');

  t.deepEqual(missing(verify(universeOf(world), world.slice(0, 1), OPTIONS)), []);
  t.deepEqual(missing(verify(universeOf(world), world, OPTIONS)), ['b on amd64: c']);
  t.deepEqual(missing(verify(universeOf(world), world, { ...OPTIONS, follow: { recommends: true } })), [
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
  t.deepEqual(missing(verify(universeOf(MULTI_ARCH), MULTI_ARCH, { ...OPTIONS, ...BOTH })), [
    'asks-any on amd64: tool',
    'asks-any on amd64: lib',
    'strict on i386: interpreter',
  ]);
});

test('an architecture that is not wanted is not taken', (t) => {
  const world = MULTI_ARCH.filter(({ name }) => name === 'app' || name === 'tool' || name === 'interpreter');

  const { selected, missing: lacking } = closure(universeOf(world), world.slice(0, 1), {
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

  t.deepEqual(missing(verify(universeOf(world), world, { ...OPTIONS, ...BOTH })), ['a on i386: lib']);
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
  t.deepEqual(missing(verify(universeOf(world), world, options)), ['app on amd64: app']);
});

test('packages of the installer and of the system do not meet each other’s needs', (t) => {
  const world = packages(`Package: a
Depends: tool

Package: tool
X-Index: debian-installer-amd64
Depends: lib

Package: lib
`);

  t.deepEqual(missing(verify(universeOf(world), world, OPTIONS)), ['a on amd64: tool', 'tool on amd64: lib']);
});

test('companions come with what is new, not with what was there, and not twice', (t) => {
  const world = packages('Package: a\n\nPackage: b\n\nPackage: c\nVersion: 1\n\nPackage: c\nVersion: 2\n\nPackage: d\n').map((subject) => withReasons(subject, { c: [['a']], d: [['b'], ['c', 'b']] }[subject.name] ?? []));
  const [a, b] = world.filter(({ name }) => name === 'a' || name === 'b');
  const names = (roots: readonly (QuerySubject | undefined)[], options: Partial<ClosureOptions> = {}): string[] =>
    described(closure(universeOf(world), roots.flatMap((root) => root ?? []), { ...OPTIONS, follow: { recommends: true }, ...options }).selected);

  t.deepEqual(names([a]), ['a 1 amd64', 'c 2 amd64']);
  t.deepEqual(names([a, b]), ['a 1 amd64', 'b 1 amd64', 'c 2 amd64', 'd 1 amd64']);
  t.deepEqual(names([a], { present: universeOf(packages('Package: b\n')) }), ['a 1 amd64', 'c 2 amd64', 'd 1 amd64'], 'd comes with c, for b is there');
  t.deepEqual(names([a], { present: universeOf(packages('Package: c\n')) }), ['a 1 amd64'], 'c is there already');
  t.deepEqual(names([a], { follow: {} }), ['a 1 amd64']);
});

/** The subject as it is, wanting to be there with these names. */
function withReasons(subject: QuerySubject, reasons: readonly (readonly string[])[]): QuerySubject {
  return Object.assign(subject, { companions: () => reasons.map((names) => names.map((name) => [{ name }])) });
}
