import { mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createHash } from 'node:crypto';
import { gunzipSync } from 'node:zlib';
import test from 'ava';
import { buildDeb } from '../rig/deb.ts';
import { rigKey } from '../rig/key.ts';
import { runCommand } from '../rig/run.ts';
import { makeSite, type Site } from '../rig/site.ts';
import { hasCommand, testWith } from '../rig/skip.ts';
import { serve } from '../rig/server.ts';
import { tempDir, type TempDir } from '../rig/temp.ts';
import { fingerprint } from '../rig/witness.ts';
import { aptUpstream } from '../rig/upstream.ts';

const withAptly = testWith(hasCommand('aptly'), 'aptly is missing');

interface Imported {
  readonly lists: readonly { readonly snapshot: string; readonly kind: string; readonly packages: number; readonly state: string; readonly result: string }[];
  readonly files: number;
}

interface AptlyRig {
  readonly root: string;
  aptly(...args: readonly string[]): Promise<string>;
}

async function aptlyRoot(dir: TempDir): Promise<AptlyRig> {
  const root = dir.join('aptly');
  writeFileSync(dir.join('aptly.conf'), JSON.stringify({ rootDir: root, architectures: ['amd64', 'i386'] }));
  return {
    root,
    aptly: async (...args) => {
      const { status, stdout, stderr } = await runCommand('aptly', [`-config=${dir.join('aptly.conf')}`, ...args]);
      if (status !== 0) throw new Error(`aptly ${args.join(' ')}: ${stdout}${stderr}`);
      return stdout;
    },
  };
}

/** A repository `ours` with versions, an epoch, a udeb, a source package, and two snapshots of it. */
async function filledRoot(dir: TempDir): Promise<AptlyRig> {
  const rig = await aptlyRoot(dir);
  mkdirSync(dir.join('debs'));
  const debs = [
    buildDeb({ name: 'alpha' }),
    buildDeb({ name: 'alpha', version: '1:2.0-1', fields: { 'X-Odd': 'kept', Description: 'second\n with lines\n .\n and more' } }),
    buildDeb({ name: 'libbeta', architecture: 'all' }),
    buildDeb({ name: 'gamma', architecture: 'i386' }),
  ];
  for (const deb of debs) writeFileSync(dir.join('debs', deb.version.includes(':') ? `2_${deb.fileName}` : deb.fileName), deb.bytes);
  writeFileSync(dir.join('debs', 'delta-udeb_1.0-1_amd64.udeb'), buildDeb({ name: 'delta-udeb', fields: { Section: 'debian-installer' } }).bytes);
  await addSource(dir);
  await rig.aptly('repo', 'create', '-distribution=rig', 'ours');
  await rig.aptly('repo', 'add', 'ours', dir.join('debs'));
  await rig.aptly('snapshot', 'create', 'first', 'from', 'repo', 'ours');
  await rig.aptly('snapshot', 'filter', 'first', 'ours', 'alpha (>= 1:2)');
  await rig.aptly('snapshot', 'create', 'nothing', 'empty');
  return rig;
}

async function addSource(dir: TempDir): Promise<void> {
  const folder = dir.join('src', 'eps-1.0');
  mkdirSync(join(folder, 'debian', 'source'), { recursive: true });
  writeFileSync(join(folder, 'debian', 'control'), 'Source: eps\nMaintainer: R <r@example.org>\nStandards-Version: 4.6.0\nSection: misc\nPriority: optional\n\nPackage: eps\nArchitecture: any\nDescription: d\n');
  writeFileSync(join(folder, 'debian', 'changelog'), 'eps (1.0) unstable; urgency=low\n\n  * x\n\n -- R <r@example.org>  Mon, 01 Jan 2024 00:00:00 +0000\n');
  writeFileSync(join(folder, 'debian', 'source', 'format'), '3.0 (native)\n');
  await runCommand('dpkg-source', ['-b', 'eps-1.0'], { cwd: dir.join('src') });
  for (const name of readdirSync(dir.join('src')).filter((file) => file.includes('.'))) {
    if (name !== 'eps-1.0') writeFileSync(dir.join('debs', name), readFileSync(dir.join('src', name)));
  }
}

/** Name, version, architecture and digest of each package, as aptly tells. */
async function aptlyPackages({ aptly }: AptlyRig, kind: string, name: string): Promise<string[]> {
  const text = await aptly(kind, 'search', '-format={{.Key}} {{.SHA256}} {{index . "Checksums-Sha256"}}', name, 'Name');
  const entries = text.split(/\n(?=P)/).filter((entry) => entry.trim() !== '');
  return entries
    .map((entry) => {
      const [key = '', packageName = '', version = '', , sha256 = ''] = entry.split(/\s+/);
      const dsc = /([0-9a-f]{64}) \d+ \S+\.dsc/.exec(entry)?.[1];
      return `${packageName} ${version} ${key.slice(1)} ${dsc ?? sha256}`;
    })
    .sort();
}

