/** Runs mutated inputs through the real readers in a process of their own, with caps on memory and time. */
import { spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Outcome } from './worker.ts';

export interface MutationOptions {
  readonly seed: number;
  /** Number of the first input. */
  readonly first?: number;
  /** Inputs; whichever of count and seconds is reached first ends the run. */
  readonly count: number;
  readonly seconds?: number;
  /** Only inputs of this kind. */
  readonly kind?: string;
  /** What one input may take; default 15. */
  readonly longestSeconds?: number;
  /** A reader that does wrong, to see whether that is noticed. */
  readonly planted?: 'hang' | 'memory' | 'throw';
}

export interface MutationReport {
  readonly inputs: number;
  readonly read: number;
  /** By code of the error. */
  readonly refused: Readonly<Record<string, number>>;
  readonly byKind: Readonly<Record<string, { readonly inputs: number; readonly read: number; readonly refused: number }>>;
  /** Whatever was neither read nor refused: with its number, to have it again. */
  readonly failures: readonly Failure[];
  /** KiB. */
  readonly peak: number;
  readonly slowest: { readonly number: number; readonly kind: string; readonly milliseconds: number };
}

export interface Failure {
  readonly number: number;
  readonly why: string;
}

const LONGEST_SECONDS = 15;
/** What a process may take before its first input, on a machine that is busy. */
const START_SECONDS = 60;
/** What reading may need altogether; above it the kernel gives a process no more. */
const LARGEST_MEMORY = 512 * 1024 * 1024;

export async function runMutations(options: MutationOptions): Promise<MutationReport> {
  const tally = openTally();
  const first = options.first ?? 0;
  const end = first + options.count;
  const deadline = options.seconds === undefined ? Infinity : Date.now() + options.seconds * 1000;
  for (let next = first; next < end && Date.now() < deadline; ) next = await runWorker({ ...options, first: next, count: end - next }, deadline, tally);
  return tally.report();
}

type Run = MutationOptions & { readonly first: number };

/** Until the worker is done or dies. Returns the number of the first input that is still to be read. */
async function runWorker({ seed, first, count, kind, planted, longestSeconds = LONGEST_SECONDS }: Run, deadline: number, tally: Tally): Promise<number> {
  const folder = await mkdtemp(join(tmpdir(), 'artifacts-mutation-'));
  const worker = join(import.meta.dirname, 'worker.js');
  const args = [`--data=${LARGEST_MEMORY}`, process.execPath, '--max-old-space-size=256', worker, folder, seed, first, count, kind ?? '', planted ?? ''].map(String);
  const child = spawn('prlimit', args, { stdio: ['ignore', 'ignore', 'pipe', 'ipc'] });
  let next = first;
  let ended: string | undefined;
  let stderr = '';
  child.stderr?.setEncoding('utf8').on('data', (text: string) => void (stderr = (stderr + text).slice(-4000)));
  const stop = (why: string): void => {
    ended ??= why;
    child.kill('SIGKILL');
  };
  let timer = setTimeout(stop, START_SECONDS * 1000, 'the process did not start');
  child.on('message', (outcome: Outcome | 'ready') => {
    clearTimeout(timer);
    if (outcome !== 'ready') {
      tally.add(outcome);
      next = outcome.number + 1;
    }
    timer = setTimeout(stop, longestSeconds * 1000, `it took longer than ${longestSeconds} s`);
    if (Date.now() > deadline) stop('deadline');
  });
  const status = await new Promise<number | null>((resolve, reject) => {
    child.on('error', reject);
    child.on('close', resolve);
  });
  clearTimeout(timer);
  await rm(folder, { recursive: true, force: true });
  if (status === 0 || ended === 'deadline') return next;
  tally.fail({ number: next, why: ended ?? `the process ended with ${status}: ${stderr}` });
  return next + 1;
}

interface Tally {
  add(outcome: Outcome): void;
  fail(failure: Failure): void;
  report(): MutationReport;
}

function openTally(): Tally {
  const refused: Record<string, number> = {};
  const byKind: Record<string, { inputs: number; read: number; refused: number }> = {};
  const failures: Failure[] = [];
  let [inputs, read, peak] = [0, 0, 0];
  let slowest = { number: -1, kind: '', milliseconds: 0 };
  return {
    add: ({ number, kind, verdict, stack, milliseconds, peak: most }) => {
      const counts = (byKind[kind] ??= { inputs: 0, read: 0, refused: 0 });
      inputs += 1;
      counts.inputs += 1;
      peak = Math.max(peak, most);
      if (milliseconds > slowest.milliseconds) slowest = { number, kind, milliseconds };
      if (verdict === 'crash') failures.push({ number, why: stack ?? '' });
      else if (verdict === 'read') [read, counts.read] = [read + 1, counts.read + 1];
      else [refused[verdict], counts.refused] = [(refused[verdict] ?? 0) + 1, counts.refused + 1];
    },
    fail: (failure) => {
      inputs += 1;
      failures.push(failure);
    },
    report: () => ({ inputs, read, refused, byKind, failures, peak, slowest }),
  };
}
