import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'ava';
import { PROJECT } from './rig/run.ts';

test('every fault of docs/tested-faults.md is in a title of each test file it names', (t) => {
  const rows = [...readFileSync(join(PROJECT, 'docs/tested-faults.md'), 'utf8').matchAll(/^\| ([A-Z]\d\d) \| [^|]+ \| ([^|]+) \|$/gm)];
  const wrong = rows.flatMap(([, id = '', cell = '']) => {
    const files = [...cell.matchAll(/`([^`]+)`/g)].map(([, file = '']) => file);
    const missing = files.filter((file) => !new RegExp(`['"\`][^'"\`\\n]*\\b${id}\\b`).test(readFileSync(join(PROJECT, file), 'utf8')));
    return files.length === 0 ? [`${id}: no file`] : missing.map((file) => `${id}: ${file}`);
  });

  t.deepEqual(wrong, []);
  t.true(rows.length > 60);
});
