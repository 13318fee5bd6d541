import { existsSync, readFileSync, readlinkSync, statSync } from 'node:fs';
import { join } from 'node:path';
import test from 'ava';
import { buildDeb } from '../rig/deb.ts';
import { rigKey } from '../rig/key.ts';
import { tempDir } from '../rig/temp.ts';
import { contentsOf, fingerprint, gpgv, hashOf, inspectDistribution } from '../rig/witness.ts';
import { makeRelease, packagesOf, snapshotNames, statesOf, type Built, type Planned } from './support.ts';

const BUILD = ['build', '--release', 'r1.0.0'];
const INTEGRATED = 'apt-mirror/integrated';

test('F3 F10 a build freezes, merges and publishes, and a second one does nothing and says so', async (t) => {
  await using dir = await tempDir();
  await using scene = await makeRelease(dir, { one: [buildDeb({ name: 'px1' })], two: [buildDeb({ name: 'px2' })] });
  const { site, sources } = scene;

  const first = await site.json<Built>(BUILD);
  sources.one.server.requests.length = 0;
  const state = contentsOf(site.publicRoot);
  const second = await site.run(BUILD);

  t.is(first.result, 'done');
  t.deepEqual(statesOf(first), {
    'mirror one': 'done',
    'snapshot slushie-r1.0.0-one': 'done',
    'mirror two': 'done',
    'snapshot slushie-r1.0.0-two': 'done',
    'merge miko-r1.0.0-rig': 'done',
    [`publish ${INTEGRATED} r1.0.0-rig`]: 'done',
    manifest: 'done',
  });
  t.is(second.status, 0);
  t.regex(second.stdout, /nothing to do/);
  t.deepEqual(sources.one.server.requests, [], 'the upstream is not asked');
  t.deepEqual(contentsOf(site.publicRoot), state);
  t.deepEqual(await packagesOf(site, 'miko-r1.0.0-rig'), ['px1 1.0-1', 'px2 1.0-1']);
  t.deepEqual(await inspectDistribution(join(site.publicRoot, INTEGRATED, 'dists/r1.0.0-rig'), join(site.publicRoot, INTEGRATED)), []);
});

test('what was switched by hand, there and back, is listed anew by the next build, so that it can be staged', async (t) => {
  await using dir = await tempDir();
  await using scene = await makeRelease(dir, { one: [buildDeb({ name: 'px1' })] }, { miko: { r1: { rig: ['one'] } } });
  const { site } = scene;
  const stage = ['stage', '--release', 'r1.0.0', '--from', site.publicRoot, '--to', dir.join('staged'), '--key', (await rigKey('site')).fingerprint];
  await site.json(BUILD);
  await site.json(['snapshot', 'create', 'empty', '--empty']);
  for (const name of ['empty', 'miko-r1.0.0-rig']) await site.json(['publish', 'switch', 'r1.0.0-rig', name]);
  t.is((await site.run(stage)).status, 12, 'the manifest lists what was served before');

  const built = await site.json<Built>(BUILD);

  t.deepEqual(Object.entries(statesOf(built)).filter(([, state]) => state !== 'fresh'), [['manifest', 'done']]);
  t.is((await site.json<Built>(BUILD)).result, 'unchanged');
  const staged = await site.run(stage);
  t.is(staged.status, 0, staged.stderr);
});

test('RPC-O D4 a failed upstream spoils nothing: the rest is built, the run is partial, and the next one completes it', async (t) => {
  await using dir = await tempDir();
  const miko = { r1: { rig: ['one'] } };
  const independent = { r1: { rig: [{ src: 'two', dest: 'apart' }] } };
  await using scene = await makeRelease(dir, { one: [buildDeb({ name: 'px1' })], two: [buildDeb({ name: 'px2' })] }, { miko, independent });
  const { site, sources } = scene;
  sources.two.server.fault(/Release/, { kind: 'status', status: 404 });

  const partial = await site.json<Built>(BUILD, 3);

  t.is(partial.result, 'partial');
  t.like(statesOf(partial), { 'mirror two': 'failed', 'snapshot slushie-r1.0.0-two': 'blocked', [`publish ${INTEGRATED} r1.0.0-rig`]: 'done' });
  t.deepEqual(await inspectDistribution(join(site.publicRoot, INTEGRATED, 'dists/r1.0.0-rig'), join(site.publicRoot, INTEGRATED)), []);
  t.false(existsSync(join(site.publicRoot, 'releases/r1.0.0/latest')), 'no manifest of what is not whole');
  sources.two.server.heal();
  const whole = await site.json<Built>(BUILD);
  t.is(whole.result, 'done');
  t.false('mirror one' in statesOf(whole), 'what is frozen is not asked again');
  t.true(existsSync(join(site.publicRoot, 'releases/r1.0.0/latest/manifest.json')));
});

