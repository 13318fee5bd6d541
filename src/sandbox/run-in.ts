/** Running commands in root filesystems: alone, without a network, within limits, and leaving nothing behind. */
import { once } from 'node:events';
import { createWriteStream, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { Context } from '../core/context.ts';
import { ArtifactsError, fromSystemError } from '../core/errors.ts';
import { startCommand, type RunningCommand } from '../util/run-command.ts';
import { FORWARDER, INIT_SCRIPT } from './init-script.ts';
import { hasUserNamespace, inNamespaces } from './namespaces.ts';

export interface RunOptions {
  /** A folder for mount points; it need not outlive the run. */
  readonly temporary: string;
  /** Whether the tree itself is written to. Default false: what is written goes with the sandbox. */
  readonly keep?: boolean;
  readonly binds?: readonly Bind[];
  /**
   * Runs it beside the tree instead of in it: by the programs of this machine's /usr, which are read-only, with the tree at
   * TREE_BESIDE and what is bound at the same paths below /dev. For tools that work on a tree, and run what came from others.
   * Always root of the sandbox. Default false.
   */
  readonly beside?: boolean;
  /** Besides PATH, HOME, LANG and TZ, which may be given too. Nothing is inherited. */
  readonly environment?: Readonly<Record<string, string>>;
  /** Default `/`. */
  readonly cwd?: string;
  /** Default `builder`, an ordinary user that owns the writable binds meanwhile. */
  readonly user?: 'root' | 'builder';
  readonly limits?: Limits;
  /** Default `none`. A socket: port `port` of the sandbox's loopback interface leads to that socket file and nowhere else. */
  readonly network?: 'none' | { readonly socket: string; readonly port: number };
  /** A file its output, both kinds together, is added to. */
  readonly log?: string;
  /** Exit statuses besides 0 that are an answer and no failure. */
  readonly accept?: readonly number[];
}

/** A file or folder of this machine that is seen inside; never through symbolic links of the tree. */
export interface Bind {
  readonly from: string;
  /** Absolute. */
  readonly to: string;
  readonly writable?: boolean;
}

export interface Limits {
  /** Default 3600. */
  readonly seconds?: number;
  /** Processes of the builder at a time; root is not bound by it. Default 1024. */
  readonly processes?: number;
  /** Size of a single file. Default 4 GiB. */
  readonly fileBytes?: number;
  /** All that is written over the tree. It is kept in memory. Default 4 GiB. */
  readonly layerBytes?: number;
  /** Default 64 MiB. */
  readonly outputBytes?: number;
  /** Address space of each process. Default none. */
  readonly memoryBytes?: number;
}

export interface RunResult {
  readonly status: number;
  /** The end of its output, at most 64 KiB. */
  readonly output: string;
}

const GIB = 1024 ** 3;
const DEFAULT_LIMITS = { seconds: 3600, processes: 1024, fileBytes: 4 * GIB, layerBytes: 4 * GIB, outputBytes: 64 * 1024 * 1024 };
const TAIL = 64 * 1024;

/** An id no user of a distribution has, so that the limit of processes counts only the sandbox's own. */
export const BUILDER = 59_999;

/** Where a command that runs beside the tree finds it. */
export const TREE_BESIDE = '/root';

/** The init script's own failures. */
const SETUP_FAILED = 125;

/** What a root user inside may do: own and change files, become somebody else, signal. No mounts, devices, modules, network. */
const CAPABILITIES = ['chown', 'dac_override', 'fowner', 'fsetid', 'kill', 'setgid', 'setuid', 'setfcap', 'sys_chroot'];

/**
 * Runs a command in a root filesystem, in mount, process, network, ipc and uts namespaces of its own. When this returns
 * or throws, or this process is killed, no process and no mount of it is left. Throws E_TOOL when it ends with another
 * status or takes too long, E_TOO_LARGE when it prints too much.
 */
export async function runIn(root: { readonly path: string }, command: readonly string[], options: RunOptions, ctx: Context): Promise<RunResult> {
  ctx.signal.throwIfAborted();
  mkdirSync(options.temporary, { recursive: true });
  const stage = mkdtempSync(join(options.temporary, 'sandbox-'));
  try {
    const [program = '', ...words] = [...inNamespaces({ network: false }), 'sh', '-c', INIT_SCRIPT, 'sandbox', ...sandboxWords(command, options)];
    const environment = initEnvironment(root.path, stage, options);
    return await follow(startCommand(program, words, { environment, accept: everyStatus() }), { command, options }, ctx);
  } finally {
    rmSync(stage, { recursive: true, force: true });
  }
}

function initEnvironment(tree: string, stage: string, { keep, limits, user, network = 'none' }: RunOptions): Record<string, string> {
  const socket = network === 'none' ? { SOCKET: '', PORT: '' } : { SOCKET: network.socket, PORT: String(network.port) };
  return {
    PATH: '/usr/sbin:/usr/bin:/sbin:/bin',
    LC_ALL: 'C',
    STAGE: stage,
    TREE: tree,
    LAYER: keep === true ? 'none' : 'memory',
    SIZE: String(limits?.layerBytes ?? DEFAULT_LIMITS.layerBytes),
    USER_NAMESPACE: hasUserNamespace() ? 'yes' : 'no',
    OWNER: user === 'root' ? '0:0' : `${BUILDER}:${BUILDER}`,
    FORWARDER,
    ...socket,
  };
}

/** The binds, and the command behind what limits it. Programs are the machine's up to the second unshare, which enters the root. */
function sandboxWords(command: readonly string[], options: RunOptions): readonly string[] {
  const { binds = [], limits = {}, cwd = '/', user = 'builder', beside = false } = options;
  const id = user === 'root' ? 0 : BUILDER;
  const environment = { PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin', HOME: '/', LANG: 'C.UTF-8', TZ: 'UTC', ...options.environment };
  const clean = ['/usr/bin/env', '-i', ...Object.entries(environment).map(([name, value]) => `${name}=${value}`)];
  const limit = ['/usr/bin/prlimit', '--core=0', `--nproc=${limits.processes ?? DEFAULT_LIMITS.processes}`, `--fsize=${limits.fileBytes ?? DEFAULT_LIMITS.fileBytes}`];
  const memory = limits.memoryBytes === undefined ? [] : [`--as=${limits.memoryBytes}`];
  const drop = ['/usr/bin/setpriv', '--no-new-privs', '--inh-caps=-all', `--bounding-set=-all,${CAPABILITIES.map((name) => `+${name}`).join(',')}`];
  const chroot = ['/usr/bin/unshare', `--root=${TREE_BESIDE}`, `--wd=${cwd}`, `--setgid=${id}`, `--setuid=${id}`, '--'];
  const enter = beside ? [] : chroot;
  const bound = binds.flatMap(({ from, to, writable }) => [from, checkBind(to), writable === true ? 'write' : 'read']);
  return [...bound, '--', ...clean, ...limit, ...memory, ...drop, ...enter, ...command];
}

/** They pass through the lines of a shell script. */
function checkBind(to: string): string {
  if (to.startsWith('/') && !/[\n\\]|\/\.\.?(?:\/|$)|\s$/.test(to)) return to;
  throw new Error(`No place for a bind: ${JSON.stringify(to)}`);
}

interface Followed {
  readonly command: readonly string[];
  readonly options: RunOptions;
}

async function follow(running: RunningCommand, { command, options }: Followed, ctx: Context): Promise<RunResult> {
  const { seconds, outputBytes } = { ...DEFAULT_LIMITS, ...options.limits };
  const stopped: { why?: ArtifactsError } = {};
  const stop = (why?: ArtifactsError): void => {
    if (why !== undefined) stopped.why ??= why;
    running.kill();
  };
  const cancel = (): void => stop();
  const timer = setTimeout(() => stop(new ArtifactsError('E_TOOL', `${command[0]} took longer than ${seconds} seconds and was stopped`)), seconds * 1000);
  ctx.signal.addEventListener('abort', cancel);
  try {
    running.stdin.on('error', () => {}).end();
    const tooMuch = (): void => stop(new ArtifactsError('E_TOO_LARGE', `${command[0]} printed more than ${outputBytes} bytes and was stopped`));
    const output = await collect(running, { log: options.log, outputBytes, tooMuch });
    const { status, stderr } = await running.ended.catch((error: unknown) => {
      ctx.signal.throwIfAborted();
      throw stopped.why ?? error;
    });
    ctx.signal.throwIfAborted();
    if (stopped.why !== undefined) throw stopped.why;
    if (status === 0 || (options.accept?.includes(status) === true && status !== SETUP_FAILED)) return { status, output };
    const line = (stderr.trim() || output.trim()).split('\n').at(-1) ?? '';
    throw new ArtifactsError('E_TOOL', `${command[0]} ended with status ${status} in the sandbox${line === '' ? '' : `: ${line}`}`, { details: { status, output } });
  } finally {
    clearTimeout(timer);
    ctx.signal.removeEventListener('abort', cancel);
  }
}

interface Collecting {
  readonly log: string | undefined;
  readonly outputBytes: number;
  readonly tooMuch: () => void;
}

async function collect(running: RunningCommand, { log, outputBytes, tooMuch }: Collecting): Promise<string> {
  const file = log === undefined ? undefined : createWriteStream(log, { flags: 'a' });
  let failure: unknown;
  file?.on('error', (error) => (failure ??= error));
  let tail: Buffer = Buffer.alloc(0);
  let length = 0;
  for await (const chunk of running.stdout as AsyncIterable<Buffer>) {
    length += chunk.length;
    if (length > outputBytes) {
      tooMuch();
      continue;
    }
    tail = Buffer.concat([tail, chunk]).subarray(-TAIL);
    if (file?.write(chunk) === false && failure === undefined) await Promise.race([once(file, 'drain'), once(file, 'close')]);
  }
  if (file !== undefined) await new Promise<void>((resolve) => file.end(() => resolve()));
  if (failure !== undefined) throw fromSystemError(failure, `writing ${log}`);
  return tail.toString('utf8');
}

/** The status is judged here, where more is known of why. */
function everyStatus(): readonly number[] {
  return Array.from({ length: 256 }, (_, status) => status);
}
