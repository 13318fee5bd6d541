import type { Catalog } from '../catalog/catalog.ts';
import type { ReleaseFacts } from './plan.ts';

/** What the catalog knows of a release's parts. */
export function releaseFacts(catalog: Catalog, release: string): ReleaseFacts {
  return {
    slushie: (name) => {
      const snapshot = catalog.snapshots.find(name);
      if (snapshot === undefined) return undefined;
      const { origin } = snapshot;
      return { id: snapshot.id, inputs: origin.kind === 'mirror' ? origin.inputs : undefined };
    },
    snapshot: (name) => catalog.snapshots.find(name)?.id,
    mirrorDescription: (name) => catalog.mirrors.get(name)?.description,
    merged: (name) => {
      const origin = catalog.snapshots.find(name)?.origin;
      return origin?.kind === 'merge' ? { sources: origin.sources.map(({ id }) => id), policy: origin.policy } : undefined;
    },
    published: (prefix, distribution) => {
      const publication = catalog.publications.find(prefix, distribution);
      return publication === undefined ? undefined : { snapshot: publication.components[0]?.snapshot };
    },
    built: catalog.builds.latest(release) !== undefined,
  };
}
