/** Packages as files (rpm's format_v4): lead, signature header aligned to 8 bytes, header, payload. */
import { createHash, type Hash } from 'node:crypto';
import type { PackageScan, PackedDescription } from '../format.ts';
import { headerLength, INTRO_BYTES, MAIN, readHeader, SIGNATURE, type Header } from './header.ts';
import { malformed } from './malformed.ts';
import { SIGNATURE_TAG, TAG } from './tags.ts';

/** Everything before the payload. */
export interface PackageHead {
  readonly signature: Header;
  readonly header: Header;
  /** Where the header begins in the file, and the first byte behind it. */
  readonly start: number;
  readonly end: number;
}

export const LEAD_BYTES = 96;
const LEAD_MAGIC = 0xedabeedb;

/** What a head may measure, as far as rpm itself goes. */
export const LARGEST_HEAD = LEAD_BYTES + 2 * INTRO_BYTES + MAIN.bytes + SIGNATURE.bytes + 16 * (MAIN.entries + SIGNATURE.entries);

/** What a scan has read is described next, and signed perhaps: it is not read and checked again. */
const scanned = new WeakMap<Buffer, PackageHead>();

/** Reads what stands before the payload. Throws E_FORMAT, also when the header is not the one its digests tell of. */
export function readHead(bytes: Buffer, place: string): PackageHead {
  return scanned.get(bytes) ?? readUnknown(bytes, place);
}

function readUnknown(bytes: Buffer, place: string): PackageHead {
  checkLead(bytes, place);
  const signature = readHeader(bytes.subarray(LEAD_BYTES), SIGNATURE, place);
  const start = aligned(LEAD_BYTES + signature.length);
  const header = readHeader(bytes.subarray(start), MAIN, place);
  const head = { signature, header, start, end: start + header.length };
  checkHeaderDigests(head, bytes.subarray(start, head.end), place);
  return head;
}

function checkLead(bytes: Buffer, place: string): void {
  if (bytes.length >= 4 && bytes.readUInt32BE(0) !== LEAD_MAGIC) throw malformed(place, 'this is no rpm package');
  if (bytes.length < LEAD_BYTES) throw malformed(place, 'the package is cut short');
}

/** The signature header is filled up to a multiple of 8 bytes. */
function aligned(at: number): number {
  return at + ((8 - (at % 8)) % 8);
}

/** signatures_digests: SHA1HEADER and SHA256HEADER. Whichever is there must be right. */
function checkHeaderDigests({ signature }: PackageHead, header: Buffer, place: string): void {
  for (const [tag, algorithm] of [[SIGNATURE_TAG.sha1, 'sha1'], [SIGNATURE_TAG.sha256, 'sha256']] as const) {
    const listed = signature.strings(tag)[0]?.toString('latin1');
    if (listed === undefined || createHash(algorithm).update(header).digest('hex') === listed) continue;
    throw malformed(place, `the header has another ${algorithm.toUpperCase()} than its package says`);
  }
}

/** Takes the head out of the bytes of a package as they come, and checks the payload against its digest. */
export function scanRpm(label: string): PackageScan {
  return new RpmScan(label);
}

class RpmScan implements PackageScan {
  readonly #label: string;
  #gathered: Buffer[] = [];
  #length = 0;
  /** Bytes that must be there before more can be told. */
  #wanted = LEAD_BYTES + INTRO_BYTES;
  #stage: 'signature' | 'header' | 'rest' | 'payload' = 'signature';
  #head: Buffer | undefined;
  #payload: Hash | undefined;
  #expected: string | undefined;

  constructor(label: string) {
    this.#label = label;
  }

  push(chunk: Buffer): void {
    if (this.#stage === 'payload') {
      this.#payload?.update(chunk);
      return;
    }
    this.#gathered.push(chunk);
    this.#length += chunk.length;
    while (this.#length >= this.#wanted && this.#advance());
  }

  end(): PackedDescription {
    if (this.#head === undefined) {
      checkLead(Buffer.concat(this.#gathered), this.#label);
      throw malformed(this.#label, 'the package is cut short');
    }
    if (this.#payload !== undefined && this.#payload.digest('hex') !== this.#expected) {
      throw malformed(this.#label, 'the payload has another digest than the header says');
    }
    return { packing: 'none', bytes: this.#head, limit: LARGEST_HEAD };
  }

  /** False when the head is whole. */
  #advance(): boolean {
    const [first = Buffer.alloc(0), ...others] = this.#gathered;
    const bytes = others.length === 0 ? first : Buffer.concat(this.#gathered);
    this.#gathered = [bytes];
    switch (this.#stage) {
      case 'signature':
        checkLead(bytes, this.#label);
        this.#stage = 'header';
        this.#wanted = aligned(LEAD_BYTES + headerLength(bytes.subarray(LEAD_BYTES), SIGNATURE, this.#label)) + INTRO_BYTES;
        return true;
      case 'header':
        this.#stage = 'rest';
        this.#wanted += headerLength(bytes.subarray(this.#wanted - INTRO_BYTES), MAIN, this.#label) - INTRO_BYTES;
        return true;
      default:
        this.#finish(bytes);
        return false;
    }
  }

  #finish(bytes: Buffer): void {
    this.#stage = 'payload';
    // A copy: the piece it came in may be a hundred times as long, and is let go.
    this.#head = Buffer.from(bytes.subarray(0, this.#wanted));
    this.#gathered = [];
    const head = readUnknown(this.#head, this.#label);
    scanned.set(this.#head, head);
    const { header } = head;
    const expected = header.strings(TAG.payloadDigest)[0]?.toString('latin1');
    // PAYLOADDIGESTALGO 8 is SHA-256 (RFC 9580, 9.5), the only one in use.
    if (expected === undefined || header.numbers(TAG.payloadDigestAlgorithm)[0] !== 8) return;
    this.#expected = expected;
    this.#payload = createHash('sha256').update(bytes.subarray(this.#wanted));
  }
}
