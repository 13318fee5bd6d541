import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'ava';
import { parse } from 'yaml';
import { overrideFiles, publishedOverrides, type OverrideInput, type OverrideMode } from '../../src/overrides/overrides.ts';
import { aptClient } from '../rig/apt.ts';
import { buildDeb } from '../rig/deb.ts';
import { rigKey } from '../rig/key.ts';
import { serve } from '../rig/server.ts';
import { hasCommand, testWith } from '../rig/skip.ts';
import { tempDir } from '../rig/temp.ts';
import { aptUpstream } from '../rig/upstream.ts';
import { makeRelease, type Built } from '../release/support.ts';

const WHOLE: OverrideInput = {
  release: 'r16.0.0',
  mode: 'strict',
  baseUrl: 'https://repo.example:8443/x',
  fingerprints: ['A'.repeat(40)],
  publicKey: '-----BEGIN PGP PUBLIC KEY BLOCK-----\n\nAAAA\n=AAAA\n-----END PGP PUBLIC KEY BLOCK-----\n',
  publications: [
    { prefix: 'apt-mirror/integrated', distribution: 'r16.0.0-xenial' },
    { prefix: 'apt-mirror/independent/hwraid-xenial', distribution: 'r16.0.0-xenial' },
    { prefix: 'apt-mirror/independent/rax-maas-xenial', distribution: 'r16.0.0-xenial' },
    { prefix: 'rpm-mirror/integrated', distribution: 'r16.0.0-el9' },
    { prefix: 'rpm-mirror/integrated', distribution: 'r16.0.0-el8' },
    { prefix: 'rpm-mirror/independent/vendor-el9', distribution: 'r16.0.0-el9' },
  ],
  paths: [
    'os-releases/r16.0.0/ubuntu-16.04-x86_64/simple/index.html',
    'os-releases/r16.0.0/ubuntu-16.04-x86_64/get-pip.py',
    'os-releases/r16.0.0/ubuntu-16.04-x86_64/requirements_absolute_constraints.txt',
    'venvs/r16.0.0/ubuntu-16.04-x86_64/keystone-r16.0.0-x86_64.tgz',
    ...['default', 'nova', 'tempest', 'rabbitmq_server'].map((role) => `lxc-images/ubuntu/xenial/amd64/${role}-r16.0.0/20170509/rootfs.tar.xz`),
    'lxc-images/ubuntu/xenial/amd64/nova-beta-r16.0.0-beta.1/20170509/rootfs.tar.xz',
    ...['r16.0.0-el9/aarch64', 'r16.0.0-el9/source', 'r16.0.0-el9/x86_64', 'r16.0.0-el8/x86_64'].map((place) => `rpm-mirror/integrated/${place}/repodata/repomd.xml`),
    'rpm-mirror/independent/vendor-el9/r16.0.0-el9/x86_64/repodata/repomd.xml',
  ],
};

function fileOf(path: string, changes: Partial<OverrideInput> = {}): string {
  return overrideFiles({ ...WHOLE, ...changes }).find((file) => file.path === path)?.text ?? '';
}

test('F27 the variables have the names that the roles of RPC-O and OpenStack-Ansible read', (t) => {
  const apt = parse(fileOf('group_vars/all/apt.yml')) as Record<string, unknown>;
  const named = `rpco_mirror_base_url rpco_mirror_apt_url rpco_mirror_apt_deb_line rpco_mirror_apt_filename rpco_gpg_key_location
    rpco_gpg_key_name rpco_gpg_key_id lxc_container_cache_files_from_host lxc_package_repo_add rpco_apt_repo rpco_apt_gpg_keys haproxy_repo
    haproxy_gpg_keys rabbitmq_install_method rabbitmq_repo rabbitmq_erlang_repo rabbitmq_gpg_keys ceph_pkg_source galera_client_repo
    galera_client_gpg_keys mariadb_repo_filename use_percona_upstream galera_repo galera_percona_xtrabackup_repo uca_enable
    user_external_repos_list user_external_repo_keys_list elasticsearch_apt_repos elasticsearch_apt_keys filebeat_apt_repos
    filebeat_apt_gpg_keys kibana_apt_repos kibana_apt_keys logstash_apt_repos logstash_apt_keys hwraid_apt_repos rpco_apt_artifacts_mode`;

  for (const name of named.split(/\s+/)) t.true(apt[name] !== undefined, name);
  t.like(apt, { rpco_apt_artifacts_mode: 'strict', rpco_gpg_key_id: 'A'.repeat(40), rpco_mirror_base_url: WHOLE.baseUrl, uca_enable: false });
  const maas = parse(fileOf('extra_vars/maas.yml')) as Record<string, unknown>;
  t.deepEqual(Object.keys(maas), ['maas_repos', 'maas_keys', 'maas_influxdata_repo', 'maas_influxdata_key', 'maas_grafana_repo', 'maas_grafana_key']);
  const python = parse(fileOf('group_vars/all/python.yml')) as Record<string, unknown>;
  t.like(python, { openstack_release: 'r16.0.0', os_distro_version: 'ubuntu-16.04-x86_64' });
  for (const name of ['repo_release_path', 'pip_links', 'pip_install_upper_constraints', 'pip_upstream_url', 'venv_base_download_url']) t.true(name in python, name);
  const lxc = parse(fileOf('group_vars/all/lxc.yml')) as Record<string, unknown>;
  t.like(lxc, { lxc_image_cache_server: 'repo.example:8443', lxc_cache_default_variant: 'default-r16.0.0' });
});

