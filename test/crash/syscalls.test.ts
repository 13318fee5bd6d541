/**
 * System calls that fail, without the program's cooperation: strace answers the Nth call of a kind with an error. With one
 * thread for file work the count is exact. Whatever fails: one line and a status, or success; what was served stays whole,
 * and the same command, run again, ends as if nothing had been.
 */
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { inProcess } from '../operations/in-process.ts';
import { buildDeb } from '../rig/deb.ts';
import { PROJECT, runCommand, type RunResult } from '../rig/run.ts';
import { serve } from '../rig/server.ts';
import { makeSite, type Site } from '../rig/site.ts';
import { hasCommand, isRoot, testWith } from '../rig/skip.ts';
import { tempDir, type TempDir } from '../rig/temp.ts';
import { aptUpstream } from '../rig/upstream.ts';
import { inspectDistribution } from '../rig/witness.ts';

const PREFIX = 'apt-mirror/integrated';
const canTrace = hasCommand('strace') && (await runCommand('strace', ['-f', '-o', '/dev/null', '-e', 'inject=fsync:error=EIO', 'true'])).status === 0;
const canMount = isRoot && (await runCommand('unshare', ['--mount', 'mount', '-t', 'tmpfs', 'tmpfs', '/mnt'])).status === 0;
const withStrace = testWith(canTrace, 'needs strace that may trace', { serial: true });
const withMount = testWith(canMount, 'needs root that may mount', { serial: true });

interface Fault {
  readonly id: string;
  /** System calls, as strace names them. */
  readonly calls: string;
  readonly error: string;
  /** Which of these calls fail; with `+` all from that one on. */
  readonly when: readonly string[];
  /** Only calls about this file of the state: Node reads its own files by the same calls. */
  readonly only?: string;
}

const FAULTS: readonly Fault[] = [
  { id: 'K03 fsync fails', calls: 'fsync,fdatasync,syncfs', error: 'EIO', when: ['1', '4', '3+'] },
  { id: 'K03 no space when flushing', calls: 'fsync,fdatasync,syncfs', error: 'ENOSPC', when: ['3'] },
  { id: 'K05 the disk becomes read-only', calls: 'rename,renameat,renameat2,link,linkat,symlink,symlinkat', error: 'EROFS', when: ['1+', '3+'] },
  { id: 'K05 no folder can be made on a read-only disk', calls: 'mkdir,mkdirat', error: 'EROFS', when: ['1+', '3+'] },
  { id: 'K07 the quota is reached', calls: 'pwrite64,link,linkat,ftruncate,fallocate', error: 'EDQUOT', when: ['2+', '20+'] },
  { id: 'K01 the disk is full', calls: 'pwrite64', error: 'ENOSPC', when: ['12+'] },
  { id: 'K02 the disk does not read', calls: 'pread64', error: 'EIO', when: ['3+'], only: 'catalog.db' },
  { id: 'K09 not ours to write', calls: 'rename,link,linkat', error: 'EACCES', when: ['2+'] },
];

/** One snapshot published, another waiting, and an upstream that has changed since. */
async function prepared(dir: TempDir): Promise<AsyncDisposable & { readonly site: Site }> {
  const upstream = await aptUpstream({ components: { main: [buildDeb({ name: 'px1' }), buildDeb({ name: 'px2' })] } });
  const server = await serve(upstream.files);
  const site = inProcess(await makeSite(dir, { mirrors: { up: { upstream, url: server.url } } }));
  for (const name of ['one', 'two']) {
    await site.json(['mirror', 'update', 'up']);
    await site.json(['snapshot', 'create', name, '--from-mirror', 'up']);
    await upstream.republish({ components: { main: [buildDeb({ name: 'px1', version: name }), buildDeb({ name: `new-${name}` })] } });
  }
  await site.json(['publish', 'snapshot', 'one', '--distribution', 'rig']);
  return { site, [Symbol.asyncDispose]: () => server.close() };
}

