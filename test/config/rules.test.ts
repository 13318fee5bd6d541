import test from 'ava';
import { formatProblem } from '../../src/config/problem.ts';
import { findRelease, resolveRelease } from '../../src/config/resolve-release.ts';
import { load, mirror, mirrors, problemsOf } from './support.ts';

const MIRRORS = mirrors(mirror('one'), mirror('two'), mirror('gone', 'state: absent'));

/** Problems of mappings and releases over three mirrors; lines count from the first given. */
async function wrong(...lines: readonly string[]): Promise<string[]> {
  const problems = await problemsOf({ 'vars/mirrors.yml': MIRRORS, 'mappings/m.yml': `${lines.join('\n')}\n` });
  return problems.map((problem) => problem.replace(/^mappings\/m\.yml:/, ''));
}

test('a mapping names only mirrors and repositories that exist', async (t) => {
  t.deepEqual(
    await wrong(
      'aptly_miko_mapping: {r1: {bookworm: [one, tow]}}',
      'aptly_n_mapping: {r1: {bookworm: [{src: entirely-else, dest: x}]}}',
    ),
    [
      '1:43: aptly_miko_mapping.r1.bookworm[1]: no mirror or repository is called "tow"; did you mean "two"?',
      '2:41: aptly_n_mapping.r1.bookworm[0].src: no mirror or repository is called "entirely-else"',
    ],
  );
});

test('a mirror with a mistake is not also called unknown', async (t) => {
  const problems = await problemsOf({
    'vars/a.yml': mirrors(mirror('one', 'state: gone')),
    'mappings/m.yml': 'aptly_miko_mapping: {r1: {bookworm: [one]}}\n',
  });

  t.is(problems.length, 1);
});

test('the series and the codenames of a release are mapped', async (t) => {
  t.deepEqual(
    await wrong(
      'aptly_miko_mapping: {r1: {bookworm: [one]}}',
      'releases:',
      '  r1.0.0: {codenames: [bookworm, bookwrom]}',
      '  r2.0.0: {codenames: [bookworm]}',
      '  other: {codenames: [bookworm], series: r1, state: locked}',
      '  r1.0.1: {codenames: []}',
      '  r1.0.2: {codenames: [bookworm], state: frozen}',
    ),
    [
      '3:34: release r1.0.0: aptly_miko_mapping.r1 has no codename "bookwrom"; did you mean "bookworm"?',
      '4:3: release r2.0.0: neither aptly_miko_mapping nor rpm_miko_mapping has the series "r2"; did you mean "r1"?',
      '6:23: releases.r1.0.1.codenames: must not be empty',
      '7:42: releases.r1.0.2.state: expected draft, candidate, locked, got "frozen"',
    ],
  );
});

test('what is not mapped is said of the mapping it belongs to', async (t) => {
  t.deepEqual(
    await wrong('rpm_miko_mapping: {r1: {el9: []}, r2: {el9: []}}', 'aptly_miko_mapping: {r2: {bookworm: [one]}}', 'releases:', '  a: {codenames: [el8], series: r1}', '  b: {codenames: [el8], series: r2}', '  c: {codenames: [el9], series: r3}'),
    [
      '4:19: release a: rpm_miko_mapping.r1 has no codename "el8"; did you mean "el9"?',
      '5:19: release b: aptly_miko_mapping.r2 and rpm_miko_mapping.r2 have no codename "el8"; did you mean "el9"?',
      '6:3: release c: neither aptly_miko_mapping nor rpm_miko_mapping has the series "r3"; did you mean "r2"?',
    ],
  );
});

test('the codename system is settled on the machine, not here', async (t) => {
  t.deepEqual(await wrong('aptly_miko_mapping: {r1: {system: [one]}}', 'releases: {r1: {codenames: [bookworm]}}'), []);
  t.deepEqual(await wrong('aptly_miko_mapping: {r1: {bookworm: [one]}}', 'releases: {r1: {codenames: [system]}}'), []);
});

test('two mirrors, or a mirror and a repository, do not share a name', async (t) => {
  t.deepEqual(await problemsOf({ 'vars/a.yml': `${mirrors(mirror('one'), mirror('one'))}aptly_repos: [{name: one}]\n` }), [
    'vars/a.yml:7:5: the name one is taken by the mirror or repository at vars/a.yml:2:5',
    'vars/a.yml:12:15: the name one is taken by the mirror or repository at vars/a.yml:2:5',
  ]);
});

