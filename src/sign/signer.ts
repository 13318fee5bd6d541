/**
 * Makes the signatures of what is published. Keys come from files or from gpg-agent (and so from smartcards); secrets
 * are in no message, on no command line and in no event. Whatever is wrong with a key is found when the signer is
 * opened, before anything is done that needs it.
 */
import type { SignaturePacket } from 'openpgp';
import type { Clock } from '../core/context.ts';
import { ArtifactsError } from '../core/errors.ts';
import { openAgentKey } from './agent-key.ts';
import { armorBytes } from './armor.ts';
import { clearsignedText, formatClearsigned } from './clearsigned.ts';
import { openFileKey } from './file-key.ts';
import { fingerprintOf } from './key-check.ts';
import { readKeyrings } from './keyring.ts';
import type { KeySource, SigningKey, SignWork } from './signing-key.ts';
import { verifyClearsigned, verifyDetached, type Trust } from './verify.ts';

export type { KeySource } from './signing-key.ts';

export interface Signer {
  /** Primary fingerprints, in the order of the sources. */
  readonly fingerprints: readonly string[];
  /** Keys that expire within 14 days, key files that others may read. */
  readonly warnings: readonly string[];
  /** The text clear-signed by all keys in one block: InRelease. Equal texts give equal bytes at an equal clock. */
  clearsign(text: string): Promise<Buffer>;
  /** One armored block with the detached signatures of all keys, that of the first key last: Release.gpg. */
  detach(bytes: string | Uint8Array): Promise<Buffer>;
  /**
   * Signatures of bytes by all keys, each with the algorithm of its key (RFC 9580, 9.1), dated so, or when the last of
   * the keys was made if that was later.
   */
  signBytes(bytes: Uint8Array, date: Date): Promise<readonly { readonly algorithm: number; readonly packet: Buffer }[]>;
  /** Which of our keys made these signatures, by what they say; whether they are good is not looked at. */
  signedBy(signatures: readonly Uint8Array[]): Promise<readonly string[]>;
  /** One armored block with the public keys: what clients need. */
  publicKeys(): Promise<Buffer>;
}

/**
 * Opens all keys. Throws E_NO_KEY for a missing file, a key without its secret part, an expired, revoked or weak key, a
 * wrong passphrase, an agent that does not answer. The clock dates the signatures; it must not be before a key was made.
 * `further` are keyrings whose public keys clients get as well: those that sign next, or signed before.
 */
export async function openSigner(sources: readonly KeySource[], clock: Clock, further: readonly Buffer[] = []): Promise<Signer> {
  if (sources.length === 0) throw new ArtifactsError('E_NO_KEY', 'No key to sign with was given', NO_SOURCE);
  const date = wholeSecond(clock());
  const keys: SigningKey[] = [];
  for (const source of sources) {
    keys.push(...(source.kind === 'file' ? await openFileKey(source, date) : [await openAgentKey(source, date)]));
  }
  return {
    fingerprints: keys.map((key) => fingerprintOf(key.publicKey)),
    warnings: [...keys.flatMap((key) => key.warnings), ...(await expiryWarnings(keys, date))],
    clearsign: (text) => clearsign(keys, text, wholeSecond(clock())),
    detach: (bytes) => detach(keys, bytes, wholeSecond(clock())),
    signBytes: (bytes, when) => signBytes(keys, bytes, wholeSecond(new Date(Math.max(when.getTime(), ...keys.map((key) => key.publicKey.getCreationTime().getTime()))))),
    signedBy: (signatures) => signedBy(keys, signatures),
    publicKeys: () => exportWith(keys, further),
  };
}

async function clearsign(keys: readonly SigningKey[], text: string, date: Date): Promise<Buffer> {
  const signed = clearsignedText(text);
  const packets = await allPackets(keys, { text: signed, kind: 'text', date });
  const hashes = [...new Set(packets.map((packet) => HASH_NAMES[packet.hashAlgorithm ?? 0] ?? 'SHA512'))].sort();
  const block = await armorBytes('signature', await signatureBytes(packets));
  const bytes = Buffer.from(formatClearsigned(signed, hashes, block));
  await checkOwn(keys, date, (trust) => verifyClearsigned(bytes, { ...trust, name: 'The text just signed' }));
  return bytes;
}

