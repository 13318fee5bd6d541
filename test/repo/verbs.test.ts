import { existsSync } from 'node:fs';
import test from 'ava';
import { buildDeb } from '../rig/deb.ts';
import { serve } from '../rig/server.ts';
import { makeSite } from '../rig/site.ts';
import { tempDir } from '../rig/temp.ts';
import { aptUpstream } from '../rig/upstream.ts';
import { namesIn, otherBytes, realSite, writeDeb } from './support.ts';

interface Failure {
  readonly error: { readonly code: string; readonly message: string };
}

test('create, list, show, edit, rename and drop', async (t) => {
  await using dir = await tempDir();
  const site = await realSite(dir);

  t.regex((await site.run(['repo', 'list'])).stdout, /no local repositories/);
  await site.json(['repo', 'create', 'b']);
  await site.json(['repo', 'create', 'a', '--comment', 'first']);
  t.is((await site.json<Failure>(['repo', 'create', 'a'], 13)).error.code, 'E_EXISTS');
  t.is((await site.json<Failure>(['repo', 'create', '../a'], 2)).error.code, 'E_USAGE');

  const list = await site.json<{ name: string; comment: string; packages: number }[]>(['repo', 'list']);
  t.deepEqual(list.map(({ name, comment, packages }) => [name, comment, packages]), [['a', 'first', 0], ['b', '', 0]]);
  await site.json(['repo', 'edit', 'a', '--comment', 'second']);
  t.regex((await site.run(['repo', 'show', 'a'])).stdout, /Comment:\s+second\nPackages:\s+0/);

  t.is((await site.json<Failure>(['repo', 'rename', 'a', 'b'], 13)).error.code, 'E_EXISTS');
  await site.json(['repo', 'rename', 'a', 'c']);
  t.is((await site.json<Failure>(['repo', 'show', 'a'], 10)).error.code, 'E_NOT_FOUND');
  await site.json(['repo', 'drop', 'c']);
  t.is((await site.json<Failure>(['repo', 'drop', 'c'], 10)).error.code, 'E_NOT_FOUND');
});

test('snapshots are made from a repository, from nothing, and a repository from a snapshot', async (t) => {
  await using dir = await tempDir();
  const site = await realSite(dir);
  await writeDeb(dir.join('a.deb'), { name: 'a' });
  await writeDeb(dir.join('b.deb'), { name: 'b' });
  await site.json(['repo', 'create', 'ours']);
  await site.json(['repo', 'add', 'ours', dir.join('a.deb')]);

  const made = await site.json<{ packages: number; origin: unknown }>(['snapshot', 'create', 's1', '--from-repo', 'ours']);
  await site.json(['repo', 'add', 'ours', dir.join('b.deb')]);
  const empty = await site.json<{ packages: number; origin: unknown }>(['snapshot', 'create', 'none', '--empty']);
  const copied = await site.json<{ packages: number }>(['repo', 'create', 'copy', '--from-snapshot', 's1']);

  t.deepEqual([made.packages, made.origin], [1, { kind: 'repo', repo: 'ours' }]);
  t.deepEqual([empty.packages, empty.origin], [0, { kind: 'empty' }]);
  t.is(copied.packages, 1);
  t.deepEqual(await namesIn(site, 'copy'), ['a_1.0-1_amd64']);
  t.is((await site.json<{ count: number }>(['snapshot', 'show', 's1'])).count, 1);
  for (const flags of [[], ['--empty', '--from-repo', 'ours'], ['--from-repo', 'ours', '--from-mirror', 'm']]) {
    t.is((await site.json<Failure>(['snapshot', 'create', 'x', ...flags], 2)).error.code, 'E_USAGE');
  }
});

