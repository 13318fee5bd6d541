/** Writes rpms in a thread of its own: half of them each keeps two cores busy. */
import { parentPort, workerData } from 'node:worker_threads';
import { storeRpm, type RpmJob } from './rpm-packages.ts';

for (const job of workerData as readonly RpmJob[]) storeRpm(job);
// oxlint-disable-next-line unicorn/require-post-message-target-origin -- that is for windows
parentPort?.postMessage('done');