test('two mirrors of one upstream are a warning', async (t) => {
  const same = mirror('two').replace('two.example.org', 'one.example.org');

  const { warnings } = await load({ 'vars/a.yml': mirrors(mirror('one'), same) });
  t.true(warnings.map(formatProblem).includes('vars/a.yml:2:5: mirror one has the same upstream as two: one mirror would do'));

  const differing = await load({ 'vars/a.yml': mirrors(mirror('one'), same.replace('main', 'contrib')) });
  t.false(differing.warnings.some(({ message }) => message.includes('same upstream')));
});

test('a release does not use what is absent', async (t) => {
  const mapping = 'aptly_miko_mapping: {r1: {bookworm: [one, gone]}}';

  t.deepEqual(await wrong(mapping), []);
  t.deepEqual(await wrong(mapping, 'releases: {r1: {codenames: [bookworm]}}'), [
    '1:43: aptly_miko_mapping.r1.bookworm[1]: gone is `state: absent`',
  ]);
});

test('F10 what is not frozen is named exactly, and left out of releases with a warning', async (t) => {
  t.deepEqual(await wrong('aptly_dont_snapshot_list: [one, twoo]'), [
    '1:33: aptly_dont_snapshot_list[1]: no mirror or repository is called "twoo"; did you mean "two"?',
  ]);

  const mapping = 'aptly_miko_mapping: {r1: {bookworm: [one, two]}}\naptly_n_mapping: {r1: {bookworm: [{src: one, dest: x}]}}\n';
  const config = await load({
    'vars/m.yml': MIRRORS,
    'vars/x.yml': `${mapping}aptly_dont_snapshot_list: [one]\naptly_architectures: [amd64]\nreleases: {r1: {codenames: [bookworm]}}\n`,
  });
  const release = await resolveRelease(config, findRelease(config, 'r1'));
  t.deepEqual(release.codenames, [{ codename: 'bookworm', format: 'apt', mergePolicy: 'no-remove', merged: ['two'], independent: [] }]);
  t.deepEqual(release.sources, [{ kind: 'mirror', name: 'two', format: 'apt' }]);
  t.true(
    config.warnings.map(formatProblem).includes(
      'vars/x.yml:1:38: aptly_miko_mapping.r1.bookworm[0]: one is left out, it is in aptly_dont_snapshot_list',
    ),
  );
});

test('two publications do not share a prefix, and a source stands once in a merge', async (t) => {
  t.deepEqual(await wrong('aptly_n_mapping: {r1: {bookworm: [{src: one, dest: x}, {src: two, dest: x}]}}'), [
    '1:73: aptly_n_mapping.r1.bookworm: the dest x is taken',
  ]);
  const { warnings } = await load({ 'vars/m.yml': MIRRORS, 'vars/x.yml': 'aptly_miko_mapping: {r1: {bookworm: [one, two, one]}}\n' });
  t.true(warnings.some((warning) => formatProblem(warning).startsWith('vars/x.yml:1:48: ')));
});

test('a distribution or a frozen source never has two meanings', async (t) => {
  t.deepEqual(
    await wrong(
      'aptly_miko_mapping: {r1: {a-b: [one]}, s: {b: [two]}}',
      'releases: {r1: {codenames: [a-b], series: r1}, r1-a: {codenames: [b], series: s}}',
    ),
    ['2:48: "r1-a-b" would be both codename a-b of release r1 and codename b of release r1-a; rename one'],
  );
});

test('mappings of the wrong shape are refused where they are wrong', async (t) => {
  t.deepEqual(
    await wrong('aptly_miko_mapping: {r1: [one], "a/b": {x: []}, r2: {x: one, y: }}', 'aptly_n_mapping: {r1: {x: [{src: one}]}}'),
    [
      '1:26: aptly_miko_mapping.r1: expected a mapping (`key: value`)',
      '1:33: aptly_miko_mapping: the key "a/b" may hold only letters, digits and . + _ ~ -, and must begin with a letter or digit',
      '1:57: aptly_miko_mapping.r2.x: expected a list, got "one"',
      '1:65: aptly_miko_mapping.r2.y: is empty; write [] for none',
      '2:28: aptly_n_mapping.r1.x[0].dest: is missing',
    ],
  );
});

test('keys are pinned in root metadata only together with an end of its validity', async (t) => {
  t.deepEqual(await wrong('publish: {signed_by: yes}'), ['1:22: publish.signed_by means nothing without publish.valid_for']);
  t.deepEqual(await wrong('publish: {signed_by: yes, valid_for: 30d}'), []);
});
