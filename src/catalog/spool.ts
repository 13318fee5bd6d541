/** Texts of records on their way into the catalog: on disk, so that memory does not grow with their number. */
import { closeSync, mkdirSync, openSync, readSync, rmSync } from 'node:fs';
import { dirname } from 'node:path';
import type { Sha256 } from '../core/digest.ts';
import { recordDigest, type FileRef, type PackageRecord, type RecordDigest } from '../core/package.ts';
import { writeAll } from '../util/durable.ts';
import { ownText } from '../util/own-text.ts';

/** Bytes in the order they came. Nothing of it need outlive the run, so nothing is flushed. */
export interface Spool {
  append(bytes: Buffer): SpooledText;
  /** Removes the file; what was appended can no longer be read. */
  close(): void;
}

/** Where a text stands. */
export interface SpooledText {
  readonly start: number;
  readonly size: number;
  readonly read: (start: number, size: number) => Buffer;
}

const BUFFER_BYTES = 1024 * 1024;

/** Opens a new spool at the path, replacing what an interrupted run left there. The file is made when there is much to write. */
export function openSpool(path: string): Spool {
  let file: number | undefined;
  let pending: Buffer[] = [];
  let pendingBytes = 0;
  let length = 0;
  const flush = (): number => {
    if (file === undefined) {
      mkdirSync(dirname(path), { recursive: true });
      file = openSync(path, 'w+', 0o600);
    }
    if (pendingBytes > 0) writeAll(file, Buffer.concat(pending));
    pending = [];
    pendingBytes = 0;
    return file;
  };
  const read = (start: number, size: number): Buffer => {
    const from = flush();
    const bytes = Buffer.allocUnsafe(size);
    for (let done = 0; done < size; ) {
      const count = readSync(from, bytes, done, size - done, start + done);
      if (count === 0) throw new Error('A spool of texts is shorter than it should be');
      done += count;
    }
    return bytes;
  };
  return {
    append: (bytes) => {
      const start = length;
      pending.push(bytes);
      pendingBytes += bytes.length;
      length += bytes.length;
      if (pendingBytes >= BUFFER_BYTES) flush();
      return { start, size: bytes.length, read };
    },
    close: () => {
      if (file !== undefined) closeSync(file);
      file = undefined;
      pending = [];
      rmSync(path, { force: true });
    },
  };
}

/**
 * A record whose text is read from the spool whenever it is asked for. There are tens of thousands of these at a time: no
 * closures, and no strings that hold on to more than they say.
 */
export class SpooledRecord implements PackageRecord {
  readonly format: string;
  readonly partition: string;
  readonly name: string;
  readonly version: string;
  readonly architecture: string;
  readonly files: readonly FileRef[];
  readonly digest: RecordDigest;
  /** Bytes of its text. */
  readonly size: number;
  readonly #start: number;
  readonly #read: (start: number, size: number) => Buffer;

  constructor(record: PackageRecord, { start, size, read }: SpooledText, digest = recordDigest(record)) {
    this.format = record.format;
    this.partition = interned(record.partition);
    this.name = ownText(record.name);
    this.version = ownText(record.version);
    this.architecture = interned(record.architecture);
    this.files = record.files.map((file) => ({ name: ownText(file.name), size: file.size, sha256: ownText(file.sha256) as Sha256 }));
    this.digest = digest;
    this.size = size;
    this.#start = start;
    this.#read = read;
  }

  get text(): Buffer {
    return this.#read(this.#start, this.size);
  }
}

const known = new Map<string, string>();

/** One string for all that are equal, for the few values that thousands share. */
export function interned(text: string): string {
  const found = known.get(text);
  if (found !== undefined) return found;
  const own = ownText(text);
  known.set(own, own);
  return own;
}
