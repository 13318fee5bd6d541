/** `npm run mutate -- [--seconds N] [--count N] [--seed S] [--first N] [--kind KIND]`: a long run, told as counts. */
import { parseArgs } from 'node:util';
import { runMutations, type MutationReport } from './run.ts';

const { values } = parseArgs({
  options: { seconds: { type: 'string' }, count: { type: 'string' }, seed: { type: 'string' }, first: { type: 'string' }, kind: { type: 'string' } },
});
const seed = Number(values.seed ?? 1);
const count = Number(values.count ?? (values.seconds === undefined ? 10_000 : Number.MAX_SAFE_INTEGER));
const report = await runMutations({
  seed,
  count,
  first: Number(values.first ?? 0),
  ...(values.seconds === undefined ? {} : { seconds: Number(values.seconds) }),
  ...(values.kind === undefined ? {} : { kind: values.kind }),
});
process.stdout.write(textOf(report));
process.exitCode = report.failures.length > 0 ? 1 : 0;

function textOf({ inputs, read, refused, byKind, failures, peak, slowest }: MutationReport): string {
  const total = Object.values(refused).reduce((sum, number) => sum + number, 0);
  const lines = [
    `seed ${seed}: ${inputs} inputs, ${read} read, ${total} refused, ${failures.length} crashes`,
    `peak memory ${Math.round(peak / 1024)} MiB, slowest ${(slowest.milliseconds / 1000).toFixed(2)} s (number ${slowest.number}, ${slowest.kind})`,
    ...Object.entries(byKind).map(([kind, counts]) => `  ${kind.padEnd(10)} ${counts.inputs} inputs, ${counts.read} read, ${counts.refused} refused`),
    ...Object.entries(refused).map(([code, number]) => `  ${code.padEnd(20)} ${number}`),
    ...failures.map(({ number, why }) => `CRASH ${number}: ${why}`),
  ];
  return `${lines.join('\n')}\n`;
}
