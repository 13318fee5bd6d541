/** The release's own packages, which wheels are built against and images are made of. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { AptSource } from '../sandbox/root.ts';

export interface Publication {
  /** The node that makes it. */
  readonly node: string;
  readonly prefix: string;
  readonly suite: string;
  readonly components: readonly string[];
  /** Path of the public key, below the public folder. */
  readonly key: string;
}

/** Wins over every version of every other source, also over newer ones: apt_preferences(5). */
const RELEASE_PRIORITY = 1001;

/** The publication as a source; none while it is not published, as in a run that tries a later part of a release alone. */
export function releaseSources({ prefix, suite, components, key }: Publication, publicRoot: string): readonly AptSource[] {
  if (!existsSync(join(publicRoot, prefix, 'dists', suite))) return [];
  const uri = `file:${join(publicRoot, prefix)}`;
  return [{ uri, suite, components, signedBy: join(publicRoot, key), priority: RELEASE_PRIORITY }];
}
