import { mkdirSync, realpathSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import test from 'ava';
import fc from 'fast-check';
import { pathProblem, safeJoin, withoutDot } from '../../src/util/safe-path.ts';
import { tempDir } from '../rig/temp.ts';

/** Parts that paths of bad will are made of, and plain ones. */
const PARTS = [
  '', '.', '..', '...', '/', '//', '\\', '..\\', '\\..', '\u0000', '\n', '\u007f', '\u0085', '~', '-', ' ', '. ', '.. ', '%2e%2e', '%2f', '․․', '..\u200b', '．．',
  'a', 'b', 'pool', 'a b', 'ä', 'a\u0308', 'Ａ', 'CON', 'a:b', 'http:', 'file:', '*', '$HOME', '.hidden', '..a', 'a..', 'etc', 'passwd', 'x'.repeat(255), 'ä'.repeat(128), 'x'.repeat(256),
] as const;
/** A part by its number, or a few letters of the kinds that matter. */
const part = fc.oneof(
  { arbitrary: fc.nat({ max: PARTS.length - 1 }).map((index) => PARTS[index] ?? ''), weight: 5 },
  { arbitrary: fc.string({ unit: fc.constantFrom('.', '/', '\\', 'a', '\u0000', 'é', '\ud800', '😀'), maxLength: 4 }), weight: 1 },
);
const path = fc.tuple(part, part, part, part, fc.nat({ max: 11 })).map(([a, b, c, d, shape]) => {
  const parts = [a, b, c, d].slice(0, 1 + (shape % 4));
  return (shape >= 8 ? '/' : '') + parts.join(shape >= 4 ? '' : '/');
});

const RUNS = 1_000_000;

// TH11: what decides here is how Node resolves paths, which shares nothing with the rules under test.
test('A13 A24 of a million paths none leads out of its folder, and one that is taken is taken as it stands', (t) => {
  let taken = 0;
  fc.assert(
    fc.property(path, (relative) => {
      if (pathProblem(relative) !== undefined) return true;
      taken += 1;
      const joined = safeJoin('/srv/public', relative);
      return joined === `/srv/public/${relative}` && resolve(joined) === joined && resolve('/srv/public', relative) === joined && isPrintable(relative);
    }),
    { numRuns: RUNS },
  );
  t.true(taken > RUNS / 20 && taken < RUNS / 2, `${taken} were taken`);
  t.log(`${taken} of ${RUNS} were taken`);
});

test('A13 A24 what is taken can be written, and the file then lies in the folder', async (t) => {
  await using dir = await tempDir();
  const folder = dir.join('public');
  mkdirSync(folder);
  const root = realpathSync(folder);
  let written = 0;
  for (const relative of new Set(fc.sample(path, { numRuns: 4000, seed: 1 }))) {
    if (pathProblem(relative) !== undefined) continue;
    const file = safeJoin(root, relative);
    try {
      mkdirSync(dirname(file), { recursive: true });
      writeFileSync(file, '');
    } catch (error) {
      // Another path of the sample has a file where this one has a folder, or the other way round.
      t.regex(String((error as NodeJS.ErrnoException).code), /^(EEXIST|ENOTDIR|EISDIR)$/, JSON.stringify(relative));
      continue;
    }
    written += 1;
    t.true(realpathSync(file).startsWith(`${root}/`), JSON.stringify(relative));
  }
  t.true(written > 200, `${written} were written`);
});

test('a leading `./` means nothing, however often it stands there', (t) => {
  const reference = (text: string): string => text.replace(/^(\.\/+)+/, '');
  fc.assert(fc.property(fc.string({ unit: fc.constantFrom('.', '/', 'a'), maxLength: 12 }), (text) => withoutDot(text) === reference(text)));
  t.is(withoutDot('././/a/./b'), 'a/./b');
  t.is(withoutDot('../a'), '../a');
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

function isPrintable(text: string): boolean {
  for (let at = 0; at < text.length; at += 1) if (text.charCodeAt(at) < 32) return false;
  return true;
}
