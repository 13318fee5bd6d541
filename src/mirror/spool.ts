/** Texts of records on their way into the catalog: on disk, so that memory does not grow with the upstream. */
import { closeSync, mkdirSync, openSync, readSync, rmSync } from 'node:fs';
import { dirname } from 'node:path';
import type { Sha256 } from '../core/digest.ts';
import { recordDigest, type FileRef, type PackageRecord, type RecordDigest } from '../core/package.ts';
import type { FileChecks, UpstreamPackage } from '../formats/format.ts';
import { writeAll } from '../util/durable.ts';

/** A package an upstream offers. Its text is read from the spool whenever it is asked for. */
export interface Candidate extends PackageRecord {
  readonly digest: RecordDigest;
  /** Bytes of its text. */
  readonly size: number;
  readonly locations: readonly string[];
  /** See UpstreamPackage. */
  readonly base: string | undefined;
  readonly checks: FileChecks | undefined;
  readonly bound: boolean;
  /** The index that offers it, for messages. */
  readonly origin: string;
  /** Its number, once it is known to have one in the catalog. */
  id: number | undefined;
}

export interface Spool {
  add(offered: UpstreamPackage, origin: string): Candidate;
  /** Removes the file; candidates lose their texts. */
  close(): void;
}

const BUFFER_BYTES = 1024 * 1024;

/** Opens a new spool at the path, replacing what an interrupted run left there. */
export function openSpool(path: string): Spool {
  mkdirSync(dirname(path), { recursive: true });
  const file = openSync(path, 'w+', 0o600);
  let pending: Buffer[] = [];
  let pendingBytes = 0;
  let length = 0;
  const flush = (): void => {
    if (pendingBytes > 0) writeAll(file, Buffer.concat(pending));
    pending = [];
    pendingBytes = 0;
  };
  const read = (start: number, size: number): Buffer => {
    flush();
    const bytes = Buffer.allocUnsafe(size);
    for (let done = 0; done < size; ) {
      const count = readSync(file, bytes, done, size - done, start + done);
      if (count === 0) throw new Error('The spool of a mirror update is shorter than it should be');
      done += count;
    }
    return bytes;
  };
  return {
    add: ({ record, locations, base, checks, bound = false }, origin) => {
      const start = length;
      const size = record.text.length;
      pending.push(record.text);
      pendingBytes += size;
      length += size;
      if (pendingBytes >= BUFFER_BYTES) flush();
      return new SpooledPackage(record, { locations: locations.map(copied), base: base === undefined ? undefined : interned(base), checks, bound, origin, size, start, read });
    },
    close: () => {
      closeSync(file);
      rmSync(path, { force: true });
    },
  };
}

interface SpooledPlace {
  readonly locations: readonly string[];
  readonly base: string | undefined;
  readonly checks: FileChecks | undefined;
  readonly bound: boolean;
  readonly origin: string;
  readonly size: number;
  readonly start: number;
  readonly read: (start: number, size: number) => Buffer;
}

/** There are tens of thousands of these at a time: no closures, and no strings that hold on to more than they say. */
class SpooledPackage implements Candidate {
  readonly format: string;
  readonly partition: string;
  readonly name: string;
  readonly version: string;
  readonly architecture: string;
  readonly files: readonly FileRef[];
  readonly digest: RecordDigest;
  readonly size: number;
  readonly locations: readonly string[];
  readonly base: string | undefined;
  readonly checks: FileChecks | undefined;
  readonly bound: boolean;
  readonly origin: string;
  id: number | undefined = undefined;
  readonly #start: number;
  readonly #read: (start: number, size: number) => Buffer;

  constructor(record: PackageRecord, { locations, base, checks, bound, origin, size, start, read }: SpooledPlace) {
    this.format = record.format;
    this.partition = interned(record.partition);
    this.name = copied(record.name);
    this.version = copied(record.version);
    this.architecture = interned(record.architecture);
    this.files = record.files.map((file) => ({ name: copied(file.name), size: file.size, sha256: copied(file.sha256) as Sha256 }));
    this.digest = recordDigest(record);
    this.size = size;
    this.locations = locations;
    this.base = base;
    this.checks = checks;
    this.bound = bound;
    this.origin = origin;
    this.#start = start;
    this.#read = read;
  }

  get text(): Buffer {
    return this.#read(this.#start, this.size);
  }
}

/** What was cut out of a text keeps all of that text in memory (V8's sliced strings); this does not. */
function copied(text: string): string {
  return Buffer.from(text).toString();
}

const known = new Map<string, string>();

/** One string for all that are equal, for the few values that thousands share. */
function interned(text: string): string {
  const found = known.get(text);
  if (found !== undefined) return found;
  const own = copied(text);
  known.set(own, own);
  return own;
}
