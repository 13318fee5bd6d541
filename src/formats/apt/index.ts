/**
 * Debian repositories: Release, Packages, stanzas, versions. Partitions are `binary-<architecture>`: what is for all
 * architectures is stored and compressed once and stands in the index of each (RepositoryFormat, "Architectures").
 */
import { posix } from 'node:path';
import { ArtifactsError } from '../../core/errors.ts';
import type { ClientProfile, IndexFrame, IndexPlan, PlannedComponent, RepoFormat, UpstreamIndex, UpstreamPackage } from '../format.ts';
import { contentsFormat } from './contents.ts';
import { readBundle, servedBundle } from './installer.ts';
import { listedFiles } from './listed.ts';
import { localFiles } from './local.ts';
import { aptNames } from './package-names.ts';
import { readPackages } from './packages.ts';
import { poolPaths, SOURCE } from './pool-path.ts';
import { readRelease, rootEntries } from './release.ts';
import { readServed } from './served-release.ts';
import { readSources } from './sources.ts';
import { aptSubject } from './subject.ts';
import { compareVersions } from './version.ts';
import { writeRelease } from './write-release.ts';

/** Stanzas stand in their index whole, and nothing stands around them. */
const WHOLE = '';
const NO_FRAME: IndexFrame = { head: Buffer.alloc(0), tail: Buffer.alloc(0) };

export const apt: RepoFormat = {
  id: 'apt',
  compareVersions,
  names: aptNames,
  subject: aptSubject,
  capabilityWord: 'provides:',
  companionWords: {}, // apt shows Enhances, and installs nothing by it
  upstream: {
    entries: rootEntries,
    readRoot: readRelease,
    readIndex,
    readBundle,
  },
  local: localFiles,
  publishing: {
    separator: '\n',
    profile,
    untold: [],
    parts: [WHOLE],
    textOf: (text) => text,
    frame: () => NO_FRAME,
    folders: { distributions: 'dists', pool: 'pool' },
    // RepositoryFormat, "Acquire-By-Hash": beside the index, in a folder named after the strongest listed hash.
    hashedPath: (path, sha256) => `${posix.dirname(path)}/by-hash/SHA256/${sha256}`,
    namesStay: true,
    poolPaths,
    architectures: architecturesOf,
    indexes: planIndexes,
    listed: listedFiles,
    fileLists: contentsFormat,
    seats: () => [{ root: '' }],
    clientLines: ({ prefix, distribution, components }) => [
      { label: 'Source line', line: `deb [signed-by=KEY] URL/${prefix} ${distribution} ${components.join(' ')}` },
    ],
    root: writeRelease,
    readServed,
    readBundle: servedBundle,
    signedFiles: { clearsigned: 'InRelease', plain: 'Release', detached: 'Release.gpg' },
  },
};

const PROFILE: ClientProfile = { packings: ['gz', 'xz'], listedForms: () => undefined };

function profile(clients: string | undefined): ClientProfile {
  if (clients === undefined) return PROFILE;
  throw new ArtifactsError('E_USAGE', 'Kinds of clients are for repositories of rpm', { hint: 'Leave it out: what is published for apt is read by every apt.' });
}

function readIndex(index: UpstreamIndex, chunks: AsyncIterable<Buffer>): AsyncIterable<readonly UpstreamPackage[]> {
  if (index.kind === 'sources') return readSources(chunks, index.name);
  return readPackages(chunks, { name: index.name, section: index.kind === 'udebs' ? 'debian-installer' : 'binary' });
}

/** Sources and udebs have indexes only where the component has any; udebs never stand in the plain index. */
function planIndexes({ component, partitions }: PlannedComponent, architectures: readonly string[]): IndexPlan[] {
  const plans: IndexPlan[] = architectures.map((architecture) => ({
    path: `${component}/binary-${architecture}/Packages`,
    component,
    partitions: [...new Set([`binary-${architecture}`, 'binary-all'])],
    part: WHOLE,
  }));
  const udebs = [...partitions].filter((partition) => partition.startsWith('debian-installer-'));
  for (const architecture of udebs.length === 0 ? [] : architectures) {
    const path = `${component}/debian-installer/binary-${architecture}/Packages`;
    plans.push({ path, component, partitions: [`debian-installer-${architecture}`, 'debian-installer-all'], part: WHOLE });
  }
  if (partitions.has(SOURCE)) plans.push({ path: `${component}/source/Sources`, component, partitions: [SOURCE], part: WHOLE });
  return plans;
}

/** The architectures of programs and udebs; `all` is in the indexes of each, and sources have none. */
function architecturesOf(partitions: Iterable<string>, asked: readonly string[]): readonly string[] {
  const named = [...partitions].flatMap((partition) => /^(?:binary|debian-installer)-(.*)$/.exec(partition)?.[1] ?? []);
  const present = [...new Set(named)].filter((name) => name !== 'all');
  return (present.length === 0 ? [...new Set(asked)] : present).sort();
}
