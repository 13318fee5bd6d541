import { chmodSync, readdirSync, readFileSync, rmSync, truncateSync } from 'node:fs';
import test from 'ava';
import type { ArtifactsError } from '../../../src/core/errors.ts';
import { testWith } from '../../rig/skip.ts';
import { tempDir } from '../../rig/temp.ts';
import { git, hasHttpBackend, makeBench, makeUpstream, serveGit, unpack } from './support.ts';
import { serve } from '../../rig/server.ts';

const served = testWith(hasHttpBackend, 'git-http-backend is not installed');

test('a tag counts before a branch of the same name, and that is told; names are compared whole', async (t) => {
  await using dir = await tempDir();
  const bench = makeBench(dir);
  const upstream = await makeUpstream(dir.join('upstream'));
  const tagged = await upstream.commit({ a: '1\n' });
  await upstream.run('tag', 'r16.0.0');
  const beta = await upstream.commit({ a: '2\n' });
  await upstream.run('tag', 'r16.0.0-beta.1');
  await upstream.run('branch', 'r16.0.0', beta);

  const byName = await bench.make({ url: upstream.path, version: 'r16.0.0' });
  const byBranch = await bench.make({ url: upstream.path, version: 'refs/heads/r16.0.0' });

  t.is(byName.made.facts['commit'], tagged);
  t.is(byName.context.warnings().length, 1);
  t.regex(byName.context.warnings()[0] ?? '', /r16\.0\.0 is a tag and a branch; the tag counts/);
  t.is(byBranch.made.facts['commit'], beta);
  t.deepEqual(byBranch.context.warnings(), []);
  await t.throwsAsync(bench.make({ url: upstream.path, version: 'r16.0' }), { code: 'E_NOT_FOUND' });
  await t.throwsAsync(bench.make({ url: upstream.path, version: tagged.slice(0, 12) }), { code: 'E_NOT_FOUND', message: /too short for a commit/ });
  await t.throwsAsync(bench.make({ url: upstream.path, version: 'f'.repeat(40) }), { code: 'E_NOT_FOUND', message: /has no commit f{40}/ });
});

test('F17 what did not change is not archived again, and a commit is not even asked for', async (t) => {
  await using dir = await tempDir();
  const bench = makeBench(dir);
  const upstream = await makeUpstream(dir.join('upstream'));
  const commit = await upstream.commit({ a: '1\n' });
  const branch = await bench.make({ url: upstream.path, version: 'main' });
  const pinned = await bench.make({ url: upstream.path, version: commit });

  const again = await bench.make({ url: upstream.path, version: 'main', previous: branch });
  rmSync(upstream.path, { recursive: true });
  const offline = await bench.make({ url: upstream.path, version: commit, previous: pinned });

  t.is(again.made.detail, `${commit.slice(0, 12)} as before`);
  t.deepEqual(again.artifact.files, branch.artifact.files);
  t.is(offline.made.detail, `${commit.slice(0, 12)} as before`);
});

test('a branch or a repository that is gone keeps what was archived, with a warning; without that it fails', async (t) => {
  await using dir = await tempDir();
  const bench = makeBench(dir);
  const upstream = await makeUpstream(dir.join('upstream'));
  await upstream.commit({ a: '1\n' });
  await upstream.run('branch', 'stable/old');
  const previous = await bench.make({ url: upstream.path, version: 'stable/old' });

  await upstream.run('branch', '--delete', '--force', 'stable/old');
  const kept = await bench.make({ url: upstream.path, version: 'stable/old', previous });
  await t.throwsAsync(bench.make({ url: upstream.path, version: 'stable/old' }), { code: 'E_NOT_FOUND', message: /its stable\/old is not there/ });
  rmSync(upstream.path, { recursive: true });
  const orphaned = await bench.make({ url: upstream.path, version: 'stable/old', previous });
  await t.throwsAsync(bench.make({ url: upstream.path, version: 'stable/old' }), { code: 'E_NOT_FOUND', message: /the repository is not there/ });

  for (const done of [kept, orphaned]) {
    t.deepEqual(done.artifact.files, previous.artifact.files);
    t.regex(done.context.warnings().join(), /is gone from .*, archived before, is kept/);
    t.regex(done.made.detail, /kept/);
  }
});

