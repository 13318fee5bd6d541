/**
 * Measures git artifacts beside what one would do without: `git clone` and `tar`, one repository after another. Twenty
 * repositories with some thousand commits each, made here, read from this machine's disk by both. Run by `npm run bench -- git`.
 */
import { existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { cpus, tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import { rigKey } from '../test/rig/key.ts';
import { PROJECT } from '../test/rig/run.ts';
import { measure, mustRun, type Command, type Cost } from './run.ts';
import { setAside } from './set-aside.ts';

const REPOSITORIES = 20;
const ROUNDS = 3;
const RELEASE = 'bench';
const REMOVE = { recursive: true, force: true } as const;

const folder = join(tmpdir(), `artifacts-bench-git-${userInfo().uid}`);
await bench();

async function bench(): Promise<void> {
  const upstreams = await makeUpstreams();
  const program = await makeSite(upstreams);
  const figures: Record<'clone' | 'cold' | 'warm' | 'again', Cost[]> = { clone: [], cold: [], warm: [], again: [] };
  for (let round = 1; round <= ROUNDS; round += 1) {
    console.error(`bench: round ${round} of ${ROUNDS}`);
    setAside(join(folder, 'state'));
    setAside(join(folder, 'clones'));
    mkdirSync(join(folder, 'clones'));
    figures.clone.push(await measure({ command: 'sh', args: [join(folder, 'serial.sh')] }, folder));
    figures.cold.push(await measure(program(), folder));
    figures.warm.push(await measure(program(), folder));
    figures.again.push(await measure(program('--replace'), folder));
  }
  const line = (title: string, costs: readonly Cost[]): string => `${title}: ${median(costs, 'seconds')} s, ${median(costs, 'cpuSeconds')} s of processor time`;
  console.log(`${REPOSITORIES} repositories, ${cpus().length} cores, median of ${ROUNDS} rounds`);
  console.log(line('git clone and tar, one after another', figures.clone));
  console.log(line('artifacts, cold', figures.cold));
  console.log(line('artifacts, nothing changed', figures.warm));
  console.log(line('artifacts --replace, upstreams asked, nothing changed', figures.again));
}

function median(costs: readonly Cost[], of: 'seconds' | 'cpuSeconds'): string {
  return (costs.map((cost) => cost[of]).sort((a, b) => a - b)[Math.floor(costs.length / 2)] ?? Number.NaN).toFixed(2);
}

async function makeUpstreams(): Promise<readonly string[]> {
  const paths = Array.from({ length: REPOSITORIES }, (_, index) => join(folder, 'upstreams', `service-${index}.git`));
  for (const [index, path] of paths.entries()) {
    if (existsSync(join(path, 'complete'))) continue;
    console.error(`bench: making ${path}`);
    rmSync(path, REMOVE);
    await mustRun('git', ['init', '--quiet', '--bare', '--initial-branch=main', path]);
    const stream = join(folder, 'stream');
    writeFileSync(stream, history(index));
    await mustRun('sh', ['-c', 'git --git-dir="$1" fast-import --quiet < "$2"', 'sh', path, stream]);
    await mustRun('git', ['--git-dir', path, 'repack', '-adfq']);
    rmSync(stream);
    writeFileSync(join(path, 'complete'), '');
  }
  return paths;
}

/** A history as `git fast-import` reads it: 200 files of code-like text, a few lines changed in each of 1,000 commits or more. */
function history(seed: number): string {
  const next = random(seed + 1);
  const word = (): string => (next() % 4096).toString(36) + (next() % 64).toString(36);
  const words = (count: number): string => Array.from({ length: count }, word).join(' ');
  const files = Array.from({ length: 200 }, () => Array.from({ length: 40 + (next() % 200) }, () => words(6)));
  const parts: string[] = [];
  for (let commit = 0; commit < 1000 + seed * 100; commit += 1) {
    const changed = commit === 0 ? files.keys() : [next() % files.length, next() % files.length];
    parts.push(`commit refs/heads/main\ncommitter A <a@example.org> ${1_500_000_000 + commit * 3600} +0000\n${data(words(12))}`);
    for (const index of new Set(changed)) {
      const lines = files[index] ?? [];
      lines.splice(next() % lines.length, 1, words(6), words(6));
      if (lines.length > 150) lines.splice(next() % 140, 2);
      parts.push(`M 644 inline src/part-${index % 10}/file-${index}.py\n${data(lines.join('\n'))}`);
    }
  }
  return parts.join('');
}

function data(text: string): string {
  return `data ${Buffer.byteLength(text)}\n${text}\n`;
}

/** The same numbers every time. */
function random(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0;
    return state >>> 8;
  };
}

async function makeSite(upstreams: readonly string[]): Promise<(...options: readonly string[]) => Command> {
  const root = join(folder, 'root');
  for (const name of ['vars', 'mappings', 'keys']) mkdirSync(join(root, name), { recursive: true });
  writeFileSync(join(root, 'keys', 'key.asc'), (await rigKey('release')).secretKey, { mode: 0o600 });
  const repositories = upstreams.map((path, index) => ({ name: `service-${index}`, repo: `file://${path}`, version: 'main' }));
  const vars = {
    releases: { [RELEASE]: { codenames: ['none'] } },
    aptly_miko_mapping: { [RELEASE]: { none: [] } },
    signing: { keys: [{ file: join(root, 'keys', 'key.asc') }] },
    git_repos: repositories,
    git_mapping: { [RELEASE]: 'all' },
  };
  // JSON is YAML.
  writeFileSync(join(root, 'vars', 'all.yml'), JSON.stringify(vars));
  const lines = repositories.map(({ name, repo }) => `git clone --quiet ${repo} ${name}\ntar -czf ${name}.tgz ${name}\nsha1sum ${name}.tgz > ${name}.checksum\n`);
  writeFileSync(join(folder, 'serial.sh'), `set -e\ncd ${join(folder, 'clones')}\n${lines.join('')}`);
  return (...options) => ({
    command: process.execPath,
    args: [join(PROJECT, 'bin', 'artifacts.js'), '--root', root, '--state', join(folder, 'state'), 'build', '--release', RELEASE, '--only', 'git', ...options],
    environment: { NO_COLOR: '1' },
  });
}
