import { join } from 'node:path';
import type { RunOptions, RunResult } from '../rig/run.ts';
import { runNode } from '../rig/run.ts';

/** The fixture's compiled entry. */
export const FIXTURE = join(import.meta.dirname, 'fixture-cli.js');

/** Runs the command line over the fixture's operations, as a process of its own. */
export function drive(args: readonly string[], options: RunOptions = {}): Promise<RunResult> {
  return runNode([FIXTURE, ...args], options);
}

/** The result or error that `--json` printed. */
export function parsed(run: RunResult): Record<string, unknown> {
  return JSON.parse(run.stdout) as Record<string, unknown>;
}
