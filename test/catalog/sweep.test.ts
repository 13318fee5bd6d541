import test from 'ava';
import fc from 'fast-check';
import { sha256 } from '../../src/core/digest.ts';
import { tempDir } from '../rig/temp.ts';
import { addSnapshot, digestsOf, namesIn, openCatalog, storeContent, type Catalog } from './support.ts';

const names = fc.uniqueArray(fc.integer({ min: 0, max: 30 }).map((n) => `p${n}`), { minLength: 1, maxLength: 12 });

const sorted = (values: Iterable<string>): string[] => [...values].toSorted();

const WAYS = ['mirror', 'known index', 'snapshot', 'generation', 'intent', 'nothing'] as const;

/** Lets something in the catalog refer to the content. */
function referTo(catalog: Catalog, content: number, way: (typeof WAYS)[number], number: number): void {
  const where = { prefix: 'p', distribution: `d${number}`, format: 'apt', generation: 1, components: [], contents: [content], indexes: [] };
  const intent = { ...where, spec: { architectures: [], origin: '', label: '', signedBy: [] }, publishedAt: '2025-01-01T00:00:00.000Z' };
  const putMirror = (main: number, indexes: readonly number[]): void =>
    catalog.mirrors.put({
      name: `m${number}`,
      format: 'apt',
      inputs: sha256(''),
      description: {},
      root: { path: '', sha256: sha256(''), url: '', date: '', identity: {}, signedBy: [] },
      indexes: indexes.map((id) => ({ name: 'main', sha256: sha256(''), content: id })),
      content: catalog.contents.get(main),
      checkedAt: '',
      changedAt: '',
    });
  catalog.transaction(() => {
    switch (way) {
      case 'mirror':
        return putMirror(content, []);
      case 'known index':
        return putMirror(catalog.contents.storeMembers([]).id, [content]);
      case 'snapshot':
        return void catalog.snapshots.add({ name: `s${number}`, format: 'apt', content: catalog.contents.get(content), origin: { kind: 'empty' }, createdAt: '' });
      case 'generation':
        return catalog.publications.finish(intent, '');
      case 'intent':
        return catalog.publications.begin(intent);
      case 'nothing':
        return undefined;
      default:
        return way satisfies never;
    }
  });
}

test('F14 exactly what nothing reaches is collected', async (t) => {
  await using dir = await tempDir();
  let run = 0;
  fc.assert(
    fc.property(fc.array(fc.tuple(names, fc.constantFrom(...WAYS)), { maxLength: 6 }), (plan) => {
      const catalog = openCatalog(dir.join(`catalog-${(run += 1)}.db`));
      const contents = plan.map(([list, way], number) => {
        const { id } = storeContent(catalog, list);
        referTo(catalog, id, way, number);
        return { id, list: [...list].sort(), kept: way !== 'nothing' };
      });
      const kept = contents.filter((content) => content.kept);
      const needed = digestsOf(kept.flatMap(({ list }) => list));
      const all = digestsOf(contents.flatMap(({ list }) => list));

      const tried = catalog.sweep.collect(true);
      const there = [...catalog.records.eachFile()].length;
      const collected = catalog.sweep.collect(false);

      t.is(tried.records, all.size - needed.size);
      t.is(there, all.size, 'a dry run removes nothing');
      t.deepEqual({ ...collected, files: sorted(collected.files) }, { ...tried, files: sorted(tried.files) });
      t.deepEqual(sorted(collected.files), sorted(needed));
      t.deepEqual(sorted([...catalog.records.eachFile()].map((file) => file.sha256)), sorted(needed));
      for (const { id, list } of kept) t.deepEqual(namesIn(catalog, id), list);
      t.deepEqual(catalog.sweep.problems(), []);
      t.is(catalog.sweep.collect(false).records, 0);
      catalog.close();
    }),
    { numRuns: 25 },
  );
});

test('T04 of a hundred snapshots that share a package, the last one keeps it', async (t) => {
  await using dir = await tempDir();
  const catalog = openCatalog(dir.join('catalog.db'));
  for (let n = 0; n < 100; n += 1) addSnapshot(catalog, `s${n}`, storeContent(catalog, ['shared', `own${n}`]));

  catalog.transaction(() => {
    for (const { id, name } of catalog.snapshots.list()) if (name !== 's42') catalog.snapshots.drop(id);
  });
  const { records, files } = catalog.sweep.collect(false);

  t.is(records, 99);
  t.deepEqual(sorted(files), sorted(digestsOf(['shared', 'own42'])));
  t.is(catalog.sweep.leafDigests().size, 1);
  catalog.close();
});

test('a broken reference is found', async (t) => {
  await using dir = await tempDir();
  const file = dir.join('catalog.db');
  const catalog = openCatalog(file);
  addSnapshot(catalog, 's', storeContent(catalog, Array.from({ length: 200 }, (_, n) => `package-${n}`)));
  catalog.close();
  const { DatabaseSync } = await import('@photostructure/sqlite');
  const other = new DatabaseSync(file);
  other.exec('PRAGMA foreign_keys = OFF; DELETE FROM content');
  other.close();

  const broken = openCatalog(file);

  t.true(broken.sweep.problems().some((problem) => problem.includes('refers to something that is gone')));
  broken.close();
});
