import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import test from 'ava';
import { PROJECT } from '../rig/run.ts';

interface Counts {
  readonly passed: number;
  readonly failed: number;
  readonly skipped: readonly string[];
  readonly complete: boolean;
}

interface TapModule {
  createTapReader(onFailure: (text: string) => void): { line(text: string): void; end(): Counts };
  countsText(counts: Omit<Counts, 'complete'>): string;
}

async function read(tap: string): Promise<Counts & { readonly failures: readonly string[]; readonly text: string }> {
  const { createTapReader, countsText } = (await import(
    pathToFileURL(join(PROJECT, 'scripts', 'tap.mjs')).href
  )) as TapModule;
  const failures: string[] = [];
  const reader = createTapReader((text) => failures.push(text));
  for (const line of tap.trim().split('\n')) reader.line(line);
  const counts = reader.end();
  return { ...counts, failures, text: countsText(counts) };
}

test('what passed, failed and was skipped is counted, and a failure is told in full', async (t) => {
  const result = await read(`
TAP version 13
ok 1 - a › skipped one [skipped: no faketime] # SKIP
not ok 2 - a › later # TODO
ok 3 - a › passes
#   a log line
not ok 4 - a › fails
  ---
    name: AssertionError
  ...
ok 5 - a › passes again

1..5
# tests 5
`);

  t.is(result.text, '2 passed, 1 failed, 2 skipped');
  t.deepEqual(result.skipped, ['a › skipped one [skipped: no faketime]', 'a › later [skipped: not written yet]']);
  t.deepEqual(result.failures, ['FAILED a › fails\n  ---\n    name: AssertionError\n  ...']);
  t.true(result.complete);
});

test('a file that crashed fails, and so do the tests that never ran', async (t) => {
  const result = await read(`
not ok 1 - b.test.js exited due to SIGKILL
# 2 tests remaining in b.test.js
1..1
`);

  t.is(result.text, '0 passed, 3 failed');
  t.deepEqual(result.failures, ['FAILED b.test.js exited due to SIGKILL', 'FAILED 2 tests of b.test.js did not run']);
});

test('a run without its plan line is not complete', async (t) => {
  t.false((await read('ok 1 - a › passes')).complete);
});
