/** The pictures of the docs: what steps cost against the size of the upstream, and against how much of it changed. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { BenchResult } from './page.ts';
import { lineChart, type Line } from './line-chart.ts';
import { DAILY_CHANGES, manyChanges } from './upstream.ts';

/** Sizes measured besides the whole one. */
export const PLOTTED_SIZES: readonly number[] = [1000, 5000, 20_000];

interface Plotted {
  readonly step: string;
  readonly name: string;
}

const AGAINST_SIZE: readonly Plotted[] = [
  { step: 'cold', name: 'cold update' },
  { step: 'unchanged', name: 'unchanged' },
  { step: 'publish', name: 'first publish' },
  { step: 'republish', name: `publish, ${DAILY_CHANGES} changed` },
];

export const PLOTTED_STEPS: readonly string[] = AGAINST_SIZE.map(({ step }) => step);

/** Names in docs/, as its page has them. */
export const SIZE_PICTURE = 'benchmarks-size.svg';
const CHANGE_PICTURE = 'benchmarks-change.svg';

/** The last result is that of the whole upstream. */
export function writePlots(results: readonly BenchResult[], folder: string): void {
  writeFileSync(join(folder, SIZE_PICTURE), sizeChart(results));
  const whole = results.at(-1);
  if (whole !== undefined) writeFileSync(join(folder, CHANGE_PICTURE), changeChart(whole));
}

const CONTENDERS = [
  { name: 'artifacts', dashed: false },
  { name: 'aptly', dashed: true },
] as const;

function sizeChart(results: readonly BenchResult[]): string {
  const lines = CONTENDERS.flatMap((contender) =>
    AGAINST_SIZE.map(({ step, name }, color): Line => ({
      name: `${contender.name}: ${name}`,
      color,
      dashed: contender.dashed,
      values: results.map((result) => seconds(result, contender.name, step)),
    })),
  );
  return lineChart({ title: 'Seconds against packages of the upstream', positions: results.map(({ packages }) => packages.toLocaleString('en')), lines });
}

/** Where nothing changed a publication is what it was: the step is not measured, it has nothing to do. */
function changeChart(result: BenchResult): string {
  const updates: readonly (readonly [string, 'cost' | 'first'])[] = [['unchanged', 'cost'], ['daily', 'first'], ['changed', 'cost']];
  const lines = CONTENDERS.flatMap(({ name, dashed }): Line[] => [
    { name: `${name}: update`, color: 0, dashed, values: updates.map(([step, which]) => seconds(result, name, step, which)) },
    { name: `${name}: publish`, color: 2, dashed, values: [undefined, ...['republish', 'republish-many'].map((step) => seconds(result, name, step))] },
  ]);
  const changes = [0, DAILY_CHANGES, manyChanges(result.packages)].map((count) => count.toLocaleString('en'));
  return lineChart({ title: `Seconds against packages that changed, of ${result.packages.toLocaleString('en')}`, positions: changes, lines });
}

/** The median of the rounds. */
function seconds({ measurements }: BenchResult, contender: string, step: string, which: 'cost' | 'first' = 'cost'): number | undefined {
  const found = measurements.filter((item) => item.contender === contender && item.step === step).flatMap((item) => item[which]?.seconds ?? []);
  return found.toSorted((a, b) => a - b)[Math.floor(found.length / 2)];
}
