import { once } from 'node:events';
import { createServer, type IncomingHttpHeaders, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { misbehave, type Fault } from './fault.ts';
import { answerFile, fileSource, type Files, type FileSource } from './static.ts';

export type { Fault } from './fault.ts';

/** A request as the server saw it. */
export interface LoggedRequest {
  readonly method: string;
  /** As sent, still percent-encoded. */
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  /** Status of the answer; 0 when there was none. */
  status: number;
}

export interface RigServer extends AsyncDisposable {
  /** `http://127.0.0.1:<port>`, no slash at the end. */
  readonly url: string;
  readonly port: number;
  /** All requests, in order; set its length to 0 to forget them. */
  readonly requests: LoggedRequest[];
  /** Decoded paths of the requests so far. */
  paths(): readonly string[];
  /**
   * From now on requests whose decoded path matches misbehave: a text matches as a suffix, a pattern as it says. The
   * fault set first and not used up wins. `times` limits how often it strikes; default for ever.
   */
  fault(path: string | RegExp, fault: Fault, times?: number): void;
  /** Forgets all faults. */
  heal(): void;
  /** Cuts all connections there are; new ones are served. */
  cut(): void;
  /** Stops listening and cuts all connections: what a server that went down looks like. */
  close(): Promise<void>;
}

interface ArmedFault {
  readonly matches: (path: string) => boolean;
  readonly fault: Fault;
  left: number;
}

/**
 * Serves files on a free port of 127.0.0.1: a map of path to bytes (read at each request, so it may change), or a
 * folder. Knows HEAD, ETag, Last-Modified, 304, Range and If-Range.
 */
export async function serve(files: Files): Promise<RigServer> {
  const source = fileSource(files);
  const requests: LoggedRequest[] = [];
  let faults: ArmedFault[] = [];
  const server = createServer({ keepAliveTimeout: 5000 }, (request, response) => {
    void respond({ source, requests, faults, request, response });
  });
  server.on('clientError', (_error, socket) => socket.destroy());
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const close = async (): Promise<void> => {
    if (!server.listening) return;
    server.close();
    server.closeAllConnections();
    await once(server, 'close');
  };
  return {
    url: `http://127.0.0.1:${port}`,
    port,
    requests,
    paths: () => requests.map((request) => decodePath(request.path)),
    fault: (path, fault, times = Infinity) => void faults.push({ matches: matcher(path), fault, left: times }),
    heal: () => {
      faults = [];
    },
    cut: () => server.closeAllConnections(),
    close,
    [Symbol.asyncDispose]: close,
  };
}

interface Exchange {
  readonly source: FileSource;
  readonly requests: LoggedRequest[];
  readonly faults: readonly ArmedFault[];
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
}

async function respond({ source, requests, faults, request, response }: Exchange): Promise<void> {
  const { method = 'GET', url = '/', headers } = request;
  const entry: LoggedRequest = { method, path: url, headers, status: 0 };
  requests.push(entry);
  const path = decodePath(url);
  const armed = faults.find((candidate) => candidate.left > 0 && candidate.matches(path));
  if (armed) armed.left -= 1;
  const file = source(path);
  if (armed) await misbehave(armed.fault, { file, request, response, sleep });
  else answerFile(file, request, response);
  if (response.headersSent) entry.status = response.statusCode;
}

function decodePath(url: string): string {
  // An absolute form is what a client sends to a proxy.
  const path = url.replace(/^https?:\/\/[^/]*/, '').replace(/\?.*$/s, '');
  try {
    return decodeURIComponent(path.replace(/^\//, ''));
  } catch {
    return path;
  }
}

function matcher(path: string | RegExp): (path: string) => boolean {
  return typeof path === 'string' ? (candidate) => candidate.endsWith(path) : (candidate) => path.test(candidate);
}
