/** Installer trees: images that .treeinfo vouches for are mirrored, published and verified; Python reads what we write. */
import { createHash } from 'node:crypto';
import { chmodSync, existsSync, readFileSync, writeFileSync } from 'node:fs';
import type { ExecutionContext } from 'ava';
import { rigKey } from '../rig/key.ts';
import { buildRpms, type Rpm } from '../rig/rpm.ts';
import { rpmUpstream, type RpmUpstream } from '../rig/rpm-upstream.ts';
import { runCommand } from '../rig/run.ts';
import { hasCommand, testWith } from '../rig/skip.ts';
import { tempDir, type TempDir } from '../rig/temp.ts';
import { hasRpmTools, makeRpmScene, NO_RPM_TOOLS, type RpmScene } from './support.ts';

const witnessed = testWith(hasRpmTools && hasCommand('python3'), `${NO_RPM_TOOLS}, or python3`);

const REPOSITORY = 'rpm-mirror/integrated/r1.0.0-el9/x86_64';
const IMAGES: Readonly<Record<string, string>> = { 'images/boot.iso': 'an image', 'images/install.img': 'stage two', 'images/pxeboot/vmlinuz': 'a kernel', 'images/pxeboot/initrd.img': 'a disk' };

function digest(bytes: Buffer | string): string {
  return createHash('sha256').update(bytes).digest('hex');
}

function treeinfo(checksums: Readonly<Record<string, string>> = Object.fromEntries(Object.entries(IMAGES).map(([path, text]) => [path, `sha256:${digest(text)}`]))): string {
  return [
    '; written by a composer',
    '[checksums]',
    ...Object.entries(checksums).map(([path, value]) => `${path} = ${value}`),
    `repodata/repomd.xml = sha256:${'0'.repeat(64)}`,
    '',
    '[general]',
    'arch = x86_64',
    'family = Rig',
    'packagedir = Packages',
    'repository = .',
    '',
    '[header]',
    'type = productmd.treeinfo',
    'version = 1.2',
    '',
    '[images-x86_64]',
    'boot.iso = images/boot.iso',
    'initrd = images/pxeboot/initrd.img',
    'kernel = images/pxeboot/vmlinuz',
    '',
    '[stage2]',
    'mainimage = images/install.img',
    '',
    '[tree]',
    'arch = x86_64',
    'variants = BaseOS,AppStream',
    '',
    '[variant-BaseOS]',
    'id = BaseOS',
    'packages = Packages',
    'repository = .',
    '',
    '[variant-AppStream]',
    'id = AppStream',
    'packages = ../../AppStream/x86_64/os/Packages',
    'repository = ../../AppStream/x86_64/os',
    '',
  ].join('\n');
}

let built: Promise<readonly Rpm[]> | undefined;
let builtIn: TempDir | undefined;

async function treeUpstream(dir: TempDir, text = treeinfo()): Promise<RpmUpstream> {
  builtIn ??= await tempDir();
  built ??= buildRpms(builtIn, [{ name: 'alpha', arch: 'x86_64' }]);
  const upstream = await rpmUpstream(dir, { rpms: await built });
  for (const [path, bytes] of Object.entries(IMAGES)) upstream.files.set(path, Buffer.from(bytes));
  upstream.files.set('.treeinfo', Buffer.from(text));
  return upstream;
}

/** The values of a key in all sections, as Python's own reader finds them. */
async function valuesOf(file: string, key: string): Promise<readonly string[]> {
  const program = 'import configparser, json, sys\np = configparser.ConfigParser(interpolation=None)\np.read(sys.argv[1])\nprint(json.dumps([p[s][sys.argv[2]] for s in p.sections() if sys.argv[2] in p[s]]))';
  const { stdout, stderr } = await runCommand('python3', ['-c', program, file, key]);
  if (stdout === '') throw new Error(stderr);
  return JSON.parse(stdout) as string[];
}

async function verify(t: ExecutionContext, { site }: RpmScene, status: number, problem?: RegExp): Promise<void> {
  const result = await site.run(['publish', 'verify', 'r1.0.0-el9', 'rpm-mirror/integrated']);
  t.is(result.status, status, result.stdout);
  if (problem !== undefined) t.regex(result.stdout, problem);
}

