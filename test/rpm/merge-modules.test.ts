/** Merging repositories with modules: their packages neither push out others nor are pushed out. */
import { buildRpms, type RpmSpec } from '../rig/rpm.ts';
import { rpmUpstream } from '../rig/rpm-upstream.ts';
import { testWith } from '../rig/skip.ts';
import { tempDir } from '../rig/temp.ts';
import { hasRpmTools, makeRpmScene, modulesYaml, NO_RPM_TOOLS } from './support.ts';

const witnessed = testWith(hasRpmTools, NO_RPM_TOOLS);

const MODULES = modulesYaml('m', ['high-1:9.0-1.module.noarch', 'low-0:1.0-1.module.noarch', 'twice-0:1.0-1.module.noarch', 'twice-0:1.1-1.module.noarch']);

const PLAIN: readonly RpmSpec[] = [{ name: 'low', version: '2.0' }, { name: 'high', version: '3.0' }, { name: 'twice', version: '5.0' }];
const MODULAR: readonly RpmSpec[] = [
  { name: 'low', version: '1.0', release: '1.module' },
  { name: 'low', version: '1.5' },
  { name: 'high', version: '9.0', release: '1.module', lines: ['Epoch: 1'] },
  { name: 'twice', version: '1.0', release: '1.module' },
  { name: 'twice', version: '1.1', release: '1.module' },
];

const OF_MODULES = ['high-1:9.0-1.module', 'low-1.0-1.module', 'twice-1.0-1.module', 'twice-1.1-1.module'];

/** What each policy leaves of the packages outside of modules, by which repository comes first. */
const OTHERS: Readonly<Record<string, Readonly<Record<'plain' | 'modular', readonly string[]>>>> = {
  'no-remove': { plain: ['high-3.0-1', 'low-1.5-1', 'low-2.0-1', 'twice-5.0-1'], modular: ['high-3.0-1', 'low-1.5-1', 'low-2.0-1', 'twice-5.0-1'] },
  latest: { plain: ['high-3.0-1', 'low-2.0-1', 'twice-5.0-1'], modular: ['high-3.0-1', 'low-2.0-1', 'twice-5.0-1'] },
  first: { plain: ['high-3.0-1', 'low-2.0-1', 'twice-5.0-1'], modular: ['high-3.0-1', 'low-1.5-1', 'twice-5.0-1'] },
  replace: { plain: ['high-3.0-1', 'low-1.5-1', 'twice-5.0-1'], modular: ['high-3.0-1', 'low-2.0-1', 'twice-5.0-1'] },
  newest: { plain: ['high-3.0-1', 'low-1.5-1', 'twice-5.0-1'], modular: ['high-3.0-1', 'low-1.5-1', 'twice-5.0-1'] },
  source: { plain: ['high-3.0-1', 'low-2.0-1', 'twice-5.0-1'], modular: ['high-3.0-1', 'low-1.5-1', 'twice-5.0-1'] },
};

witnessed('packages of modules stay by every policy and push out none, and dnf finds both', async (t) => {
  await using dir = await tempDir();
  const [before, after] = [new Date(Date.now() - 86_400_000), new Date(Date.now() - 3600_000)];
  const plain = await rpmUpstream(dir, { rpms: await buildRpms(dir, PLAIN), date: before }, 'plain');
  const modular = await rpmUpstream(dir, { rpms: await buildRpms(dir, MODULAR), metadata: { 'modules.yaml': MODULES }, date: after }, 'modular');
  await using scene = await makeRpmScene(dir, { plain: { upstream: plain }, modular: { upstream: modular } }, { vars: { rpm_merge_policy: 'latest' } });
  for (const name of ['plain', 'modular']) {
    t.is((await scene.site.run(['mirror', 'update', name])).status, 0);
    await scene.site.json(['snapshot', 'create', name, '--from-mirror', name]);
  }

  for (const [policy, expected] of Object.entries(OTHERS)) {
    for (const [first, second] of [['plain', 'modular'], ['modular', 'plain']] as const) {
      const id = `${policy}-${first}`;
      await scene.site.json(['snapshot', 'merge', id, first, second, '--policy', policy]);
      const { stdout } = await scene.site.run(['snapshot', 'search', id]);
      const found = stdout.trim().split('\n').map((line) => line.replace('.noarch', ''));

      t.deepEqual(found.sort(), [...expected[first], ...OF_MODULES].sort(), id);
    }
  }

  const built = await scene.site.run(['build', '--release', 'r1.0.0']);
  t.is(built.status, 0, built.stderr);
  const client = await scene.client('dnf', 'rpm-mirror/integrated/r1.0.0-el9/x86_64');
  t.regex(await client.ok(['install', 'low']), /low\s+noarch\s+2\.0-1 /);
  await client.ok(['module', 'enable', 'm:1.10']);
  t.regex(await client.ok(['install', 'high', 'twice']), /high\s+noarch\s+1:9\.0-1\.module [^]*twice\s+noarch\s+1\.1-1\.module /);
});
