/** Running commands, with or without measuring them. */
import { spawn } from 'node:child_process';
import { readFileSync, rmSync } from 'node:fs';
import { performance } from 'node:perf_hooks';

/** What one command cost. */
export interface Cost {
  readonly seconds: number;
  /** User and system time of the process and its children. */
  readonly cpuSeconds: number;
  /** Peak resident set of the largest process, bytes. */
  readonly peakBytes: number;
}

export interface Command {
  readonly command: string;
  readonly args: readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
  readonly cwd?: string;
  /** Statuses that mean it did its work; only 0 when absent. */
  readonly statuses?: readonly number[];
}

interface Ran {
  readonly status: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs a command to its end, whatever its status. */
export function runQuietly(command: string, args: readonly string[], options: Omit<Command, 'command' | 'args'> = {}): Promise<Ran> {
  return new Promise((resolve, reject) => {
    const env = { ...process.env, LC_ALL: 'C.UTF-8', ...options.environment };
    const child = spawn(command, args, { env, cwd: options.cwd, stdio: ['ignore', 'pipe', 'pipe'] });
    const stdout: Buffer[] = [];
    const stderr: Buffer[] = [];
    child.stdout.on('data', (chunk: Buffer) => stdout.push(chunk));
    child.stderr.on('data', (chunk: Buffer) => stderr.push(chunk));
    child.on('error', reject);
    child.on('close', (status) => resolve({ status: status ?? -1, stdout: text(stdout), stderr: text(stderr) }));
  });
}

/** Runs a command that must succeed; returns its standard output. */
export async function mustRun(command: string, args: readonly string[], options: Omit<Command, 'command' | 'args'> = {}): Promise<string> {
  const { status, stdout, stderr } = await runQuietly(command, args, options);
  if (!(options.statuses ?? [0]).includes(status)) throw new Error(`${command} ${args.join(' ')} ended with ${status}:\n${stderr.slice(-2000)}${stdout.slice(-2000)}`);
  return stdout;
}

/**
 * Runs a command that must succeed and measures it with GNU time, which asks the kernel (getrusage) and adds some 1 ms.
 * What others wrote is flushed before, so that nobody pays for it.
 */
export async function measure({ command, args, ...options }: Command, scratch: string): Promise<Cost> {
  const report = `${scratch}/cost`;
  rmSync(report, { force: true });
  await mustRun('sync', []);
  const start = performance.now();
  await mustRun('/usr/bin/time', ['-q', '-f', '%U %S %M', '-o', report, command, ...args], options);
  const seconds = (performance.now() - start) / 1000;
  const [user = 0, system = 0, peak = 0] = readFileSync(report, 'utf8').trim().split(' ').map(Number);
  return { seconds, cpuSeconds: user + system, peakBytes: peak * 1024 };
}

function text(chunks: readonly Buffer[]): string {
  return Buffer.concat(chunks).toString();
}
