/** Signatures in the header of signatures: of the header only, which vouches for the payload by its digest (rpm 4.14 on). */
import type { PackageSigning, PackageSignature } from '../format.ts';
import { alignmentOf, ENTRY_BYTES, INTRO_BYTES, MAGIC, SIGNATURE, TYPE, type Header } from './header.ts';
import { malformed } from './malformed.ts';
import { LEAD_BYTES, payloadDigest, readHead } from './package-file.ts';
import { SIGNATURE_TAG, TAG } from './tags.ts';

export const packageSigning: PackageSigning = { signedBytes, builtAt, coversAll, signatures, withSignature };

function signedBytes(head: Buffer): Buffer {
  const { start, end } = readHead(head, 'package');
  return head.subarray(start, end);
}

function builtAt(head: Buffer): Date {
  return new Date((readHead(head, 'package').header.numbers(TAG.buildTime)[0] ?? 0) * 1000);
}

/** A digest of the payload in the header, which rpm has made since 4.14. */
function coversAll(head: Buffer): boolean {
  return payloadDigest(readHead(head, 'package'))?.withHeader === false;
}

function signatures(head: Buffer): readonly Buffer[] {
  const { signature } = readHead(head, 'package');
  const modern = signature.strings(SIGNATURE_TAG.openpgp).map((text) => Buffer.from(text.toString('latin1'), 'base64'));
  // format_v6: those of the older kind are there for older rpms only.
  return modern.length > 0 ? modern : [SIGNATURE_TAG.rsa, SIGNATURE_TAG.dsa].flatMap((tag) => signature.binary(tag) ?? []);
}

/** RFC 9580, 9.1: rpm keeps signatures of RSA keys apart from those of all others. */
const RSA = new Set([1, 2, 3]);

/** In format 4 signatures by other keys, and of header and payload together, make way: there is room for one of each kind. */
const REPLACED: ReadonlySet<number> = new Set([SIGNATURE_TAG.rsa, SIGNATURE_TAG.dsa, SIGNATURE_TAG.pgp, SIGNATURE_TAG.gpg]);

/** The space that rpmbuild reserves is used up first, so that the file keeps its size. */
function withSignature(head: Buffer, made: PackageSignature): Buffer {
  const { signature, start, format } = readHead(head, 'package');
  // Signatures of headers need their region, which rpm 3 did not have.
  if (format === 3) throw malformed('package', 'packages of format 3 cannot be signed; build it anew, or add it without --sign');
  const reservedTag = format === 4 ? SIGNATURE_TAG.reservedSpace : SIGNATURE_TAG.reserved;
  const entries = (format === 4 ? signedAsFormat4(signature, made) : signedAsFormat6(signature, made)).filter(({ tag }) => tag !== reservedTag);
  const spare = signature.length - headerBytes(entries).length - INTRO_BYTES;
  const reserved = { tag: reservedTag, type: TYPE.binary, count: spare, data: Buffer.alloc(Math.max(0, spare)) };
  const written = headerBytes(spare > 0 ? [...entries, reserved] : entries);
  const padding = Buffer.alloc((8 - (written.length % 8)) % 8);
  return Buffer.concat([head.subarray(0, LEAD_BYTES), written, padding, head.subarray(start)]);
}

function signedAsFormat4(signature: Header, made: PackageSignature): readonly Entry[] {
  const tag = RSA.has(made.algorithm) ? SIGNATURE_TAG.rsa : SIGNATURE_TAG.dsa;
  const kept = signature.entries().filter((entry) => !REPLACED.has(entry.tag));
  const entries = [...kept, { tag, type: TYPE.binary, count: made.packet.length, data: made.packet }];
  // `rpmsign --rpmv6` added some of the newer kind: rpm 6 looks at no others then.
  return signature.has(SIGNATURE_TAG.openpgp) ? withAnother(signature, entries, made) : entries;
}

/** format_v6: signatures by other keys stay. */
function signedAsFormat6(signature: Header, made: PackageSignature): readonly Entry[] {
  return withAnother(signature, signature.entries(), made);
}

function withAnother(signature: Header, entries: readonly Entry[], { packet }: PackageSignature): readonly Entry[] {
  const texts = [...signature.strings(SIGNATURE_TAG.openpgp), Buffer.from(packet.toString('base64'))];
  const data = Buffer.concat(texts.flatMap((text) => [text, Buffer.from([0])]));
  return [...entries.filter(({ tag }) => tag !== SIGNATURE_TAG.openpgp), { tag: SIGNATURE_TAG.openpgp, type: TYPE.stringArray, count: texts.length, data }];
}

interface Entry {
  readonly tag: number;
  readonly type: number;
  readonly count: number;
  readonly data: Buffer;
}

/** A header in one region, entries by their tags. */
function headerBytes(unsorted: readonly Entry[]): Buffer {
  const entries = unsorted.toSorted((a, b) => a.tag - b.tag);
  const data: Buffer[] = [];
  let length = 0;
  const append = (bytes: Buffer): void => {
    data.push(bytes);
    length += bytes.length;
  };
  const index = entries.map(({ tag, type, count, data: bytes }) => {
    const alignment = alignmentOf(type);
    append(Buffer.alloc((alignment - (length % alignment)) % alignment));
    const entry = indexEntry({ tag, type, offset: length, count });
    append(bytes);
    return entry;
  });
  const region = indexEntry({ tag: SIGNATURE.region, type: TYPE.binary, offset: length, count: ENTRY_BYTES });
  append(indexEntry({ tag: SIGNATURE.region, type: TYPE.binary, offset: -ENTRY_BYTES * (entries.length + 1), count: ENTRY_BYTES }));
  const intro = Buffer.alloc(INTRO_BYTES);
  MAGIC.copy(intro);
  intro.writeUInt32BE(entries.length + 1, 8);
  intro.writeUInt32BE(length, 12);
  return Buffer.concat([intro, region, ...index, ...data]);
}

function indexEntry({ tag, type, offset, count }: Omit<Entry, 'data'> & { readonly offset: number }): Buffer {
  const bytes = Buffer.alloc(ENTRY_BYTES);
  bytes.writeInt32BE(tag, 0);
  bytes.writeUInt32BE(type, 4);
  bytes.writeInt32BE(offset, 8);
  bytes.writeUInt32BE(count, 12);
  return bytes;
}
