/** Running git so that nothing but what is said here decides what it does. */
import { ArtifactsError, isArtifactsError } from '../../core/errors.ts';
import { runCommand, type CommandResult } from '../../util/run-command.ts';
import type { GitAddress } from './spec.ts';

export interface GitRun {
  /** The file with git's settings, settings.ts. */
  readonly settings: string;
  /** A file any bigger is not written: what stops a pack, or a file in it, without end. */
  readonly limit: number;
  /** After which a command is stopped even when nobody is there to cancel it. */
  readonly milliseconds: number;
  readonly signal: AbortSignal;
}

export interface GitOptions {
  /** GIT_DIR; without one git is in no repository. */
  readonly repository?: string;
  readonly input?: Uint8Array;
  readonly environment?: Readonly<Record<string, string>>;
  /** Exit statuses besides 0 that are an answer. */
  readonly accept?: readonly number[];
}

/** Names of other tools' settings that would change what they write, besides all of git's own. */
const FOREIGN = /^(?:GIT_.*|SSH_ASKPASS|GZIP|TAR_OPTIONS|TZ|LC_.*|LANGUAGE)$/;

/** Bytes of memory after which a command ends: objects can claim to be of any size. */
const MEMORY = 8 * 1024 ** 3;

/** Seconds between asking a command to stop and stopping it. */
const GRACE = 10;

/** Runs git. Throws E_TOOL when it fails, E_TOO_LARGE when it would write a file over the limit. */
export async function git(args: readonly string[], run: GitRun, options: GitOptions = {}): Promise<CommandResult> {
  const environment = {
    ...(options.repository === undefined ? { GIT_DIR: '/dev/null' } : { GIT_DIR: options.repository }),
    GIT_CONFIG_GLOBAL: run.settings,
    GIT_CONFIG_NOSYSTEM: '1',
    GIT_ATTR_NOSYSTEM: '1',
    GIT_TERMINAL_PROMPT: '0',
    GIT_ALLOW_PROTOCOL: 'file:http:https:ssh',
    GIT_NO_REPLACE_OBJECTS: '1',
    // A question nobody answers must not stop a build.
    GIT_SSH_COMMAND: 'ssh -oBatchMode=yes',
    ...options.environment,
  };
  return limited('git', args, run, { ...options, environment });
}

/** Runs a tool within the limits, without settings of the user's that change what it writes. */
export async function limited(
  command: string,
  args: readonly string[],
  run: GitRun,
  options: Omit<GitOptions, 'repository'> & { readonly cwd?: string } = {},
): Promise<CommandResult> {
  const foreign = Object.keys(process.env).filter((name) => FOREIGN.test(name));
  const environment = { ...Object.fromEntries(foreign.map((name) => [name, undefined])), LC_ALL: 'C', TZ: 'UTC', ...options.environment };
  const { input, accept, cwd } = options;
  try {
    return await runCommand('setpriv', [...wrapping(run), command, ...args], {
      environment,
      signal: run.signal,
      ...(input === undefined ? {} : { input }),
      ...(accept === undefined ? {} : { accept }),
      ...(cwd === undefined ? {} : { cwd }),
    });
  } catch (error) {
    if (!isArtifactsError(error, 'E_TOOL')) throw error;
    if (isOverLimit(error.message)) throw tooLarge(run.limit);
    if (!/No space left on device/.test(error.message)) throw error;
    throw new ArtifactsError('E_NO_SPACE', `No space left while ${command} was running`, { cause: error });
  }
}

/**
 * The words before a command: git starts further programs, which neither end with it nor heed its limits by themselves.
 * When this process dies, however it does, `timeout` is told to stop and stops all of them; so it does when it is cancelled.
 * A file over the limit becomes an error that is passed on, not a signal that one of them dies of unheard.
 */
function wrapping({ limit, milliseconds }: GitRun): string[] {
  const seconds = Math.ceil(milliseconds / 1000) + GRACE;
  const limits = [`--fsize=${limit}`, `--data=${MEMORY}`, '--core=0', 'env', '--ignore-signal=XFSZ'];
  return ['--pdeathsig', 'TERM', 'timeout', `--kill-after=${GRACE}`, String(seconds), 'prlimit', ...limits];
}

/** Whether a tool, or one it started, failed because a file became larger than it may (EFBIG). */
export function isOverLimit(message: string): boolean {
  return /File too large/.test(message);
}

export function tooLarge(limit: number): ArtifactsError {
  return new ArtifactsError('E_TOO_LARGE', `More than ${limit} bytes in one file`, { hint: 'git_limits.size raises the limit.' });
}

/** The environment that lets git show its password to the address's host: neither a command line nor a file holds it. */
export function loginOf({ url, login }: GitAddress): Record<string, string> {
  if (login === undefined) return {};
  const secret = Buffer.from(`${login.user}:${login.password}`).toString('base64');
  return { GIT_CONFIG_COUNT: '1', GIT_CONFIG_KEY_0: `http.${new URL(url).origin}/.extraHeader`, GIT_CONFIG_VALUE_0: `Authorization: Basic ${secret}` };
}
