/** `file:` URLs, answered as a server of that folder would: a mounted medium, or what was carried here by hand. */
import { constants } from 'node:fs';
import { open, type FileHandle } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import type { Dispatcher } from 'undici';

export interface FileReader {
  /** Everything, also that the file is not there, is told to the handler. */
  get(url: URL, handler: Dispatcher.DispatchHandler): void;
  /** Cuts what is under way and what waits. */
  close(): void;
}

/** `parallel`: files that are open at a time; others wait their turn. */
export function openFileReader(parallel: number): FileReader {
  const waiting: { readonly url: URL; readonly handler: Dispatcher.DispatchHandler }[] = [];
  const running = new Set<Control>();
  const next = (): void => {
    const request = running.size < parallel ? waiting.shift() : undefined;
    if (request === undefined) return;
    const control = new Control();
    running.add(control);
    void answer(request.url, request.handler, control).finally(() => {
      running.delete(control);
      next();
    });
  };
  return {
    get: (url, handler) => {
      waiting.push({ url, handler });
      next();
    },
    close: () => {
      for (const control of running) control.abort(closed());
      for (const { handler } of waiting.splice(0)) handler.onResponseError?.(new Control(), closed());
    },
  };
}

function closed(): Error {
  return Object.assign(new Error('the reader is closed'), { code: 'UND_ERR_DESTROYED' });
}

class Control implements Dispatcher.DispatchController {
  readonly paused = false;
  reason: Error | null = null;

  get aborted(): boolean {
    return this.reason !== null;
  }

  abort(reason: Error): void {
    this.reason ??= reason;
  }

  /** Who reads here writes at once, and never lets us wait. */
  pause(): void {}
  resume(): void {}

  throwIfAborted(): void {
    if (this.reason !== null) throw this.reason;
  }
}

const BLOCK = 256 * 1024;

/** What a handler throws ends its request, as with the network. */
async function answer(url: URL, handler: Dispatcher.DispatchHandler, control: Control): Promise<void> {
  let file: FileHandle | undefined;
  try {
    handler.onRequestStart?.(control, undefined);
    control.throwIfAborted();
    const found = await find(url);
    if (typeof found === 'number') {
      handler.onResponseStart?.(control, found, {});
    } else {
      file = found.file;
      handler.onResponseStart?.(control, 200, { 'content-length': String(found.size) });
      await send(file, handler, control);
    }
    control.throwIfAborted();
    handler.onResponseEnd?.(control, {});
  } catch (error) {
    handler.onResponseError?.(control, error as Error);
  } finally {
    await file?.close();
  }
}

const STATUSES: Readonly<Record<string, number>> = { ENOENT: 404, ENOTDIR: 404, ELOOP: 404, EACCES: 403 };

/** The open file, or the status that a server would tell instead. */
async function find(url: URL): Promise<{ readonly file: FileHandle; readonly size: number } | number> {
  try {
    // A pipe by that name must not hold us up.
    const file = await open(fileURLToPath(url), constants.O_RDONLY | constants.O_NONBLOCK);
    const stat = await file.stat();
    if (stat.isFile()) return { file, size: stat.size };
    await file.close();
    return 404;
  } catch (error) {
    const status = STATUSES[(error as NodeJS.ErrnoException).code ?? ''];
    if (status === undefined) throw error;
    return status;
  }
}

async function send(file: FileHandle, handler: Dispatcher.DispatchHandler, control: Control): Promise<void> {
  for (;;) {
    const { bytesRead, buffer } = await file.read(Buffer.allocUnsafe(BLOCK), 0, BLOCK, null);
    control.throwIfAborted();
    if (bytesRead === 0) return;
    handler.onResponseData?.(control, buffer.subarray(0, bytesRead));
  }
}
