import { createHash } from 'node:crypto';

/** A SHA-256 digest as 64 lower-case hex digits. Made only by the functions below. */
export type Sha256 = string & { readonly __brand: 'Sha256' };

export function sha256(bytes: Uint8Array | string): Sha256 {
  return createHash('sha256').update(bytes).digest('hex') as Sha256;
}

/** The text as a digest, or undefined when it is not one. Upper-case digits are accepted and lowered. */
export function parseSha256(text: string): Sha256 | undefined {
  return /^[0-9a-fA-F]{64}$/.test(text) ? (text.toLowerCase() as Sha256) : undefined;
}

/** A digest that is no SHA-256, as some upstreams list it. */
export interface OtherDigest {
  readonly algorithm: 'sha512' | 'sha384' | 'sha1';
  /** Lower case. */
  readonly hex: string;
}

/** What stands for the SHA-256 of bytes that are not there yet, where only another digest of them is known. */
export function standIn({ algorithm, hex }: OtherDigest): Sha256 {
  return sha256(`${algorithm}:${hex}`);
}

/** The digest of nothing: an empty index is listed and served like any other. */
export const EMPTY_SHA256 = sha256('');

/**
 * Text that is equal exactly when the plain value is: keys sorted at every depth, no white space.
 * Fingerprints and ids are digests of it.
 */
export function canonicalJson(value: unknown): string {
  return JSON.stringify(value, (_key, item: unknown) =>
    item !== null && typeof item === 'object' && !Array.isArray(item)
      ? Object.fromEntries(Object.entries(item).sort(([a], [b]) => (a < b ? -1 : 1)))
      : item,
  );
}