test('RPC-O D4 a failed upstream keeps what was frozen before, and a replacement of the rest goes on', async (t) => {
  await using dir = await tempDir();
  await using scene = await makeRelease(dir, { one: [buildDeb({ name: 'px1' })], two: [buildDeb({ name: 'px2' })] });
  const { site, sources } = scene;
  await site.json(BUILD);
  const manifest = readlinkSync(join(site.publicRoot, 'releases/r1.0.0/latest'));
  await sources.one.upstream.republish({ components: { main: [buildDeb({ name: 'px1', version: '2' })] } });
  sources.two.server.fault(/Release/, { kind: 'status', status: 404 });

  const built = await site.json<Built>([...BUILD, '--replace'], 3);

  t.like(statesOf(built), { 'mirror two': 'kept', 'mirror one': 'done', [`publish ${INTEGRATED} r1.0.0-rig`]: 'done' });
  t.deepEqual(await packagesOf(site, 'miko-r1.0.0-rig'), ['px1 2', 'px2 1.0-1']);
  t.is(readlinkSync(join(site.publicRoot, 'releases/r1.0.0/latest')), manifest, 'the last complete build stays the latest');
});

test('F14 a replacement makes new snapshots under the same names and sets the old ones aside', async (t) => {
  await using dir = await tempDir();
  await using scene = await makeRelease(dir, { one: [buildDeb({ name: 'px1' })] });
  const { site, sources } = scene;
  await site.json(BUILD);
  await sources.one.upstream.republish({ components: { main: [buildDeb({ name: 'px1', version: '2' })] } });

  t.is((await site.json<Built>(BUILD)).result, 'unchanged', 'what is frozen stays frozen');
  const built = await site.json<Built>([...BUILD, '--replace']);

  t.is(built.result, 'done');
  const names = await snapshotNames(site);
  t.is(names.length, 4);
  t.true(names.every((name) => /^(slushie-r1\.0\.0-one|miko-r1\.0\.0-rig)(@\d{8}T\d{6}Z)?$/.test(name)), names.join());
  t.deepEqual(await packagesOf(site, 'miko-r1.0.0-rig'), ['px1 2']);
  t.deepEqual(await packagesOf(site, names.find((name) => name.startsWith('miko-r1.0.0-rig@')) ?? ''), ['px1 1.0-1']);
  const again = await site.json<Built>([...BUILD, '--replace']);
  t.is(again.result, 'done');
  t.is((await snapshotNames(site)).length, 4, 'equal packages make no further snapshots');
  const env = { REPLACE_ARTIFACTS: 'YES' };
  t.is((await site.json<Built>(BUILD, 0, { env })).result, 'done');
});

test('RPC-O D1 two codenames that share a source are both made anew from one update of it', async (t) => {
  await using dir = await tempDir();
  const miko = { r1: { alpha: ['shared', 'one'], beta: ['shared', 'two'] } };
  await using scene = await makeRelease(
    dir,
    { shared: [buildDeb({ name: 'common' })], one: [buildDeb({ name: 'px1' })], two: [buildDeb({ name: 'px2' })] },
    { miko, releases: { 'r1.0.0': { codenames: ['alpha', 'beta'] } } },
  );
  const { site, sources } = scene;
  await site.json(BUILD);
  await sources.shared.upstream.republish({ components: { main: [buildDeb({ name: 'common', version: '2' })] } });

  const built = await site.json<Built>([...BUILD, '--replace']);

  t.is(built.nodes.filter(({ id }) => id === 'mirror shared').length, 1);
  t.deepEqual(await packagesOf(site, 'miko-r1.0.0-alpha'), ['common 2', 'px1 1.0-1']);
  t.deepEqual(await packagesOf(site, 'miko-r1.0.0-beta'), ['common 2', 'px2 1.0-1']);
  const published = await site.json<{ distribution: string; generation: number }[]>(['publish', 'list']);
  t.deepEqual(published.map(({ distribution, generation }) => [distribution, generation]), [['r1.0.0-alpha', 2], ['r1.0.0-beta', 2]]);
});

