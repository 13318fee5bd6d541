import { createHash, hash, type Hash } from 'node:crypto';
import { closeSync, openSync, readSync, rmSync, writeSync } from 'node:fs';
import { ArtifactsError, fromSystemError } from '../core/errors.ts';
import type { OtherDigest, Sha256 } from '../core/digest.ts';
import type { Head, Sink } from './exchange.ts';
import { Refused, type Failure } from './failure.ts';

export interface Expectation {
  /** Bytes; what comes must have exactly that many. */
  readonly size?: number;
  /** 64 lower-case hex digits. */
  readonly sha256?: string;
  /** Looked at instead of `sha256`. */
  readonly other?: OtherDigest;
  /** Bytes after which reading stops when no size is known. */
  readonly limit?: number;
}

const BLOCK = 1 << 20;

/**
 * A file that a body is written to and hashed on the way, over as many requests as it takes. Writes are synchronous, on
 * arrival: measured, that is twice as fast as streams for small files. The file is open only while data may come.
 */
export class FileSink implements Sink {
  readonly #file: string;
  readonly #expected: Expectation;
  readonly #onBytes: ((count: number) => void) | undefined;
  #descriptor: number | undefined;
  #hash: Hash | undefined;
  /** Of a body that came in one piece, as most small ones do: making an object for each costs more than hashing it. */
  #digest: Sha256 | undefined;
  #other: Hash | undefined;
  #size = 0;
  /** True when the bytes come from more than one answer, which need not belong together. */
  #joined = false;
  #etag: string | undefined;
  #received = 0;
  /** Whether the end of the answer was marked as such, so that a short one is no cut one. */
  #delimited = false;

  constructor(file: string, expected: Expectation, onBytes?: (count: number) => void) {
    this.#file = file;
    this.#expected = expected;
    this.#onBytes = onBytes;
    this.#other = otherHash(expected);
  }

  /** Bytes of the file so far. */
  get size(): number {
    return this.#size;
  }

  /** Bytes that came over the network, over all requests. */
  get received(): number {
    return this.#received;
  }

