/** Folders of rpms for the bench, written once and kept for later runs. */
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { controlRecords } from './records.ts';
import type { RpmJob } from './rpm-packages.ts';

export const SMALL = 3000;
export const LARGE = 20_000;
export const CHANGES = 50;
/** All packages there are; the smaller folder has one in so many of them. */
const TOTAL = LARGE + LARGE / 2;
const SMALL_ONE_IN = TOTAL / SMALL;

/** What a folder holds. */
export interface RpmFolders {
  readonly small: string;
  readonly large: string;
  /** As large, and half of its packages are in `large` too. */
  readonly other: string;
  /** Newer versions of some packages of each. */
  readonly smallChanges: string;
  readonly largeChanges: string;
}

/** Finds them in the cache, or writes them there. */
export async function prepareRpms(cache: string, say: (text: string) => void): Promise<RpmFolders> {
  const { records, origin } = await controlRecords(TOTAL);
  const digest = createHash('sha256').update(records.join('\n')).digest('hex').slice(0, 12);
  const top = join(cache, `rpms-${digest}`);
  const names = ['small', 'large', 'other', 'smallChanges', 'largeChanges'] as const;
  const folders = Object.fromEntries(names.map((name) => [name, join(top, name)])) as unknown as RpmFolders;
  if (existsSync(join(top, 'complete'))) return folders;
  say(`writing ${TOTAL.toLocaleString('en')} rpms (${origin}); later runs use them again`);
  rmSync(top, { recursive: true, force: true });
  for (const folder of Object.values(folders) as readonly string[]) mkdirSync(folder, { recursive: true });
  const jobs = records.flatMap((record, at) => jobsOf(record, at, folders));
  const half = Math.ceil(jobs.length / 2);
  await Promise.all([jobs.slice(0, half), jobs.slice(half)].map(inWorker));
  writeFileSync(join(top, 'complete'), '');
  return folders;
}

/** Both kinds of changes are spread over the alphabet. */
function jobsOf(record: string, at: number, { small, large, other, smallChanges, largeChanges }: RpmFolders): RpmJob[] {
  const isSmall = at % SMALL_ONE_IN === 0;
  const homes = [...(isSmall ? [small] : []), ...(at < LARGE ? [large] : []), ...(at >= LARGE / 2 ? [other] : [])];
  const changed = [...(isSmall && at % (SMALL_ONE_IN * (SMALL / CHANGES)) === 0 ? [smallChanges] : []), ...(at < LARGE && at % (LARGE / CHANGES) === 0 ? [largeChanges] : [])];
  return [{ record, revision: 1, folders: homes }, ...(changed.length === 0 ? [] : [{ record, revision: 2, folders: changed }])];
}

function inWorker(jobs: readonly RpmJob[]): Promise<void> {
  return new Promise((resolve, reject) => {
    const worker = new Worker(new URL('./rpm-worker.js', import.meta.url), { workerData: jobs });
    worker.once('message', () => resolve());
    worker.once('error', reject);
  });
}
