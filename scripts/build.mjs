// Compiles src/, test/ and bench/ to build/, then puts the program into few files, build/bundle, which start faster.
// `--if-possible` (npm's prepare step) accepts an install without the development tools, where there is no compiler and
// nothing to build.
import { spawnSync } from 'node:child_process';
import { existsSync, rmSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const compiler = new URL('../node_modules/typescript/bin/tsc', import.meta.url);
const bundler = new URL('../node_modules/esbuild/lib/main.js', import.meta.url);

if (!existsSync(compiler)) {
  if (process.argv.includes('--if-possible')) process.exit(0);
  console.error('The compiler is not installed. Run `npm ci` first.');
  process.exit(2);
}
if (process.argv.includes('--clean')) rmSync(new URL('../build', import.meta.url), { recursive: true, force: true });
const { status } = spawnSync(process.execPath, [fileURLToPath(compiler), '-p', root], { stdio: 'inherit', cwd: root });
if (status !== 0) process.exit(status ?? 1);
if (existsSync(bundler)) await bundle();

/** Made from what was compiled, by whose age bin/artifacts.js tells whether the bundle is up to date. */
async function bundle() {
  rmSync(new URL('../build/bundle', import.meta.url), { recursive: true, force: true });
  const { build } = await import(bundler.href);
  await build({
    absWorkingDir: root,
    entryPoints: ['build/src/cli/main.js'],
    outbase: 'build/src',
    outdir: 'build/bundle',
    chunkNames: 'chunks/[name]-[hash]',
    bundle: true,
    // What is imported on demand stays apart.
    splitting: true,
    format: 'esm',
    platform: 'node',
    target: 'node20.18',
    // The driver looks for its compiled part beside itself.
    external: ['@photostructure/sqlite'],
    // For dependencies that are no ES modules and ask for parts of Node.
    banner: { js: "import { createRequire as requireFrom } from 'node:module';\nconst require = requireFrom(import.meta.url);" },
    sourcemap: true,
    sourcesContent: false,
    logLevel: 'warning',
  });
}
