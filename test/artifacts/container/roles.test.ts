import { spawn, spawnSync } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { pathToFileURL } from 'node:url';
import test from 'ava';
import { applyRoles, requireAnsible, type Applying } from '../../../src/artifacts/container/apply-roles.ts';
import { imageFacts } from '../../../src/artifacts/container/facts.ts';
import { secretTexts } from '../../../src/artifacts/container/secrets.ts';
import type { ImageRoles, ImageSpec } from '../../../src/artifacts/container/spec.ts';
import { isArtifactsError } from '../../../src/core/errors.ts';
import { copyRoot, prepareRoot, removeRootTree } from '../../../src/sandbox/prepare-root.ts';
import { PROJECT } from '../../rig/run.ts';
import { hasCommand, testWith } from '../../rig/skip.ts';
import { tempDir, testContext, type TempDir } from '../../rig/temp.ts';
import { folderDeb, tinySystem } from '../../rig/tiny-system.ts';
import { leftBehind, sandboxReason } from '../../sandbox/support.ts';
import { make, publishSite, taskOf, type MadeImage, type Site } from './support.ts';

const reason = sandboxReason ?? (hasCommand('/usr/bin/ansible-playbook') ? undefined : 'needs ansible-core');
const applied = testWith(reason === undefined, reason ?? '');

let shared: Promise<Site> | undefined;

/** One site for all tests of this file: they only read it. */
function site(): Promise<Site> {
  shared ??= makeSite();
  return shared;
}

const APT = ['/usr/share/dpkg/cputable', '/usr/share/dpkg/tupletable', '/usr/bin/apt-get', '/usr/bin/apt-cache', '/usr/bin/apt-config', '/usr/bin/apt-key', '/usr/bin/gpgv', ...['copy', 'file', 'gpgv', 'http', 'store'].map((name) => `/usr/lib/apt/methods/${name}`)];

async function makeSite(): Promise<Site> {
  const dir = await tempDir();
  const release = [await folderDeb({ name: 'app', version: '1.0-1', files: { 'usr/share/app/version': '1.0\n' } })];
  const base = [...(await tinySystem({ programs: APT, applets: ['cmp', 'dd', 'printf', 'readlink', 'sha256sum', 'su', 'wget'] })), await folderDeb({ name: 'app', version: '2.0-1' }), await folderDeb({ name: 'tool', scripts: { postinst: '#!/bin/sh\nif [ -x /usr/sbin/policy-rc.d ]; then echo started nothing > /usr/share/tool; fi\n' } })];
  return publishSite(dir, { release, base });
}

test.after.always(async () => {
  if (shared !== undefined) await (await shared).dir[Symbol.asyncDispose]();
});

/** Writes roles, by path and text; what makes an image with them. */
async function withRoles(dir: TempDir, files: Readonly<Record<string, string>>, more: Partial<ImageRoles> = {}): Promise<ImageSpec> {
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(dir.join('roles', path)), { recursive: true });
    writeFileSync(dir.join('roles', path), text);
  }
  const roles = [{ path: dir.join('roles', 'app'), vars: {} }];
  const { image } = await site();
  return { ...image, ansible: { roles, with: [], vars: {}, varsFiles: [], secrets: [], groups: [], skipTags: ['config'], skipHandlers: true, ...more } };
}

function listing({ artifact, pathOf }: MadeImage): string {
  return run('tar', ['--numeric-owner', '-tvJf', pathOf(`${imageFacts(artifact)?.folder}/rootfs.tar.xz`)]);
}

function read({ artifact, pathOf }: MadeImage, path: string): string {
  return run('tar', ['-xOJf', pathOf(`${imageFacts(artifact)?.folder}/rootfs.tar.xz`), `./${path}`]);
}

