import { generateKey, readPrivateKey, type PrivateKey } from 'openpgp';

/** An OpenPGP key of the rig. */
export interface RigKey {
  /** 40 upper-case hex digits. */
  readonly fingerprint: string;
  /** Armored public key. */
  readonly publicKey: Buffer;
  /** Armored secret key without passphrase. */
  readonly secretKey: Buffer;
  readonly unlocked: PrivateKey;
}

const EPOCH = new Date('2020-01-01T00:00:00Z');
const cache = new Map<string, Promise<RigKey>>();

/** The key of that name: made at the first call, the same one for the rest of the process. Valid from 2020 on, for ever. */
export function rigKey(name = 'upstream'): Promise<RigKey> {
  const known = cache.get(name) ?? makeKey(name);
  cache.set(name, known);
  return known;
}

async function makeKey(name: string): Promise<RigKey> {
  const made = await generateKey({
    userIDs: { name: `Rig ${name}`, email: `${name}@example.org` },
    type: 'ecc',
    curve: 'ed25519Legacy',
    date: EPOCH,
    format: 'armored',
    config: { v6Keys: false },
  });
  const unlocked = await readPrivateKey({ armoredKey: made.privateKey });
  return {
    fingerprint: unlocked.getFingerprint().toUpperCase(),
    publicKey: Buffer.from(made.publicKey),
    secretKey: Buffer.from(made.privateKey),
    unlocked,
  };
}
