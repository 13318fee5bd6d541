import { existsSync, readFileSync, readdirSync, readlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'ava';
import { buildDeb } from '../rig/deb.ts';
import { runCommand } from '../rig/run.ts';
import { tempDir } from '../rig/temp.ts';
import { contentsOf, hashOf, inspectDistribution } from '../rig/witness.ts';
import { makeScene, PREFIX, type Scene } from './support.ts';

const dists = ({ site }: Scene, distribution = 'rig'): string => join(site.publicRoot, PREFIX, 'dists', distribution);
const release = (scene: Scene): string => readFileSync(join(dists(scene), 'Release'), 'utf8');
const dateOf = (scene: Scene): number => Date.parse(/^Date: (.*)$/m.exec(release(scene))?.[1] ?? '');
const epoch = (seconds: number): { env: Record<string, string> } => ({ env: { SOURCE_DATE_EPOCH: String(seconds) } });

test('W07 Date advances with every publish, also when an older snapshot returns, when the clock stands and after a drop', async (t) => {
  await using dir = await tempDir();
  await using scene = await makeScene(dir);
  const { site } = scene;
  await scene.freeze('one', { main: [buildDeb({ name: 'px1' })] });
  await scene.freeze('two', { main: [buildDeb({ name: 'px2' })] });
  const now = Math.floor(Date.now() / 1000);
  const dates: number[] = [];
  const after = async (args: readonly string[], seconds: number): Promise<void> => {
    await site.json(['publish', ...args], 0, epoch(seconds));
    dates.push(dateOf(scene) / 1000 - now);
  };

  await after(['snapshot', 'one', '--distribution', 'rig'], now - 100);
  await after(['switch', 'rig', 'two'], now - 100);
  await after(['switch', 'rig', 'one'], now - 100);
  await after(['switch', 'rig', 'two'], now - 50);
  await site.json(['publish', 'drop', 'rig']);
  await after(['snapshot', 'one', '--distribution', 'rig'], now - 50);

  t.deepEqual(dates, [-100, -99, -98, -50, -49]);
});

test('generations are kept by count and by age, and by-hash of what is kept stays', async (t) => {
  await using dir = await tempDir();
  await using scene = await makeScene(dir, {}, { vars: { publish: { keep_generations: 2, keep_for: '1h' } } });
  const { site } = scene;
  for (const n of [1, 2, 3, 4]) await scene.freeze(`s${n}`, { main: [buildDeb({ name: 'px1', version: `${n}` })] });
  const start = Math.floor(Date.now() / 1000) - 100_000;
  const generations = (): string[] => readdirSync(join(site.publicRoot, PREFIX, '.generations/rig')).toSorted();
  const hashes: string[] = [];
  const publishAt = async (args: readonly string[], seconds: number): Promise<void> => {
    await site.json(['publish', ...args], 0, epoch(start + seconds));
    hashes.push(hashOf(join(dists(scene), 'main/binary-amd64/Packages.xz')));
  };
  const reachable = (): boolean[] => hashes.map((hash) => existsSync(join(dists(scene), 'main/binary-amd64/by-hash/SHA256', hash)));

  await publishAt(['snapshot', 's1', '--distribution', 'rig'], 0);
  await publishAt(['switch', 'rig', 's2'], 60);
  await publishAt(['switch', 'rig', 's3'], 120);
  t.deepEqual(generations(), ['1', '2', '3'], 'none is an hour old');
  t.deepEqual(reachable(), [true, true, true]);

  await publishAt(['switch', 'rig', 's4'], 7200);

  t.deepEqual(generations(), ['3', '4'], 'the count keeps one that is old');
  t.deepEqual(reachable(), [false, false, true, true]);
  await site.json(['publish', 'drop', 'rig'], 0, epoch(start + 7300));
  await site.json(['db', 'cleanup'], 0, epoch(start + 10_850));
  t.deepEqual(generations(), ['4'], 'of what is dropped only the age counts, from when it was served last');
  await site.json(['db', 'cleanup'], 0, epoch(start + 20_000));
  t.deepEqual(generations(), []);
});

test('a dropped publication is gone for clients at once, and its files with a later clean-up', async (t) => {
  await using dir = await tempDir();
  await using scene = await makeScene(dir, {}, { vars: { publish: { keep_generations: 1, keep_for: '1s' } } });
  const { site } = scene;
  await scene.freeze('one', { main: [buildDeb({ name: 'px1' })] });
  await site.json(['publish', 'snapshot', 'one', '--distribution', 'rig']);
  await site.json(['publish', 'snapshot', 'one', 'other', '--distribution', 'rig']);
  const pool = join(site.publicRoot, PREFIX, 'pool');
  const files = (folder: string): string[] => readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.deb'));
  const soon = epoch(Math.floor(Date.now() / 1000) + 3600);
  const later = epoch(Math.floor(Date.now() / 1000) + 30 * 3600);

  await site.json(['publish', 'drop', 'rig']);

  t.false(existsSync(dists(scene)));
  t.deepEqual((await site.json<unknown[]>(['publish', 'list'])).length, 1);
  await site.json(['db', 'cleanup'], 0, soon);
  t.is(files(pool).length, 1, 'a client may be downloading');
  await site.json(['db', 'cleanup'], 0, later);
  t.is(files(pool).length, 0);
  t.is(files(join(site.publicRoot, 'other/pool')).length, 1, 'the other prefix keeps its own');
  t.deepEqual((await site.json<{ problems: string[] }>(['db', 'check', '--deep'])).problems, []);
  t.like(await site.json(['publish', 'drop', 'rig'], 10), { error: { code: 'E_NOT_FOUND' } });
});

test('nothing is removed where something is served that the catalog does not know', async (t) => {
  await using dir = await tempDir();
  await using scene = await makeScene(dir, {}, { vars: { publish: { keep_generations: 1, keep_for: '1s' } } });
  const { site } = scene;
  await scene.freeze('one', { main: [buildDeb({ name: 'px1' })] });
  await runCommand('cp', ['-a', site.state, dir.join('backup')]);
  await site.json(['publish', 'snapshot', 'one', '--distribution', 'rig']);
  for (const name of ['catalog.db', 'catalog.db-wal', 'catalog.db-shm']) await runCommand('rm', ['-f', join(site.state, name)]);
  await runCommand('sh', ['-c', `cp -a ${dir.join('backup')}/catalog.db* ${site.state}/`]);
  const before = contentsOf(site.publicRoot);

  const { stderr } = await site.run(['db', 'cleanup'], epoch(Math.floor(Date.now() / 1000) + 30 * 24 * 3600));

  t.regex(stderr, /not in the catalog/);
  t.deepEqual(contentsOf(site.publicRoot), before);
});

test('what is served already is not published again, unless it is no longer there', async (t) => {
  await using dir = await tempDir();
  await using scene = await makeScene(dir);
  const { site } = scene;
  await scene.freeze('one', { main: [buildDeb({ name: 'px1' })] });
  await site.json(['publish', 'snapshot', 'one', '--distribution', 'rig']);
  const served = readlinkSync(dists(scene));

  const again = await site.json<{ changed: boolean }>(['publish', 'switch', 'rig', 'one']);
  t.false(again.changed);
  await runCommand('rm', [dists(scene)]);
  t.true((await site.json<{ problems: string[] }>(['db', 'check'], 3)).problems.join().includes('not what is served'));
  await site.json(['publish', 'switch', 'rig', 'one']);
  t.is(readlinkSync(dists(scene)), served, 'the next change puts the link back');
  await runCommand('rm', ['-rf', join(site.publicRoot, PREFIX, '.generations'), dists(scene)]);
  await site.json(['publish', 'switch', 'rig', 'one']);

  t.deepEqual((await site.json<{ problems: string[] }>(['db', 'check', '--deep'])).problems, []);
});

test('W14 a published file that was changed or removed is named', async (t) => {
  await using dir = await tempDir();
  await using scene = await makeScene(dir);
  const { site } = scene;
  await scene.freeze('one', { main: [buildDeb({ name: 'px1' }), buildDeb({ name: 'px2' })] });
  await site.json(['publish', 'snapshot', 'one', '--distribution', 'rig']);
  const index = join(dists(scene), 'main/binary-amd64/Packages.gz');
  const deb = readdirSync(join(site.publicRoot, PREFIX, 'pool'), { recursive: true, encoding: 'utf8' }).find((name) => name.includes('_px1_')) ?? '';
  await runCommand('rm', ['-f', join(site.publicRoot, PREFIX, 'pool', deb), index]);
  writeFileSync(index, 'something else');

  const { problems } = await site.json<{ problems: string[] }>(['db', 'check', '--deep'], 3);

  t.true(problems.some((problem) => problem.includes('Packages.gz')));
  t.true(problems.some((problem) => problem.includes(deb) && problem.includes('is missing')));
});

test('T01 a snapshot in use is not dropped, and its users are named; an unused one is', async (t) => {
  await using dir = await tempDir();
  await using scene = await makeScene(dir);
  const { site } = scene;
  await scene.freeze('one', { main: [buildDeb({ name: 'px1' })] });
  await scene.freeze('two', { main: [buildDeb({ name: 'px2' })] });
  await site.json(['snapshot', 'merge', 'both', 'one', 'two', '--policy', 'no-remove']);
  await site.json(['publish', 'snapshot', 'both', '--distribution', 'rig']);

  const source = await site.json(['snapshot', 'drop', 'one'], 13);
  const published = await site.json(['snapshot', 'drop', 'both'], 13);

  t.like(source, { error: { code: 'E_IN_USE', details: { users: ['snapshot both'] } } });
  t.like(published, { error: { code: 'E_IN_USE', details: { users: [`publication ${PREFIX}/rig`] } } });
  t.like(await site.json(['snapshot', 'drop', 'none'], 10), { error: { code: 'E_NOT_FOUND' } });
  await site.json(['publish', 'drop', 'rig']);
  for (const name of ['both', 'one', 'two']) await site.json(['snapshot', 'drop', name]);
  t.deepEqual(await site.json(['snapshot', 'list']), []);
});

test('the same version with other bytes is a conflict that names both origins and the way out', async (t) => {
  await using dir = await tempDir();
  await using scene = await makeScene(dir);
  const { site } = scene;
  await scene.freeze('one', { main: [buildDeb({ name: 'px1' })] });
  await scene.freeze('two', { main: [buildDeb({ name: 'px1', files: { 'usr/other': 'bytes' } })] });

  for (const policy of ['no-remove', 'latest', 'replace']) {
    const { error } = await site.json<{ error: { code: string; message: string; hint: string } }>(['snapshot', 'merge', 'both', 'one', 'two', '--policy', policy], 13);
    t.is(error.code, 'E_CONFLICT');
    t.regex(error.message, /px1 1\.0-1 amd64 is [0-9a-f]{12} in one and [0-9a-f]{12} in two/);
    t.regex(error.hint, /aptly_n_mapping/);
  }
  t.deepEqual((await site.json<{ name: string }[]>(['snapshot', 'list'])).map(({ name }) => name), ['one', 'two']);
});

test('W09 two distributions of a prefix share their files, and dropping one leaves the other whole', async (t) => {
  await using dir = await tempDir();
  await using scene = await makeScene(dir, {}, { vars: { publish: { keep_generations: 1, keep_for: '1s' } } });
  const { site } = scene;
  await scene.freeze('one', { main: [buildDeb({ name: 'px1' })] });
  await site.json(['publish', 'snapshot', 'one', '--distribution', 'rig']);
  await site.json(['publish', 'snapshot', 'one', '--distribution', 'rig2']);

  await site.json(['publish', 'drop', 'rig']);
  await site.json(['db', 'cleanup'], 0, epoch(Math.floor(Date.now() / 1000) + 30 * 24 * 3600));

  t.deepEqual(await inspectDistribution(dists(scene, 'rig2'), join(site.publicRoot, PREFIX)), []);
  t.deepEqual((await site.json<{ problems: string[] }>(['db', 'check', '--deep'])).problems, []);
});
