// Compiles src/, test/ and bench/ to build/. `--if-possible` (npm's prepare step) accepts an install without the
// development tools, where there is no compiler and nothing to build.
import { spawnSync } from 'node:child_process';
import { existsSync, rmSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const compiler = new URL('../node_modules/typescript/bin/tsc', import.meta.url);

if (!existsSync(compiler)) {
  if (process.argv.includes('--if-possible')) process.exit(0);
  console.error('The compiler is not installed. Run `npm ci` first.');
  process.exit(2);
}
if (process.argv.includes('--clean')) rmSync(new URL('../build', import.meta.url), { recursive: true, force: true });
const { status } = spawnSync(process.execPath, [fileURLToPath(compiler), '-p', root], { stdio: 'inherit', cwd: root });
process.exit(status ?? 1);
