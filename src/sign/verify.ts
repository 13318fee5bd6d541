/**
 * Whether bytes are signed by a key that the user trusts for them. Pure: no files, no clock, no agent. The OpenPGP
 * library is loaded at the first use.
 *
 * A bad signature is final: who gets E_SIGNATURE for an InRelease must not try its luck with Release and Release.gpg.
 */
import type { Key, PacketList, SignaturePacket, Subkey } from 'openpgp';
import { ArtifactsError, type ErrorCode } from '../core/errors.ts';
import { armoredBlocks } from './armor.ts';
import { parseClearsigned } from './clearsigned.ts';
import { fingerprintOf, isKeyProblem, parseFingerprint, signingPart } from './key-check.ts';
import { readKeyrings } from './keyring.ts';

export interface Trust {
  /** Files of public keys, armored or binary. */
  readonly keyrings: readonly Uint8Array[];
  /**
   * Full fingerprints of the keys that count, of primary keys or subkeys; with `!` at the end the subkeys of a primary
   * key do not count. None: every key of the keyrings counts.
   */
  readonly fingerprints: readonly string[];
  readonly now: Date;
  /** What is verified, for messages: `InRelease`. */
  readonly name: string;
}

export interface Verified {
  /** Exactly what was signed: of a clear-signed file its lines without trailing blanks, with LF after each. */
  readonly text: Buffer;
  /** Primary fingerprints of the trusted keys whose signatures are good, 40 upper-case hex digits. */
  readonly fingerprints: readonly string[];
  /** What is wrong with the other signatures. */
  readonly warnings: readonly string[];
}

/**
 * Verifies a clear-signed file such as InRelease. One good signature by a trusted key is enough. Throws E_UNSIGNED,
 * E_SIGNATURE, E_KEY_EXPIRED, E_KEY_REVOKED, E_SIGNATURE_EXPIRED or E_WEAK_HASH, and E_CONFIG for a bad keyring.
 */
export async function verifyClearsigned(bytes: Uint8Array, trust: Trust): Promise<Verified> {
  const { name } = trust;
  const { text, signature } = parseClearsigned(bytes, name);
  const packets = await readSignatures(Buffer.from(signature), name);
  // 0x01 is the signature of a text; any other kind would be made over other bytes than are shown here.
  const good = await judgeAll({ name, bytes: text, packets, types: [TEXT] }, trust);
  return { text: Buffer.concat([text, Buffer.from('\n')]), ...good };
}

/** Verifies a file such as Release by its detached signature, armored or binary. Throws as `verifyClearsigned`. */
export async function verifyDetached(bytes: Uint8Array, signature: Uint8Array, trust: Trust): Promise<Verified> {
  const { name } = trust;
  const packets = await readSignatures(signature, name);
  const good = await judgeAll({ name, bytes, packets, types: [BINARY, TEXT] }, trust);
  return { text: Buffer.from(bytes), ...good };
}

/** RFC 9580, 5.2.1. */
const BINARY = 0x00;
const TEXT = 0x01;

interface Signed {
  readonly name: string;
  readonly bytes: Uint8Array;
  readonly packets: PacketList<SignaturePacket>;
  readonly types: readonly number[];
}

type Judgement =
  | { readonly good: true; readonly primary: string; readonly signer: string }
  | { readonly good: false; readonly code: ErrorCode; readonly reason: string; readonly rank: number };

async function readSignatures(bytes: Uint8Array, name: string): Promise<PacketList<SignaturePacket>> {
  const { enums, readSignature } = await import('openpgp');
  const blocks = armoredBlocks(bytes, 'SIGNATURE');
  if (bytes.length === 0) throw new ArtifactsError('E_UNSIGNED', `${name} is not signed`);
  if (blocks && blocks.length !== 1) throw new ArtifactsError('E_SIGNATURE', `${name}: the signature is not one block`);
  const armoredSignature = blocks?.[0];
  try {
    const read = await (armoredSignature === undefined
      ? readSignature({ binarySignature: bytes })
      : readSignature({ armoredSignature }));
    // A packet that cannot be read stands in the list as such.
    const packets = read.packets.filterByTag(enums.packet.signature);
    if (packets.length > 0) return packets;
  } catch (error) {
    throw new ArtifactsError('E_SIGNATURE', `${name}: the signature cannot be read`, { cause: error });
  }
  throw new ArtifactsError('E_UNSIGNED', `${name} has no signature of a known kind`);
}