const APP = {
  'app/meta/main.yml': 'dependencies: [{role: common}]\n',
  'app/defaults/main.yml': 'app_port: 80\n',
  'app/tasks/main.yml': `- name: install
  command: apt-get install --yes app tool
- name: settings
  template: {src: app.conf, dest: /etc/app.conf, mode: "0640", owner: "7", group: "0"}
  notify: restart app
- include_tasks: setup.yml
- copy: {content: "{{ ansible_date_time.date }} {{ ansible_facts.date_time.epoch }} {{ ansible_kernel }} {{ groups['web'] }} {{ ansible_memtotal_mb | default('none') }}", dest: /etc/facts}
`,
  'app/tasks/setup.yml': `- name: configure
  copy: {content: x, dest: /etc/configured}
  tags: [install, app-config]
- block:
    - copy: {content: x, dest: /etc/configured-too}
  tags: config
`,
  'app/handlers/main.yml': '- name: restart app\n  copy: {content: x, dest: /etc/restarted}\n',
  'app/templates/app.conf': 'port = {{ app_port }}\nname = {{ inventory_hostname }}-{{ rpc_release }}\n',
  'common/tasks/main.yml': '- file: {path: /srv/common, state: directory, mode: "0755"}\n',
};

applied('F23 F25 roles install from the release, write templates and run commands; what configures and handlers are left out', async (t) => {
  await using dir = await tempDir();
  const spec = await withRoles(dir, APP, { with: [dir.join('roles', 'common')], vars: { app_port: 8080 }, groups: ['web'] });

  const made = await make(await site(), spec);
  const again = await make(await site(), spec, { previous: made.artifact });

  t.deepEqual(imageFacts(made.artifact)?.packages.map(({ name, version, from }) => [name, version, from]), [['app', '1.0-1', 'release'], ['tiny-base', '1.0-1', 'tiny'], ['tool', '1.0-1', 'tiny']]);
  t.is(read(made, 'etc/app.conf'), 'port = 8080\nname = app-r1.0.0\n');
  t.is(read(made, 'etc/facts'), "2020-09-13 1600000000 0 ['app'] none");
  t.is(read(made, 'usr/share/tool'), 'started nothing\n', 'a package was told to start no service');
  const listed = listing(made);
  t.regex(listed, /^-rw-r----- 7\/0 .* \.\/etc\/app\.conf$/m);
  t.regex(listed, /\.\/srv\/common\/$/m);
  t.notRegex(listed, /configured|restarted/);
  t.notRegex(listed, /ansible|artifacts|policy-rc|\.pyc|python|\.\/dev\/.|\.\/tmp\/./, 'nothing of the making is left');
  t.is(again.made.detail, 'the same as build 20261121_03:15');
  t.deepEqual(leftBehind((await site()).dir.path), []);
});

/** Applies the roles to a tree of its own, which is not packed. */
async function applyTo(dir: TempDir, { ansible }: ImageSpec, ctx = testContext()): Promise<string> {
  const { applying, tree } = await prepareApplying(dir, ansible);
  await applyRoles(tree, applying, ctx);
  return tree.path;
}

async function prepareApplying(dir: TempDir, roles: ImageSpec['ansible']): Promise<{ readonly applying: Applying; readonly tree: Parameters<typeof applyRoles>[0] }> {
  if (roles === undefined) throw new Error('no roles');
  const { image, dir: shop } = await site();
  const spec = { codename: 'tiny', architecture: 'amd64', sources: await image.base.resolve(), packages: [] };
  const root = await prepareRoot(spec, { cache: shop.join('cache', 'roots') }, testContext());
  const tree = { path: dir.join('tree'), temporary: dir.join('sandbox'), log: dir.join('log') };
  await copyRoot(root, tree.path, testContext());
  return { tree, applying: { release: 'r1.0.0', host: 'app', roles, secrets: secretTexts(roles.secrets), spec, apt: root.apt, folder: dir.join('applying') } };
}

applied('F23 handlers run where they are wanted, and only tags that are named are left out', async (t) => {
  await using dir = await tempDir();
  const spec = await withRoles(dir, APP, { with: [dir.join('roles', 'common')], groups: ['web'], skipHandlers: false, skipTags: ['app-'] });

  const tree = await applyTo(dir, spec);

  t.true(existsSync(join(tree, 'etc/restarted')));
  t.true(existsSync(join(tree, 'etc/configured-too')));
  t.false(existsSync(join(tree, 'etc/configured')));
  await removeRootTree(tree);
});