test('search, remove, copy and move choose by query; dry runs change nothing', async (t) => {
  await using dir = await tempDir();
  const site = await realSite(dir);
  await writeDeb(dir.join('in/app.deb'), { name: 'app', fields: { Depends: 'lib (>= 1.0), gone' } });
  await writeDeb(dir.join('in/lib.deb'), { name: 'lib' });
  await writeDeb(dir.join('in/app2.deb'), { name: 'app', version: '2.0-1' });
  await writeDeb(dir.join('lib.deb'), otherBytes('lib'));
  for (const name of ['from', 'to', 'third']) await site.json(['repo', 'create', name]);
  await site.json(['repo', 'add', 'from', dir.join('in')]);
  await site.json(['repo', 'add', 'third', dir.join('lib.deb')]);
  const all = ['app_1.0-1_amd64', 'app_2.0-1_amd64', 'lib_1.0-1_amd64'];

  t.deepEqual((await site.json<{ package: string }[]>(['repo', 'search', 'from', 'app (>= 2)'])).map((one) => one.package), ['app_2.0-1_amd64']);
  t.is((await site.json<Failure>(['repo', 'search', 'from', 'app (>= '], 2)).error.code, 'E_USAGE');

  const tried = await site.json<{ packages: number }>(['repo', 'copy', 'from', 'to', 'app (= 1.0-1)', '--with-deps', '--dry-run']);
  t.is(tried.packages, 2);
  t.deepEqual(await namesIn(site, 'to'), []);
  const copied = await site.json<{ missing: { requirement: string }[] }>(['repo', 'copy', 'from', 'to', 'app (= 1.0-1)', '--with-deps']);
  t.deepEqual(copied.missing.map(({ requirement }) => requirement), ['gone']);
  t.deepEqual(await namesIn(site, 'to'), ['app_1.0-1_amd64', 'lib_1.0-1_amd64']);
  t.deepEqual(await namesIn(site, 'from'), all);

  const conflict = await site.json<Failure>(['repo', 'move', 'from', 'third', 'app', 'lib'], 13);
  t.regex(conflict.error.message, /lib 1\.0-1 amd64 is .* in repository "third" and .* in repository "from"/);
  t.deepEqual(await namesIn(site, 'from'), all);
  await site.json(['repo', 'move', 'from', 'third', 'app (>= 2)']);
  t.deepEqual(await namesIn(site, 'from'), ['app_1.0-1_amd64', 'lib_1.0-1_amd64']);
  t.deepEqual(await namesIn(site, 'third'), ['app_2.0-1_amd64', 'lib_1.0-1_amd64']);
  t.is((await site.json<Failure>(['repo', 'move', 'from', 'from', 'app'], 2)).error.code, 'E_USAGE');

  const would = await site.json<{ removed: unknown[]; packages: number }>(['repo', 'remove', 'from', 'lib', '--dry-run']);
  t.deepEqual([would.removed.length, would.packages], [1, 1]);
  t.deepEqual(await namesIn(site, 'from'), ['app_1.0-1_amd64', 'lib_1.0-1_amd64']);
  t.regex((await site.run(['repo', 'remove', 'from', 'lib', 'nobody'])).stdout, /^- lib_1\.0-1_amd64\nRepository from: 1 package\.\n$/);
  t.deepEqual(await namesIn(site, 'from'), ['app_1.0-1_amd64']);
  t.is((await site.run(['db', 'check', '--deep'])).status, 0);
});

test('packages of a mirror are imported as their upstream describes them', async (t) => {
  await using dir = await tempDir();
  const debs = [buildDeb({ name: 'app', fields: { Depends: 'lib' }, indexFields: { Task: 'x' } }), buildDeb({ name: 'lib' }), buildDeb({ name: 'more' })];
  const upstream = await aptUpstream({ components: { main: debs } });
  await using server = await serve(upstream.files);
  const site = await makeSite(dir, { mirrors: { up: { upstream, url: server.url } } });
  await site.json(['repo', 'create', 'ours']);
  t.is((await site.json<Failure>(['repo', 'import', 'up', 'ours', 'app'], 10)).error.code, 'E_NOT_FOUND');
  await site.json(['mirror', 'update', 'up']);

  await site.json(['repo', 'import', 'up', 'ours', 'app', '--with-deps']);

  t.deepEqual(await namesIn(site, 'ours'), ['app_1.0-1_amd64', 'lib_1.0-1_amd64']);
  await site.json(['mirror', 'drop', 'up']);
  await site.json(['db', 'cleanup']);
  t.is((await site.run(['db', 'check', '--deep'])).status, 0);
});

test('repositories that vars/ declares exist, empty, before anything is put in', async (t) => {
  await using dir = await tempDir();
  const repos = [{ name: 'fixed', comment: 'declared' }, { name: 'for-{{ rpc_release }}-ALL' }, { name: 'not', state: 'absent' }];
  const site = await realSite(dir, { aptly_repos: repos, releases: { 'r1.0.0': { codenames: ['rig'] }, 'r1.1.0': { codenames: ['rig'] } } });
  await writeDeb(dir.join('a.deb'), { name: 'a' });

  const list = await site.json<{ name: string; comment: string; createdAt: string | null }[]>(['repo', 'list']);

  t.deepEqual(list.map(({ name, comment, createdAt }) => [name, comment, createdAt]), [
    ['fixed', 'declared', null],
    ['for-r1.0.0-ALL', '', null],
    ['for-r1.1.0-ALL', '', null],
  ]);
  t.false(existsSync(`${site.state}/pool/incoming`));
  t.is((await site.json<{ packages: number }>(['snapshot', 'create', 'none', '--from-repo', 'fixed'])).packages, 0);
  await site.json(['repo', 'add', 'for-r1.0.0-ALL', dir.join('a.deb')]);
  t.deepEqual(await namesIn(site, 'for-r1.0.0-ALL'), ['a_1.0-1_amd64']);
  t.deepEqual(await namesIn(site, 'for-r1.1.0-ALL'), []);
  t.is((await site.json<Failure>(['repo', 'add', 'not', dir.join('a.deb')], 10)).error.code, 'E_NOT_FOUND');
});