  /** Takes over what an earlier run left in the file; useful only when a digest will tell whether it belongs here. */
  adopt(): void {
    if (!this.#isProvable()) return;
    this.#size = guarded(this.#file, 'reading', () => hashFile(this.#file, [this.#hasher(), this.#other]));
    this.#joined = true;
    if (this.#size > (this.#expected.size ?? Infinity)) this.restart();
  }

  /** True when nothing is left to fetch, only to judge. */
  isFull(): boolean {
    return this.#size > 0 && this.#size === this.#expected.size;
  }

  /** Request headers for what is missing (RFC 9110, 14.2 and 13.1.5). */
  rangeHeaders(): Readonly<Record<string, string>> {
    if (this.#size === 0) return {};
    const range = { range: `bytes=${this.#size}-` };
    return this.#etag === undefined ? range : { ...range, 'if-range': this.#etag };
  }

  begin(head: Head): void {
    if (head.status === 206) this.#checkRange(head);
    else if (this.#size > 0) this.restart();
    this.#checkLength(head);
    const { etag, 'transfer-encoding': encoding } = head.headers;
    this.#delimited = encoding === 'chunked';
    this.#etag = typeof etag === 'string' && etag.startsWith('"') ? etag : undefined;
    const flags = this.#size === 0 ? 'w' : 'a';
    this.#descriptor = guarded(this.#file, 'writing', () => openSync(this.#file, flags, 0o644));
  }

  data(chunk: Buffer): void {
    const { size, limit = Infinity } = this.#expected;
    const total = this.#size + chunk.length;
    if (size !== undefined && total > size) throw mismatch('E_SIZE', `more than the listed ${size} bytes`);
    if (size === undefined && total > limit) throw mismatch('E_TOO_LARGE', `more than the limit of ${limit} bytes`);
    this.#write(chunk);
    if (this.#size === 0 && total === size) this.#digest = hash('sha256', chunk) as Sha256;
    else this.#hasher().update(chunk);
    this.#other?.update(chunk);
    this.#size = total;
    this.#received += chunk.length;
    this.#onBytes?.(chunk.length);
  }

  /** The digest of the file, or what is wrong with it. To be asked once when an answer has ended. */
  verdict(): Failure | Sha256 {
    const { size, sha256, other } = this.#expected;
    if (size !== undefined && this.#size < size) {
      if (this.#delimited) return mismatch('E_SIZE', `has ${this.#size} bytes, listed are ${size}`).failure;
      return { code: 'E_FETCH', reason: `cut after ${this.#size} of ${size} bytes`, remedy: 'retry' };
    }
    const digest = this.#digest ?? (this.#hasher().digest('hex') as Sha256);
    const found = other === undefined ? digest : this.#other?.digest('hex');
    const listed = other === undefined ? sha256 : other.hex;
    if (listed === undefined || found === listed) return digest;
    const reason = `${(other?.algorithm ?? 'sha256').toUpperCase()} is ${found}, listed is ${listed}`;
    return { code: 'E_HASH', reason, remedy: this.#joined ? 'restart' : 'next', spoiled: true };
  }

  /**
   * To be called between two requests. Bytes that nothing will prove to belong to the next answer are forgotten: without
   * a digest only a strong validator of the same server does.
   */
  prepareRetry(sameServer: boolean): void {
    if (!sameServer) this.#etag = undefined;
    if (!this.#isProvable() && this.#etag === undefined) this.restart();
  }

  /** Forgets all bytes; the next answer overwrites them. */
  restart(): void {
    this.#hash = undefined;
    this.#digest = undefined;
    this.#other = otherHash(this.#expected);
    this.#size = 0;
    this.#joined = false;
    this.#etag = undefined;
  }

  close(): void {
    if (this.#descriptor === undefined) return;
    closeSync(this.#descriptor);
    this.#descriptor = undefined;
  }

  remove(): void {
    rmSync(this.#file, { force: true });
  }

  /** Whether a digest will tell if the bytes are those that were asked for. */
  #isProvable(): boolean {
    return this.#expected.sha256 !== undefined || this.#expected.other !== undefined;
  }

  #hasher(): Hash {
    return (this.#hash ??= createHash('sha256'));
  }

  #write(chunk: Buffer): void {
    const descriptor = this.#descriptor ?? -1;
    guarded(this.#file, 'writing', () => {
      for (let at = 0; at < chunk.length; ) at += writeSync(descriptor, chunk, at, chunk.length - at);
    });
  }

  #checkRange(head: Head): void {
    const [, start, total] = /^bytes (\d+)-\d+\/(\d+|\*)$/.exec(String(head.headers['content-range'])) ?? [];
    if (Number(start) === this.#size && this.#size > 0) {
      if (total !== '*') this.#checkTotal(Number(total));
      this.#joined = true;
      return;
    }
    throw new Refused({ code: 'E_FETCH', reason: 'the answer is another part than asked for', remedy: 'restart' });
  }

  #checkLength(head: Head): void {
    const length = head.headers['content-length'];
    if (head.status === 200 && typeof length === 'string') this.#checkTotal(Number(length));
  }

  #checkTotal(total: number): void {
    const { size, limit = Infinity } = this.#expected;
    if (size !== undefined && total !== size) throw mismatch('E_SIZE', `has ${total} bytes, listed are ${size}`);
    if (size !== undefined || total <= limit) return;
    throw mismatch('E_TOO_LARGE', `${total} bytes are more than the limit of ${limit}`);
  }
}

function otherHash({ other }: Expectation): Hash | undefined {
  return other === undefined ? undefined : createHash(other.algorithm);
}

function hashFile(file: string, hashes: readonly (Hash | undefined)[]): number {
  const descriptor = openSync(file, 'r');
  try {
    const block = Buffer.allocUnsafe(BLOCK);
    for (let at = 0; ; ) {
      const count = readSync(descriptor, block, 0, BLOCK, at);
      if (count === 0) return at;
      for (const hash of hashes) hash?.update(block.subarray(0, count));
      at += count;
    }
  } finally {
    closeSync(descriptor);
  }
}

function mismatch(code: 'E_SIZE' | 'E_TOO_LARGE', reason: string): Refused {
  return new Refused({ code, reason, remedy: 'next', spoiled: true });
}

/** The disk's errors are not the upstream's: they end the download, and nothing is tried again. */
function guarded<T>(file: string, doing: string, act: () => T): T {
  try {
    return act();
  } catch (error) {
    const ours = fromSystemError(error, `${doing} ${file}`);
    if (ours !== error) throw ours;
    throw new ArtifactsError('E_IO', `${String(error)} while ${doing} ${file}`, { cause: error });
  }
}
