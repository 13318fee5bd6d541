import test from 'ava';
import fc from 'fast-check';
import { sha256 } from '../../src/core/digest.ts';
import { recordDigest } from '../../src/core/package.ts';
import { tempDir } from '../rig/temp.ts';
import { addRecord, namesIn, openCatalog, recordOf, storeContent } from './support.ts';

const names = fc.uniqueArray(fc.integer({ min: 0, max: 40 }).map((n) => `p${n}`), { maxLength: 20 });

test('a record is read back byte for byte, and is one however often it is added', async (t) => {
  await using dir = await tempDir();
  const catalog = openCatalog(dir.join('catalog.db'));
  const record = { ...recordOf('px1'), text: Buffer.from([0x50, 0xe9, 0x00, 0xff, 0x0a]) };

  const first = catalog.transaction(() => addRecord(catalog, record));
  const second = catalog.transaction(() => addRecord(catalog, record));

  t.is(first.id, second.id);
  t.deepEqual(catalog.records.get(first.id), { ...record, id: first.id, digest: recordDigest(record), size: 5 } as never);
  catalog.close();
});

test('equal packages are one content, others are another, in any catalog', async (t) => {
  await using dir = await tempDir();
  const catalog = openCatalog(dir.join('catalog.db'));
  const other = openCatalog(dir.join('other.db'));
  storeContent(other, ['zz']); // so that its numbers differ
  fc.assert(
    fc.property(names, names, (first, second) => {
      const content = storeContent(catalog, first);
      const same = storeContent(catalog, first.toReversed());
      const elsewhere = storeContent(other, first);
      const different = storeContent(catalog, second);

      t.is(content.id, same.id);
      t.is(content.digest, elsewhere.digest);
      t.is(content.count, first.length);
      t.is(content.digest === different.digest, [...first].sort().join() === [...second].sort().join());
      t.deepEqual(namesIn(catalog, content.id), [...first].sort());
      t.deepEqual(catalog.contents.leaves(content.id).flatMap((leaf) => [...catalog.contents.members(leaf.id)]), [...catalog.contents.allMembers(content.id)]);
    }),
    { numRuns: 25 },
  );
  catalog.close();
  other.close();
});

test('what was committed is there when the catalog is opened again, also beside one that is open', async (t) => {
  await using dir = await tempDir();
  const writer = openCatalog(dir.join('catalog.db'));
  const reader = openCatalog(dir.join('catalog.db'));

  const { id } = storeContent(writer, ['px1', 'px2']);

  t.deepEqual(namesIn(reader, id), ['px1', 'px2']);
  writer.close();
  reader.close();
  const again = openCatalog(dir.join('catalog.db'));
  t.deepEqual(namesIn(again, id), ['px1', 'px2']);
  again.close();
});

test('a reader does not wait for a transaction in progress, and sees nothing of it', async (t) => {
  await using dir = await tempDir();
  const writer = openCatalog(dir.join('catalog.db'));
  const reader = openCatalog(dir.join('catalog.db'));

  writer.transaction(() => {
    addRecord(writer, recordOf('px1'));
    t.is(reader.records.find(recordDigest(recordOf('px1'))), undefined);
  });

  t.not(reader.records.find(recordDigest(recordOf('px1'))), undefined);
  writer.close();
  reader.close();
});

test('all files are told', async (t) => {
  await using dir = await tempDir();
  const catalog = openCatalog(dir.join('catalog.db'));
  storeContent(catalog, ['a', 'b']);

  t.deepEqual([...catalog.records.eachFile()].map((file) => file.sha256).toSorted(), [sha256('a'), sha256('b')].toSorted());
  catalog.close();
});
