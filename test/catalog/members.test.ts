import test from 'ava';
import { recordDigest } from '../../src/core/package.ts';
import { addRecord, openCatalog, recordOf } from './support.ts';

test('many records are read in the order asked for, as one by one', (t) => {
  const catalog = openCatalog(':memory:');
  const members = Array.from({ length: 4500 }, (_, index) => addRecord(catalog, recordOf(`p${index}`, index % 2 === 0 ? 'binary-amd64' : 'source')));
  const ids = Uint32Array.from(members.map(({ id }) => id).toReversed());

  const heads = catalog.members.heads(ids);

  t.deepEqual(heads, Array.from(ids, (id) => catalog.records.head(id)));
  catalog.close();
});

test('texts come byte for byte, whatever bytes they are', (t) => {
  const catalog = openCatalog(':memory:');
  const bytes = (seed: number): Buffer => Buffer.from(Array.from({ length: seed * 13 }, (_, at) => (at * seed * 7 + at) % 256));
  const records = Array.from({ length: 40 }, (_, seed) => ({ ...recordOf(`p${seed}`), text: bytes(seed) }));
  const ids = Uint32Array.from(records.map((record) => addRecord(catalog, record).id).toReversed());

  const texts = catalog.members.texts(ids);

  t.deepEqual(texts.map((text) => text.toString('hex')), records.toReversed().map(({ text }) => text.toString('hex')));
  catalog.close();
});

test('identities are found, and those that nothing has are told apart', (t) => {
  const catalog = openCatalog(':memory:');
  const [a, b] = [recordOf('a'), recordOf('b')].map((record) => addRecord(catalog, record));
  const digests = ['b', 'nothing', 'a', 'b'].map((name) => recordDigest(recordOf(name)));

  const found = catalog.members.find(digests);

  t.deepEqual(found, [b?.id, undefined, a?.id, b?.id]);
  catalog.close();
});

test('a record that is gone is no shorter answer', (t) => {
  const catalog = openCatalog(':memory:');
  const { id } = addRecord(catalog, recordOf('a'));

  t.throws(() => catalog.members.heads(Uint32Array.of(id, id + 1)), { message: /missing/ });
  t.throws(() => catalog.members.texts(Uint32Array.of(id, id + 1)), { message: /missing/ });
  catalog.close();
});
