/**
 * The repositories an image is made of, for processes that have no network: apt in the sandbox asks a socket, and we ask the
 * repository, as apt itself would. Nothing else can be reached by it.
 */
import { mkdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Context } from '../../core/context.ts';
import { isArtifactsError } from '../../core/errors.ts';
import { serveSocket, type SocketAnswer } from '../../http/serve-socket.ts';
import type { AptFolder } from '../../sandbox/apt-folder.ts';
import type { AptSource } from '../../sandbox/root.ts';
import { runCommand } from '../../util/run-command.ts';
import { safeJoin } from '../../util/safe-path.ts';

/** apt's own downloader: proxies, TLS and retries are as for the packages the image was made of. */
const APT_HELPER = '/usr/lib/apt/apt-helper';

export interface SourceServing {
  readonly sources: readonly AptSource[];
  readonly apt: AptFolder;
  /** An empty folder for the socket and for what is fetched. */
  readonly folder: string;
}

export interface ServedSources extends AsyncDisposable {
  readonly socket: string;
}

/** Answers `/<position of the source>/<path>`, whose path is signed for by the repository's index or is refused by apt. */
export async function serveSources({ sources, apt, folder }: SourceServing, ctx: Context): Promise<ServedSources> {
  mkdirSync(folder);
  const socket = join(folder, 'socket');
  let fetched = 0;
  const fetch = async (address: string): Promise<SocketAnswer> => {
    fetched += 1;
    const file = join(folder, String(fetched));
    try {
      await runCommand(APT_HELPER, ['download-file', address, file], { environment: apt.environment, signal: ctx.signal });
      return { status: 200, type: ANY, file };
    } catch (error) {
      if (!isArtifactsError(error)) throw error;
      return { status: /\b404\b/.test(error.message) ? 404 : 502, text: 'not to be had' };
    }
  };
  const server = await serveSocket(socket, async (path) => {
    const [, position = '', rest = ''] = /^\/(\d{1,3})\/([\w.~+%:@=,/-]+)$/.exec(path) ?? [];
    const source = position === '' ? undefined : sources[Number(position)];
    if (source === undefined) return { status: 404, text: 'no such source' };
    const file = safeJoin(source.uri.startsWith('file:') ? folderOf(source.uri) : '/', decodeURIComponent(rest));
    return source.uri.startsWith('file:') ? local(file) : fetch(`${source.uri.replace(/\/+$/, '')}/${rest}`);
  });
  return { socket, [Symbol.asyncDispose]: () => server[Symbol.asyncDispose]() };
}

const ANY = 'application/octet-stream';

/** A published tree consists of links; apt compares what it gets with the signed index. */
function local(file: string): SocketAnswer {
  return statSync(file, { throwIfNoEntry: false })?.isFile() === true ? { status: 200, type: ANY, file } : { status: 404, text: 'not there' };
}

/** `file:/path`, as apt writes it; the path is not encoded. */
function folderOf(uri: string): string {
  return uri.startsWith('file://') ? fileURLToPath(uri) : uri.slice('file:'.length);
}
