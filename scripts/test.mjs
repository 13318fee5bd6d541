// What `npm test` runs: installs and builds what is missing, runs the tests, and ends with the line
// `N passed, N failed`. Needs nothing but Node and npm to begin with. Arguments are test files or folders:
// `npm test -- test/cli`.
import { spawn } from 'node:child_process';
import { existsSync, readdirSync, rmSync } from 'node:fs';
import { join, relative } from 'node:path';
import { createInterface } from 'node:readline';
import { build, install, isInstalled, missingTools, nodeProblem, packagesOf, ROOT } from './setup.mjs';
import { countsText, createTapReader } from './tap.mjs';

/** Command -> Debian package. Tests that need a missing one are skipped and say so. */
const TOOLS = { 'apt-get': 'apt', 'dpkg-deb': 'dpkg', gpg: 'gnupg', gpgv: 'gpgv', xz: 'xz-utils', faketime: 'faketime' };
const PROGRESS_MS = 10_000;

setUp();
checkTools();
compile();
process.exitCode = await runTests(process.argv.slice(2));

function setUp() {
  const problem = nodeProblem();
  if (problem !== undefined) giveUp(problem);
  if (isInstalled()) return;
  console.log('Installing the dependencies (npm ci)');
  if (!install()) giveUp('The dependencies could not be installed.');
}

function checkTools() {
  const missing = missingTools(TOOLS);
  if (missing.length === 0) return;
  const packages = packagesOf(missing, TOOLS).join(' ');
  console.log(`Not installed: ${missing.join(', ')}. Tests that need them are skipped (apt-get install ${packages}).`);
}

function compile() {
  for (const folder of ['src', 'test', 'bench']) pruneOrphans(join(ROOT, 'build', folder));
  if (!build()) giveUp('The build failed.');
}

/** Compiled files whose source is gone would still run as tests. */
function pruneOrphans(folder) {
  if (!existsSync(folder)) return;
  for (const entry of readdirSync(folder, { recursive: true })) {
    const match = /^(.*)\.js(\.map)?$/.exec(entry);
    if (match === null) continue;
    const source = join(ROOT, relative(join(ROOT, 'build'), folder), `${match[1]}.ts`);
    if (!existsSync(source)) rmSync(join(folder, entry), { force: true });
  }
}

async function runTests(args) {
  const reader = createTapReader((failure) => console.log(`\n${failure}\n`));
  const stopTicking = startTicking(reader);
  const status = await runAva(args.map(compiled), (line) => reader.line(line));
  stopTicking();
  const result = reader.end();
  const counts = { ...result, failed: result.failed + runnerFailures(status, result) };
  if (counts.skipped.length > 0) console.log(`\nSkipped:\n${counts.skipped.map((title) => `  ${title}\n`).join('')}`);
  const nothing = counts.passed + counts.failed === 0;
  if (nothing) console.log('No test ran.');
  console.log(countsText(counts));
  return counts.failed > 0 || nothing ? 1 : 0;
}

/** `test/cli/globals.test.ts` -> its compiled file; a folder -> all compiled tests in it. */
function compiled(argument) {
  const path = relative(ROOT, join(process.cwd(), argument));
  if (!path.startsWith('test')) return argument;
  return path.endsWith('.ts') ? `build/${path.slice(0, -3)}.js` : `build/${path}/**/*.test.js`;
}

async function runAva(files, onLine) {
  const ava = join(ROOT, 'node_modules', 'ava', 'entrypoints', 'cli.mjs');
  const child = spawn(process.execPath, [ava, '--tap', ...files], { cwd: ROOT, stdio: ['ignore', 'pipe', 'inherit'] });
  const ended = new Promise((resolve) => {
    child.on('close', (status, signal) => resolve(status ?? signal));
  });
  for await (const line of createInterface({ input: child.stdout })) onLine(line);
  return ended;
}

/** A runner that stops in the middle - it does when a file says nothing for too long - fails whatever was counted. */
function runnerFailures(status, { failed, complete }) {
  if (complete && (status === 0 || failed > 0)) return 0;
  console.log(`\nFAILED the test runner ended early (${status}); a test that takes too long stops it.\n`);
  return 1;
}

function startTicking(reader) {
  const begun = Date.now();
  const timer = setInterval(() => {
    console.log(`... ${Math.round((Date.now() - begun) / 1000)} s: ${countsText(reader.counts)} so far`);
  }, PROGRESS_MS);
  return () => clearInterval(timer);
}

function giveUp(message) {
  console.log(message);
  console.log(countsText({ passed: 0, failed: 1, skipped: [] }));
  process.exit(1);
}
