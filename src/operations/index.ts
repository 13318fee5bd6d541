import { build } from './build.ts';
import { configCheck } from './config-check.ts';
import { configShow } from './config-show.ts';
import { dbCheck } from './db-check.ts';
import { dbCleanup } from './db-cleanup.ts';
import { graph } from './graph.ts';
import { importAptly } from './import-aptly.ts';
import { mirrorDrop } from './mirror-drop.ts';
import { mirrorList } from './mirror-list.ts';
import { mirrorSearch } from './mirror-search.ts';
import { mirrorShow } from './mirror-show.ts';
import { mirrorUpdate } from './mirror-update.ts';
import type { Operation } from './operation.ts';
import { overrides } from './overrides.ts';
import { packageSearch } from './package-search.ts';
import { packageShow } from './package-show.ts';
import { plan } from './plan.ts';
import { publishDrop } from './publish-drop.ts';
import { publishList } from './publish-list.ts';
import { publishRepo } from './publish-repo.ts';
import { publishShow } from './publish-show.ts';
import { publishSnapshot } from './publish-snapshot.ts';
import { publishSourceAdd } from './publish-source-add.ts';
import { publishSourceDrop } from './publish-source-drop.ts';
import { publishSourceList } from './publish-source-list.ts';
import { publishSourceRemove } from './publish-source-remove.ts';
import { publishSourceReplace } from './publish-source-replace.ts';
import { publishSourceUpdate } from './publish-source-update.ts';
import { publishSwitch } from './publish-switch.ts';
import { publishUpdate } from './publish-update.ts';
import { publishVerify } from './publish-verify.ts';
import { pull } from './pull.ts';
import { push } from './push.ts';
import { releaseCompleteness } from './release-completeness.ts';
import { releaseList } from './release-list.ts';
import { releaseShow } from './release-show.ts';
import { repoAdd } from './repo-add.ts';
import { repoCopy } from './repo-copy.ts';
import { repoCreate } from './repo-create.ts';
import { repoDrop } from './repo-drop.ts';
import { repoEdit } from './repo-edit.ts';
import { repoImport } from './repo-import.ts';
import { repoInclude } from './repo-include.ts';
import { repoList } from './repo-list.ts';
import { repoMetadataAdd } from './repo-metadata-add.ts';
import { repoMetadataRemove } from './repo-metadata-remove.ts';
import { repoMove } from './repo-move.ts';
import { repoRemove } from './repo-remove.ts';
import { repoRename } from './repo-rename.ts';
import { repoSearch } from './repo-search.ts';
import { repoShow } from './repo-show.ts';
import { snapshotCreate } from './snapshot-create.ts';
import { snapshotDiff } from './snapshot-diff.ts';
import { snapshotDrop } from './snapshot-drop.ts';
import { snapshotFilter } from './snapshot-filter.ts';
import { snapshotList } from './snapshot-list.ts';
import { snapshotMerge } from './snapshot-merge.ts';
import { snapshotPrune } from './snapshot-prune.ts';
import { snapshotPull } from './snapshot-pull.ts';
import { snapshotRename } from './snapshot-rename.ts';
import { snapshotSearch } from './snapshot-search.ts';
import { snapshotShow } from './snapshot-show.ts';
import { snapshotVerify } from './snapshot-verify.ts';
import { stage } from './stage.ts';
import { status } from './status.ts';
import { targetCleanup } from './target-cleanup.ts';

/** Every operation: one file beside this one, one name here. Help lists them in this order. */
export const operations: readonly Operation[] = [
  build,
  plan,
  mirrorList,
  mirrorShow,
  mirrorSearch,
  mirrorUpdate,
  mirrorDrop,
  repoCreate,
  repoList,
  repoShow,
  repoSearch,
  repoAdd,
  repoInclude,
  repoRemove,
  repoMetadataAdd,
  repoMetadataRemove,
  repoCopy,
  repoMove,
  repoImport,
  repoEdit,
  repoRename,
  repoDrop,
  snapshotCreate,
  snapshotList,
  snapshotShow,
  snapshotSearch,
  snapshotMerge,
  snapshotFilter,
  snapshotPull,
  snapshotDiff,
  snapshotVerify,
  snapshotRename,
  snapshotDrop,
  snapshotPrune,
  packageSearch,
  packageShow,
  publishSnapshot,
  publishRepo,
  publishSwitch,
  publishUpdate,
  publishSourceAdd,
  publishSourceRemove,
  publishSourceUpdate,
  publishSourceReplace,
  publishSourceList,
  publishSourceDrop,
  publishList,
  publishShow,
  publishVerify,
  publishDrop,
  graph,
  importAptly,
  releaseList,
  releaseShow,
  releaseCompleteness,
  push,
  pull,
  targetCleanup,
  overrides,
  stage,
  status,
  configShow,
  configCheck,
  dbCheck,
  dbCleanup,
];
