/** Root filesystems, made by mmdebstrap and kept by the digest of the packages they consist of. */
import { existsSync, readdirSync, readFileSync, statSync, utimesSync } from 'node:fs';
import { join } from 'node:path';
import type { Context } from '../core/context.ts';
import { canonicalJson, sha256, type Sha256 } from '../core/digest.ts';
import { ArtifactsError } from '../core/errors.ts';
import { counted } from '../util/counted.ts';
import { flushAll, makeFolder, moveFile, removeFile, writeFileDurably } from '../util/durable.ts';
import { runCommand } from '../util/run-command.ts';
import { aptFolderName, choosePackages, findSources, openAptFolder, updateAptFolder, type AptFolder, type AptNetwork, type ChosenPackage } from './apt-folder.ts';
import { holdFile, tryHoldFile } from './file-lock.ts';
import { runAsOwner, runInNamespaces } from './namespaces.ts';
import type { InstalledPackage, Root, RootSpec } from './root.ts';

export interface RootTools {
  /** A folder of one's own that outlives runs and may be deleted. */
  readonly cache: string;
  /** A cache of the same kind to find roots in, and for reading only: nothing is locked, dated or removed there. */
  readonly below?: string | undefined;
  /** How http sources are reached. */
  readonly network?: AptNetwork;
  /** Roots kept besides those used within a day; those unused for longest go. Default 8. */
  readonly keep?: number;
}

export interface PreparedRoot extends Root {
  /** Knows the sources it was made from, and what they have. */
  readonly apt: AptFolder;
}

/** Raised when roots are made in another way, so that none of before is taken for one of now. */
const RECIPE = 1;

/**
 * What the maintainer scripts of packages are told the time is (reproducible-builds.org). Constant, for a root whose
 * packages are the same must be the same, whenever it is made.
 */
export const ROOT_EPOCH = 1_600_000_000;

const DEFAULT_KEEP = 8;

/** Longer than a build: whoever took a root works with it for hours, and holds no lock on it. */
const IN_USE_MILLISECONDS = 24 * 60 * 60 * 1000;

/** Characters of mmdebstrap's log a failure carries. */
const LOG_SHOWN = 16_384;

/** What of this machine and of the making gets into a root, and is none of the packages' business. */
const LEFT_BY_THE_MAKING = [
  '/etc/apt/sources.list',
  '/etc/apt/sources.list.d/*',
  '/etc/apt/preferences.d/artifacts',
  '/etc/apt/apt.conf.d/99mmdebstrap',
  '/etc/dpkg/dpkg.cfg.d/99mmdebstrap',
  '/etc/resolv.conf',
  '/etc/hostname',
];

/**
 * The root filesystem that the spec means now: made if there is none yet, once however many ask for it. The nearest
 * source wins by its priority. Nothing is left of a making that was interrupted but a folder the next one removes. Throws
 * E_FETCH, E_CONFIG when the packages cannot be had together, E_TOOL.
 */
export async function prepareRoot(spec: RootSpec, tools: RootTools, ctx: Context): Promise<PreparedRoot> {
  for (const name of ['apt', 'roots', 'making', 'locks']) makeFolder(join(tools.cache, name));
  const apt = aptFolderName(spec);
  const chosen = await holdFile(join(tools.cache, 'locks', apt), ctx, async () => {
    const folder = openAptFolder(join(tools.cache, 'apt', apt), spec, tools.network ?? {});
    await updateAptFolder(folder, spec, ctx);
    const packages = await choosePackages(folder, spec, ctx);
    const sources = await findSources(folder, spec, packages.map(({ name }) => name));
    return { folder, packages, sources };
  });
  const digest = sha256(canonicalJson({ recipe: RECIPE, architecture: spec.architecture, packages: chosen.packages }));
  if (tools.below !== undefined && isReadable(join(tools.below, 'roots', digest))) return { ...readRoot(tools.below, digest, chosen), apt: chosen.folder };
  const root = await holdFile(join(tools.cache, 'locks', digest), ctx, async () => {
    if (!existsSync(join(tools.cache, 'roots', digest))) await makeRoot({ spec, digest, ...chosen }, tools, ctx);
    const now = new Date();
    utimesSync(join(tools.cache, 'roots', digest), now, now);
    return readRoot(tools.cache, digest, chosen);
  });
  await evict(tools, digest);
  return { ...root, apt: chosen.folder };
}

