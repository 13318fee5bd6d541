import type { Key, SignaturePacket } from 'openpgp';
import { ArtifactsError } from '../core/errors.ts';

export type KeySource =
  /** A file of secret keys, armored or binary; all of them sign. */
  | {
      readonly kind: 'file';
      readonly path: string;
      /** A file whose first line is the passphrase. */
      readonly passphraseFile?: string;
    }
  /** A key that gpg knows, by its full fingerprint; `home` is its GNUPGHOME. */
  | {
      readonly kind: 'agent';
      readonly fingerprint: string;
      readonly home?: string;
      /** Milliseconds after which an agent that does not answer is given up; default 30,000. */
      readonly patience?: number;
    };

export interface SignWork {
  readonly text: string | Uint8Array;
  /** `text` makes a signature of a text (type 0x01), `binary` one of bytes. */
  readonly kind: 'text' | 'binary';
  readonly date: Date;
}

/** A key that was found fit to sign. */
export interface SigningKey {
  readonly publicKey: Key;
  /** Returns signature packets. */
  sign(work: SignWork): Promise<readonly SignaturePacket[]>;
  readonly warnings: readonly string[];
}

/** E_NO_KEY. */
export function noKey(message: string, hint: string, cause?: unknown): ArtifactsError {
  return new ArtifactsError('E_NO_KEY', message, { hint, cause });
}
