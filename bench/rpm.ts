/**
 * Measures rpm repositories beside the tools that make them otherwise: createrepo_c, mergerepo_c and `dnf reposync`. Run
 * by `npm run bench -- rpm`, with `--rounds N` (3) and `--page`, which writes the table into docs/benchmarks.md.
 */
import { linkSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { cpus, tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { rigKey } from '../test/rig/key.ts';
import { PROJECT } from '../test/rig/run.ts';
import { signRelease } from '../test/rig/upstream.ts';
import { describeMachine } from './compare.ts';
import { addCosts, type Measurement } from './round.ts';
import { CHANGES, LARGE, prepareRpms, SMALL, type RpmFolders } from './rpm-folders.ts';
import { writeRpmSection } from './page.ts';
import { measure, mustRun, type Command, type Cost } from './run.ts';
import { setAside } from './set-aside.ts';
import { figure, renderTable, type Row } from './table.ts';
import { requireTools, RPM_TOOLS } from './tools.ts';
import { startWebServer } from './web-server.ts';

const MiB = 1024 * 1024;
const PREFIX = 'rpm-mirror/bench';

const { values } = parseArgs({ allowPositionals: true, options: { rounds: { type: 'string', default: '3' }, only: { type: 'string' }, page: { type: 'boolean', default: false } } });
const folder = join(tmpdir(), `artifacts-bench-rpm-${userInfo().uid}`);
const scratch = join(folder, 'run');
const program = join(PROJECT, 'bin', 'artifacts.js');

interface Group {
  readonly id: string;
  readonly rows: readonly Row[];
  /** Measurements of the rows, in a round of its own that begins with nothing. */
  run(folders: RpmFolders): Promise<Measurement[]>;
}

const GROUPS: readonly Group[] = [metadataGroup('small', SMALL), metadataGroup('large', LARGE), mergeGroup(), mirrorGroup()];
await bench();

async function bench(): Promise<void> {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  await requireTools(say, RPM_TOOLS);
  const folders = await prepareRpms(folder, say);
  const chosen = GROUPS.filter(({ id }) => values.only === undefined || values.only.split(',').includes(id));
  const rounds = Number(values.rounds);
  const found: Measurement[] = [];
  for (let round = 1; round <= rounds; round += 1) {
    for (const group of chosen) {
      say(`round ${round} of ${rounds}: ${group.id}`);
      setAside(scratch);
      mkdirSync(scratch, { recursive: true });
      await writeSite();
      found.push(...(await group.run(folders)));
    }
  }
  setAside(scratch);
  const table = renderTable(chosen.flatMap(({ rows }) => rows.map((row) => figure(row, found, 'peer'))), 'peer');
  const bytes = readdirSync(folders.large).reduce((sum, name) => sum + statSync(join(folders.large, name)).size, 0);
  console.log(`\n${await describeMachine()}\n\n${table}`);
  if (values.page) writeRpmSection({ table, rounds, machine: await describeMachine(), averageBytes: bytes / LARGE });
}

/** `repo add` and `publish` beside `createrepo_c`, from nothing and after a change. */
function metadataGroup(id: 'small' | 'large', size: number): Group {
  const count = size.toLocaleString('en');
  const row = (name: string, title: string, target: Row['target'] = {}): Row => ({ id: `${name}-${id}`, title, measures: 'time', target });
  const rows = [
    row('cold', `${count} rpms added and published; \`createrepo_c\``, { ratio: 1.5 }),
    row('add', 'of that, added; `cp` and `sync` of the same files'),
    row('publish', 'of that, published'),
    row('update', `the same folder with ${CHANGES} more, added and published; \`createrepo_c --update\``, { ratio: 0.5 }),
    row('republish', `publish after ${CHANGES} packages were added; \`createrepo_c --update\``, { ratio: 0.2 }),
  ];
  return {
    id,
    rows,
    run: async (folders) => {
      const packages = join(scratch, 'packages');
      linkAll(folders[id], packages);
      const output = join(scratch, 'createrepo');
      // What changed just now is read again the next time; folders of packages are older than that.
      await sleep(3000);
      const copy = await measure({ command: 'sh', args: ['-c', 'cp -r "$1" "$2" && sync -f "$2"', 'sh', folders[id], join(scratch, 'copy')] }, scratch);
      const peer = await measure(createrepo(packages, output), scratch);
      const add = await measure(ours('repo', 'add', 'ours', packages), scratch);
      const publish = await measure(ours('publish', 'repo', 'ours', PREFIX, '--distribution', 'bench'), scratch);
      linkAll(folders[`${id}Changes`], packages);
      const update = await measure(createrepo(packages, output, '--update'), scratch);
      const addMore = await measure(ours('repo', 'add', 'ours', packages), scratch);
      const republish = await measure(ours('publish', 'update', 'bench', PREFIX), scratch);
      const of = (name: string, own: Cost, other?: Cost): Measurement[] => measured(`${name}-${id}`, own, other);
      return [
        ...of('cold', addCosts(add, publish), peer),
        ...of('add', add, copy),
        ...of('publish', publish),
        ...of('update', addCosts(addMore, republish), update),
        ...of('republish', republish, update),
      ];
    },
  };
}

function mergeGroup(): Group {
  const count = LARGE.toLocaleString('en');
  const rows: Row[] = [
    { id: 'merge', title: `two repositories of ${count}, half of it the same, merged and published; \`mergerepo_c\``, measures: 'time', target: { ratio: 1, peakBytes: 300 * MiB } },
    { id: 'merge-alone', title: 'of that, merged', measures: 'time', target: {} },
  ];
  return {
    id: 'merge',
    rows,
    run: async ({ large, other }) => {
      const sources = Object.entries({ ours: large, other });
      for (const [name, packages] of sources) {
        await must(createrepo(packages, join(scratch, name)));
        await must(ours('repo', 'add', name, packages));
        await must(ours('snapshot', 'create', `${name}-1`, '--from-repo', name));
      }
      const repos = sources.flatMap(([name]) => ['--repo', `file://${join(scratch, name)}`]);
      const peer = await measure({ command: 'mergerepo_c', args: ['--no-database', ...repos, '-o', join(scratch, 'merged')] }, scratch);
      const merge = await measure(ours('snapshot', 'merge', 'merged', 'ours-1', 'other-1'), scratch);
      const publish = await measure(ours('publish', 'snapshot', 'merged', PREFIX, '--distribution', 'bench'), scratch);
      return [...measured('merge', addCosts(merge, publish), peer), ...measured('merge-alone', merge)];
    },
  };
}

function mirrorGroup(): Group {
  const row: Row = { id: 'mirror', title: `mirror of ${SMALL.toLocaleString('en')}; \`dnf reposync\``, measures: 'time', target: { ratio: 0.5, peakBytes: 250 * MiB } };
  return {
    id: 'mirror',
    rows: [row],
    run: async ({ small }) => {
      const upstream = join(scratch, 'upstream');
      linkAll(small, upstream);
      await must(createrepo(upstream, upstream));
      const repomd = join(upstream, 'repodata', 'repomd.xml');
      const key = await rigKey('upstream');
      const [, detached] = await signRelease(readFileSync(repomd, 'utf8'), [key], new Date());
      writeFileSync(`${repomd}.asc`, detached);
      await using server = await startWebServer(upstream, join(scratch, 'nginx'));
      await writeSite(server.url);
      const peer = await measure(reposync(server.url), scratch);
      return measured('mirror', await measure(ours('mirror', 'update', 'bench'), scratch), peer);
    },
  };
}

function measured(step: string, own: Cost, peer?: Cost): Measurement[] {
  return [{ step, contender: 'artifacts', cost: own }, ...(peer === undefined ? [] : [{ step, contender: 'peer' as const, cost: peer }])];
}

/** A site with two local repositories, and a mirror of this upstream. */
async function writeSite(url?: string): Promise<void> {
  const root = join(scratch, 'root');
  const [upstream, release] = [await rigKey('upstream'), await rigKey('release')];
  for (const name of ['vars', 'mappings', 'keys']) mkdirSync(join(root, name), { recursive: true });
  const mirrors = url === undefined ? [] : [{ name: 'bench', archive_url: url, gpg: { key: [upstream.fingerprint], keyring: 'keys/upstream.asc' } }];
  // JSON is YAML.
  writeFileSync(join(root, 'vars', 'all.yml'), JSON.stringify({ rpm_repos: [{ name: 'ours' }, { name: 'other' }], rpm_mirrors: mirrors }));
  writeFileSync(join(root, 'keys', 'upstream.asc'), upstream.publicKey);
  writeFileSync(join(scratch, 'key.asc'), release.secretKey, { mode: 0o600 });
}

function ours(...args: readonly string[]): Command {
  return {
    command: process.execPath,
    args: [program, '--root', join(scratch, 'root'), '--state', join(scratch, 'state'), ...args],
    environment: { GPG_PRIVATE: join(scratch, 'key.asc'), NO_COLOR: '1' },
  };
}

/** Without the databases that clients no longer read; all processors, its default. */
function createrepo(packages: string, output: string, ...more: readonly string[]): Command {
  mkdirSync(output, { recursive: true });
  return { command: 'createrepo_c', args: ['--quiet', '--no-database', `--workers=${cpus().length}`, ...more, '--outputdir', output, packages] };
}

function reposync(url: string): Command {
  const own = join(scratch, 'dnf');
  mkdirSync(own, { recursive: true });
  const key = join(scratch, 'root', 'keys', 'upstream.asc');
  const main = ['[main]', `cachedir=${own}/cache`, `persistdir=${own}/persist`, `logdir=${own}/log`, `reposdir=${own}/none`, 'max_parallel_downloads=16'];
  const repo = ['[bench]', 'name=bench', `baseurl=${url}`, 'gpgcheck=0', 'repo_gpgcheck=1', `gpgkey=file://${key}`];
  writeFileSync(join(own, 'dnf.conf'), `${[...main, ...repo].join('\n')}\n`);
  const options = ['-c', join(own, 'dnf.conf'), '--installroot', join(own, 'root'), '--releasever=9', '--forcearch=x86_64', '-y'];
  return { command: 'dnf', args: [...options, 'reposync', '--repoid=bench', '--download-metadata', '--norepopath', '-p', join(own, 'out')] };
}

function linkAll(from: string, to: string): void {
  mkdirSync(to, { recursive: true });
  for (const name of readdirSync(from)) linkSync(join(from, name), join(to, name));
}

async function must({ command, args, ...options }: Command): Promise<void> {
  await mustRun(command, args, options);
}

function say(text: string): void {
  console.error(`bench: ${text}`);
}
