/** Signing package files before they are taken in: into copies, for the files are the user's. */
import { basename, join } from 'node:path';
import type { Context } from '../core/context.ts';
import { ArtifactsError } from '../core/errors.ts';
import type { LocalFormat, PackageSigning } from '../formats/format.ts';
import type { Signer } from '../sign/signer.ts';
import { verifyPackage } from '../sign/verify-package.ts';
import * as durable from '../util/durable.ts';
import { pieces } from '../util/pieces.ts';
import type { FoundFile } from './find-files.ts';
import { readOwn } from './own-file.ts';

export interface SigningTools {
  readonly format: LocalFormat;
  readonly signer: Signer;
  /** For the copies; the caller removes it. */
  readonly folder: string;
}

/** The same files, those without a signature by our key as signed copies. Throws E_USAGE where packages carry none. */
export async function signPackages(files: readonly FoundFile[], { format, signer, folder }: SigningTools, ctx: Context): Promise<FoundFile[]> {
  const { signing } = format;
  if (signing === undefined) {
    throw new ArtifactsError('E_USAGE', 'Packages of this repository carry no signatures', { hint: 'Leave --sign out: what is published is signed as a whole.' });
  }
  const signed: FoundFile[] = [];
  for (const [number, file] of files.entries()) {
    ctx.signal.throwIfAborted();
    const copy = file.kind === 'package' ? await signedCopy(file.path, join(folder, String(number)), { format, signer, signing }) : undefined;
    signed.push(copy === undefined ? file : { ...file, path: copy });
  }
  return signed;
}

export interface SignatureRequest {
  /** Files of public keys. */
  readonly keyrings: readonly string[];
  /** Full fingerprints of the keys that count; none: all of the keyrings. */
  readonly fingerprints: readonly string[];
}

/** Throws E_UNSIGNED, E_SIGNATURE… for the first package that none of the keys has signed. */
export async function requireSignatures(files: readonly FoundFile[], request: SignatureRequest, { format, now }: { readonly format: LocalFormat; readonly now: Date }): Promise<void> {
  const { signing } = format;
  if (signing === undefined) {
    throw new ArtifactsError('E_USAGE', 'Packages of this repository carry no signatures', { hint: 'Leave --keyring out; uploads are verified by `repo include`.' });
  }
  const trust = { keyrings: request.keyrings.map(readOwn), fingerprints: request.fingerprints, now };
  for (const { path, kind } of files) {
    if (kind !== 'package') continue;
    const head = headOf(path, format);
    const signed = { signed: signing.signedBytes(head), coversAll: signing.coversAll(head), signatures: signing.signatures(head) };
    await verifyPackage(signed, { ...trust, name: basename(path) });
  }
}

function headOf(path: string, format: LocalFormat): Buffer {
  const scan = format.scan(path);
  for (const piece of pieces(path)) scan.push(piece);
  return scan.end().bytes;
}

interface Tools {
  readonly format: LocalFormat;
  readonly signer: Signer;
  readonly signing: PackageSigning;
}

/** Undefined when one of our keys signed it already: signing anew would change its bytes and nothing else. */
async function signedCopy(path: string, folder: string, { format, signer, signing }: Tools): Promise<string | undefined> {
  const head = headOf(path, format);
  const made = await signer.signedBy(signing.signatures(head));
  if (made.some((fingerprint) => signer.fingerprints.includes(fingerprint))) return undefined;
  const [signature] = await signer.signBytes(signing.signedBytes(head), signing.builtAt(head));
  if (signature === undefined) throw new Error('A signer without keys was opened');
  const copy = join(folder, basename(path));
  durable.writeNewFile(copy, (write) => {
    write(signing.withSignature(head, signature));
    for (const piece of pieces(path, head.length)) write(piece);
  });
  return copy;
}