test('G04 a tag that was moved is refused, unless that is allowed', async (t) => {
  await using dir = await tempDir();
  const bench = makeBench(dir);
  const upstream = await makeUpstream(dir.join('upstream'));
  const before = await upstream.commit({ a: '1\n' });
  await upstream.run('tag', 'v1');
  const previous = await bench.make({ url: upstream.path, version: 'v1' });
  const now = await upstream.commit({ a: '2\n' });
  await upstream.run('tag', '--force', 'v1');

  const error = await t.throwsAsync<ArtifactsError>(bench.make({ url: upstream.path, version: 'v1', previous }), { code: 'E_CONFLICT' });
  const allowed = await bench.make({ url: upstream.path, version: 'v1', previous, allowMovedTag: true });

  t.deepEqual(error?.details, { before, now });
  t.is(allowed.made.facts['commit'], now);
});

served('one run fetches a repository once, however many releases and names use it', async (t) => {
  await using dir = await tempDir();
  const bench = makeBench(dir);
  const upstream = await makeUpstream(dir.join('served', 'one'));
  await upstream.commit({ a: '1\n' });
  await upstream.run('branch', 'other');
  await using server = await serveGit(dir.join('served'));
  const url = `${server.url}/one`;

  const run = bench.workshop();
  const first = await bench.make({ url, version: 'main' }, run);
  const fetched = server.requests.length;
  const second = await bench.make({ url, version: 'main', name: 'renamed', release: 'r2' }, run);
  await bench.make({ url, version: 'other' }, run);

  t.is(server.requests.length, fetched);
  t.is(second.made.facts['commit'], first.made.facts['commit']);
  await bench.make({ url, version: 'main', previous: first });
  t.true(server.requests.length - fetched <= 2, 'an unchanged repository is asked for its refs only');
});

test('a read-only run takes what production has and changes nothing of it', async (t) => {
  await using dir = await tempDir();
  const bench = makeBench(dir);
  const upstream = await makeUpstream(dir.join('upstream'));
  await upstream.commit({ a: 'a long text\n'.repeat(100) });
  const production = await bench.make({ url: upstream.path, version: 'main' });
  const commit = await upstream.commit({ b: 'b\n' });
  const before = await listing(dir.join('cache'));

  const done = await bench.make({ url: upstream.path, version: 'main' }, bench.workshop('scratch', 'cache'));
  const clone = await unpack(done, dir.join('unpacked'));

  t.deepEqual(await listing(dir.join('cache')), before);
  t.is(await git(clone, ['rev-parse', 'HEAD']), commit);
  t.is(await git(clone, ['fsck', '--full', '--strict']), '');
  t.notDeepEqual(done.artifact.files, production.artifact.files);
  t.is(readdirSync(`${clone}/.git/objects/info`).length, 0);
});

test('a damaged copy in the cache is made anew', async (t) => {
  await using dir = await tempDir();
  const bench = makeBench(dir);
  const upstream = await makeUpstream(dir.join('upstream'));
  const commit = await upstream.commit({ a: 'a\n' });
  const first = await bench.make({ url: upstream.path, version: commit });
  const copies = readdirSync(dir.join('cache/git')).filter((name) => name.endsWith('.git'));
  for (const copy of copies) {
    const packs = dir.join('cache/git', copy, 'objects/pack');
    for (const file of readdirSync(packs).filter((name) => name.endsWith('.pack'))) {
      chmodSync(`${packs}/${file}`, 0o644);
      truncateSync(`${packs}/${file}`, 40);
    }
  }

  const again = await bench.make({ url: upstream.path, version: commit });

  t.is(copies.length, 1);
  t.deepEqual(again.artifact.files, first.artifact.files);
});

served('a server without git, only files, is read too, and what it gives is checked', async (t) => {
  await using dir = await tempDir();
  const bench = makeBench(dir);
  const upstream = await makeUpstream(dir.join('served/one'));
  const commit = await upstream.commit({ a: 'a\n' });
  await upstream.run('update-server-info');
  await using server = await serve(dir.join('served'));

  const done = await bench.make({ url: `${server.url}/one/.git`, version: 'main' });
  const tree = await git(upstream.path, ['mktree'], `100644 blob ${await upstream.run('rev-parse', 'HEAD:a')}\t.git\n`);
  const bad = await upstream.run('commit-tree', '-m', 'bad', '-p', commit, tree);
  await upstream.run('update-ref', 'refs/heads/main', bad);
  await upstream.run('update-server-info');

  t.is(done.made.facts['commit'], commit);
  for (const _time of ['once', 'again']) await t.throwsAsync(bench.make({ url: `${server.url}/one/.git`, version: 'main' }), { code: 'E_FETCH', message: /fsck/ });
});

async function listing(folder: string): Promise<string[]> {
  const entries = readdirSync(folder, { recursive: true, withFileTypes: true });
  return entries.filter((entry) => entry.isFile()).map((entry) => `${entry.parentPath}/${entry.name} ${readFileSync(`${entry.parentPath}/${entry.name}`).toString('base64')}`).sort();
}
