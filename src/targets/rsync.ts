/** A folder on another host as a target: rsync over ssh copies, one connection beside it locks and switches. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Context } from '../core/context.ts';
import { ArtifactsError, isArtifactsError } from '../core/errors.ts';
import * as durable from '../util/durable.ts';
import { exitStatusOf, runCommand } from '../util/run-command.ts';
import { otherBytes } from './local.ts';
import { openRemoteShell, type RemoteShell } from './remote-shell.ts';
import { SSH_HOST, writeSshFiles, type SshFiles } from './ssh.ts';
import { LOCK_WAIT, type Batch, type RsyncDefinition, type Target, type TargetSession, type TargetTools } from './target.ts';

/** As RPC-O: five tries, five seconds apart. */
const TRIES = 5;
const RETRY_DELAY = 5000;
/** Statuses of rsync(1) that a broken connection gives; ssh's own is 255. */
const CONNECTION_LOST = new Set<number | undefined>([10, 12, 30, 35, 255]);

/** rsync(1), --link-dest: no more than twenty. */
const MOST_ALIKE = 20;

export function rsyncTarget(definition: RsyncDefinition, tools: TargetTools): Target {
  const { name, host, user, port, path } = definition;
  const where = `rsync://${user === undefined ? '' : `${user}@`}${host}${port === undefined ? '' : `:${port}`}${path}`;
  return {
    name,
    where,
    open: async (ctx) => {
      const files = writeSshFiles(definition, tools.temporary);
      const link: Link = { files, definition, where, delay: tools.retryDelay ?? RETRY_DELAY };
      try {
        return session(link, await connect(link, tools.lockWait ?? LOCK_WAIT, ctx));
      } catch (error) {
        files[Symbol.dispose]();
        throw error;
      }
    },
  };
}

interface Link {
  readonly files: SshFiles;
  readonly definition: RsyncDefinition;
  readonly where: string;
  /** Milliseconds between two tries. */
  readonly delay: number;
}

function connect(link: Link, wait: number, ctx: Context): Promise<RemoteShell> {
  const { path: root, owner } = link.definition;
  const command = ['ssh', '-F', link.files.config, '-T', SSH_HOST] as const;
  const isLost = (error: unknown): boolean => isArtifactsError(error, 'E_FETCH') && error.details?.['permanent'] !== true;
  return retried(link, { isLost, ctx }, () => openRemoteShell(command, { root, owner, wait, where: link.where }, ctx));
}

function session(link: Link, shell: RemoteShell): TargetSession {
  return {
    stage: async (batch, ctx) => {
      if (batch.files.length === 0) return [];
      if (!batch.unique) await refuseOtherBytes(batch, link, ctx);
      const like = batch.unique ? (batch.like ?? []).slice(0, MOST_ALIKE).map((folder) => `--link-dest=${link.definition.path}/${folder}`) : [];
      const copied = await send(batch, [batch.unique ? '--size-only' : '--ignore-existing', '--hard-links', ...like], link, ctx);
      if (copied.length > 0) await shell.ask('sync');
      return copied;
    },
    fetch: async ({ here, there, files }, ctx) => {
      const args = ['--size-only', '--partial', fileList, remote(link, there), `${here}/`];
      durable.makeFolder(here);
      await rsync(args, { input: listOf(files) }, link, ctx);
    },
    keep: (names) => shell.tell('keep', names.map(({ from, to }) => [from, to])),
    read: async (path) => {
      const [content] = await shell.ask('read', path);
      return content === undefined ? undefined : Buffer.from(content, 'base64');
    },
    readLink: async (path) => (await shell.ask('readlink', path))[0],
    list: async (folder) => [...(await shell.ask('list', folder))].sort(),
    commit: async (pointers) => {
      for (const pointer of pointers) {
        await shell.ask(pointer.kind, pointer.path, pointer.kind === 'link' ? pointer.to : pointer.from);
      }
      await shell.ask('sync');
    },
    remove: (paths) => shell.tell('remove', paths.map((path) => [path])),
    [Symbol.asyncDispose]: async () => {
      await shell[Symbol.asyncDispose]();
      link.files[Symbol.dispose]();
    },
  };
}