async function detach(keys: readonly SigningKey[], bytes: string | Uint8Array, date: Date): Promise<Buffer> {
  // libzypp looks for the key of the last signature only; that must be one that old clients know while keys change.
  const packets = await allPackets(keys.toReversed(), { text: bytes, kind: 'binary', date });
  const signature = Buffer.from(await armorBytes('signature', await signatureBytes(packets)));
  const signed = typeof bytes === 'string' ? Buffer.from(bytes) : bytes;
  await checkOwn(keys, date, (trust) => verifyDetached(signed, signature, { ...trust, name: 'The text just signed' }));
  return signature;
}

async function signBytes(keys: readonly SigningKey[], bytes: Uint8Array, date: Date): ReturnType<Signer['signBytes']> {
  const packets = await allPackets(keys, { text: bytes, kind: 'binary', date });
  const signature = await signatureBytes(packets);
  await checkOwn(keys, date, (trust) => verifyDetached(bytes, signature, { ...trust, name: 'The package just signed' }));
  return Promise.all(packets.map(async (packet) => ({ algorithm: packet.publicKeyAlgorithm ?? 0, packet: Buffer.from(await signatureBytes([packet])) })));
}

async function signedBy(keys: readonly SigningKey[], signatures: readonly Uint8Array[]): Promise<readonly string[]> {
  const { readSignature } = await import('openpgp');
  const found: string[] = [];
  for (const binarySignature of signatures) {
    const { packets } = await readSignature({ binarySignature }).catch(() => ({ packets: [] as SignaturePacket[] }));
    for (const packet of packets) {
      const key = keys.find(({ publicKey }) => publicKey.getKeys(packet.issuerKeyID).length > 0);
      if (key !== undefined) found.push(fingerprintOf(key.publicKey));
    }
  }
  return found;
}

async function allPackets(keys: readonly SigningKey[], work: SignWork): Promise<readonly SignaturePacket[]> {
  const packets: SignaturePacket[] = [];
  for (const key of keys) packets.push(...(await key.sign(work)));
  return packets;
}

/** A signer that signs other bytes, or with another key, must not get that far that a client sees it. */
async function checkOwn(
  keys: readonly SigningKey[],
  date: Date,
  verify: (trust: Omit<Trust, 'name'>) => Promise<{ readonly fingerprints: readonly string[] }>,
): Promise<void> {
  const keyrings = [await exportKeys(keys)];
  const fingerprints = keys.map((key) => fingerprintOf(key.publicKey));
  const { fingerprints: good } = await verify({ keyrings, fingerprints, now: date });
  const missing = fingerprints.find((fingerprint) => !good.includes(fingerprint));
  if (missing === undefined) return;
  throw new ArtifactsError('E_SIGNATURE', `The signature just made with the key ${missing} does not verify`);
}

async function exportKeys(keys: readonly SigningKey[]): Promise<Buffer> {
  return Buffer.from(await armorBytes('publicKey', Buffer.concat(keys.map((key) => key.publicKey.write()))));
}

/** Our keys first; a copy of one of them among the further ones adds what it knows. */
async function exportWith(keys: readonly SigningKey[], further: readonly Buffer[]): Promise<Buffer> {
  const own = await exportKeys(keys);
  if (further.length === 0) return own;
  const all = await readKeyrings([own, ...further]);
  return Buffer.from(await armorBytes('publicKey', Buffer.concat(all.map((key) => key.write()))));
}

async function signatureBytes(packets: readonly SignaturePacket[]): Promise<Uint8Array> {
  const { PacketList } = await import('openpgp');
  const list = new PacketList<SignaturePacket>();
  list.push(...packets);
  return list.write();
}

/** RFC 9580, 9.5, as the Hash header spells them. */
const HASH_NAMES: Readonly<Record<number, string>> = { 8: 'SHA256', 9: 'SHA384', 10: 'SHA512', 11: 'SHA224' };

const DAY = 24 * 60 * 60 * 1000;

async function expiryWarnings(keys: readonly SigningKey[], date: Date): Promise<readonly string[]> {
  const warnings: string[] = [];
  for (const { publicKey } of keys) {
    const end = await publicKey.getExpirationTime();
    if (!(end instanceof Date) || end.getTime() - date.getTime() >= 14 * DAY) continue;
    const day = end.toISOString().slice(0, 10);
    warnings.push(`The key ${fingerprintOf(publicKey)} expires on ${day}: extend or replace it`);
  }
  return warnings;
}

function wholeSecond(date: Date): Date {
  return new Date(Math.floor(date.getTime() / 1000) * 1000);
}

const NO_SOURCE = { hint: 'Make one with `npm run quickstart`, or set GPG_PRIVATE to a file of secret keys.' };
