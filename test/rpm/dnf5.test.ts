/** dnf5 as the witness of what is published for any client and for `el8`: both signatures are required of it. */
import { existsSync, readFileSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { rigKey } from '../rig/key.ts';
import { newerTools } from '../rig/newer-tools.ts';
import { hasRpmUpstream, NO_RPM_UPSTREAM } from '../rig/rpm-upstream.ts';
import type { RunResult } from '../rig/run.ts';
import { serve } from '../rig/server.ts';
import { testWith } from '../rig/skip.ts';
import { tempDir, type TempDir } from '../rig/temp.ts';
import { makeNewerScene, metadataOf, tamperedMetadata } from './newer-support.ts';

const { run: runNewer, reason } = await newerTools();
const witnessed = testWith(runNewer !== undefined && hasRpmUpstream, reason ?? NO_RPM_UPSTREAM);

const repository = (codename: string): string => `rpm-mirror/integrated/r1.0.0-${codename}/x86_64`;

interface Dnf5Client {
  /** The root that packages are installed into. */
  readonly root: string;
  run(args: readonly string[]): Promise<RunResult>;
  /** The same; throws unless it ends well. Returns what it printed. */
  ok(args: readonly string[]): Promise<string>;
}

async function dnf5Client(dir: TempDir, name: string, url: string): Promise<Dnf5Client> {
  const folder = dir.join(name);
  const root = `${folder}/root`;
  await mkdir(`${folder}/repos`, { recursive: true });
  await mkdir(root);
  await writeFile(`${folder}/site.asc`, (await rigKey('site')).publicKey);
  await writeFile(`${folder}/dnf.conf`, `[main]\nreposdir=${folder}/repos\nlogdir=${folder}/log\nmetadata_expire=0\nplugins=0\n`);
  await writeFile(`${folder}/repos/release.repo`, `[release]\nname=release\nbaseurl=${url}\ngpgcheck=1\nrepo_gpgcheck=1\ngpgkey=file://${folder}/site.asc\n`);
  const settings = [`--config=${folder}/dnf.conf`, '--use-host-config', `--installroot=${root}`, '--releasever=9', '--forcearch=x86_64', '-y'];
  const run = (args: readonly string[]): Promise<RunResult> => runNewer!('dnf5', [...settings, ...args], { env: { HOME: folder } });
  return {
    root,
    run,
    ok: async (args) => {
      const result = await run(args);
      if (result.status !== 0) throw new Error(`dnf5 ${args.join(' ')} ended with ${result.status}:\n${result.stdout}\n${result.stderr}`);
      return result.stdout;
    },
  };
}

witnessed('dnf5 checks, lists and installs what is published for any client and for el8, and refuses what was changed or not signed', async (t) => {
  await using dir = await tempDir();
  await using scene = await makeNewerScene(dir, { other: 'any', el9: 'el8' });
  for (const codename of ['other', 'el9']) {
    const client = await dnf5Client(dir, codename, `${scene.published.url}/${repository(codename)}`);
    await client.ok(['makecache']);
    t.deepEqual((await client.ok(['repoquery', '--qf', '%{name}-%{version}\n'])).trim().split('\n').sort(), ['app-1.0', 'app-1.1', 'big-1.0', 'lib-1.0', 'manual-1.0', 'plugin-1.0'], codename);
    t.is((await client.ok(['repoquery', '-l', 'big'])).trim().split('\n').length, 200);
    t.regex(await client.ok(['group', 'list']), /platform +The platform/);
    t.regex(await client.ok(['module', 'list']), /flow +1\.10 /);
    t.regex(await client.ok(['repoquery', '--changelogs', 'app-1.1']), /- Safer/);

    await client.ok(['install', 'app-1.0']);
    for (const name of ['app', 'lib', 'manual', 'plugin']) t.true(existsSync(`${client.root}/usr/share/${name}/about`), name);
    t.regex(await client.ok(['advisory', 'list']), /RIG-2026:1 +security +important +app-1\.1-1\.noarch/);
    await client.ok(['upgrade', '--advisory-severities=important']);
    t.is(readFileSync(`${client.root}/usr/share/app/about`, 'utf8'), 'app 1.1-1\n');
    await client.ok(['module', 'enable', 'flow:1.10']);
    t.regex((await client.run(['install', 'base'])).stderr, /The package is not signed/);

    await using server = await serve(tamperedMetadata(scene, repository(codename)));
    const cheated = await dnf5Client(dir, `${codename}-cheated`, server.url);
    t.not((await cheated.run(['makecache'])).status, 0);
  }

  const before = metadataOf(scene, repository('other'));
  await scene.site.json(['publish', 'update', 'r1.0.0-other', 'rpm-mirror/integrated', '--clients', 'el8']);
  for (const [path, bytes] of before) {
    if (/repomd\.xml/.test(path)) continue;
    const answer = await fetch(`${scene.published.url}/${repository('other')}/${path}`);
    t.true(Buffer.from(await answer.arrayBuffer()).equals(bytes), path);
  }
  t.false(metadataOf(scene, repository('other')).get('repodata/repomd.xml')?.equals(before.get('repodata/repomd.xml') ?? Buffer.alloc(0)));
});
