/** From measurements to figures: medians, ratios, verdicts, and the table people read. */
import type { Measurement } from './round.ts';
import type { Cost } from './run.ts';
import { FLOOR, STEPS, type Step } from './steps.ts';

/** The medians of one step. */
export interface Figure {
  readonly step: string;
  readonly title: string;
  readonly artifacts: Value;
  readonly peer?: Value;
  /** Ours by the peer's; absent where it has none. */
  readonly ratio?: number;
  /** The same of processor time, which a busy machine distorts less. */
  readonly cpuRatio?: number;
  /** In words. */
  readonly target: string;
  readonly reached?: boolean;
}

export interface Value extends Partial<Cost> {
  readonly bytes?: number;
}

const MiB = 1024 * 1024;

/** Medians over the rounds, in the order of the steps. */
export function figures(measurements: readonly Measurement[], shown: ReadonlySet<string>): Figure[] {
  const steps = STEPS.filter(({ id }) => shown.has(id)).map((step) => figure(step, measurements, 'aptly'));
  const curl = valueOf(measurements, FLOOR, 'curl');
  const cold = valueOf(measurements, 'cold', 'artifacts');
  if (curl?.seconds === undefined || cold?.seconds === undefined) return steps;
  const ratio = cold.seconds / curl.seconds;
  const floor = { step: FLOOR, title: 'cold mirror update against `curl --parallel`', artifacts: cold, peer: curl, ratio, target: '<= 1.2 x curl', reached: ratio <= 1.2 };
  return [...steps, floor];
}

/** What is compared in one row. */
export type Row = Pick<Step, 'id' | 'title' | 'measures' | 'target'>;

/** The medians of one row, ours beside those of a peer. */
export function figure(step: Row, measurements: readonly Measurement[], contender: Measurement['contender']): Figure {
  const artifacts = valueOf(measurements, step.id, 'artifacts') ?? {};
  const peer = valueOf(measurements, step.id, contender);
  const ratio = peer === undefined ? undefined : amount(artifacts, step) / amount(peer, step);
  const reached = verdict(step, artifacts, ratio);
  return {
    step: step.id,
    title: step.title,
    artifacts,
    ...(peer === undefined ? {} : { peer }),
    ...(ratio === undefined ? {} : { ratio }),
    ...(peer === undefined || step.measures === 'growth' ? {} : { cpuRatio: (artifacts.cpuSeconds ?? Number.NaN) / (peer.cpuSeconds ?? Number.NaN) }),
    target: describeTarget(step),
    ...(reached === undefined ? {} : { reached }),
  };
}

function amount(value: Value, step: Row): number {
  return (step.measures === 'growth' ? value.bytes : value.seconds) ?? Number.NaN;
}

function valueOf(measurements: readonly Measurement[], step: string, contender: Measurement['contender']): Value | undefined {
  const found = measurements.filter((item) => item.step === step && item.contender === contender);
  if (found.length === 0) return undefined;
  const bytes = found.flatMap((item) => (item.bytes === undefined ? [] : [item.bytes]));
  return {
    seconds: median(found.map(({ cost }) => cost.seconds)),
    cpuSeconds: median(found.map(({ cost }) => cost.cpuSeconds)),
    peakBytes: median(found.map(({ cost }) => cost.peakBytes)),
    ...(bytes.length === 0 ? {} : { bytes: median(bytes) }),
  };
}

function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  const upper = sorted[middle] ?? Number.NaN;
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? upper) + upper) / 2;
}

function verdict({ target }: Row, value: Value, ratio: number | undefined): boolean | undefined {
  const limits: readonly (readonly [number | undefined, number | undefined])[] = [
    [target.ratio, ratio],
    [target.seconds, value.seconds],
    [target.peakBytes, value.peakBytes],
    [target.bytes, value.bytes],
  ];
  const set = limits.flatMap(([limit, actual]) => (limit === undefined || actual === undefined ? [] : [actual <= limit]));
  return set.length === 0 ? undefined : set.every(Boolean);
}

function describeTarget({ target }: Row): string {
  return [
    target.ratio === undefined ? undefined : `<= ${target.ratio} x`,
    target.seconds === undefined ? undefined : `<= ${target.seconds} s`,
    target.peakBytes === undefined ? undefined : `<= ${target.peakBytes / MiB} MiB`,
    target.bytes === undefined ? undefined : `<= ${target.bytes / 1024} KiB`,
  ]
    .filter((part) => part !== undefined)
    .join(', ');
}

/** A Markdown table, aligned so that it reads well on a terminal too. */
export function renderTable(list: readonly Figure[], peer = 'aptly'): string {
  const head = ['step', 'artifacts', peer, 'time', 'cpu', 'target', ''];
  const rows = list.map((item) => [
    item.title,
    show(item.artifacts),
    item.peer === undefined ? '' : show(item.peer),
    showRatio(item.ratio),
    showRatio(item.cpuRatio),
    item.target,
    item.reached === undefined ? '' : item.reached ? 'reached' : 'missed',
  ]);
  const widths = head.map((_, column) => Math.max(3, ...[head, ...rows].map((row) => row[column]?.length ?? 0)));
  const line = (cells: readonly string[]): string => `| ${cells.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join(' | ')} |`;
  return [line(head), line(widths.map((width) => '-'.repeat(width))), ...rows.map(line)].join('\n');
}

function showRatio(ratio: number | undefined): string {
  return ratio === undefined || !Number.isFinite(ratio) ? '' : `${ratio.toFixed(ratio < 0.1 ? 3 : 2)} x`;
}

function show(value: Value): string {
  if (value.bytes !== undefined) return `${(value.bytes / 1024).toFixed(0)} KiB`;
  const { seconds = Number.NaN, peakBytes = Number.NaN } = value;
  return `${seconds.toFixed(seconds < 10 ? 2 : 1)} s, ${(peakBytes / MiB).toFixed(0)} MiB`;
}
