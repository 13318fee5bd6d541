import type { Catalog } from '../catalog/catalog.ts';
import type { MirrorState } from '../catalog/mirrors.ts';
import { ArtifactsError } from '../core/errors.ts';

/** The definition's mirror in the catalog. Throws E_NOT_FOUND when it was never updated. */
export function requireMirrorState(catalog: Catalog, name: string): MirrorState {
  const state = catalog.mirrors.get(name);
  if (state !== undefined) return state;
  throw new ArtifactsError('E_NOT_FOUND', `Mirror "${name}" has no content yet`, {
    hint: `Run \`artifacts mirror update ${name}\` first.`,
  });
}
