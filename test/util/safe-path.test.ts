import { join, normalize, resolve } from 'node:path';
import test from 'ava';
import fc from 'fast-check';
import { pathProblem, safeJoin } from '../../src/util/safe-path.ts';

/** Parts that paths of bad will are made of, and plain ones. */
const part = fc.oneof(
  fc.constantFrom('', '.', '..', '...', '/', '//', '\\', '..\\', '\u0000', '\n', '~', '%2e%2e', '․․', '..\u200b', 'a', 'pool', 'a b', 'ä'),
  fc.string({ maxLength: 12 }),
  fc.string({ unit: 'binary', maxLength: 6 }),
);
const path = fc.array(part, { maxLength: 6 }).chain((parts) => fc.constantFrom(parts.join('/'), parts.join(''), `/${parts.join('/')}`));

test('no path leads out of its folder, and a path that is taken is taken as it stands', (t) => {
  let taken = 0;
  fc.assert(
    fc.property(path, (relative) => {
      if (pathProblem(relative) !== undefined) return;
      taken += 1;
      const joined = safeJoin('/srv/public', relative);
      if (!resolve(joined).startsWith('/srv/public/') || joined !== `/srv/public/${relative}` || normalize(relative) !== relative) {
        t.fail(JSON.stringify(relative));
      }
    }),
    { numRuns: 20_000 },
  );
  t.true(taken > 1000, `${taken} were taken`);
});

test('what is refused says why, in one line', (t) => {
  const refused = ['', '/etc/passwd', '..', 'a/..', '../a', 'a/../../b', './a', 'a/.', 'a//b', 'a/', 'a\\b', 'a\u0000b', 'a\nb', 'a\u007f', `${'x'.repeat(256)}/a`];
  for (const relative of refused) {
    const error = t.throws(() => safeJoin('/srv', relative), { code: 'E_PATH' }, JSON.stringify(relative));
    t.notRegex(error.message, /\n/);
  }
});

test('ordinary and odd names are taken', (t) => {
  for (const relative of ['a', 'pool/main/a/a_1%3a2.deb', '..a', 'a..b', '.hidden', 'a b', 'ä/ö', `${'x'.repeat(255)}`]) {
    t.is(safeJoin('/srv', relative), join('/srv', relative));
  }
});
