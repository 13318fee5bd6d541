import type { Key, KeyID, Subkey } from 'openpgp';
import type { ErrorCode } from '../core/errors.ts';

/** Why a key may not be used. */
export interface KeyProblem {
  readonly code: ErrorCode;
  readonly reason: string;
}

/**
 * The part of a key that signs with that id (default: any), when it may do so at that time: bound and cross-certified
 * (RFC 9580, 10.1.5), neither revoked nor expired, RSA of at least 2048 bits, no DSA.
 */
export async function signingPart(key: Key, date: Date, keyId?: KeyID): Promise<Key | Subkey | KeyProblem> {
  try {
    return await key.getSigningKey(keyId, date);
  } catch (error) {
    return problemOf(key, error instanceof Error ? error.message : String(error));
  }
}

export function isKeyProblem(value: object): value is KeyProblem {
  return 'code' in value;
}

/** 40 upper-case hex digits. */
export function fingerprintOf(key: Key | Subkey): string {
  return key.getFingerprint().toUpperCase();
}

/** A full fingerprint as people write it, with blanks and in any case, as we compare it; undefined for less: a short id can be forged at will. */
export function parseFingerprint(text: string): string | undefined {
  const digits = text.replace(/^0x|\s/gi, '').toUpperCase();
  return /^(?:[0-9A-F]{40}|[0-9A-F]{64})$/.test(digits) ? digits : undefined;
}

/** The library tells reasons only in words; tests with real keys hold it to them. */
function problemOf(key: Key, message: string): KeyProblem {
  const name = `key ${fingerprintOf(key)}`;
  if (message.includes('is revoked')) return { code: 'E_KEY_REVOKED', reason: `${name} is revoked` };
  if (message.includes('is expired')) return { code: 'E_KEY_EXPIRED', reason: `${name} has expired` };
  const detail = message.replace(/^.*: /s, '').replaceAll(/\s+/g, ' ');
  return { code: 'E_SIGNATURE', reason: `${name} cannot be used to sign (${detail})` };
}
