/**
 * The pool: files addressed by their SHA-256. A file enters through an `Incoming`, where it is written under its digest,
 * checked, flushed in bulk and renamed; it never changes afterwards (mode 0444). The pool knows nothing of packages.
 */
import type { Sha256 } from '../core/digest.ts';

export interface PoolEntry {
  readonly sha256: Sha256;
  readonly size: number;
  /** When it entered, milliseconds since the epoch. */
  readonly since: number;
}

/** A file beside the pool, complete and checked. */
export interface ReceivedFile {
  readonly path: string;
  readonly sha256: Sha256;
}

export interface Pool {
  /** Where it looks for files, beginning with the folder that it writes to: `openPool` opens the same pool in another thread. */
  readonly folders: readonly string[];
  has(sha256: Sha256): boolean;
  /** Where the bytes lie; they may be read and linked, never written. */
  path(sha256: Sha256): string;
  /** Gives the file a further name outside the pool. False when the name exists already. */
  link(sha256: Sha256, to: string): boolean;
  /** A place to receive files. `owner` keeps those of an interrupted run findable for its successor. */
  receive(owner: string): Incoming;
  /** Moves files that were received here into the pool, all at once; when it returns they would survive a power cut. */
  enter(files: readonly ReceivedFile[]): Promise<void>;
  /** Begins to flush what was written, so that less is left to wait for when it enters. */
  flushAhead(): void;
  /** Every file, in no particular order. */
  list(): Iterable<PoolEntry>;
  remove(sha256: Sha256): void;
  /** Removes what was received and not touched since then, milliseconds since the epoch: nobody will come for it. */
  removeAbandoned(before: number): void;
}

/** Files on their way into the pool. What is left of an interrupted run is found again under the same owner. */
export interface Incoming {
  /** The file to write a part of the content to: new, or the rest of an interrupted run. */
  partial(sha256: Sha256): string;
  /** Whether nothing of it was there when this was opened. */
  isNew(sha256: Sha256): boolean;
  /** A new file for bytes whose digest is not known yet; renamed to the partial of its digest it can be completed. */
  unnamed(): string;
  /** The partial is complete and checked: it enters the pool with the next bulk. Its size is looked up when not given. */
  complete(sha256: Sha256, size?: number): Promise<void>;
  /** Moves all completed files into the pool, and returns when they would survive a power cut. */
  settle(): Promise<void>;
  /** Removes what is left of interrupted transfers; call it when the run succeeded. */
  clear(): void;
}