for (const [title, command] of [
  ['publish switch', ['publish', 'switch', 'rig', 'two']],
  ['mirror update', ['mirror', 'update', 'up']],
] as const) {
  withStrace(`K02 K03 K05 K07 K09 ${title}: a system call that fails tears nothing`, async (t) => {
    t.timeout(300_000);
    await using dir = await tempDir();
    await using scene = await prepared(dir);
    const { site } = scene;
    let failed = 0;
    for (const fault of FAULTS) {
      for (const when of fault.when) {
        const state = await copied(dir, site);
        const { status, stderr } = await traced(site, state, { fault, when, command });
        if (status !== 0) failed += 1;
        await holds(t, { site: { ...site, state }, told: `${fault.id}, call ${when}`, command, status, stderr });
        await rm(state, { recursive: true });
      }
    }
    t.log(`${failed} of ${FAULTS.flatMap(({ when }) => when).length} runs failed`);
    t.true(failed >= 6, `${failed} failed`);
  });

  test.serial(`K04 ${title}: with too few open files it fails or goes on, and tears nothing`, async (t) => {
    await using dir = await tempDir();
    await using scene = await prepared(dir);
    const { site } = scene;
    for (const files of [26, 32, 40]) {
      const state = await copied(dir, site);
      const { status, stderr } = await runCommand('prlimit', [`--nofile=${files}`, ...line(site, state, command)]);
      await holds(t, { site: { ...site, state }, told: `${files} open files`, command, status, stderr: status === 0 ? stderr : '' });
      await rm(state, { recursive: true });
    }
  });
}

withMount('K06 no inode is left: refused in one line, and what was there stays', async (t) => {
  await using dir = await tempDir();
  await using scene = await prepared(dir);
  const { site } = scene;
  const state = dir.join('small');
  await runCommand('mkdir', [state]);
  const mounted = await runCommand('mount', ['-t', 'tmpfs', '-o', 'size=64m,nr_inodes=150', 'tmpfs', state]);
  t.is(mounted.status, 0, mounted.stderr);
  try {
    await runCommand('cp', ['-a', `${site.state}/.`, state]);
    await runCommand('sh', ['-c', `i=0; while : > ${state}/filler-$i; do i=$((i+1)); done 2>/dev/null`]);

    const { status, stderr } = await runCommand('env', line(site, state, ['publish', 'switch', 'rig', 'two']));

    t.is(status, 1, stderr);
    t.regex(stderr, /^artifacts: E_(?:NO_SPACE|IO): [^\n]*\n/);
    await runCommand('sh', ['-c', `rm -f ${state}/filler-*`]);
    await holds(t, { site: { ...site, state }, told: 'no inode', command: ['publish', 'switch', 'rig', 'two'], status, stderr });
  } finally {
    await runCommand('umount', ['--lazy', state]);
  }
});

function line(site: Site, state: string, command: readonly string[]): readonly string[] {
  return [process.execPath, join(PROJECT, 'bin/artifacts.js'), '--root', site.root, '--state', state, '--quiet', ...command];
}

async function copied(dir: TempDir, site: Site): Promise<string> {
  const state = dir.join('copy');
  await runCommand('cp', ['-a', site.state, state]);
  return state;
}

function traced(site: Site, state: string, { fault, when, command }: { readonly fault: Fault; readonly when: string; readonly command: readonly string[] }): Promise<RunResult> {
  const where = fault.only === undefined ? [] : ['-P', join(state, fault.only)];
  const injection = [...where, '-e', `trace=${fault.calls}`, '-e', `inject=${fault.calls}:error=${fault.error}:when=${when}`];
  return runCommand('strace', ['-f', '--seccomp-bpf', '-qq', '-o', '/dev/null', ...injection, ...line(site, state, command)], { env: { UV_THREADPOOL_SIZE: '1' } });
}

interface Aftermath {
  readonly site: Site;
  readonly told: string;
  readonly command: readonly string[];
  readonly status: number;
  readonly stderr: string;
}

async function holds(t: ExecutionContext, { site, told, command, status, stderr }: Aftermath): Promise<void> {
  const served = (): Promise<readonly string[]> => inspectDistribution(join(site.state, 'public', PREFIX, 'dists/rig'), join(site.state, 'public', PREFIX));
  const here = inProcess(site);
  if (status !== 0 && stderr !== '') {
    t.regex(stderr, /^(?:warning: [^\n]*\n)*artifacts: E_(?:IO|NO_SPACE|STATE|PARTIAL|TOOL): [^\n]*\n/, told);
    t.notRegex(stderr, /This is a bug/, told);
  }
  t.deepEqual(await served(), [], `${told}: what is served meanwhile`);
  const again = await here.run([...command, '--quiet']);
  t.is(again.status, 0, `${told}, the next run: ${again.stderr}`);
  t.deepEqual(await served(), [], `${told}: what is served in the end`);
  const check = await here.run(['db', 'check', '--deep']);
  t.is(check.status, 0, `${told}: ${check.stdout}${check.stderr}`);
}
