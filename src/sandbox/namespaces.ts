/** Commands in namespaces of their own: what they start and mount ends with them, and they end with this process. */

import type { Context } from '../core/context.ts';
import { runCommand, startCommand, type CommandResult } from '../util/run-command.ts';

export interface NamespaceOptions {
  /** Whether it keeps the network of this machine. */
  readonly network: boolean;
}

/**
 * The words before a command that make it root of new namespaces. An ordinary user becomes root of a user namespace
 * with the ids /etc/subuid grants (newuidmap(1)). A process whose parent dies is killed, and with the first process of a
 * namespace go all others and all mounts. They are a session of their own: process groups reach across namespaces, so
 * `kill 0` in there would end whoever builds.
 */
export function inNamespaces({ network }: NamespaceOptions): readonly string[] {
  const kinds = ['--mount', '--pid', '--ipc', '--uts', ...(network ? [] : ['--net'])];
  return ['setpriv', '--pdeathsig', 'KILL', 'unshare', ...userNamespace(), ...kinds, '--fork', '--kill-child', '--mount-proc', '--', 'setsid'];
}

/**
 * Runs a command in namespaces of its own that keeps the network of this machine. Cancelled, it is killed: unshare(1) and
 * many a maintainer script do not end by less. Throws E_TOOL like runCommand.
 */
export async function runInNamespaces(command: readonly string[], environment: Readonly<Record<string, string>>, ctx: Context): Promise<void> {
  const [program = '', ...words] = [...inNamespaces({ network: true }), ...command];
  const running = startCommand(program, words, { environment: { PATH: administratorPath(), ...environment } });
  const stop = (): void => running.kill();
  ctx.signal.addEventListener('abort', stop);
  try {
    running.stdin.on('error', () => {}).end();
    running.stdout.resume();
    await running.ended;
  } finally {
    ctx.signal.removeEventListener('abort', stop);
  }
}

/**
 * Runs a tool over the files of a root filesystem, which for an ordinary user belong to others. It must not follow symbolic
 * links: the tree's lead to this machine. Throws E_TOOL like runCommand.
 */
export async function runAsOwner(command: readonly string[], ctx?: Context): Promise<CommandResult> {
  const user = userNamespace();
  const [program = '', ...words] = user.length === 0 ? command : ['unshare', ...user, '--', ...command];
  return runCommand(program, words, { environment: { PATH: administratorPath() }, ...(ctx && { signal: ctx.signal }) });
}

/** Whether it takes a user namespace to be root of others. */
export function hasUserNamespace(): boolean {
  return process.getuid?.() !== 0;
}

/** Debian gives ordinary users no folder of programs for administrators: getcap(8), and what dpkg asks for. */
function administratorPath(): string {
  return `${process.env['PATH'] ?? '/usr/bin:/bin'}:/usr/sbin:/sbin`;
}

function userNamespace(): readonly string[] {
  return hasUserNamespace() ? ['--user', '--map-root-user', '--map-auto'] : [];
}
