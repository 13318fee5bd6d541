/** Local repositories of rpm: packages added, signed in process, published, and checked by rpm's own tools. */
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { inProcess } from '../operations/in-process.ts';
import { dnfClient } from '../rig/dnf.ts';
import { rigKey } from '../rig/key.ts';
import { buildRpms } from '../rig/rpm.ts';
import { withHeader, type RigEntry } from '../rig/rpm-formats.ts';
import { runCommand } from '../rig/run.ts';
import { serve } from '../rig/server.ts';
import { makeSite } from '../rig/site.ts';
import { testWith } from '../rig/skip.ts';
import { tempDir } from '../rig/temp.ts';
import { hasRpmTools, NO_RPM_TOOLS } from './support.ts';

const witnessed = testWith(hasRpmTools, NO_RPM_TOOLS);

witnessed('packages are signed once, accepted by rpmkeys, and installed by dnf with gpgcheck', async (t) => {
  await using dir = await tempDir();
  const rpms = await buildRpms(dir, [{ name: 'ours', lines: ['Requires: other'] }, { name: 'other', arch: 'x86_64', source: true }]);
  await mkdir(dir.join('built'));
  for (const { fileName, bytes } of rpms) await writeFile(dir.join('built', fileName), bytes);
  const site = inProcess(
    await makeSite(dir, {
      mirrors: {},
      miko: {},
      releases: { 'r1.0.0': { codenames: ['el9'] } },
      vars: { rpm_repos: [{ name: 'built' }], rpm_miko_mapping: { r1: { el9: ['built'] } } },
    }),
  );

  const added = await site.json<{ added: readonly unknown[]; packages: number }>(['repo', 'add', 'built', dir.join('built'), '--sign']);
  t.is(added.packages, 3);
  const again = await site.json<{ added: readonly unknown[]; same: readonly unknown[] }>(['repo', 'add', 'built', dir.join('built'), '--sign']);
  t.is(again.same.length, 3);
  t.is((await site.run(['build', '--release', 'r1.0.0'])).status, 0);

  const shown = await site.run(['publish', 'show', 'r1.0.0-el9', 'rpm-mirror/integrated']);
  t.regex(shown.stdout, /^baseurl: +URL\/rpm-mirror\/integrated\/r1\.0\.0-el9\/x86_64\/$/m);
  t.notRegex(shown.stdout, /deb /);
  const described = await site.run(['package', 'show', 'ours']);
  t.true(described.stdout.startsWith('<package type="rpm">\n'), described.stdout.slice(0, 80));

  const folder = `${site.publicRoot}/rpm-mirror/integrated/r1.0.0-el9/x86_64`;
  const { publicKey } = await rigKey('site');
  await writeFile(dir.join('site.asc'), publicKey);
  const database = ['--dbpath', dir.join('rpmdb')];
  t.is((await runCommand('rpmkeys', [...database, '--import', dir.join('site.asc')])).status, 0);
  const published = (await readdir(`${folder}/pool/`, { recursive: true })).filter((name) => name.endsWith('.rpm')).map((name) => `${folder}/pool/${name}`);
  t.is(published.length, 3);
  const { stdout, status } = await runCommand('rpmkeys', [...database, '--define', '_pkgverify_level all', '-K', ...published]);
  t.is(status, 0, stdout);
  const unsigned = await runCommand('rpmkeys', [...database, '--define', '_pkgverify_level all', '-K', dir.join('built', rpms[0]?.fileName ?? '')]);
  t.not(unsigned.status, 0);
  for (const path of published) {
    const { fileName = '', bytes = Buffer.alloc(0) } = rpms.find((rpm) => path.endsWith(`_${rpm.fileName}`)) ?? {};
    t.is((await readFile(path)).length, bytes.length, `${fileName} keeps its size`);
  }

  await using server = await serve(site.publicRoot);
  const url = `${server.url}/rpm-mirror/integrated/r1.0.0-el9/x86_64`;
  const client = await dnfClient(dir, 'client', [{ id: 'release', url, keyring: publicKey, lines: ['gpgcheck=1'] }]);
  await client.ok(['install', 'ours']);
});

