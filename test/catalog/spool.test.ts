/** Texts on disk: what is read is what was appended, from memory or from the file, and nothing is left behind. */
import { existsSync } from 'node:fs';
import test from 'ava';
import { recordDigest, type PackageRecord } from '../../src/core/package.ts';
import { openSpool, SpooledRecord } from '../../src/catalog/spool.ts';
import { tempDir } from '../rig/temp.ts';

function recordWith(text: Buffer): PackageRecord {
  return { format: 'apt', partition: 'binary-all', name: 'one', version: '1', architecture: 'all', files: [], text };
}

test('texts come back as they were, however many there are', async (t) => {
  await using dir = await tempDir();
  const spool = openSpool(dir.join('new', 'spool'));
  const texts = Array.from({ length: 40 }, (_, at) => Buffer.alloc(100_000 + at, at));

  const records = texts.map((text) => new SpooledRecord(recordWith(text), spool.append(text)));

  t.true(existsSync(dir.join('new', 'spool')));
  for (const [at, record] of records.entries()) {
    t.true(record.text.equals(texts[at] as Buffer));
    t.is(record.digest, recordDigest(recordWith(texts[at] as Buffer)));
  }
  spool.close();
  t.false(existsSync(dir.join('new', 'spool')));
});

test('what was appended after a text was read is found too', async (t) => {
  await using dir = await tempDir();
  const spool = openSpool(dir.join('spool'));
  const [first, second] = [Buffer.from('first'), Buffer.from('second')].map((text) => new SpooledRecord(recordWith(text), spool.append(text)));

  t.is(first?.text.toString(), 'first');
  const third = new SpooledRecord(recordWith(Buffer.from('third')), spool.append(Buffer.from('third')));

  t.deepEqual([third, second].map((record) => record?.text.toString()), ['third', 'second']);
  spool.close();
});

test('a spool nobody wrote to leaves no file and no folder', async (t) => {
  await using dir = await tempDir();

  openSpool(dir.join('new', 'spool')).close();

  t.false(existsSync(dir.join('new')));
});
