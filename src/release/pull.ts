/** Bringing the files of a release back to a builder's pool. */
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import type { Context } from '../core/context.ts';
import type { Pool } from '../pool/index.ts';
import { openReceiver } from '../repo/receive.ts';
import { requireManifest, type PinnedKeys } from './availability.ts';
import { planCopy } from './copy-plan.ts';
import type { ReleaseSource } from './release-source.ts';

export interface PullRequest {
  readonly release: string;
  readonly pinned: PinnedKeys;
  readonly temporary: string;
}

export interface Pulled {
  readonly release: string;
  readonly build: string;
  /** The name of the target. */
  readonly from: string;
  /** What the pool lacked. */
  readonly files: number;
  readonly bytes: number;
}

/** Fetches what the pool lacks of the files that releases share; indexes and the like are made anew anyway. */
export async function pullIntoPool(
  { release, pinned, temporary }: PullRequest,
  { source, pool }: { readonly source: ReleaseSource; readonly pool: Pool },
  ctx: Context,
): Promise<Omit<Pulled, 'from'>> {
  const { manifest } = await requireManifest(source, release, pinned, ctx);
  const { hashed, shared } = planCopy(manifest);
  const missing = [...hashed, ...shared].filter(({ sha256 }) => !pool.has(sha256));
  const folder = join(temporary, `pull-${manifest.digest.slice(0, 16)}`); // found again by the next run
  if (missing.length > 0) await source.fetch(missing, folder, ctx);
  const receiver = openReceiver(pool, `pull-${release}`);
  for (const { path } of missing) receiver.receive(join(folder, path));
  await receiver.settle();
  receiver.clear();
  rmSync(folder, { recursive: true, force: true });
  return { release, build: manifest.build, files: missing.length, bytes: missing.reduce((sum, { size }) => sum + size, 0) };
}
