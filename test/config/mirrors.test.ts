import test from 'ava';
import { formatProblem } from '../../src/config/problem.ts';
import type { Mirror } from '../../src/config/config.ts';
import { KEY, load, mirror, mirrors, problemsIn } from './support.ts';

async function one(...extra: readonly string[]): Promise<Mirror> {
  const { mirrors: found } = await load({ 'vars/a.yml': mirrors(mirror('one', ...extra)) });
  if (found[0] === undefined) throw new Error('no mirror');
  return found[0];
}

/** Problems of a mirror with further lines; the first of them is line 7. */
function wrong(...extra: readonly string[]): Promise<string[]> {
  return problemsIn(mirrors(mirror('one', ...extra)));
}

test('F8 every field of a mirror is read', async (t) => {
  const found = await one(
    'architectures: amd64, native',
    'filter: Name (= hello)',
    'filter_with_deps: yes',
    'state: absent',
    'do_update: "no"',
    'fallback_urls: [http://user:secret@other.example.org/debian]',
    'max_age: 7d',
    'check_valid_until: false',
  );

  t.like(found, {
    upstream: { kind: 'url', url: 'http://one.example.org/debian' },
    architectures: ['amd64', 'native'],
    filter: 'Name (= hello)',
    filterWithDeps: true,
    present: false,
    update: false,
    fallbackUrls: ['http://user:secret@other.example.org/debian'],
    maxAge: 7 * 86_400_000,
    checkValidUntil: false,
    keyrings: ['/nowhere/keys/upstream.asc'],
  });
});

test('F8 the flags of aptly become fields, in the quotes RPC-O puts around them', async (t) => {
  const found = await one(
    'create_flags:',
    `  - "-filter='Name (% apparmor*) | Name (% lxc*)'"`,
    '  - "-filter-with-deps"',
    '  - -architectures=amd64,i386',
    `  - "-keyring='/etc/keys/more.gpg'"`,
    'update_flags: "-keyring=keys/upstream.asc"',
  );

  t.is(found.filter, 'Name (% apparmor*) | Name (% lxc*)');
  t.true(found.filterWithDeps);
  t.deepEqual(found.architectures, ['amd64', 'i386']);
  t.deepEqual(found.keyrings, ['/nowhere/keys/upstream.asc', '/etc/keys/more.gpg']);
});

test('a flag without a field is refused with a hint', async (t) => {
  t.deepEqual(
    await wrong('create_flags:', '  - -ignore-signatures', '  - -downloader=grab', '  - -fliter=x', '  - nonsense', '  - -filter-with-deps=perhaps'),
    [
      '8:9: aptly_mirrors[0].create_flags[0]: -ignore-signatures is refused: nothing unverified is mirrored; pin the full fingerprint under gpg.key',
      '9:9: aptly_mirrors[0].create_flags[1]: -downloader is refused: there is one downloader; remove the flag',
      '10:9: aptly_mirrors[0].create_flags[2]: -fliter has no counterpart here; did you mean "filter"?',
      '11:9: aptly_mirrors[0].create_flags[3]: "nonsense" is no flag; write it like -filter-with-deps',
      '12:9: aptly_mirrors[0].create_flags[4]: -filter-with-deps takes true or false',
    ],
  );
});

test('a flag that contradicts a field is refused, one that repeats it is not', async (t) => {
  t.regex((await wrong('filter: a', 'create_flags: [-filter=b]')).join(), /-filter contradicts the field filter/);
  t.is((await one('filter: a', 'create_flags: [-filter=a]')).filter, 'a');
  t.regex((await wrong('create_flags: [-architectures=amd64!]')).join(), /is no architecture/);
});

test('flags that cannot change anything are a warning', async (t) => {
  const { warnings } = await load({ 'vars/a.yml': mirrors(mirror('one', 'update_flags: [-max-tries=3]')) });

  t.regex(warnings.map(formatProblem).join('\n'), /7:20: -max-tries=3 has no effect/);
});

test('component1 is components under RPC-O\'s name, and only one of them is given', async (t) => {
  const text = mirrors(mirror('one').replace('components: [main]', 'component1:\n      - main\n      - universe'));

  t.deepEqual((await load({ 'vars/a.yml': text })).mirrors[0]?.components, ['main', 'universe']);
  t.regex((await wrong('component1: main')).join(), /^7:17: .*components and component1 mean the same/);
});

