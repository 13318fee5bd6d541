import { existsSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import test from 'ava';
import { buildDeb } from '../rig/deb.ts';
import { runCommand } from '../rig/run.ts';
import { hasCommand, isRoot, testWith } from '../rig/skip.ts';
import { tempDir } from '../rig/temp.ts';
import { contentsOf, hashOf, inspectDistribution, listedFiles } from '../rig/witness.ts';
import { makeScene, PREFIX, type Scene } from './support.ts';

const withApt = testWith(hasCommand('apt-get'), 'needs apt');

const dists = ({ site }: Scene, distribution = 'rig'): string => join(site.publicRoot, PREFIX, 'dists', distribution);
const release = (scene: Scene): string => readFileSync(join(dists(scene), 'Release'), 'utf8');
const dateOf = (scene: Scene): number => Date.parse(/^Date: (.*)$/m.exec(release(scene))?.[1] ?? '');
const epoch = (seconds: number): { env: Record<string, string> } => ({ env: { SOURCE_DATE_EPOCH: String(seconds) } });

test('W11 the same publish twice gives the same bytes', async (t) => {
  await using dir = await tempDir();
  const trees = [];
  for (const name of ['first', 'second']) {
    await using inner = { path: dir.path, join: (...parts: readonly string[]) => dir.join(name, ...parts), [Symbol.asyncDispose]: async () => {} };
    await using scene = await makeScene(inner, { date: new Date('2025-01-01T00:00:00Z') });
    await scene.freeze('one', { main: [buildDeb({ name: 'px1' }), buildDeb({ name: 'px2', architecture: 'all' })] });
    await scene.site.json(['publish', 'snapshot', 'one', '--distribution', 'rig'], 0, epoch(1_700_000_000));
    trees.push(contentsOf(scene.site.publicRoot));
  }

  t.true(Object.keys(trees[0] ?? {}).length > 8);
  t.deepEqual(trees[0], trees[1]);
});

withApt('gz and xz hold the listed bytes, and apt reads either', async (t) => {
  await using dir = await tempDir();
  await using scene = await makeScene(dir);
  await scene.freeze('one', { main: Array.from({ length: 300 }, (_, n) => buildDeb({ name: `px${n}`, fields: { Depends: 'x'.repeat(900) } })) });
  await scene.site.json(['publish', 'snapshot', 'one', '--distribution', 'rig']);

  const listed = new Map(listedFiles(release(scene)).map((file) => [file.path, file]));
  const path = 'main/binary-amd64/Packages';
  const gz = gunzipSync(readFileSync(join(dists(scene), `${path}.gz`)));
  const xz = await runCommand('xz', ['-dc', join(dists(scene), `${path}.xz`)]);
  writeFileSync(dir.join('plain'), gz);

  t.is(gz.toString(), xz.stdout);
  t.like(listed.get(path), { size: gz.length, sha256: hashOf(dir.join('plain')) });
  t.is((await runCommand('xz', ['-t', join(dists(scene), `${path}.xz`)])).status, 0);
  for (const form of ['gz', 'xz']) {
    const client = await scene.client(form, 'rig');
    const { status, stderr } = await client.aptGet(['-o', `Acquire::CompressionTypes::Order::=${form}`, 'update']);
    t.is(status, 0, stderr);
    const { stdout } = await runCommand('apt-cache', ['-o', `Dir::State::lists=${client.folder}/lists`, '-o', `Dir::State::status=${client.folder}/status`, '-o', `Dir::Cache=${client.folder}/cache`, '-o', 'APT::Architecture=amd64', '-o', `Dir::Etc::sourcelist=${client.folder}/sources.list`, '-o', 'Dir::Etc::sourceparts=/dev/null', 'pkgnames']);
    t.is(stdout.trim().split('\n').length, 300, form);
  }
  const asked = scene.published.paths();
  for (const form of ['gz', 'xz']) {
    const hash = listed.get(`${path}.${form}`)?.sha256;
    t.true(asked.some((one) => one.endsWith(`/by-hash/SHA256/${hash}`)), `${form} by hash`);
  }
});

withApt('F13 two architectures have what is for all in both, and each only its own', async (t) => {
  await using dir = await tempDir();
  const architectures = ['amd64', 'arm64'];
  await using scene = await makeScene(dir, { architectures }, { architectures });
  const debs = [buildDeb({ name: 'here' }), buildDeb({ name: 'there', architecture: 'arm64' }), buildDeb({ name: 'both', architecture: 'all' })];
  await scene.freeze('one', { main: debs });
  await scene.site.json(['publish', 'snapshot', 'one', '--distribution', 'rig']);

  const packages = (architecture: string): string[] =>
    [...gunzipSync(readFileSync(join(dists(scene), `main/binary-${architecture}/Packages.gz`))).toString().matchAll(/^Package: (.*)$/gm)].map(([, name]) => name ?? '');

  t.deepEqual(packages('amd64').toSorted(), ['both', 'here']);
  t.deepEqual(packages('arm64').toSorted(), ['both', 'there']);
  t.regex(release(scene), /^Architectures: amd64 arm64$/m);
  for (const architecture of architectures) {
    const client = await scene.client(architecture, 'rig', { architecture });
    await client.update();
    await client.download(['both', architecture === 'amd64' ? 'here' : 'there']);
  }
});

withApt('W08 an empty snapshot is published for the configured architectures, and apt is content', async (t) => {
  await using dir = await tempDir();
  await using scene = await makeScene(dir);
  await scene.freeze('none', { main: [] });
  await scene.site.json(['publish', 'snapshot', 'none', '--distribution', 'rig']);

  await t.notThrowsAsync((await scene.client('client', 'rig')).update());
  t.deepEqual(await inspectDistribution(dists(scene), join(scene.site.publicRoot, PREFIX)), []);
});

withApt('a component of another name stands in the tree, in Release and in what apt asks for', async (t) => {
  await using dir = await tempDir();
  await using scene = await makeScene(dir);
  await scene.freeze('one', { main: [buildDeb({ name: 'px1' })] });
  await scene.site.json(['publish', 'snapshot', 'one', '--distribution', 'rig', '--component', 'extra']);

  const client = await scene.client('client', 'rig', { component: 'extra' });
  await client.update();
  await client.download(['px1']);

  t.regex(release(scene), /^Components: extra$/m);
  t.true(existsSync(join(dists(scene), 'extra/binary-amd64/Packages.xz')));
  t.false(existsSync(join(dists(scene), 'main')));
});

test('stanzas are published as upstream wrote them but for Filename, which holds the digest', async (t) => {
  await using dir = await tempDir();
  await using scene = await makeScene(dir);
  const deb = buildDeb({ name: 'px1', fields: { 'X-Odd-CASE': 'kept', Description: 'short\n a long one\n .\n  indented' } });
  await scene.freeze('one', { main: [deb] });
  await scene.site.json(['publish', 'snapshot', 'one', '--distribution', 'rig']);

  const theirs = scene.upstream.files.get('dists/rig/main/binary-amd64/Packages')?.toString() ?? '';
  const ours = gunzipSync(readFileSync(join(dists(scene), 'main/binary-amd64/Packages.gz'))).toString();

  const place = `pool/${deb.sha256.slice(0, 2)}/${deb.sha256}_px1_1.0-1_amd64.deb`;
  t.is(ours.trimEnd(), theirs.replace(/^Filename: .*$/m, `Filename: ${place}`).trimEnd());
  t.deepEqual(readFileSync(join(scene.site.publicRoot, PREFIX, place)), deb.bytes);
});

testWith(hasCommand('apt-get') && isRoot, 'needs apt, and dpkg -i wants root')('a package fetched from the publication is installed in a scratch root', async (t) => {
  await using dir = await tempDir();
  await using scene = await makeScene(dir);
  await scene.freeze('one', { main: [buildDeb({ name: 'px1', architecture: 'all' })] });
  await scene.site.json(['publish', 'snapshot', 'one', '--distribution', 'rig']);
  await mkdir(dir.join('root/var/lib/dpkg'), { recursive: true });
  writeFileSync(dir.join('root/var/lib/dpkg/status'), '');
  const client = await scene.client('client', 'rig');
  await client.update();
  await client.download(['px1']);

  const deb = readdirSync(`${client.folder}/cache/archives`).find((name) => name.endsWith('.deb')) ?? '';
  const run = await runCommand('dpkg', ['--root', dir.join('root'), '--log=/dev/null', '-i', `${client.folder}/cache/archives/${deb}`]);

  t.is(run.status, 0, run.stderr);
  t.is(readFileSync(dir.join('root/usr/share/px1/version'), 'utf8'), 'px1 1.0-1\n');
});

withApt('publishing faster than once a second does not send Dates into the future of apt', async (t) => {
  await using dir = await tempDir();
  await using scene = await makeScene(dir);
  await scene.freeze('one', { main: [buildDeb({ name: 'px1' })] });
  await scene.freeze('two', { main: [buildDeb({ name: 'px2' })] });
  await scene.site.json(['publish', 'snapshot', 'one', '--distribution', 'rig']);
  const dates = [dateOf(scene)];
  const ahead: number[] = [];

  for (let turn = 0; turn < 8; turn += 1) {
    await scene.site.json(['publish', 'switch', 'rig', turn % 2 === 0 ? 'two' : 'one']);
    dates.push(dateOf(scene));
    ahead.push(dateOf(scene) - Date.now());
  }

  t.deepEqual(dates, [...new Set(dates)].toSorted((a, b) => a - b));
  t.true(Math.max(...ahead) <= 5000, `${ahead.join()} ms ahead`);
  await t.notThrowsAsync((await scene.client('client', 'rig')).update());
});

test('a distribution inside another, and names that mean something else, are refused', async (t) => {
  await using dir = await tempDir();
  await using scene = await makeScene(dir);
  const { site } = scene;
  await scene.freeze('one', { main: [buildDeb({ name: 'px1' })] });
  await site.json(['publish', 'snapshot', 'one', '--distribution', 'rig/updates']);
  await site.json(['publish', 'snapshot', 'one', '--distribution', 'other']);
  const before = contentsOf(site.publicRoot);

  for (const [words, status] of [
    [['one', '--distribution', 'rig'], 13],
    [['one', '--distribution', 'other/updates'], 13],
    [['one', '--distribution', '../up'], 2],
    [['one', 'a/../../b', '--distribution', 'rig2'], 2],
    [['one', 'some/dists', '--distribution', 'rig2'], 2],
    [['one', 'pool', '--distribution', 'rig2'], 2],
  ] as const) {
    await site.json(['publish', 'snapshot', ...words], status);
  }

  t.deepEqual(contentsOf(site.publicRoot), before);
  await site.json(['publish', 'drop', 'other']);
  await site.json(['publish', 'snapshot', 'one', '--distribution', 'other/updates']);
  t.deepEqual((await site.json<{ problems: string[] }>(['db', 'check', '--deep'])).problems, []);
});
