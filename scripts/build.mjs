// Compiles src/, test/ and bench/ to build/, then puts the program into one file, build/bundle, which starts faster.
// `--if-possible` (npm's prepare step) accepts an install without the development tools, where there is no compiler and
// nothing to build.
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
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
const DIGEST_LINE = '// sha256 '.length + 64;
if (existsSync(bundler)) await bundle();

/** Made from what was compiled, by whose age bin/program.js tells whether the bundle is up to date. */
async function bundle() {
  const folder = new URL('../build/bundle/cli/', import.meta.url);
  rmSync(new URL('..', folder), { recursive: true, force: true });
  const { build } = await import(bundler.href);
  const { outputFiles } = await build({
    absWorkingDir: root,
    entryPoints: ['build/src/cli/main.js'],
    outfile: 'build/bundle/cli/main.cjs',
    bundle: true,
    // V8 compiles the functions of one large script when they are called, and its work can be kept: see bin/load-bundle.js.
    format: 'cjs',
    platform: 'node',
    target: 'node20.18',
    // A script that is run by node:vm has no `import()`; required instead.
    supported: { 'dynamic-import': false },
    // The driver looks for its compiled part beside itself.
    external: ['@photostructure/sqlite'],
    // What bin/load-bundle.js calls; the first line is its digest, written below.
    banner: { js: `${'/'.repeat(DIGEST_LINE)}\n(function (require, module, importMetaUrl) {` },
    footer: { js: '})' },
    define: { 'import.meta.url': 'importMetaUrl' },
    charset: 'ascii',
    sourcemap: true,
    sourcesContent: false,
    logLevel: 'warning',
    write: false,
  });
  mkdirSync(folder, { recursive: true });
  for (const { path, text } of outputFiles) writeFileSync(path, path.endsWith('.cjs') ? withDigest(inAscii(text)) : text);
  const kept = spawnSync(process.execPath, [fileURLToPath(new URL('code-cache.mjs', import.meta.url))], { encoding: 'utf8' });
  if (kept.status !== 0) console.error(`There is no code cache, so the program starts slower:\n${kept.stderr}`);
}

/** esbuild escapes what stands in texts, but neither comments nor regular expressions. */
function inAscii(text) {
  return text.replace(/[^\0-\x7f]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`);
}

/** Takes the place of the first line, so that the source map still fits. */
function withDigest(text) {
  const rest = text.slice(DIGEST_LINE);
  return `// sha256 ${createHash('sha256').update(rest).digest('hex')}${rest}`;
}
