import { spawnSync } from 'node:child_process';
import test from 'ava';
import { architectureMatches } from '../../../src/formats/apt/architecture.ts';
import { parseProvides, parseRelations } from '../../../src/formats/apt/relation.ts';

test('a list of needs is read with alternatives, versions and qualifiers', (t) => {
  const text = 'libc6 (>= 2.36), default-mta | mail-transport-agent,\npython3:any (<<3.13~),foo:i386( = 1:2-3 )';

  t.deepEqual(parseRelations(text), [
    [{ name: 'libc6', operator: '>=', version: '2.36' }],
    [{ name: 'default-mta' }, { name: 'mail-transport-agent' }],
    [{ name: 'python3', operator: '<<', version: '3.13~', qualifier: 'any' }],
    [{ name: 'foo', operator: '=', version: '1:2-3', qualifier: 'i386' }],
  ]);
});

test('old operators and a missing one mean what dpkg takes them for', (t) => {
  const operators = parseRelations('a (< 1), b (> 1), c (1), d (>> 1)').map(([one]) => one?.operator);

  t.deepEqual(operators, ['<=', '>=', '=', '>>']);
});

test('nothing, and nothing between commas, is no need', (t) => {
  t.deepEqual(parseRelations(''), []);
  t.deepEqual(parseRelations(' \n'), []);
  t.deepEqual(parseRelations(',a,\n,b,\n'), [[{ name: 'a' }], [{ name: 'b' }]]);
});

test('what is no relation is refused by name', (t) => {
  const wrong = ['a b', 'a (', 'a (1', 'a (>= )', 'a (=> 1)', 'a (>= 1 2)', 'a [amd64', 'a | ', '| a', 'a:', '${misc:Depends}'];
  for (const text of wrong) {
    t.throws(() => parseRelations(`ok, ${text}`), { code: 'E_FORMAT', message: /is no relation to a package$/ }, text);
  }
  t.throws(() => parseRelations('fine, what is this, b'), { message: '"what is this" is no relation to a package' });
});

test('build dependencies are reduced to an architecture', (t) => {
  const text = 'a [amd64 arm64], b [!amd64], c [linux-any], d [any-i386], e [hurd-any] | f, g [!hurd-any !arm64]';
  const names = (architecture: string): string[] =>
    parseRelations(text, { architecture }).map((one) => one.map(({ name }) => name).join('|'));

  t.deepEqual(names('amd64'), ['a', 'c', 'f', 'g']);
  t.deepEqual(names('arm64'), ['a', 'b', 'c', 'f']);
  t.deepEqual(names('hurd-i386'), ['b', 'd', 'e|f']);
  t.is(parseRelations(text).length, 6);
});

test('build profiles decide', (t) => {
  const text = 'a <!nocheck>, b <stage1>, c <!nocheck !stage1> <cross>, d (>= 1) [amd64] <!nodoc>';
  const names = (...profiles: string[]): string[] =>
    parseRelations(text, { architecture: 'amd64', profiles }).map(([one]) => one?.name ?? '');

  t.deepEqual(names(), ['a', 'c', 'd']);
  t.deepEqual(names('nocheck'), ['d']);
  t.deepEqual(names('nocheck', 'cross'), ['c', 'd']);
  t.deepEqual(names('stage1', 'nodoc'), ['a', 'b']);
});

test('Provides gives versions only by =', (t) => {
  t.deepEqual(parseProvides('a, b (= 1.0), c (>= 2), d:i386, e:any, f | g, h'), [
    { name: 'a' },
    { name: 'b', version: '1.0' },
    { name: 'e' },
    { name: 'h' },
  ]);
});

test('big fields are read in linear time', (t) => {
  const many = Array.from({ length: 5000 }, (_, i) => `package-${i} (>= ${i})`);
  const begin = performance.now();

  t.is(parseRelations(many.join(' | '))[0]?.length, 5000);
  t.is(parseRelations(many.join(',\n')).length, 5000);
  t.is(parseRelations(`a (${' '.repeat(1_000_000)}= 1)`).length, 1);
  t.throws(() => parseRelations(`a (${' '.repeat(1_000_000)}`), { code: 'E_FORMAT' });
  t.throws(() => parseRelations('('.repeat(1_000_000)), { code: 'E_FORMAT' });
  t.throws(() => parseRelations(`a${'<'.repeat(1_000_000)}`), { code: 'E_FORMAT' });
  t.throws(() => parseRelations(`a${' <b>'.repeat(200_000)} [`), { code: 'E_FORMAT' });
  t.true(performance.now() - begin < 2000);
});

const ARCHITECTURES = ['amd64', 'i386', 'arm64', 'armhf', 'armel', 'x32', 'ppc64el', 'riscv64', 'mips64el', 's390x',
  'hurd-i386', 'hurd-amd64', 'kfreebsd-amd64', 'musl-linux-amd64', 'musl-linux-armhf', 'powerpcspe'];
const WILDCARDS = ['any', 'linux-any', 'hurd-any', 'kfreebsd-any', 'any-amd64', 'any-arm', 'any-i386', 'any-mips64el',
  'gnu-any-any', 'musl-any-any', 'musl-linux-any', 'eabihf-any-any-any', 'linux-amd64', 'amd64', 'arm', 'gnu-linux-any',
  'any-any-arm', 'base-gnu-linux-any', 'any-linux-any', 'all', 'x32-any-any-any'];

test('architectures match wildcards as dpkg says', (t) => {
  const script = `use Dpkg::Arch qw(debarch_is);
    for my $a (split / /, $ARGV[0]) { for my $w (split / /, $ARGV[1]) { print debarch_is($a, $w) ? "$a $w\\n" : "" } }`;
  const answer = spawnSync('perl', ['-e', script, ARCHITECTURES.join(' '), WILDCARDS.join(' ')], { encoding: 'utf8' });

  const ours = ARCHITECTURES.flatMap((a) => WILDCARDS.filter((w) => architectureMatches(a, w)).map((w) => `${a} ${w}`));

  t.is(answer.status, 0, answer.stderr);
  t.deepEqual(ours, answer.stdout.trim().split('\n'));
});

const FIELDS = [
  'debhelper-compat (= 13), libfoo-dev [amd64 i386], bar [!linux-any] | baz, x <!nocheck>, y <stage1>, z:native',
  'a (<< 2) [any-arm] <!nodoc>, b [kfreebsd-any !foo] | c | d [armhf], e:any (>= 1:2.0-1~), f [linux-any] <!cross> <stage2>',
];

test('dpkg reduces build dependencies to the same', (t) => {
  const script = `use Dpkg::Deps; print deps_parse($ARGV[0], reduce_restrictions => 1, host_arch => $ARGV[1],
    build_dep => 1, build_profiles => []), "\\n";`;
  for (const text of FIELDS) {
    for (const architecture of ['amd64', 'armhf', 'hurd-i386']) {
      const { stdout, stderr } = spawnSync('perl', ['-e', script, text, architecture], { encoding: 'utf8' });
      t.is(stderr, '');
      t.deepEqual(parseRelations(text, { architecture }), parseRelations(stdout), `${text} for ${architecture}`);
      t.false(/[[<]!/.test(stdout));
    }
  }
});
