import test from 'ava';
import { measureSnapshots } from '../../src/retention/sizes.ts';
import { freeze, stanza, storeRecords, recordsOf, testCatalog } from '../snapshot-select/catalog.ts';
import { tempDir } from '../rig/temp.ts';

test('a snapshot is as big as its files, and unique are those that nothing else needs', async (t) => {
  await using dir = await tempDir();
  using catalog = testCatalog(dir);
  // A file's bytes are its name, version and architecture: `a 1 amd64` has nine.
  const one = freeze(catalog, 'one', stanza('a', '1') + stanza('bb', '1') + stanza('ccc', '1'));
  const two = freeze(catalog, 'two', stanza('a', '1') + stanza('dddd', '1'));
  // The same file described otherwise is another record, and no further byte.
  const three = freeze(catalog, 'three', stanza('dddd', '1', { Section: 'other' }));
  const inRepo = storeRecords(catalog, recordsOf(stanza('ccc', '1')));
  const at = '2026-01-01T00:00:00.000Z';
  catalog.repos.put({ name: 'local', format: 'apt', comment: '', content: inRepo, createdAt: at, changedAt: at });

  const { snapshots, total } = measureSnapshots(catalog);

  t.deepEqual(snapshots.get(one.id), { bytes: 9 + 10 + 11, unique: 10 });
  t.deepEqual(snapshots.get(two.id), { bytes: 9 + 12, unique: 0 });
  t.deepEqual(snapshots.get(three.id), { bytes: 12, unique: 0 });
  t.is(total, 9 + 10 + 11 + 12);
});
