import type { Key } from 'openpgp';
import { ArtifactsError } from '../core/errors.ts';
import { armoredBlocks, refuseKeybox } from './armor.ts';
import { fingerprintOf } from './key-check.ts';

/** The public keys of several keyrings. Copies of one key are merged: a revocation that one of them knows counts. */
export async function readKeyrings(keyrings: readonly Uint8Array[]): Promise<readonly Key[]> {
  const merged = new Map<string, Key>();
  for (const keyring of keyrings) {
    for (const key of await readKeyring(keyring)) {
      const known = merged.get(key.getFingerprint());
      merged.set(key.getFingerprint(), known ? await known.update(key) : key);
    }
  }
  return [...merged.values()];
}

/**
 * One binary keyring of several, as apt's Signed-By wants it; with `fingerprints`, of the keys alone that have one of
 * them, themselves or in a subkey. Throws E_NO_KEY when none is left.
 */
export async function joinKeyrings(keyrings: readonly Uint8Array[], fingerprints: readonly string[] = []): Promise<Buffer> {
  const keys = await readKeyrings(keyrings);
  const pinned = (key: Key): boolean => key.getKeys().some((part) => fingerprints.includes(fingerprintOf(part)));
  const wanted = fingerprints.length === 0 ? keys : keys.filter(pinned);
  if (wanted.length === 0) throw new ArtifactsError('E_NO_KEY', `The keyring has no key ${fingerprints.join(', ')}`);
  return Buffer.concat(wanted.map((key) => key.write()));
}

/**
 * The public keys of a keyring, armored (any number of blocks) or binary. Throws E_CONFIG when it is something else:
 * a keyring is given by the user, not by the upstream.
 */
async function readKeyring(bytes: Uint8Array): Promise<readonly Key[]> {
  refuseKeybox(bytes);
  const { readKeys } = await import('openpgp');
  const blocks = armoredBlocks(bytes, 'PUBLIC KEY BLOCK');
  try {
    const keys = blocks
      ? await Promise.all(blocks.map((armoredKeys) => readKeys({ armoredKeys })))
      : [await readKeys({ binaryKeys: bytes })];
    return keys.flat().map((key) => key.toPublic());
  } catch (error) {
    throw new ArtifactsError('E_CONFIG', 'The keyring holds no OpenPGP keys that can be read', {
      hint: 'It must be a file of public keys as `gpg --export` writes it, with or without --armor.',
      cause: error,
    });
  }
}
