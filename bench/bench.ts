/**
 * Measures this program beside Debian's aptly: the same upstream, the same machine, one run. See docs/benchmarks.md.
 * Everything lies below one folder of the system's temporary one and is used again by the next run.
 */
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir, userInfo } from 'node:os';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { PROJECT } from '../test/rig/run.ts';
import { compare } from './compare.ts';
import { benchPage, writePage, type BenchResult } from './page.ts';
import { PLOTTED_SIZES, PLOTTED_STEPS, SIZE_PICTURE, writePlots } from './plots.ts';
import { setAside } from './set-aside.ts';
import { chooseSteps } from './steps.ts';
import { renderTable } from './table.ts';
import { requireTools } from './tools.ts';

const USAGE = `Usage: npm run bench -- [--size N] [--rounds N] [--only STEP,...] [--without aptly] [--json FILE] [--page] [--plots]

  --size     packages of the upstream, as many as the machine's apt lists of main have by default (63,440 in Debian 12)
  --rounds   rounds to take the median of (3)
  --only     only these steps, and what they need
  --without  leave out aptly, curl, or both
  --json     where the figures go as JSON (default: figures.json in the folder of the bench)
  --page     write docs/benchmarks.md
  --plots    measure smaller upstreams as well, one round each, and draw costs against size and change into docs/`;

const WHOLE = 63_440;

const { values } = parseArgs({
  options: {
    size: { type: 'string', default: String(WHOLE) },
    rounds: { type: 'string', default: '3' },
    only: { type: 'string' },
    without: { type: 'string', default: '' },
    json: { type: 'string' },
    page: { type: 'boolean', default: false },
    plots: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
});
if (values.help) console.log(USAGE);
else await bench();

async function bench(): Promise<void> {
  const whole = { ...chooseSteps(values.only?.split(',')), size: count(values.size, 'size'), rounds: count(values.rounds, 'rounds') };
  const without = new Set(values.without.split(','));
  const folder = join(tmpdir(), `artifacts-bench-${userInfo().uid}`);
  using _alone = claim(folder);
  await requireTools(say);
  const run = (what: Pick<typeof whole, 'steps' | 'shown' | 'size' | 'rounds'>): Promise<BenchResult> => {
    const scratch = join(folder, 'run');
    setAside(scratch);
    mkdirSync(scratch, { recursive: true, mode: 0o700 });
    return compare({ ...what, without }, { cache: folder, scratch, say });
  };
  const smaller: BenchResult[] = [];
  for (const size of values.plots ? PLOTTED_SIZES.filter((plotted) => plotted < whole.size) : []) {
    smaller.push(await run({ ...chooseSteps(PLOTTED_STEPS), size, rounds: 1 }));
  }
  const result = await run(whole);
  if (values.plots) writePlots([...smaller, result], join(PROJECT, 'docs'));
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
  if (values.page) writePage(benchPage(result, { pictures: existsSync(join(PROJECT, 'docs', SIZE_PICTURE)) }));
}

function count(text: string, name: string): number {
  if (!/^[1-9]\d*$/.test(text)) throw new Error(`--${name} is "${text}", which is no number above zero`);
  return Number(text);
}

function say(text: string): void {
  console.error(`bench: ${text}`);
}
