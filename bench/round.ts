/** One round: every contender from nothing through all steps. */
import { lstatSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Contender } from './contender.ts';
import { measure, type Cost } from './run.ts';
import { setAside } from './set-aside.ts';
import { FLOOR, type Step } from './steps.ts';
import { serveState, type BenchUpstream } from './upstream.ts';

/** What a contender needed for a step in one round. */
export interface Measurement {
  readonly step: string;
  readonly contender: Contender['name'] | 'curl' | 'peer';
  readonly cost: Cost;
  /** What the first action of the step cost alone. */
  readonly first?: Cost;
  /** For a step that measures growth. */
  readonly bytes?: number;
}

export interface RoundTools {
  readonly upstream: BenchUpstream;
  readonly url: string;
  readonly scratch: string;
  readonly say: (text: string) => void;
}

/** Runs the steps; nothing of what they made is left on disk but the last state. */
export async function runSteps(contender: Contender, steps: readonly Step[], tools: RoundTools): Promise<Measurement[]> {
  await contender.reset();
  const found: Measurement[] = [];
  for (const step of steps) {
    if (step.upstream !== undefined) serveState(tools.upstream, step.upstream);
    tools.say(`${contender.name}: ${step.title}`);
    const before = step.measures === 'growth' ? sizeOf(contender.catalog()) : 0;
    const costs: Cost[] = [];
    for (const action of step.actions) costs.push(await measure(contender.command(action), tools.scratch));
    const growth = step.measures === 'growth' ? { bytes: sizeOf(contender.catalog()) - before } : {};
    found.push({ step: step.id, contender: contender.name, cost: costs.reduce(addCosts), ...(costs[0] === undefined ? {} : { first: costs[0] }), ...growth });
  }
  return found;
}

/** The floor of a cold update: curl, as many connections as ours, the same files under their own names. */
export async function runFloor({ upstream, url, scratch, say }: RoundTools): Promise<Measurement> {
  say('curl: the same files');
  const folder = join(scratch, 'curl');
  mkdirSync(folder, { recursive: true });
  const list = join(scratch, 'curl.conf');
  writeFileSync(list, upstream.paths.map((path, index) => `url = "${url}${encodeURI(path)}"\noutput = "${join(folder, String(index))}"\n`).join(''));
  const cost = await measure({ command: 'curl', args: ['-sSf', '--parallel', '--parallel-max', '16', '-K', list] }, scratch);
  setAside(folder);
  return { step: FLOOR, contender: 'curl', cost };
}

export function addCosts(a: Cost, b: Cost): Cost {
  return {
    seconds: a.seconds + b.seconds,
    cpuSeconds: a.cpuSeconds + b.cpuSeconds,
    peakBytes: Math.max(a.peakBytes, b.peakBytes),
  };
}

function sizeOf(paths: readonly string[]): number {
  return paths.reduce((sum, path) => sum + sizeOfOne(path), 0);
}

function sizeOfOne(path: string): number {
  const { size } = lstatSync(path);
  if (!lstatSync(path).isDirectory()) return size;
  return sizeOf(readdirSync(path).map((name) => join(path, name)));
}
