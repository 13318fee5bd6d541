import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'ava';
import { IGNORED_VARIABLES } from '../src/config/schema.ts';
import { PROJECT } from './rig/run.ts';

const page = readFileSync(join(PROJECT, 'docs/coming-from-rpc-o.md'), 'utf8');

test('every feature of RPC-O is in a title of each test its row names, or the row says that it is not here', (t) => {
  const rows = rowsOf(/^\| (F\d+) \|.*$/gm);

  t.deepEqual(rows.map(({ id }) => id), Array.from({ length: 32 }, (_, index) => `F${index + 1}`));
  t.deepEqual(rows.filter(({ line }) => !line.includes('| Not here: ')).flatMap(({ id, line }) => untitled(id, line)), []);
});

test('every defect of RPC-O has a test that carries its id', (t) => {
  const rows = rowsOf(/^\| (D\d+) \|.*$/gm);

  t.deepEqual(rows.map(({ id }) => id), Array.from({ length: 14 }, (_, index) => `D${index + 1}`));
  t.deepEqual(rows.flatMap(({ id, line }) => untitled(`RPC-O ${id}`, line)), []);
});

test('every problem of RPC-O is answered by a place that exists', (t) => {
  const rows = rowsOf(/^\| (\d+) \|.*$/gm);
  const wrong = rows.filter(({ line }) => {
    const where = line.split(' | ').at(-1) ?? '';
    const places = [...where.matchAll(/`([^`]+)`|\]\(([^)#]+)/g)].map(([, file, link = '']) => file ?? `docs/${link}`);
    return places.length === 0 || places.some((place) => !existsSync(join(PROJECT, place)));
  });

  t.deepEqual(rows.map(({ id }) => id), Array.from({ length: 30 }, (_, index) => String(index + 1)));
  t.deepEqual(wrong, []);
});

test('every variable that is ignored, or read from the environment, is explained', (t) => {
  const environment = [...readFileSync(join(PROJECT, 'src/config/environment.ts'), 'utf8').matchAll(/read\('([A-Z_]+)'/g)].map(([, name = '']) => name);

  t.true(environment.length > 10);
  t.deepEqual([...IGNORED_VARIABLES, ...environment].filter((name) => !page.includes(`\`${name}\``)), []);
});

function rowsOf(pattern: RegExp): readonly { readonly id: string; readonly line: string }[] {
  return [...page.matchAll(pattern)].map(([line, id = '']) => ({ id, line }));
}

/** The tests a row names that have no such id in a title; the row itself when it names none. */
function untitled(id: string, line: string): readonly string[] {
  const files = [...line.matchAll(/`(test\/[^`]+\.ts)`/g)].map(([, file = '']) => file);
  const title = new RegExp(`['"\`][^'"\`\\n]*\\b${id}\\b`);
  const missing = files.filter((file) => !title.test(readFileSync(join(PROJECT, file), 'utf8')));
  return files.length === 0 ? [`${id}: no test`] : missing.map((file) => `${id}: ${file}`);
}
