/** R10: packages that must be signed themselves, by a pinned key. rpmsign and rpmkeys are the witnesses. */
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { inProcess } from '../operations/in-process.ts';
import { rigKey, type RigKey } from '../rig/key.ts';
import { asFormat3, asFormat6, binary, headerOf, openRpm, texts, withSignatureHeader } from '../rig/rpm-formats.ts';
import { buildRpms, type Rpm } from '../rig/rpm.ts';
import { rpmUpstream } from '../rig/rpm-upstream.ts';
import { runCommand } from '../rig/run.ts';
import { makeSite } from '../rig/site.ts';
import { hasCommand, testWith } from '../rig/skip.ts';
import { tempDir, type TempDir } from '../rig/temp.ts';
import { hasRpmTools, makeRpmScene, NO_RPM_TOOLS, type RpmScene } from './support.ts';

const witnessed = testWith(hasRpmTools && hasCommand('rpmsign') && hasCommand('gpg'), `${NO_RPM_TOOLS}, or rpmsign or gpg`);

/** Signed by rpmsign. */
async function signed(dir: TempDir, { fileName, bytes }: Rpm, key: RigKey): Promise<Rpm> {
  const home = await gpgHome(dir, key);
  const path = join(home, fileName);
  await writeFile(path, bytes);
  const { status, stderr } = await runCommand('rpmsign', ['--define', `_gpg_name ${key.fingerprint}`, '--define', '__gpg /usr/bin/gpg', '--addsign', path], { env: { GNUPGHOME: home } });
  if (status !== 0) throw new Error(stderr);
  return { fileName, bytes: await readFile(path) };
}

async function gpgHome(dir: TempDir, key: RigKey): Promise<string> {
  const home = dir.join(`gpg-${key.fingerprint.slice(0, 8)}`);
  await mkdir(home, { mode: 0o700, recursive: true });
  await writeFile(join(home, 'secret'), key.secretKey);
  await runCommand('gpg', ['--batch', '--homedir', home, '--import', join(home, 'secret')]);
  return home;
}

/** Signed as rpm 6 signs: over the header, in base64. */
async function signedAsFormat6(dir: TempDir, { fileName, bytes }: Rpm, key: RigKey): Promise<Rpm> {
  const home = await gpgHome(dir, key);
  const plain = asFormat6(bytes);
  await writeFile(join(home, 'header'), headerOf(plain));
  const { status, stderr } = await runCommand('gpg', ['--batch', '--yes', '--homedir', home, '--local-user', key.fingerprint, '--detach-sign', '--output', join(home, 'signature'), join(home, 'header')]);
  if (status !== 0) throw new Error(stderr);
  const signature = (await readFile(join(home, 'signature'))).toString('base64');
  return { fileName, bytes: withSignatureHeader(plain, [...openRpm(plain).signature.filter(({ tag }) => tag !== 999), texts(278, [signature]), binary(999, Buffer.alloc(8))]) };
}

async function outcome(scene: RpmScene): Promise<string> {
  const { status, stdout } = await scene.site.run(['mirror', 'update', 'up', '--json']);
  const { error } = JSON.parse(stdout) as { error?: { code: string; message: string } };
  return status === 0 ? 'taken' : `${error?.code} ${error?.message}`;
}

