import type { Catalog } from '../catalog/catalog.ts';
import type { RecordedArtifact } from '../catalog/artifacts.ts';
import { canonicalJson, sha256, type Sha256 } from '../core/digest.ts';
import { isHalfExpired } from '../publish/expiry.ts';
import { publicationId } from './nodes.ts';
import type { ReleaseFacts } from './plan.ts';
import { publicationPlaces, type ReleaseSpec } from './spec.ts';

/** What the catalog knows of a release's parts. */
export function releaseFacts(catalog: Catalog, spec: ReleaseSpec, now: Date): ReleaseFacts {
  const publications = new Map(publicationPlaces(spec).map((place) => [publicationId(place.prefix, place.distribution), place]));
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
      return { snapshot: publication.components[0]?.snapshot, generation: publication.generation, expiring: isHalfExpired(publication, now) };
    },
    artifact: (id) => catalog.artifacts.find(spec.name, id),
    digest: (id) => {
      const place = publications.get(id);
      return place === undefined ? catalog.artifacts.find(spec.name, id)?.digest : publicationDigest(catalog, place);
    },
    place: (place) => catalog.trees.served(place)?.inputs,
    indexed: (kind) => isIndexed(catalog, spec, kind),
    recorded: () => ({
      artifacts: catalog.artifacts.list(spec.name).map(({ id }) => id),
      places: catalog.trees.list().filter(({ release }) => release === spec.name).map(({ place }) => place),
    }),
    built: catalog.builds.latest(spec.name)?.inputs,
  };
}

/** Digest of the packages a publication serves. */
function publicationDigest(catalog: Catalog, { prefix, distribution }: { readonly prefix: string; readonly distribution: string }): Sha256 | undefined {
  const publication = catalog.publications.find(prefix, distribution);
  if (publication === undefined) return undefined;
  const contents = publication.components.map(({ component, snapshot }) => [component, catalog.snapshots.get(snapshot).content.digest]);
  return sha256(canonicalJson(contents));
}

/** Fingerprint of all that a kind's shared files list. */
export function indexInputs(kind: string, artifacts: readonly RecordedArtifact[]): Sha256 {
  return sha256(canonicalJson([kind, artifacts.map(({ release, id, digest }) => [release, id, digest])]));
}

function isIndexed(catalog: Catalog, { kinds }: ReleaseSpec, name: string): boolean {
  const artifacts = catalog.artifacts.ofKind(name);
  const inputs = indexInputs(name, artifacts);
  const listed = kinds.find((kind) => kind.name === name)?.shared?.(artifacts) ?? [];
  return listed.every(({ path }) => catalog.trees.served(path.slice(0, path.lastIndexOf('/')))?.inputs === inputs);
}