test('RPC-O D3 a changed filter shows in the plan and takes effect, also when the upstream did not change', async (t) => {
  await using dir = await tempDir();
  await using scene = await makeRelease(dir, { one: [buildDeb({ name: 'px1' }), buildDeb({ name: 'px2' })] });
  const { site, sources } = scene;
  await site.json(BUILD);
  const { upstream, server } = sources.one;
  await site.configure({ mirrors: { one: { upstream, url: server.url, extra: { filter: 'Name (= px2)' } } } });

  const plan = await site.json<Planned>(['plan', '--release', 'r1.0.0']);
  const built = await site.json<Built>(BUILD);

  t.deepEqual(
    plan.nodes.map(({ state }) => state),
    ['build', 'build', 'build', 'build', 'build'],
  );
  t.regex(plan.nodes[0]?.reason ?? '', /filter/);
  t.is(built.result, 'done');
  t.deepEqual(await packagesOf(site, 'miko-r1.0.0-rig'), ['px2 1.0-1']);
  t.is((await site.json<Built>(BUILD)).result, 'unchanged');
});

test('a mirror that is not to be updated is frozen as it is, whatever its definition says, and then left alone', async (t) => {
  await using dir = await tempDir();
  await using scene = await makeRelease(dir, { one: [buildDeb({ name: 'px1' }), buildDeb({ name: 'px2' })] });
  const { site, sources } = scene;
  await site.json(['mirror', 'update', 'one']);
  const { upstream, server } = sources.one;
  await site.configure({ mirrors: { one: { upstream, url: server.url, extra: { do_update: 'no', filter: 'Name (= px2)' } } } });
  server.requests.length = 0;

  t.is((await site.json<Built>(BUILD)).result, 'done');
  t.is((await site.json<Built>(BUILD)).result, 'unchanged');
  t.deepEqual(await packagesOf(site, 'miko-r1.0.0-rig'), ['px1 1.0-1', 'px2 1.0-1']);
  t.deepEqual(server.requests, []);
});

test('RPC-O D2 names are compared exactly: a release is never its own beta', async (t) => {
  await using dir = await tempDir();
  const releases = { 'r1.0.0-beta.1': { codenames: ['rig'] }, 'r1.0.0': { codenames: ['rig'] }, 'r1.0.01': { codenames: ['rig'], series: 'r1' } };
  await using scene = await makeRelease(dir, { one: [buildDeb({ name: 'px1' })] }, { releases });
  const { site, sources } = scene;
  await site.json(['build', '--release', 'r1.0.0-beta.1']);
  await sources.one.upstream.republish({ components: { main: [buildDeb({ name: 'px1', version: '2' })] } });

  const built = await site.json<Built>(BUILD);

  t.is(built.result, 'done');
  t.deepEqual(await packagesOf(site, 'slushie-r1.0.0-beta.1-one'), ['px1 1.0-1']);
  t.deepEqual(await packagesOf(site, 'slushie-r1.0.0-one'), ['px1 2']);
  t.deepEqual((await site.json<{ distribution: string }[]>(['publish', 'list'])).map(({ distribution }) => distribution), ['r1.0.0-beta.1-rig', 'r1.0.0-rig']);
  t.is((await site.json<Built>(['build', '--release', 'r1.0.0-beta.1'])).result, 'unchanged');
  t.like(await site.json(['build', '--release', 'r1.0'], 10), { error: { code: 'E_NOT_FOUND' } });
});

test('RPC-O D8 a locked release may be completed and is never replaced', async (t) => {
  await using dir = await tempDir();
  const locked = (codenames: readonly string[]): Record<string, unknown> => ({ 'r1.0.0': { codenames, state: 'locked' } });
  const miko = { r1: { rig: ['one'], other: ['one'] } };
  await using scene = await makeRelease(dir, { one: [buildDeb({ name: 'px1' })] }, { releases: locked(['rig']), miko });
  const { site } = scene;

  t.is((await site.json<Built>(BUILD)).result, 'done', 'what is missing is built');
  const before = contentsOf(site.publicRoot);
  t.like(await site.json([...BUILD, '--replace'], 11), { error: { code: 'E_LOCKED' } });
  t.deepEqual(contentsOf(site.publicRoot), before);
  t.is((await site.json<Built>(BUILD)).result, 'unchanged');
  await site.configure({ releases: locked(['rig', 'other']) });
  t.is((await site.json<Built>(BUILD)).result, 'done');
});

