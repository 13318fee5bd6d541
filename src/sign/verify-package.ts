/** Signatures within packages, as rpm's are: whether one of them is by a key that the user trusts for them. */
import { ArtifactsError } from '../core/errors.ts';
import { verifyDetached, type Trust } from './verify.ts';

export interface SignedPackage {
  /** The part of it that signatures are made over. */
  readonly signed: Uint8Array;
  /** Whether that part vouches for the rest by a digest. */
  readonly coversAll: boolean;
  /** OpenPGP packets. */
  readonly signatures: readonly Uint8Array[];
}

/** One good signature by a trusted key is enough. Throws as `verifyDetached`; returns the fingerprints of those who signed. */
export async function verifyPackage({ signed, coversAll, signatures }: SignedPackage, trust: Trust): Promise<readonly string[]> {
  const { fingerprints } = await verifyDetached(signed, Buffer.concat(signatures), trust);
  if (coversAll) return fingerprints;
  throw new ArtifactsError('E_SIGNATURE', `${trust.name}: what is signed does not vouch for the rest of the package`, {
    hint: 'Packages from before rpm 4.14 have no digest of their payload under their signature.',
  });
}
