/**
 * The release `demo` from end to end, as its users get it: built of this machine's own distribution, served, and used by
 * clients that know nothing of us.
 */
import { spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import test from 'ava';
import { generateKey } from '../../src/sign/generate-key.ts';
import { aptReaches } from '../rig/online.ts';
import { PROJECT, runArtifacts, runCommand } from '../rig/run.ts';
import { serve, type RigServer } from '../rig/server.ts';
import { hasCommand, isRoot, testWith } from '../rig/skip.ts';
import { tempDir, type TempDir } from '../rig/temp.ts';
import { gpgv, hashOf } from '../rig/witness.ts';

const MINUTES = 60_000;

/** All builds of this file are made at one time (reproducible-builds.org), so that what they say of it is the same. */
const CLOCK = String(Math.floor(Date.now() / 1000));

/** Whether the upstreams of this machine answer: the first of them. */
function isOnline(): boolean {
  const { stdout } = spawnSync('apt-get', ['indextargets', '--format', '$(REPO_URI)dists/$(RELEASE)/InRelease'], { encoding: 'utf8' });
  const [url = ''] = (stdout ?? '').split('\n');
  return url !== '' && aptReaches(url);
}

const ready = isRoot && ['mmdebstrap', 'git', 'python3', 'gpgv', 'xz'].every(hasCommand) && isOnline();
const demo = testWith(ready, 'needs root, mmdebstrap, git, python3, gpgv, xz, and the upstreams of this machine');

interface Built {
  readonly result: string;
  readonly nodes: readonly { readonly id: string; readonly state: string; readonly detail: string }[];
}

interface Manifest {
  readonly build: string;
  readonly files: readonly { readonly path: string; readonly size: number; readonly sha256: string }[];
}

interface Scene {
  readonly dir: TempDir;
  readonly server: RigServer;
  readonly publicRoot: string;
  readonly key: Buffer;
  readonly codename: string;
  readonly distro: string;
  build(state: string): Promise<Built>;
  manifest(state: string): Manifest;
}

/** The demo as `npm run quickstart` sets it up, in a folder of its own. */
async function makeScene(): Promise<Scene> {
  const dir = await tempDir();
  const root = dir.join('root');
  for (const part of ['vars', 'mappings', 'demo']) cpSync(join(PROJECT, part), join(root, part), { recursive: true });
  rmSync(join(root, 'demo/greeter.git'), { recursive: true, force: true });
  const { makeDemoRepository } = (await import(join(PROJECT, 'scripts/demo-repository.mjs'))) as { makeDemoRepository: (folder: string) => unknown };
  makeDemoRepository(root);
  mkdirSync(join(root, 'keys'));
  await generateKey({ name: 'demo', file: join(root, 'keys/demo.key.asc'), date: new Date(Date.now() - MINUTES) });
  mkdirSync(dir.join('state/public'), { recursive: true });
  const server = await serve(dir.join('state/public'));
  writeFileSync(join(root, 'vars/consumers.yml'), `consumers: {base_url: "${server.url}"}\n`);
  const built = await build(dir, 'state');
  if (built.result !== 'done') throw new Error(`The demo was not built: ${JSON.stringify(built.nodes, undefined, 1)}`);
  const publicRoot = dir.join('state/public');
  const [image = ''] = readFileSync(join(publicRoot, 'meta/1.0/index-system'), 'utf8').split('\n');
  const [, codename = ''] = image.split(';');
  const [distro = ''] = manifestOf(dir, 'state').files.flatMap(({ path }) => /^os-releases\/demo\/([^/]+)\//.exec(path)?.[1] ?? []);
  return {
    dir,
    server,
    publicRoot,
    key: readFileSync(join(publicRoot, 'apt-mirror/release-signing-key.asc')),
    codename,
    distro,
    build: (state) => build(dir, state),
    manifest: (state) => manifestOf(dir, state),
  };
}

async function build(dir: TempDir, state: string): Promise<Built> {
  const { stdout, stderr, status } = await runArtifacts(['build', '--release', 'demo', '--json'], {
    root: dir.join('root'),
    state: dir.join(state),
    env: { SOURCE_DATE_EPOCH: CLOCK },
    timeout: 10 * MINUTES,
  });
  if (status !== 0 && status !== 3) throw new Error(`artifacts build ended with ${status}:\n${stdout}\n${stderr}`);
  return JSON.parse(stdout) as Built;
}

function manifestOf(dir: TempDir, state: string): Manifest {
  return JSON.parse(readFileSync(dir.join(state, 'public/releases/demo/latest/manifest.json'), 'utf8')) as Manifest;
}

let scene: Promise<Scene> | undefined;
/** Built once for all tests of this file. */
const theScene = (): Promise<Scene> => (scene ??= makeScene());

test.after.always(async () => {
  const { server, dir } = (await scene?.catch(() => undefined)) ?? {};
  await server?.close();
  await dir?.[Symbol.asyncDispose]();
});

demo('the demo is built whole, its manifest lists what is served, and a second build does nothing', async (t) => {
  t.timeout(12 * MINUTES);
  const { publicRoot, manifest, build: again } = await theScene();

  const { files } = manifest('state');
  const second = await again('state');

  t.is(second.result, 'unchanged');
  for (const { path, size, sha256 } of files) {
    t.is(hashOf(join(publicRoot, path)), sha256, path);
    t.is(readFileSync(join(publicRoot, path)).length, size, path);
  }
  for (const part of ['apt-mirror/integrated/dists/', 'git-archives/demo/', 'pools/', 'os-releases/demo/', 'venvs/demo/', 'lxc-images/', 'oci/demo/']) {
    t.true(files.some(({ path }) => path.startsWith(part)), part);
  }
});

demo('F27 F28 apt in strict mode, in a fresh root filesystem, knows the release alone and installs from it', async (t) => {
  t.timeout(12 * MINUTES);
  const { dir, server, publicRoot, codename } = await theScene();
  const root = dir.join('strict');
  await unpackImage(publicRoot, root);
  const overrides = join(publicRoot, 'releases/demo/latest/overrides/strict/apt', codename);
  rmSync(join(root, 'etc/apt/sources.list.d'), { recursive: true });
  mkdirSync(join(root, 'etc/apt/sources.list.d'));
  cpSync(join(overrides, 'rpco.sources'), join(root, 'etc/apt/sources.list.d/rpco.sources'));
  cpSync(join(overrides, 'rpco.pref'), join(root, 'etc/apt/preferences.d/rpco.pref'));

  const inside = 'apt-get update && apt-get install --yes --no-install-recommends jq && jq --version && apt-cache policy jq';
  const mounted = 'mount --rbind /dev "$1/dev" && mount -t proc proc "$1/proc" && exec chroot "$1" sh -c "$2"';
  const installed = await runCommand('unshare', ['--mount', 'sh', '-c', mounted, 'sh', root, inside], { env: { DEBIAN_FRONTEND: 'noninteractive', http_proxy: undefined }, timeout: 3 * MINUTES });

  t.is(installed.status, 0, installed.stdout + installed.stderr);
  t.regex(installed.stdout, /^jq-1\./m);
  t.regex(installed.stdout, new RegExp(`1001 ${server.url}/apt-mirror/integrated`));
  t.regex(server.paths().filter((path) => path.includes('jq')).join('\n'), /^\/?apt-mirror\/integrated\/pool\/[0-9a-f]{2}\/[0-9a-f]{64}_jq_\S+\.deb$/m);
});

demo('F17 git works from the archive, which holds the history of the commit that is listed', async (t) => {
  t.timeout(12 * MINUTES);
  const { dir, server, publicRoot, key } = await theScene();
  const folder = dir.join('git');
  mkdirSync(folder);
  for (const name of ['greeter.tgz', 'greeter.tgz.sha256', 'index.json', 'index.json.asc']) {
    writeFileSync(join(folder, name), Buffer.from(await (await fetch(`${server.url}/git-archives/demo/${name}`)).arrayBuffer()));
  }

  const sums = await runCommand('sha256sum', ['--check', 'greeter.tgz.sha256'], { cwd: folder });
  const unpacked = await runCommand('tar', ['-xzf', 'greeter.tgz', '--no-same-owner'], { cwd: folder });
  const cloned = await runCommand('git', ['clone', '--quiet', 'greeter', 'clone'], { cwd: folder, env: { GIT_CONFIG_COUNT: '1', GIT_CONFIG_KEY_0: 'safe.directory', GIT_CONFIG_VALUE_0: '*' } });
  const head = await runCommand('git', ['-C', 'clone', 'rev-parse', 'HEAD'], { cwd: folder });

  t.deepEqual([sums.status, unpacked.status, cloned.status], [0, 0, 0], sums.stderr + unpacked.stderr + cloned.stderr);
  const { repositories } = JSON.parse(readFileSync(join(folder, 'index.json'), 'utf8')) as { repositories: { name: string; commit: string }[] };
  t.deepEqual(repositories.map(({ name, commit }) => [name, commit]), [['greeter', head.stdout.trim()]]);
  t.true(await gpgv(key, [join(folder, 'index.json.asc'), join(folder, 'index.json')]));
  t.true(existsSync(join(publicRoot, 'git-archives/demo/greeter.checksum')));
});

demo('F18 F19 pip installs by hash from the index of the release and from its folder, and from nowhere else', async (t) => {
  t.timeout(12 * MINUTES);
  const { dir, server, publicRoot, distro } = await theScene();
  const place = `os-releases/demo/${distro}`;
  const requirements = join(publicRoot, place, 'requirements_absolute_requirements.txt');
  t.regex(readFileSync(requirements, 'utf8'), /^greeter==1\.0 .*--hash=sha256:[0-9a-f]{64}$/m);
  // For the interpreter the wheels are made for: whether they can be loaded is shown in the image.
  const wheel = readFileSync(join(publicRoot, place, 'MANIFEST.in'), 'utf8').split('\n').find((path) => /\/greeter-.*\.whl$/i.test(path)) ?? '';
  const [, tag = ''] = /-(cp\d+)-/.exec(wheel) ?? [];
  const download = ['-m', 'pip', 'download', '--isolated', '--disable-pip-version-check', '--no-deps', '--require-hashes', '--only-binary', ':all:', '--python-version', tag.slice(2), '--implementation', 'cp', '--abi', tag, '--platform', 'linux_x86_64', '--requirement', requirements];

  const byIndex = await runCommand('python3', [...download, '--index-url', `${server.url}/${place}/simple/`, '--dest', dir.join('by-index')]);
  const byFolder = await runCommand('python3', [...download, '--no-index', '--find-links', join(publicRoot, place), '--dest', dir.join('by-folder')]);

  t.is(byIndex.status, 0, byIndex.stderr);
  t.is(byFolder.status, 0, byFolder.stderr);
});

demo('F21 the lock names the frozen library the wheel is linked against', async (t) => {
  t.timeout(12 * MINUTES);
  const { publicRoot, distro, codename } = await theScene();
  const packages = gunzipSync(readFileSync(join(publicRoot, `apt-mirror/integrated/dists/demo-${codename}/main/binary-amd64/Packages.gz`))).toString();
  const [, frozen = ''] = /^Package: zlib1g\n(?:.+\n)*?Version: (.+)$/m.exec(packages) ?? [];

  const lock = readFileSync(join(publicRoot, `os-releases/demo/${distro}/lock.json`), 'utf8');

  t.not(frozen, '');
  t.regex(lock, new RegExp(`zlib1g[^}]*${frozen.replaceAll(/[.+]/g, '\\$&')}`));
});

demo('F24 the image is found by its index, has the bytes that are listed, and runs the service of its virtualenv', async (t) => {
  t.timeout(12 * MINUTES);
  const { dir, server, publicRoot, key, codename } = await theScene();
  t.true(await gpgv(key, [join(publicRoot, 'meta/1.0/index-system.asc'), join(publicRoot, 'meta/1.0/index-system')]));
  // What lxc-create's template download does with it: the first line of distribution, release, architecture and variant.
  const index = await (await fetch(`${server.url}/meta/1.0/index-system`)).text();
  const [, path = ''] = new RegExp(`^[a-z]+;${codename};amd64;greeter-demo;[^;]+;(.*)$`, 'm').exec(index) ?? [];
  const folder = dir.join('image');
  mkdirSync(join(folder, 'rootfs'), { recursive: true });
  for (const name of ['rootfs.tar.xz', 'meta.tar.xz', 'SHA256SUMS']) {
    writeFileSync(join(folder, name), Buffer.from(await (await fetch(new URL(`${path}${name}`, server.url))).arrayBuffer()));
  }

  const sums = await runCommand('sha256sum', ['--check', '--ignore-missing', 'SHA256SUMS'], { cwd: folder });
  const unpacked = await runCommand('tar', ['-xJf', 'rootfs.tar.xz', '-C', 'rootfs', '--numeric-owner'], { cwd: folder });
  const root = join(folder, 'rootfs');
  const greeted = await runCommand('chroot', [root, '/openstack/venvs/greeter-demo/bin/greeter', 'deployer']);
  const audit = await runCommand('chroot', [root, 'dpkg', '--audit']);

  t.is(sums.status, 0, sums.stderr);
  t.is(unpacked.status, 0, unpacked.stderr);
  t.regex(greeted.stdout, /^Hello, deployer! [0-9a-f]{8}\nbuilt against zlib \d/, greeted.stderr);
  t.regex(readFileSync(join(root, 'etc/motd'), 'utf8'), /^Hello, builder!/);
  t.deepEqual([audit.status, audit.stdout], [0, '']);
  t.is(readFileSync(join(root, 'etc/machine-id'), 'utf8'), '');
});

demo('the same inputs give the same bytes: a second builder with nothing of the first makes the same files', async (t) => {
  t.timeout(12 * MINUTES);
  const { manifest, build: buildAgain } = await theScene();

  const built = await buildAgain('second');

  t.is(built.result, 'done', JSON.stringify(built.nodes));
  const [first, second] = [digests(manifest('state')), digests(manifest('second'))];
  t.deepEqual([...second.keys()], [...first.keys()]);
  t.deepEqual([...second].filter(([path, digest]) => first.get(path) !== digest), []);
  t.true([...first.keys()].some((path) => path.endsWith('rootfs.tar.xz')));
});

/** The image's root filesystem, in a folder. */
async function unpackImage(publicRoot: string, folder: string): Promise<void> {
  const [line = ''] = readFileSync(join(publicRoot, 'meta/1.0/index-system'), 'utf8').split('\n');
  mkdirSync(folder);
  const { status, stderr } = await runCommand('tar', ['-xJf', join(publicRoot, line.split(';')[5] ?? '', 'rootfs.tar.xz'), '-C', folder, '--numeric-owner']);
  if (status !== 0) throw new Error(stderr);
}

function digests({ files }: Manifest): ReadonlyMap<string, string> {
  return new Map(files.map(({ path, sha256 }) => [path, sha256]));
}
