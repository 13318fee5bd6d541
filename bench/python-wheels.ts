/**
 * Twenty wheels from source archives against a serial `pip wheel` of the same: `node build/bench/python-wheels.js`. Needs
 * root, and this machine's Python, pip and C compiler, which serve as build root too, so that both sides use the same.
 */
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openWorkbench } from '../src/artifacts/python/workbench.ts';
import { makeWheels } from '../src/artifacts/python/wheels.ts';
import { sha256 } from '../src/core/digest.ts';
import { builtWheel, indexFiles, pythonSpec, sdist } from '../test/rig/python.ts';
import { runCommand } from '../test/rig/run.ts';
import { serve } from '../test/rig/server.ts';

const COUNT = 20;
const names = Array.from({ length: COUNT }, (_, index) => `wheel${String(index).padStart(2, '0')}`);

/** An extension module of the size of a small real one. Its build asks for a tool, as nearly all do. */
function source(name: string): string {
  const functions = Array.from({ length: 300 }, (_, index) => `static long f${index}(long x) { return x * ${index + 3} ^ (x >> ${index % 31}); }`);
  const sum = functions.map((_, index) => `f${index}(x)`).join(' + ');
  return `#include <Python.h>\n${functions.join('\n')}\nlong all(long x) { return ${sum}; }\nstatic struct PyModuleDef m = {PyModuleDef_HEAD_INIT, "_${name}", 0, -1, 0};\nPyMODINIT_FUNC PyInit__${name}(void) { return PyModule_Create(&m); }\n`;
}

const folder = mkdtempSync(join(tmpdir(), 'artifacts-bench-python-'));
const archives = Object.fromEntries(names.map((name) => [name, [sdist({ name, buildRequires: ['helper'], extension: { source: source(name), libraries: ['z'] } })]]));
await using index = await serve(indexFiles({ ...archives, helper: [builtWheel('helper')] }));
const requirements = names.map((name) => `${name}==1.0`);

const seconds = async (work: () => Promise<unknown>): Promise<number> => {
  const start = performance.now();
  await work();
  return (performance.now() - start) / 1000;
};

async function ours(): Promise<void> {
  const temporary = mkdtempSync(join(folder, 'run-'));
  const bench = openWorkbench({ root: { path: '/', digest: sha256('this machine'), packages: [] }, temporary, limits: {} });
  const spec = pythonSpec({ requirements, indexes: [{ name: 'bench', url: `${index.url}/simple`, packages: ['*'] }] });
  const workshop = { publicRoot: folder, cache: (name: string) => join(folder, 'cache', name), cacheBelow: () => undefined, temporary, clock: () => new Date(0), environment: {} };
  const request = { release: 'r1', build: '', folder: temporary, needed: new Map(), previous: undefined, pathOf: () => '', workshop };
  const made = await makeWheels(spec, bench, request, { signal: new AbortController().signal, report: () => {} });
  if (made.wheels.length !== COUNT) throw new Error(`${made.wheels.length} wheels`);
}

async function pips(): Promise<void> {
  const out = mkdtempSync(join(folder, 'pip-'));
  const result = await runCommand('/usr/bin/python3', ['-m', 'pip', '--isolated', 'wheel', '--no-cache-dir', '--disable-pip-version-check', '-q', '--index-url', `${index.url}/simple`, '--wheel-dir', out, ...requirements], { timeout: 600_000 });
  if (result.status !== 0) throw new Error(result.stderr);
}

mkdirSync(join(folder, 'cache'));
try {
  const rounds: Readonly<Record<'pip' | 'cold' | 'warm', number>>[] = [];
  for (let round = 0; round < (process.argv.includes('--once') ? 1 : 3); round += 1) {
    rmSync(join(folder, 'cache'), { recursive: true, force: true });
    rounds.push({ pip: await seconds(pips), cold: await seconds(ours), warm: await seconds(ours) });
  }
  const median = (key: 'pip' | 'cold' | 'warm'): number => rounds.map((round) => round[key]).toSorted((a, b) => a - b)[Math.floor(rounds.length / 2)] ?? 0;
  const [pip, cold, warm] = [median('pip'), median('cold'), median('warm')];
  console.log(`| step | pip wheel | artifacts | ratio |\n|---|---|---|---|`);
  console.log(`| ${COUNT} wheels, cold | ${pip.toFixed(1)} s | ${cold.toFixed(1)} s | ${(cold / pip).toFixed(2)} |`);
  console.log(`| ${COUNT} wheels, built before, versions chosen again | | ${warm.toFixed(1)} s | ${(warm / pip).toFixed(2)} |`);
} finally {
  rmSync(folder, { recursive: true, force: true });
}
