import { mkdir, symlink, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { gzipSync } from 'node:zlib';
import test from 'ava';
import { parseWanted, readWanted } from '../../src/release/wanted.ts';
import { buildDeb, packagesStanza } from '../rig/deb.ts';
import { serve } from '../rig/server.ts';
import { makeSite } from '../rig/site.ts';
import { tempDir, type TempDir } from '../rig/temp.ts';
import { aptUpstream } from '../rig/upstream.ts';

async function write(dir: TempDir, files: Readonly<Record<string, string | Uint8Array>>): Promise<void> {
  for (const [path, content] of Object.entries(files)) {
    await mkdir(dirname(dir.join(path)), { recursive: true });
    await writeFile(dir.join(path), content);
  }
}

test('an entry names a package, a version and an architecture, or nothing', (t) => {
  t.deepEqual(parseWanted('jq'), { name: 'jq' });
  t.deepEqual(parseWanted(' libstdc++6:i386=12.2*  '), { name: 'libstdc++6', architecture: 'i386', version: '12.2*' });
  t.deepEqual(parseWanted('jq=1:1.6-2'), { name: 'jq', version: '1:1.6-2' });
  for (const text of ['{{ item }}', 'jq (>= 1)', 'http://host.example/a.deb', '-o', '']) t.is(parseWanted(text), undefined, text);
});

test('lists and roles are read, whatever else stands in them', async (t) => {
  await using dir = await tempDir();
  await write(dir, {
    'list.txt': '# base\njq\n\nhello=2.* # pinned\n',
    'roles/nova/defaults/main.yml': 'nova_distro_packages:\n  - libvirt\n  - "{{ nova_extra }}"\nnova_pip_packages: [nova]\nother: [x]\n',
    'roles/nova/vars/ubuntu.yaml': '---\nnested:\n  nova_apt_packages:\n    - {name: qemu, state: present}\n---\nsecond_distro_packages: [two]\n',
    'roles/nova/vars/tagged.yml': 'secret: !vault x\napt_packages: [tagged]\n',
    'roles/nova/templates/broken.yml': '{% if x %}\n a: [\n',
    'roles/nova/files/list.txt': 'distro_packages: [no]\n',
  });
  await symlink(dir.join('roles'), dir.join('roles/nova/loop'));

  const { packages, unresolved } = readWanted({ wanted: [dir.join('list.txt')], roles: [dir.join('roles')] });

  t.deepEqual(packages.map(({ name, version, from }) => [name, version, from.replace(`${dir.path}/`, '')]), [
    ['jq', undefined, 'list.txt:2'],
    ['hello', '2.*', 'list.txt:4'],
    ['libvirt', undefined, 'roles/nova/defaults/main.yml nova_distro_packages'],
    ['tagged', undefined, 'roles/nova/vars/tagged.yml apt_packages'],
    ['qemu', undefined, 'roles/nova/vars/ubuntu.yaml nova_apt_packages'],
    ['two', undefined, 'roles/nova/vars/ubuntu.yaml second_distro_packages'],
  ]);
  t.deepEqual(unresolved.map((one) => one.replace(`${dir.path}/`, '')), ['{{ nova_extra }} (roles/nova/defaults/main.yml nova_distro_packages)']);
  t.throws(() => readWanted({ wanted: [dir.join('gone')], roles: [] }), { message: /cannot read .*gone/ });
});

const DEBS = [
  buildDeb({ name: 'px-app', version: '1.2-3' }),
  buildDeb({ name: 'px-mail', architecture: 'all', fields: { Provides: 'px-mta (= 4), px-any' } }),
];

test('RPC-O D10 F15 a build whose release lacks a wanted package ends with status 3 and writes no manifest', async (t) => {
  await using dir = await tempDir();
  const upstream = await aptUpstream({ components: { main: DEBS } });
  await using server = await serve(upstream.files);
  const base = packagesStanza(buildDeb({ name: 'px-base', fields: { Provides: 'px-virtual' } }), 'a.deb');
  await write(dir, {
    'site/root/lists/wanted.txt': 'px-app=1.2-*\npx-mail:amd64\npx-mta=4\npx-any\npx-base\npx-virtual\nignored-one\nignored-2\n',
    'site/root/lists/more.txt': 'px-app=2\npx-app:arm64\npx-none\npx-none\n',
    'site/root/lists/base_Packages.gz': gzipSync(base),
    'site/root/roles/r/defaults/main.yml': 'r_distro_packages: [px-none, px-app]\n',
  });
  const completeness = { wanted: ['lists/wanted.txt'], ignore: ['ignored-*'], base: ['lists/*_Packages.gz'] };
  const site = await makeSite(dir, { mirrors: { stable: { upstream, url: server.url } }, vars: { completeness: { ...completeness, wanted: ['lists/wanted.txt', 'lists/more.txt'], roles: ['roles'] } } });
  const test1 = ['release', 'completeness', 'r1.0.0'];

  const build = await site.json<{ nodes: { id: string; state: string; error?: { code: string } }[] }>(['build', '--release', 'r1.0.0'], 3);
  const state = (id: string): string | undefined => build.nodes.find((node) => node.id === id)?.state;
  const report = await site.json<{ missing: { package: string; from: string[] }[]; wanted: number }>(test1, 3);

  t.deepEqual([state('completeness'), state('manifest')], ['failed', 'blocked']);
  t.is(build.nodes.find(({ id }) => id === 'completeness')?.error?.code, 'E_CHECK');
  t.is((await site.json<{ latestBuild: string | null }>(['release', 'show', 'r1.0.0'])).latestBuild, null);
  t.deepEqual(report.missing.map((one) => one.package), ['px-app:arm64', 'px-app=2', 'px-none']);
  t.deepEqual(report.missing[2]?.from.map((from) => from.replace(`${site.root}/`, '')), ['lists/more.txt:3', 'lists/more.txt:4', 'roles/r/defaults/main.yml r_distro_packages']);
  t.regex((await site.run(test1)).stdout, /^3 of \d+ wanted packages are neither[^]*\n {2}px-none {7}\(/);

  await site.configure({ vars: { completeness } });
  t.is((await site.json<{ missing: unknown[] }>(test1)).missing.length, 0);
  const again = await site.json<{ result: string; nodes: { id: string; detail: string }[] }>(['build', '--release', 'r1.0.0']);
  t.is(again.result, 'done');
  t.regex(again.nodes.find(({ id }) => id === 'completeness')?.detail ?? '', /all of 6 wanted/);
  t.is((await site.json<{ result: string }>(['build', '--release', 'r1.0.0'])).result, 'unchanged');
});

test('mirrors and publications can be the base, and a base that is nothing is told', async (t) => {
  await using dir = await tempDir();
  const upstream = await aptUpstream({ components: { main: DEBS } });
  const other = await aptUpstream({ components: { main: [buildDeb({ name: 'px-other' })] } });
  await using server = await serve(upstream.files);
  await using second = await serve(other.files);
  await write(dir, { 'site/root/w.txt': 'px-other\n' });
  const mirrors = { stable: { upstream, url: server.url }, other: { upstream: other, url: second.url } };
  const site = await makeSite(dir, { mirrors, miko: { r1: { rig: ['stable'] } }, vars: { completeness: { wanted: ['w.txt'], base: ['other'] } } });
  const check = ['release', 'completeness', 'r1.0.0'];

  t.regex((await site.run(check)).stderr, /completeness\.base: "other" is no updated mirror/);
  await site.json(['mirror', 'update', 'other']);
  await site.json(check);
  await site.configure({ vars: { completeness: { wanted: ['w.txt'] } } });
  await site.json(check, 3);
  await site.configure({ vars: {} });
  t.is((await site.run(check)).status, 2);
});
