import { once } from 'node:events';
import { closeSync, createReadStream, openSync, rmSync, statSync } from 'node:fs';
import { createServer, type ServerResponse } from 'node:http';
import { basename, dirname } from 'node:path';
import { pipeline } from 'node:stream/promises';

/** What a request is answered with. */
export type SocketAnswer =
  | { readonly status: 200; readonly type: string; readonly bytes: Buffer | string }
  | { readonly status: 200; readonly type: string; readonly file: string }
  | { readonly status: number; readonly text: string };

/**
 * Answers GET on a UNIX socket until it is disposed: for processes that are cut off from every network. `answer` is given
 * the path as sent, still encoded and without a query; what it throws is a 500 without a reason.
 */
export async function serveSocket(socket: string, answer: (path: string) => Promise<SocketAnswer>): Promise<AsyncDisposable> {
  rmSync(socket, { force: true });
  const server = createServer((request, response) => {
    const path = (request.url ?? '/').replace(/[?#].*$/s, '');
    const answering = request.method === 'GET' || request.method === 'HEAD' ? answer(path) : Promise.resolve({ status: 405, text: 'GET only' });
    // Whoever asks may go away at any time; that is no failure of ours.
    void answering.then((found) => send(found, response)).catch(() => fail(response));
  });
  server.on('clientError', (_error, connection) => connection.destroy());
  // The path of a socket may have 107 bytes (unix(7)); this one is short wherever the folder lies. It is used again at the
  // end, when the server removes it.
  const folder = openSync(dirname(socket), 'r');
  server.listen(`/proc/self/fd/${folder}/${basename(socket)}`);
  await once(server, 'listening');
  return {
    [Symbol.asyncDispose]: async () => {
      server.close();
      server.closeAllConnections();
      await once(server, 'close');
      closeSync(folder);
    },
  };
}

async function send(answer: SocketAnswer, response: ServerResponse): Promise<void> {
  if ('text' in answer) {
    response.writeHead(answer.status, { 'content-type': 'text/plain; charset=utf-8' }).end(`${answer.text}\n`);
  } else if ('bytes' in answer) {
    response.writeHead(answer.status, { 'content-type': answer.type, 'content-length': Buffer.byteLength(answer.bytes) }).end(answer.bytes);
  } else {
    response.writeHead(answer.status, { 'content-type': answer.type, 'content-length': statSync(answer.file).size });
    await pipeline(createReadStream(answer.file), response);
  }
}

function fail(response: ServerResponse): void {
  if (!response.headersSent) response.writeHead(500, { 'content-type': 'text/plain' }).end('failed\n');
  else response.destroy();
}