witnessed('text that no XML can hold: repaired where people read it, refused where it means something, never lost in silence', async (t) => {
  await using dir = await tempDir();
  const [rpm] = await buildRpms(dir, [{ name: 'ours', sections: '%changelog\n* Tue Nov 14 2023 Ann <ann@example.invalid> - 1.0-1\n- first\n' }]);
  const bytes = rpm?.bytes ?? Buffer.alloc(0);
  const raw = (tag: number, type: number, value: Buffer): RigEntry => ({ tag, type, count: 1, data: Buffer.concat([value, Buffer.alloc(1)]) });
  const odd = withHeader(bytes, (entries) => entries.map((entry) => (entry.tag === 1004 ? raw(1004, 9, Buffer.from('caf\u00e9', 'latin1')) : entry.tag === 1082 ? raw(1082, 8, Buffer.from('- fi\u0001rst')) : entry)));
  const bad = withHeader(bytes, (entries) => entries.map((entry) => (entry.tag === 1047 ? raw(1047, 8, Buffer.from('so\u0002')) : entry)).filter(({ tag }) => tag !== 1112 && tag !== 1113));
  await writeFile(dir.join('odd.rpm'), odd);
  await writeFile(dir.join('bad.rpm'), bad);
  const site = inProcess(await makeSite(dir, { mirrors: {}, miko: {}, releases: { 'r1.0.0': { codenames: ['el9'] } }, vars: { rpm_repos: [{ name: 'built' }], rpm_miko_mapping: { r1: { el9: ['built'] } } } }));

  const refused = await site.run(['repo', 'add', 'built', dir.join('bad.rpm'), '--json']);
  t.not(refused.status, 0);
  t.regex(refused.stdout, /the provides .* holds the control character 0x02 at 2/);
  t.is((await site.run(['repo', 'add', 'built', dir.join('odd.rpm')])).status, 0);
  t.is((await site.run(['build', '--release', 'r1.0.0'])).status, 0);

  await using server = await serve(site.publicRoot);
  const client = await dnfClient(dir, 'client', [{ id: 'release', url: `${server.url}/rpm-mirror/integrated/r1.0.0-el9/x86_64`, keyring: (await rigKey('site')).publicKey }]);
  t.is((await client.ok(['repoquery', '-q', '--qf', '%{summary}', 'ours'])).trim(), 'caf\u00e9');
  t.regex(await client.ok(['repoquery', '-q', '--changelog', 'ours']), /- first/);
});

witnessed('packages for no architecture in particular are published by hand for that of the machine, by its rpm name', async (t) => {
  await using dir = await tempDir();
  const [rpm] = await buildRpms(dir, [{ name: 'docs' }]);
  await writeFile(dir.join(rpm?.fileName ?? ''), rpm?.bytes ?? '');
  const site = inProcess(await makeSite(dir, { mirrors: {}, miko: {}, architectures: ['native'], releases: {} }));
  await site.json(['repo', 'create', 'ours', '--format', 'rpm']);
  await site.json(['repo', 'add', 'ours', dir.join(rpm?.fileName ?? '')]);

  const { architectures } = await site.json<{ architectures: readonly string[] }>(['publish', 'repo', 'ours', 'rpm-mirror/ours', '--distribution', 'el9']);
  const { stdout } = await runCommand('rpm', ['--eval', '%{_arch}']);
  t.deepEqual(architectures, [stdout.trim()]);
});

witnessed('source packages are pulled like others', async (t) => {
  await using dir = await tempDir();
  const rpms = await buildRpms(dir, [{ name: 'app', source: true }]);
  for (const { fileName, bytes } of rpms) await writeFile(dir.join(fileName), bytes);
  const site = inProcess(await makeSite(dir, { mirrors: {}, miko: {}, releases: {} }));
  for (const name of ['full', 'nothing']) {
    await site.json(['repo', 'create', name, '--format', 'rpm']);
    if (name === 'full') await site.json(['repo', 'add', name, ...rpms.map(({ fileName }) => dir.join(fileName))]);
    await site.json(['snapshot', 'create', name, '--from-repo', name]);
  }

  const { added } = await site.json<{ added: readonly { architecture: string }[] }>(['snapshot', 'pull', 'nothing', 'full', 'pulled', 'Name (= app)', '--no-deps', '--architectures', 'x86_64']);
  t.deepEqual(added.map(({ architecture }) => architecture).sort(), ['noarch', 'src']);
});
