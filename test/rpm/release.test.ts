/** A release with an rpm part, from upstreams made by createrepo_c to a root that dnf installs from it. */
import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { buildDeb } from '../rig/deb.ts';
import { rigKey } from '../rig/key.ts';
import { buildRpms } from '../rig/rpm.ts';
import { rpmUpstream } from '../rig/rpm-upstream.ts';
import { runCommand } from '../rig/run.ts';
import { serve } from '../rig/server.ts';
import { testWith } from '../rig/skip.ts';
import { tempDir } from '../rig/temp.ts';
import { aptUpstream } from '../rig/upstream.ts';
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

witnessed('apt and rpm stand side by side in one release, and either is built alone', async (t) => {
  await using dir = await tempDir();
  const upstream = await rpmUpstream(dir, { rpms: await buildRpms(dir, [{ name: 'alpha' }]) });
  const debian = await aptUpstream({ components: { main: [buildDeb({ name: 'hello', version: '1.0-1' })] } });
  await using server = await serve(debian.files);
  await using scene = await makeRpmScene(
    dir,
    { up: { upstream } },
    { mirrors: { deb: { upstream: debian, url: server.url } }, miko: { r1: { rig: ['deb'] } }, releases: { 'r1.0.0': { codenames: ['rig', 'el9'] } } },
  );
  interface Built {
    readonly nodes: readonly { readonly id: string }[];
  }

  const only = await scene.site.json<Built>(['build', '--release', 'r1.0.0', '--only', 'rpm']);
  t.true(only.nodes.some(({ id }) => id === 'publish rpm-mirror/integrated r1.0.0-el9'));
  t.false(only.nodes.some(({ id }) => id.includes('apt-mirror')));
  await scene.site.json(['build', '--release', 'r1.0.0']);

  const folder = `${scene.site.publicRoot}/releases/r1.0.0/latest`;
  const manifest = JSON.parse(readFileSync(`${folder}/manifest.json`, 'utf8')) as { files: readonly { path: string; sha256: string }[] };
  const paths = manifest.files.map(({ path }) => path);
  t.true(paths.includes('apt-mirror/integrated/dists/r1.0.0-rig/InRelease'));
  t.true(paths.includes('rpm-mirror/integrated/r1.0.0-el9/x86_64/repodata/repomd.xml'));
  t.true(paths.some((path) => /^rpm-mirror\/integrated\/r1\.0\.0-el9\/x86_64\/pool\/.*_alpha-1\.0-1\.noarch\.rpm$/.test(path)));
  for (const { path, sha256 } of manifest.files) {
    t.is(createHash('sha256').update(readFileSync(`${scene.site.publicRoot}/${path}`)).digest('hex'), sha256, path);
  }
  t.is((await scene.site.run(['publish', 'verify'])).status, 0);
  t.is((await scene.site.run(['db', 'cleanup'])).status, 0);
  t.is((await scene.site.run(['publish', 'verify'])).status, 0);

  const { fingerprint } = await rigKey('site');
  const staged = await scene.site.run(['stage', '--release', 'r1.0.0', '--from', scene.site.publicRoot, '--to', dir.join('staged'), '--key', fingerprint]);
  t.is(staged.status, 0, staged.stderr);
  for (const top of ['apt-mirror', 'rpm-mirror']) t.true(existsSync(dir.join('staged', top, 'release-signing-key.asc')), top);
});

witnessed('a client in the middle of a generation goes on with it after the next is published', async (t) => {
  await using dir = await tempDir();
  const [alpha, beta] = await buildRpms(dir, [{ name: 'alpha' }, { name: 'beta' }]);
  const upstream = await rpmUpstream(dir, { rpms: [alpha].flatMap((rpm) => rpm ?? []) });
  await using scene = await makeRpmScene(dir, { up: { upstream } });
  await scene.site.json(['build', '--release', 'r1.0.0']);
  const repodata = `${scene.site.publicRoot}/rpm-mirror/integrated/r1.0.0-el9/x86_64/repodata`;
  const before = readdirSync(repodata).filter((name) => !name.startsWith('repomd'));

  await upstream.republish({ rpms: [alpha, beta].flatMap((rpm) => rpm ?? []) });
  await scene.site.json(['build', '--release', 'r1.0.0', '--replace']);

  const after = readdirSync(repodata);
  t.deepEqual(before.filter((name) => !after.includes(name)), []);
  t.true(after.length > before.length + 2);
  const client = await scene.client('client', 'rpm-mirror/integrated/r1.0.0-el9/x86_64');
  t.is((await client.ok(['repoquery', '-q', '--all'])).trim().split('\n').length, 2);
});
