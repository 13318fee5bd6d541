// A thread of the program: see src/util/thread.ts.
import { parentPort, workerData } from 'node:worker_threads';
import { program } from './program.js';

await program.threads[workerData.work](workerData.data, parentPort);
