/** A release with an rpm part, from upstreams made by createrepo_c to a root that dnf installs from it. */
import { existsSync } from 'node:fs';
import { buildRpms } from '../rig/rpm.ts';
import { rpmUpstream } from '../rig/rpm-upstream.ts';
import { runCommand } from '../rig/run.ts';
import { testWith } from '../rig/skip.ts';
import { tempDir } from '../rig/temp.ts';
import { hasRpmTools, makeRpmScene, NO_RPM_TOOLS } from './support.ts';

const witnessed = testWith(hasRpmTools, NO_RPM_TOOLS);

witnessed('dnf installs from a release that was mirrored, frozen, merged and published', async (t) => {
  await using dir = await tempDir();
  const rpms = await buildRpms(dir, [
    { name: 'alpha', lines: ['Requires: beta >= 1.0, /usr/share/beta/data'] },
    { name: 'beta', version: '2.0~rc1', arch: 'x86_64', files: { '/usr/share/beta/data': 'b', '/usr/bin/beta': 'x' } },
    { name: 'gamma', arch: 'i686' },
    { name: 'delta', source: true },
  ]);
  const [first, second] = [rpms.filter(({ fileName }) => /^[ag]/.test(fileName)), rpms.filter(({ fileName }) => /^[bd]/.test(fileName))];
  const base = await rpmUpstream(dir, { rpms: first }, 'base');
  const extras = await rpmUpstream(dir, { rpms: second, args: ['--general-compress-type=xz'] }, 'extras');
  await using scene = await makeRpmScene(dir, { base: { upstream: base }, extras: { upstream: extras, extra: { with_sources: true } } });

  const built = await scene.site.json<{ result: string; nodes: readonly { id: string; state: string; detail: string }[] }>(['build', '--release', 'r1.0.0']);
  t.is(built.result, 'done', JSON.stringify(built.nodes));
  const again = await scene.site.json<{ result: string }>(['build', '--release', 'r1.0.0']);
  t.is(again.result, 'unchanged');

  const folder = `${scene.site.publicRoot}/rpm-mirror/integrated/r1.0.0-el9`;
  t.true(existsSync(`${folder}/x86_64/repodata/repomd.xml.asc`));
  t.true(existsSync(`${folder}/source/repodata/repomd.xml`));
  t.false(existsSync(`${folder}/i686`));

  const client = await scene.client('client', 'rpm-mirror/integrated/r1.0.0-el9/x86_64');
  t.deepEqual((await client.ok(['repoquery', '-q', '--all'])).trim().split('\n').sort(), [
    'alpha-0:1.0-1.noarch',
    'beta-0:2.0~rc1-1.x86_64',
    'delta-0:1.0-1.noarch',
    'gamma-0:1.0-1.i686',
  ]);
  t.regex(await client.ok(['repoquery', '-q', '-l', 'beta']), /\/usr\/share\/beta\/data/);
  await client.ok(['install', 'alpha']);
  t.true(existsSync(`${client.root}/usr/share/beta/data`));
  await client.ok(['repoclosure']);

  const verified = await scene.site.run(['publish', 'verify', 'r1.0.0-el9', 'rpm-mirror/integrated']);
  t.is(verified.status, 0, verified.stdout);
  t.regex(verified.stdout, / 5 packages: no problems/);
  t.is((await scene.site.run(['db', 'check', '--deep'])).status, 0);
  const { stdout } = await runCommand('xmllint', ['--noout', `${folder}/x86_64/repodata/repomd.xml`]);
  t.is(stdout, '');
});
