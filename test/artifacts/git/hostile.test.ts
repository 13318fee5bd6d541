import { mkdirSync, readdirSync, readFileSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import test from 'ava';
import fc from 'fast-check';
import { parseAddress, versionProblem } from '../../../src/artifacts/git/address.ts';
import { checkLinks } from '../../../src/artifacts/git/tree.ts';
import { runCommand } from '../../rig/run.ts';
import { serve } from '../../rig/server.ts';
import { testWith } from '../../rig/skip.ts';
import { tempDir } from '../../rig/temp.ts';
import { git, hasHttpBackend, makeBench, makeUpstream, serveGit, unpack, type Upstream } from './support.ts';

const served = testWith(hasHttpBackend, 'git-http-backend is not installed');

test('G01 addresses that run something, or can be taken for something else, are refused without repeating them', (t) => {
  const refused = [
    'ext::sh -c id', 'ext::sh', 'fd::17', 'http::http://h/x', 'git://h/x', 'ftp://h/x', '-u./x', '--upload-pack=id', 'ssh://-oProxyCommand=id/x', 'ssh://h/-x', 'ssh://u:secret@h/x',
    'user@host:path', 'host:path', 'file:relative', 'file://host/x', 'file:///a%2fb', 'https://', 'https://-h/x', 'https://h', 'https://h/x?secret', 'https://h/x#secret', 'HTTPS://h/x',
    'https://h/\nx', 'https://h/a b', 'https://h/a\\b', '/a/../b', '../x', '~/x', '', '//h/x', '/x\0y', 'https://u:%zz@h/x', 'https://u@v@h/x',
  ];

  for (const text of refused) {
    const parsed = parseAddress(text, '/site');
    t.true('problem' in parsed, text);
    if ('problem' in parsed) t.notRegex(parsed.problem, /secret/);
  }
});

test('addresses that are taken: https, http, ssh, file, paths; passwords are set apart', (t) => {
  const addressOf = (text: string): unknown => (parseAddress(text, '/site') as { readonly address?: unknown }).address;

  t.deepEqual(addressOf('https://me:p%40ss@h.example:8443/x.git'), { url: 'https://h.example:8443/x.git', shown: 'https://h.example:8443/x.git', login: { user: 'me', password: 'p@ss' } });
  t.deepEqual(addressOf('http://[::1]:80/x'), { url: 'http://[::1]:80/x', shown: 'http://[::1]:80/x' });
  t.deepEqual(addressOf('ssh://git@h.example/x'), { url: 'ssh://git@h.example/x', shown: 'ssh://git@h.example/x' });
  t.deepEqual(addressOf('file:///srv/x'), { url: 'file:///srv/x', shown: 'file:///srv/x' });
  t.deepEqual(addressOf('/srv/x'), { url: '/srv/x', shown: '/srv/x' });
  t.deepEqual(addressOf('demo/x.bundle'), { url: '/site/demo/x.bundle', shown: 'demo/x.bundle' });
});

test('G01 versions that are options, or no names of refs, are refused', (t) => {
  for (const version of ['', '-x', '--upload-pack=id', 'a b', 'a..b', 'a\nb', 'a~1', 'a^', 'a:b', 'x.lock', 'x.lock/y', '/x', 'x/', 'a//b', 'a/.b', '@', 'a@{1}', 'refs/pull/1/head', 'refs/heads/', '*']) {
    t.not(versionProblem(version), undefined, version);
  }
  for (const version of ['main', 'stable/2024.1', 'v1.0-rc1', 'refs/tags/v1', 'feature/x@y', 'a'.repeat(40)]) t.is(versionProblem(version), undefined, version);
});

/** Puts a tree of these `git mktree` lines on main; returns the commit. */
async function commitTree(upstream: Upstream, ...lines: readonly string[]): Promise<void> {
  const tree = await git(upstream.path, ['mktree', '--missing'], lines.map((line) => `${line}\n`).join(''));
  await upstream.run('update-ref', 'refs/heads/main', await upstream.run('commit-tree', '-m', 'hostile', tree));
}

async function blob(upstream: Upstream, text: string): Promise<string> {
  return git(upstream.path, ['hash-object', '-w', '--stdin'], text);
}

test('G02 G05 trees and files of submodules that trick git are refused on their way in', async (t) => {
  await using dir = await tempDir();
  const bench = makeBench(dir);
  const upstream = await makeUpstream(dir.join('upstream'));
  await upstream.commit({ a: 'a\n' });
  const file = await blob(upstream, 'x\n');
  const folder = await git(upstream.path, ['mktree'], `100644 blob ${file}\tconfig\n`);
  const cases: readonly (readonly string[])[] = [
    [`040000 tree ${folder}\t.git`],
    [`040000 tree ${folder}\t.GIT`],
    [`040000 tree ${folder}\tgit~1`],
    [`040000 tree ${folder}\t..`],
    [`100644 blob ${file}\ta`, `040000 tree ${folder}\ta`],
    [`100644 blob ${await blob(upstream, '[submodule "x"]\n\tpath = x\n\turl = -u./evil\n')}\t.gitmodules`],
    [`100644 blob ${await blob(upstream, '[submodule "../x"]\n\tpath = x\n\turl = http://127.0.0.1/x\n')}\t.gitmodules`],
    [`120000 blob ${await blob(upstream, 'elsewhere')}\t.gitmodules`],
  ];

  for (const lines of cases) {
    await commitTree(upstream, ...lines);
    await t.throwsAsync(bench.make({ url: upstream.path, version: 'main' }), { code: 'E_FETCH' }, lines.join());
    t.deepEqual(readdirSync(dir.join('cache/git')).filter((name) => name.endsWith('.git') || name.endsWith('.new')), []);
  }
  const long = 'x'.repeat(300);
  await commitTree(upstream, `100644 blob ${file}\t${long}`);
  await t.throwsAsync(bench.make({ url: upstream.path, version: 'main' }), { code: 'E_PATH' });
});

test('submodules and files in Git LFS are left out, which is told; hooks and filters do not run', async (t) => {
  await using dir = await tempDir();
  const upstream = await makeUpstream(dir.join('upstream'));
  const inner = await upstream.commit({ a: 'a\n' });
  await upstream.commit({ '.gitattributes': '*.bin filter=lfs diff=lfs\n*.txt filter=canary eol=crlf\n', 'big.bin': 'version x\noid sha256:0\n', 'a.txt': 'a\n', '.gitmodules': '[submodule "s"]\n\tpath = s\n\turl = http://127.0.0.1:9/s\n' });
  mkdirSync(join(upstream.path, 's'));
  await upstream.run('update-index', '--add', '--cacheinfo', `160000,${inner},s`);
  await upstream.commit({});
  await upstream.run('config', 'filter.canary.smudge', `touch ${dir.join('canary')}`);
  await upstream.run('config', 'uploadpack.packObjectsHook', `touch ${dir.join('canary')};`);

  const done = await makeBench(dir).make({ url: upstream.path, version: 'main' });
  const clone = await unpack(done, dir.join('unpacked'));

  t.like(done.made.facts, { submodules: 1, lfs: 1 });
  t.is(done.context.events.filter(({ type }) => type === 'note').length, 2);
  t.is(await git(clone, ['status', '--porcelain', '--ignore-submodules=none']), '');
  t.is(readFileSync(join(clone, 'big.bin'), 'utf8'), 'version x\noid sha256:0\n');
  t.false(readdirSync(dir.path).includes('canary'));
});

test('G06 links within the tree stay links; one that leads out is refused', async (t) => {
  await using dir = await tempDir();
  const bench = makeBench(dir);
  const upstream = await makeUpstream(dir.join('upstream'));
  await upstream.commit({ 'dir/file': 'x\n' });
  for (const [name, target] of [['inside', 'dir/../dir/file'], ['dir/up', '../inside'], ['nowhere', 'dir/absent'], ['circle', 'circle']] as const) symlinkSync(target, join(upstream.path, name));
  await upstream.commit({});

  const clone = await unpack(await bench.make({ url: upstream.path, version: 'main' }), dir.join('unpacked'));
  t.is(readFileSync(join(clone, 'dir/up'), 'utf8'), 'x\n');
  t.is(await git(clone, ['status', '--porcelain']), '');

  for (const target of ['/etc/passwd', '../outside', 'dir/../../outside', '.git/config', 'dir/../.git/hooks']) {
    symlinkSync(target, join(upstream.path, 'out'));
    await upstream.commit({});
    await t.throwsAsync(bench.make({ url: upstream.path, version: 'main' }), { code: 'E_PATH', message: /"out", which leads out of it/ }, target);
    rmSync(join(upstream.path, 'out'));
  }
});

test('G06 whether links lead out is judged as the kernel does, whatever they go through', async (t) => {
  await using dir = await tempDir();
  const part = fc.constantFrom('a', 'b', 'c', 'd/e', '..', '.');
  const target = fc.array(part, { minLength: 1, maxLength: 5 }).map((parts) => parts.join('/'));
  let run = 0;

  fc.assert(
    fc.property(fc.uniqueArray(fc.tuple(fc.constantFrom('a', 'b', 'c', 'd/f', 'd/g'), target), { selector: ([path]) => path, minLength: 1 }), (links) => {
      const root = dir.join(`run-${(run += 1)}`, 'root');
      mkdirSync(join(root, 'd/e'), { recursive: true });
      for (const [path, to] of links) symlinkSync(to, join(root, path));
      const out = links.some(([path]) => {
        try {
          return !`${realpathSync(join(root, path))}/`.startsWith(`${realpathSync(root)}/`);
        } catch {
          return false;
        }
      });
      let refused = false;
      try {
        checkLinks(new Map(links));
      } catch {
        refused = true;
      }
      // A link to nowhere may lead out on its way; refusing that too is right.
      if (out) t.true(refused, JSON.stringify(links));
    }),
    { numRuns: 150 },
  );
  t.notThrows(() => checkLinks(new Map([['a', 'd/../b'], ['b', 'd/e'], ['d/f', '../a']])));
});

test('G08 more bytes than the limit are refused, as a pack and as files, and leave nothing behind', async (t) => {
  await using dir = await tempDir();
  const bench = makeBench(dir);
  const upstream = await makeUpstream(dir.join('upstream'));
  const random = await runCommand('sh', ['-c', `head -c 3000000 /dev/urandom > ${upstream.path}/random`]);
  await upstream.commit({});
  await t.throwsAsync(bench.make({ url: upstream.path, version: 'main', limits: { bytes: 1_000_000 } }), { code: 'E_TOO_LARGE' });
  t.is(random.status, 0);
  t.deepEqual(readdirSync(dir.join('cache/git')).filter((name) => !name.endsWith('.config')), []);

  const bomb = await makeUpstream(dir.join('bomb'));
  writeFileSync(join(bomb.path, 'zeros'), Buffer.alloc(20_000_000));
  await bomb.commit({});
  await t.throwsAsync(bench.make({ url: bomb.path, version: 'main', limits: { bytes: 1_000_000 } }), { code: 'E_TOO_LARGE', message: /20000000 bytes/ });
});

test('G08 a damaged pack is refused', async (t) => {
  await using dir = await tempDir();
  const upstream = await makeUpstream(dir.join('upstream'));
  await upstream.commit({ a: 'text\n'.repeat(1000), b: 'other\n'.repeat(1000) });
  await upstream.run('repack', '-adq');
  const packs = join(upstream.path, '.git/objects/pack');
  const pack = readdirSync(packs).find((name) => name.endsWith('.pack')) ?? '';
  const bytes = readFileSync(join(packs, pack));
  bytes.fill(0xff, 40, 60);
  rmSync(join(packs, pack));
  writeFileSync(join(packs, pack), bytes);

  await t.throwsAsync(makeBench(dir).make({ url: upstream.path, version: 'main' }), { code: 'E_FETCH' });
});

test('G09 a server that hangs is left after the time limit, and no process stays', async (t) => {
  await using dir = await tempDir();
  await using server = await serve(new Map());
  server.fault(/.*/, { kind: 'hang' });

  await t.throwsAsync(makeBench(dir).make({ url: `${server.url}/x`, version: 'main', limits: { milliseconds: 700 } }), { code: 'E_FETCH', message: /not done within/ });

  const left = async (): Promise<boolean> => (await runCommand('ps', ['-eo', 'args'])).stdout.includes(`${server.url}/x`);
  for (let look = 0; look < 50 && (await left()); look += 1) await sleep(100);
  t.false(await left());
});

served('G09 a redirect is not followed, neither elsewhere nor with the password', async (t) => {
  await using dir = await tempDir();
  const upstream = await makeUpstream(dir.join('served/one'));
  await upstream.commit({ a: 'a\n' });
  await using inner = await serveGit(dir.join('served'));
  await using outer = await serve(new Map());
  outer.fault(/.*/, { kind: 'redirect', to: `${inner.url}/one/info/refs?service=git-upload-pack` });

  await t.throwsAsync(makeBench(dir).make({ url: `${outer.url.replace('//', '//me:secret@')}/one`, version: 'main' }), { code: 'E_FETCH', message: /^(?!.*secret)/ });
  t.deepEqual(inner.requests, []);
});

served('a password goes to its host and nowhere else: not on disk, in no message, in nothing published', async (t) => {
  await using dir = await tempDir();
  const upstream = await makeUpstream(dir.join('served/one'));
  await upstream.commit({ a: 'a\n' });
  await using server = await serveGit(dir.join('served'));
  const bench = makeBench(dir);
  const url = `${server.url.replace('//', '//me:secret-word@')}/one`;

  const done = await bench.make({ url, version: 'main' });
  const failed = await t.throwsAsync(bench.make({ url: `${url}-absent`, version: 'main' }));

  t.true(server.requests.every(({ authorization }) => authorization === `Basic ${Buffer.from('me:secret-word').toString('base64')}`));
  t.notRegex(JSON.stringify([done.made, done.context.events, failed?.message]), /secret-word/);
  const { status } = await runCommand('grep', ['-rqE', `secret-word|${Buffer.from('me:secret-word').toString('base64')}`, dir.path]);
  t.is(status, 1);
});

test('case: names that differ only in case stay two files', async (t) => {
  await using dir = await tempDir();
  const upstream = await makeUpstream(dir.join('upstream'));
  await upstream.commit({ README: '1\n', readme: '2\n' });

  const clone = await unpack(await makeBench(dir).make({ url: upstream.path, version: 'main' }), dir.join('unpacked'));

  t.deepEqual([readFileSync(join(clone, 'README'), 'utf8'), readFileSync(join(clone, 'readme'), 'utf8')], ['1\n', '2\n']);
  t.is(dirname(clone), dir.join('unpacked'));
});

test('a link that no disk could hold is refused, and not walked along', (t) => {
  const begun = performance.now();

  t.throws(() => checkLinks(new Map([['a', 'b/'.repeat(200_000)]])), { code: 'E_PATH' });
  const deep = new Map(Array.from({ length: 40 }, (_, at): [string, string] => [`${'d/'.repeat(2000 * at)}l`, `${'d/'.repeat(2000)}l`]));
  t.throws(() => checkLinks(deep), { code: 'E_PATH' });
  t.notThrows(() => checkLinks(new Map([['a', 'b/'.repeat(1000)]])));

  t.true(performance.now() - begun < 5000);
});
