/** The first things a newcomer does: `npm run quickstart`, and the smallest configuration of the README. */
import { cpSync, existsSync, readFileSync, statSync, symlinkSync, utimesSync } from 'node:fs';
import { chmod, mkdir, symlink, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { spawnSync } from 'node:child_process';
import test from 'ava';
import { buildDeb } from './rig/deb.ts';
import { isRoot, hasCommand, testWith } from './rig/skip.ts';
import { PROJECT, runArtifacts, runCommand, runNode, type RunResult } from './rig/run.ts';
import { serve } from './rig/server.ts';
import { tempDir, type TempDir } from './rig/temp.ts';
import { aptUpstream } from './rig/upstream.ts';

test("the README's smallest complete configuration loads as it is written and can be planned", async (t) => {
  await using dir = await tempDir();
  const blocks = readFileSync(join(PROJECT, 'README.md'), 'utf8').matchAll(/```yaml\n# ((?:vars|mappings)\/\S+?\.yml)\b.*\n([^]*?)```/g);
  const files = [...blocks].map(([, path = '', text = '']) => ({ path, text }));
  for (const { path, text } of files) {
    await mkdir(dirname(dir.join(path)), { recursive: true });
    await writeFile(dir.join(path), text);
  }

  const check = await runArtifacts(['config', 'check'], { root: dir.path });
  const plan = await runArtifacts(['plan', '--release', 'r1.0.0'], { root: dir.path, state: dir.join('state') });

  t.deepEqual(files.map(({ path }) => path), ['vars/aptly.yml', 'vars/releases.yml', 'mappings/miko.yml', 'mappings/n.yml']);
  t.is(check.status, 0, check.stderr);
  t.regex(check.stdout, /^1 mirror, 1 release: no problems\.$/m);
  t.is(plan.status, 0, plan.stderr);
  t.regex(plan.stdout, /^publish apt-mirror\/integrated r1\.0\.0-bookworm +build /m);
});

const namespaces = spawnSync('unshare', ['-rm', 'true'], { stdio: 'ignore' }).status === 0;
const machine = testWith(namespaces && hasCommand('apt-get') && hasCommand('xz'), 'needs unshare -rm, apt-get and xz');

machine('the quickstart makes a key, builds the demo, says how to use it, and is done at once the next time', async (t) => {
  await using dir = await tempDir();
  const upstream = await demoUpstream();
  await using server = await serve(upstream.files);
  const clone = copyProject(dir);
  const etc = await machineOf(dir, { sources: `deb [signed-by=${dir.join('upstream.asc')}] ${server.url} rig main\n`, keyring: upstream.keyring });

  const first = await onMachine(etc, [process.execPath, join(clone, 'scripts', 'quickstart.mjs'), '--only', 'apt,git']);
  const key = join(clone, 'keys', 'demo.key.asc');
  const made = readFileSync(key, 'utf8');
  const [command = ''] = /^ {2}APT_CONFIG=.*$/m.exec(first.stdout) ?? [];
  const tried = await onMachine(etc, ['sh', '-c', command]);
  server.requests.length = 0;
  const second = await onMachine(etc, [process.execPath, join(clone, 'scripts', 'quickstart.mjs'), '--only', 'apt,git']);

  t.is(first.status, 0, first.stdout + first.stderr);
  t.is(statSync(key).mode & 0o777, 0o600);
  t.false(existsSync(join(clone, 'state', 'keys')));
  const [, exported = ''] = /^ {2}deb \[signed-by=(\S+)\] file:\/\S+\/apt-mirror\/integrated demo-rig main$/m.exec(first.stdout) ?? [];
  t.regex(readFileSync(exported, 'utf8'), /BEGIN PGP PUBLIC KEY/);
  t.is(tried.status, 0, tried.stdout + tried.stderr);
  for (const name of ['hello', 'jq', 'nginx-light', 'nginx-common']) {
    t.true(existsSync(join(clone, 'state', 'try-apt', 'cache', 'archives', `${name}_1.0-1_all.deb`)), name);
  }
  t.is(second.status, 0, second.stderr);
  t.regex(second.stdout, /^What was asked for of release demo is built and unchanged: nothing to do\.$/m);
  t.is(readFileSync(key, 'utf8'), made);
  t.deepEqual(server.requests, []);
});

const rpms = testWith(namespaces && ['rpmbuild', 'createrepo_c', 'dnf', 'git', 'xz'].every(hasCommand), 'needs unshare -rm, rpmbuild, createrepo_c, dnf, git and xz');

rpms('with the rpm part there is one release of both kinds, and dnf installs from it with the key of the demo', async (t) => {
  t.timeout(180_000);
  await using dir = await tempDir();
  const upstream = await demoUpstream();
  await using server = await serve(upstream.files);
  const clone = copyProject(dir);
  const etc = await machineOf(dir, { sources: `deb [signed-by=${dir.join('upstream.asc')}] ${server.url} rig main\n`, keyring: upstream.keyring });
  const quickstart = [process.execPath, join(clone, 'scripts', 'quickstart.mjs'), '--only', 'apt,rpm'];

  const first = await onMachine(etc, quickstart);
  const [command = ''] = /^ {2}dnf -c .*$/m.exec(first.stdout) ?? [];
  const tried = await onMachine(etc, ['sh', '-c', `${command} --disableplugin=local`]);
  const second = await onMachine(etc, quickstart);
  const built = await onMachine(etc, [process.execPath, join(clone, 'bin', 'artifacts.js'), '--root', clone, '--state', join(clone, 'state'), 'release', 'show', 'demo-rpm', '--json']);

  t.is(first.status, 0, first.stdout + first.stderr);
  t.is(tried.status, 0, tried.stdout + tried.stderr);
  t.is(readFileSync(join(clone, 'state/try-dnf/root/usr/share/greeting/words'), 'utf8'), 'Hello from rpm!\n');
  t.is(second.status, 0, second.stderr);
  t.regex(second.stdout, /^rpms: +there: demo\/rpms$/m);
  t.regex(second.stdout, /nothing to do\.$/m);
  const { published } = JSON.parse(built.stdout) as { published: readonly { prefix: string; distribution: string }[] };
  t.deepEqual(published.map(({ prefix, distribution }) => `${prefix} ${distribution}`).sort(), ['apt-mirror/integrated demo-rpm-rig', 'rpm-mirror/integrated demo-rpm-el9']);
});

machine('a machine whose sources have no suite of its own is told so, and the status is not 0', async (t) => {
  await using dir = await tempDir();
  const clone = copyProject(dir);
  const etc = await machineOf(dir, { sources: 'deb http://127.0.0.1:9 other main\n', keyring: Buffer.from('') });

  const { status, stdout, stderr } = await onMachine(etc, [process.execPath, join(clone, 'scripts', 'quickstart.mjs'), '--only', 'apt,git']);

  t.is(status, 3);
  t.regex(stdout, /this machine's apt sources have no suite rig/);
  t.regex(stdout, /Its sources are: other \(main\)/);
  t.regex(stderr, /^quickstart: The release demo was not built\.$/m);
  t.false(existsSync(join(clone, 'state', 'public', 'apt-mirror')));
});

test('a missing tool is installed by root or named, in one line, before anything else is done', async (t) => {
  await using dir = await tempDir();
  const clone = copyProject(dir);
  await mkdir(dir.join('bin'));
  for (const tool of ['apt-get', 'apt-config', 'dpkg', 'git', 'sync']) {
    await writeFile(dir.join('bin', tool), '#!/bin/sh\nexit 100\n');
    await chmod(dir.join('bin', tool), 0o755);
  }
  await symlink('/bin/sh', dir.join('bin', 'sh'));

  const { status, stderr } = await runNode([join(clone, 'scripts', 'quickstart.mjs'), '--only', 'apt,git'], { env: { PATH: dir.join('bin') } });

  t.is(status, isRoot ? 1 : 2);
  t.is(
    stderr,
    isRoot
      ? 'quickstart: apt-get update failed. Install xz-utils, then run this again.\n'
      : 'quickstart: Not installed: xz. As root: apt-get install --yes --no-install-recommends xz-utils\n',
  );
  t.false(existsSync(join(clone, 'keys')));
});

test('a path that no source line can name is refused', async (t) => {
  await using dir = await tempDir();
  const clone = copyProject(dir, 'a clone');

  const { status, stderr } = await runNode([join(clone, 'scripts', 'quickstart.mjs')]);

  t.is(status, 2);
  t.regex(stderr, /^quickstart: apt cannot be told of a key in [^\n]*\n$/);
});

/** What a clone holds after `npm ci` and a build. Times are kept, or all would look out of date. */
function copyProject(dir: TempDir, name = 'clone'): string {
  const clone = dir.join(name);
  for (const part of ['bin', 'scripts', 'src', 'build/src', 'build/bundle', 'vars', 'mappings', 'demo', 'package.json', 'package-lock.json', 'tsconfig.json']) {
    // Without the bundler there is no bundle.
    if (part === 'build/bundle' && !existsSync(join(PROJECT, part))) continue;
    cpSync(join(PROJECT, part), join(clone, part), { recursive: true, preserveTimestamps: true });
  }
  symlinkSync(join(PROJECT, 'node_modules'), join(clone, 'node_modules'));
  // Older than what is installed by any clock: `npm ci` in the copy would empty the project's own node_modules.
  utimesSync(join(clone, 'package-lock.json'), 0, 0);
  return clone;
}

function demoUpstream(): ReturnType<typeof aptUpstream> {
  const deb = (name: string, fields = {}) => buildDeb({ name, architecture: 'all', fields });
  const architecture = spawnSync('dpkg', ['--print-architecture'], { encoding: 'utf8' }).stdout.trim();
  const main = [deb('hello'), deb('jq'), deb('nginx-common'), deb('nginx-light', { Depends: 'nginx-common' }), deb('unwanted')];
  return aptUpstream({ components: { main }, architectures: [architecture] });
}

/** What stands in /etc of a machine whose codename is `rig`. */
interface Etc {
  readonly apt: string;
  readonly osRelease: string;
}

async function machineOf(dir: TempDir, { sources, keyring }: { sources: string; keyring: Buffer }): Promise<Etc> {
  const etc = { apt: dir.join('etc-apt'), osRelease: dir.join('os-release') };
  await mkdir(etc.apt);
  await writeFile(join(etc.apt, 'sources.list'), sources);
  await writeFile(etc.osRelease, 'ID=rig\nVERSION_ID=1\nVERSION_CODENAME=rig\n');
  await writeFile(dir.join('upstream.asc'), keyring);
  return etc;
}

/** Runs a command where /etc is that one, in a mount namespace of its own. */
function onMachine(etc: Etc, command: readonly string[]): Promise<RunResult> {
  const script = 'mount --bind "$1" /etc/apt && mount --bind "$2" /etc/os-release && shift 2 && exec "$@"';
  const env = { http_proxy: undefined, https_proxy: undefined, SOURCE_DATE_EPOCH: undefined };
  return runCommand('unshare', ['-rm', 'sh', '-c', script, 'sh', etc.apt, etc.osRelease, ...command], { env });
}
