/** The signatures of packages themselves, where the definition of a mirror asks for them. */
import type { Clock, Context } from '../core/context.ts';
import { ArtifactsError } from '../core/errors.ts';
import type { RepoFormat } from '../formats/format.ts';
import type { Pool } from '../pool/index.ts';
import { verifyPackage } from '../sign/verify-package.ts';
import { counted } from '../util/counted.ts';
import { pieces } from '../util/pieces.ts';
import type { MirrorDefinition } from './definition.ts';
import type { Candidate } from './spool.ts';

export interface SignatureTools {
  readonly mirror: MirrorDefinition;
  readonly format: RepoFormat;
  readonly pool: Pool;
  readonly clock: Clock;
}

/** Packages that lie in the pool already. Throws E_UNSIGNED, E_SIGNATURE… for the first that is not signed by one of the keys. */
export async function checkSignatures(candidates: readonly Candidate[], { mirror, format, pool, clock }: SignatureTools, ctx: Context): Promise<void> {
  const { packageTrust } = mirror;
  if (packageTrust === undefined) return;
  const { local, publishing } = format;
  const { signing } = local;
  if (signing === undefined) throw new ArtifactsError('E_CONFIG', `Mirror "${mirror.name}": packages of this kind carry no signatures`);
  const packages = candidates.filter(({ partition }) => partition !== publishing.listed.partition);
  const progress = { id: `signatures ${mirror.name}`, label: `${mirror.name}: checking the signatures of ${counted(packages.length, 'package')}`, total: packages.length, unit: 'files' } as const;
  for (const [done, { files }] of packages.entries()) {
    ctx.signal.throwIfAborted();
    ctx.report({ type: 'progress', ...progress, done });
    for (const { name, sha256 } of files) {
      const scan = local.scan(name);
      for (const piece of pieces(pool.path(sha256))) scan.push(piece);
      const head = scan.end().bytes;
      const signed = { signed: signing.signedBytes(head), coversAll: signing.coversAll(head), signatures: signing.signatures(head) };
      await verifyPackage(signed, { ...packageTrust, now: clock(), name });
    }
  }
  if (packages.length > 0) ctx.report({ type: 'progress-end', id: progress.id });
}