interface Shown {
  readonly packages: readonly { readonly name: string; readonly version: string; readonly architecture: string; readonly files: readonly { name: string; sha256: string }[] }[];
}

async function ourPackages(site: Site, name: string): Promise<string[]> {
  const { packages } = await site.json<Shown>(['snapshot', 'show', name, '--packages']);
  return packages.filter(({ architecture }) => architecture !== 'listed').map((item) => `${item.name} ${item.version} ${item.architecture} ${(item.files.find((file) => file.name.endsWith('.dsc')) ?? item.files[0])?.sha256}`).sort();
}

async function bareSite(dir: TempDir): Promise<Site> {
  return makeSite(dir, { mirrors: {}, architectures: ['amd64', 'i386'] });
}

withAptly('snapshots and repositories come in with the same packages, and aptly is left as it was', async (t) => {
  await using dir = await tempDir();
  const rig = await filledRoot(dir);
  const site = await bareSite(dir);
  const before = fingerprint(rig.root);

  const imported = await site.json<Imported>(['import', 'aptly', rig.root]);

  t.deepEqual(imported.lists.map(({ snapshot, kind, packages, state }) => [snapshot, kind, packages, state]), [
    ['first', 'snapshot', 6, 'imported'],
    ['nothing', 'snapshot', 0, 'imported'],
    ['ours', 'snapshot', 1, 'imported'],
    ['repo-ours', 'repo', 6, 'imported'],
  ]);
  t.deepEqual(await ourPackages(site, 'first'), await aptlyPackages(rig, 'snapshot', 'first'));
  t.deepEqual(await ourPackages(site, 'ours'), await aptlyPackages(rig, 'snapshot', 'ours'));
  t.deepEqual(await ourPackages(site, 'repo-ours'), await aptlyPackages(rig, 'repo', 'ours'));
  const touched = fingerprint(rig.root).filter((line) => !before.includes(line) && !line.startsWith('db'));
  t.deepEqual(touched, []);

  const again = await site.json<Imported>(['import', 'aptly', rig.root]);
  t.deepEqual([again.files, new Set(again.lists.map(({ state }) => state))], [0, new Set(['present'])]);
});

withAptly('what was imported is published with the stanzas aptly prints', async (t) => {
  await using dir = await tempDir();
  const rig = await filledRoot(dir);
  const site = await bareSite(dir);
  await site.json(['import', 'aptly', rig.root]);

  await site.json(['publish', 'snapshot', 'first', '--distribution', 'rig']);

  t.is((await site.run(['publish', 'verify'])).status, 0);
  const folder = `${site.publicRoot}/apt-mirror/integrated/dists/rig/main`;
  const text = (path: string): string => gunzipSync(readFileSync(`${folder}/${path}.gz`)).toString();
  const shown = await rig.aptly('package', 'show', 'alpha (= 1:2.0-1)');
  const normal = (stanza: string): string => stanza.trim().replace(/^Filename: .*$/m, '');
  t.true(text('binary-amd64/Packages').split('\n\n').map(normal).includes(normal(shown)));
  t.regex(text('source/Sources'), /^Package: eps$/m);
  t.regex(text('debian-installer/binary-amd64/Packages'), /^Package: delta-udeb$/m);
  t.notRegex(text('binary-amd64/Packages'), /delta-udeb/);
});

withAptly('a list with a damaged or missing file is refused whole, and stops no other', async (t) => {
  await using dir = await tempDir();
  const rig = await filledRoot(dir);
  const site = await bareSite(dir);
  const pool = readdirSync(join(rig.root, 'pool'), { recursive: true, encoding: 'utf8' });
  const gamma = join(rig.root, 'pool', pool.find((path) => path.includes('gamma')) ?? '');
  const bytes = readFileSync(gamma);
  rmSync(gamma);
  bytes[100] = (bytes[100] ?? 0) ^ 1;
  writeFileSync(gamma, bytes);

  const damaged = await site.json<Imported>(['import', 'aptly', rig.root], 3);
  t.deepEqual(damaged.lists.map(({ snapshot, state }) => [snapshot, state]), [['first', 'refused'], ['nothing', 'imported'], ['ours', 'imported'], ['repo-ours', 'refused']]);
  t.regex(damaged.lists[0]?.result ?? '', /gamma_1\.0-1_i386\.deb is not the file it should be/);
  rmSync(gamma);
  const missing = await site.json<Imported>(['import', 'aptly', rig.root], 3);
  t.regex(missing.lists[0]?.result ?? '', /refused: .*gamma.*missing/);
});

