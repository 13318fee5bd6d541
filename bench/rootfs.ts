/**
 * Measures a container image beside what one would do without: mmdebstrap, tar and xz. Debian's essential packages and apt
 * as this machine's own sources have them, fetched once, served to both by this process. Needs root. Run by
 * `npm run bench -- rootfs`.
 */
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { cpus, tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import type { Deb } from '../test/rig/deb.ts';
import { PROJECT } from '../test/rig/run.ts';
import { serve } from '../test/rig/server.ts';
import { makeSite } from '../test/rig/site.ts';
import { aptUpstream } from '../test/rig/upstream.ts';
import { measure, mustRun, type Command, type Cost } from './run.ts';
import { setAside } from './set-aside.ts';

const RELEASE = 'r1.0.0';

/** With what mmdebstrap's users do: every package's own date and every processor for xz. */
const PLAIN = `set -e
mmdebstrap --quiet --mode=root --variant=apt --aptopt='APT::Install-Recommends "false"' rig "$1/tree" "deb [signed-by=$2] $3 rig main"
tar -C "$1/tree" --numeric-owner -cf "$1/rootfs.tar" .
xz --threads=0 "$1/rootfs.tar"
`;

const folder = join(tmpdir(), `artifacts-bench-rootfs-${userInfo().uid}`);
const rounds = process.argv.includes('--once') ? 1 : 3;
await bench();

async function bench(): Promise<void> {
  const debs = await fetchPackages(join(folder, 'packages'));
  const upstream = await aptUpstream({ components: { main: debs } });
  await using server = await serve(upstream.files);
  const scratch = join(folder, 'run');
  const figures: Record<'plain' | 'cold' | 'warm' | 'packed', Cost[]> = { plain: [], cold: [], warm: [], packed: [] };
  for (let round = 1; round <= rounds; round += 1) {
    console.error(`bench: round ${round} of ${rounds}`);
    setAside(scratch);
    mkdirSync(join(scratch, 'plain'), { recursive: true });
    writeFileSync(join(scratch, 'key.asc'), upstream.keyring);
    figures.plain.push(await measure({ command: 'sh', args: ['-c', PLAIN, 'sh', join(scratch, 'plain'), join(scratch, 'key.asc'), server.url] }, scratch));

    const image = { name: 'bench', commands: [] as string[] };
    const vars = { container_images: [image], container_mapping: { r1: { rig: ['bench'] } }, distributions: { rig: 'debian-0' } };
    const site = await makeSite({ path: scratch, join: (...parts) => join(scratch, ...parts), [Symbol.asyncDispose]: async () => {} }, { mirrors: { debian: { upstream, url: server.url } }, vars });
    const build = (...options: readonly string[]): Command => ({
      command: process.execPath,
      args: [join(PROJECT, 'bin', 'artifacts.js'), '--root', site.root, '--state', site.state, 'build', '--release', RELEASE, ...options],
      environment: { NO_COLOR: '1' },
    });
    const { command, args } = build('--only', 'apt');
    await mustRun(command, args);
    figures.cold.push(await measure(build(), scratch));
    figures.warm.push(await measure(build(), scratch));
    await site.configure({ vars: { ...vars, container_images: [{ ...image, commands: ['echo other > /etc/motd'] }] } });
    figures.packed.push(await measure(build('--replace', '--only', 'container'), scratch));
  }
  report(figures, debs.length);
  setAside(scratch);
}

function report(figures: Readonly<Record<'plain' | 'cold' | 'warm' | 'packed', readonly Cost[]>>, packages: number): void {
  const plain = median(figures.plain, 'seconds');
  const row = (title: string, costs: readonly Cost[]): string => {
    const seconds = median(costs, 'seconds');
    return `| ${title} | ${seconds.toFixed(2)} s | ${median(costs, 'cpuSeconds').toFixed(2)} s | ${(seconds / plain).toFixed(2)} |`;
  };
  console.log(`${packages} packages, ${cpus().length} cores, median of ${rounds}\n`);
  console.log('| step | time | of processors | ratio |\n|---|---|---|---|');
  console.log(row('mmdebstrap, tar, xz', figures.plain));
  console.log(row('artifacts: an image, cold', figures.cold));
  console.log(row('artifacts: nothing changed', figures.warm));
  console.log(row('artifacts: a command changed, packages the same', figures.packed));
}

function median(costs: readonly Cost[], of: 'seconds' | 'cpuSeconds'): number {
  return costs.map((cost) => cost[of]).sort((a, b) => a - b)[Math.floor(costs.length / 2)] ?? Number.NaN;
}

/** By apt, for an empty machine; what is there is not fetched again. */
async function fetchPackages(archives: string): Promise<readonly Deb[]> {
  mkdirSync(join(archives, 'partial'), { recursive: true });
  writeFileSync(join(folder, 'status'), '');
  const settings = { 'Dir::State::status': join(folder, 'status'), 'Dir::Cache::archives': archives, 'APT::Sandbox::User': 'root', 'Debug::NoLocking': '1', 'APT::Install-Recommends': '0' };
  const options = Object.entries(settings).map(([name, value]) => `--option=${name}=${value}`);
  await mustRun('apt-get', ['install', '--download-only', '--yes', '--quiet', ...options, '?essential', 'apt']);
  return readdirSync(archives).filter((name) => name.endsWith('.deb')).sort().map((fileName) => readPackage(archives, fileName));
}

function readPackage(archives: string, fileName: string): Deb {
  const path = join(archives, fileName);
  const bytes = readFileSync(path);
  const control = spawnSync('dpkg-deb', ['--field', path], { encoding: 'utf8' }).stdout;
  const field = (name: string): string => new RegExp(`^${name}: (.*)$`, 'm').exec(control)?.[1] ?? '';
  const sha256 = createHash('sha256').update(bytes).digest('hex');
  return { name: field('Package'), version: field('Version'), architecture: field('Architecture'), fileName: fileName.replaceAll('%3a', ':'), bytes, sha256, control, indexFields: {} };
}
