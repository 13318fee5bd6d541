/** A release of rpms for the newer clients: signed packages of our own, and an upstream that knows groups and advisories. */
import { readdirSync, readFileSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { rigKey } from '../rig/key.ts';
import { buildRpms } from '../rig/rpm.ts';
import { rpmUpstream } from '../rig/rpm-upstream.ts';
import type { TempDir } from '../rig/temp.ts';
import { makeRpmScene, modulesYaml, type RpmScene } from './support.ts';

const COMPS = `<?xml version="1.0" encoding="UTF-8"?>
<comps><group><id>platform</id><name>The platform</name><description>all of it</description><default>true</default><uservisible>true</uservisible>
<packagelist><packagereq type="mandatory">app</packagereq></packagelist></group></comps>
`;

const UPDATES = `<?xml version="1.0" encoding="UTF-8"?>
<updates><update from="sec@example.invalid" status="final" type="security" version="1"><id>RIG-2026:1</id><title>app is safer</title>
<issued date="2026-01-01 00:00:00"/><severity>important</severity><summary>what it is about</summary><description>what was wrong</description>
<references><reference href="https://example.invalid/1" id="CVE-2026-0001" title="CVE-2026-0001" type="cve"/></references>
<pkglist><collection short="c"><name>c</name><package name="app" version="1.1" release="1" epoch="0" arch="noarch" src="app-1.1-1.src.rpm"><filename>app-1.1-1.noarch.rpm</filename><reboot_suggested>True</reboot_suggested></package></collection></pkglist></update></updates>
`;

const MODULES = modulesYaml('flow', ['base-0:1.0-1.noarch']);

/** Enough names that what is packed is packed in several parts. */
const MANY = Object.fromEntries(Array.from({ length: 200 }, (_, at) => [`/usr/share/big/a-rather-long-name-of-a-file-${at}`, '']));

/**
 * Published for each codename, for the clients it is given for; signed by the rig's keys of these names. `base` is the
 * upstream's, belongs to a module, and is the one package that nobody signed.
 */
export async function makeNewerScene(dir: TempDir, clients: Readonly<Record<string, string>>, keys: readonly string[] = ['site']): Promise<RpmScene> {
  const built = await buildRpms(dir, [
    { name: 'app', lines: ['Requires: lib >= 1', 'Recommends: manual'] },
    { name: 'app', version: '1.1', lines: ['Requires: lib >= 1', 'Recommends: manual', 'BuildRequires: lib'], source: true, sections: '%changelog\n* Thu Jan 01 2026 Rig <rig@example.invalid> - 1.1-1\n- Safer\n' },
    { name: 'big', files: MANY },
    { name: 'lib', arch: 'x86_64' },
    { name: 'manual' },
    { name: 'plugin', lines: ['Supplements: app'] },
  ]);
  await mkdir(dir.join('own'));
  for (const { fileName, bytes } of built) await writeFile(dir.join('own', fileName), bytes);
  const rpms = await buildRpms(dir, [{ name: 'base' }]);
  const upstream = await rpmUpstream(dir, { rpms, metadata: { 'group.xml': COMPS, 'updateinfo.xml': UPDATES, 'modules.yaml': MODULES } });
  const codenames = Object.keys(clients);
  const scene = await makeRpmScene(dir, { up: { upstream } }, {
    releases: { 'r1.0.0': { codenames } },
    vars: {
      signing: { keys: keys.map((key) => ({ file: `keys/${key}.asc` })) },
      rpm_repos: [{ name: 'own' }],
      rpm_miko_mapping: { r1: Object.fromEntries(codenames.map((codename) => [codename, ['up', 'own']])) },
      rpm_client_profiles: Object.fromEntries(Object.entries(clients).filter(([, kind]) => kind !== 'any')),
    },
  });
  for (const key of keys) await writeFile(`${scene.site.root}/keys/${key}.asc`, (await rigKey(key)).secretKey, { mode: 0o600 });
  await scene.site.json(['repo', 'add', 'own', dir.join('own'), '--sign']);
  await scene.site.json(['build', '--release', 'r1.0.0']);
  return scene;
}

/** The metadata of a repository as it is served now, by path below it, with other signed bytes where they are given. */
export function metadataOf(scene: RpmScene, repository: string, changes: ReadonlyMap<string, Buffer> = new Map()): Map<string, Buffer> {
  const folder = `${scene.site.publicRoot}/${repository}/repodata`;
  const files = readdirSync(folder).map((name) => [`repodata/${name}`, readFileSync(`${folder}/${name}`)] as const);
  return new Map([...files, ...changes]);
}

/** repomd.xml with one more byte, which changes nothing but its signature. */
export function tamperedMetadata(scene: RpmScene, repository: string): Map<string, Buffer> {
  const path = 'repodata/repomd.xml';
  return metadataOf(scene, repository, new Map([[path, Buffer.concat([metadataOf(scene, repository).get(path) ?? Buffer.alloc(0), Buffer.from('\n')])]]));
}