/** Names on the standard input, each ended by NUL: no character of a name has a meaning. */
const fileList = '--files-from=-';

/** Files that are there with other bytes, found by their checksums before anything is copied. */
async function refuseOtherBytes(batch: Batch, link: Link, ctx: Context): Promise<void> {
  const [different] = await send(batch, ['--dry-run', '--existing', '--checksum'], link, ctx);
  if (different !== undefined) throw otherBytes(`${link.where}/${batch.there === '' ? '' : `${batch.there}/`}${different}`);
}

async function send(batch: Batch, how: readonly string[], link: Link, ctx: Context): Promise<string[]> {
  const { owner } = link.definition;
  const args = [
    ...how,
    '--copy-links',
    '--keep-dirlinks',
    '--times',
    '--omit-dir-times',
    '--perms',
    '--chmod=D755,F644',
    ...(owner === undefined ? [] : ['--owner', '--group', `--chown=${owner}`]),
    '--partial-dir=.rsync-partial',
    '--out-format=%i %n',
    fileList,
    `${batch.here}/`,
    remote(link, batch.there),
  ];
  const input = listOf(batch.files);
  const stdout = await durable.step(() => rsync(args, { input }, link, ctx));
  // rsync(1), --itemize-changes: "<f" is a file that is sent.
  return stdout.split('\n').flatMap((line) => (line.startsWith('<f') ? [line.slice(line.indexOf(' ') + 1)] : []));
}

function listOf(files: Batch['files']): Buffer {
  return Buffer.from(files.map(({ path }) => `${path}\0`).join(''));
}

/** With --protect-args no shell of the host looks at the path. */
function remote({ definition: { path } }: Link, folder: string): string {
  return `${SSH_HOST}:${path}/${folder === '' ? '' : `${folder}/`}`;
}

/** Runs rsync, again when the connection broke; what came whole is not sent twice, nor what came of a large file. */
async function rsync(args: readonly string[], { input }: { readonly input: Buffer }, link: Link, ctx: Context): Promise<string> {
  const isLost = (error: unknown): boolean => CONNECTION_LOST.has(exitStatusOf(error));
  // rsync(1), --rsh: words are separated by blanks unless quoted, a doubled quotation mark stands for one.
  const rsh = `ssh -T -F "${link.files.config.replaceAll('"', '""')}"`;
  const all = ['--rsh', rsh, '--protect-args', '--from0', '--timeout=120', '--mkpath', ...args];
  try {
    const { stdout } = await retried(link, { isLost, ctx }, () => runCommand('rsync', all, { input, signal: ctx.signal, limit: 1 << 30 }));
    return stdout.toString();
  } catch (error) {
    if (!isArtifactsError(error, 'E_TOOL') || exitStatusOf(error) === undefined) throw error;
    const code = /No space left/.test(error.message) ? 'E_NO_SPACE' : isLost(error) ? 'E_FETCH' : 'E_TOOL';
    throw new ArtifactsError(code, `Target ${link.where}: ${error.message}`, { hint: 'What was copied is kept: run the same command again.', cause: error });
  }
}

interface Patience {
  readonly isLost: (error: unknown) => boolean;
  readonly ctx: Context;
}

async function retried<T>({ where, delay }: Link, { isLost, ctx }: Patience, work: () => Promise<T>): Promise<T> {
  for (let tries = 1; ; tries += 1) {
    try {
      return await work();
    } catch (error) {
      ctx.signal.throwIfAborted();
      if (tries >= TRIES || !isLost(error)) throw error;
      ctx.report({ type: 'warning', message: `${where}: ${error instanceof Error ? error.message : String(error)}; trying again` });
      await sleep(delay, undefined, { signal: ctx.signal });
    }
  }
}
