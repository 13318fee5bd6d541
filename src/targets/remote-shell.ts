/**
 * One connection to a target's host for all that rsync cannot do: the lock, links, renames. The host runs one fixed
 * script; every path comes to it as a line of its input, so nothing is ever quoted. The lock belongs to the connection:
 * when it breaks, the lock goes and with it any chance to switch, so that nobody can switch without holding it.
 */
import { ArtifactsError, isArtifactsError } from '../core/errors.ts';
import type { Context } from '../core/context.ts';
import * as durable from '../util/durable.ts';
import { startCommand, type RunningCommand } from '../util/run-command.ts';
import { lineReader } from './lines.ts';
import { lockedTarget } from './local.ts';

/** POSIX sh, coreutils, findutils and util-linux. Paths are relative to the root; none holds a tab or a line break. */
const SCRIPT = `umask 022
IFS= read -r root && IFS= read -r wait && IFS= read -r owner || exit 64
mkdir -p -- "$root/.artifacts" && cd -- "$root" || exit 73
exec 9>.artifacts/lock || exit 73
if ! flock -n 9; then echo waiting; flock -w "$wait" 9 || exit 75; fi
echo ready
parent() { case $1 in */*) [ -d "\${1%/*}" ] || mkdir -p -- "\${1%/*}" ;; esac; }
own() { [ -z "$owner" ] || chown -h -- "$owner" "$1"; }
tab=$(printf '\\t')
while IFS="$tab" read -r verb a b; do
  case $verb in
    link) parent "$a" && ln -sfn -- "$b" "$a.new~" && own "$a.new~" && mv -Tf -- "$a.new~" "$a" ;;
    file) parent "$a" && mv -Tf -- "$b" "$a" ;;
    keep) if [ -f "$a" ] && [ ! -e "$b" ]; then parent "$b" && ln -- "$a" "$b"; fi ;;
    remove) rm -rf -- "$a" ;;
    sync) sync -f . ;;
    list) if [ -d "$a" ]; then find "$a" -mindepth 1 -maxdepth 1 -printf '=%f\\n'; fi ;;
    readlink) if [ -L "$a" ]; then printf '=%s\\n' "$(readlink -- "$a")"; fi ;;
    read) if [ -f "$a" ]; then printf '='; base64 -w 0 -- "$a"; echo; fi ;;
    *) exit 64 ;;
  esac || { echo failed; exit 1; }
  echo ok
done`;

export interface RemoteShell extends AsyncDisposable {
  /** Runs one verb of the script; resolves to the lines it answers. Throws E_TOOL with what the host says. */
  ask(verb: Verb, ...paths: readonly string[]): Promise<readonly string[]>;
  /** Many verbs of one kind that answer nothing, without waiting for each. */
  tell(verb: Verb, lines: readonly (readonly string[])[]): Promise<void>;
}

export type Verb = 'link' | 'file' | 'keep' | 'remove' | 'sync' | 'list' | 'readlink' | 'read';

export interface ShellOptions {
  readonly root: string;
  readonly owner: string | undefined;
  /** Seconds another publisher is waited for. */
  readonly wait: number;
  /** For people. */
  readonly where: string;
}

/** Lines sent before their answers are read: little enough to fit into a pipe, so that neither side waits for the other. */
const WINDOW = 64;

/** Connects by this command, to which the script is added, and waits for the lock. */
export async function openRemoteShell(command: readonly [string, ...string[]], options: ShellOptions, ctx: Context): Promise<RemoteShell> {
  const [program, ...args] = command;
  const running = startCommand(program, [...args, SCRIPT], { signal: ctx.signal });
  running.stdin.on('error', () => {}); // how it ended tells why
  const next = lineReader(running.stdout);
  running.stdin.write(`${options.root}\n${options.wait}\n${options.owner ?? ''}\n`);
  let line = await next();
  if (line === 'waiting') {
    ctx.report({ type: 'waiting', lock: options.where, holder: undefined });
    line = await next();
  }
  if (line !== 'ready') throw await endedEarly(running, options.where);
  return shell(running, next, options.where);
}

function shell(running: RunningCommand, next: () => Promise<string | undefined>, where: string): RemoteShell {
  const send = (verb: Verb, paths: readonly string[]): void => {
    durable.step(() => void running.stdin.write(`${[verb, ...paths].join('\t')}\n`));
  };
  const answer = async (): Promise<string[]> => {
    const lines: string[] = [];
    for (;;) {
      const line = await next();
      if (line === 'ok') return lines;
      if (line === undefined || line === 'failed') throw await endedEarly(running, where);
      lines.push(line.slice(1)); // every line of content begins with "="
    }
  };
  return {
    ask: async (verb, ...paths) => {
      send(verb, paths);
      return answer();
    },
    tell: async (verb, lines) => {
      for (let at = 0; at < lines.length; at += WINDOW) {
        const some = lines.slice(at, at + WINDOW);
        for (const paths of some) send(verb, paths);
        for (const _ of some) await answer();
      }
    },
    [Symbol.asyncDispose]: async () => {
      running.stdin.end();
      await running.ended.catch(() => {}); // what mattered was answered
    },
  };
}

async function endedEarly(running: RunningCommand, where: string): Promise<unknown> {
  running.stdin.end();
  try {
    const { stderr } = await running.ended;
    return unreachable(where, stderr.trim().split('\n').at(-1) || 'the connection ended');
  } catch (error) {
    if (!isArtifactsError(error, 'E_TOOL')) return error;
    const { status } = error.details ?? {};
    if (status === 75) return lockedTarget(where);
    // ssh(1): 255 is its own failure, anything else the script's.
    if (status === 255) return unreachable(where, error.message.replace(/^ssh ended with status 255:? ?/, '') || 'no connection');
    return new ArtifactsError('E_TOOL', `Target ${where}: ${error.message}`, { cause: error });
  }
}

function unreachable(where: string, reason: string): ArtifactsError {
  const refused = /permission denied|host key verification/i.test(reason);
  return new ArtifactsError('E_FETCH', `Cannot reach the target ${where}: ${reason}`, {
    hint: refused ? 'Check user, key and host_key of the target.' : 'What was copied is kept: run the same command again.',
    details: { permanent: refused },
  });
}
