import { readKeyrings } from './keyring.ts';
import { armorBytes } from './armor.ts';

/** One armored block with the public keys of all keyrings, or the first keyring as it is when the others add no key to it. */
export async function mergeKeyrings(first: Buffer, ...others: readonly Buffer[]): Promise<Buffer> {
  const fingerprints = async (keyrings: readonly Buffer[]): Promise<string> =>
    (await readKeyrings(keyrings)).map((key) => key.getFingerprint()).sort().join(' ');
  if ((await fingerprints([first])) === (await fingerprints([first, ...others]))) return first;
  const all = await readKeyrings([first, ...others]);
  return Buffer.from(await armorBytes('publicKey', Buffer.concat(all.map((key) => key.write()))));
}