applied('X C a role finds no file, key, variable, network or process of the machine, on localhost neither', async (t) => {
  await using dir = await tempDir();
  let asked = 0;
  const server = createServer((_request, response) => void response.end(`reached ${(asked += 1)}`));
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve));
  const port = (server.address() as AddressInfo).port;
  const mark = `6${process.pid}`;
  const file = dir.join('signing-key');
  writeFileSync(file, 'TOP-SECRET-KEY');
  process.env['RIG_TOKEN'] = 'TOP-SECRET-TOKEN';
  const look = `cat ${file}; cat /proc/[0-9]*/environ; ls /root /home /etc/ssh; echo x > ${file}; mkdir -p ${dir.path}/made; echo x > /usr/x; mknod /dev/sda b 8 0`;
  const ask = (path: string): string => `busybox wget -q -O - http://127.0.0.1:${path}`;
  const spec = await withRoles(dir, {
    'app/tasks/main.yml': `- set_fact:
    found:
      - "{{ lookup('file', '${file}', errors='ignore') }}"
      - "{{ lookup('env', 'RIG_TOKEN') }}"
      - "{{ lookup('pipe', '(${look}) 2>&1; true') }}"
      - "{{ lookup('url', 'http://127.0.0.1:${port}/', errors='ignore') }}"
- shell: (${look}; ${ask(`${port}/`)}; ${ask('8087/0/%2e%2e/key.asc')}; ${ask('8087/9/x')}; ${ask('8087/0/key.asc')}) 2>&1; true
  register: here
- shell: (${look}) 2>&1; true
  delegate_to: localhost
  register: localhost
- copy: {content: x, dest: ${dir.path}/written}
  connection: local
  ignore_errors: yes
- command: id -u
  become: yes
  become_user: _apt
  register: other
- shell: (setsid sleep ${mark} &) ; (sleep ${mark} &) ; echo started
  delegate_to: localhost
- shell: (setsid sleep ${mark} &) ; echo started
- copy: {content: "{{ found }} {{ here.stdout }} {{ localhost.stdout }} user {{ other.stdout }}", dest: /etc/found}
`,
  });

  const tree = await applyTo(dir, spec);
  server.close();

  const found = readFileSync(join(tree, 'etc/found'), 'utf8');
  t.notRegex(found, /TOP-SECRET|reached|RIG_|AVA/);
  t.regex(found, /BEGIN PGP PUBLIC KEY/, 'the repository its image is made of, and nothing beside it');
  t.is(found.match(/BEGIN PGP/g)?.length, 1);
  t.regex(found, /user 42$/);
  t.is(asked, 0);
  t.is(readFileSync(file, 'utf8'), 'TOP-SECRET-KEY');
  t.false(existsSync(dir.join('written')) || existsSync(dir.join('made')) || existsSync('/usr/x'));
  t.deepEqual(leftBehind(`sleep ${mark}`), []);
  t.deepEqual(leftBehind(dir.path), []);
  await removeRootTree(tree);
});

applied('a role that fails tells which task and why, without secrets; an image with a secret in it is refused', async (t) => {
  await using dir = await tempDir();
  writeFileSync(dir.join('secrets.yml'), 'db: {password: "hunter2 \\"hunter3\\""}\nkey: |\n  -----BEGIN KEY-----\n  abcdefghijklmnopqrstuvwxyz\n', { mode: 0o600 });
  const fails = (tasks: string): Promise<unknown> => withRoles(dir, { 'app/tasks/main.yml': tasks }, { secrets: [dir.join('secrets.yml')] }).then(async (spec) => make(await site(), spec)).catch((error: unknown) => error);

  const failed = await fails('- name: connect\n  shell: "echo {{ db.password | quote }} is wrong >&2; exit 3"\n');
  const undefinedName = await fails('- copy: {content: "{{ nobody_said }}", dest: /x}\n');
  const kept = await fails('- copy: {content: "a\\n{{ key }}", dest: /etc/key}\n- copy: {content: "{{ db.password }}", dest: /etc/password}\n');

  t.true(isArtifactsError(failed, 'E_TOOL'));
  t.regex(String(failed), /Task "app : connect" of an Ansible role failed: non-zero return code: \*\*\* is wrong/);
  t.notRegex(JSON.stringify(failed) + String((failed as Error).cause), /hunter/);
  t.regex(String(undefinedName), /Task "app : copy".*'nobody_said' is undefined/);
  t.true(isArtifactsError(kept, 'E_CHECK'));
  t.regex(String(kept), /\/etc\/key holds a secret that its roles were given; \/etc\/password holds a secret/);
  t.notRegex(JSON.stringify(kept), /hunter|abcdef/);
});

