/**
 * Rpm repositories: repomd.xml, primary, filelists and other, packages, versions. Partitions are the architectures of
 * packages, `noarch` and `src` among them; each architecture that packages run on is published as a repository of its own.
 */
import type { RepoFormat, UpstreamIndex, UpstreamPackage } from '../format.ts';
import { exactFormat } from './exact.ts';
import { readExtraFiles } from './extra-files.ts';
import { localFiles } from './local.ts';
import { readMirrorList } from './mirror-list.ts';
import { otherDigests } from './other-digests.ts';
import { rpmNames } from './package-names.ts';
import { EXTRA_FILES } from './pool-path.ts';
import { publishing } from './publishing.ts';
import { readPackages } from './read-index.ts';
import { readRoot, rootEntries } from './root.ts';
import { rpmSubject } from './subject.ts';
import { readTree, wantedLists } from './treeinfo.ts';
import { compareVersions } from './version.ts';

export const rpm: RepoFormat = {
  id: 'rpm',
  compareVersions,
  names: rpmNames,
  subject: rpmSubject,
  capabilityWord: 'rpm:provides',
  companionWords: { recommends: 'rpm:supplements', suggests: 'rpm:enhances' },
  upstream: {
    entries: rootEntries,
    readRoot,
    readIndex,
    readMirrorList,
    others: otherDigests,
    readBundle: (index, text) => (index.name === EXTRA_FILES ? readExtraFiles(text) : readTree(index, text)),
    unlisted: wantedLists,
  },
  local: localFiles,
  publishing,
  exact: exactFormat,
};

function readIndex(
  index: UpstreamIndex,
  chunks: AsyncIterable<Buffer>,
  companions: readonly AsyncIterable<Buffer>[] = [],
): AsyncIterable<readonly UpstreamPackage[]> {
  const find = (kind: string): AsyncIterable<Buffer> | undefined => companions[index.companions?.findIndex((one) => one.kind === kind) ?? -1];
  return readPackages({ primary: chunks, filelists: find('filelists'), other: find('other'), modules: find('modules') }, { wants: (partition) => index.wants?.(partition) ?? true, weak: index.weak === true });
}
