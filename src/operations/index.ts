import { build } from './build.ts';
import { configCheck } from './config-check.ts';
import { configShow } from './config-show.ts';
import { dbCheck } from './db-check.ts';
import { dbCleanup } from './db-cleanup.ts';
import { mirrorDrop } from './mirror-drop.ts';
import { mirrorList } from './mirror-list.ts';
import { mirrorShow } from './mirror-show.ts';
import { mirrorUpdate } from './mirror-update.ts';
import type { Operation } from './operation.ts';
import { plan } from './plan.ts';
import { publishDrop } from './publish-drop.ts';
import { publishList } from './publish-list.ts';
import { publishShow } from './publish-show.ts';
import { publishSnapshot } from './publish-snapshot.ts';
import { publishSwitch } from './publish-switch.ts';
import { releaseList } from './release-list.ts';
import { releaseShow } from './release-show.ts';
import { snapshotCreate } from './snapshot-create.ts';
import { snapshotDiff } from './snapshot-diff.ts';
import { snapshotDrop } from './snapshot-drop.ts';
import { snapshotList } from './snapshot-list.ts';
import { snapshotMerge } from './snapshot-merge.ts';
import { snapshotShow } from './snapshot-show.ts';

/** Every operation: one file beside this one, one name here. Help lists them in this order. */
export const operations: readonly Operation[] = [
  build,
  plan,
  mirrorList,
  mirrorShow,
  mirrorUpdate,
  mirrorDrop,
  snapshotCreate,
  snapshotList,
  snapshotShow,
  snapshotMerge,
  snapshotDiff,
  snapshotDrop,
  publishSnapshot,
  publishSwitch,
  publishList,
  publishShow,
  publishDrop,
  releaseList,
  releaseShow,
  configShow,
  configCheck,
  dbCheck,
  dbCleanup,
];
