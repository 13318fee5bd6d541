/** Texts of records on their way into the catalog: on disk, so that memory does not grow with the upstream. */
import { closeSync, mkdirSync, openSync, readSync, rmSync } from 'node:fs';
import { dirname } from 'node:path';
import { recordDigest, type PackageRecord, type RecordDigest } from '../core/package.ts';
import type { UpstreamPackage } from '../formats/format.ts';
import { writeAll } from '../util/durable.ts';

/** A package an upstream offers. Its text is read from the spool whenever it is asked for. */
export interface Candidate extends PackageRecord {
  readonly digest: RecordDigest;
  /** Bytes of its text. */
  readonly size: number;
  readonly locations: readonly string[];
}

export interface Spool {
  add(offered: UpstreamPackage): Candidate;
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
    add: ({ record, locations }) => {
      const start = length;
      const size = record.text.length;
      pending.push(record.text);
      pendingBytes += size;
      length += size;
      if (pendingBytes >= BUFFER_BYTES) flush();
      return spooled(record, { locations, size, read: () => read(start, size) });
    },
    close: () => {
      closeSync(file);
      rmSync(path, { force: true });
    },
  };
}

function spooled(
  record: PackageRecord,
  { locations, size, read }: { locations: readonly string[]; size: number; read: () => Buffer },
): Candidate {
  const { format, partition, name, version, architecture, files } = record;
  return {
    format,
    partition,
    name,
    version,
    architecture,
    files,
    digest: recordDigest(record),
    size,
    locations,
    get text() {
      return read();
    },
  };
}
