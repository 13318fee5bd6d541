/** Packages as files (rpm's format_v3, _v4 and _v6): lead, signature header aligned to 8 bytes, header, payload. */
import { createHash, type Hash } from 'node:crypto';
import type { PackageScan, PackedDescription } from '../format.ts';
import { headerLength, INTRO_BYTES, MAIN, readHeader, SIGNATURE, type Header } from './header.ts';
import { malformed } from './malformed.ts';
import { SIGNATURE_TAG, TAG } from './tags.ts';

/** Everything before the payload. */
export interface PackageHead {
  readonly signature: Header;
  readonly header: Header;
  /** The version of the format: 3, 4 or 6. */
  readonly format: number;
  /** Where the header begins in the file, and the first byte behind it. */
  readonly start: number;
  readonly end: number;
}

export const LEAD_BYTES = 96;
const LEAD_MAGIC = 0xedabeedb;

/** What a head may measure, as far as rpm itself goes. */
const LARGEST_HEAD = LEAD_BYTES + 2 * INTRO_BYTES + MAIN.bytes + SIGNATURE.bytes + 16 * (MAIN.entries + SIGNATURE.entries);

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
  const head = { signature, header, format: formatOf(header), start, end: start + header.length };
  if (head.format >= 6) checkStrictly(head, place);
  checkHeaderDigests(head, bytes.subarray(start, head.end), place);
  return head;
}

/** Before rpm 4 headers were no regions; from rpm 6 on they name their format. */
function formatOf(header: Header): number {
  return header.numbers(TAG.rpmFormat)[0] ?? (header.hasRegion ? 4 : 3);
}

/** format_v6: what older formats tolerate is an error. */
function checkStrictly({ signature, header, format }: PackageHead, place: string): void {
  const wrong = (problem: string): Error => malformed(place, `this is a package of format ${format}, and ${problem}`);
  if (format > 6) throw wrong('later formats than 6 are not known');
  if (!signature.hasRegion || !header.hasRegion) throw wrong('a header is no region');
  if (!signature.isSorted || !header.isSorted) throw wrong('tags are out of their order');
  const late = signature.entries().find(({ tag }) => tag > 999);
  if (late !== undefined) throw wrong(`its signature header has the tag ${late.tag}`);
  if (!signature.has(SIGNATURE_TAG.sha256)) throw wrong('its header has no digest');
}

function checkLead(bytes: Buffer, place: string): void {
  if (bytes.length >= 4 && bytes.readUInt32BE(0) !== LEAD_MAGIC) throw malformed(place, 'this is no rpm package');
  if (bytes.length < LEAD_BYTES) throw malformed(place, 'the package is cut short');
}

/** The signature header is filled up to a multiple of 8 bytes. */
function aligned(at: number): number {
  return at + ((8 - (at % 8)) % 8);
}

/** signatures_digests: SHA1HEADER, SHA256HEADER and SHA3_256. Whichever is there must be right. */
function checkHeaderDigests({ signature }: PackageHead, header: Buffer, place: string): void {
  for (const [tag, algorithm] of [[SIGNATURE_TAG.sha1, 'sha1'], [SIGNATURE_TAG.sha256, 'sha256'], [SIGNATURE_TAG.sha3, 'sha3-256']] as const) {
    const listed = signature.strings(tag)[0]?.toString('latin1');
    if (listed === undefined || createHash(algorithm).update(header).digest('hex') === listed) continue;
    throw malformed(place, `the header has another ${algorithm.toUpperCase()} than its package says`);
  }
}

/** PGPHASHALGO, RFC 9580, 9.5. Format 6 has no tag for it: it is SHA-256. */
const ALGORITHMS: Readonly<Record<number, string>> = { 8: 'sha256', 9: 'sha384', 10: 'sha512', 11: 'sha224' };

interface PayloadDigest {
  readonly algorithm: string;
  readonly expected: string;
  /** Whether the header belongs to what is hashed. */
  readonly withHeader: boolean;
}

/** What tells whether the payload is whole: its digest in the header, or what there was before rpm 4.14. */
export function payloadDigest({ signature, header }: PackageHead): PayloadDigest | undefined {
  const algorithm = ALGORITHMS[header.numbers(TAG.payloadDigestAlgorithm)[0] ?? 8];
  const expected = header.strings(TAG.payloadDigest)[0]?.toString('latin1');
  if (algorithm !== undefined && expected !== undefined) return { algorithm, expected, withHeader: false };
  const sum = signature.binary(SIGNATURE_TAG.md5);
  return sum === undefined ? undefined : { algorithm: 'md5', expected: sum.toString('hex'), withHeader: true };
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
    const digest = payloadDigest(head);
    if (digest === undefined) return;
    this.#expected = digest.expected;
    this.#payload = createHash(digest.algorithm);
    if (digest.withHeader) this.#payload.update(this.#head.subarray(head.start));
    this.#payload.update(bytes.subarray(this.#wanted));
  }
}
