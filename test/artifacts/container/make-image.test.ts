import { spawnSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import test from 'ava';
import { imageFacts } from '../../../src/artifacts/container/facts.ts';
import type { Artifact } from '../../../src/core/artifact.ts';
import type { Sha256 } from '../../../src/core/digest.ts';
import { isArtifactsError } from '../../../src/core/errors.ts';
import { testWith } from '../../rig/skip.ts';
import { tempDir, type TempDir } from '../../rig/temp.ts';
import { folderDeb, tinySystem } from '../../rig/tiny-system.ts';
import { sandboxReason } from '../../sandbox/support.ts';
import { make, publishSite, type Site } from './support.ts';

const imaged = testWith(sandboxReason === undefined, sandboxReason ?? '');

let shared: Promise<Site> | undefined;

/** One site for all tests of this file: they only read it. */
function site(): Promise<Site> {
  shared ??= makeSite();
  return shared;
}

async function makeSite(): Promise<Site> {
  const dir: TempDir = await tempDir();
  const release = [await folderDeb({ name: 'app', version: '1.0-1', files: { 'usr/share/app/version': '1.0\n', 'var/log/app/.keep': '' } })];
  const base = [...(await tinySystem({ programs: ['/usr/sbin/setcap', '/usr/bin/perl'] })), await folderDeb({ name: 'app', version: '2.0-1' }), await folderDeb({ name: 'sudo', files: { 'usr/bin/sudo': ['#!/bin/sh\n', 0o4755] } })];
  return publishSite(dir, { release, base });
}

test.after.always(async () => {
  if (shared !== undefined) await (await shared).dir[Symbol.asyncDispose]();
});

imaged('F23 F24 an image is what its packages, files and commands say, and knows only the release', async (t) => {
  const { image } = await site();
  await using files = await tempDir();
  writeFileSync(files.join('app.conf'), 'setting = 1\n');
  mkdirSync(files.join('hooks'));
  writeFileSync(files.join('hooks', 'run'), '#!/bin/sh\n', { mode: 0o700 });
  const spec = {
    ...image,
    packages: ['app', 'sudo'],
    venv: VENV,
    privileged: ['/usr/bin/mine'],
    files: [
      { from: files.join('app.conf'), to: '/etc/app/app.conf', mode: '0640', owner: '0:42' },
      { from: files.join('hooks'), to: '/usr/lib/app/hooks', mode: undefined, owner: 'root:root' },
    ],
    commands: [
      { run: 'echo ran > /var/lib/ran; echo log > /var/log/app/app.log; mkdir -p ~root/.ssh; echo k > ~root/.ssh/id; echo abc > /etc/machine-id', config: false },
      { run: 'cp /usr/bin/env /usr/bin/mine; chmod 4755 /usr/bin/mine', config: false },
      { run: 'echo configured > /etc/configured', config: true },
    ],
  };

  const { made, artifact, pathOf } = await make(await site(), spec, { needed: new Map([[VENV, packVenv(await site())]]) });

  const facts = imageFacts(artifact);
  t.deepEqual(facts?.packages.map(({ name, version, from }) => [name, version, from]), [['app', '1.0-1', 'release'], ['sudo', '1.0-1', 'tiny'], ['tiny-base', '1.0-1', 'tiny']]);
  t.deepEqual(facts?.privileged, ['/usr/bin/mine', '/usr/bin/sudo']);
  t.is(facts?.folder, 'lxc-images/tinyos/tiny/amd64/app-r1.0.0/20261121_03:15');
  t.deepEqual(made.files.map(({ path }) => path).filter((path) => path.startsWith('lxc-images/')).map((path) => path.split('/').at(-1)), ['incus.tar.xz', 'meta.tar.xz', 'rootfs.tar.xz', 'SHA256SUMS']);
  const rootfs = pathOf(`${facts?.folder}/rootfs.tar.xz`);
  const listing = run('tar', ['--numeric-owner', '-tvJf', rootfs]);
  t.regex(listing, /^-rw-r----- 0\/42 .* \.\/etc\/app\/app\.conf$/m);
  t.regex(listing, /^-rwxr-xr-x 0\/0 .* \.\/usr\/lib\/app\/hooks\/run$/m);
  t.regex(listing, /\.\/var\/lib\/ran$/m);
  t.regex(listing, /^drwx.* \.\/var\/log\/app\/$/m, 'folders of logs stay');
  t.notRegex(listing, /app\.log|root\/\.ssh|configured|etc\/hostname|resolv\.conf|var\/lib\/apt\/lists\/./);
  t.notRegex(listing, /^[bcps]/m, 'no devices');
  t.is(run('tar', ['-xOJf', rootfs, './etc/machine-id']), '');
  t.is(run('tar', ['-xOJf', rootfs, './opt/venv/bin/serve']), '#!/opt/venv/bin/python\n');
  t.is(run('tar', ['-xOJf', rootfs, './etc/apt/sources.list.d/release.sources']), `Types: deb
URIs: http://artifacts.example.org/apt-mirror/integrated
Suites: r1.0.0-tiny
Components: main
Architectures: amd64
Signed-By: /etc/apt/keyrings/release.asc
`);
});

imaged('F25 equal inputs give equal bytes, and then nothing is made anew', async (t) => {
  const { image } = await site();
  const spec = { ...image, role: 'twice', packages: ['app', 'sudo'], commands: [{ run: 'date > /tmp/x; echo same > /srv-file', config: false }] };

  const first = await make(await site(), spec);
  const second = await make(await site(), spec, { build: '20261122T031500Z', previous: first.artifact });
  const again = await make(await site(), spec);
  const other = await make(await site(), { ...spec, commands: [{ run: 'echo other > /srv-file', config: false }] }, { previous: first.artifact });

  t.deepEqual(second.artifact.files, first.artifact.files, 'the same files under the same names');
  t.is(second.made.detail, 'the same as build 20261121_03:15');
  t.deepEqual(again.artifact.files, first.artifact.files, 'packed and compressed once more');
  t.deepEqual(again.made.facts, first.made.facts);
  t.is(imageFacts(other.artifact)?.build, '20261121_03:16', 'a build id is never used for other bytes');
});

imaged('C02 what is setuid is known: the packages\' own and what is declared, nothing else', async (t) => {
  const { image } = await site();
  const command = { run: 'cp /usr/bin/env /usr/bin/mine; chmod 4755 /usr/bin/mine', config: false };

  const refused = await t.throwsAsync(make(await site(), { ...image, packages: ['app', 'sudo'], commands: [command] }));
  t.like(refused, { code: 'E_CHECK' });
  t.regex(refused.message, /\/usr\/bin\/mine is setuid/);
  t.notRegex(refused.message, /sudo/);
});

/** setxattr(2) of amd64. */
const SET_ATTRIBUTE = 'my ($path, $name, $value) = @ARGV; $value = pack "H*", $value; syscall(188, $path, $name, $value, length $value, 0) == 0 or die $!';

/** An access list by which user 42 may write and the group may not: acl(5), as the kernel stores it. */
const ACCESS_LIST = '02000000 01000600ffffffff 020006002a000000 04000400ffffffff 10000600ffffffff 20000400ffffffff'.replaceAll(' ', '');

imaged('C06 holes, hard links, capabilities, large owners and line ends in names come through; attributes of users do not', async (t) => {
  const { image } = await site();
  const commands = [
    'mkdir /srv; cd /srv; busybox truncate -s 5M sparse; echo end >> sparse; echo one > first; busybox ln first second; chown 65000:65000 second',
    `cd /srv; cp /usr/bin/env capable; setcap cap_net_raw=ep capable; perl -e '${SET_ATTRIBUTE}' first user.mark 78`,
    `mkdir /var/log/journal; busybox chgrp 42 /var/log/journal; perl -e '${SET_ATTRIBUTE}' /var/log/journal system.posix_acl_access ${ACCESS_LIST}`,
    'cd /srv; echo text > "$(printf \'two\\nlines\')"',
  ];
  const spec = { ...image, role: 'odd', packages: [], commands: commands.map((run) => ({ run, config: false })), privileged: ['/srv/capable'] };

  const { artifact, pathOf } = await make(await site(), spec);

  const facts = imageFacts(artifact);
  t.deepEqual(facts?.privileged, ['/srv/capable']);
  const rootfs = pathOf(`${facts?.folder}/rootfs.tar.xz`);
  const listing = run('tar', ['--xattrs', '--xattrs-include=*', '--acls', '--numeric-owner', '-tvvJf', rootfs, './srv']);
  t.regex(listing, /^hrw.* 65000\/65000 .* \.\/srv\/second link to \.\/srv\/first$/m);
  t.regex(listing, /\.\/srv\/two\\nlines$/m);
  t.regex(listing, /\.\/srv\/capable\n +x: +\d+ security\.capability$/m);
  t.notRegex(listing, /user\.mark|^-\S{9}\+/m);
  t.regex(run('tar', ['--numeric-owner', '-tvJf', rootfs]), /^drwxr-sr-x 0\/42 .* \.\/var\/log\/journal\/$/m, 'the list systemd puts there is made anew by its first start');
  t.is(run('sh', ['-c', 'tar -xOJf "$1" ./srv/sparse | tail -c 4; tar -xOJf "$1" ./srv/sparse | wc -c', 'sh', rootfs]), 'end\n5242884\n');
});

imaged('C06 a file of ten terabytes is refused, and so is an access list', async (t) => {
  const { image } = await site();
  const fails = (command: string) => t.throwsAsync(site().then((where) => make(where, { ...image, packages: [], commands: [{ run: command, config: false }] })));

  t.like(await fails('busybox truncate -s 10T /sparse'), { code: 'E_TOOL' });
  const listed = await fails(`echo x > /shared; perl -e '${SET_ATTRIBUTE}' /shared system.posix_acl_access ${ACCESS_LIST}`);

  t.like(listed, { code: 'E_CHECK' });
  t.regex(listed.message, /: \/shared has an access list, which archives of images do not keep$/);
});

imaged('C01 C05 F25 F22 fifos, other sources, foreign packages and paths of this machine are refused, all told at once', async (t) => {
  const { dir, image } = await site();
  const commands = [
    `busybox mkfifo /srv-fifo; mkdir -p /etc/apt/sources.list.d; echo 'deb http://other.example.org x main' > /etc/apt/sources.list.d/x.list`,
    `echo ${dir.join('public')} > /etc/where`,
    `sed -i 's/^Version: 1.0-1/Version: 9/' /var/lib/dpkg/status`,
  ];

  const error = await t.throwsAsync(make(await site(), { ...image, consumerUrl: undefined, commands: commands.map((run) => ({ run, config: false })), checks: ['touch /written', 'test ! -e /written', 'echo not so >&2; exit 3'] }));

  t.like(error, { code: 'E_CHECK' });
  t.regex(error.message, /\/srv-fifo is a device, a socket or a fifo/);
  t.regex(error.message, /apt has other sources/);
  t.regex(error.message, /\/etc\/where names a folder of the machine/);
  const told = JSON.stringify(isArtifactsError(error) && error.details);
  t.regex(told, /the check \\"echo not so >&2; exit 3\\" failed: sh ended with status 3 in the sandbox: not so/);
  t.notRegex(told, /touch|test !/, 'each check looks at the image as it is');
  t.regex(error.message, /package tiny-base 9 amd64 is of no source/);
});

imaged('a command that fails says what it said', async (t) => {
  const { image } = await site();

  const error = await t.throwsAsync(make(await site(), { ...image, commands: [{ run: 'echo that is wrong >&2; exit 4', config: false }] }));

  t.like(error, { code: 'E_TOOL' });
  t.regex(error.message, /status 4.*that is wrong/);
});

const VENV = 'venv app tinyos-1-x86_64';

/** A virtualenv as the python artifacts of a release have it. */
function packVenv({ dir }: Site): Artifact {
  const sha256 = 'abc' as Sha256;
  mkdirSync(dir.join('venv', 'bin'), { recursive: true });
  writeFileSync(dir.join('venv', 'bin', 'serve'), '#!/opt/venv/bin/python\n', { mode: 0o755 });
  mkdirSync(dir.join('pool'), { recursive: true });
  run('tar', ['-czf', dir.join('pool', sha256), '-C', dir.join('venv'), '.']);
  return { release: 'r1.0.0', id: VENV, kind: 'python', files: [{ path: 'venvs/x.tgz', size: 1, sha256 }], facts: { prefix: '/opt/venv' }, madeAt: '2026-11-21T03:15:00.000Z' };
}

function run(program: string, args: readonly string[]): string {
  const { status, stdout, stderr } = spawnSync(program, args, { encoding: 'utf8', maxBuffer: 1 << 28 });
  if (status !== 0) throw new Error(`${program}: ${stderr}`);
  return stdout;
}
