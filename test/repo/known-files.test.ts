/** Files that were read before: not read again while they are what they were, and read as soon as anything is doubtful. */
import { readFileSync, rmSync, statSync } from 'node:fs';
import { mkdir, utimes, writeFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import test from 'ava';
import { openCatalog } from '../../src/catalog/catalog.ts';
import { openLeafCache } from '../../src/catalog/leaf-cache.ts';
import { openLocks } from '../../src/catalog/lock.ts';
import { isArtifactsError } from '../../src/core/errors.ts';
import { sha256 } from '../../src/core/digest.ts';
import { openLocalPool } from '../../src/pool/index.ts';
import { addFiles, type Added, type RepoTools } from '../../src/repo/add.ts';
import { buildDeb } from '../rig/deb.ts';
import { tempDir } from '../rig/temp.ts';

const FILES = 70;

test('what changed is read, whatever its times say; the rest is known', async (t) => {
  await using dir = await tempDir();
  await mkdir(dir.join('in'));
  const path = (at: number): string => dir.join('in', `p${at}.deb`);
  const debOf = (at: number, text = 'a'): Buffer => buildDeb({ name: `p${at}`, files: { 'usr/share/x': Buffer.from(text) } }).bytes;
  for (let at = 0; at < FILES; at += 1) await writeFile(path(at), debOf(at));
  const cache = openLeafCache(dir.join('cache.db'));
  const catalog = openCatalog(dir.join('catalog.db'));
  const pool = openLocalPool(dir.join('pool'));
  let read: string[] = [];
  const tools: RepoTools = {
    catalog,
    pool,
    locks: openLocks(dir.join('locks'), 'test'),
    clock: () => new Date('2026-01-01T00:00:00Z'),
    declared: [{ name: 'one', comment: '', format: 'apt' }, { name: 'two', comment: '', format: 'apt' }],
    seen: { seenFiles: cache.seenFiles, putSeenFiles: (seen) => void ((read = seen.map((file) => file.path)), cache.putSeenFiles(seen)) },
    change: (_ctx, work) => work(),
  };
  const add = async (repo: string, replace = false): Promise<Added> => {
    read = [];
    return addFiles({ repo, paths: [dir.join('in')], replace, removeFiles: false }, tools, { signal: new AbortController().signal, report: () => {} });
  };

  t.is((await add('one')).packages, FILES);
  t.deepEqual(read, [], 'files that were written just now are not remembered');
  await sleep(2100);
  t.is((await add('one')).same.length, FILES);
  t.is(read.length, FILES);
  t.is((await add('one')).same.length, FILES);
  t.deepEqual(read, []);
  const second = await add('two');
  t.is(second.packages, FILES, 'known files enter other repositories');
  t.deepEqual(read, []);
  t.is(second.added[3]?.name, 'p11', 'in the order of the files');

  const { atime, mtime, size } = statSync(path(5));
  await writeFile(path(5), debOf(5, 'b'));
  await utimes(path(5), atime, mtime);
  t.is(statSync(path(5)).size, size);
  const error = await t.throwsAsync(add('one'));
  t.true(isArtifactsError(error, 'E_CONFLICT'), 'other bytes under the same name, size and time');
  t.deepEqual((await add('one', true)).replaced.map(({ name }) => name), ['p5']);

  rmSync(pool.path(sha256(debOf(9))));
  await add('one');
  t.deepEqual(readFileSync(pool.path(sha256(debOf(9)))), debOf(9), 'the pool had lost it, so it was read again');
  cache.keepSeenFiles(new Set([sha256(debOf(1))]));
  await add('one');
  t.is(read.length, FILES - 2, 'all but the one that was kept and the one that changed just now');
  cache.close();
  catalog.close();
});
