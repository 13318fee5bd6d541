/** Wheels, virtualenvs, and the indexes that list them. */
import type { Artifact } from '../../core/artifact.ts';
import { sha256 } from '../../core/digest.ts';
import type { ArtifactKind, Listing } from '../kind.ts';
import { wheelsOf } from './facts.ts';
import { keptPython } from './kept.ts';
import { manifest } from './lists.ts';
import { linksPage, simpleIndex } from './simple-index.ts';

export const pythonKind: ArtifactKind = {
  name: 'python',
  listings: (place, artifacts) => {
    const own = artifacts.filter(({ kind }) => kind === 'python');
    if (own.length === 0 || !place.startsWith('os-releases/')) return [];
    const wheels = own.flatMap((artifact) => wheelsOf(artifact)?.wheels ?? []);
    // RPC-O's roles look for links in the place itself, and a server may not list folders.
    const page = { path: `${place}/index.html`, bytes: linksPage(place, '', wheels), signed: false };
    const simple = [page, ...simpleIndex(place, wheels)];
    const sums = { path: `${place}/SHA256SUMS`, signed: true };
    const listed = [...simple, manifest(place, own, [...simple.map(({ path }) => path), sums.path])];
    return [...listed, { ...sums, bytes: digests(place, own, listed) }];
  },
  kept: keptPython,
  // Beside `links/` and not in it: that folder holds files of all releases, and this page is replaced as a whole.
  shared: (artifacts) => {
    const wheels = new Map(
      artifacts.flatMap((artifact) => wheelsOf(artifact)?.wheels ?? []).map(({ file, sha256: digest }) => [file, { file, sha256: digest }]),
    );
    const sorted = [...wheels.values()].sort((a, b) => (a.file < b.file ? -1 : 1));
    return sorted.length === 0 ? [] : [{ path: 'wheels/index.html', bytes: linksPage('All wheels', '../links/', sorted), signed: false }];
  },
};

/** As `sha256sum -c` reads it, from within the place. */
function digests(place: string, artifacts: readonly Artifact[], listed: readonly Listing[]): string {
  const files = artifacts.flatMap(({ files: own }) => own.filter(({ path }) => path.startsWith(`${place}/`)));
  const all = [...files.map(({ path, sha256: digest }) => ({ path, digest })), ...listed.map(({ path, bytes }) => ({ path, digest: sha256(bytes) }))];
  const lines = all.map(({ path, digest }) => `${digest}  ${path.slice(place.length + 1)}\n`);
  return lines.sort((a, b) => (a.slice(66) < b.slice(66) ? -1 : 1)).join('');
}