witnessed('R10 a mirror takes only packages that a pinned key signed, of either format, and keeps its last state otherwise', async (t) => {
  t.timeout(120_000);
  await using dir = await tempDir();
  const [vendor, stranger] = [await rigKey('vendor'), await rigKey('stranger')];
  const [alpha, beta] = (await buildRpms(dir, [{ name: 'alpha' }, { name: 'beta' }])) as [Rpm, Rpm];
  const good = await signed(dir, alpha, vendor);
  const upstream = await rpmUpstream(dir, { rpms: [good] });
  const gpg = { key: upstream.fingerprints, keyring: ['keys/up.asc', 'keys/vendor.asc'], package_key: [vendor.fingerprint] };
  await using scene = await makeRpmScene(dir, { up: { upstream, extra: { gpg } } });
  await writeFile(`${scene.site.root}/keys/vendor.asc`, Buffer.concat([vendor.publicKey, stranger.publicKey]));
  const database = ['--dbpath', dir.join('rpmdb')];
  await writeFile(dir.join('vendor.asc'), vendor.publicKey);
  await runCommand('rpmkeys', [...database, '--import', dir.join('vendor.asc')]);
  /** What rpm itself says of a package. */
  const isAccepted = async ({ bytes }: Rpm): Promise<boolean> => {
    await writeFile(dir.join('x.rpm'), bytes);
    return (await runCommand('rpmkeys', [...database, '--define', '_pkgverify_level all', '-K', dir.join('x.rpm')])).status === 0;
  };
  let day = Date.now() - 3_600_000;
  const offer = async (rpms: readonly Rpm[]): Promise<string> => {
    await upstream.republish({ rpms, date: new Date((day += 60_000)) });
    return outcome(scene);
  };

  t.true(await isAccepted(good));
  t.is(await offer([good]), 'taken');
  const other = await signed(dir, beta, stranger);
  const spoiled = await signed(dir, beta, vendor);
  const { signature } = openRpm(spoiled.bytes);
  const elsewhere = { ...beta, bytes: withSignatureHeader(beta.bytes, [...openRpm(beta.bytes).signature, ...openRpm(good.bytes).signature.filter(({ tag }) => tag === 267 || tag === 268)]) };
  const old = { ...beta, bytes: asFormat3(beta.bytes) };
  const cases: readonly (readonly [string, Rpm, RegExp])[] = [
    ['unsigned', beta, /^E_UNSIGNED beta-1\.0-1\.noarch\.rpm is not signed/],
    ['by a stranger', other, /^E_SIGNATURE beta-1\.0-1\.noarch\.rpm/],
    ['with the signature of another package', elsewhere, /^E_SIGNATURE beta-1\.0-1\.noarch\.rpm/],
    ['without a signature of the header', { ...beta, bytes: withSignatureHeader(spoiled.bytes, signature.filter(({ tag }) => tag !== 267 && tag !== 268)) }, /^E_UNSIGNED beta/],
    ['of format 3', old, /^E_UNSIGNED beta/],
  ];
  for (const [what, rpm, message] of cases) {
    t.false(await isAccepted(rpm), `rpm accepts one ${what}`);
    t.regex(await offer([good, rpm]), message, what);
    t.is((await scene.site.run(['mirror', 'search', 'up'])).stdout.trim(), 'alpha-1.0-1.noarch', what);
  }
  t.is(await offer([good, spoiled]), 'taken');
  t.is(await offer([good, await signedAsFormat6(dir, beta, vendor)]), 'taken');
  t.regex(await offer([good, await signedAsFormat6(dir, beta, stranger)]), /^E_SIGNATURE beta/);
  t.is((await scene.site.run(['mirror', 'search', 'up'])).stdout.trim().split('\n').length, 2);
});

witnessed('R10 a key that is pinned later counts for what is there already', async (t) => {
  await using dir = await tempDir();
  const vendor = await rigKey('vendor');
  const upstream = await rpmUpstream(dir, { rpms: await buildRpms(dir, [{ name: 'alpha' }]) });
  await using scene = await makeRpmScene(dir, { up: { upstream } });
  t.is(await outcome(scene), 'taken');

  const gpg = { key: upstream.fingerprints, keyring: ['keys/up.asc', 'keys/vendor.asc'], package_key: [vendor.fingerprint] };
  await writeFile(`${scene.site.root}/keys/vendor.asc`, vendor.publicKey);
  const url = scene.servers.get('up')?.url;
  await scene.site.configure({ vars: { rpm_mirrors: [{ name: 'up', archive_url: url, gpg }], rpm_miko_mapping: { r1: { el9: ['up'] } } } });

  t.regex(await outcome(scene), /^E_UNSIGNED alpha/);
});

witnessed('R10 packages are added only when a key of the keyring signed them, where one is given', async (t) => {
  await using dir = await tempDir();
  const [vendor, stranger] = [await rigKey('vendor'), await rigKey('stranger')];
  const [alpha, beta] = (await buildRpms(dir, [{ name: 'alpha' }, { name: 'beta' }])) as [Rpm, Rpm];
  const site = inProcess(await makeSite(dir, { mirrors: {}, miko: {}, releases: {}, vars: { rpm_repos: [{ name: 'ours' }] } }));
  await writeFile(dir.join('vendor.asc'), vendor.publicKey);
  await writeFile(dir.join('both.asc'), Buffer.concat([vendor.publicKey, stranger.publicKey]));
  const files = { good: await signed(dir, alpha, vendor), other: await signed(dir, beta, stranger), unsigned: beta };
  for (const [name, { bytes }] of Object.entries(files)) await writeFile(dir.join(`${name}.rpm`), bytes);
  const add = async (file: string, ...words: readonly string[]): Promise<string> => {
    const { status, stdout } = await site.run(['repo', 'add', 'ours', dir.join(`${file}.rpm`), ...words, '--json']);
    return status === 0 ? 'added' : (JSON.parse(stdout) as { error: { code: string } }).error.code;
  };

  t.is(await add('unsigned', '--keyring', dir.join('vendor.asc')), 'E_UNSIGNED');
  t.is(await add('other', '--keyring', dir.join('vendor.asc')), 'E_SIGNATURE');
  t.is(await add('other', '--keyring', dir.join('both.asc'), '--fingerprint', vendor.fingerprint), 'E_SIGNATURE');
  t.is(await add('good', '--fingerprint', vendor.fingerprint), 'E_USAGE');
  t.is((await site.run(['repo', 'search', 'ours'])).stdout.trim(), 'No package matches.');
  t.is(await add('good', '--keyring', dir.join('both.asc'), '--fingerprint', vendor.fingerprint, '--sign'), 'added');
  t.is(await add('other', '--keyring', dir.join('both.asc')), 'added');
});
