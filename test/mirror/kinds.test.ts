/** Besides binary packages: sources, udebs, flat repositories, and files that are passed through. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { createHash } from 'node:crypto';
import { gunzipSync, gzipSync } from 'node:zlib';
import test from 'ava';
import { aptClient } from '../rig/apt.ts';
import { buildDeb, packagesStanza } from '../rig/deb.ts';
import { rigKey } from '../rig/key.ts';
import { runCommand } from '../rig/run.ts';
import { serve } from '../rig/server.ts';
import { makeSite } from '../rig/site.ts';
import { hasCommand, testWith } from '../rig/skip.ts';
import { buildSource, sourcesStanza } from '../rig/source.ts';
import { tempDir } from '../rig/temp.ts';
import { aptUpstream } from '../rig/upstream.ts';

const PUBLISHED = 'apt-mirror/integrated';

testWith(hasCommand('dpkg-source'), 'dpkg-source is not installed')('sources are mirrored, published, fetched by apt and unpacked by dpkg-source', async (t) => {
  await using dir = await tempDir();
  const source = buildSource('hello');
  const upstream = await aptUpstream({
    components: { main: [buildDeb({ name: 'hello', architecture: 'all' })] },
    indices: { 'main/source/Sources': sourcesStanza(source, 'pool/main/h/hello') },
  });
  for (const [name, bytes] of source.files) upstream.files.set(`pool/main/h/hello/${name}`, bytes);
  await using server = await serve(upstream.files);
  const site = await makeSite(dir, { mirrors: { base: { upstream, url: server.url, extra: { with_sources: true } } } });

  await site.json(['build', '--release', 'r1.0.0']);

  const sources = gunzipSync(readFileSync(`${site.publicRoot}/${PUBLISHED}/dists/r1.0.0-rig/main/source/Sources.gz`)).toString();
  t.regex(sources, /^X-Kept: as it is$/m);
  t.is(sources.replace(/^Directory: .*$/m, 'Directory: pool/main/h/hello').trimEnd(), sourcesStanza(source, 'pool/main/h/hello').trimEnd());
  const client = await aptClient(dir, 'client', {
    sources: [`deb-src [signed-by=%KEYRING%] file:${site.publicRoot}/${PUBLISHED} r1.0.0-rig main`],
    keyring: (await rigKey('site')).publicKey,
  });
  await client.update();
  const target = dir.join('unpacked');
  const { status, stderr } = await runCommand('sh', ['-c', 'mkdir -p "$1" && chmod 777 "$1"', 'sh', target]);
  t.is(status, 0, stderr);
  const folder = /^Directory: (.*)$/m.exec(sources)?.[1] ?? '';
  const unpack = await runCommand('dpkg-source', ['-x', `${site.publicRoot}/${PUBLISHED}/${folder}/hello_1.0.dsc`, `${target}/hello`]);
  t.is(unpack.status, 0, unpack.stderr);
  t.true(existsSync(`${target}/hello/debian/changelog`));
  const printed = await client.aptGet(['source', '--print-uris', 'hello']);
  t.is(printed.status, 0, printed.stderr);
  t.true(printed.stdout.includes(folder));
  t.deepEqual(await site.json<{ problems: string[] }>(['db', 'check', '--deep']).then(({ problems }) => problems), []);
});

test('A29 a source package without its .dsc or with a slash in a file name is refused', async (t) => {
  await using dir = await tempDir();
  const source = buildSource('hello');
  const stanza = sourcesStanza(source, 'pool/h');
  const wrong = [stanza.replaceAll('hello_1.0.dsc', 'hello_1.0.txt'), stanza.replaceAll('hello_1.0.tar.gz', 'a/../hello_1.0.tar.gz'), stanza.replace('Directory: pool/h', 'Directory: ../h'), stanza.replace(/Checksums-Sha256:\n(?: .*\n)+/, '')];
  for (const [index, text] of wrong.entries()) {
    const upstream = await aptUpstream({ components: { main: [] }, indices: { 'main/source/Sources': text } });
    await using server = await serve(upstream.files);
    const site = await makeSite(dir, { mirrors: { base: { upstream, url: server.url, extra: { with_sources: true } } } }, `site${index}`);

    const { status, stderr } = await site.run(['mirror', 'update', 'base']);

    t.is(status, text.includes('Checksums-Sha256') ? 1 : 12, stderr);
    t.regex(stderr, /E_(FORMAT|PATH|WEAK_HASH): main\/source\/Sources, line 1: /);
  }
});

test('udebs are in debian-installer and never in the plain index', async (t) => {
  await using dir = await tempDir();
  const udeb = buildDeb({ name: 'disk-udeb', architecture: 'amd64' });
  const upstream = await aptUpstream({
    components: { main: [buildDeb({ name: 'hello' })] },
    indices: { 'main/debian-installer/binary-amd64/Packages': packagesStanza(udeb, 'pool/main/d/disk-udeb_1.0-1_amd64.udeb') },
  });
  upstream.files.set('pool/main/d/disk-udeb_1.0-1_amd64.udeb', udeb.bytes);
  await using server = await serve(upstream.files);
  const site = await makeSite(dir, { mirrors: { base: { upstream, url: server.url, extra: { with_udebs: true } } } });

  await site.json(['build', '--release', 'r1.0.0']);

  const index = (path: string): string => gunzipSync(readFileSync(`${site.publicRoot}/${PUBLISHED}/dists/r1.0.0-rig/main/${path}/Packages.gz`)).toString();
  t.deepEqual(index('binary-amd64').match(/^Package: .*$/gm), ['Package: hello']);
  t.deepEqual(index('debian-installer/binary-amd64').match(/^Package: .*$/gm), ['Package: disk-udeb']);
});

test('a flat repository is mirrored like any other', async (t) => {
  await using dir = await tempDir();
  const upstream = await aptUpstream({ flat: true, distribution: 'nightly', components: { main: [buildDeb({ name: 'tool' })] } });
  await using server = await serve(upstream.files);
  const site = await makeSite(dir, { mirrors: { flat: { upstream, url: server.url, extra: { distribution: 'nightly/' } } } });

  const update = await site.json<{ packages: number }>(['mirror', 'update', 'flat']);

  t.is(update.packages, 1);
  await site.json(['build', '--release', 'r1.0.0']);
  const client = await aptClient(dir, 'client', {
    sources: [`deb [signed-by=%KEYRING%] file:${site.publicRoot}/${PUBLISHED} r1.0.0-rig main`],
    keyring: (await rigKey('site')).publicKey,
  });
  await client.update();
  await client.download(['tool']);
});

test('a listed file of one source is passed through byte for byte', async (t) => {
  await using dir = await tempDir();
  const translation = 'Package: hello\nDescription-md5: 0123456789abcdef0123456789abcdef\nDescription-en: says hello\n long text\n';
  const upstream = await aptUpstream({
    components: { main: [buildDeb({ name: 'hello' })] },
    indices: { 'main/i18n/Translation-en': translation, 'main/cnf/Commands-amd64': 'suite: rig\n', 'main/other/unwanted': 'no\n' },
  });
  await using server = await serve(upstream.files);
  const extra = { with_translations: 'en', files: ['cnf/Commands-*'] };
  const site = await makeSite(dir, { mirrors: { base: { upstream, url: server.url, extra } } });

  await site.json(['build', '--release', 'r1.0.0']);

  const folder = `${site.publicRoot}/${PUBLISHED}/dists/r1.0.0-rig`;
  t.deepEqual(readdirSync(`${folder}/main`).sort(), ['binary-amd64', 'cnf', 'i18n']);
  t.deepEqual(readFileSync(`${folder}/main/i18n/Translation-en.xz`), upstream.files.get(`${upstream.folder}/main/i18n/Translation-en.xz`));
  const release = readFileSync(`${folder}/Release`, 'utf8');
  for (const line of [/ main\/i18n\/Translation-en$/m, / main\/i18n\/Translation-en\.xz$/m, / main\/cnf\/Commands-amd64$/m]) t.regex(release, line);
  const client = await aptClient(dir, 'client', {
    sources: [`deb [signed-by=%KEYRING%] file:${site.publicRoot}/${PUBLISHED} r1.0.0-rig main`],
    keyring: (await rigKey('site')).publicKey,
  });
  const { status, stderr } = await client.aptGet(['-o', 'Acquire::Languages=en', 'update']);
  t.is(status, 0, stderr);
  t.true(readdirSync(`${client.folder}/lists`).some((name) => name.includes('Translation-en')));
});

test('0.12 translations and components of two components are joined once each, not once per component', async (t) => {
  await using dir = await tempDir();
  const translation = (name: string): string => `Package: ${name}\nDescription-md5: ${createHash('md5').update(name).digest('hex')}\nDescription-en: ${name}\n`;
  const header = '---\nFile: DEP-11\nVersion: "0.14"\n';
  const upstream = await aptUpstream({
    components: { main: [buildDeb({ name: 'one' })], extra: [buildDeb({ name: 'two' })] },
    indices: {
      'main/i18n/Translation-en': `${translation('one')}\n${translation('both')}`,
      'extra/i18n/Translation-en': `${translation('both')}\n${translation('two')}`,
      'main/dep11/Components-amd64.yml': `${header}---\nID: one\n`,
      'extra/dep11/Components-amd64.yml': `${header}---\nID: two\n`,
      'main/dep11/icons-48x48.tar': gzipSync('icons of main'),
    },
  });
  await using server = await serve(upstream.files);
  const site = await makeSite(dir, { mirrors: { base: { upstream, url: server.url, extra: { with_translations: 'en', with_appstream: true } } } });

  await site.json(['build', '--release', 'r1.0.0']);

  const plain = (path: string): string => gunzipSync(readFileSync(`${site.publicRoot}/${PUBLISHED}/dists/r1.0.0-rig/main/${path}.gz`)).toString();
  t.deepEqual(plain('i18n/Translation-en').match(/^Package: .*$/gm)?.sort(), ['Package: both', 'Package: one', 'Package: two']);
  const components = plain('dep11/Components-amd64.yml');
  t.is(components.match(/^File: DEP-11$/gm)?.length, 1);
  t.deepEqual(components.match(/^ID: .*$/gm)?.sort(), ['ID: one', 'ID: two']);
  t.deepEqual(await site.json<{ problems: string[] }>(['db', 'check', '--deep']).then(({ problems }) => problems), []);
});
