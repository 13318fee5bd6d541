import test from 'ava';
import { isArtifactsError } from '../../src/core/errors.ts';
import { describeRequirement } from '../../src/query/describe.ts';
import { filterSnapshot } from '../../src/snapshot/select.ts';
import { applyPull, planPull, type PullRequest } from '../../src/snapshot/pull.ts';
import { tempDir } from '../rig/temp.ts';
import { apt, freeze, membersOf, names, recordsOf, stanza, storeRecords, testCatalog } from './catalog.ts';

const NOW = new Date('2026-02-01T00:00:00Z');
const FOLLOW = { architectures: [] };

test('a filter keeps what its queries mean and what that needs', async (t) => {
  await using dir = await tempDir();
  using catalog = testCatalog(dir);
  const source = freeze(
    catalog,
    'all',
    stanza('a', '1', { Depends: 'b, gone', Recommends: 'c' }) + stanza('b', '1') + stanza('c', '1') + stanza('d', '1') + stanza('e', '2', { Section: 'web' }),
  );
  const filter = (name: string, queries: readonly string[], follow: Parameters<typeof filterSnapshot>[1]['follow']) =>
    catalog.transaction(() => filterSnapshot(catalog, { name, source, queries, follow, now: NOW }));

  const plain = filter('plain', ['a', 'Section (= web)'], undefined);
  const needed = filter('needed', ['a'], FOLLOW);
  const more = filter('more', ['a'], { recommends: true, architectures: [] });

  t.deepEqual(membersOf(catalog, plain.snapshot), ['a_1_amd64', 'e_2_amd64']);
  t.deepEqual(membersOf(catalog, needed.snapshot), ['a_1_amd64', 'b_1_amd64']);
  t.deepEqual(needed.missing.map(({ requirement }) => describeRequirement(requirement)), ['gone']);
  t.deepEqual(membersOf(catalog, more.snapshot), ['a_1_amd64', 'b_1_amd64', 'c_1_amd64']);
  t.deepEqual(plain.snapshot.origin, { kind: 'filter', query: 'a | Section (= web)', sources: [{ id: source.id, name: 'all' }] });
});

test('a filter follows to sources, and from these to what their builds need', async (t) => {
  await using dir = await tempDir();
  using catalog = testCatalog(dir);
  const source = freeze(
    catalog,
    'all',
    [
      stanza('a', '1+b2', { Source: 'asrc (1)' }),
      stanza('asrc', '1', { 'X-Index': 'source', 'Build-Depends': 'tool' }),
      stanza('asrc', '2', { 'X-Index': 'source' }),
      stanza('tool', '3'),
      stanza('tool', '3', { 'X-Index': 'source', 'Build-Depends': 'other [!amd64]' }),
      stanza('other', '1'),
    ].join(''),
  );
  const filter = (name: string, follow: { readonly sources: boolean; readonly builds?: boolean }): string[] =>
    catalog.transaction(() => membersOf(catalog, filterSnapshot(catalog, { name, source, queries: ['a'], follow: { ...follow, architectures: [] }, now: NOW }).snapshot));

  t.deepEqual(filter('sources', { sources: true }), ['a_1+b2_amd64', 'asrc_1_source']);
  t.deepEqual(filter('builds', { sources: true, builds: true }), ['a_1+b2_amd64', 'tool_3_amd64', 'asrc_1_source', 'tool_3_source']);
});

test('files that are no packages stay with a filter', async (t) => {
  await using dir = await tempDir();
  using catalog = testCatalog(dir);
  const listed = { ...recordsOf(stanza('main/i18n/Translation-en', '1'))[0]!, partition: apt.publishing.listed.partition };
  const content = storeRecords(catalog, [...recordsOf(stanza('a', '1') + stanza('b', '1')), listed]);
  const source = catalog.snapshots.add({ name: 's', format: 'apt', content, origin: { kind: 'empty' }, createdAt: NOW.toISOString() });

  const { snapshot } = catalog.transaction(() => filterSnapshot(catalog, { name: 'f', source, queries: ['a'], follow: undefined, now: NOW }));

  t.deepEqual(membersOf(catalog, snapshot), ['a_1_amd64', 'main/i18n/Translation-en_1_amd64']);
});

