/** Hundreds of packages are read in several threads: what comes out is what one thread would have made of them. */
import { existsSync, readdirSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import test from 'ava';
import { openCatalog } from '../../src/catalog/catalog.ts';
import { openLocks } from '../../src/catalog/lock.ts';
import type { Context } from '../../src/core/context.ts';
import { ArtifactsError, isArtifactsError } from '../../src/core/errors.ts';
import { openLocalPool } from '../../src/pool/index.ts';
import { addFiles, type Added, type RepoTools } from '../../src/repo/add.ts';
import { buildDeb } from '../rig/deb.ts';
import { tempDir, type TempDir } from '../rig/temp.ts';
import { brokenDeb } from './support.ts';

const FILES = 700;

interface Scene extends Disposable {
  readonly tools: RepoTools;
  add(report?: Context['report'], signal?: AbortSignal): Promise<Added>;
  /** What lies in the pool and beside it. */
  pooled(): readonly string[];
}

async function makeScene(dir: TempDir): Promise<Scene> {
  await mkdir(dir.join('in'));
  for (let at = 0; at < FILES; at += 1) {
    const name = `p${String(at).padStart(3, '0')}`;
    await writeFile(dir.join('in', `${name}.deb`), buildDeb({ name }).bytes);
  }
  const catalog = openCatalog(dir.join('catalog.db'));
  const tools: RepoTools = {
    catalog,
    pool: openLocalPool(dir.join('pool')),
    locks: openLocks(dir.join('locks'), 'test'),
    clock: () => new Date('2026-01-01T00:00:00Z'),
    declared: [{ name: 'one', comment: '', format: 'apt' }],
    change: (_ctx, work) => work(),
  };
  return {
    tools,
    add: (report = () => {}, signal = new AbortController().signal) =>
      addFiles({ repo: 'one', paths: [dir.join('in')], replace: false, removeFiles: false }, tools, { signal, report }),
    pooled: () => (existsSync(dir.join('pool')) ? readdirSync(dir.join('pool'), { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile()).map(({ name }) => name) : []),
    [Symbol.dispose]: () => catalog.close(),
  };
}

test('all are added, in the order of their files, each file once in the pool', async (t) => {
  await using dir = await tempDir();
  using scene = await makeScene(dir);
  await writeFile(dir.join('in', 'p000-copy.deb'), buildDeb({ name: 'p000' }).bytes);
  await writeFile(dir.join('in', 'z-copy.deb'), buildDeb({ name: 'p000' }).bytes);

  const { added, same, packages } = await scene.add();

  t.is(packages, FILES);
  t.deepEqual(same.map(({ name }) => name), ['p000', 'p000']);
  t.deepEqual(added.map(({ name }) => name), added.map(({ name }) => name).toSorted());
  t.is(new Set(scene.pooled()).size, FILES);
  t.is(scene.pooled().length, FILES);
});

test('all that are refused are told in their order, and nothing is kept', async (t) => {
  await using dir = await tempDir();
  using scene = await makeScene(dir);
  for (const name of ['a-broken', 'p300-broken', 'z-broken']) await writeFile(dir.join('in', `${name}.deb`), brokenDeb());

  const error = await t.throwsAsync(scene.add());

  t.true(isArtifactsError(error, 'E_FORMAT'));
  const problems = (error as ArtifactsError).details?.['problems'] as readonly string[];
  t.deepEqual(problems.map((text) => /\/in\/([\w-]+)\.deb/.exec(text)?.[1]), ['a-broken', 'p300-broken', 'z-broken']);
  t.deepEqual(scene.pooled(), []);
});

test('who stops it stops its threads, and nothing is kept', async (t) => {
  await using dir = await tempDir();
  using scene = await makeScene(dir);
  const stop = new AbortController();
  const cancelled = new ArtifactsError('E_CANCELLED', 'Stopped');

  const error = await t.throwsAsync(scene.add(() => stop.abort(cancelled), stop.signal));

  t.is(error as unknown, cancelled);
  t.deepEqual(scene.pooled(), []);
  t.is((await scene.add()).packages, FILES);
});
