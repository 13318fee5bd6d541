import { existsSync } from 'node:fs';
import { cp, mkdir, readFile, utimes, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { Script } from 'node:vm';
import test from 'ava';
import { PROJECT, runNode } from '../rig/run.ts';
import { testWith } from '../rig/skip.ts';
import { tempDir, type TempDir } from '../rig/temp.ts';

const BUNDLE = 'build/bundle/cli/main.cjs';
const CACHE = 'build/bundle/cli/main.cache';
const COMPILED = 'build/src/cli/main.js';

const CASES = [
  { title: 'a bundle of what was compiled is run', made: { [COMPILED]: 100, [BUNDLE]: 101 }, runs: 'bundle' },
  { title: 'a bundle as old as what was compiled is run: packing sets one time for all', made: { [COMPILED]: 100, [BUNDLE]: 100 }, runs: 'bundle' },
  { title: 'a bundle older than what was compiled is not run', made: { [COMPILED]: 102, [BUNDLE]: 101 }, runs: 'compiled' },
  { title: 'without a bundle, what was compiled is run', made: { [COMPILED]: 100 }, runs: 'compiled' },
  { title: 'a bundle alone is run', made: { [BUNDLE]: 100 }, runs: 'bundle' },
];

for (const { title, made, runs } of CASES) {
  test(title, async (t) => {
    await using dir = await projectIn();
    for (const [file, time] of Object.entries(made)) {
      await writeAt(dir, file, file === BUNDLE ? bundleSaying('bundle') : "export const main = async () => (console.log('compiled'), 0);");
      await utimes(dir.join(file), time, time);
    }

    t.deepEqual(await runProgram(dir), { status: 0, stdout: `${runs}\n` });
  });
}

test('the status is that of the command', async (t) => {
  await using dir = await projectIn();
  await writeAt(dir, BUNDLE, bundleSaying('bundle', 13));

  t.is((await runProgram(dir)).status, 13);
});

test('the code cache of a bundle is run', async (t) => {
  await using dir = await projectIn();
  await writeAt(dir, BUNDLE, bundleSaying('one'));
  await writeAt(dir, CACHE, cacheOf(bundleSaying('two')));

  // V8 compares only lengths, so this tells that the cache is used at all.
  t.is((await runProgram(dir)).stdout, 'two\n');
});

test('a code cache of another bundle is not run, be it as long', async (t) => {
  await using dir = await projectIn();
  await writeAt(dir, BUNDLE, bundleSaying('one', 0, 'a'));
  await writeAt(dir, CACHE, cacheOf(bundleSaying('two', 0, 'b')));

  t.is((await runProgram(dir)).stdout, 'one\n');
});

test('a code cache that is cut off or of another Node is passed over', async (t) => {
  await using dir = await projectIn();
  const text = bundleSaying('one');
  await writeAt(dir, BUNDLE, text);
  const cache = cacheOf(text);
  const otherNode = Buffer.from(cache);
  otherNode.writeUInt32LE(1, DIGEST_LENGTH + 4); // V8's own header: magic number, version…
  for (const bytes of [cache.subarray(0, 10), cache.subarray(0, DIGEST_LENGTH), cache.subarray(0, cache.length - 100), otherNode, Buffer.alloc(0)]) {
    await writeAt(dir, CACHE, bytes);

    t.is((await runProgram(dir)).stdout, 'one\n');
  }
});

testWith(existsSync(join(PROJECT, CACHE)), 'needs the bundle')('the code cache of the build is taken by the Node that built', async (t) => {
  const script = "import { loadBundle } from './bin/load-bundle.js'; console.log(loadBundle(process.argv[1]).script.cachedDataRejected);";

  const { stdout } = await runNode(['--input-type=module', '--eval', script, join(PROJECT, BUNDLE)], { cwd: PROJECT });

  t.is(stdout, 'false\n');
});

testWith(existsSync(join(PROJECT, BUNDLE)), 'needs the bundle')('a script has no import(): nothing in the bundle would be found by one', async (t) => {
  t.false((await readFile(join(PROJECT, BUNDLE), 'utf8')).includes('await import('));
});

const DIGEST_LENGTH = 64;

/** A bundle of a given form: its digest is one letter over and over. */
function bundleSaying(word: string, status = 0, digest = 'a'): string {
  return `// sha256 ${digest.repeat(DIGEST_LENGTH)}\n(function (require, module) { const word = '${word}'; module.exports.main = async () => (console.log(word), ${status}); })\n`;
}

function cacheOf(bundle: string): Buffer {
  return Buffer.concat([Buffer.from(bundle.slice('// sha256 '.length, '// sha256 '.length + DIGEST_LENGTH)), new Script(bundle).createCachedData()]);
}

async function projectIn(): Promise<TempDir> {
  const dir = await tempDir();
  await cp(join(PROJECT, 'bin'), dir.join('bin'), { recursive: true });
  await writeFile(dir.join('package.json'), '{ "type": "module" }');
  return dir;
}

async function writeAt(dir: TempDir, file: string, content: string | Uint8Array): Promise<void> {
  await mkdir(dirname(dir.join(file)), { recursive: true });
  await writeFile(dir.join(file), content);
}

async function runProgram(dir: TempDir): Promise<{ readonly status: number | null; readonly stdout: string }> {
  const { status, stdout } = await runNode([dir.join('bin/artifacts.js')]);
  return { status, stdout };
}