withAptly('published trees come in without aptly; with a keyring only when signed by it', async (t) => {
  await using dir = await tempDir();
  const rig = await filledRoot(dir);
  const site = await bareSite(dir);
  await rig.aptly('publish', 'snapshot', '-skip-signing', '-architectures=amd64,i386,source', '-component=main,contrib', '-distribution=rig', 'first', 'ours', 'some/prefix');
  await rig.aptly('publish', 'snapshot', '-skip-signing', '-distribution=other', 'ours', 'deep/er');

  const imported = await site.run(['import', 'aptly', rig.root, '--published', '--json']);

  t.regex(imported.stderr, /its signature is not checked/);
  t.deepEqual((JSON.parse(imported.stdout) as Imported).lists.map(({ snapshot, state }) => [snapshot, state]), [
    ['deep-er-other-main', 'imported'],
    ['some-prefix-rig-contrib', 'imported'],
    ['some-prefix-rig-main', 'imported'],
  ]);
  t.deepEqual(await ourPackages(site, 'some-prefix-rig-main'), await aptlyPackages(rig, 'snapshot', 'first'));
  writeFileSync(dir.join('key.asc'), (await rigKey()).publicKey);
  const unsigned = await site.run(['import', 'aptly', rig.root, '--published', '--keyring', dir.join('key.asc')]);
  t.is(unsigned.status, 12);
  const none = await site.run(['import', 'aptly', rig.root], { env: { PATH: dir.join('empty') } });
  t.regex(none.stderr, /aptly is not installed: only what it has published is read/);
});

test('a signed tree is verified, a changed index is refused', async (t) => {
  await using dir = await tempDir();
  const site = await bareSite(dir);
  const upstream = await aptUpstream({ components: { main: [buildDeb({ name: 'alpha' })] } });
  for (const [path, bytes] of upstream.files) {
    mkdirSync(join(dir.join('root/public'), path, '..'), { recursive: true });
    writeFileSync(join(dir.join('root/public'), path), bytes);
  }
  writeFileSync(dir.join('key.asc'), upstream.keyring);
  writeFileSync(dir.join('other.asc'), (await rigKey('other')).publicKey);
  const run = (key: string) => site.run(['import', 'aptly', dir.join('root'), '--published', '--keyring', dir.join(key)]);

  t.is((await run('other.asc')).status, 12);
  t.is((await run('key.asc')).status, 0);
  t.is((await ourPackages(site, 'rig-main')).length, 1);
  for (const form of ['', '.gz', '.xz']) writeFileSync(dir.join('root/public/dists/rig/main/binary-amd64', `Packages${form}`), 'changed');
  t.is((await run('key.asc')).status, 12);
  t.is((await site.run(['import', 'aptly', dir.join('nowhere'), '--published'])).status, 10);
});

const IMAGES: Readonly<Record<string, string>> = { MANIFEST: 'what there is', 'netboot/mini.iso': 'an image' };
const SUMS = Object.entries(IMAGES).map(([path, text]) => `${createHash('sha256').update(text).digest('hex')}  ./${path}\n`).join('');
const INSTALLER = 'main/installer-amd64/current/images';

