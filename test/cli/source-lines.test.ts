import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import test from 'ava';
import { withSourceLines } from '../../src/cli/source-lines.ts';
import { PROJECT, runNode } from '../rig/run.ts';
import { testWith } from '../rig/skip.ts';

const MODULE = pathToFileURL(join(PROJECT, 'build/src/cli/failure.js')).href;
const BUNDLE = join(PROJECT, 'build', 'bundle', 'cli', 'main.cjs');

test('a bug is shown where the source has it', async (t) => {
  // In a Node of its own: the one that runs the tests is told to read source maps.
  const script = `import { describeFailure } from ${JSON.stringify(MODULE)};
try { describeFailure(new Error('x'), undefined); } catch (bug) { console.log(describeFailure(bug, { cancelled: false }).text); }`;

  const { stdout, stderr } = await runNode(['--input-type=module', '--eval', script]);

  const place = /^TypeError.*\n {4}at .*(file:\S+\/src\/cli\/failure\.ts):(\d+):\d+/.exec(stdout);
  t.truthy(place, stdout + stderr);
  t.regex(sourceLine(place?.[1], place?.[2]), /options\.cancelled/);
});

testWith(existsSync(BUNDLE), 'needs the bundle')('a place in the bundle is that of the source, not of a compiled file', (t) => {
  const lines = readFileSync(BUNDLE, 'utf8').split('\n');
  const line = lines.findIndex((text) => text.startsWith('function packageVersion'));

  const frame = withSourceLines(`    at packageVersion (${pathToFileURL(BUNDLE).href}:${line + 1}:10)`);

  const place = /\((file:\S+\/src\/cli\/main\.ts):(\d+):\d+\)$/.exec(frame);
  t.truthy(place, frame);
  t.regex(sourceLine(place?.[1], place?.[2]), /^function packageVersion/);
});

test('what no source map tells stays as it is', (t) => {
  const stack = 'Error: a\n    at b (file:///nowhere/c.js:1:2)\n    at node:internal/d:3:4';

  t.is(withSourceLines(stack), stack);
});

function sourceLine(file = '', line = ''): string {
  return readFileSync(fileURLToPath(file), 'utf8').split('\n')[Number(line) - 1] ?? '';
}
