import { writeFile } from 'node:fs/promises';
import test from 'ava';
import type { ContainerSpec } from '../../src/artifacts/container/spec.ts';
import { baseRepositories } from '../../src/config/base-repositories.ts';
import type { Config } from '../../src/config/config.ts';
import { loadConfig } from '../../src/config/load.ts';
import { thisMachine, type Machine } from '../../src/config/machine.ts';
import { resolveContainers } from '../../src/config/resolve-container.ts';
import { findRelease } from '../../src/config/resolve-release.ts';
import { rigKey } from '../rig/key.ts';
import { tempDir, type TempDir } from '../rig/temp.ts';
import { problemsIn, sources } from './support.ts';

const RELEASES = 'aptly_miko_mapping: {r1: {rig: [], other: []}}\nreleases: {r1.0.0: {codenames: [rig]}}\n';

interface Loaded {
  readonly config: Config;
  readonly machine: Machine;
}

async function open(dir: TempDir, text: string): Promise<Loaded> {
  await writeFile(dir.join('os-release'), 'ID=debian\nVERSION_ID="12"\nVERSION_CODENAME=rig\n');
  const machine = thisMachine({ etc: dir.path, osRelease: dir.join('os-release'), architecture: 'amd64', aptConfig: 'Acquire::http::Proxy "http://127.0.0.1:1";' });
  return { machine, config: await loadConfig({ root: dir.path, environment: {}, sources: sources({ 'vars/a.yml': RELEASES + text }) }) };
}

async function resolve({ config, machine }: Loaded): Promise<ContainerSpec> {
  return resolveContainers(config, findRelease(config, 'r1.0.0'), {
    machine,
    codenames: ['rig'],
    base: async () => ({ described: [], resolve: async () => [] }),
    publication: (codename) => ({ node: `publish ${codename}`, prefix: 'p', suite: codename, components: ['main'], key: 'k' }),
    consumerUrl: undefined,
  });
}

test('images of a series and codename, with their defaults', async (t) => {
  await using dir = await tempDir();
  const loaded = await open(
    dir,
    `container_images:
  - name: keystone
    packages: nginx python3
    venv: keystone
    files: [{from: files/site.conf, to: /etc/nginx/site.conf, mode: "640", owner: www-data}]
    commands: [ldconfig, {run: "systemctl enable nginx", config: yes}]
    checks: [nginx -t]
    privileged: [/usr/bin/mine]
    ansible:
      roles: [roles/keystone, {path: /srv/roles/cron, vars: {often: true}}]
      with: roles/common
      vars: {keystone_port: 5000}
      secrets: [secrets/keystone.yml]
      groups: identity_all
      skip_handlers: no
container_mapping: {r1: {system: [keystone]}}
`,
  );

  const { images } = await resolve(loaded);

  t.is(images.length, 1);
  t.like(images[0], {
    role: 'keystone',
    os: 'debian',
    codename: 'rig',
    architecture: 'amd64',
    machine: 'x86_64',
    network: { http: 'http://127.0.0.1:1', https: 'http://127.0.0.1:1' },
    packages: ['nginx', 'python3'],
    venv: 'venv keystone debian-12-x86_64',
    files: [{ from: dir.join('files/site.conf'), to: '/etc/nginx/site.conf', mode: '0640', owner: 'www-data:www-data' }],
    commands: [{ run: 'ldconfig', config: false }, { run: 'systemctl enable nginx', config: true }],
    checks: ['nginx -t'],
    privileged: ['/usr/bin/mine'],
    ansible: {
      roles: [{ path: dir.join('roles/keystone'), vars: {} }, { path: '/srv/roles/cron', vars: { often: true } }],
      with: [dir.join('roles/common')],
      vars: { keystone_port: 5000 },
      varsFiles: [],
      secrets: [dir.join('secrets/keystone.yml')],
      groups: ['identity_all'],
      skipTags: ['config'],
      skipHandlers: false,
    },
  });
  t.deepEqual((await resolve(await open(dir, 'container_mapping: {r2: {}}\n'))).images, []);
});

test('what is wrong with images and base repositories is told with its place', async (t) => {
  t.deepEqual(await problemsIn('container_mapping: {r1: {rig: [keystone]}}\ncontainer_images: [{name: keystones}]\n'), [
    '1:32: container_mapping.r1.rig: no entry of container_images is called "keystone"; did you mean "keystones"?',
  ]);
  for (const [text, problem] of [
    ['container_images: [{name: a, files: [{from: x, to: /etc/../opt/x}]}]', /no absolute path of plain names/],
    ['container_images: [{name: a, files: [{from: x, to: /dev/x}]}]', /no absolute path of plain names/],
    ['container_images: [{name: a, packages: ["-o Debug"]}]', /no name of a package/],
    ['container_images: [{name: a, ansible: {roles: [x/web, y/web]}}]', /two folders of roles are called "web"/],
    ['container_images: [{name: a, ansible: {roles: [x], groups: "a b-c"}}]', /"b-c" is no name of a group/],
    ['container_images: [{name: a, ansible: {roles: []}}]', /container_images/],
    ['container_images: [{name: a, files: [{from: x, to: /y, owner: "a;b"}]}]', /no owner/],
    ['base_repositories: {rig: [{suite: x}]}', /either `system: yes` or a uri/],
    ['base_repositories: {rig: [{uri: "http://a.example.org/debian"}]}', /needs a keyring and components/],
    ['base_repositories: {rig: {system: yes}}', /expected a list/],
    ['base_repositories: {rig: [{uri: "http://a.example.org/debian", components: main, keyring: k, key: "12345678"}]}', /no full fingerprint/],
  ] as const) {
    t.regex((await problemsIn(text)).join(), problem, text);
  }
});

test('base repositories are what is written, or this machine\'s own, with one keyring each', async (t) => {
  await using dir = await tempDir();
  const [key, other] = [await rigKey('base'), await rigKey('other')];
  await writeFile(dir.join('one.asc'), key.publicKey);
  await writeFile(dir.join('two.asc'), Buffer.concat([key.publicKey, Buffer.from('\n'), other.publicKey]));
  await writeFile(dir.join('sources.list'), `deb [signed-by=${dir.join('one.asc')}] http://own.example.org/debian rig main contrib\n`);
  const { config, machine } = await open(
    dir,
    `base_repositories:
  system:
    - {uri: "http://a.example.org/debian", suite: rig-updates, components: main, keyring: two.asc, key: ${other.fingerprint}, priority: 600}
    - {system: yes}
`,
  );

  const [written, own] = await (await baseRepositories(config, 'rig', { machine, keys: dir.join('keys') })).resolve();

  t.like(written, { uri: 'http://a.example.org/debian', suite: 'rig-updates', components: ['main'], priority: 600 });
  t.true(written?.signedBy.startsWith(dir.join('keys')));
  t.deepEqual(own, { uri: 'http://own.example.org/debian', suite: 'rig', components: ['main', 'contrib'], signedBy: dir.join('one.asc') });
  t.deepEqual(await (await baseRepositories(config, 'other', { machine, keys: dir.join('keys') })).resolve(), []);
});
