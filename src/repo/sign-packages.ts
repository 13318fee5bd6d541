/** Signing package files before they are taken in: into copies, for the files are the user's. */
import { closeSync, openSync, readSync } from 'node:fs';
import { basename, join } from 'node:path';
import type { Context } from '../core/context.ts';
import { ArtifactsError } from '../core/errors.ts';
import type { LocalFormat, PackageSigning } from '../formats/format.ts';
import type { Signer } from '../sign/signer.ts';
import * as durable from '../util/durable.ts';
import type { FoundFile } from './find-files.ts';

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

interface Tools {
  readonly format: LocalFormat;
  readonly signer: Signer;
  readonly signing: PackageSigning;
}

/** Undefined when one of our keys signed it already: signing anew would change its bytes and nothing else. */
async function signedCopy(path: string, folder: string, { format, signer, signing }: Tools): Promise<string | undefined> {
  const scan = format.scan(path);
  for (const piece of pieces(path, 0)) scan.push(piece);
  const head = scan.end().bytes;
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

const PIECE = 1024 * 1024;

function* pieces(path: string, from: number): Generator<Buffer> {
  const file = openSync(path, 'r');
  try {
    for (let at = from; ; ) {
      const piece = Buffer.allocUnsafe(PIECE);
      const count = readSync(file, piece, 0, PIECE, at);
      if (count === 0) return;
      at += count;
      yield piece.subarray(0, count);
    }
  } finally {
    closeSync(file);
  }
}