witnessed('a tree is published with its images, and all variants are in the one repository', async (t) => {
  await using dir = await tempDir();
  const upstream = await treeUpstream(dir);
  await using scene = await makeRpmScene(dir, { up: { upstream, extra: { treeinfo: digest(treeinfo()) } } });
  const made = await scene.site.run(['build', '--release', 'r1.0.0']);
  t.is(made.status, 0, made.stderr);
  t.regex(made.stderr, /the variant AppStream lies at "\.\.\/\.\.\/AppStream\/x86_64\/os": mirror that repository too and merge it/);
  t.regex((await scene.site.run(['build', '--release', 'r1.0.0'])).stdout, /unchanged/i);

  const folder = `${scene.site.publicRoot}/${REPOSITORY}`;
  for (const [path, bytes] of Object.entries(IMAGES)) t.is(readFileSync(`${folder}/${path}`, 'utf8'), bytes);
  t.deepEqual(await valuesOf(`${folder}/.treeinfo`, 'repository'), ['.', '.', '.']);
  t.deepEqual(await valuesOf(`${folder}/.treeinfo`, 'packages'), ['pool', 'pool']);
  t.deepEqual(await valuesOf(`${folder}/.treeinfo`, 'kernel'), ['images/pxeboot/vmlinuz']);
  t.regex(readFileSync(`${folder}/repodata/repomd.xml`, 'utf8'), new RegExp(`<data type="treeinfo">\\s*<checksum type="sha256">${digest(readFileSync(`${folder}/.treeinfo`))}`));
  const client = await scene.client('client', REPOSITORY);
  await client.ok(['install', 'alpha']);
  const manifest = readFileSync(`${scene.site.publicRoot}/releases/r1.0.0/latest/manifest.json`, 'utf8');
  for (const path of ['.treeinfo', ...Object.keys(IMAGES)]) t.true(manifest.includes(`"${REPOSITORY}/${path}"`), path);
  await verify(t, scene, 0);
  t.is((await scene.site.run(['db', 'check', '--deep'])).status, 0);

  chmodSync(`${folder}/images/boot.iso`, 0o644);
  writeFileSync(`${folder}/images/boot.iso`, 'damaged!');
  await verify(t, scene, 3, /images\/boot\.iso has other bytes/);
});

witnessed('what we publish is a tree that is trusted by our signature, without a digest of its list', async (t) => {
  await using dir = await tempDir();
  const upstream = await treeUpstream(dir);
  await using scene = await makeRpmScene(dir, { up: { upstream, extra: { treeinfo: digest(treeinfo()) } } });
  t.is((await scene.site.run(['build', '--release', 'r1.0.0'])).status, 0);
  const file = `${scene.site.root}/vars/all.yml`;
  const vars = JSON.parse(readFileSync(file, 'utf8')) as { rpm_mirrors: unknown[] };
  const key = await rigKey('site');
  const ours = { name: 'ours', archive_url: `${scene.published.url}/${REPOSITORY}`, gpg: { key: key.fingerprint, keyring: 'keys/site.pub' } };
  writeFileSync(`${scene.site.root}/keys/site.pub`, key.publicKey);
  writeFileSync(file, JSON.stringify({ ...vars, rpm_mirrors: [...vars.rpm_mirrors, ours] }));

  const updated = await scene.site.run(['mirror', 'update', 'ours']);
  t.is(updated.status, 0, updated.stderr);
  await scene.site.json(['snapshot', 'create', 'copy', '--from-mirror', 'ours']);
  await scene.site.json(['publish', 'snapshot', 'copy', 'rpm-mirror/copy', '--distribution', 'el9']);
  const folder = `${scene.site.publicRoot}/rpm-mirror/copy/el9/x86_64`;
  t.is(readFileSync(`${folder}/images/boot.iso`, 'utf8'), 'an image');
  t.is(readFileSync(`${folder}/.treeinfo`, 'utf8'), readFileSync(`${scene.site.publicRoot}/${REPOSITORY}/.treeinfo`, 'utf8'));
});

