import test from 'ava';
import { load, problemsIn } from './support.ts';

const DAY = 86_400_000;

test('rules of retention are read with their units', async (t) => {
  const config = await load({ 'vars/a.yml': 'retention:\n  - {pattern: "old-*", keep: 3, older_than: 30d}\n  - {pattern: "*", older_than: 36h}\n' });

  t.deepEqual(config.retention, [
    { pattern: 'old-*', keep: 3, olderThan: 30 * DAY },
    { pattern: '*', olderThan: 1.5 * DAY },
  ]);
  t.deepEqual((await load({ 'vars/a.yml': 'aptly_architectures: [amd64]\n' })).retention, []);
});

test('a rule that says nothing, or something else, is refused at its place', async (t) => {
  t.deepEqual(await problemsIn('retention:\n  - {pattern: x}\n'), ['2:5: retention[0]: say keep, or older_than, or both']);
  t.regex((await problemsIn('retention:\n  - {pattern: x, kep: 3}\n')).join('\n'), /unknown key "kep"; did you mean "keep"|unknown key "kep"/);
  t.regex((await problemsIn('retention:\n  - {pattern: x, keep: -1}\n')).join('\n'), /retention\[0\]\.keep: must be at least 0/);
  t.regex((await problemsIn('retention:\n  - {pattern: x, older_than: soon}\n')).join('\n'), /"soon" is no duration/);
});

test('what a release must have is read with paths from the root', async (t) => {
  const config = await load({ 'vars/a.yml': 'completeness:\n  wanted: [lists/a.txt, /abs/b.txt]\n  roles: roles\n  ignore: ["linux-*"]\n  base: [debian-base, lists/Packages]\n' });

  t.deepEqual(config.completeness, {
    wanted: ['/nowhere/lists/a.txt', '/abs/b.txt'],
    roles: ['/nowhere/roles'],
    ignore: ['linux-*'],
    base: ['debian-base', 'lists/Packages'],
  });
  t.is((await load({ 'vars/a.yml': 'aptly_architectures: [amd64]\n' })).completeness, undefined);
  t.regex((await problemsIn('completeness: {wanted: [../secret]}\n')).join('\n'), /must not hold "\.\."/);
});