async function judgeAll(signed: Signed, trust: Trust): Promise<Omit<Verified, 'text'>> {
  const keys = await readKeyrings(trust.keyrings);
  const pins = trust.fingerprints.map(parsePin);
  const missing = pins.filter((pin) => !keys.some((key) => holds(key, pin)));
  const against = { keys, pins, now: trust.now };
  const judgements = await Promise.all(signed.packets.map((packet) => judge(packet, signed, against)));
  const good = judgements.flatMap((judgement) => (judgement.good ? [judgement.primary] : []));
  const bad = judgements.filter((judgement) => !judgement.good);
  const absent = missing.map((pin) => `the trusted key ${pin.fingerprint} is in no keyring`);
  if (good.length === 0) throw noGoodSignature(signed.name, bad, absent);
  // That others than the trusted keys signed as well is how archives are; it is no reason to warn.
  const notable = bad.filter((judgement) => judgement.rank !== RANK.untrusted).map((judgement) => judgement.reason);
  const warnings = [...notable, ...absent].map((text) => `${signed.name}: ${text}`);
  return { fingerprints: [...new Set(good)], warnings };
}

type Bad = Judgement & { readonly good: false };

function noGoodSignature(name: string, bad: readonly Bad[], absent: readonly string[]): ArtifactsError {
  const sorted = bad.toSorted((a, b) => a.rank - b.rank);
  const code = sorted[0]?.code ?? 'E_SIGNATURE';
  const reasons = [...sorted.map((judgement) => judgement.reason), ...absent].join('; ');
  const hint = sorted[0]?.rank === RANK.wrong ? WRONG_HINT : SIGNATURE_HINT;
  return new ArtifactsError(code, `${name} has no good signature: ${reasons}`, { hint: HINTS[code] ?? hint });
}

interface Pin {
  readonly fingerprint: string;
  /** The key itself, not its subkeys. */
  readonly exact: boolean;
}

interface Keys {
  readonly keys: readonly Key[];
  readonly pins: readonly Pin[];
  readonly now: Date;
}

function parsePin(text: string): Pin {
  const exact = text.trimEnd().endsWith('!');
  const fingerprint = parseFingerprint(text.replace('!', ''));
  if (fingerprint !== undefined) return { fingerprint, exact };
  throw new ArtifactsError('E_CONFIG', `"${text}" is no full fingerprint`, {
    hint: 'Give the 40 hex digits that `gpg --show-keys --with-fingerprint FILE` prints.',
  });
}

function holds(key: Key, pin: Pin): boolean {
  return key.getKeys().some((part) => fingerprintOf(part) === pin.fingerprint);
}