/** Of another user's root the owners make no sense to us: outside of our ids all of them look the same. */
function isReadable(folder: string): boolean {
  return statSync(join(folder, 'tree'), { throwIfNoEntry: false })?.uid === process.getuid?.();
}

interface Making {
  readonly spec: RootSpec;
  readonly digest: Sha256;
  readonly folder: AptFolder;
  readonly packages: readonly ChosenPackage[];
}

async function makeRoot({ spec, digest, folder, packages }: Making, tools: RootTools, ctx: Context): Promise<void> {
  ctx.report({ type: 'phase', subject: spec.codename, text: `making a root filesystem of ${counted(packages.length, 'package')}` });
  const making = join(tools.cache, 'making', digest);
  await removeRootTree(making);
  makeFolder(making);
  try {
    await runMmdebstrap(join(making, 'tree'), { spec, folder }, ctx);
    await runAsOwner(['find', join(making, 'tree/dev'), '-mindepth', '1', '-delete'], ctx); // they are mounted where they are needed
    const installed = await listInstalled(join(making, 'tree'));
    const differs = describeDifference(packages, installed);
    if (differs !== undefined) {
      throw new ArtifactsError('E_FETCH', `The sources of ${spec.codename} changed while its root filesystem was made: ${differs}`, { hint: 'Run the same command again.' });
    }
    writeFileDurably(join(making, 'packages.json'), canonicalJson(packages));
    await flushAll(making);
    moveFile(making, join(tools.cache, 'roots', digest));
  } catch (error) {
    await removeRootTree(making);
    throw error;
  }
}

/**
 * With a process namespace around it, whatever a maintainer script starts ends with it. The sources' keys, pins and
 * proxies are those its packages were chosen by.
 */
async function runMmdebstrap(tree: string, { spec, folder }: { readonly spec: RootSpec; readonly folder: AptFolder }, ctx: Context): Promise<void> {
  const hooks = join(folder.path, 'hooks');
  writeFileDurably(join(hooks, 'setup00.sh'), '#!/bin/sh\nset -e\nmkdir -p "$1/etc/apt/preferences.d"\ncp "$(dirname "$0")/../preferences" "$1/etc/apt/preferences.d/artifacts"\n', 0o755);
  writeFileDurably(join(hooks, 'customize99.sh'), `#!/bin/sh\nset -e\nchroot "$1" /bin/sh -c 'rm -f ${LEFT_BY_THE_MAKING.join(' ')}'\n`, 0o755);
  const log = `${tree}.log`;
  const args = [
    '--mode=root',
    `--logfile=${log}`,
    '--variant=apt',
    '--format=directory',
    `--architectures=${spec.architecture}`,
    ...(spec.packages.length === 0 ? [] : [`--include=${spec.packages.join(',')}`]),
    ...folder.settings.map((line) => `--aptopt=${line}`),
    '--dpkgopt=force-unsafe-io', // flushed once, as a whole, when it is made
    `--hook-dir=${hooks}`,
    spec.codename,
    tree,
    copiedSources(folder),
  ];
  try {
    await runInNamespaces(['mmdebstrap', ...args], { SOURCE_DATE_EPOCH: String(ROOT_EPOCH), LC_ALL: 'C.UTF-8', TZ: 'UTC' }, ctx);
    removeFile(log);
  } catch (error) {
    ctx.signal.throwIfAborted();
    const told = existsSync(log) ? readFileSync(log, 'utf8') : '';
    // dpkg writes what is wrong into the line behind the one that says where.
    const why = /^(?:dpkg: error|dpkg-deb: error|E: ).*(?:\n .*)?/m.exec(told)?.[0].replace(/\n +/, ' ');
    throw new ArtifactsError('E_TOOL', `mmdebstrap could not make the ${spec.codename} root filesystem: ${why ?? (error instanceof Error ? error.message : String(error))}`, {
      cause: error,
      details: { log: told.slice(-LOG_SHOWN) },
    });
  }
}

