import { createHash } from 'node:crypto';
import { readFileSync, statSync } from 'node:fs';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { join } from 'node:path';

/** What is served: bytes by path, or a folder. */
export type Files = ReadonlyMap<string, Uint8Array> | string;
export type FileSource = (path: string) => ServedFile | undefined;

export interface ServedFile {
  readonly bytes: Uint8Array;
  readonly etag: string;
  readonly lastModified: string;
}

interface Validators {
  readonly etag: string;
  readonly lastModified: string;
}

const validators = new WeakMap<Uint8Array, Validators>();
let generation = 0;

export function fileSource(files: Files): FileSource {
  return typeof files === 'string' ? (path) => fromFolder(files, path) : (path) => fromMap(files, path);
}

/** The answer of a well-behaved server. */
export function answerFile(file: ServedFile | undefined, request: IncomingMessage, response: ServerResponse): void {
  if (!file) {
    response.writeHead(404, { 'content-type': 'text/plain' }).end('not found\n');
    return;
  }
  const known = { etag: file.etag, 'last-modified': file.lastModified, 'accept-ranges': 'bytes' };
  if (unchanged(file, request)) {
    response.writeHead(304, known).end();
    return;
  }
  const { length } = file.bytes;
  const range = wantedRange(file, request);
  if (range && range.start >= length) {
    response.writeHead(416, { 'content-range': `bytes */${length}` }).end();
    return;
  }
  const part = range ? file.bytes.subarray(range.start, range.end + 1) : file.bytes;
  const contentRange = range ? { 'content-range': `bytes ${range.start}-${range.end}/${length}` } : {};
  // Only readers of pages look at the type of what they get: pip takes nothing else for a page.
  const type = /(?:\/|\.html)$/.test(request.url ?? '') ? { 'content-type': 'text/html' } : {};
  response.writeHead(range ? 206 : 200, { ...known, ...type, ...contentRange, 'content-length': part.length });
  response.end(request.method === 'HEAD' ? undefined : part);
}

/** The range asked for, if it holds for the file as it is now (RFC 9110, 14.2 and 13.1.5). Only `bytes=a-` and `bytes=a-b`. */
export function wantedRange(file: ServedFile, request: IncomingMessage): { start: number; end: number } | undefined {
  const match = /^bytes=(\d+)-(\d*)$/.exec(request.headers.range ?? '');
  if (!match) return undefined;
  const condition = request.headers['if-range'];
  if (condition !== undefined && condition !== file.etag && condition !== file.lastModified) return undefined;
  const last = file.bytes.length - 1;
  return { start: Number(match[1]), end: match[2] ? Math.min(Number(match[2]), last) : last };
}

function unchanged(file: ServedFile, request: IncomingMessage): boolean {
  const known = request.headers['if-none-match'];
  if (known !== undefined) return known === file.etag;
  return request.headers['if-modified-since'] === file.lastModified;
}

function fromMap(files: ReadonlyMap<string, Uint8Array>, path: string): ServedFile | undefined {
  const bytes = files.get(path);
  return bytes && { bytes, ...validatorsOf(bytes) };
}

/** Bytes put in place of others are newer by at least a second, however fast the test is: apt knows only the time. */
function validatorsOf(bytes: Uint8Array): Validators {
  const known = validators.get(bytes);
  if (known) return known;
  generation += 1;
  const made = {
    etag: `"${createHash('sha256').update(bytes).digest('hex').slice(0, 16)}"`,
    lastModified: new Date(Date.UTC(2025, 0, 1) + generation * 1000).toUTCString(),
  };
  validators.set(bytes, made);
  return made;
}

function fromFolder(folder: string, path: string): ServedFile | undefined {
  if (path.split('/').includes('..')) return undefined;
  try {
    const file = join(folder, path.endsWith('/') ? `${path}index.html` : path);
    const { mtime, mtimeMs, size } = statSync(file);
    return { bytes: readFileSync(file), etag: `"${Math.trunc(mtimeMs).toString(16)}-${size}"`, lastModified: mtime.toUTCString() };
  } catch {
    return undefined;
  }
}
