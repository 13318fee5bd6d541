import type { Catalog } from '../catalog/catalog.ts';
import { isHalfExpired } from '../publish/expiry.ts';
import type { ReleaseFacts } from './plan.ts';

/** What the catalog knows of a release's parts. */
export function releaseFacts(catalog: Catalog, release: string, now: Date): ReleaseFacts {
  return {
    slushie: (name) => {
      const snapshot = catalog.snapshots.find(name);
      if (snapshot === undefined) return undefined;
      const { id, origin, content } = snapshot;
      return {
        id,
        inputs: origin.kind === 'mirror' ? origin.inputs : undefined,
        repoContent: origin.kind === 'repo' ? content.digest : undefined,
      };
    },
    snapshot: (name) => catalog.snapshots.find(name)?.id,
    mirrorInputs: (name) => catalog.mirrors.get(name)?.inputs,
    mirrorDescription: (name) => catalog.mirrors.get(name)?.description,
    merged: (name) => {
      const origin = catalog.snapshots.find(name)?.origin;
      return origin?.kind === 'merge' ? { sources: origin.sources.map(({ id }) => id), policy: origin.policy } : undefined;
    },
    published: (prefix, distribution) => {
      const publication = catalog.publications.find(prefix, distribution);
      if (publication === undefined) return undefined;
      return { snapshot: publication.components[0]?.snapshot, expiring: isHalfExpired(publication, now) };
    },
    built: catalog.builds.latest(release) !== undefined,
  };
}
