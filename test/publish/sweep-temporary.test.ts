import { existsSync, mkdirSync, readdirSync, utimesSync, writeFileSync } from 'node:fs';
import test from 'ava';
import { openLocks } from '../../src/catalog/lock.ts';
import { sweepTemporary } from '../../src/publish/sweep-temporary.ts';
import { tempDir, testContext } from '../rig/temp.ts';

const DAY = 24 * 60 * 60 * 1000;

test('what killed runs left goes a day later, unless its lock is held', async (t) => {
  await using dir = await tempDir();
  const locks = openLocks(dir.join('locks'), 'test');
  const left = dir.join('tmp', 'mirror-gone', 'deep');
  mkdirSync(left, { recursive: true });
  writeFileSync(dir.join('tmp', 'mirror-gone', 'deep', 'spool'), 'x');
  utimesSync(left, 1, 1); // an unpacked archive brings old times along
  mkdirSync(dir.join('tmp', 'mirror-busy'));
  const sweep = (days: number): void => sweepTemporary(dir.join('tmp'), { before: Date.now() + days * DAY, locks });

  sweep(-1);
  t.true(existsSync(left));
  await locks.hold('mirror-busy', testContext(), async () => sweep(1));
  t.deepEqual(readdirSync(dir.join('tmp')), ['mirror-busy']);
  sweep(1);
  t.deepEqual(readdirSync(dir.join('tmp')), []);
  sweepTemporary(dir.join('none'), { before: 0, locks });
});
