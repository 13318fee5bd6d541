import { existsSync } from 'node:fs';
import test from 'ava';
import { tempDir } from '../rig/temp.ts';
import { drive, parsed } from './drive.ts';

const STATUSES = {
  E_USAGE: 2,
  E_CONFIG: 2,
  E_NO_KEY: 2,
  E_PARTIAL: 3,
  E_NOT_FOUND: 10,
  E_LOCKED: 11,
  E_HASH: 12,
  E_KEY_REVOKED: 12,
  E_ROLLBACK: 12,
  E_IN_USE: 13,
  E_CONFLICT: 13,
  E_FETCH: 1,
  E_CANCELLED: 130,
};

for (const [code, status] of Object.entries(STATUSES)) {
  test(`a failure ${code} ends with status ${status}`, async (t) => {
    t.is((await drive(['fail', code])).status, status);
  });
}

test('a failure is one line with code and hint, its problems follow, and no control character passes', async (t) => {
  const { stdout, stderr } = await drive(['fail', 'E_CONFIG']);

  t.is(stdout, '');
  t.is(
    stderr,
    String.raw`artifacts: E_CONFIG: Mirror "a\u001b[31m\nb" is wrong. Look at it.` +
      '\n  vars/a.yml:12:5: unknown key\n  plain\n',
  );
});

test('with --json a failure is an object on standard output and nothing else', async (t) => {
  const run = await drive(['fail', 'E_HASH', '--json']);

  t.is(run.status, 12);
  t.is(run.stderr, '');
  t.deepEqual(parsed(run), {
    error: {
      code: 'E_HASH',
      message: 'Mirror "a\u001b[31m\nb" is wrong.',
      hint: 'Look at it.',
      details: { problems: [{ file: 'vars/a.yml', line: 12, column: 5, message: 'unknown key' }, 'plain'] },
      exitStatus: 12,
    },
  });
});

test('a bug prints its stack, asks to be reported and is status 1, with --json too', async (t) => {
  const plain = await drive(['fail', 'BUG']);
  const json = await drive(['fail', 'BUG', '--json']);

  t.is(plain.status, 1);
  t.regex(plain.stderr, /^TypeError: undefined is not a mirror\n {4}at /);
  t.regex(plain.stderr, /This is a bug in artifacts; please report it/);
  t.is(json.status, 1);
  t.regex(json.stderr, /please report it/);
  t.like(parsed(json)['error'], { code: 'BUG', exitStatus: 1 });
});

test('a full disk that nobody handled is a failure, no bug', async (t) => {
  const { status, stderr } = await drive(['fail', 'ENOSPC']);

  t.is(status, 1);
  t.regex(stderr, /^artifacts: E_NO_SPACE: No space left while running fail\. [^\n]+\n$/);
});

test('the app is closed after a failure, whose cause its closing does not hide', async (t) => {
  await using dir = await tempDir();
  const { status, stderr } = await drive(['fail', 'E_HASH', '--dispose'], { env: { FIXTURE_MARKER: dir.join('open') } });

  t.is(status, 12);
  t.regex(stderr, /E_HASH/);
  t.false(existsSync(dir.join('open')));
});

test('a verdict decides the exit status and leaves the result as it is', async (t) => {
  const bad = await drive(['verdict', 'E_CHECK', '--json']);
  const good = await drive(['verdict', '--json']);

  t.is(bad.status, 3);
  t.is(parsed(bad)['code'], 'E_CHECK');
  t.is(good.status, 0);
});
