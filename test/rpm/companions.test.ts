/** Supplements and Enhances: what comes along is what dnf installs. */
import { buildRpms } from '../rig/rpm.ts';
import { rpmUpstream } from '../rig/rpm-upstream.ts';
import { testWith } from '../rig/skip.ts';
import { tempDir } from '../rig/temp.ts';
import { hasRpmTools, makeRpmScene, NO_RPM_TOOLS } from './support.ts';

const witnessed = testWith(hasRpmTools, NO_RPM_TOOLS);

witnessed('closures bring what dnf brings, and by Enhances what it leaves', async (t) => {
  t.timeout(180_000);
  await using dir = await tempDir();
  const rpms = await buildRpms(dir, [
    { name: 'app', lines: ['Recommends: nice'] },
    { name: 'nice', arch: 'x86_64' },
    ...['base', 'other'].map((name) => ({ name })),
    { name: 'lang', lines: ['Supplements: app', 'Requires: base', 'Provides: virtual = 2'] },
    { name: 'chained', lines: ['Supplements: (virtual >= 2)'] },
    { name: 'both', lines: ['Supplements: (app and nice)'] },
    { name: 'half', lines: ['Supplements: (app and other)'] },
    { name: 'either', lines: ['Supplements: (other or nice)'] },
    { name: 'later', lines: ['Supplements: app >= 2'] },
    { name: 'second', lines: ['Supplements: nowhere', 'Supplements: base'] },
    { name: 'path', lines: ['Supplements: /usr/share/app/about'] },
    { name: 'twice', lines: ['Supplements: app'] },
    { name: 'twice', version: '2.0', lines: ['Supplements: app'] },
    { name: 'enhancing', lines: ['Enhances: app'] },
    { name: 'foreign', arch: 'aarch64', lines: ['Supplements: app'] },
  ]);
  const upstream = await rpmUpstream(dir, { rpms });
  await using scene = await makeRpmScene(dir, { up: { upstream } });
  await scene.site.json(['build', '--release', 'r1.0.0']);
  const client = await scene.client('client', 'rpm-mirror/integrated/r1.0.0-el9/x86_64');
  const closed = async (name: string, words: readonly string[]): Promise<readonly string[]> => {
    const { status, stderr } = await scene.site.run(['snapshot', 'filter', 'miko-r1.0.0-el9', name, 'app', '--with-deps', '--architectures', 'x86_64', ...words]);
    t.is(status, 0, stderr);
    const { stdout } = await scene.site.run(['snapshot', 'search', name]);
    return stdout.trim().split('\n').map((line) => line.replace(/\.\w+$/, '')).sort();
  };

  await client.ok(['install', '--setopt=install_weak_deps=True', 'app']);
  const installed = (await client.ok(['repoquery', '-q', '--installed', '--qf', '%{name}-%{version}-%{release}\n'])).split('\n').filter((line) => line !== '').sort();

  t.deepEqual(await closed('recommended', ['--follow-recommends']), installed);
  t.deepEqual(installed, ['app-1.0-1', 'base-1.0-1', 'both-1.0-1', 'chained-1.0-1', 'either-1.0-1', 'lang-1.0-1', 'nice-1.0-1', 'path-1.0-1', 'second-1.0-1', 'twice-2.0-1']);
  t.deepEqual(await closed('suggested', ['--follow-suggests']), ['app-1.0-1', 'enhancing-1.0-1']);
  t.deepEqual(await closed('needed', []), ['app-1.0-1']);
});