witnessed('an exact mirror has the tree as it is', async (t) => {
  await using dir = await tempDir();
  const upstream = await treeUpstream(dir);
  await using scene = await makeRpmScene(dir, { up: { upstream, extra: { exact: true, treeinfo: digest(treeinfo()) } } });
  t.is((await scene.site.run(['build', '--release', 'r1.0.0'])).status, 0);
  const folder = `${scene.site.publicRoot}/${REPOSITORY}`;
  for (const [path, bytes] of upstream.files) t.true(readFileSync(`${folder}/${path}`).equals(bytes), path);
  await verify(t, scene, 0);
});

const EXTRAS: Readonly<Record<string, string>> = { EULA: 'what may be done', 'keys/release.asc': 'a key', 'images/boot.iso': 'an image' };

function extraFiles(files: Readonly<Record<string, string>> = EXTRAS, algorithm = 'sha256'): string {
  const data = Object.entries(files).map(([file, text]) => ({ file, size: text.length, checksums: { md5: '0'.repeat(32), [algorithm]: digest(text) } }));
  return JSON.stringify({ header: { version: '1.0' }, data });
}

async function extrasUpstream(dir: TempDir, text: string): Promise<RpmUpstream> {
  const upstream = await treeUpstream(dir);
  for (const [path, bytes] of Object.entries(EXTRAS)) upstream.files.set(path, Buffer.from(bytes));
  upstream.files.set('extra_files.json', Buffer.from(text));
  return upstream;
}

witnessed('an exact mirror has the extra files of a compose; merged with another one it is one of ours without them', async (t) => {
  await using dir = await tempDir();
  const upstream = await extrasUpstream(dir, extraFiles());
  const more = await rpmUpstream(dir, { rpms: await buildRpms(dir, [{ name: 'beta' }]) }, 'more');
  await using scene = await makeRpmScene(dir, { up: { upstream, extra: { exact: true, treeinfo: digest(treeinfo()), extra_files: digest(extraFiles()) } }, more: { upstream: more } }, { vars: { rpm_miko_mapping: { r1: { el9: ['up'], el10: ['up', 'more'] } } }, releases: { 'r1.0.0': { codenames: ['el9', 'el10'] } } });
  const built = await scene.site.run(['build', '--release', 'r1.0.0']);
  t.is(built.status, 0, built.stderr);
  t.regex((await scene.site.run(['build', '--release', 'r1.0.0'])).stdout, /unchanged/i);
  const folder = `${scene.site.publicRoot}/${REPOSITORY}`;
  for (const [path, bytes] of upstream.files) t.true(readFileSync(`${folder}/${path}`).equals(bytes), path);
  const manifest = readFileSync(`${scene.site.publicRoot}/releases/r1.0.0/latest/manifest.json`, 'utf8');
  for (const path of ['extra_files.json', ...Object.keys(EXTRAS)]) t.true(manifest.includes(`"${REPOSITORY}/${path}"`), path);
  await verify(t, scene, 0);
  const merged = `${scene.site.publicRoot}/rpm-mirror/integrated/r1.0.0-el10/x86_64`;
  t.true(existsSync(`${merged}/images/boot.iso`));
  t.false(existsSync(`${merged}/EULA`) || existsSync(`${merged}/extra_files.json`));
  t.notRegex(readFileSync(`${merged}/repodata/repomd.xml`, 'utf8'), /extra_files/);

  chmodSync(`${folder}/EULA`, 0o644);
  writeFileSync(`${folder}/EULA`, 'damaged!');
  await verify(t, scene, 3, /EULA has 8 bytes instead of 16/);
});