const STABLE = stanza('app', '1', { Depends: 'lib (>= 1)' }) + stanza('lib', '1') + stanza('data', '1') + stanza('other', '1');
const TESTING = [
  stanza('app', '2', { Depends: 'lib (>= 2), data, extra | other, virt' }),
  stanza('app', '3', { Depends: 'lib (>= 2), data, extra | other, virt' }),
  stanza('lib', '2'),
  stanza('data', '2'),
  stanza('extra', '2'),
  stanza('pa', '1', { Provides: 'virt' }),
  stanza('pb', '1', { Provides: 'virt' }),
  stanza('app', '3', { Architecture: 'arm64' }),
].join('');

async function pulled(changes: Partial<PullRequest>, stable = STABLE): Promise<{ added: string[]; removed: string[]; members: string[]; missing: string[] }> {
  await using dir = await tempDir();
  using catalog = testCatalog(dir);
  const request: PullRequest = {
    target: freeze(catalog, 'stable', stable),
    source: freeze(catalog, 'testing', TESTING),
    queries: ['Name (= app)'],
    follow: FOLLOW,
    withDependencies: true,
    remove: true,
    allMatches: false,
    ...changes,
  };
  const plan = planPull(catalog, request);
  const snapshot = catalog.transaction(() => applyPull(catalog, request, { plan, name: 'new', now: NOW }));
  return {
    added: names(plan.added),
    removed: names(plan.removed),
    members: membersOf(catalog, snapshot),
    missing: plan.missing.map(({ requirement }) => describeRequirement(requirement)),
  };
}

test('a pull takes the highest version and what the target lacks for it; other versions leave', async (t) => {
  const { added, removed, members } = await pulled({});

  // data 1 and other 1 are there already and meet their needs; of two providers it is always the same one.
  t.deepEqual(added, ['app_3_amd64', 'lib_2_amd64', 'pa_1_amd64']);
  t.deepEqual(removed, ['app_1_amd64', 'lib_1_amd64']);
  t.deepEqual(members, ['app_3_amd64', 'data_1_amd64', 'lib_2_amd64', 'other_1_amd64', 'pa_1_amd64']);
});

test('a pull without dependencies, without removal and of all matches does as it is told', async (t) => {
  t.deepEqual((await pulled({ withDependencies: false })).members, ['app_3_amd64', 'data_1_amd64', 'lib_1_amd64', 'other_1_amd64']);
  t.deepEqual((await pulled({ withDependencies: false, remove: false })).members, ['app_1_amd64', 'app_3_amd64', 'data_1_amd64', 'lib_1_amd64', 'other_1_amd64']);
  t.deepEqual((await pulled({ withDependencies: false, allMatches: true })).members, ['app_2_amd64', 'app_3_amd64', 'data_1_amd64', 'lib_1_amd64', 'other_1_amd64']);
});

test('what a pull replaces meets no need of what it brings', async (t) => {
  // lib is pulled for its own sake; virt was met by lib 1 alone, which leaves.
  const stable = stanza('app', '1') + stanza('lib', '1', { Provides: 'virt' }) + stanza('data', '1') + stanza('other', '1');

  const { added, missing } = await pulled({}, stable);

  t.deepEqual(added, ['app_3_amd64', 'lib_2_amd64', 'pa_1_amd64']);
  t.deepEqual(missing, []);
});

test('a pull of a version that is there with other bytes is refused', async (t) => {
  await using dir = await tempDir();
  using catalog = testCatalog(dir);
  const target = freeze(catalog, 'stable', stanza('a', '1'));
  const other = recordsOf(stanza('a', '1')).map((record) => ({ ...record, files: [{ name: 'a.deb', size: 1, sha256: 'f'.repeat(64) as never }] }));
  const source = catalog.snapshots.add({ name: 'o', format: 'apt', content: storeRecords(catalog, other), origin: { kind: 'empty' }, createdAt: NOW.toISOString() });
  const request: PullRequest = { target, source, queries: ['a'], follow: FOLLOW, withDependencies: false, remove: true, allMatches: false };

  const error = t.throws(() => applyPull(catalog, request, { plan: planPull(catalog, request), name: 'n', now: NOW }));

  t.true(isArtifactsError(error, 'E_CONFLICT'), String(error));
  t.is(catalog.snapshots.find('n'), undefined);
});
