import { rm, writeFile } from 'node:fs/promises';
import { ArtifactsError, fromSystemError, hasCode } from '../core/errors.ts';

export interface KeyRequest {
  /** Who signs, for people: `Artifacts demo`. */
  readonly name: string;
  readonly email?: string;
  /** Where the secret key goes, readable by its owner only. It must not exist yet. */
  readonly file: string;
  /** When the key was made; signatures before that date are impossible. */
  readonly date: Date;
}

export interface GeneratedKey {
  /** 40 upper-case hex digits. */
  readonly fingerprint: string;
  /** Armored. */
  readonly publicKey: Buffer;
}

/**
 * Makes an Ed25519 key for signing and nothing else, without passphrase and without end, in the form (version 4, EdDSA
 * as before RFC 9580) that apt and GnuPG 2.2 know. Throws E_EXISTS rather than replace a key.
 */
export async function generateKey({ name, email, file, date }: KeyRequest): Promise<GeneratedKey> {
  const openpgp = await import('openpgp');
  const made = await openpgp.generateKey({
    userIDs: { name, ...(email !== undefined && { email }) },
    type: 'ecc',
    curve: 'ed25519Legacy',
    subkeys: [],
    date,
    format: 'object',
    config: { v6Keys: false, nonDeterministicSignaturesViaNotation: false },
  });
  await writeSecret(file, unixLines(made.privateKey.armor()));
  return {
    fingerprint: made.publicKey.getFingerprint().toUpperCase(),
    publicKey: Buffer.from(unixLines(made.publicKey.armor())),
  };
}

async function writeSecret(file: string, text: string): Promise<void> {
  try {
    await writeFile(file, text, { mode: 0o600, flag: 'wx', flush: true });
  } catch (error) {
    if (hasCode(error, 'EEXIST')) {
      const hint = 'Remove it only if nobody uses that key.';
      throw new ArtifactsError('E_EXISTS', `The key file ${file} exists already`, { hint });
    }
    await rm(file, { force: true });
    throw fromSystemError(error, `writing ${file}`);
  }
}

function unixLines(text: string): string {
  return text.replaceAll('\r\n', '\n');
}
