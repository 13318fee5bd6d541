import { createHash } from 'node:crypto';
import { existsSync, readFileSync, readdirSync, readlinkSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import test from 'ava';
import fc from 'fast-check';
import type { Sha256 } from '../../src/core/digest.ts';
import { openLocalPool, openOverlayPool, openPool, type Incoming, type Pool } from '../../src/pool/index.ts';
import { tempDir } from '../rig/temp.ts';
import { fingerprint } from '../rig/witness.ts';

const digestOf = (text: string): Sha256 => createHash('sha256').update(text).digest('hex') as Sha256;

async function put(pool: Pool, ...texts: readonly string[]): Promise<Incoming> {
  const incoming = pool.receive('test');
  for (const text of texts) {
    writeFileSync(incoming.partial(digestOf(text)), text);
    await incoming.complete(digestOf(text));
  }
  await incoming.settle();
  return incoming;
}

test('what is completed and settled is in the pool under its digest, read-only, and listed', async (t) => {
  await using dir = await tempDir();
  const pool = openLocalPool(dir.join('pool'));

  const incoming = await put(pool, 'one', 'two');

  t.true(pool.has(digestOf('one')));
  t.false(pool.has(digestOf('three')));
  t.is(readFileSync(pool.path(digestOf('one')), 'utf8'), 'one');
  t.is(statSync(pool.path(digestOf('one'))).mode & 0o777, 0o444);
  t.true(pool.path(digestOf('one')).endsWith(`/${digestOf('one').slice(0, 2)}/${digestOf('one')}`));
  t.deepEqual([...pool.list()].map(({ sha256, size }) => [sha256, size]).toSorted(), [[digestOf('one'), 3], [digestOf('two'), 3]].toSorted());
  incoming.clear();
  t.deepEqual(readdirSync(dir.join('pool/incoming')), []);
});

test('what is not completed is found again by the same owner, and is not in the pool', async (t) => {
  await using dir = await tempDir();
  const pool = openLocalPool(dir.join('pool'));
  const first = pool.receive('mirror-a');
  writeFileSync(first.partial(digestOf('whole')), 'who');
  await first.settle();

  const again = openLocalPool(dir.join('pool')).receive('mirror-a');

  t.is(readFileSync(again.partial(digestOf('whole')), 'utf8'), 'who');
  t.false(pool.has(digestOf('whole')));
  t.not(pool.receive('mirror-b').partial(digestOf('whole')), again.partial(digestOf('whole')));
  t.deepEqual([...pool.list()], []);
});

test('the same file may arrive twice', async (t) => {
  await using dir = await tempDir();
  const pool = openLocalPool(dir.join('pool'));

  await put(pool, 'one');
  await put(pool, 'one', 'two');

  t.is([...pool.list()].length, 2);
  t.is(readFileSync(pool.path(digestOf('one')), 'utf8'), 'one');
});

test('a further name shares the bytes, and a name that exists is left alone', async (t) => {
  await using dir = await tempDir();
  const pool = openLocalPool(dir.join('pool'));
  await put(pool, 'one', 'two');

  t.true(pool.link(digestOf('one'), dir.join('name')));
  t.false(pool.link(digestOf('two'), dir.join('name')));

  t.is(statSync(dir.join('name')).ino, statSync(pool.path(digestOf('one'))).ino);
  t.throws(() => pool.link(digestOf('none'), dir.join('other')), { code: 'ENOENT' });
});

test('a removed file is gone from the pool and stays under its other names', async (t) => {
  await using dir = await tempDir();
  const pool = openLocalPool(dir.join('pool'));
  await put(pool, 'one');
  pool.link(digestOf('one'), dir.join('name'));

  pool.remove(digestOf('one'));
  pool.remove(digestOf('one'));

  t.false(pool.has(digestOf('one')));
  t.is(readFileSync(dir.join('name'), 'utf8'), 'one');
});

test('what has no business in the pool is not taken for a file of it', async (t) => {
  await using dir = await tempDir();
  const pool = openLocalPool(dir.join('pool'));
  await put(pool, 'one');
  const folder = pool.path(digestOf('one')).replace(/\/[^/]*$/, '');
  writeFileSync(`${folder}/README`, 'x');
  writeFileSync(dir.join('pool/note'), 'x');

  t.is([...pool.list()].length, 1);
});

test('the age of a file is when it came', async (t) => {
  await using dir = await tempDir();
  const pool = openLocalPool(dir.join('pool'));
  await put(pool, 'one');
  utimesSync(pool.path(digestOf('one')), 1000, 2000);

  t.deepEqual([...pool.list()].map(({ since }) => since), [2_000_000]);
});

test('what nobody came for is removed by its age, and nothing else', async (t) => {
  await using dir = await tempDir();
  const pool = openLocalPool(dir.join('pool'));
  const incoming = await put(pool, 'one');
  for (const [text, time] of [['old', 1000], ['new', 3000]] as const) {
    writeFileSync(incoming.partial(digestOf(text)), 'part');
    utimesSync(incoming.partial(digestOf(text)), time, time);
  }
  utimesSync(pool.path(digestOf('one')), 1000, 1000);

  pool.removeAbandoned(2_000_000);

  t.false(existsSync(incoming.partial(digestOf('old'))));
  t.true(existsSync(incoming.partial(digestOf('new'))));
  t.true(pool.has(digestOf('one')));
  t.notThrows(() => openLocalPool(dir.join('none')).removeAbandoned(1));
});

test('another thread opens the same pool by its folders', async (t) => {
  await using dir = await tempDir();
  const base = openLocalPool(dir.join('base'));
  await put(base, 'one');
  const pool = openOverlayPool(base, dir.join('own'));
  await put(pool, 'two');

  const same = openPool(pool.folders);
  await put(same, 'three');

  for (const text of ['one', 'two', 'three']) t.is(same.path(digestOf(text)), pool.path(digestOf(text)));
  t.false(base.has(digestOf('three')));
});

test('many files in several bulks all arrive, whatever their order', async (t) => {
  await using dir = await tempDir();
  let run = 0;
  await fc.assert(
    fc.asyncProperty(fc.uniqueArray(fc.string({ maxLength: 20 }), { maxLength: 60 }), async (texts) => {
      run += 1;
      const pool = openLocalPool(dir.join(`pool-${run}`));
      await put(pool, ...texts);
      t.true(texts.every((text) => readFileSync(pool.path(digestOf(text)), 'utf8') === text));
      t.is([...pool.list()].length, texts.length);
    }),
    { numRuns: 10 },
  );
});

test('an overlay reads the base and changes nothing in it, not even a link count', async (t) => {
  await using dir = await tempDir();
  const base = openLocalPool(dir.join('base'));
  await put(base, 'one');
  const before = fingerprint(dir.join('base'));
  const overlay = openOverlayPool(base, dir.join('own'));

  await put(overlay, 'two');
  overlay.link(digestOf('one'), dir.join('first'));
  overlay.link(digestOf('two'), dir.join('second'));
  overlay.remove(digestOf('one'));

  t.true(overlay.has(digestOf('one')) && overlay.has(digestOf('two')));
  t.is(readFileSync(dir.join('first'), 'utf8') + readFileSync(dir.join('second'), 'utf8'), 'onetwo');
  t.is(readlinkSync(dir.join('first')), base.path(digestOf('one')));
  t.deepEqual([...overlay.list()].map(({ sha256 }) => sha256), [digestOf('two')]);
  t.false(existsSync(base.path(digestOf('two'))));
  t.deepEqual(fingerprint(dir.join('base')), before);
});
