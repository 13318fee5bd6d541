import { mkdir, readFile, writeFile } from 'node:fs/promises';
import test from 'ava';
import { aptClient } from './apt.ts';
import { buildDeb } from './deb.ts';
import { rigKey } from './key.ts';
import { runCommand } from './run.ts';
import { serve } from './server.ts';
import { hasCommand, isRoot, testWith } from './skip.ts';
import { tempDir } from './temp.ts';
import { aptUpstream, releaseDate } from './upstream.ts';

test('dpkg-deb reads a built package and finds what was asked for', async (t) => {
  await using dir = await tempDir();
  const deb = buildDeb({ name: 'px1', version: '2:1.2-3', fields: { Depends: 'px2 (>= 1)' }, files: { 'etc/px1/a': 'x' } });
  await writeFile(dir.join('a.deb'), deb.bytes);

  const info = await runCommand('dpkg-deb', ['--field', dir.join('a.deb'), 'Package', 'Version', 'Depends']);
  const contents = await runCommand('dpkg-deb', ['--contents', dir.join('a.deb')]);

  t.is(info.stderr + contents.stderr, '');
  t.is(info.stdout, 'Package: px1\nVersion: 2:1.2-3\nDepends: px2 (>= 1)\n');
  t.regex(contents.stdout, /^drwxr-xr-x root\/root .* \.\/etc\/px1\/$/m);
  t.regex(contents.stdout, /^-rw-r--r-- root\/root .* \.\/etc\/px1\/a$/m);
  t.is(deb.fileName, 'px1_1.2-3_amd64.deb');
  t.deepEqual(buildDeb({ name: 'same' }).bytes, buildDeb({ name: 'same' }).bytes);
});

testWith(isRoot, 'dpkg -i wants root')('dpkg installs a built package in a scratch root', async (t) => {
  await using dir = await tempDir();
  await mkdir(dir.join('root/var/lib/dpkg'), { recursive: true });
  await writeFile(dir.join('root/var/lib/dpkg/status'), '');
  await writeFile(dir.join('a.deb'), buildDeb({ name: 'px1', architecture: 'all' }).bytes);

  const run = await runCommand('dpkg', ['--root', dir.join('root'), '--log=/dev/null', '-i', dir.join('a.deb')]);

  t.is(run.status, 0, run.stderr);
  t.is(await readFile(dir.join('root/usr/share/px1/version'), 'utf8'), 'px1 1.0-1\n');
});

for (const keys of [['upstream'], ['upstream', 'second']]) {
  testWith(hasCommand('apt-get'), 'needs apt')(`apt uses an upstream signed by ${keys.join(' and ')}`, async (t) => {
    await using dir = await tempDir();
    const upstream = await aptUpstream({
      components: { main: [buildDeb({ name: 'px1', fields: { Depends: 'px2' } })], extra: [buildDeb({ name: 'px2', architecture: 'all' })] },
      keys: await Promise.all(keys.map(rigKey)),
      validUntil: new Date(Date.now() + 86_400_000),
    });
    await using server = await serve(upstream.files);
    const client = await aptClient(dir, 'client', {
      sources: [`deb [signed-by=%KEYRING%] ${server.url} rig main extra`],
      keyring: upstream.keyring,
    });

    await client.update();
    await client.download(['px1']);

    t.true(server.paths().some((path) => path.includes('/by-hash/SHA256/')));
    t.deepEqual(
      await readFile(`${client.folder}/cache/archives/px2_1.0-1_all.deb`),
      buildDeb({ name: 'px2', architecture: 'all' }).bytes,
    );
    await upstream.republish({ components: { main: [buildDeb({ name: 'px1', version: '2' })], extra: [] } });
    await client.update();
    await client.download(['px1']);
    t.true(server.paths().some((path) => path.endsWith('px1_2_amd64.deb')));
  });
}

testWith(hasCommand('apt-get'), 'needs apt')('apt uses a flat upstream', async (t) => {
  await using dir = await tempDir();
  const upstream = await aptUpstream({ flat: true, distribution: 'flat', components: { main: [buildDeb({ name: 'px1' })] } });
  await using server = await serve(upstream.files);
  const client = await aptClient(dir, 'client', {
    sources: [`deb [signed-by=%KEYRING%] ${server.url} flat/`],
    keyring: upstream.keyring,
  });

  await client.update();
  await client.download(['px1']);

  t.true(server.paths().includes('flat/px1_1.0-1_amd64.deb'));
});

testWith(hasCommand('apt-get'), 'needs apt')('apt refuses an upstream when the keyring has another key', async (t) => {
  await using dir = await tempDir();
  const upstream = await aptUpstream({ components: { main: [] } });
  await using server = await serve(upstream.files);
  const client = await aptClient(dir, 'client', {
    sources: [`deb [signed-by=%KEYRING%] ${server.url} rig main`],
    keyring: (await rigKey('stranger')).publicKey,
  });

  await t.throwsAsync(client.update(), { message: /NO_PUBKEY|not signed/ });
});

test('the server knows HEAD, validators, ranges and the log', async (t) => {
  const files = new Map([['a b', Buffer.from('0123456789')]]);
  await using server = await serve(files);
  const get = (headers: Record<string, string>): Promise<Response> => fetch(`${server.url}/a%20b`, { headers });

  const first = await get({});
  const etag = first.headers.get('etag') ?? '';

  t.is(await first.text(), '0123456789');
  t.is((await get({ 'if-none-match': etag })).status, 304);
  t.is(await (await get({ range: 'bytes=4-', 'if-range': etag })).text(), '456789');
  t.is((await get({ range: 'bytes=4-', 'if-range': '"other"' })).status, 200);
  t.is((await get({ range: 'bytes=10-' })).status, 416);
  t.is((await fetch(`${server.url}/a%20b`, { method: 'HEAD' })).headers.get('content-length'), '10');
  t.is((await fetch(`${server.url}/none`)).status, 404);
  t.deepEqual(server.requests.map(({ status }) => status), [200, 304, 206, 200, 416, 200, 404]);
  t.is(server.paths()[0], 'a b');
});

test('faults strike in order, as often as asked, and only where they match', async (t) => {
  await using server = await serve(new Map([['a', Buffer.from('good')], ['b', Buffer.from('good')]]));
  server.fault('a', { kind: 'status', status: 503, headers: { 'retry-after': '1' } }, 2);
  server.fault(/^a$/, { kind: 'corrupt' }, 1);

  const statuses = [];
  for (const path of ['a', 'b', 'a', 'a', 'a']) statuses.push(await (await fetch(`${server.url}/${path}`)).text());

  t.deepEqual(statuses.map((text) => text === 'good'), [false, true, false, false, true]);
  server.fault('b', { kind: 'truncate', after: 1 });
  await t.throwsAsync(async () => (await fetch(`${server.url}/b`)).text());
  server.heal();
  t.is(await (await fetch(`${server.url}/b`)).text(), 'good');
});

test('Release dates are spelled in UTC', (t) => {
  t.is(releaseDate(new Date('2025-01-01T02:03:04Z')), 'Wed, 01 Jan 2025 02:03:04 UTC');
});
