import { readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'ava';
import { gitKind } from '../../../src/artifacts/git/git-kind.ts';
import { runCommand } from '../../rig/run.ts';
import { tempDir, type TempDir } from '../../rig/temp.ts';
import { git, makeBench, makeUpstream, unpack, type Upstream } from './support.ts';

/** Some history: merges, tags, an executable, a link, a name that is no UTF-8, a file that changes often. */
async function makeHistory(dir: TempDir): Promise<Upstream> {
  const upstream = await makeUpstream(dir.join('upstream'));
  const long = Array.from({ length: 300 }, (_, line) => `line ${line} of a longer text`);
  for (let round = 0; round < 12; round += 1) {
    long[round * 7] = `changed in round ${round}`;
    await upstream.commit({ 'long.txt': long.join('\n'), [`dir/file-${round}.txt`]: `${round}\n`.repeat(round * 50) });
    if (round === 3) await upstream.run('tag', 'r1');
    if (round === 5) await upstream.run('tag', '--annotate', '--message', 'the second', 'r2');
    if (round === 6) await upstream.run('checkout', '--quiet', '-b', 'side');
    if (round === 8) await upstream.run('checkout', '--quiet', 'main');
  }
  await upstream.run('merge', '--quiet', '--strategy', 'ours', '--message', 'merge', 'side');
  writeFileSync(join(upstream.path, 'run.sh'), '#!/bin/sh\n', { mode: 0o755 });
  await runCommand('ln', ['-s', 'dir/file-1.txt', 'link'], { cwd: upstream.path });
  writeFileSync(Buffer.concat([Buffer.from(`${upstream.path}/caf`), Buffer.from([0xe9])]), 'latin\n');
  await upstream.commit({ 'last.txt': 'last\n' });
  return upstream;
}

test('what was archived is a clone: clean, complete, and to be checked out and cloned further', async (t) => {
  await using dir = await tempDir();
  const bench = makeBench(dir);
  const upstream = await makeHistory(dir);
  const [head, first] = [await upstream.run('rev-parse', 'main'), await upstream.run('rev-parse', 'r1')];

  const done = await bench.make({ url: upstream.path, version: 'main' });
  const clone = await unpack(done, dir.join('unpacked'));

  t.is(await git(clone, ['status', '--porcelain']), '');
  t.is(await git(clone, ['rev-parse', 'HEAD']), head);
  t.is(await git(clone, ['symbolic-ref', 'HEAD']), 'refs/heads/main');
  t.is(await git(clone, ['rev-list', '--count', 'HEAD']), await upstream.run('rev-list', '--count', 'main'));
  t.is(await git(clone, ['describe', '--tags']), await upstream.run('describe', '--tags', 'main'));
  t.is(await git(clone, ['fsck', '--full', '--strict']), '');
  t.is(await git(clone, ['cat-file', '-t', 'r2']), 'tag');
  t.is(statSync(join(clone, 'run.sh')).mode & 0o777, 0o755);
  await git(clone, ['checkout', '--quiet', first]);
  t.is(await git(clone, ['status', '--porcelain']), '');
  await git(dir.path, ['clone', '--quiet', clone, dir.join('again')]);
  t.is(await git(dir.join('again'), ['rev-parse', 'HEAD']), first);
  t.is(done.made.detail, `${head.slice(0, 12)} of main`);
});

test('a tag and a commit are checked out detached, and still cloned', async (t) => {
  await using dir = await tempDir();
  const bench = makeBench(dir);
  const upstream = await makeHistory(dir);
  const [tagged, older] = [await upstream.run('rev-parse', 'r2^{commit}'), await upstream.run('rev-parse', 'main~1')];

  const byTag = await unpack(await bench.make({ url: upstream.path, version: 'r2' }), dir.join('by-tag'));
  const byCommit = await unpack(await bench.make({ url: `file://${upstream.path}`, version: older }), dir.join('by-commit'));

  t.is(await git(byTag, ['rev-parse', 'HEAD']), tagged);
  t.is(await git(byTag, ['describe', '--exact-match']), 'r2');
  await git(dir.path, ['clone', '--quiet', byCommit, dir.join('again')]);
  t.is(await git(dir.join('again'), ['rev-parse', 'HEAD']), older);
});

test.serial('G10 the same commit has the same bytes: another day, cache, packing upstream, umask, time zone and settings', async (t) => {
  await using dir = await tempDir();
  const bench = makeBench(dir);
  const upstream = await makeHistory(dir);
  const commit = await upstream.run('rev-parse', 'main');
  const first = await bench.make({ url: upstream.path, version: commit });

  await upstream.commit({ 'long.txt': 'all new\n' });
  await upstream.run('tag', 'r3');
  await upstream.run('repack', '-adfq', '--window=50', '--depth=5');
  writeFileSync(dir.join('gitconfig'), '[core]\n\tautocrlf = true\n\tcompression = 1\n[pack]\n\twindow = 2\n');
  const saved = { umask: process.umask(0o077), TZ: process.env['TZ'] };
  Object.assign(process.env, { TZ: 'Asia/Tokyo', GIT_CONFIG_GLOBAL: dir.join('gitconfig'), GIT_DIR: dir.path, TAR_OPTIONS: '--owner=nobody', GZIP: '-1' });
  const others = [await bench.make({ url: upstream.path, version: commit }), await bench.make({ url: upstream.path, version: commit }, bench.workshop('elsewhere'))];
  process.umask(saved.umask);
  process.env['TZ'] = saved.TZ;
  for (const name of ['GIT_CONFIG_GLOBAL', 'GIT_DIR', 'TAR_OPTIONS', 'GZIP']) delete process.env[name];

  for (const other of others) t.deepEqual(other.artifact.files, first.artifact.files);
});

test('digests stand beside the archive, and a signed index and SHA256SUMS list all of the release', async (t) => {
  await using dir = await tempDir();
  const bench = makeBench(dir);
  const upstream = await makeHistory(dir);
  const done = await bench.make({ url: upstream.path, version: 'r2' });

  const folder = join(done.at('.tgz'), '..');
  const listings = gitKind.listings('git-archives/r1.0.0', [done.artifact]);
  writeFileSync(join(folder, 'SHA256SUMS'), listings.find(({ path }) => path.endsWith('SHA256SUMS'))?.bytes ?? '');
  const checked = await runCommand('sha256sum', ['--check', '--strict', 'demo.tgz.sha256', 'SHA256SUMS'], { cwd: folder });
  const sha1 = await runCommand('sha1sum', [done.at('.tgz')]);
  const index = JSON.parse(String(listings.find(({ path }) => path === 'git-archives/r1.0.0/index.json')?.bytes)) as { release: string; repositories: object[] };

  t.is(checked.status, 0, checked.stderr);
  t.is(readFileSync(done.at('.checksum'), 'utf8'), sha1.stdout.slice(0, 40));
  t.true(listings.every(({ signed }) => signed));
  t.is(index.release, 'r1.0.0');
  t.like(index.repositories[0], {
    name: 'demo',
    version: 'r2',
    ref: 'refs/tags/r2',
    commit: await upstream.run('rev-parse', 'r2^{commit}'),
    date: '2020-01-01T06:00:00.000Z',
    file: 'demo.tgz',
    sha256: done.artifact.files.find(({ path }) => path.endsWith('.tgz'))?.sha256,
  });
  t.deepEqual(gitKind.listings('git-archives/r2', []), []);
});

test('a repository with SHA-256 ids is archived like any other', async (t) => {
  await using dir = await tempDir();
  const upstream = await makeUpstream(dir.join('upstream'), '--object-format=sha256');
  const commit = await upstream.commit({ a: 'a\n' });

  const clone = await unpack(await makeBench(dir).make({ url: upstream.path, version: 'main' }), dir.join('unpacked'));

  t.is(commit.length, 64);
  t.is(await git(clone, ['rev-parse', 'HEAD']), commit);
  t.is(await git(clone, ['status', '--porcelain']), '');
});

test('a bundle is an upstream too', async (t) => {
  await using dir = await tempDir();
  const upstream = await makeUpstream(dir.join('upstream'));
  const commit = await upstream.commit({ a: 'a\n' });
  await upstream.run('bundle', 'create', '--quiet', dir.join('service.bundle'), '--all');

  const done = await makeBench(dir).make({ url: 'service.bundle', version: 'main' });

  t.is(done.made.facts['commit'], commit);
  t.is(done.made.facts['url'], 'service.bundle');
});
