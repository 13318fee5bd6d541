import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'ava';
import { commandDocs } from '../../src/cli/docs.ts';
import { parseInvocation } from '../../src/cli/parse.ts';
import { operations } from '../../src/operations/index.ts';
import { PROJECT, runArtifacts } from '../rig/run.ts';

test('docs/commands.md is what the operations declare', (t) => {
  const page = readFileSync(join(PROJECT, 'docs', 'commands.md'), 'utf8');

  t.is(page, commandDocs(operations), 'run `npm run build && node scripts/docs.mjs`');
});

test('every operation has a one-line summary, an example that shows it, and help the program prints', async (t) => {
  const names = new Set(operations.map(({ name }) => name));
  const { status, stdout } = await runArtifacts(['--help']);

  t.is(names.size, operations.length, 'names are unique');
  t.is(status, 0);
  for (const { name, summary, example } of operations) {
    t.regex(summary, /^[^\n]{10,90}$/, name);
    t.true(example.includes(`artifacts ${name}`), name);
    t.true(stdout.includes(`  ${name} `), name);
  }
});

test('the parser takes every declaration: no option is a global one, no flag is declared twice', async (t) => {
  await t.throwsAsync(parseInvocation(['--'], operations), { message: 'No command given' });
});

test('every operation has its own help', async (t) => {
  for (const { name } of operations) {
    const { status, stdout } = await runArtifacts([...name.split(' '), '--help']);
    t.is(status, 0, name);
    t.true(stdout.startsWith(`Usage: artifacts ${name}`), name);
  }
});
