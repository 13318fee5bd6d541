/** What deployers do with a release that has rpms: overrides, a staged copy, a pushed one, and dnf's own commands on each. */
import { existsSync, readFileSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { dnfClient } from '../rig/dnf.ts';
import { rigKey } from '../rig/key.ts';
import { buildRpms } from '../rig/rpm.ts';
import { rpmUpstream } from '../rig/rpm-upstream.ts';
import { runCommand } from '../rig/run.ts';
import { serve } from '../rig/server.ts';
import { testWith } from '../rig/skip.ts';
import { tempDir, type TempDir } from '../rig/temp.ts';
import { hasRpmTools, makeRpmScene, NO_RPM_TOOLS, type RpmScene } from './support.ts';

const hasPlugins = hasRpmTools && (await runCommand('dnf', ['builddep', '--help'])).status === 0;
const witnessed = testWith(hasPlugins, `${NO_RPM_TOOLS}, or dnf-plugins-core`);

const REPOSITORY = 'rpm-mirror/integrated/r1.0.0-el9/x86_64';

const COMPS = `<?xml version="1.0" encoding="UTF-8"?>
<comps><group><id>platform</id><name>The platform</name><description>all of it</description><default>true</default><uservisible>true</uservisible>
<packagelist><packagereq type="mandatory">app</packagereq></packagelist></group></comps>
`;

const UPDATES = `<?xml version="1.0" encoding="UTF-8"?>
<updates><update from="sec@example.invalid" status="final" type="security" version="1"><id>RIG-2026:1</id><title>app</title>
<issued date="2026-01-01 00:00:00"/><severity>Important</severity><summary>s</summary><description>d</description>
<pkglist><collection short="c"><name>c</name><package name="app" version="1.1" release="1" epoch="0" arch="noarch" src="app-1.1-1.src.rpm"><filename>app-1.1-1.noarch.rpm</filename></package></collection></pkglist></update></updates>
`;

async function makeScene(dir: TempDir): Promise<RpmScene> {
  const rpms = await buildRpms(dir, [
    { name: 'app', lines: ['Requires: lib >= 1'] },
    { name: 'app', version: '1.1', lines: ['Requires: lib >= 1', 'BuildRequires: lib-devel'], source: true },
    { name: 'lib', arch: 'x86_64' },
    { name: 'lib-devel', lines: ['Requires: lib'] },
  ]);
  const upstream = await rpmUpstream(dir, { rpms, metadata: { 'group.xml': COMPS, 'updateinfo.xml': UPDATES } });
  const scene = await makeRpmScene(dir, { up: { upstream, extra: { with_sources: true } } }, { vars: { targets: [{ name: 'copy', type: 'local', path: dir.join('copy') }] } });
  await scene.site.json(['build', '--release', 'r1.0.0']);
  return scene;
}

witnessed("dnf's commands work on what is published: groups, advisories, build needs, closure, sources", async (t) => {
  await using dir = await tempDir();
  await using scene = await makeScene(dir);
  const client = await scene.client('client', REPOSITORY);
  await writeFile(dir.join('x.spec'), 'Name: x\nVersion: 1\nRelease: 1\nSummary: x\nLicense: MIT\nBuildRequires: lib-devel\n%description\nx\n');

  t.regex(await client.ok(['-v', 'group', 'list']), /The platform \(platform\)/);
  await client.ok(['group', 'install', 'platform']);
  t.true(existsSync(`${client.root}/usr/share/lib/about`));
  await client.ok(['downgrade', 'app-1.0']);
  t.regex(await client.ok(['updateinfo', 'list']), /RIG-2026:1\s+Important\/Sec\.\s+app-1\.1-1\.noarch/);
  await client.ok(['upgrade', '--security']);
  t.is(readFileSync(`${client.root}/usr/share/app/about`, 'utf8'), 'app 1.1-1\n');
  await client.ok(['builddep', dir.join('x.spec')]);
  t.true(existsSync(`${client.root}/usr/share/lib-devel/about`));
  await client.ok(['repoclosure']);
  const sources = await scene.client('sources', 'rpm-mirror/integrated/r1.0.0-el9/source');
  t.is((await sources.ok(['repoquery', '-q', '--all', '--arch', 'src'])).trim(), 'app-0:1.1-1.src');
  t.is((await client.ok(['repoquery', '-q', '--whatrequires', 'lib'])).trim().split('\n').sort().join(' '), 'app-0:1.0-1.noarch app-0:1.1-1.noarch lib-devel-0:1.0-1.noarch');
});

witnessed('overrides, a staged copy and a pushed one: dnf installs from each by the written .repo file and key', async (t) => {
  await using dir = await tempDir();
  await using scene = await makeScene(dir);
  const { fingerprint } = await rigKey('site');
  const staged = ['stage', '--release', 'r1.0.0', '--from', scene.published.url, '--to', dir.join('staged'), '--key', fingerprint];

  await scene.site.json(staged);
  t.is((await scene.site.json<{ result: string }>(staged)).result, 'unchanged');
  t.is((await scene.site.run([...staged, '--check'])).status, 0);
  await scene.site.json([...staged.map((word) => word.replace(dir.join('staged'), dir.join('part'))), '--only', 'rpm']);
  t.is((await scene.site.run(['push', '--release', 'r1.0.0'])).status, 0);

  for (const place of [scene.site.publicRoot, dir.join('staged'), dir.join('part'), dir.join('copy')]) {
    await using server = await serve(place);
    const name = place.slice(place.lastIndexOf('/') + 1);
    const to = dir.join(`overrides-${name}`);
    await scene.site.json(['overrides', '--release', 'r1.0.0', '--mode', 'strict', '--base-url', server.url, '--to', to]);
    const client = await dnfClient(dir, `client-${name}`, []);
    await useOverrides(to, dir.join(`repos-${name}`));
    const settings = [`--setopt=reposdir=${dir.join(`repos-${name}`)}`];

    await client.ok([...settings, 'install', 'app']);

    t.is(readFileSync(`${client.root}/usr/share/app/about`, 'utf8'), 'app 1.1-1\n', name);
    t.regex(await client.ok([...settings, 'repolist', '--all']), /r1-0-0-el9-source.* disabled|r1\.0\.0-el9-source .*disabled/);
    t.deepEqual(server.paths().filter((path) => path.includes('/source/')), []);
  }
});

witnessed('a copy that was changed on the way is refused by dnf, by the key of the overrides', async (t) => {
  await using dir = await tempDir();
  await using scene = await makeScene(dir);
  const repomd = readFileSync(join(scene.site.publicRoot, REPOSITORY, 'repodata/repomd.xml'), 'utf8');
  const files = new Map([['repodata/repomd.xml', Buffer.from(`${repomd}\n`)], ['repodata/repomd.xml.asc', readFileSync(join(scene.site.publicRoot, REPOSITORY, 'repodata/repomd.xml.asc'))]]);
  await using server = await serve(new Map([...files].map(([path, bytes]) => [`${REPOSITORY}/${path}`, bytes])));
  await scene.site.json(['overrides', '--release', 'r1.0.0', '--mode', 'loose', '--base-url', server.url, '--to', dir.join('overrides')]);
  await useOverrides(dir.join('overrides'), dir.join('repos'));
  const client = await dnfClient(dir, 'client', []);

  const { status, stderr } = await client.run([`--setopt=reposdir=${dir.join('repos')}`, 'makecache']);

  t.not(status, 0);
  t.regex(stderr, /Bad GPG signature/);
});

/** Puts the files where a deployer would, but for the key: dnf must not look into this machine's own /etc. */
async function useOverrides(from: string, reposdir: string): Promise<void> {
  await mkdir(reposdir);
  const settings = readFileSync(join(from, 'dnf/el9/x86_64/rpco.repo'), 'utf8');
  await writeFile(join(reposdir, 'rpco.repo'), settings.replaceAll('file:///etc/pki/rpm-gpg/', `file://${join(from, 'dnf')}/`));
}
