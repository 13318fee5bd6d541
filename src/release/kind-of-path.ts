import type { ReadManifest } from './read-manifest.ts';

/** Folders of repositories; what else a release has, its artifacts tell. */
const REPOSITORIES: ReadonlyMap<string, string> = new Map([['apt-mirror', 'apt'], ['rpm-mirror', 'rpm']]);

/** Which kind of artifact a file of a release belongs to; undefined for what belongs to the release itself, as overrides do. */
export function kindFinder({ artifacts, places }: Pick<ReadManifest, 'artifacts' | 'places'>): (path: string) => string | undefined {
  const byPath = new Map(artifacts.flatMap(({ kind, files }) => files.map(({ path }) => [path, kind] as const)));
  const byPlace = new Map<string, string>();
  for (const place of places) {
    const kind = [...byPath].find(([path]) => path.startsWith(`${place}/`))?.[1];
    if (kind !== undefined) byPlace.set(place, kind);
  }
  return (path) => {
    const repository = REPOSITORIES.get(path.slice(0, path.indexOf('/')));
    return repository ?? byPath.get(path) ?? [...byPlace].find(([place]) => path.startsWith(`${place}/`))?.[1];
  };
}
