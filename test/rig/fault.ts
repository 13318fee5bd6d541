import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { gzipSync } from 'node:zlib';
import { answerFile, wantedRange, type ServedFile } from './static.ts';

/** The ways in which an upstream can be broken or hostile. */
export type Fault =
  /** An answer of that status, with headers such as `retry-after` and a body. */
  | { readonly kind: 'status'; readonly status: number; readonly headers?: Headers; readonly body?: string }
  /** The right headers, then the connection is cut after `after` bytes of the body. */
  | { readonly kind: 'truncate'; readonly after: number }
  /** The same without Content-Length: chunked, and cut in the middle. */
  | { readonly kind: 'truncate-chunked'; readonly after: number }
  /** A complete answer whose Content-Length is only `length`: a proxy that stored half of it. */
  | { readonly kind: 'short'; readonly length: number }
  /** The right length, with the byte at `at` (default the last) changed. */
  | { readonly kind: 'corrupt'; readonly at?: number }
  /** Other bytes altogether. */
  | { readonly kind: 'replace'; readonly bytes: Uint8Array }
  /** The right bytes and then garbage, in a consistent longer answer. */
  | { readonly kind: 'extra'; readonly bytes: number }
  /** The right bytes without Content-Length (chunked). */
  | { readonly kind: 'no-length' }
  /** A body without end. */
  | { readonly kind: 'endless' }
  /** `bytes` bytes every `every` milliseconds. */
  | { readonly kind: 'drip'; readonly bytes: number; readonly every: number }
  /** No answer at all. */
  | { readonly kind: 'hang' }
  /** Headers and `after` bytes, then silence. */
  | { readonly kind: 'stall'; readonly after: number }
  /** The connection is closed before any answer. */
  | { readonly kind: 'close' }
  | { readonly kind: 'redirect'; readonly to: string; readonly status?: number }
  /** 200 with everything, whatever range was asked for. */
  | { readonly kind: 'ignore-range' }
  /** 206 that begins somewhere else than asked. */
  | { readonly kind: 'wrong-range' }
  /** 304 although nothing was known. */
  | { readonly kind: 'not-modified' }
  /** The bytes gzipped once more, with Content-Encoding. */
  | { readonly kind: 'content-encoding' }
  /** These bytes on the socket instead of HTTP, then the end. */
  | { readonly kind: 'raw'; readonly bytes: string | Uint8Array };

type Headers = Readonly<Record<string, string>>;

interface Scene {
  readonly file: ServedFile | undefined;
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly sleep: (milliseconds: number) => Promise<unknown>;
}

/** Answers in the way the fault says. A fault about the body of a file that does not exist is a plain 404. */
export async function misbehave(fault: Fault, scene: Scene): Promise<void> {
  const { response } = scene;
  switch (fault.kind) {
    case 'status':
      response.writeHead(fault.status, fault.headers).end(fault.body);
      return;
    case 'redirect':
      response.writeHead(fault.status ?? 302, { location: fault.to }).end();
      return;
    case 'not-modified':
      response.writeHead(304).end();
      return;
    case 'hang':
      return;
    case 'close':
      socketOf(response).destroy();
      return;
    case 'raw':
      socketOf(response).end(fault.bytes);
      return;
    default:
      if (scene.file) await misbehaveWithBody(fault, scene, scene.file);
      else answerFile(undefined, scene.request, response);
  }
}

type BodyFault = Exclude<Fault, { kind: 'status' | 'redirect' | 'not-modified' | 'hang' | 'close' | 'raw' }>;

