/**
 * Threads of this program: each loads it anew (bin/thread.js) and runs one of the functions that cli/main.ts exports for
 * threads. For work that keeps a processor busy for a second or more: starting one costs a tenth of that.
 */
import { Worker, type MessagePort, type TransferListItem } from 'node:worker_threads';
import { ArtifactsError, isArtifactsError, type ErrorCode } from '../core/errors.ts';

export interface Thread {
  /** Resolves when its work is done; rejects with what it threw. */
  readonly ended: Promise<void>;
  /** Ends it now, if it has not ended. */
  stop(): Promise<void>;
}

/** How a thread tells what it has. */
export interface ThreadPort<Message> {
  send(message: Message, transfer: readonly TransferListItem[]): void;
}

/** What bin/thread.js is started with. */
export interface ThreadTask {
  readonly work: string;
  readonly data: unknown;
}

type Sent<Message> = { readonly message: Message } | { readonly failure: { readonly code: ErrorCode | undefined; readonly text: string; readonly hint: string | undefined } } | { readonly done: true };

/** As deep below the project in the bundle as in what was compiled. */
const FILE = new URL('../../../bin/thread.js', import.meta.url);

/** Starts one; `onMessage` gets what it sends, all of it before `ended` resolves. */
export function startThread<Message>(work: string, data: unknown, onMessage: (message: Message) => void): Thread {
  const worker = new Worker(FILE, { workerData: { work, data } satisfies ThreadTask });
  const ended = new Promise<void>((resolve, reject) => {
    worker.on('message', (sent: Sent<Message>) => {
      if ('done' in sent) resolve();
      else if ('failure' in sent) reject(failureFrom(sent.failure));
      else onMessage(sent.message);
    });
    worker.on('error', reject);
    worker.on('exit', () => reject(new Error(`The thread for ${work} ended early`)));
  });
  ended.catch(() => {}); // whoever waits for it is told; nobody may
  return { ended, stop: async () => void (await worker.terminate()) };
}

/** What bin/thread.js runs: the work, and the end of it. */
export async function runThread<Message>(port: MessagePort, work: (port: ThreadPort<Message>) => Promise<void>): Promise<void> {
  const send = (sent: Sent<Message>, transfer: readonly TransferListItem[] = []): void => port.postMessage(sent, transfer);
  try {
    await work({ send: (message, transfer) => send({ message }, transfer) });
    send({ done: true });
  } catch (error) {
    const text = isArtifactsError(error) ? error.message : error instanceof Error ? (error.stack ?? error.message) : String(error);
    send({ failure: { code: isArtifactsError(error) ? error.code : undefined, text, hint: isArtifactsError(error) ? error.hint : undefined } });
  }
}

function failureFrom({ code, text, hint }: { readonly code: ErrorCode | undefined; readonly text: string; readonly hint: string | undefined }): Error {
  return code === undefined ? new Error(text) : new ArtifactsError(code, text, hint === undefined ? {} : { hint });
}