test('key ids: lists and texts of several, printed in groups, with 0x; anything else is refused', async (t) => {
  const keys = async (text: string): Promise<readonly string[]> => {
    const config = await load({ 'vars/a.yml': mirrors(mirror('one').replace(`[${KEY}]`, text)) });
    return config.mirrors[0]?.fingerprints ?? [];
  };
  const other = '0123456789ABCDEF0123456789ABCDEF01234567';
  const six = 'AB'.repeat(32);

  t.deepEqual(await keys(`"${KEY} ${other}"`), [KEY, other]);
  t.deepEqual(await keys(`[0x${KEY.toLowerCase()}, ${six}]`), [KEY, six]);
  t.deepEqual(await keys(`"${(other.match(/.{4}/g) ?? []).join(' ')}"`), [other]);
  for (const bad of ['xyz', KEY.slice(1), `${KEY}00`, '""']) {
    t.true((await problemsIn(mirrors(mirror('one').replace(`[${KEY}]`, `["${bad}"]`)))).length > 0, bad);
  }
});

test('a short key id is a warning, no key at all a problem', async (t) => {
  const short = await load({ 'vars/a.yml': mirrors(mirror('one').replace(`[${KEY}]`, '"C0B21F32 437D05B5"')) });

  t.deepEqual(short.mirrors[0]?.shortKeyIds, ['C0B21F32', '437D05B5']);
  t.regex(short.warnings.map(formatProblem).join('\n'), /2:5: mirror one: short key id C0B21F32, 437D05B5: pin the full fingerprint/);
  t.deepEqual(await problemsIn(mirrors(mirror('one').replace(/ +gpg: .*\n/, ''))), [
    '2:5: mirror one: gpg.key is missing; pin the full fingerprint of its key',
  ]);
});

test('a system mirror needs neither key nor distribution, but must not name another suite', async (t) => {
  const text = (extra: string): string => `aptly_mirrors:\n  - {name: one, archive_url: "system:bookworm"${extra}}\n`;

  const { mirrors: found } = await load({ 'vars/a.yml': text('') });
  t.like(found[0], { upstream: { kind: 'system', suite: 'bookworm' }, distribution: 'bookworm', fingerprints: [] });
  t.deepEqual(await problemsIn(text(', distribution: trixie')), [
    '2:63: aptly_mirrors[0]: distribution trixie is not the suite of system:bookworm',
  ]);
  for (const spelling of ['"system:"', 'system']) {
    const config = await load({ 'vars/a.yml': `aptly_mirrors:\n  - {name: one, archive_url: ${spelling}}\n` });
    t.deepEqual(config.mirrors[0]?.upstream, { kind: 'system', suite: undefined });
  }
});

test('names that could leave a folder, or mean something to a shell, are refused', async (t) => {
  for (const name of ['../up', 'a/b', 'a b', '$(id)', 'a;b', '-rf', '.hidden', 'a..b', 'a\\nb', 'é', '']) {
    const problems = await problemsIn(mirrors(mirror('one').replace('name: one', `name: "${name}"`)));
    t.regex(problems.join('\n'), /^2:11: aptly_mirrors\[0\]\.name: /, JSON.stringify(name));
  }
  for (const distribution of ['a/../b', '/a', 'a b', '$(id)', 'a//b']) {
    const problems = await problemsIn(mirrors(mirror('one').replace('distribution: bookworm', `distribution: "${distribution}"`)));
    t.regex(problems.join('\n'), /^4:19: aptly_mirrors\[0\]\.distribution: /, distribution);
  }
  for (const key of ['../r1', 'a b', '__proto__', '$(id)']) {
    t.regex((await problemsIn(`releases:\n  "${key}": {codenames: [a]}\n`)).join(), /^2:3: releases: the key /, key);
  }
});

test('suites with a slash, and flat repositories, are fine', async (t) => {
  for (const distribution of ['trusty-updates/mitaka', './', 'stable/', 'bookworm-updates']) {
    const config = await load({ 'vars/a.yml': mirrors(mirror('one').replace('distribution: bookworm', `distribution: ${distribution}`)) });
    t.is(config.mirrors[0]?.distribution, distribution);
  }
});

