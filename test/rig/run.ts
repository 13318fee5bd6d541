import { spawn } from 'node:child_process';
import { join, resolve } from 'node:path';

/** The folder of package.json, seen from build/test/rig/. */
export const PROJECT = resolve(import.meta.dirname, '../../..');
const PROGRAM = join(PROJECT, 'bin', 'artifacts.js');

export interface RunOptions {
  /** `--root`: the folder of vars/ and mappings/. */
  readonly root?: string;
  /** `--state`. */
  readonly state?: string;
  /** Set over the environment of the tests; undefined removes a variable. */
  readonly env?: Readonly<Record<string, string | undefined>>;
  readonly input?: string;
  readonly cwd?: string;
  /** Milliseconds after which the run is killed; default 60,000. */
  readonly timeout?: number;
}

export interface RunResult {
  /** Exit status; -1 when a signal ended it. */
  readonly status: number;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs the program as a user would and never throws because of its exit status. */
export function runArtifacts(args: readonly string[], options: RunOptions = {}): Promise<RunResult> {
  const places = [
    ...(options.root === undefined ? [] : ['--root', options.root]),
    ...(options.state === undefined ? [] : ['--state', options.state]),
  ];
  return runNode([PROGRAM, ...places, ...args], options);
}

/** Runs a command of the system; `runNode(args)` runs the Node that runs the tests. */
export function runCommand(command: string, args: readonly string[], options: RunOptions = {}): Promise<RunResult> {
  return new Promise((resolveRun, reject) => {
    const child = spawn(command, args, {
      env: { ...process.env, NO_COLOR: '1', LC_ALL: 'C.UTF-8', ...options.env },
      cwd: options.cwd,
      timeout: options.timeout ?? 60_000,
      killSignal: 'SIGKILL',
    });
    let stdout = '';
    let stderr = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => void (stdout += text));
    child.stderr.setEncoding('utf8').on('data', (text: string) => void (stderr += text));
    child.on('error', reject);
    child.on('close', (status, signal) => resolveRun({ status: status ?? -1, signal, stdout, stderr }));
    child.stdin.on('error', () => {}); // it may end without reading
    child.stdin.end(options.input);
  });
}

export function runNode(args: readonly string[], options: RunOptions = {}): Promise<RunResult> {
  return runCommand(process.execPath, args, options);
}
