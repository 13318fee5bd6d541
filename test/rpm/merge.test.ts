/** Merging rpm snapshots: the policies of mergerepo_c and of Koji. */
import { buildRpms } from '../rig/rpm.ts';
import { rpmUpstream } from '../rig/rpm-upstream.ts';
import { testWith } from '../rig/skip.ts';
import { tempDir } from '../rig/temp.ts';
import { hasRpmTools, makeRpmScene, NO_RPM_TOOLS } from './support.ts';

const witnessed = testWith(hasRpmTools, NO_RPM_TOOLS);

const SUB = (name: string): string => `%package ${name}\nSummary: a part\n%description ${name}\na part\n%files ${name}\n`;

witnessed('versions of two sources by each policy, and builds kept together', async (t) => {
  await using dir = await tempDir();
  const one = await rpmUpstream(dir, { rpms: await buildRpms(dir, [{ name: 'app', version: '1.10', sections: SUB('tools') }, { name: 'only' }]) }, 'one');
  const two = await rpmUpstream(dir, { rpms: await buildRpms(dir, [{ name: 'app', version: '1.9', sections: SUB('extra') }, { name: 'app', version: '2.0' }, { name: 'other', version: '1.0' }, { name: 'other', version: '2.0' }]) }, 'two');
  await using scene = await makeRpmScene(dir, { one: { upstream: one }, two: { upstream: two } });
  for (const name of ['one', 'two']) {
    t.is((await scene.site.run(['mirror', 'update', name])).status, 0);
    await scene.site.json(['snapshot', 'create', name, '--from-mirror', name]);
  }
  const merged = async (policy: string): Promise<readonly string[]> => {
    const name = `merged-${policy}`;
    await scene.site.json(['snapshot', 'merge', name, 'one', 'two', '--policy', policy]);
    const { stdout } = await scene.site.run(['snapshot', 'search', name]);
    return stdout.trim().split('\n').map((line) => line.replace('_noarch', '')).sort();
  };

  const others = ['only_1.0-1', 'other_1.0-1', 'other_2.0-1'];
  t.deepEqual(await merged('no-remove'), ['app-extra_1.9-1', 'app-tools_1.10-1', 'app_1.10-1', 'app_1.9-1', 'app_2.0-1', ...others]);
  t.deepEqual(await merged('latest'), ['app-extra_1.9-1', 'app-tools_1.10-1', 'app_2.0-1', 'only_1.0-1', 'other_2.0-1']);
  t.deepEqual(await merged('first'), ['app-extra_1.9-1', 'app-tools_1.10-1', 'app_1.10-1', ...others]);
  t.deepEqual(await merged('source'), ['app-tools_1.10-1', 'app_1.10-1', 'only_1.0-1', 'other_2.0-1']);
});

witnessed('one version with other bytes is a conflict that names both sources', async (t) => {
  await using dir = await tempDir();
  const one = await rpmUpstream(dir, { rpms: await buildRpms(dir, [{ name: 'app' }]) }, 'one');
  const two = await rpmUpstream(dir, { rpms: await buildRpms(dir, [{ name: 'app', files: { '/usr/share/app/other': 'x' } }]) }, 'two');
  await using scene = await makeRpmScene(dir, { one: { upstream: one }, two: { upstream: two } });

  const { status, stdout } = await scene.site.run(['build', '--release', 'r1.0.0', '--json']);

  t.is(status, 3);
  t.regex(stdout, /app 1\.0-1 noarch is [0-9a-f]{12}.* in slushie-r1\.0\.0-one and [0-9a-f]{12}.* in slushie-r1\.0\.0-two/);
});