test('an URL that cannot be mirrored is refused and not repeated', async (t) => {
  for (const url of ['ftp://user:secret@a.example.org/', 'file://host/secret', 'file:../secret', 'file:///a%2fsecret', 'file:', 'http://a.example.org/?secret', 'secret', 'http:// secret']) {
    const problems = (await problemsIn(mirrors(mirror('one').replace(/archive_url: .*/, `archive_url: "${url}"`)))).join('\n');
    t.regex(problems, /^3:18: aptly_mirrors\[0\]\.archive_url: must be an URL/, url);
    t.false(problems.includes('secret'), url);
  }
});

test('a folder of this machine is an upstream of either kind', async (t) => {
  const rpm = `rpm_mirrors:\n  - {name: two, archive_url: "file:media/rpms", fallback_urls: ["file:/srv/rpms"], gpg: {key: [${KEY}], keyring: keys/two.asc}}\n`;
  const config = await load({ 'vars/a.yml': mirrors(mirror('one').replace(/archive_url: .*/, 'archive_url: file:///media/a+b/debian/')), 'vars/b.yml': rpm });
  t.deepEqual(config.mirrors.map(({ archiveUrl, fallbackUrls }) => [archiveUrl, ...fallbackUrls]), [
    ['file:///media/a+b/debian'],
    ['file:///nowhere/media/rpms', 'file:///srv/rpms'],
  ]);
});

test('what users of dnf and Debian write by habit is told of an rpm mirror', async (t) => {
  const rpm = `rpm_mirrors:\n  - name: two\n    archive_url: "https://up.example/$releasever/\${basearch}/os"\n    architectures: [x86_64, amd64]\n    gpg: {key: [${KEY}], keyring: keys/two.asc}\n`;
  t.deepEqual(await problemsIn(rpm), [
    "3:18: rpm_mirrors[0].archive_url: write the value of $releasever; dnf's variables are not known here",
    '4:20: rpm_mirrors[0].architectures: rpm calls amd64 x86_64',
  ]);
});

test('paths of keyrings stay where they say', async (t) => {
  for (const path of ['../keys/a.asc', '~/a.asc', 'keys/../../a', 'a\\u0000b']) {
    const problems = await problemsIn(mirrors(mirror('one').replace('keyring: keys/upstream.asc', `keyring: "${path}"`)));
    t.regex(problems.join('\n'), /^6:\d+: aptly_mirrors\[0\]\.gpg\.keyring\[0\]: /, path);
  }
});

test('durations: units are needed, nothing and everlasting are refused', async (t) => {
  t.is((await one('max_age: 90m')).maxAge, 5_400_000);
  for (const bad of ['-1d', '0d', '7', '7 days', '1d2', '999999999w', '1e3d']) {
    t.is((await wrong(`max_age: "${bad}"`)).length, 1, bad);
  }
});

test('a wrong type says what is wanted', async (t) => {
  t.deepEqual(await wrong('filter: [a]', 'do_update: perhaps', 'state: gone', 'fallback_urls: x', 'gpg: 3'.replace('gpg', 'max_age')), [
    '7:13: aptly_mirrors[0].filter: expected text, got a list',
    '8:16: aptly_mirrors[0].do_update: expected yes or no, got "perhaps"',
    '9:12: aptly_mirrors[0].state: expected present, absent, got "gone"',
    '10:20: aptly_mirrors[0].fallback_urls: expected a list, got "x"',
    '11:14: aptly_mirrors[0].max_age: "3" is no duration; write one like 7d, 36h or 90m',
  ]);
  t.deepEqual(await problemsIn('aptly_mirrors: {a: b}\n'), ['1:16: aptly_mirrors: expected a list']);
  t.deepEqual(await problemsIn('aptly_mirrors: [x]\n'), ['1:17: aptly_mirrors[0]: expected a mapping (`key: value`), got "x"']);
});

test('a filter that is no query is refused at its place', async (t) => {
  t.regex((await wrong('filter: "Name (= hello"')).join('\n'), /^7:13: aptly_mirrors\[0\]\.filter: /);
});

test('a key server is accepted with one warning: keys are never fetched', async (t) => {
  const withServer = (name: string): string => mirror(name).replace('keyring:', 'server: "hkp://keys.example.org:80", keyring:');
  const { warnings } = await load({ 'vars/a.yml': mirrors(withServer('one'), withServer('two')) });

  t.is(warnings.filter(({ message }) => message.startsWith('gpg.server has no effect')).length, 1);
});
