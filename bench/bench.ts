/**
 * Measures this program beside Debian's aptly: the same upstream, the same machine, one run. See docs/benchmarks.md.
 * Everything lies below one folder of the system's temporary one and is used again by the next run.
 */
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { cpus, tmpdir, totalmem, userInfo } from 'node:os';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { rigKey } from '../test/rig/key.ts';
import { PROJECT } from '../test/rig/run.ts';
import { aptly, artifacts, type Contender } from './contender.ts';
import { writeLocalDebs } from './local-debs.ts';
import { benchPage, type BenchResult } from './page.ts';
import { runFloor, runSteps, type Measurement, type RoundTools } from './round.ts';
import { mustRun } from './run.ts';
import { chooseSteps, FLOOR } from './steps.ts';
import { figures, renderTable } from './table.ts';
import { requireTools } from './tools.ts';
import { prepareUpstream, signStates } from './upstream.ts';
import { startWebServer } from './web-server.ts';

const USAGE = `Usage: npm run bench -- [--size N] [--rounds N] [--only STEP,...] [--without aptly] [--json FILE] [--page]

  --size     packages of the upstream, as many as the machine's apt lists of main have by default (63,440 in Debian 12)
  --rounds   rounds to take the median of (3)
  --only     only these steps, and what they need
  --without  leave out aptly, curl, or both
  --json     where the figures go as JSON (default: figures.json in the folder of the bench)
  --page     write docs/benchmarks.md`;

const WHOLE = 63_440;

const { values } = parseArgs({
  options: {
    size: { type: 'string', default: String(WHOLE) },
    rounds: { type: 'string', default: '3' },
    only: { type: 'string' },
    without: { type: 'string', default: '' },
    json: { type: 'string' },
    page: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
});
if (values.help) console.log(USAGE);
else await bench();

async function bench(): Promise<void> {
  const { steps, shown } = chooseSteps(values.only?.split(','));
  const without = new Set(values.without.split(','));
  const folder = join(tmpdir(), `artifacts-bench-${userInfo().uid}`);
  const scratch = join(folder, 'run');
  using _alone = claim(folder);
  rmSync(scratch, { recursive: true, force: true });
  mkdirSync(scratch, { recursive: true, mode: 0o700 });
  await requireTools(say);
  const upstream = await prepareUpstream(folder, count(values.size, 'size'), say);
  const [trusted, signing] = [await rigKey('upstream'), await rigKey('release')];
  await signStates(upstream, trusted);
  await using server = await startWebServer(upstream.folder, join(scratch, 'nginx'));
  const debs = join(scratch, 'debs');
  if (steps.some(({ id }) => id === 'add')) writeLocalDebs(debs);
  const places = { folder: scratch, url: server.url, debs, trusted, signing, program: join(PROJECT, 'bin', 'artifacts.js') };
  const contenders = [artifacts(places), ...(without.has('aptly') ? [] : [await aptly(places)])];
  const tools: RoundTools = { upstream, url: server.url, scratch, say };
  const rounds = count(values.rounds, 'rounds');
  const measurements: Measurement[] = [];
  try {
    for (let round = 1; round <= rounds; round += 1) {
      say(`round ${round} of ${rounds}`);
      // Who comes first changes, so that neither has the warmer or the fuller disk every time.
      const order: readonly Contender[] = round % 2 === 1 ? contenders : contenders.toReversed();
      for (const contender of order) {
        measurements.push(...(await runSteps(contender, steps, tools)));
        await contender.reset();
      }
      if (shown.has(FLOOR) && !without.has('curl')) measurements.push(await runFloor(tools));
    }
  } finally {
    for (const contender of contenders) await contender.close();
  }
  const result: BenchResult = {
    date: new Date().toISOString().slice(0, 10),
    machine: `${cpus().length} cores, ${Math.round(totalmem() / 2 ** 30)} GiB of memory, ${await system()}, Node ${process.versions.node}`,
    packages: upstream.packages,
    bytes: upstream.bytes,
    origin: upstream.origin,
    rounds,
    contenders: Object.fromEntries(contenders.map(({ name, settings }) => [name, settings])),
    figures: figures(measurements, shown),
    measurements,
  };
  publishResult(result, folder);
}

/** Two at a time would sign the same upstream with two keys, and measure each other. */
function claim(folder: string): Disposable {
  const file = join(folder, 'running');
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const other = existsSync(file) ? Number(readFileSync(file, 'utf8')) : undefined;
  if (other !== undefined && isRunning(other)) throw new Error(`another bench is running, process ${other}`);
  writeFileSync(file, String(process.pid));
  return { [Symbol.dispose]: () => rmSync(file, { force: true }) };
}

function isRunning(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

function publishResult(result: BenchResult, folder: string): void {
  console.log(`\n${result.packages} packages, ${result.machine}\n\n${renderTable(result.figures)}`);
  const file = values.json === undefined ? join(folder, 'figures.json') : resolve(values.json);
  writeFileSync(file, `${JSON.stringify(result, undefined, 2)}\n`);
  say(`figures in ${file}`);
  if (values.page) writeFileSync(join(PROJECT, 'docs', 'benchmarks.md'), benchPage(result));
}

async function system(): Promise<string> {
  const name = /^PRETTY_NAME="?([^"\n]*)/m.exec(await mustRun('cat', ['/etc/os-release']).catch(() => ''))?.[1];
  return name ?? process.platform;
}

function count(text: string, name: string): number {
  if (!/^[1-9]\d*$/.test(text)) throw new Error(`--${name} is "${text}", which is no number above zero`);
  return Number(text);
}

function say(text: string): void {
  console.error(`bench: ${text}`);
}
