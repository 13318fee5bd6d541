/** What people call rpm packages, wherever a query can stand: dnf is asked for the same. */
import { buildRpms } from '../rig/rpm.ts';
import { dnfClient } from '../rig/dnf.ts';
import { rpmUpstream } from '../rig/rpm-upstream.ts';
import { testWith } from '../rig/skip.ts';
import { tempDir } from '../rig/temp.ts';
import { hasRpmTools, makeRpmScene, NO_RPM_TOOLS } from './support.ts';

const witnessed = testWith(hasRpmTools, NO_RPM_TOOLS);

/** Names that end like versions and architectures, and one that looks like a field. */
const PACKAGES = [
  { name: 'foo', version: '1' },
  { name: 'foo', version: '2', release: '3', arch: 'x86_64', lines: ['Epoch: 1'] },
  { name: 'foo', version: '1.0~rc1', release: '1.el9' },
  { name: 'foo-1', version: '1' },
  { name: 'foo-1-1', version: '2' },
  { name: 'foo.x86_64', version: '1' },
  { name: 'my_pkg_x', version: '1' },
  { name: 'ImageMagick', version: '7', lines: ['Provides: magick'] },
  { name: 'Summary', version: '7', files: { '/usr/share/x': 'x' } },
];

const SPECS = [
  'foo', 'foo.noarch', 'foo.x86_64', 'foo.i686', 'foo-1', 'foo-2', 'foo-1:2', 'foo-2:2', 'foo-1-1', 'foo-2-3', 'foo-0:1-1', 'foo-01:2-3', 'foo-1:2-3.x86_64',
  'foo-1-1.noarch', 'foo-1-1-2-1.noarch', 'foo-1.0~rc1-1.el9.noarch', 'foo-1.0~rc1', 'my_pkg_x', 'my_pkg_x-1-1.noarch', 'ImageMagick', 'ImageMagick-7', 'ImageMagick-7-1.noarch',
  'f*', '*.x86_64', 'foo-*', 'foo-2*', 'foo-1.*', 'foo-[12]-?.*', 'foo-[1-2]-3.x86_64', 'foo-1:[1-2]-3.x86_64', 'foo-0:[1-2]-1.noarch', '*:2-*', '*-7-1', '?mage*-7-1.no*', '*', 'foo[', 'nothing', 'foo-9-9.noarch',
];

witnessed('a word means of a repository what it means to dnf', async (t) => {
  t.timeout(300_000);
  await using dir = await tempDir();
  const upstream = await rpmUpstream(dir, { rpms: await buildRpms(dir, PACKAGES) });
  await using scene = await makeRpmScene(dir, { all: { upstream }, few: { upstream, extra: { filter: 'foo-1-1.noarch | foo-1:2-3.x86_64 | ImageMagick-7 | my_pkg_x-1*' } } });
  const { site } = scene;
  for (const name of ['all', 'few']) t.is((await site.run(['mirror', 'update', name])).status, 0);
  const client = await dnfClient(dir, 'dnf', [{ id: 'up', url: scene.servers.get('all')?.url ?? '' }]);
  const search = async (holder: readonly string[], spec: string): Promise<string[]> =>
    (await site.json<{ package: string }[]>([...holder, spec])).map((one) => one.package).sort();

  let meant = 0;
  for (const spec of SPECS) {
    const theirs = (await client.ok(['repoquery', '-q', '--qf', '%{name}-%{evr}.%{arch}', spec])).trim().split('\n').filter((line) => line !== '').sort();
    t.deepEqual(await search(['mirror', 'search', 'all'], spec), theirs, spec);
    meant += theirs.length;
  }
  t.true(meant > 50, `${meant}`);
  t.deepEqual(await search(['mirror', 'search', 'few'], 'Name'), ['ImageMagick-7-1.noarch', 'foo-1-1.noarch', 'foo-1:2-3.x86_64', 'my_pkg_x-1-1.noarch']);

  // Fields are fields still, conditions make a word a package, and what is provided counts where dnf installs.
  t.is((await search(['mirror', 'search', 'all'], 'Summary')).length, PACKAGES.length);
  t.deepEqual(await search(['mirror', 'search', 'all'], '"Summary"'), ['Summary-7-1.noarch']);
  t.deepEqual(await search(['mirror', 'search', 'all'], 'ImageMagick (>= 7)'), ['ImageMagick-7-1.noarch']);
  t.deepEqual(await search(['mirror', 'search', 'all'], 'magick'), ['ImageMagick-7-1.noarch']);
  t.deepEqual(await search(['mirror', 'search', 'all'], 'foo, !foo.noarch'), ['foo-1:2-3.x86_64']);

  // Whatever a search prints is a query for exactly that.
  for (const found of await search(['mirror', 'search', 'all'], 'Name')) t.deepEqual(await search(['mirror', 'search', 'all'], found), [found]);

  await site.json(['repo', 'create', 'ours', '--format', 'rpm']);
  t.regex((await site.run(['repo', 'import', 'all', 'ours', 'f*', 'ImageMagick'])).stdout, /^\+ foo-1\.0~rc1-1\.el9\.noarch$/m);
  t.is((await site.run(['repo', 'remove', 'ours', 'foo-1-1.noarch', 'foo-2-3'])).stdout, '- foo-1-1.noarch\n- foo-1:2-3.x86_64\nRepository ours: 5 packages.\n');
  t.is((await site.run(['repo', 'remove', 'ours', 'foo_2-3_x86_64'])).stdout.split('\n')[0], 'No package of it is what these queries mean: nothing is removed.');
  await site.json(['snapshot', 'create', 'all', '--from-mirror', 'all']);
  await site.json(['snapshot', 'filter', 'all', 'some', 'foo-1:2-3.x86_64']);
  t.deepEqual(await search(['snapshot', 'search', 'some'], 'Name'), ['foo-1:2-3.x86_64']);
  const shown = await site.json<{ package: string }[]>(['package', 'show', 'foo-1-1.noarch']);
  t.deepEqual(shown.map((one) => one.package), ['foo-1-1.noarch']);
  t.deepEqual((await site.json<{ package: string }[]>(['package', 'show', 'foo-1:2-3.x86_64', '--snapshot', 'some'])).map((one) => one.package), ['foo-1:2-3.x86_64']);
  t.is((await site.run(['package', 'show', 'magick'])).status, 10, 'what merely provides it is not shown');
});
