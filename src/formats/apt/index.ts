/**
 * Debian repositories: Release, Packages, stanzas, versions. Partitions are `binary-<architecture>`: what is for all
 * architectures is stored and compressed once and stands in the index of each (RepositoryFormat, "Architectures").
 */
import { posix } from 'node:path';
import type { IndexPlan, RepoFormat } from '../format.ts';
import { readPackages } from './packages.ts';
import { poolPath } from './pool-path.ts';
import { readRelease, rootEntries, writeRelease } from './release.ts';
import { aptSubject } from './subject.ts';
import { compareVersions } from './version.ts';

export const apt: RepoFormat = {
  id: 'apt',
  compareVersions,
  subject: aptSubject,
  upstream: {
    entries: rootEntries,
    readRoot: readRelease,
    readIndex: (index, chunks) => readPackages(chunks, { name: index.name, section: 'binary' }),
  },
  publishing: {
    separator: '\n',
    folders: { distributions: 'dists', pool: 'pool' },
    // RepositoryFormat, "Acquire-By-Hash": beside the index, in a folder named after the strongest listed hash.
    hashedPath: (path, sha256) => `${posix.dirname(path)}/by-hash/SHA256/${sha256}`,
    poolPath,
    architectures: (partitions) =>
      [...new Set([...partitions].map((partition) => partition.replace(/^binary-/, '')))].filter((name) => name !== 'all').sort(),
    indexes: planIndexes,
    root: writeRelease,
    signedFiles: { clearsigned: 'InRelease', plain: 'Release', detached: 'Release.gpg' },
  },
};

function planIndexes(components: readonly string[], architectures: readonly string[]): IndexPlan[] {
  return components.flatMap((component) =>
    architectures.map((architecture) => ({
      path: `${component}/binary-${architecture}/Packages`,
      component,
      partitions: [...new Set([`binary-${architecture}`, 'binary-all'])],
    })),
  );
}
