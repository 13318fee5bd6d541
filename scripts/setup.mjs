// What `npm test` and `npm run quickstart` share: the checks and the set-up of a fresh clone. Needs nothing but Node and
// npm to begin with.
import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, statSync } from 'node:fs';
import { delimiter, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const ROOT = dirname(dirname(fileURLToPath(import.meta.url)));
const OLDEST_NODE = [20, 18, 1];

/** What is wrong with this Node, or undefined. */
export function nodeProblem() {
  const version = process.versions.node.split('.').map(Number);
  const difference = OLDEST_NODE.map((part, index) => version[index] - part).find((part) => part !== 0) ?? 0;
  if (difference >= 0) return undefined;
  return `Node ${OLDEST_NODE.join('.')} or later is needed; this is ${process.versions.node}.`;
}

/** True when what package-lock.json says is installed. */
export function isInstalled() {
  const installed = join(ROOT, 'node_modules', '.package-lock.json');
  return existsSync(installed) && statSync(installed).mtimeMs >= statSync(join(ROOT, 'package-lock.json')).mtimeMs;
}

/** `npm ci`. True when it went well. */
export function install() {
  const npm = process.env['npm_execpath'];
  // Nothing here needs an install script, and the build comes next anyway.
  const args = ['ci', '--ignore-scripts'];
  const [command, all] = npm?.endsWith('.js') ? [process.execPath, [npm, ...args]] : ['npm', args];
  return spawnSync(command, all, { cwd: ROOT, stdio: 'inherit' }).status === 0;
}

/** True when nothing in src/ is younger than what was compiled from it. */
export function isBuilt() {
  const built = join(ROOT, 'build', 'src', 'cli', 'main.js');
  if (!existsSync(built)) return false;
  const { mtimeMs } = statSync(built);
  const entries = readdirSync(join(ROOT, 'src'), { recursive: true, withFileTypes: true });
  // The time of a folder is that of its last copy.
  const sources = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
  return [join(ROOT, 'tsconfig.json'), ...sources].every((path) => statSync(path).mtimeMs <= mtimeMs);
}

/** Compiles everything. True when it went well. */
export function build() {
  const script = join(ROOT, 'scripts', 'build.mjs');
  return spawnSync(process.execPath, [script], { cwd: ROOT, stdio: 'inherit' }).status === 0;
}

/** Those of the tools (command -> Debian package) that this machine lacks. */
export function missingTools(tools) {
  const folders = [...(process.env['PATH'] ?? '').split(delimiter), '/usr/sbin', '/sbin'];
  return Object.keys(tools).filter((tool) => !folders.some((folder) => existsSync(join(folder, tool))));
}

/** The packages of these tools, each once, as apt-get takes them. */
export function packagesOf(missing, tools) {
  return [...new Set(missing.map((tool) => tools[tool]))];
}