/**
 * Packages of a tree on this machine are copied in: dpkg works inside the root, where a path of this machine is none, and
 * the published pool of a read-only run consists of links besides.
 */
function copiedSources({ path, sources }: AptFolder): string {
  const file = join(path, 'sources-copied.list');
  writeFileDurably(file, readFileSync(sources, 'utf8').replaceAll('] file:', '] copy:'));
  return file;
}

/** The packages dpkg has in a tree, whole ones only. */
export async function listInstalled(tree: string): Promise<readonly Omit<InstalledPackage, 'source'>[]> {
  const format = '${db:Status-Status} ${Package} ${Version} ${Architecture}\\n';
  const { stdout } = await runCommand('dpkg-query', [`--admindir=${join(tree, 'var/lib/dpkg')}`, '--show', `--showformat=${format}`]);
  const rows = stdout.toString('utf8').split('\n').map((line) => line.split(' '));
  return rows.flatMap(([status, name = '', version = '', architecture = '']) => (status === 'installed' ? [{ name, version, architecture }] : []))
    .sort((a, b) => (a.name < b.name ? -1 : 1));
}

/** Removes a root filesystem, or a tree copied from one. */
export async function removeRootTree(path: string): Promise<void> {
  if (existsSync(path)) await runAsOwner(['rm', '--recursive', '--force', '--one-file-system', '--', path]);
}

/** A tree like the root's to be written to. */
export async function copyRoot(root: Root, to: string, ctx: Context): Promise<void> {
  await runAsOwner(['cp', '--archive', '--reflink=auto', '--one-file-system', '--', root.path, to], ctx);
}

function describeDifference(chosen: readonly ChosenPackage[], installed: readonly Omit<InstalledPackage, 'source'>[]): string | undefined {
  const word = ({ name, version, architecture }: Omit<InstalledPackage, 'source'>): string => `${name} ${version} ${architecture}`;
  const [wanted, found] = [new Set(chosen.map(word)), new Set(installed.map(word))];
  const differing = [...wanted].find((one) => !found.has(one)) ?? [...found].find((one) => !wanted.has(one));
  return differing === undefined ? undefined : `${differing} is in one and not in the other`;
}

interface Known {
  readonly packages: readonly ChosenPackage[];
  readonly sources: ReadonlyMap<string, number>;
}

function readRoot(cache: string, digest: Sha256, { packages, sources }: Known): Root {
  return {
    path: join(cache, 'roots', digest, 'tree'),
    digest,
    packages: packages.map(({ name, version, architecture }) => {
      const source = sources.get(`${name} ${version}`);
      if (source === undefined) throw new ArtifactsError('E_CHECK', `Package ${name} ${version} of the root filesystem is in none of its sources`);
      return { name, version, architecture, source };
    }),
  };
}

/** The roots and lists unused for longest, and what interrupted runs left; never what somebody else is busy with. */
async function evict({ cache, keep = DEFAULT_KEEP }: RootTools, newest: Sha256): Promise<void> {
  const before = Date.now() - IN_USE_MILLISECONDS;
  const old = (kind: string): readonly (readonly [string, string])[] =>
    readdirSync(join(cache, kind))
      .map((name) => ({ name, used: statSync(join(cache, kind, name), { throwIfNoEntry: false })?.mtimeMs ?? 0 }))
      .sort((a, b) => b.used - a.used)
      .filter(({ name, used }, index) => index >= keep && name !== newest && used < before)
      .map(({ name }) => [kind, name]);
  // Whoever makes a root holds its lock.
  const making = readdirSync(join(cache, 'making')).map((name) => ['making', name] as const);
  for (const [kind, name] of [...old('roots'), ...old('apt'), ...making]) {
    await tryHoldFile(join(cache, 'locks', name), () => removeRootTree(join(cache, kind, name)));
  }
}
