/**
 * Tools newer than this machine's, as witnesses: rpm 6, createrepo_c 1.x, dnf5 and zypper of another suite of the archive this
 * machine has its packages from. Its packages are unpacked once into a folder that outlives the run, and used by chroot.
 */
import { createHash } from 'node:crypto';
import { chmodSync, existsSync, lstatSync, mkdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { spawnSync } from 'node:child_process';
import { aptReaches } from './online.ts';
import { runCommand, type RunOptions, type RunResult } from './run.ts';
import { hasCommand, isRoot } from './skip.ts';

/** Where they are newest; what they need of it is compatible with older kernels. */
const SUITE = 'forky';

const SYSTEM = 'base-files bash dash coreutils sed grep findutils mawk gawk tar gzip bzip2 xz-utils zstd cpio file patch diffutils'.split(' ');
const TOOLS = 'rpm createrepo-c dnf5 zypper gpg gpg-agent gpgv python3-gi gir1.2-modulemd-2.0'.split(' ');

/** A file in the folder that is there once everything else is. */
const COMPLETE = 'complete';

const NAMESPACES = isRoot ? ['--mount'] : ['--user', '--map-root-user', '--mount'];

export type NewerTools = { readonly run: RunNewer; readonly reason?: undefined } | { readonly run?: undefined; readonly reason: string };

/** Runs one of the tools on the files below the folder of temporary files, which is at the same place for it. */
export type RunNewer = (command: string, args: readonly string[], options?: RunOptions) => Promise<RunResult>;

/** The tools, made when they are not there yet, which takes half a minute; or why there are none. */
export async function newerTools(): Promise<NewerTools> {
  const missing = ['mmdebstrap', 'unshare', 'flock', 'tar'].filter((name) => !hasCommand(name));
  if (missing.length > 0) return { reason: `needs ${missing.join(', ')}` };
  if (spawnSync('unshare', [...NAMESPACES, 'true']).status !== 0) return { reason: 'needs namespaces' };
  const folder = ownFolder();
  if (folder === undefined) return { reason: 'the folder of the newer tools belongs to somebody else' };
  const reason = existsSync(join(folder, COMPLETE)) ? undefined : await make(folder);
  return reason === undefined ? { run: (command, args, options) => runThere(join(folder, 'root'), [command, ...args], options) } : { reason };
}

/** One for each user and list of packages; anybody could have made a folder of that name. */
function ownFolder(): string | undefined {
  const key = createHash('sha256').update(JSON.stringify([SUITE, SYSTEM, TOOLS, SCRIPT])).digest('hex').slice(0, 16);
  const folder = join(tmpdir(), `newer-tools-${process.getuid?.() ?? 0}-${key}`);
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const found = lstatSync(folder);
  if (!found.isDirectory() || found.uid !== process.getuid?.()) return undefined;
  chmodSync(folder, 0o700);
  return folder;
}

/** What is not needed of the packages is most of them. Scripts of the packages do not run, so two files of theirs are written. */
const SCRIPT = `
set -eu
folder=$1 source=$2 suite=$3 include=$4
[ ! -e "$folder/${COMPLETE}" ] || exit 0
rm -rf "$folder/root" "$folder/root.tar"
mmdebstrap --quiet --mode=unshare --variant=extract --include="$include" \\
  --aptopt='Acquire::Check-Valid-Until "false"' --aptopt='Apt::Install-Recommends "false"' --aptopt='Acquire::Languages "none"' \\
  --dpkgopt='path-exclude=/usr/share/doc/*' --dpkgopt='path-exclude=/usr/share/locale/*' --dpkgopt='path-exclude=/usr/share/man/*' \\
  --dpkgopt='path-exclude=/usr/include/*' "$suite" "$folder/root.tar" "$source"
mkdir "$folder/root"
tar -C "$folder/root" -xf "$folder/root.tar" --exclude='./dev/*' --no-same-owner
rm "$folder/root.tar"
cd "$folder/root"
for name in bin sbin lib lib64; do [ -e "$name" ] || ln -s "usr/$name" "$name"; done
ln -sf mawk usr/bin/awk
mkdir -p dev proc tmp etc root
echo 'root:x:0:0:root:/root:/bin/sh' > etc/passwd
echo 'root:x:0:' > etc/group
touch "$folder/${COMPLETE}"
`;

/** Why they could not be made; undefined when they were. Workers that come meanwhile wait and find them made. */
async function make(folder: string): Promise<string | undefined> {
  const source = findSource();
  if (source === undefined) return `the archive this machine has its packages from cannot be reached, or has no suite ${SUITE}`;
  const include = [...SYSTEM, ...TOOLS].join(',');
  const { status, stderr } = await runCommand('flock', [join(folder, 'lock'), 'sh', '-c', SCRIPT, 'newer-tools', folder, source, SUITE, include], { timeout: 300_000 });
  return status === 0 ? undefined : `the newer tools could not be made: ${stderr.trim().split('\n').findLast((line) => line.startsWith('E:')) ?? `status ${status}`}`;
}

/** A line of sources.list(5) for the suite; mmdebstrap knows the keys. Its archive may have stood still for long: witnesses need not be fresh. */
function findSource(): string | undefined {
  const { stdout } = spawnSync('apt-get', ['indextargets', '--format', '$(REPO_URI)', 'Created-By: Packages', 'Component: main'], { encoding: 'utf8' });
  const uri = [...new Set((stdout ?? '').split('\n'))].find((one) => one !== '' && aptReaches(`${one}dists/${SUITE}/InRelease`));
  return uri === undefined ? undefined : `deb ${uri} ${SUITE} main`;
}

/** The mounts end with the command. */
const ENTER = `
set -eu
root=$1 shared=$2 cwd=$3
shift 3
mkdir -p "$root$shared"
mount --rbind /dev "$root/dev"
mount --rbind /proc "$root/proc"
mount --rbind "$shared" "$root$shared"
exec chroot "$root" /bin/sh -c 'cd "$0" && exec "$@"' "$cwd" "$@"
`;

function runThere(root: string, command: readonly string[], options: RunOptions = {}): Promise<RunResult> {
  const { cwd = '/', env, ...rest } = options;
  const words = [...NAMESPACES, '--fork', '--kill-child', '--', 'sh', '-c', ENTER, 'enter', root, tmpdir(), cwd, ...command];
  return runCommand('unshare', words, { ...rest, env: { PATH: '/usr/sbin:/usr/bin:/sbin:/bin', HOME: '/root', http_proxy: undefined, https_proxy: undefined, ...env } });
}
