import type { Key, SignaturePacket } from 'openpgp';

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

/** A key that was found fit to sign. */
export interface SigningKey {
  readonly publicKey: Key;
  /** `text` makes a signature of a text (type 0x01), `binary` one of bytes. Returns signature packets. */
  sign(text: string | Uint8Array, kind: 'text' | 'binary', date: Date): Promise<readonly SignaturePacket[]>;
  readonly warnings: readonly string[];
}