test('F27 each group of containers gets its own image, and what belongs to another release is not taken', (t) => {
  t.deepEqual(parse(fileOf('group_vars/nova_all/lxc.yml')), { lxc_container_variant: 'nova-r16.0.0' });
  t.deepEqual(parse(fileOf('group_vars/utility_all/lxc.yml')), { lxc_container_variant: 'tempest-r16.0.0' });
  const paths = overrideFiles(WHOLE).map(({ path }) => path);
  t.false(paths.some((path) => /rabbitmq|default_all|beta/.test(path)));
});

test('a release gets nothing for what it does not have, and mode off says so for what it has', (t) => {
  const only = overrideFiles({ ...WHOLE, paths: [] }).map(({ path }) => path);
  t.false(only.some((path) => /python|lxc|dnf/.test(path)), only.join());
  const none = overrideFiles({ ...WHOLE, publications: [], paths: [] });
  t.deepEqual(none, []);

  const off = overrideFiles({ ...WHOLE, mode: 'off' });
  t.deepEqual(off.map(({ path }) => path), ['group_vars/all/apt.yml', 'group_vars/all/lxc.yml', 'group_vars/all/python.yml']);
  t.deepEqual(parse(off[0]?.text ?? ''), { rpc_release: 'r16.0.0', rpco_apt_artifacts_mode: 'off' });
});

