/** Rules of snapshots that hold for every format: comparing, choosing, merging, pulling, and whether needs are met. */
import { gunzipSync } from 'node:zlib';
import type { MergePolicy, Snapshot } from '../../src/core/snapshot.ts';
import { carriedMetadata } from '../../src/snapshot/carried-metadata.ts';
import { boundPackages } from '../../src/snapshot/bound-packages.ts';
import { applyPull, planPull, type PullRequest } from '../../src/snapshot/pull.ts';
import { filterSnapshot } from '../../src/snapshot/select.ts';
import { diffSnapshots, mergeSnapshots } from '../../src/snapshot/snapshots.ts';
import { verifySnapshot } from '../../src/snapshot/verify.ts';
import { serve } from '../rig/server.ts';
import { testContext } from '../rig/temp.ts';
import { PACKAGES, refused, type FormatCase, type PackageName } from './format-case.ts';
import type { RigFile } from './format-rig.ts';
import type { World } from './format-world.ts';

const NEVER = new AbortController().signal;

export function testSnapshots<File extends RigFile>({ rig, test, files, named }: FormatCase<File>): void {
  const version = (number: number): string => rig.version(number);
  const freeze = async (world: World<File>, name: string, ...packages: readonly PackageName[]): Promise<Snapshot> => world.frozen(name, { packages: await files(...packages) });

  test('a diff tells what came, what went, and which versions changed', async (t, world) => {
    const [a, b] = [await freeze(world, 'a', 'app', 'lib', 'helper'), await freeze(world, 'b', 'newApp', 'lib', 'lonely')];
    const { added, removed, changed, redescribed } = diffSnapshots(world.catalog, a, b);
    t.deepEqual([added, removed].map((list) => list.map(({ name }) => name)), [['lonely'], ['helper']]);
    t.deepEqual(changed, [{ name: 'app', architecture: rig.architectures.own, from: [version(1)], to: [version(10)] }]);
    t.deepEqual(redescribed, []);
    t.deepEqual(diffSnapshots(world.catalog, b, b), { added: [], removed: [], changed: [], redescribed: [] });
    t.deepEqual((await freeze(world, 'again', 'helper', 'lib', 'app')).content, a.content, 'equal contents are one, whatever order they came in');
  });

  test('a filter keeps what a query means, with what that needs', async (t, world) => {
    const all = await freeze(world, 'all', 'app', 'newApp', 'lib', 'newLib', 'helper', 'lonely');
    const filter = (name: string, query: string, follow: boolean): readonly string[] => {
      const request = { name, source: all, queries: [query], follow: follow ? { architectures: [] } : undefined, now: world.now() };
      return world.packages(filterSnapshot(world.catalog, request).snapshot.content);
    };
    t.deepEqual(filter('f1', 'tool', false), named('helper'), 'a name that a package offers is one of its own');
    t.deepEqual(filter('f2', `Name (app), $Version (>= ${version(2)})`, true), named('newApp', 'newLib', 'helper'));
    t.deepEqual(filter('f3', `tool {${rig.architectures.own}} | $Architecture (${rig.architectures.all}), !helper`, false), named('helper', 'lonely'), 'what is for all is there too');
    t.deepEqual(filter('f4', '$Source (lib)', false), named('lib', 'newLib'));
  });

  test('a package is found by its name in full, and by the names it answers to', async (t, world) => {
    const all = await freeze(world, 'all', 'app', 'newApp', 'lib', 'helper');
    const { names } = rig.format;
    for (const { name, version: own, architecture, partition } of world.records(all.content)) {
      if (partition === rig.format.publishing.listed.partition) continue;
      const key = { name, version: own, architecture };
      const request = { name: `f-${name}-${own}`, source: all, queries: [names.write(key)], follow: undefined, now: world.now() };
      t.deepEqual(world.packages(filterSnapshot(world.catalog, request).snapshot.content), [`${name} ${own} ${architecture}`], names.write(key));
      t.true(names.forms(names.write(key)).some((form) => Object.entries(form).every(([part, wanted]) => names.part(key, part) === wanted)));
      t.deepEqual(names.forms(name).at(-1), { name });
    }
    t.true(names.isField('Name'));
  });

  test('verify tells the needs that nothing meets, and another snapshot may meet them', async (t, world) => {
    const [apps, others] = [await freeze(world, 'apps', 'app', 'lib', 'lonely'), await freeze(world, 'others', 'helper')];
    const missing = (...sources: readonly Snapshot[]): readonly string[] =>
      verifySnapshot(world.catalog, { snapshot: apps, sources, follow: { architectures: [] } }).map(({ subject, requirement }) => `${subject.name} ${requirement.map(({ name }) => name).join()}`);
    t.deepEqual(missing(), ['app tool', 'lonely nowhere']);
    t.deepEqual(missing(others), ['lonely nowhere']);
  });

  test('a merge keeps of several versions what its policy says', async (t, world) => {
    const [one, two] = [await freeze(world, 'one', 'newApp', 'lib'), await freeze(world, 'two', 'app', 'newLib', 'helper')];
    const merge = (policy: MergePolicy, ...sources: readonly Snapshot[]): readonly string[] => {
      const { snapshot } = mergeSnapshots(world.catalog, { name: `${policy}-${sources.map(({ name }) => name).join('-')}`, sources, policy, isBound: undefined, now: world.now() });
      return world.packages(snapshot.content);
    };
    t.deepEqual(merge('no-remove', one, two), named('app', 'newApp', 'lib', 'newLib', 'helper'));
    t.deepEqual(merge('latest', one, two), named('newApp', 'newLib', 'helper'));
    t.deepEqual(merge('latest', two, one), named('newApp', 'newLib', 'helper'));
    t.deepEqual(merge('first', one, two), named('newApp', 'lib', 'helper'));
    t.deepEqual(merge('replace', one, two), named('app', 'newLib', 'helper'));
    t.deepEqual(merge('source', two, one), named('app', 'newLib', 'helper'));
    const tellTimes = world.records(one.content).every((record) => rig.format.subject(record).times?.().file !== undefined);
    if (tellTimes) t.deepEqual(merge('newest', one, two), named('newApp', 'lib', 'helper'), 'of files of one time the first source has');
    else await refused(t, 'E_USAGE', () => merge('newest', one, two));

    const other = await freeze(world, 'other', 'otherApp');
    for (const policy of ['no-remove', 'latest'] as const) t.regex(await refused(t, 'E_CONFLICT', () => merge(policy, two, other)), /app.*two.*other/);
  });

  test('what listed files tell to be one set stays together in a merge, where the format has such', async (t, world) => {
    t.is(rig.sets === undefined, rig.format.publishing.listed.readBound === undefined);
    if (rig.sets === undefined) return;
    const metadata = { [rig.sets.name]: rig.sets.write([PACKAGES.app]) };
    const sources = [await world.frozen('sets', { packages: await files('app', 'lib'), metadata }), await freeze(world, 'newer', 'newApp', 'newLib')];
    const isBound = await boundPackages(sources, world, NEVER);
    const { snapshot } = mergeSnapshots(world.catalog, { name: 'merged', sources, policy: 'latest', isBound, now: world.now() });
    t.deepEqual(world.packages(snapshot.content), named('app', 'newApp', 'newLib'));
    t.is(await boundPackages(sources.slice(1), world, NEVER), undefined);
  });

  test('what is said of packages goes along with them into a repository, where the format can tell it', async (t, world) => {
    const metadata = { [rig.notes.name]: rig.notes.write([PACKAGES.app, PACKAGES.helper]) };
    const source = await world.frozen('noted', { packages: await files('app', 'helper'), metadata });
    const { extract } = rig.format.publishing.listed;
    const request = { format: rig.format.id, source: source.content, target: undefined, packages: world.records(source.content).filter(({ name }) => name === 'app'), whole: [] };
    const carried = await carriedMetadata(request, world, testContext());
    const { metadata: local } = rig.format.local;
    t.is(carried.length, extract === undefined || local === undefined ? 0 : 1);
    for (const { record, bytes } of carried) {
      t.is(local?.typeOf(record), record.name);
      t.deepEqual(rig.notes.read(gunzipSync(bytes ?? Buffer.alloc(0)).toString()), ['app']);
    }
    t.is(extract?.('of-no-known-kind'), undefined);
  });

  test('a pull brings packages with what they need and the target lacks, in the place of other versions', async (t, world) => {
    const [target, source] = [await freeze(world, 'target', 'app', 'newLib'), await freeze(world, 'source', 'newApp', 'lib', 'helper', 'lonely')];
    const pull = (name: string, changes: Partial<PullRequest>): readonly string[] => {
      const request = { target, source, queries: ['app'], follow: { architectures: [] }, withDependencies: true, remove: true, allMatches: false, ...changes };
      return world.packages(applyPull(world.catalog, request, { plan: planPull(world.catalog, request), name, now: world.now() }).content);
    };
    t.deepEqual(pull('p1', {}), named('newApp', 'newLib', 'helper'));
    t.deepEqual(pull('p2', { remove: false }), named('app', 'newApp', 'newLib', 'helper'));
    t.deepEqual(pull('p3', { withDependencies: false, queries: ['tool', 'lib'] }), named('app', 'lib', 'helper'));
    if (rig.sources === undefined) return;
    const sources = { packages: await files('app'), sources: await rig.sources(world.dir, ['app']) };
    await using server = await serve(await world.upstream(sources));
    await world.mirror('with', server, { definition: { request: { ...rig.request, kinds: ['source'] } } });
    const pulled = pull('p4', { source: world.freeze('with', 'with-sources'), queries: ['$PackageType (source)'], withDependencies: false, remove: false });
    t.is(pulled.length, 3, pulled.join());
  });
}
