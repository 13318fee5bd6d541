/** Git repositories at one commit each, as archives that need no server: what a release's archives are and what lists them. */
import type { Artifact } from '../../core/artifact.ts';
import type { ArtifactKind, Listing } from '../kind.ts';
import { gitFacts } from './facts.ts';
import { keptMirrors } from './mirror.ts';

export const gitKind: ArtifactKind = {
  name: 'git',
  listings: (place, artifacts) => {
    const ours = artifacts.filter(({ kind }) => kind === 'git').sort((a, b) => (a.id < b.id ? -1 : 1));
    return ours.length === 0 ? [] : [index(place, ours), sums(place, ours)];
  },
  kept: keptMirrors,
};

function index(place: string, artifacts: readonly Artifact[]): Listing {
  const repositories = artifacts.flatMap((artifact) => {
    const facts = gitFacts(artifact);
    const file = artifact.files.find(({ path }) => path.endsWith('.tgz'));
    if (facts === undefined || file === undefined) return [];
    const { url, version, ref, commit, date, tags, submodules, lfs } = facts;
    const name = artifact.id.slice('git '.length);
    return [{ name, url, version, ref: ref ?? null, commit, date, tags, submodules, lfs, file: file.path.slice(place.length + 1), size: file.size, sha256: file.sha256 }];
  });
  const text = JSON.stringify({ release: artifacts[0]?.release, repositories }, undefined, 2);
  return { path: `${place}/index.json`, bytes: `${text}\n`, signed: true };
}

/** As `sha256sum --check` reads it. */
function sums(place: string, artifacts: readonly Artifact[]): Listing {
  const files = artifacts.flatMap(({ files }) => files).filter(({ path }) => path.startsWith(`${place}/`));
  const lines = files.map(({ path, sha256 }) => ({ name: path.slice(place.length + 1), sha256 })).sort((a, b) => (a.name < b.name ? -1 : 1));
  return { path: `${place}/SHA256SUMS`, bytes: lines.map(({ name, sha256 }) => `${sha256}  ${name}\n`).join(''), signed: true };
}
