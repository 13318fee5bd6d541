import { existsSync, mkdirSync, readdirSync, utimesSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import test from 'ava';
import { makeRelease, statesOf, type Built } from '../release/support.ts';
import { buildDeb } from '../rig/deb.ts';
import { tempDir } from '../rig/temp.ts';
import { makeUpstream } from './git/support.ts';

const DAY_MILLISECONDS = 24 * 60 * 60 * 1000;

function inDays(days: number): { readonly env: Record<string, string> } {
  return { env: { SOURCE_DATE_EPOCH: String(Math.floor((Date.now() + days * DAY_MILLISECONDS) / 1000)) } };
}

test('db cleanup: caches that no run used for long go, and are filled again when they are needed', async (t) => {
  await using dir = await tempDir();
  const upstream = await makeUpstream(dir.join('one'));
  await upstream.commit({ a: '1\n' });
  const vars = { git_repos: [{ name: 'one', repo: upstream.path, version: 'main' }], git_mapping: { r1: 'all' } };
  await using scene = await makeRelease(dir, { base: [buildDeb({ name: 'px' })] }, { vars });
  const { site } = scene;
  await site.json<Built>(['build', '--release', 'r1.0.0']);
  const entry = (path: string, daysAgo: number): string => {
    const file = join(site.state, 'cache/python', path);
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, '');
    const then = new Date(Date.now() - daysAgo * DAY_MILLISECONDS);
    for (const touched of [file, dirname(file)]) utimesSync(touched, then, then);
    return file;
  };
  const old = [entry('files/aa/aa01', 31), entry('wheels/bb/bb01/wheel.json', 31), entry('logs/old.log', 31)];
  const recent = [entry('files/aa/aa02', 29), entry('wheels/bb/bb02/wheel.json', 29), entry('logs/new.log', 29)];
  const copies = (): readonly string[] => readdirSync(join(site.state, 'cache/git'));

  const tried = await site.json<{ cacheEntries: number }>(['db', 'cleanup', '--dry-run']);
  t.is(tried.cacheEntries, 3);
  t.deepEqual([...old, ...recent].map(existsSync), [true, true, true, true, true, true]);
  const first = await site.json<{ cacheEntries: number }>(['db', 'cleanup']);
  t.is(first.cacheEntries, 3);
  t.deepEqual([old, recent].map((files) => files.map(existsSync)), [[false, false, false], [true, true, true]]);
  t.is(copies().length, 2);

  await site.json(['db', 'cleanup'], 0, inDays(31));
  t.deepEqual(copies(), []);
  await upstream.commit({ a: '2\n' });
  const again = await site.json<Built>(['build', '--release', 'r1.0.0', '--replace']);
  t.is(statesOf(again)['git one'], 'done');
});
