import { spawn, type ChildProcess } from 'node:child_process';
import { PassThrough, Readable, type Writable } from 'node:stream';
import { ArtifactsError, isArtifactsError } from '../core/errors.ts';

/** The only place that starts processes: never through a shell, never with secrets on the command line. */

export interface CommandOptions {
  readonly input?: Uint8Array;
  /** Set over this process's own; undefined removes a variable. */
  readonly environment?: Readonly<Record<string, string | undefined>>;
  readonly cwd?: string;
  readonly signal?: AbortSignal;
  /** Exit statuses besides 0 that are an answer and no failure. */
  readonly accept?: readonly number[];
  /** Bytes of standard output after which the command is stopped. Default 64 MiB. */
  readonly limit?: number;
}

export interface CommandResult {
  readonly status: number;
  readonly stdout: Buffer;
  readonly stderr: string;
}

const DEFAULT_LIMIT = 64 * 1024 * 1024;

/**
 * Runs a command to its end. Throws E_TOOL when it is missing, killed, or ends with another status, E_TOO_LARGE when it
 * prints more than the limit.
 */
export async function runCommand(
  command: string,
  args: readonly string[],
  options: CommandOptions = {},
): Promise<CommandResult> {
  const running = startCommand(command, args, options);
  const limit = options.limit ?? DEFAULT_LIMIT;
  const chunks: Buffer[] = [];
  let length = 0;
  running.stdout.on('data', (chunk: Buffer) => {
    length += chunk.length;
    if (length > limit) running.kill();
    else chunks.push(chunk);
  });
  running.stdin.on('error', () => {}); // EPIPE: the exit status tells what went wrong
  running.stdin.end(options.input);
  const ended = await running.ended.catch((error: unknown) => ({ error }));
  // Looked at first: it may have been killed for that, or have ended just before.
  if (length > limit) throw new ArtifactsError('E_TOO_LARGE', `${command} printed more than ${limit} bytes`);
  if ('error' in ended) throw ended.error;
  const { status, stderr } = ended;
  return { status, stdout: Buffer.concat(chunks), stderr };
}

export interface RunningCommand {
  readonly stdin: Writable;
  readonly stdout: Readable;
  /** Resolves once the process and its output have ended; rejects with E_TOOL like runCommand. */
  readonly ended: Promise<{ readonly status: number; readonly stderr: string }>;
  kill(): void;
}

/** Starts a command whose input and output are streamed. `ended` must be awaited: a truncated output is no success. */
export function startCommand(command: string, args: readonly string[], options: CommandOptions = {}): RunningCommand {
  const child: ChildProcess = spawn(command, args, {
    stdio: ['pipe', 'pipe', 'pipe'],
    cwd: options.cwd,
    env: options.environment === undefined ? process.env : { ...process.env, ...options.environment },
  });
  // A process that could not be started has number 0 for Node, and who kills that ends the whole process group.
  const kill = (signal: NodeJS.Signals): void => void (child.pid !== undefined && child.kill(signal));
  let stderr = '';
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    if (stderr.length < 8192) stderr += text;
  });
  const ended = new Promise<{ status: number; stderr: string }>((resolve, reject) => {
    const abort = (): void => {
      kill('SIGTERM');
      reject(Object.assign(new Error(`${command} was stopped`), { name: 'AbortError' }));
    };
    if (options.signal?.aborted === true) abort();
    else options.signal?.addEventListener('abort', abort);
    const settle = (): void => options.signal?.removeEventListener('abort', abort);
    child.on('error', (error: NodeJS.ErrnoException) => {
      settle();
      reject(startFailure(command, error));
    });
    child.on('close', (status, signal) => {
      settle();
      if (status !== null && (status === 0 || options.accept?.includes(status))) resolve({ status, stderr });
      else reject(exitFailure(command, status, signal, stderr));
    });
  });
  ended.catch(() => {}); // whoever awaits it gets the failure; nobody may be waiting yet
  // Without a descriptor left there are no streams either.
  return { stdin: child.stdin ?? new PassThrough().resume(), stdout: child.stdout ?? Readable.from([]), ended, kill: () => kill('SIGKILL') };
}

/** The status of a tool that ran and ended by itself; undefined for one that is missing or was stopped, and any other error. */
export function exitStatusOf(error: unknown): number | undefined {
  const status = isArtifactsError(error, 'E_TOOL') ? error.details?.['status'] : undefined;
  return typeof status === 'number' ? status : undefined;
}

function startFailure(command: string, error: NodeJS.ErrnoException): ArtifactsError {
  if (error.code !== 'ENOENT') return new ArtifactsError('E_TOOL', `${command}: ${error.message}`, { cause: error });
  return new ArtifactsError('E_TOOL', `The tool "${command}" is not installed`, {
    hint: 'Install it with the system package manager; README.md lists the tools that are needed.',
    cause: error,
  });
}

function exitFailure(command: string, status: number | null, signal: string | null, stderr: string): ArtifactsError {
  const how = status === null ? `was stopped by ${signal}` : `ended with status ${status}`;
  const why = stderr.trim().split('\n').at(-1) ?? '';
  return new ArtifactsError('E_TOOL', `${command} ${how}${why === '' ? '' : `: ${why}`}`, { details: { status: status ?? signal } });
}
