/** Signatures of packages beside rpm 6: what it says of those we make, and what we say of those it makes. */
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { basename } from 'node:path';
import { inProcess } from '../operations/in-process.ts';
import { describedAlike } from '../formats/rpm/described.ts';
import { rigKey, type RigKey } from '../rig/key.ts';
import { newerTools, type RunNewer } from '../rig/newer-tools.ts';
import { headerOf, openRpm, withSignatureHeader } from '../rig/rpm-formats.ts';
import { buildRpms, hasRpmBuild, NO_RPMBUILD, type Rpm } from '../rig/rpm.ts';
import { runCommand } from '../rig/run.ts';
import { makeSite, type Site } from '../rig/site.ts';
import { hasCommand, testWith } from '../rig/skip.ts';
import { tempDir, type TempDir } from '../rig/temp.ts';

const { run = runCommand as RunNewer, reason } = await newerTools();
const newer = testWith(reason === undefined, reason ?? '');
const both = testWith(reason === undefined && hasRpmBuild, reason ?? NO_RPMBUILD);
const compared = testWith(reason === undefined && hasCommand('xmllint'), reason ?? 'needs xmllint');

const FORMAT6 = { run, defines: ['_rpmformat 6'] };
const REPOS = { rpm_repos: [{ name: 'built' }], rpm_miko_mapping: { r1: { el9: ['built'] } } };

both('packages of format 4 that we signed are accepted by rpm 6', async (t) => {
  await using dir = await tempDir();
  const rpms = await buildRpms(dir, [{ name: 'ours' }, { name: 'other', arch: 'x86_64', source: true }]);
  const site = await siteOf(dir);
  const published = await signedByUs(site, await put(dir, 'built', rpms));
  const accepts = await rpmWith(dir, [await rigKey('site')]);

  t.is(published.length, 3);
  t.is(await accepts(published), 'accepted');
  t.not(await accepts([dir.join('built', rpms[0]?.fileName ?? '')]), 'accepted');
});

compared('packages of format 6 are signed beside those who signed them before, and rpm 6 accepts them', async (t) => {
  t.timeout(120_000);
  await using dir = await tempDir();
  const [ours, vendor, stranger] = [await rigKey('site'), await rigKey('vendor'), await rigKey('stranger')];
  const plain = await buildRpms(dir, [{ name: 'alone' }, { name: 'second', arch: 'x86_64', source: true }, { name: 'tight' }], FORMAT6);
  const offered = await Promise.all(plain.map((rpm) => (rpm.fileName.startsWith('second') ? rpmSigned(dir, rpm, { key: vendor }) : rpm)));
  const rpms = offered.map((rpm) => (rpm.fileName.startsWith('tight') ? withoutRoom(rpm) : rpm));
  const site = await siteOf(dir);
  const published = await signedByUs(site, await put(dir, 'built', rpms));
  const signed = await Promise.all(published.map(async (path) => ({ fileName: nameOf(path), bytes: await readFile(path) })));
  const accepts = await rpmWith(dir, [ours, vendor]);
  const acceptsOurs = await rpmWith(dir, [ours]);
  const acceptsOther = await rpmWith(dir, [stranger]);

  t.is(signed.length, 4);
  for (const [at, { fileName, bytes }] of signed.entries()) {
    const before = rpms.find((rpm) => rpm.fileName === fileName)?.bytes ?? Buffer.alloc(0);
    const path = published[at] ?? '';
    const kind = fileName.split('-')[0] ?? '';
    t.is(await accepts([path]), 'accepted', fileName);
    t.is(await acceptsOurs([path]), kind === 'second' ? 'refused' : 'accepted', `${fileName}: rpm wants the keys of all who signed`);
    t.is(await acceptsOther([path]), 'refused', fileName);
    t.deepEqual(signaturesOf(bytes).length, kind === 'second' ? 2 : 1);
    t.deepEqual(signaturesOf(bytes).slice(0, -1), signaturesOf(before), 'others stay as they are');
    t.true(headerOf(bytes).equals(headerOf(before)) && openRpm(bytes).payload.equals(openRpm(before).payload), fileName);
    t.is(bytes.length === before.length, kind !== 'tight', `${fileName}: its size`);
  }
  await describedAlike(t, dir, signed, run);
  const again = await site.json<{ added: readonly unknown[]; same: readonly unknown[] }>(['repo', 'add', 'built', await put(dir, 'signed', signed), '--sign']);
  t.deepEqual([again.added.length, again.same.length], [0, 4], 'what we signed is not signed anew');
});

both('packages of format 4 with signatures of the newer kind get ours of both', async (t) => {
  await using dir = await tempDir();
  const [ours, vendor] = [await rigKey('site'), await rigKey('vendor')];
  const [rpm] = (await buildRpms(dir, [{ name: 'ours' }])) as [Rpm];
  const offered = await rpmSigned(dir, rpm, { key: vendor, args: ['--rpmv6'] });
  t.is(signaturesOf(offered.bytes).length, 1);
  const site = await siteOf(dir);
  const published = await signedByUs(site, await put(dir, 'built', [offered]));

  t.is(await (await rpmWith(dir, [ours, vendor]))(published), 'accepted');
  t.is(await (await rpmWith(dir, [ours], runCommand))(published), 'accepted', 'by the installed rpm, which knows none of the newer kind');
  t.is(await (await rpmWith(dir, [vendor]))(published), 'refused');
  const again = await site.json<{ same: readonly unknown[] }>(['repo', 'add', 'built', await put(dir, 'signed', [{ ...rpm, bytes: await readFile(published[0] ?? '') }]), '--sign']);
  t.is(again.same.length, 1, 'what we signed is not signed anew');
});