test('F12 what clashes is published apart, under a prefix of its own', async (t) => {
  await using dir = await tempDir();
  const packages = { one: [buildDeb({ name: 'px1' })], two: [buildDeb({ name: 'px1', files: { 'usr/other': 'bytes' } })] };
  await using scene = await makeRelease(dir, packages);
  const { site } = scene;
  const conflict = await site.json<Built>(BUILD, 3);
  t.is(statesOf(conflict)['merge miko-r1.0.0-rig'], 'failed');
  t.regex(conflict.nodes.find(({ kind }) => kind === 'merge')?.detail ?? '', /slushie-r1\.0\.0-one and .* in slushie-r1\.0\.0-two/);

  await site.configure({ miko: { r1: { rig: ['one'] } }, independent: { r1: { rig: [{ src: 'two', dest: 'two-rig' }] } } });
  const built = await site.json<Built>(BUILD);

  t.is(built.result, 'done');
  const apart = join(site.publicRoot, 'apt-mirror/independent/two-rig');
  t.deepEqual(await inspectDistribution(join(apart, 'dists/r1.0.0-rig'), apart), []);
  t.deepEqual((await site.json<{ prefix: string }[]>(['publish', 'list'])).map(({ prefix }) => prefix), ['apt-mirror/independent/two-rig', INTEGRATED]);
});

test('F6 PUBLISH_SNAPSHOT=NO stops after the snapshots, needs no key, and the second run has nothing to do', async (t) => {
  await using dir = await tempDir();
  await using scene = await makeRelease(dir, { one: [buildDeb({ name: 'px1' })] }, { signed: false });
  const { site } = scene;
  const env = { PUBLISH_SNAPSHOT: 'NO' };

  t.like(await site.json(BUILD, 2), { error: { code: 'E_NO_KEY' } });
  t.deepEqual(await snapshotNames(site), [], 'a missing key is told before anything is done');
  const built = await site.json<Built>(BUILD, 0, { env });

  t.deepEqual(Object.keys(statesOf(built)), ['mirror one', 'snapshot slushie-r1.0.0-one', 'merge miko-r1.0.0-rig']);
  t.is((await site.json<Built>(BUILD, 0, { env })).result, 'unchanged');
  t.false(existsSync(join(site.publicRoot, INTEGRATED)));
  t.is((await site.json<{ latestBuild: string | null }>(['release', 'show', 'r1.0.0'])).latestBuild, null);
});

test('F1 the manifest lists every file with its digest, and its signature is good', async (t) => {
  await using dir = await tempDir();
  const independent = { r1: { rig: [{ src: 'two', dest: 'apart' }] } };
  const packages = { one: [buildDeb({ name: 'px1' }), buildDeb({ name: 'px2', architecture: 'all' })], two: [buildDeb({ name: 'px1', version: '2' })] };
  await using scene = await makeRelease(dir, packages, { independent });
  const { site } = scene;

  const { build } = await site.json<Built>(BUILD);

  const folder = join(site.publicRoot, 'releases/r1.0.0', build ?? '');
  t.is(readlinkSync(join(site.publicRoot, 'releases/r1.0.0/latest')), build ?? '');
  const manifest = JSON.parse(readFileSync(join(folder, 'manifest.json'), 'utf8')) as {
    release: string;
    build: string;
    files: { path: string; size: number; sha256: string }[];
    inputs: { snapshots: { name: string; content: string }[] };
  };
  t.is(manifest.build, build ?? '');
  t.is(manifest.release, 'r1.0.0');
  for (const { path, size, sha256 } of manifest.files) {
    const file = join(site.publicRoot, path);
    t.is(statSync(file).size, size, path);
    t.is(hashOf(file), sha256, path);
  }
  const listed = new Set(manifest.files.map(({ path }) => path));
  // Other names of the same files need no second line.
  const there = Object.keys(contentsOf(join(site.publicRoot, 'apt-mirror'))).map((path) => `apt-mirror/${path.replace(/\.generations\/([^/]*)\/\d+\//, 'dists/$1/')}`);
  const unlisted = there.filter((path) => !listed.has(path) && !/by-hash|release-signing-key|dists\/[^/]*$/.test(path));
  t.deepEqual(unlisted, []);
  t.is(listed.size, manifest.files.length);
  const snapshots = await site.json<{ name: string; id: string }[]>(['snapshot', 'list']);
  t.deepEqual(
    manifest.inputs.snapshots.map(({ name, content }) => `${name} ${content}`).toSorted(),
    snapshots.map(({ name, id }) => `${name} ${id}`).toSorted(),
  );
  const key = (await rigKey('site')).publicKey;
  t.true(await gpgv(key, [join(folder, 'manifest.json.asc'), join(folder, 'manifest.json')]));
  t.deepEqual(readFileSync(join(site.publicRoot, 'apt-mirror/release-signing-key.asc')), (await rigKey('site')).publicKey, 'the exported key is the one');
});

