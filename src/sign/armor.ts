import { ArtifactsError } from '../core/errors.ts';

/** The armored blocks of that kind in a file, or undefined when it is binary. Text around them is no part of them. */
export function armoredBlocks(bytes: Uint8Array, kind: string): readonly string[] | undefined {
  const text = Buffer.from(bytes).toString('latin1');
  if (!text.includes(`-----BEGIN PGP ${kind}-----`)) return undefined;
  const [begin, end] = [`-----BEGIN PGP ${kind}-----`, `-----END PGP ${kind}-----`];
  const blocks: string[] = [];
  for (let at = text.indexOf(begin); at !== -1; at = text.indexOf(begin, at)) {
    const last = text.indexOf(end, at);
    if (last === -1) break;
    blocks.push(text.slice(at, last + end.length));
    at = last + end.length;
  }
  return blocks;
}

/** Throws E_CONFIG for a keybox, the format of GnuPG's own pubring.kbx: nobody but GnuPG reads it, apt neither. */
export function refuseKeybox(bytes: Uint8Array): void {
  if (Buffer.from(bytes.subarray(8, 12)).toString('latin1') !== 'KBXf') return;
  throw new ArtifactsError('E_CONFIG', 'The keyring is a GnuPG keybox, which cannot be read here', {
    hint: 'Export its keys: gpg --no-default-keyring --keyring FILE.kbx --armor --export > FILE.asc',
  });
}

export async function armorBytes(kind: 'signature' | 'publicKey', bytes: Uint8Array): Promise<string> {
  const openpgp = await import('openpgp');
  // With the checksum, which GnuPG before 2.4 expects.
  const text = openpgp.armor(openpgp.enums.armor[kind], bytes, undefined, undefined, undefined, true);
  return text.replaceAll('\r\n', '\n');
}
