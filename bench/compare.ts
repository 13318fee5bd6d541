/** One comparison: every contender through the steps, as many rounds as asked for, with an upstream of one size. */
import { cpus, totalmem } from 'node:os';
import { join } from 'node:path';
import { rigKey } from '../test/rig/key.ts';
import { PROJECT } from '../test/rig/run.ts';
import { aptly, artifacts, type Contender } from './contender.ts';
import { writeLocalDebs } from './local-debs.ts';
import type { BenchResult } from './page.ts';
import { runFloor, runSteps, type Measurement, type RoundTools } from './round.ts';
import { mustRun } from './run.ts';
import { FLOOR, type Step } from './steps.ts';
import { figures } from './table.ts';
import { prepareUpstream, signStates } from './upstream.ts';
import { startWebServer } from './web-server.ts';

export interface Comparison {
  /** Packages of the upstream. */
  readonly size: number;
  readonly rounds: number;
  readonly steps: readonly Step[];
  readonly shown: ReadonlySet<string>;
  /** Who takes no part: aptly, curl. */
  readonly without: ReadonlySet<string>;
}

export interface ComparisonTools {
  /** Where upstreams are kept for later runs. */
  readonly cache: string;
  /** An empty folder. */
  readonly scratch: string;
  readonly say: (text: string) => void;
}

/** Runs it; the folder `scratch` is left with what the last round made. */
export async function compare({ size, rounds, steps, shown, without }: Comparison, { cache, scratch, say }: ComparisonTools): Promise<BenchResult> {
  const upstream = await prepareUpstream(cache, size, say);
  const [trusted, signing] = [await rigKey('upstream'), await rigKey('release')];
  await signStates(upstream, trusted);
  await using server = await startWebServer(upstream.folder, join(scratch, 'nginx'));
  const debs = join(scratch, 'debs');
  if (steps.some(({ id }) => id === 'add')) writeLocalDebs(debs);
  const places = { folder: scratch, url: server.url, debs, trusted, signing, program: join(PROJECT, 'bin', 'artifacts.js') };
  const contenders = [artifacts(places), ...(without.has('aptly') ? [] : [await aptly(places)])];
  const tools: RoundTools = { upstream, url: server.url, scratch, say };
  const measurements: Measurement[] = [];
  try {
    for (let round = 1; round <= rounds; round += 1) {
      say(`${upstream.packages} packages, round ${round} of ${rounds}`);
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
  return {
    date: new Date().toISOString().slice(0, 10),
    machine: await describeMachine(),
    packages: upstream.packages,
    bytes: upstream.bytes,
    origin: upstream.origin,
    rounds,
    contenders: Object.fromEntries(contenders.map(({ name, settings }) => [name, settings])),
    figures: figures(measurements, shown),
    measurements,
  };
}

/** What the figures were measured on. */
export async function describeMachine(): Promise<string> {
  const release = await mustRun('cat', ['/etc/os-release']).catch(() => '');
  const name = /^PRETTY_NAME="?([^"\n]*)/m.exec(release)?.[1] ?? process.platform;
  return `${cpus().length} cores, ${Math.round(totalmem() / 2 ** 30)} GiB of memory, ${name}, Node ${process.versions.node}`;
}