newer('R10 signatures that rpm 6 made of packages of format 6 are verified', async (t) => {
  await using dir = await tempDir();
  const [vendor, other, stranger] = [await rigKey('vendor'), await rigKey('other'), await rigKey('stranger')];
  const [rpm] = (await buildRpms(dir, [{ name: 'signed' }], FORMAT6)) as [Rpm];
  const twice = await rpmSigned(dir, await rpmSigned(dir, rpm, { key: vendor }), { key: other });
  t.is(signaturesOf(twice.bytes).length, 2);
  const site = await siteOf(dir);
  for (const key of [vendor, other, stranger]) await writeFile(dir.join(`${key.fingerprint}.asc`), key.publicKey);
  const outcome = async (folder: string, key: RigKey): Promise<string> => {
    const { status, stdout } = await site.run(['repo', 'add', 'built', folder, '--keyring', dir.join(`${key.fingerprint}.asc`), '--fingerprint', key.fingerprint, '--json']);
    return status === 0 ? 'added' : (JSON.parse(stdout) as { error: { code: string } }).error.code;
  };
  const folder = await put(dir, 'twice', [twice]);
  const spoiled = { ...twice, bytes: withSignatureHeader((await buildRpms(dir, [{ name: 'elsewhere' }], FORMAT6))[0]?.bytes ?? Buffer.alloc(0), openRpm(twice.bytes).signature) };

  t.is(await outcome(await put(dir, 'plain', [rpm]), vendor), 'E_UNSIGNED');
  t.is(await outcome(folder, stranger), 'E_SIGNATURE');
  t.is(await outcome(await put(dir, 'spoiled', [spoiled]), vendor), 'E_FORMAT', 'its digests are of another header, too');
  t.is(await outcome(folder, vendor), 'added');
  t.is(await outcome(folder, other), 'added');
});

async function siteOf(dir: TempDir): Promise<Site> {
  return inProcess(await makeSite(dir, { mirrors: {}, miko: {}, releases: { 'r1.0.0': { codenames: ['el9'] } }, vars: REPOS }));
}

async function put(dir: TempDir, folder: string, rpms: readonly Rpm[]): Promise<string> {
  await mkdir(dir.join(folder));
  for (const { fileName, bytes } of rpms) await writeFile(dir.join(folder, fileName), bytes);
  return dir.join(folder);
}

/** Paths of the published files, in the order of their names. */
async function signedByUs(site: Site, folder: string): Promise<readonly string[]> {
  await site.json(['repo', 'add', 'built', folder, '--sign']);
  const { status, stderr } = await site.run(['build', '--release', 'r1.0.0']);
  if (status !== 0) throw new Error(stderr);
  const pool = `${site.publicRoot}/rpm-mirror/integrated/r1.0.0-el9/x86_64/pool`;
  const found = (await readdir(pool, { recursive: true })).filter((name) => name.endsWith('.rpm')).map((name) => `${pool}/${name}`);
  return found.toSorted((a, b) => (nameOf(a) < nameOf(b) ? -1 : 1));
}

/** Published files have their digest before their name. */
function nameOf(path: string): string {
  return basename(path).replace(/^[0-9a-f]{64}_/, '');
}

/** Whether an rpm that knows these keys only accepts all of the files. */
async function rpmWith(dir: TempDir, keys: readonly RigKey[], runRpm: RunNewer = run): Promise<(files: readonly string[]) => Promise<'accepted' | 'refused'>> {
  const id = `${runRpm === run ? 'newer' : 'installed'}-${keys.map(({ fingerprint }) => fingerprint.slice(0, 8)).join('-')}`;
  const database = ['--dbpath', dir.join(`db-${id}`)];
  for (const [at, { publicKey }] of keys.entries()) {
    await writeFile(dir.join(`${id}-${at}.asc`), publicKey);
    const { status, stderr } = await runRpm('rpmkeys', [...database, '--import', dir.join(`${id}-${at}.asc`)]);
    if (status !== 0) throw new Error(stderr);
  }
  return async (files) => ((await runRpm('rpmkeys', [...database, '--define', '_pkgverify_level all', '-K', ...files])).status === 0 ? 'accepted' : 'refused');
}

/** Signed by rpmsign of rpm 6. */
async function rpmSigned(dir: TempDir, { fileName, bytes }: Rpm, { key, args = [] }: { readonly key: RigKey; readonly args?: readonly string[] }): Promise<Rpm> {
  const home = dir.join(`gpg-${key.fingerprint.slice(0, 8)}`);
  await mkdir(home, { mode: 0o700, recursive: true });
  await writeFile(`${home}/secret`, key.secretKey);
  await writeFile(`${home}/${fileName}`, bytes);
  const env = { GNUPGHOME: home };
  await run('gpg', ['--batch', '--import', `${home}/secret`], { env });
  const { status, stderr } = await run('rpmsign', ['--define', `_gpg_name ${key.fingerprint}`, ...args, '--addsign', `${home}/${fileName}`], { env });
  if (status !== 0) throw new Error(stderr);
  return { fileName, bytes: await readFile(`${home}/${fileName}`) };
}

/** Without the space that rpmbuild reserves for signatures. */
function withoutRoom({ fileName, bytes }: Rpm): Rpm {
  return { fileName, bytes: withSignatureHeader(bytes, openRpm(bytes).signature.filter(({ tag }) => tag !== 999)) };
}

/** Those of the newer kind. */
function signaturesOf(bytes: Buffer): readonly string[] {
  const entry = openRpm(bytes).signature.find(({ tag }) => tag === 278);
  return entry?.data.toString().split('\0').slice(0, -1) ?? [];
}