for (const [id, code, text, lie] of [
  ['a file of other bytes', 'E_HASH', extraFiles(), { EULA: 'What may be done' }],
  ['a missing file', 'E_FETCH', extraFiles({ ...EXTRAS, gone: 'gone' }), {}],
  ['a file with an MD5 alone', 'E_WEAK_HASH', extraFiles(EXTRAS, 'none'), {}],
  ['a path that leads elsewhere', 'E_PATH', extraFiles({ '../EULA': 'x' }), {}],
  ['the place of our metadata', 'E_PATH', extraFiles({ 'repodata': 'x' }), {}],
  ['no JSON', 'E_FORMAT', '{"data": [', {}],
  ['no list', 'E_FORMAT', '{"data": {}}', {}],
] as const) {
  witnessed(`extra files are refused: ${id}`, async (t) => {
    await using dir = await tempDir();
    const upstream = await extrasUpstream(dir, text);
    for (const [path, bytes] of Object.entries(lie)) upstream.files.set(path, Buffer.from(bytes));
    await using scene = await makeRpmScene(dir, { up: { upstream, extra: { exact: true, extra_files: digest(text) } } });

    const { stdout } = await scene.site.run(['mirror', 'update', 'up', '--json']);
    t.is(JSON.parse(stdout).error?.code, code, stdout);
  });
}

witnessed('extra files are for exact mirrors, and over plain http their list must be pinned', async (t) => {
  await using dir = await tempDir();
  const upstream = await treeUpstream(dir);
  for (const [extra, message] of [[{ extra_files: digest('x') }, /add exact: yes/], [{ exact: true, extra_files: true }, /nothing signs extra_files\.json/]] as const) {
    await using scene = await makeRpmScene(dir, { up: { upstream, extra } });
    const checked = await scene.site.run(['config', 'check']);
    t.not(checked.status, 0);
    t.regex(checked.stdout + checked.stderr, message);
  }
});

const REFUSED: readonly { readonly id: string; readonly code: string; readonly text?: string; readonly pin?: string; readonly lie?: (upstream: RpmUpstream) => void }[] = [
  { id: 'R04 a list of another digest than is pinned', code: 'E_HASH', pin: '0'.repeat(64) },
  { id: 'R04 an image of other bytes', code: 'E_HASH', lie: ({ files }) => void files.set('images/boot.iso', Buffer.from('AN image')) },
  { id: 'R04 an image without a digest', code: 'E_WEAK_HASH', text: treeinfo({ 'images/boot.iso': `sha256:${digest('an image')}` }) },
  { id: 'R04 an image with an MD5', code: 'E_WEAK_HASH', text: treeinfo({ 'images/boot.iso': `md5:${'0'.repeat(32)}` }) },
  { id: 'a path that leads elsewhere', code: 'E_PATH', text: treeinfo({ '../boot.iso': `sha256:${digest('an image')}` }) },
  { id: 'an absolute path', code: 'E_PATH', text: treeinfo({ '/etc/passwd': `sha256:${digest('an image')}` }) },
  { id: 'a path in our pool', code: 'E_PATH', text: treeinfo({ 'pool/x': `sha256:${digest('an image')}` }) },
  { id: 'no architecture', code: 'E_FORMAT', text: treeinfo().replaceAll('arch = x86_64', 'arch = ../x') },
  { id: 'a line that is none', code: 'E_FORMAT', text: `${treeinfo()}\nrubbish\n` },
  { id: 'no list', code: 'E_FETCH', lie: ({ files }) => void files.delete('.treeinfo') },
  { id: 'a missing image', code: 'E_FETCH', lie: ({ files }) => void files.delete('images/boot.iso') },
];

for (const { id, code, text = treeinfo(), pin = digest(text), lie } of REFUSED) {
  witnessed(`a tree is refused: ${id}`, async (t) => {
    await using dir = await tempDir();
    const upstream = await treeUpstream(dir, text);
    lie?.(upstream);
    await using scene = await makeRpmScene(dir, { up: { upstream, extra: { treeinfo: pin } } });

    const { stdout } = await scene.site.run(['mirror', 'update', 'up', '--json']);
    t.is(JSON.parse(stdout).error?.code, code, stdout);
    t.false(existsSync(`${scene.site.publicRoot}/rpm-mirror`));
  });
}

witnessed('R05 over plain http a list must be pinned', async (t) => {
  await using dir = await tempDir();
  const upstream = await treeUpstream(dir);
  await using scene = await makeRpmScene(dir, { up: { upstream, extra: { treeinfo: true } } });

  const checked = await scene.site.run(['config', 'check']);
  t.not(checked.status, 0);
  t.regex(checked.stdout + checked.stderr, /nothing signs \.treeinfo/);
});
