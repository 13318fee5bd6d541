import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { writeFileSync } from 'node:fs';
import test from 'ava';
import { migrations } from '../../src/catalog/migrations/index.ts';
import { openCatalog } from '../../src/catalog/catalog.ts';
import { openDatabase } from '../../src/catalog/open.ts';
import { tempDir } from '../rig/temp.ts';

const TABLE = ['CREATE TABLE item (id INTEGER PRIMARY KEY, parent INTEGER REFERENCES item (id)) STRICT'];

test("the catalog's own connection writes ahead, flushes every commit and checks references", async (t) => {
  await using dir = await tempDir();
  const database = openDatabase(dir.join('catalog.db'));

  const pragma = (name: string): unknown => Object.values(database.get<Record<string, unknown>>(`PRAGMA ${name}`) ?? {})[0];

  t.is(pragma('journal_mode'), 'wal');
  t.is(pragma('synchronous'), 2, 'FULL');
  t.is(pragma('foreign_keys'), 1);
  t.is(pragma('trusted_schema'), 0);
  t.true((pragma('busy_timeout') as number) >= 1000);
  t.throws(() => database.run('INSERT INTO content_leaf (content, seq, leaf) VALUES (1, 1, 1)'), { message: /FOREIGN KEY/ });
  database.close();
});

test('K12 a catalog of a newer version is refused and left alone', async (t) => {
  await using dir = await tempDir();
  const file = dir.join('catalog.db');
  openDatabase(file, [...migrations, 'CREATE TABLE later (id INTEGER)']).close();

  t.throws(() => openCatalog(file), { code: 'E_STATE', message: /newer version/ });

  const again = openDatabase(file, [...migrations, 'CREATE TABLE later (id INTEGER)']);
  t.is(again.get<{ user_version: number }>('PRAGMA user_version')?.user_version, migrations.length + 1);
  again.close();
});

test('K12 what is no database is refused in one line', async (t) => {
  await using dir = await tempDir();
  writeFileSync(dir.join('catalog.db'), 'this is no database, and long enough to be looked at as one. '.repeat(100));

  t.throws(() => openCatalog(dir.join('catalog.db')), { code: 'E_STATE' });
});

test('migrations are applied once, in order, and what was there stays', async (t) => {
  await using dir = await tempDir();
  const file = dir.join('some.db');
  const first = openDatabase(file, TABLE);
  first.run('INSERT INTO item (id) VALUES (7)');
  first.close();

  const second = openDatabase(file, [...TABLE, 'ALTER TABLE item ADD COLUMN note TEXT; UPDATE item SET note = id -- a comment; with a semicolon']);

  t.deepEqual(second.all('SELECT id, note FROM item').map((row) => ({ ...(row as object) })), [{ id: 7, note: '7' }]);
  t.is(second.get<{ user_version: number }>('PRAGMA user_version')?.user_version, 2);
  second.close();
  const third = openDatabase(file, [...TABLE, 'this would fail']);
  t.is(third.all('SELECT id FROM item').length, 1);
  third.close();
});

test('the counts of a catalog of version 2 become those of packages', async (t) => {
  await using dir = await tempDir();
  const before = openDatabase(dir.join('catalog.db'), migrations.slice(0, 2));
  const insert = 'INSERT INTO leaf (digest, partition, first, last, count, size, members) VALUES (?, ?, ?, ?, ?, 1, ?)';
  const leaves = ([['listed', 2], ['noarch', 3], ['x86_64', 4]] as const).map(([partition, count], at) => before.run(insert, Buffer.from([at]), partition, 'a', 'b', count, Buffer.alloc(0)));
  for (const [at, count] of [9, 0].entries()) before.run('INSERT INTO content (id, digest, count) VALUES (?, ?, ?)', at + 1, Buffer.from([at]), count);
  for (const [seq, leaf] of leaves.entries()) before.run('INSERT INTO content_leaf (content, seq, leaf) VALUES (1, ?, ?)', seq, leaf);
  before.close();

  const catalog = openCatalog(dir.join('catalog.db'));

  t.deepEqual([1, 2].map((id) => catalog.contents.get(id).count), [7, 0]);
  catalog.close();
});

test('a migration that fails leaves nothing of itself', async (t) => {
  await using dir = await tempDir();
  const file = dir.join('some.db');
  openDatabase(file, TABLE).close();

  t.throws(() => openDatabase(file, [...TABLE, 'CREATE TABLE half (id INTEGER); INSERT INTO nowhere VALUES (1)']));

  const database = openDatabase(file, TABLE);
  t.deepEqual(database.all(`SELECT name FROM sqlite_schema WHERE name = 'half'`), []);
  database.close();
});

test('a transaction is all or nothing', async (t) => {
  await using dir = await tempDir();
  const database = openDatabase(dir.join('some.db'), TABLE);
  const stop = new Error('stop');

  t.throws(
    () =>
      database.transaction(() => {
        database.run('INSERT INTO item (id) VALUES (1)');
        throw stop;
      }),
    { is: stop },
  );
  database.transaction(() => database.run('INSERT INTO item (id) VALUES (2)'));

  t.deepEqual(database.all<{ id: number }>('SELECT id FROM item').map(({ id }) => id), [2]);
  database.close();
});

test('rows can be read one by one while memory is collected', async (t) => {
  await using dir = await tempDir();
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  const database = openDatabase(dir.join('some.db'), TABLE);
  for (let id = 1; id <= 20; id += 1) database.run('INSERT INTO item (id) VALUES (?)', id);

  const seen: number[] = [];
  for (const { id } of database.each<{ id: number }>('SELECT id FROM item ORDER BY id')) {
    seen.push(id);
    collect();
    await new Promise((resolve) => setImmediate(resolve));
  }

  t.is(seen.length, 20);
  t.is(seen.at(-1), 20);
  database.close();
});