withAptly('mirrors and repositories are written down as variables that update the same mirrors, and images are left to them', async (t) => {
  await using dir = await tempDir();
  const rig = await aptlyRoot(dir);
  const upstream = await aptUpstream({ components: { main: [buildDeb({ name: 'alpha' }), buildDeb({ name: 'beta' })], extra: [] }, indices: { [`${INSTALLER}/SHA256SUMS`]: SUMS }, byHash: false });
  for (const [path, text] of Object.entries(IMAGES)) upstream.files.set(`${upstream.folder}/${INSTALLER}/${path}`, Buffer.from(text));
  await using server = await serve(upstream.files);
  await rig.aptly('mirror', 'create', '-ignore-signatures', '-architectures=amd64', '-with-installer', 'images@all', server.url, 'rig', 'main');
  await rig.aptly('mirror', 'create', '-ignore-signatures', '-architectures=amd64', '-filter=alpha | Name (% x*)', '-filter-with-deps', 'some', server.url, 'rig');
  for (const name of ['images@all', 'some']) await rig.aptly('mirror', 'update', '-ignore-signatures', name);
  await rig.aptly('repo', 'create', '-comment=what we build: all', 'ours');
  const site = await bareSite(dir);
  const vars = join(site.root, 'vars', 'from-aptly.yml');

  const imported = await site.run(['import', 'aptly', rig.root, '--vars', vars, '--json']);

  t.regex(imported.stderr, /mirror images@all: images of the installer are left out/);
  t.deepEqual((JSON.parse(imported.stdout) as Imported).lists.map(({ snapshot, packages, state }) => [snapshot, packages, state]), [
    ['images@all', 2, 'imported'],
    ['some', 1, 'imported'],
    ['ours', 0, 'imported'],
  ]);
  t.regex((await site.run(['import', 'aptly', rig.root, '--vars', vars])).stderr, /exists already/);
  const text = readFileSync(vars, 'utf8');
  t.regex(text, /filter: alpha \| Name \(% x\*\)\n {4}filter_with_deps: true\n/);
  t.regex(text, /comment: "what we build: all"/);
  const all = join(site.root, 'vars', 'all.yml');
  const { aptly_mirrors: _none, ...others } = JSON.parse(readFileSync(all, 'utf8')) as Record<string, unknown>;
  writeFileSync(all, JSON.stringify(others));
  t.deepEqual([...(await site.run(['config', 'check'])).stderr.matchAll(/^ .*: mirror (\S+): gpg\.key is missing/gm)].map(([, name]) => name), ['images-all', 'some']);
  writeFileSync(join(site.root, 'keys', 'rig.asc'), upstream.keyring);
  writeFileSync(vars, text.replaceAll('key: []', `{ key: [${upstream.fingerprints.join()}], keyring: keys/rig.asc }`).replaceAll(/gpg:\n +/g, 'gpg: '));
  t.is((await site.run(['config', 'check'])).stderr, '');
  const some = await site.json<{ packages: number }>(['mirror', 'update', 'some']);
  const images = await site.json<{ packages: number; files: number }>(['mirror', 'update', 'images-all']);
  t.deepEqual([some.packages, images.packages], [1, 2], 'the images are no packages');
  t.is(server.paths().filter((path) => path.endsWith('alpha_1.0-1_amd64.deb')).length, 1, 'by aptly');
});

withAptly('with --config aptly opens the database it names, wherever that is', async (t) => {
  await using dir = await tempDir();
  const rig = await filledRoot(dir);
  const site = await bareSite(dir);

  const imported = await site.json<Imported>(['import', 'aptly', dir.join('elsewhere'), '--config', dir.join('aptly.conf')]);

  t.deepEqual(imported.lists.map(({ state }) => state), ['imported', 'imported', 'imported', 'imported']);
  t.deepEqual(await ourPackages(site, 'first'), await aptlyPackages(rig, 'snapshot', 'first'));
  const wrong = await site.run(['import', 'aptly', rig.root, '--config', dir.join('none.conf')]);
  t.is(wrong.status, 1);
  t.regex(wrong.stderr, /none\.conf/);
});

withAptly('what a tree lists besides packages comes in with it: Contents, and images of the installer', async (t) => {
  await using dir = await tempDir();
  const rig = await aptlyRoot(dir);
  const upstream = await aptUpstream({ components: { main: [buildDeb({ name: 'alpha' })] }, indices: { [`${INSTALLER}/SHA256SUMS`]: SUMS }, byHash: false });
  for (const [path, text] of Object.entries(IMAGES)) upstream.files.set(`${upstream.folder}/${INSTALLER}/${path}`, Buffer.from(text));
  await using server = await serve(upstream.files);
  await rig.aptly('mirror', 'create', '-ignore-signatures', '-architectures=amd64', '-with-installer', 'm', server.url, 'rig');
  await rig.aptly('mirror', 'update', '-ignore-signatures', 'm');
  await rig.aptly('snapshot', 'create', 's', 'from', 'mirror', 'm');
  await rig.aptly('publish', 'snapshot', '-skip-signing', '-distribution=rig', 's');
  const site = await bareSite(dir);

  await site.json(['import', 'aptly', rig.root, '--published']);
  await site.json(['publish', 'snapshot', 'rig-main', '--distribution', 'rig']);

  const folder = `${site.publicRoot}/apt-mirror/integrated/dists/rig`;
  t.regex(gunzipSync(readFileSync(`${folder}/main/Contents-amd64.gz`)).toString(), /^usr\/share\/alpha\/version +misc\/alpha$/m);
  t.is(readFileSync(`${folder}/${INSTALLER}/netboot/mini.iso`, 'utf8'), 'an image');
  t.is((await site.run(['publish', 'verify'])).status, 0);
  rmSync(join(rig.root, 'public', upstream.folder, INSTALLER, 'MANIFEST'));
  const lost = await site.run(['import', 'aptly', rig.root, '--published']);
  t.regex(lost.stderr, /lists main\/installer-amd64\/current\/images\/MANIFEST, which is not there/);
});
