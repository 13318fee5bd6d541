import test from 'ava';
import fc from 'fast-check';
import { closure, verify } from '../../src/query/closure.ts';
import { matcher } from '../../src/query/match.ts';
import { nameTest } from '../../src/query/names.ts';
import { parseQuery } from '../../src/query/parse.ts';
import { settleAmong } from '../../src/query/words.ts';
import { architecturesIn, openAllPackages, openPackages } from '../../src/snapshot/packages.ts';
import { universeOf } from '../query/packages.ts';
import { tempDir } from '../rig/temp.ts';
import { apt, names, recordsOf, stanza, storeRecords, testCatalog } from './catalog.ts';

const NAMES = ['aa', 'ab', 'b', 'c', 'd', 'libx'];
const VIRTUALS = ['u', 'v'];
const VERSIONS = ['1', '1.5', '2~rc1', '2'];

const relation = fc
  .tuple(fc.constantFrom(...NAMES, ...VIRTUALS, 'gone'), fc.option(fc.tuple(fc.constantFrom('<<', '=', '>='), fc.constantFrom(...VERSIONS)), { nil: undefined }))
  .map(([name, wanted]) => (wanted === undefined ? name : `${name} (${wanted.join(' ')})`));
const needs = fc.array(fc.array(relation, { minLength: 1, maxLength: 2 }), { maxLength: 3 }).map((all) => all.map((one) => one.join(' | ')).join(', '));
const world = fc
  .uniqueArray(
    fc.record({
      name: fc.constantFrom(...NAMES),
      version: fc.constantFrom(...VERSIONS),
      architecture: fc.constantFrom('amd64', 'i386', 'all'),
      section: fc.constantFrom('web', 'libs'),
      multiArch: fc.constantFrom('', 'foreign', 'same'),
      depends: needs,
      // The spelling of a field's name means nothing.
      providesField: fc.constantFrom('Provides', 'provides', 'PROVIDES'),
      provides: fc.subarray([...VIRTUALS.map((name) => `${name} (= 1.5)`), 'libx']),
    }),
    { minLength: 1, maxLength: 12, selector: ({ name, version, architecture }) => `${name} ${version} ${architecture}` },
  )
  .map((packages) =>
    packages
      .map(({ name, version, architecture, section, multiArch, depends, providesField, provides }) =>
        stanza(name, version, {
          Architecture: architecture,
          Section: section,
          ...(multiArch === '' ? {} : { 'Multi-Arch': multiArch }),
          ...(depends === '' ? {} : { Depends: depends }),
          ...(provides.length === 0 ? {} : { [providesField]: provides.join(', ') }),
        }),
      )
      .join(''),
  );

const QUERIES = [
  'Name', 'Name (= aa)', 'Name (% a*)', 'Name (~ b)', 'Name (>= b)', 'libx', 'u', 'v (>= 1.5)', 'b {i386}', '!libx', '!Name (= aa)',
  'Section (= web)', 'Section (= web), Name (% a*)', 'libx | Name (= c)', 'u, Section (= libs)', '$Version (>= 1.5)', '$Architecture (= all)',
  '$PackageType (= deb)', 'aa_1_amd64', 'aa_*_amd64', 'a?', '!a*', 'aa_1_amd64 | libx | d_*_all', 'Name (= aa) | Section (= libs)', '(Name (% a*) | b), $Version (<< 2)', 'Multi-Arch',
];

test('packages of a catalog match as the same packages in memory do, whichever way they are found', async (t) => {
  await using dir = await tempDir();
  using catalog = testCatalog(dir);
  fc.assert(
    fc.property(world, (text) => {
      const records = recordsOf(text);
      const content = storeRecords(catalog, records);
      const inMemory = records.map(apt.subject);
      const packages = openPackages(catalog, apt, [content]);
      for (const query of QUERIES.map(parseQuery)) {
        const expected = names(inMemory.filter(matcher(settleAmong(query, apt.names, inMemory), apt))).sort();
        t.deepEqual(names(openPackages(catalog, apt, [content]).matching(query)).sort(), expected); // nothing read before
        t.deepEqual(names(packages.matching(query)).sort(), expected); // with what earlier questions left
      }
    }),
    { numRuns: 40 },
  );
});

test('closure and verify find the same in a catalog as in memory', async (t) => {
  await using dir = await tempDir();
  using catalog = testCatalog(dir);
  const options = { follow: {}, architectures: ['amd64', 'i386'], compareVersions: apt.compareVersions };
  fc.assert(
    fc.property(world, (text) => {
      const records = recordsOf(text);
      const content = storeRecords(catalog, records);
      const inMemory = records.map(apt.subject);
      const packages = openPackages(catalog, apt, [content]);
      const roots = packages.matching(parseQuery('Name (% a*)'));

      const ours = closure(packages.universe, roots, options);
      const theirs = closure(universeOf(inMemory), inMemory.filter(({ name }) => name.startsWith('a')), options);
      const missing = verify(packages.universe, packages.eachOf(content), options);
      const expected = verify(universeOf(inMemory), inMemory, options);

      t.deepEqual(names(ours.selected), names(theirs.selected));
      t.deepEqual(missing.map(({ requirement }) => requirement), expected.map(({ requirement }) => requirement));
      t.deepEqual(names(missing.map(({ subject }) => subject)), names(expected.map(({ subject }) => subject)));
    }),
    { numRuns: 150 },
  );
});

test('texts of many packages are read in batches and belong to the right ones', async (t) => {
  await using dir = await tempDir();
  using catalog = testCatalog(dir);
  const text = Array.from({ length: 5000 }, (_, n) => stanza(`p${n}`, '1', { Marker: `é-${n}`, ...(n % 7 === 0 ? { Provides: `virtual-${n % 3}` } : {}) })).join('');
  const content = storeRecords(catalog, recordsOf(text));
  const packages = openPackages(catalog, apt, [content]);

  for (const subject of packages.each()) t.is(subject.field('Marker'), `é-${subject.name.slice(1)}`);

  t.deepEqual(names(packages.matching(parseQuery('Marker (= é-4321)'))), ['p4321_1_amd64']);
  t.is(packages.matching(parseQuery('virtual-0')).length, Array.from({ length: 5000 }, (_, n) => n).filter((n) => n % 21 === 0).length);
});

test('files that are no packages are no packages', async (t) => {
  await using dir = await tempDir();
  using catalog = testCatalog(dir);
  const listed = { ...recordsOf(stanza('main/i18n/Translation-en', '1'))[0]!, partition: apt.publishing.listed.partition };
  const content = storeRecords(catalog, [...recordsOf(stanza('a', '1')), listed]);

  t.deepEqual(names(openPackages(catalog, apt, [content]).each()), ['a_1_amd64']);
  t.deepEqual(names(openAllPackages(catalog, apt).each()), ['a_1_amd64']);
  t.deepEqual(architecturesIn(catalog, apt, [content]), ['amd64']);
});

test('the names a query can mean are bound from above', (t) => {
  const passes = (query: string, name: string): boolean | undefined => nameTest(parseQuery(query))?.(name);

  t.true(passes('Name (% a*) , Section (= web)', 'ab'));
  t.false(passes('Name (% a*) , Section (= web)', 'b'));
  t.true(passes('Name (= a) | Name (~ ^b)', 'bc'));
  t.false(passes('Name (= a) | Name (~ ^b)', 'ab'));
  t.is(passes('Name (= a) | Section (= web)', 'b'), undefined);
  t.is(passes('!Name (= a)', 'b'), undefined);
  t.is(passes('a', 'b'), undefined, 'a package of another name may provide it');
});