async function misbehaveWithBody(fault: BodyFault, scene: Scene, file: ServedFile): Promise<void> {
  const { response } = scene;
  const { bytes } = file;
  switch (fault.kind) {
    case 'truncate':
    case 'truncate-chunked':
      cutAfter(fault, scene, file);
      return;
    case 'stall':
      response.writeHead(200, { ...validators(file), 'content-length': bytes.length });
      response.write(bytes.subarray(0, fault.after));
      return;
    case 'short':
      whole(response, file, bytes.subarray(0, fault.length));
      return;
    case 'corrupt':
      whole(response, file, withChangedByte(bytes, fault.at ?? bytes.length - 1));
      return;
    case 'replace':
      whole(response, file, fault.bytes);
      return;
    case 'extra':
      whole(response, file, Buffer.concat([bytes, Buffer.alloc(fault.bytes, 'x')]));
      return;
    case 'ignore-range':
      whole(response, file, bytes);
      return;
    case 'no-length':
      response.writeHead(200, validators(file)).write(bytes.subarray(0, 1));
      response.end(bytes.subarray(1));
      return;
    case 'content-encoding':
      response.writeHead(200, { ...validators(file), 'content-encoding': 'gzip' }).end(gzipSync(bytes));
      return;
    case 'wrong-range':
      wrongRange(scene, file);
      return;
    case 'endless':
    case 'drip':
      await slowOrEndless(fault, scene, bytes);
  }
}

function validators(file: ServedFile): Headers {
  return { etag: file.etag, 'last-modified': file.lastModified };
}

function whole(response: ServerResponse, file: ServedFile, body: Uint8Array): void {
  response.writeHead(200, { ...validators(file), 'content-length': body.length }).end(body);
}

function withChangedByte(bytes: Uint8Array, at: number): Uint8Array {
  const changed = Buffer.from(bytes);
  changed[at] = (changed[at] ?? 0) ^ 0xff;
  return changed;
}

/** Cuts relative to the range asked for, so that a client that resumes gets on by `after` bytes each time. */
function cutAfter(fault: { readonly kind: string; readonly after: number }, scene: Scene, file: ServedFile): void {
  const { request, response } = scene;
  const start = wantedRange(file, request)?.start ?? 0;
  const part = file.bytes.subarray(start);
  const length = fault.kind === 'truncate' ? { 'content-length': part.length } : {};
  const range = start > 0 ? { 'content-range': `bytes ${start}-${file.bytes.length - 1}/${file.bytes.length}` } : {};
  response.writeHead(start > 0 ? 206 : 200, { ...validators(file), ...length, ...range });
  response.flushHeaders();
  response.write(part.subarray(0, fault.after), () => socketOf(response).destroySoon());
}

function wrongRange({ request, response }: Scene, file: ServedFile): void {
  const { length } = file.bytes;
  const start = (wantedRange(file, request)?.start ?? 0) + 1;
  const part = file.bytes.subarray(start);
  const headers = { ...validators(file), 'content-length': part.length, 'content-range': `bytes ${start}-${length - 1}/${length}` };
  response.writeHead(206, headers).end(part);
}

async function slowOrEndless(fault: BodyFault & { kind: 'endless' | 'drip' }, scene: Scene, bytes: Uint8Array): Promise<void> {
  const { response, sleep } = scene;
  const open = (): boolean => !response.destroyed && !response.writableEnded;
  if (fault.kind === 'drip') response.writeHead(200, { 'content-length': bytes.length });
  for (let at = 0; open() && (fault.kind === 'endless' || at < bytes.length); ) {
    const piece = fault.kind === 'drip' ? bytes.subarray(at, at + fault.bytes) : Buffer.alloc(65_536, 'e');
    if (!response.write(piece)) await Promise.race([drained(response), sleep(1000)]);
    await sleep(fault.kind === 'drip' ? fault.every : 0);
    at += piece.length;
  }
  if (open()) response.end();
}

function drained(response: ServerResponse): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      response.off('drain', done).off('close', done);
      resolve();
    };
    response.on('drain', done).on('close', done);
  });
}

function socketOf(response: ServerResponse): Socket {
  if (!response.socket) throw new Error('the connection is gone');
  return response.socket;
}