test('one codename of several is built alone; the release is complete when all are', async (t) => {
  await using dir = await tempDir();
  const miko = { r1: { alpha: ['one'], beta: ['two'] } };
  const options = { miko, releases: { 'r1.0.0': { codenames: ['alpha', 'beta'] } } };
  await using scene = await makeRelease(dir, { one: [buildDeb({ name: 'px1' })], two: [buildDeb({ name: 'px2' })] }, options);
  const { site } = scene;
  const latest = join(site.publicRoot, 'releases/r1.0.0/latest');

  const alpha = await site.json<Built>([...BUILD, '--codename', 'alpha']);

  t.deepEqual(Object.keys(statesOf(alpha)), ['mirror one', 'snapshot slushie-r1.0.0-one', 'merge miko-r1.0.0-alpha', `publish ${INTEGRATED} r1.0.0-alpha`]);
  t.false(existsSync(latest), 'half a release has no manifest');
  t.is((await site.json<Built>([...BUILD, '--codename', 'alpha'])).result, 'unchanged');
  t.like(await site.json([...BUILD, '--codename', 'gamma'], 10), { error: { code: 'E_NOT_FOUND' } });
  t.is((await site.json<Built>([...BUILD, '--codename', 'beta'])).result, 'done');
  t.true(existsSync(latest));
  t.is((await site.json<Built>(BUILD)).result, 'unchanged');
});

test('a dry run and a plan show what would be done and change nothing, also where there is nothing yet', async (t) => {
  await using dir = await tempDir();
  await using scene = await makeRelease(dir, { one: [buildDeb({ name: 'px1' })] });
  const { site, sources } = scene;

  const dry = await site.json<Planned>([...BUILD, '--dry-run']);
  await site.json([...BUILD, '--dry-run', '--read-only']);
  await site.json(['plan', '--release', 'r1.0.0']);

  t.deepEqual(dry.nodes.map(({ id, state }) => `${id}: ${state}`), [
    'mirror one: build',
    'snapshot slushie-r1.0.0-one: build',
    'merge miko-r1.0.0-rig: build',
    `publish ${INTEGRATED} r1.0.0-rig: build`,
    'manifest: build',
  ]);
  t.false(existsSync(site.state), 'not even a folder');
  t.deepEqual(sources.one.server.requests, []);
  await site.json(BUILD);
  const before = fingerprint(site.publicRoot);
  const replaced = await site.json<Planned>([...BUILD, '--dry-run', '--replace']);
  t.true(replaced.nodes.every(({ state }) => state === 'build'));
  t.deepEqual(fingerprint(site.publicRoot), before);
  t.is((await snapshotNames(site)).length, 2);
});

test('builds within one second, and by a clock that stands still, have ids of their own', async (t) => {
  await using dir = await tempDir();
  await using scene = await makeRelease(dir, { one: [buildDeb({ name: 'px1' })] });
  const { site } = scene;
  const env = { SOURCE_DATE_EPOCH: String(Math.floor(Date.now() / 1000)) };

  const ids: string[] = [];
  for (const more of [[], ['--replace'], ['--replace']]) ids.push((await site.json<Built>([...BUILD, ...more], 0, { env })).build ?? '');

  t.is(new Set(ids).size, 3);
  t.deepEqual(ids, ids.toSorted());
  t.is((await site.json<{ latestBuild: string }>(['release', 'show', 'r1.0.0'])).latestBuild, ids.at(-1) ?? '');
});
