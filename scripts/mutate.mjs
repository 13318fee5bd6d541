// Spoilt inputs through the real readers, told as counts: compiles, then runs test/mutation/main.ts.
// `npm run mutate -- [--seconds N] [--count N] [--seed S] [--first N] [--kind KIND]`
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const { status } = spawnSync(process.execPath, [fileURLToPath(new URL('build.mjs', import.meta.url))], { stdio: 'inherit' });
if (status !== 0) process.exit(status ?? 1);
await import('../build/test/mutation/main.js');