applied('X11 when the program is killed while a role runs, no process and no mount is left; an aborted one ends at once', async (t) => {
  await using dir = await tempDir();
  const mark = `7${process.pid}`;
  const { ansible } = await withRoles(dir, { 'app/tasks/main.yml': `- command: sleep ${mark}\n` });
  const { tree, applying } = await prepareApplying(dir, ansible);
  const module = pathToFileURL(join(PROJECT, 'build/src/artifacts/container/apply-roles.js')).href;
  const code = `import { applyRoles } from ${JSON.stringify(module)};
await applyRoles(${JSON.stringify(tree)}, ${JSON.stringify(applying)}, { signal: new AbortController().signal, report() {} });`;
  const program = spawn(process.execPath, ['--input-type=module', '-e', code], { stdio: 'inherit' });
  while (leftBehind(`sleep ${mark}`).length === 0) await sleep(50);

  program.kill('SIGKILL');

  while (leftBehind(`sleep ${mark}`).length > 0) await sleep(20); // ava's own limit ends this if they stay
  t.deepEqual(leftBehind(dir.path), []);

  rmSync(applying.folder, { recursive: true });
  const ctx = testContext();
  const running = applyRoles(tree, applying, ctx);
  while (leftBehind(`sleep ${mark}`).length === 0) await sleep(50);
  ctx.abort(new Error('enough'));
  await t.throwsAsync(running, { message: 'enough' });
  t.deepEqual(leftBehind(dir.path), []);
  await removeRootTree(tree.path);
});

test('what decides what roles do is in the inputs, and no value of theirs', async (t) => {
  await using dir = await tempDir();
  writeFileSync(dir.join('secrets.yml'), 'password: correct horse\n');
  const spec = await withRoles(dir, APP, { secrets: [dir.join('secrets.yml')], vars: { token: 'battery staple' } });
  const inputs = (): string => JSON.stringify(taskOf(spec).inputs);
  const first = inputs();

  t.notRegex(first, /correct horse|battery staple/);
  t.notRegex(first, new RegExp(dir.path), 'nor where they lie');
  mkdirSync(dir.join('roles', 'app', '.git'));
  writeFileSync(dir.join('roles', 'app', '.git', 'HEAD'), 'x');
  t.is(inputs(), first);
  chmodSync(dir.join('roles', 'app', 'tasks', 'main.yml'), 0o755);
  const second = inputs();
  t.not(second, first);
  writeFileSync(dir.join('secrets.yml'), 'password: correct horses\n');
  t.not(inputs(), second);
  rmSync(dir.join('roles', 'app'), { recursive: true });
  t.throws(inputs, { message: /roles\/app, which is to be an Ansible role, is no folder/ });
});

test('a secret that is too short to be looked for is refused, and so is a machine without Ansible', async (t) => {
  await using dir = await tempDir();
  writeFileSync(dir.join('secrets.yml'), 'a: {pin: 1234}\n');

  const error = t.throws(() => secretTexts([dir.join('secrets.yml')]), { message: /the secret a\.pin has less than 8 characters/ });
  t.notRegex(error.message, /1234/);
  t.throws(() => requireAnsible([dir.path]), { message: 'The tool "ansible-playbook" is not installed' });
});

function run(program: string, args: readonly string[]): string {
  const { status, stdout, stderr } = spawnSync(program, args, { encoding: 'utf8', maxBuffer: 1 << 28 });
  if (status !== 0) throw new Error(`${program}: ${stderr}`);
  return stdout;
}
