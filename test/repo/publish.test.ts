import { existsSync, readFileSync } from 'node:fs';
import { chmod, mkdir, readdir } from 'node:fs/promises';
import { gunzipSync } from 'node:zlib';
import test from 'ava';
import { fieldValue } from '../../src/formats/apt/stanza.ts';
import { aptClient } from '../rig/apt.ts';
import { rigKey } from '../rig/key.ts';
import { runCommand } from '../rig/run.ts';
import { hasCommand, testWith } from '../rig/skip.ts';
import { buildSource } from '../rig/source.ts';
import { tempDir } from '../rig/temp.ts';
import { repoSite, writeDeb, writeSource } from './support.ts';

const PREFIX = 'apt-mirror/integrated';

testWith(hasCommand('dpkg-scanpackages'), 'dpkg-scanpackages is not installed')(
  'apt installs what was added, and the index says what dpkg-scanpackages says',
  async (t) => {
    await using dir = await tempDir();
    const site = await repoSite(dir);
    const deb = await writeDeb(dir.join('in/app.deb'), { name: 'app', version: '1:2.0-1', fields: { Depends: 'lib (>= 1.0)', 'XB-Odd': 'kept' } });
    await writeDeb(dir.join('in/lib.deb'), { name: 'lib', architecture: 'all' });
    await writeDeb(dir.join('in/inst.udeb'), { name: 'inst' });
    await site.json(['repo', 'create', 'ours']);
    await site.json(['repo', 'add', 'ours', dir.join('in')]);
    await site.json(['snapshot', 'create', 's', '--from-repo', 'ours']);
    await site.json(['publish', 'snapshot', 's', '--distribution', 'rig']);

    const client = await aptClient(dir, 'client', {
      sources: [`deb [signed-by=%KEYRING%] file:${site.publicRoot}/${PREFIX} rig main`],
      keyring: (await rigKey('site')).publicKey,
    });
    await client.update();
    const shown = await client.aptGet(['install', '--print-uris', '--yes', 'app']);
    t.is(shown.status, 0, shown.stderr);
    t.regex(shown.stdout, /app_1%3a2\.0-1_amd64\.deb/);
    t.regex(shown.stdout, /lib_1\.0-1_all\.deb/);
    t.notRegex((await client.aptGet(['install', '--print-uris', '--yes', 'inst'])).stdout, /udeb/);
    await client.download(['app']);

    const index = gunzipSync(readFileSync(`${site.publicRoot}/${PREFIX}/dists/rig/main/binary-amd64/Packages.gz`));
    const own = Buffer.from(index.toString().split('\n\n').find((text) => text.startsWith('Package: app\n')) ?? '');
    t.is(`${own.toString().slice(0, own.indexOf('\nFilename:'))}\n`, deb.control);
    const scanned = await runCommand('dpkg-scanpackages', ['in'], { cwd: dir.path });
    const theirs = Buffer.from(scanned.stdout.split('\n\n').find((text) => text.startsWith('Package: app\n')) ?? '');
    for (const field of ['Package', 'Version', 'Architecture', 'Depends', 'Size', 'SHA256', 'Description', 'Maintainer', 'Section']) {
      t.is(fieldValue(own, field), fieldValue(theirs, field), field);
    }
  },
);

testWith(hasCommand('dpkg-source'), 'dpkg-source is not installed')(
  'apt-get source fetches a source package from a publication, and dpkg-source unpacks it',
  async (t) => {
    await using dir = await tempDir();
    const site = await repoSite(dir);
    await writeSource(dir.join('in'), buildSource('hello'));
    await site.json(['repo', 'create', 'ours']);
    await site.json(['repo', 'add', 'ours', dir.join('in')]);
    await site.json(['snapshot', 'create', 's', '--from-repo', 'ours']);
    await site.json(['publish', 'snapshot', 's', '--distribution', 'rig']);
    const client = await aptClient(dir, 'client', {
      sources: [`deb-src [signed-by=%KEYRING%] file:${site.publicRoot}/${PREFIX} rig main`],
      keyring: (await rigKey('site')).publicKey,
    });
    await client.update();

    await mkdir(dir.join('got'));
    await chmod(dir.join('got'), 0o777);
    const printed = await client.aptGet(['source', '--print-uris', 'hello']);
    const paths = [...printed.stdout.matchAll(/^'file:(\S+)' \S+ \d+ SHA256:/gm)].map(([, path = '']) => path);
    t.is(paths.length, 2, printed.stdout + printed.stderr);
    const unpacked = await runCommand('dpkg-source', ['-x', paths.find((path) => path.endsWith('.dsc')) ?? '', dir.join('got/hello')]);

    t.is(unpacked.status, 0, unpacked.stderr);
    t.true(existsSync(dir.join('got/hello/debian/rules')));
    t.is((await readdir(dir.join('got'))).includes('hello'), true);
  },
);

test('a clean-up takes nothing of one format for that of another published under the same prefix', async (t) => {
  await using dir = await tempDir();
  const site = await repoSite(dir);
  await writeSource(dir.join('in'), buildSource('hello'));
  await site.json(['repo', 'create', 'rpms', '--format', 'rpm']);
  await site.json(['repo', 'create', 'debs']);
  await site.json(['repo', 'add', 'debs', dir.join('in')]);
  await site.json(['publish', 'repo', 'rpms', 'mixed', '--distribution', 'el9']);
  await site.json(['publish', 'repo', 'debs', 'mixed', '--distribution', 'rig']);

  const later = { env: { SOURCE_DATE_EPOCH: String(Math.floor(Date.now() / 1000) + 30 * 24 * 3600) } };
  t.is((await site.json<{ publishedFiles: number }>(['db', 'cleanup'], 0, later)).publishedFiles, 0);
  t.deepEqual((await site.json<{ problems: string[] }>(['db', 'check', '--deep'])).problems, []);
});

test('what is published is of one format, and stays of it', async (t) => {
  await using dir = await tempDir();
  const site = await repoSite(dir);
  await site.json(['repo', 'create', 'rpms', '--format', 'rpm']);
  await site.json(['repo', 'create', 'debs']);
  for (const name of ['rpms', 'debs']) await site.json(['snapshot', 'create', name, '--from-repo', name]);

  t.like(await site.json(['publish', 'snapshot', 'debs', 'rpms', 'p', '--component', 'main,more', '--distribution', 'rig'], 2), { error: { code: 'E_USAGE', message: 'Snapshot "rpms" is rpm and cannot be published beside apt' } });
  await site.json(['publish', 'snapshot', 'debs', 'p', '--distribution', 'rig']);
  t.like(await site.json(['publish', 'switch', 'rig', 'p', 'rpms'], 2), { error: { code: 'E_USAGE', message: 'p rig is apt and cannot serve snapshot "rpms", which is rpm' } });
  t.deepEqual((await site.json<{ problems: string[] }>(['db', 'check'])).problems, []);
});
