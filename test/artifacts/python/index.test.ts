import { mkdir, symlink } from 'node:fs/promises';
import { request } from 'node:http';
import test from 'ava';
import { openIndexProxy } from '../../../src/artifacts/python/index-proxy.ts';
import { parsePage, projectPage } from '../../../src/artifacts/python/index-page.ts';
import { indexOf, matches, openIndexes, type PackageIndex } from '../../../src/artifacts/python/indexes.ts';
import { sha256 } from '../../../src/core/digest.ts';
import { indexFiles, sdist } from '../../rig/python.ts';
import { serve } from '../../rig/server.ts';
import { tempDir, testContext, type TempDir } from '../../rig/temp.ts';

const D = 'a'.repeat(64);

test('a page: relative links, base, entities, quotes of both kinds; links without SHA-256 are left out', (t) => {
  const page = `<!DOCTYPE html><html><head><base href="http://files.example.org/x/"></head><body>
<a href="six-1.0.tar.gz#sha256=${D}" data-requires-python="&gt;=3.6,&#x3c;4">six</a>
<A data-yanked='broken &amp; bad' href='/abs/six-2.0-py3-none-any.whl#sha256=${D.toUpperCase()}'>six</A>
<a href="six-3.0.tar.gz#md5=00">weak</a> <a href="six-4.0.tar.gz">none</a> <a href="ftp://h/six-5.0.tar.gz#sha256=${D}">ftp</a>
<a href="..%2f..%2fetc#sha256=${D}">path</a> <a name=x>no link</a></body></html>`;

  t.deepEqual(parsePage(page, 'http://index.example.org/simple/six/'), [
    { file: 'six-1.0.tar.gz', url: 'http://files.example.org/x/six-1.0.tar.gz', sha256: sha256Of(D), requiresPython: '>=3.6,<4' },
    { file: 'six-2.0-py3-none-any.whl', url: 'http://files.example.org/abs/six-2.0-py3-none-any.whl', sha256: sha256Of(D), yanked: 'broken & bad' },
  ]);
});

test('a page that is written is read back', (t) => {
  const files = [{ file: 'a-1.0.tar.gz', url: 'http://h/a-1.0.tar.gz', sha256: sha256Of(D), requiresPython: '>=3 & "x"', yanked: '<why>' }];

  t.deepEqual(parsePage(projectPage('a', files), 'http://h/'), files);
});

test('P04: each project has one index, the first whose pattern matches', (t) => {
  const indexes = [index('own', ['acme-*', 'Other_Name']), index('all', ['*'])];

  t.is(indexOf('acme-core', indexes)?.name, 'own');
  t.is(indexOf('other-name', indexes)?.name, 'own');
  t.is(indexOf('acmecore', indexes)?.name, 'all');
  t.is(indexOf('six', indexes.slice(0, 1)), undefined);
  t.true(matches('zope.*', 'zope-interface') && !matches('zope', 'zope-interface') && !matches('a.c', 'abc'));
});

test('P04: the index of a name is the only one that is asked for it, also when it has nothing', async (t) => {
  await using dir = await tempDir();
  await using own = await serve(indexFiles({ 'acme-core': [sdist({ name: 'acme_core', version: '1.0' })] }));
  await using all = await serve(indexFiles({ 'acme-core': [sdist({ name: 'acme_core', version: '999.0' })], 'acme-extra': [sdist({ name: 'acme_extra' })] }));
  await using indexes = openIndexes(options(dir, [index('own', ['acme-*'], `${own.url}/simple`), index('all', ['*'], `${all.url}/simple`)]));
  const ctx = testContext();

  t.deepEqual((await indexes.files('acme-core', ctx)).map(({ file }) => file), ['acme_core-1.0.tar.gz']);
  t.deepEqual(await indexes.files('acme-extra', ctx), []);
  t.deepEqual(all.paths(), []);
});

test('a file is verified on the way, kept, and found again; other bytes are refused and not kept', async (t) => {
  await using dir = await tempDir();
  const good = sdist({ name: 'good' });
  await using server = await serve(indexFiles({ good: [good], bad: [sdist({ name: 'bad' })] }));
  const all = [index('all', ['*'], `${server.url}/simple`)];
  const ctx = testContext();
  server.fault('bad-1.0.tar.gz', { kind: 'corrupt' });
  await using indexes = openIndexes(options(dir, all));
  const [first] = await indexes.files('good', ctx);
  const [second] = await indexes.files('bad', ctx);

  await t.throwsAsync(indexes.fetch('bad', second!, ctx), { code: 'E_HASH' });
  const path = await indexes.fetch('good', first!, ctx);
  t.true(path.endsWith(good.sha256));
  server.requests.length = 0;
  await using again = openIndexes(options(dir, all));
  t.is(await again.fetch('good', first!, ctx), path);
  t.deepEqual(server.paths(), []);
});