async function judge(packet: SignaturePacket, signed: Signed, { keys, pins, now }: Keys): Promise<Judgement> {
  const issuer = issuerOf(packet);
  const matches = (part: Key | Subkey): boolean => fingerprintOf(part).endsWith(issuer);
  const key = keys.find((candidate) => candidate.getKeys(packet.issuerKeyID).some(matches));
  const part = key?.getKeys(packet.issuerKeyID).find(matches);
  if (!key || !part) return bad('E_SIGNATURE', `signed by the unknown key ${issuer}`, RANK.unknown);
  const primary = fingerprintOf(key);
  const signer = fingerprintOf(part);
  if (!signed.types.includes(packet.signatureType ?? -1)) {
    return bad('E_SIGNATURE', `the signature by ${primary} is of a wrong kind`, RANK.wrong);
  }
  const weak = weakHash(packet);
  if (weak !== undefined) return bad('E_WEAK_HASH', `the signature by ${primary} uses ${weak}`, RANK.weak);
  const failure = await cryptoFailure(packet, part, signed.bytes);
  if (failure !== undefined) return bad('E_SIGNATURE', `the signature by ${primary} is wrong: ${failure}`, RANK.wrong);
  const pinned = (pin: Pin): boolean => pin.fingerprint === signer || (!pin.exact && pin.fingerprint === primary);
  if (pins.length > 0 && !pins.some(pinned)) {
    return bad('E_SIGNATURE', `signed by ${primary}, which is not one of the trusted keys`, RANK.untrusted);
  }
  const usable = await signingPart(key, now, packet.issuerKeyID);
  if (isKeyProblem(usable)) return bad(usable.code, usable.reason, RANK.key);
  return timeProblem(packet, primary, now) ?? { good: true, primary, signer };
}

/** Which failure names the error when there are several: what concerns a trusted key, then the rest. */
const RANK = { wrong: 0, key: 1, expired: 2, weak: 3, untrusted: 4, unknown: 5 };

function bad(code: ErrorCode, reason: string, rank: number): Bad {
  return { good: false, code, reason, rank };
}

/** The fingerprint of the key that signed, or its id when the signature has no more (before GnuPG 2.1.16). */
function issuerOf(packet: SignaturePacket): string {
  const { issuerFingerprint } = packet;
  if (issuerFingerprint) return Buffer.from(issuerFingerprint).toString('hex').toUpperCase();
  return packet.issuerKeyID.toHex().toUpperCase();
}

/** RFC 9580, 9.5: the names of digests that prove nothing any more. */
function weakHash(packet: SignaturePacket): string | undefined {
  const weak: Readonly<Record<number, string>> = { 1: 'MD5', 2: 'SHA-1', 3: 'RIPEMD-160' };
  return weak[packet.hashAlgorithm ?? 0];
}

async function cryptoFailure(
  packet: SignaturePacket,
  part: Key | Subkey,
  bytes: Uint8Array,
): Promise<string | undefined> {
  const { createMessage, enums } = await import('openpgp');
  const message = await createMessage({ binary: bytes });
  const data = message.packets.findPacket(enums.packet.literalData);
  try {
    // No date: what a time means is judged with its own error codes.
    const noDate = null as unknown as Date;
    await packet.verify(part.keyPacket, packet.signatureType ?? BINARY, data ?? {}, noDate, true);
    return undefined;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

/** Clocks of two machines differ; more than that is a lie about the date. */
const CLOCK_SKEW = 10 * 60 * 1000;

function timeProblem(packet: SignaturePacket, primary: string, now: Date): Judgement | undefined {
  const end = packet.getExpirationTime();
  if (end instanceof Date && end <= now) {
    return bad('E_SIGNATURE_EXPIRED', `the signature by ${primary} expired on ${end.toISOString()}`, RANK.expired);
  }
  if (packet.created && packet.created.getTime() > now.getTime() + CLOCK_SKEW) {
    const date = packet.created.toISOString();
    return bad('E_SIGNATURE', `the signature by ${primary} is dated ${date}, in the future`, RANK.expired);
  }
  return undefined;
}

const WRONG_HINT = 'It is not of these bytes: the signer is at work on them, or somebody else changed them.';
const SIGNATURE_HINT = 'If the upstream has a new key, get it from a source you trust and name its fingerprint.';
const HINTS: Partial<Record<ErrorCode, string>> = {
  E_KEY_EXPIRED: 'Get the current keyring of the upstream from a source you trust.',
  E_KEY_REVOKED: 'The owner no longer vouches for this key: get the new one from a source you trust.',
  E_SIGNATURE_EXPIRED: 'The upstream or a mirror of it is out of date.',
  E_WEAK_HASH: 'The upstream must sign with SHA-256 or better.',
};
