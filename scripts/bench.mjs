// Measures the program beside aptly: compiles, then runs bench/bench.ts. Options follow `npm run bench --`; with `git` as the
// first of them it is bench/git.ts, git artifacts beside `git clone` and `tar`; with `rootfs` bench/rootfs.ts, an image beside
// mmdebstrap, tar and xz; with `rpm` bench/rpm.ts, rpm repositories beside createrepo_c, mergerepo_c and dnf reposync.
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const { status } = spawnSync(process.execPath, [fileURLToPath(new URL('build.mjs', import.meta.url))], { stdio: 'inherit' });
if (status !== 0) process.exit(status ?? 1);
try {
  const own = ['git', 'rootfs', 'rpm'].find((name) => name === process.argv[2]);
  await import(`../build/bench/${own ?? 'bench'}.js`);
} catch (error) {
  console.error(`bench: ${error instanceof Error ? error.message : error}`);
  process.exit(1);
}