test('links of an index to addresses inside are not followed, nor from https to http', async (t) => {
  await using dir = await tempDir();
  await using indexes = openIndexes(options(dir, [index('all', ['*'], 'http://index.example.org/simple')]));
  await using secure = openIndexes(options(dir, [index('all', ['*'], 'https://index.example.org/simple')]));
  const file = { file: 'six-1.0.tar.gz', url: 'http://127.0.0.1:9/six-1.0.tar.gz', sha256: sha256Of(D) };

  await t.throwsAsync(indexes.fetch('six', file, testContext()), { code: 'E_FETCH', message: /internal address/ });
  await t.throwsAsync(secure.fetch('six', file, testContext()), { code: 'E_FETCH', message: /read by https/ });
});

test('the proxy: sources only where wanted, wheels built before in their place, only what was offered is handed out', async (t) => {
  await using dir = await tempDir();
  const archive = sdist({ name: 'one' });
  const wheel = { file: 'one-1.0-py3-none-any.whl', bytes: Buffer.from('wheel'), sha256: sha256('wheel') };
  await using server = await serve(indexFiles({ one: [archive, wheel], two: [sdist({ name: 'two' })] }));
  await using indexes = openIndexes(options(dir, [index('all', ['*'], `${server.url}/simple`)]));
  const built = { file: 'two-1.0-0x00-py3-none-any.whl', path: await indexes.fetch('one', (await indexes.files('one', testContext()))[0]!, testContext()), sha256: sha256('built'), requiresPython: '>=3' };
  const socket = dir.join('socket');
  await using proxy = await openIndexProxy(
    { socket, indexes, sourceOnly: (name) => name === 'one', built: (name) => (name === 'two' ? built : undefined) },
    testContext(),
  );

  t.regex(await get(socket, '/a/simple/one/'), /one-1\.0\.tar\.gz/);
  t.notRegex(await get(socket, '/a/simple/one/'), /whl/);
  t.regex(await get(socket, '/a/simple/two/'), /two-1\.0-0x00-py3-none-any\.whl/);
  t.notRegex(await get(socket, '/a/simple/two/'), /tar\.gz/);
  t.is(await get(socket, `/a/files/${archive.sha256}/x.tar.gz`), archive.bytes.toString('latin1'));
  t.deepEqual(proxy.fetched('a').map(({ file, sha256: digest }) => [file, digest]), [[archive.file, archive.sha256]]);
  t.deepEqual(proxy.fetched('b'), []);
  for (const path of [`/a/files/${wheel.sha256}/x.whl`, '/a/simple/One/', '/a/simple/..%2f/', '/../etc/passwd', '/a/simple/', '/', `http://${'h'}/x`]) {
    t.regex(await get(socket, path), /^(no such|not found)/, path);
  }
});

test('an index that fails is a failure, not an absent project', async (t) => {
  await using dir = await tempDir();
  await using server = await serve(indexFiles({ one: [sdist({ name: 'one' })] }));
  server.fault(/./, { kind: 'status', status: 401 });
  await using indexes = openIndexes(options(dir, [index('all', ['*'], `${server.url}/simple`)]));
  // Longer than the path of a socket may be.
  const folder = dir.join('x'.repeat(120));
  await mkdir(folder);
  await symlink(folder, dir.join('short'));
  await using proxy = await openIndexProxy({ socket: `${folder}/socket`, indexes, sourceOnly: () => false, built: () => undefined }, testContext());

  await get(dir.join('short', 'socket'), '/a/simple/one/');
  t.like(proxy.failure(), { code: 'E_FETCH' });
});

function index(name: string, packages: readonly string[], url = 'http://unused.example.org/simple'): PackageIndex {
  return { name, url, packages };
}

function options(dir: TempDir, indexes: readonly PackageIndex[]) {
  return { indexes, cache: dir.join('cache'), cacheBelow: undefined, environment: {} };
}

function sha256Of(digits: string): ReturnType<typeof sha256> {
  return digits as ReturnType<typeof sha256>;
}

function get(socketPath: string, path: string): Promise<string> {
  return new Promise((resolve, reject) => {
    request({ socketPath, path }, (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk)).on('end', () => resolve(Buffer.concat(chunks).toString('latin1')));
    })
      .on('error', reject)
      .end();
  });
}

test('a page made to take for ever is read at once, and endless names of files are none', (t) => {
  const begun = performance.now();
  const base = 'http://index.example.org/simple/six/';

  t.deepEqual(parsePage(`${'<a '.repeat(300_000)}${'<base '.repeat(150_000)}`, base), []);
  const link = (file: string): string => `<a href="${file}#sha256=${'0'.repeat(64)}">x</a>`;
  t.deepEqual(parsePage(link(`six${'-1'.repeat(2000)}.tar.gz`), base), []);
  t.is(parsePage(`<BASE target=_top href='../../files/'>${link('six-1.tar.gz')}`, base)[0]?.url, 'http://index.example.org/files/six-1.tar.gz');

  t.true(performance.now() - begun < 5000);
});