test('pip gets one index and no other, dnf those of its codename and architecture, with sources in reserve and a key of its own', (t) => {
  t.is(
    fileOf('python/ubuntu-16.04-x86_64/pip.conf'),
    '# Release r16.0.0. Written by artifacts.\n[global]\nindex-url = https://repo.example:8443/x/os-releases/r16.0.0/ubuntu-16.04-x86_64/simple/\n' +
      '[install]\nconstraint = https://repo.example:8443/x/os-releases/r16.0.0/ubuntu-16.04-x86_64/requirements_absolute_constraints.txt\n',
  );
  const written = overrideFiles(WHOLE).filter(({ path }) => path.startsWith('dnf/'));
  t.deepEqual(written.map(({ path }) => path), ['dnf/el8/x86_64/rpco.repo', 'dnf/el9/aarch64/rpco.repo', 'dnf/el9/x86_64/rpco.repo', 'dnf/rpco.asc']);
  t.is(fileOf('dnf/rpco.asc'), WHOLE.publicKey);
  const settings = fileOf('dnf/el9/x86_64/rpco.repo');
  t.deepEqual(settings.match(/^(?:\[.*|baseurl.*|enabled.*|gpgkey.*)$/gm), [
    '[rpco-integrated-r16.0.0-el9-source]',
    'baseurl=https://repo.example:8443/x/rpm-mirror/integrated/r16.0.0-el9/source/',
    'enabled=0',
    'gpgkey=file:///etc/pki/rpm-gpg/rpco.asc',
    '[rpco-integrated-r16.0.0-el9-x86_64]',
    'baseurl=https://repo.example:8443/x/rpm-mirror/integrated/r16.0.0-el9/x86_64/',
    'enabled=1',
    'gpgkey=file:///etc/pki/rpm-gpg/rpco.asc',
    '[rpco-independent-vendor-el9-r16.0.0-el9-x86_64]',
    'baseurl=https://repo.example:8443/x/rpm-mirror/independent/vendor-el9/r16.0.0-el9/x86_64/',
    'enabled=1',
    'gpgkey=file:///etc/pki/rpm-gpg/rpco.asc',
  ]);
  t.regex(settings, /^priority=1$/m);
  t.regex(fileOf('dnf/el9/x86_64/rpco.repo', { mode: 'loose' }), /^priority=50$/m);
});

test('the same release gives the same bytes, and what is published is all modes', (t) => {
  t.deepEqual(overrideFiles(WHOLE), overrideFiles(WHOLE));
  const paths = new Set(publishedOverrides(WHOLE).map(({ path }) => path));
  for (const mode of ['strict', 'loose', 'off']) t.true(paths.has(`${mode}/group_vars/all/apt.yml`));
});

const withApt = testWith(hasCommand('apt-get'), 'needs apt-get');

withApt('F28 a real apt obeys: strict goes back to the frozen version, loose prefers it and never goes back, and both check the key', async (t) => {
  await using dir = await tempDir();
  await using scene = await makeRelease(dir, { one: [buildDeb({ name: 'px1', version: '1.0' })] });
  await scene.site.json<Built>(['build', '--release', 'r1.0.0']);
  await using server = await serve(scene.site.publicRoot);
  const base = await aptUpstream({ components: { main: [buildDeb({ name: 'px1', version: '2.0' })] }, keys: [await rigKey('base')] });
  await using baseServer = await serve(base.files);
  const candidate = async (mode: OverrideMode, installed?: string): Promise<string> => {
    const to = dir.join(mode);
    await scene.site.json(['overrides', '--release', 'r1.0.0', '--mode', mode, '--base-url', server.url, '--to', to]);
    const client = await aptClient(dir, `${mode}-${installed ?? 'none'}`, { sources: [`deb [signed-by=%KEYRING%] ${baseServer.url} rig main`], keyring: base.keyring });
    mkdirSync(join(client.folder, 'parts'));
    mkdirSync(join(client.folder, 'pins'));
    writeFileSync(join(client.folder, 'parts/rpco.sources'), readFileSync(join(to, 'apt/rig/rpco.sources')));
    writeFileSync(join(client.folder, 'pins/rpco.pref'), readFileSync(join(to, 'apt/rig/rpco.pref')));
    if (installed !== undefined) writeFileSync(join(client.folder, 'status'), `Package: px1\nStatus: install ok installed\nVersion: ${installed}\nArchitecture: amd64\nMaintainer: x\nDescription: x\n\n`);
    const parts = ['-o', `Dir::Etc::sourceparts=${client.folder}/parts`, '-o', `Dir::Etc::preferencesparts=${client.folder}/pins`];
    const updated = await client.aptGet([...parts, 'update']);
    t.is(updated.status, 0, updated.stderr);
    t.notRegex(updated.stderr, /^[WE]:/m);
    const { stdout } = await client.aptCache([...parts, 'policy', 'px1']);
    return /Candidate: (\S+)/.exec(stdout)?.[1] ?? stdout;
  };

  t.is(await candidate('strict'), '1.0');
  t.is(await candidate('strict', '2.0'), '1.0');
  t.is(await candidate('loose'), '1.0');
  t.is(await candidate('loose', '2.0'), '2.0');
});

test('with consumers.base_url, a build publishes the overrides of every mode, listed in its manifest', async (t) => {
  await using dir = await tempDir();
  await using scene = await makeRelease(dir, { one: [buildDeb({ name: 'px1' })] }, { vars: { consumers: { base_url: 'https://repo.example/' } } });
  await scene.site.json<Built>(['build', '--release', 'r1.0.0']);
  const latest = join(scene.site.publicRoot, 'releases/r1.0.0/latest');

  const { files } = await scene.site.json<{ files: { path: string; text: string }[] }>(['overrides', '--release', 'r1.0.0', '--mode', 'loose']);

  t.true(files.length > 3);
  for (const { path, text } of files) t.is(readFileSync(join(latest, 'overrides/loose', path), 'utf8'), text, path);
  const manifest = JSON.parse(readFileSync(join(latest, 'manifest.json'), 'utf8')) as { build: string; files: { path: string }[] };
  t.true(manifest.files.some(({ path }) => path === `releases/r1.0.0/${manifest.build}/overrides/strict/group_vars/all/apt.yml`));
});

test('a build that is served elsewhere from now on says so to its deployers: only the manifest and what lies beside it are written anew', async (t) => {
  await using dir = await tempDir();
  await using scene = await makeRelease(dir, { one: [buildDeb({ name: 'px1' })] }, { vars: { consumers: { base_url: 'https://old.example' } } });
  const { site } = scene;
  await site.json<Built>(['build', '--release', 'r1.0.0']);

  await site.configure({ vars: { consumers: { base_url: 'https://new.example' } } });
  const moved = await site.json<Built>(['build', '--release', 'r1.0.0']);
  const again = await site.json<Built>(['build', '--release', 'r1.0.0']);

  t.deepEqual(moved.nodes.filter(({ state }) => state !== 'fresh').map(({ id }) => id), ['manifest']);
  t.is(again.result, 'unchanged');
  t.regex(readFileSync(join(site.publicRoot, 'releases/r1.0.0/latest/overrides/strict/group_vars/all/apt.yml'), 'utf8'), /rpco_mirror_base_url: .*new\.example/);
});

test('RPC-O D9 overrides are of a release that is there: a kind it lacks, one that is absent, and silence all fail, each in its own way', async (t) => {
  await using dir = await tempDir();
  await using scene = await makeRelease(dir, { one: [buildDeb({ name: 'px1' })] });
  await scene.site.json<Built>(['build', '--release', 'r1.0.0']);
  const { fingerprint } = await rigKey('site');
  const server = await serve(scene.site.publicRoot);
  const run = async (args: readonly string[]): Promise<number> => (await scene.site.run(['overrides', ...args, '--key', fingerprint, '--to', dir.join('out')])).status;

  t.is(await run(['--release', 'r1.0.0', '--from', server.url, '--only', 'apt,python']), 10);
  t.is(await run(['--release', 'r1', '--from', server.url]), 10);
  t.is(await run(['--release', 'r1.0.0']), 2); // nobody said where it is served
  t.false(existsSync(dir.join('out')));
  t.is(await run(['--release', 'r1.0.0', '--from', server.url, '--only', 'apt']), 0);
  await server.close();
  t.is(await run(['--release', 'r1.0.0', '--from', server.url]), 1);
});
