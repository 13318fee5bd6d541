import { chmod, readFile, stat, writeFile } from 'node:fs/promises';
import { encryptKey, generateKey as generate, type PrivateKey } from 'openpgp';
import test from 'ava';
import { isArtifactsError } from '../../src/core/errors.ts';
import { generateKey } from '../../src/sign/generate-key.ts';
import { openSigner, type KeySource, type Signer } from '../../src/sign/signer.ts';
import { verifyClearsigned, verifyDetached } from '../../src/sign/verify.ts';
import { rigKey } from '../rig/key.ts';
import { testWith } from '../rig/skip.ts';
import { tempDir, type TempDir } from '../rig/temp.ts';
import { gpgHome, gpgv, haveGpg } from './gpg.ts';

const DATE = new Date('2025-06-01T12:00:00Z');
const clock = (): Date => DATE;
const TEXT = 'Origin: Rig\nSuite: stable  \n- dashed\nDescription: -\n-----BEGIN trap\nEnd: ä\n';

const ED25519 = { type: 'ecc', curve: 'ed25519Legacy', format: 'object', config: { v6Keys: false } } as const;

async function keyFile(dir: TempDir, name: string, content: string | Uint8Array): Promise<KeySource & { kind: 'file' }> {
  await writeFile(dir.join(name), content, { mode: 0o600 });
  return { kind: 'file', path: dir.join(name) };
}

async function rsaKey(bits = 2048): Promise<PrivateKey> {
  const date = new Date('2024-01-01');
  const { privateKey } = await generate({ userIDs: { name: 'Rsa' }, type: 'rsa', rsaBits: bits, subkeys: [], date, format: 'object', config: { v6Keys: false, minRSABits: 1024 } });
  return privateKey;
}

async function witnessed(dir: TempDir, signer: Signer): Promise<{ inline: string; detached: string; text: string }> {
  await writeFile(dir.join('InRelease'), await signer.clearsign(TEXT));
  await writeFile(dir.join('Release'), TEXT);
  await writeFile(dir.join('Release.gpg'), await signer.detach(TEXT));
  const keyring = await signer.publicKeys();
  const inline = await gpgv(dir, keyring, [dir.join('InRelease')]);
  const detached = await gpgv(dir, keyring, [dir.join('Release.gpg'), dir.join('Release')]);
  return { inline: inline.status, detached: detached.status, text: inline.text };
}

/** Fingerprints that gpgv calls good and valid, with the digest in use; anything else it says is left out. */
function valid(status: string): readonly string[] {
  return [...status.matchAll(/VALIDSIG ([0-9A-F]{40}) \S+ \d+ 0 4 0 \d+ (\d+)/g)].map(([, key, digest]) => `${key} ${digest}`);
}

testWith(haveGpg, 'needs gpgv')('gpgv accepts one key and two, Ed25519 and RSA, inline and detached', async (t) => {
  await using dir = await tempDir();
  const ed = await rigKey('one');
  const rsa = await rsaKey();
  const sources = [await keyFile(dir, 'ed.asc', ed.secretKey), await keyFile(dir, 'rsa.gpg', rsa.write())];
  const fingerprints = [ed.fingerprint, rsa.getFingerprint().toUpperCase()];

  for (const count of [1, 2]) {
    const signer = await openSigner(sources.slice(0, count), clock);
    const { inline, detached, text } = await witnessed(dir, signer);

    t.deepEqual(signer.fingerprints, fingerprints.slice(0, count));
    t.deepEqual(valid(inline).map((line) => line.slice(0, 40)), fingerprints.slice(0, count), inline);
    t.deepEqual(valid(detached), valid(inline).toReversed(), 'the first key signs last');
    t.true(valid(inline).every((line) => /^\S+ (?:8|10)$/.test(line)), inline);
    t.is(text, TEXT.replace('stable  ', 'stable'));
  }
});

test('equal text and clock give equal bytes, and the clock dates them', async (t) => {
  await using dir = await tempDir();
  const rsa = await rsaKey();
  const sources = [await keyFile(dir, 'ed.asc', (await rigKey()).secretKey), await keyFile(dir, 'rsa.asc', rsa.armor())];
  const one = await openSigner(sources, clock);
  const two = await openSigner(sources, clock);
  const later = await openSigner(sources, () => new Date(DATE.getTime() + 1000));

  t.deepEqual(await one.clearsign(TEXT), await two.clearsign(TEXT));
  t.deepEqual(await one.detach(TEXT), await two.detach(TEXT));
  t.notDeepEqual(await one.clearsign(TEXT), await later.clearsign(TEXT));
});

test('the result is one block that verifies, ready for apt', async (t) => {
  await using dir = await tempDir();
  const keys = [await rigKey('one'), await rigKey('two')];
  const sources = await Promise.all(keys.map((key, index) => keyFile(dir, `${index}.asc`, key.secretKey)));
  const signer = await openSigner(sources, clock);

  const inline = await signer.clearsign(TEXT);
  const trust = { name: 'InRelease', keyrings: [await signer.publicKeys()], fingerprints: signer.fingerprints, now: DATE };

  t.regex(inline.toString(), /^-----BEGIN PGP SIGNED MESSAGE-----\nHash: SHA512\n\nOrigin: Rig\n/);
  t.is(inline.toString().match(/BEGIN PGP SIGNATURE/g)?.length, 1);
  t.notRegex(inline.toString(), /\r|Version:|Comment:/);
  t.deepEqual((await verifyClearsigned(inline, trust)).fingerprints, signer.fingerprints);
  t.deepEqual((await verifyDetached(Buffer.from(TEXT), await signer.detach(TEXT), trust)).fingerprints, signer.fingerprints.toReversed());
  t.is((await signer.publicKeys()).toString().match(/BEGIN PGP PUBLIC KEY BLOCK/g)?.length, 1);
});

test('S03 a key with a passphrase is unlocked by a file, and a wrong passphrase is in no message', async (t) => {
  await using dir = await tempDir();
  const { unlocked } = await rigKey();
  const locked = await encryptKey({ privateKey: unlocked, passphrase: 'correct horse' });
  const source = await keyFile(dir, 'locked.asc', locked.armor());
  await writeFile(dir.join('right'), 'correct horse\n', { mode: 0o600 });
  await writeFile(dir.join('wrong'), 'battery staple\n', { mode: 0o600 });

  const signer = await openSigner([{ ...source, passphraseFile: dir.join('right') }], clock);
  const wrong = await t.throwsAsync(openSigner([{ ...source, passphraseFile: dir.join('wrong') }], clock));
  const none = await t.throwsAsync(openSigner([source], clock));

  t.is((await signer.clearsign(TEXT)).length > 0, true);
  t.true(isArtifactsError(wrong, 'E_NO_KEY') && isArtifactsError(none, 'E_NO_KEY'));
  t.notRegex(`${wrong?.message} ${String(wrong?.cause)} ${wrong?.stack}`, /battery|staple/);
});

test('S01 S02 S05 S06 whatever is wrong with a key is known when the signer is opened', async (t) => {
  await using dir = await tempDir();
  const made = async (options: { readonly keyExpirationTime?: number; readonly date?: Date }): Promise<PrivateKey> => {
    const date = new Date('2024-01-01');
    const { privateKey } = await generate({ ...ED25519, userIDs: { name: 'Odd' }, date, ...options });
    return privateKey;
  };
  const fine = await made({});
  const revoked = await fine.revoke({}, new Date('2024-02-01'));
  const sources: Record<string, KeySource> = {
    missing: { kind: 'file', path: dir.join('none') },
    'missing passphrase': { ...(await keyFile(dir, 'fine', fine.armor())), passphraseFile: dir.join('none') },
    empty: await keyFile(dir, 'empty', ''),
    rubbish: await keyFile(dir, 'rubbish', 'rubbish'),
    public: await keyFile(dir, 'public', fine.toPublic().armor()),
    'public, binary': await keyFile(dir, 'public.gpg', fine.toPublic().write()),
    expired: await keyFile(dir, 'expired', (await made({ keyExpirationTime: 1000 })).armor()),
    revoked: await keyFile(dir, 'revoked', revoked.armor()),
    'too young': await keyFile(dir, 'young', (await made({ date: new Date('2026-01-01') })).armor()),
    weak: await keyFile(dir, 'weak', (await rsaKey(1024)).armor()),
  };

  for (const [name, source] of Object.entries(sources)) {
    const error = await t.throwsAsync(openSigner([source], clock), undefined, name);
    t.true(isArtifactsError(error, 'E_NO_KEY'), `${name}: ${String(error)}`);
    t.notRegex(error?.message ?? '', /\n/);
  }
  t.true(isArtifactsError(await t.throwsAsync(openSigner([], clock)), 'E_NO_KEY'));
});

test('S01 warns of keys that expire soon and of key files that others may read', async (t) => {
  await using dir = await tempDir();
  const { privateKey } = await generate({ ...ED25519, userIDs: { name: 'Soon' }, date: new Date('2025-01-01'), keyExpirationTime: 160 * 86_400 });
  const source = await keyFile(dir, 'soon.asc', privateKey.armor());
  await chmod(source.path, 0o644);

  const { warnings } = await openSigner([source], clock);
  const early = await openSigner([source], () => new Date('2025-02-01'));

  t.is(warnings.length, 2);
  t.regex(warnings[0] ?? '', /soon\.asc is a secret that others may read/);
  t.regex(warnings[1] ?? '', /expires on 2025-06-10/);
  t.is(early.warnings.length, 1);
});

testWith(haveGpg, 'needs gpg')('signs by gpg-agent, alone and together with a key file', async (t) => {
  await using dir = await tempDir();
  await using gpg = await gpgHome(dir);
  const agents = [await gpg.makeKey('agent-one'), await gpg.makeKey('agent-two', { algorithm: 'rsa2048' })];
  const file = await keyFile(dir, 'file.asc', (await rigKey()).secretKey);
  const now = new Date(Date.now() + 5000);
  const sources: KeySource[] = [...agents.map((fingerprint) => ({ kind: 'agent', fingerprint, home: gpg.home }) as const), file];

  for (const chosen of [sources.slice(0, 1), sources]) {
    const signer = await openSigner(chosen, () => now);
    const inline = await signer.clearsign(TEXT);
    const verified = await verifyClearsigned(inline, { name: 'InRelease', keyrings: [await signer.publicKeys()], fingerprints: signer.fingerprints, now });
    await writeFile(dir.join('InRelease'), inline);

    t.deepEqual(verified.fingerprints, signer.fingerprints);
    t.is(signer.fingerprints.length, chosen.length);
    t.deepEqual(await signer.clearsign(TEXT), inline);
    t.regex((await gpgv(dir, await signer.publicKeys(), [dir.join('InRelease')])).status, new RegExp(`GOODSIG.*agent-one`));
  }
});

testWith(haveGpg, 'needs gpg')('S05 a key the agent does not have, or not the secret part of, is refused at once', async (t) => {
  await using dir = await tempDir();
  await using gpg = await gpgHome(dir);
  const key = await rigKey('foreign');
  await gpg.run(['--import'], { input: key.publicKey.toString() });
  const agent = (fingerprint: string): KeySource[] => [{ kind: 'agent', fingerprint, home: gpg.home }];

  for (const fingerprint of [key.fingerprint, 'A'.repeat(40), 'foreign']) {
    const error = await t.throwsAsync(openSigner(agent(fingerprint), clock));
    t.true(isArtifactsError(error, 'E_NO_KEY'), String(error));
  }
});

testWith(haveGpg, 'needs gpg')('makes a key that GnuPG knows, once, and for its owner only', async (t) => {
  await using dir = await tempDir();
  await using gpg = await gpgHome(dir);
  const file = dir.join('key.asc');

  const made = await generateKey({ name: 'Demo', email: 'demo@example.org', file, date: new Date('2025-01-01T00:00:00Z') });
  const again = await t.throwsAsync(generateKey({ name: 'Demo', file, date: DATE }));
  await gpg.run(['--import', file]);
  const { stdout } = await gpg.run(['--with-colons', '--list-secret-keys']);
  const signer = await openSigner([{ kind: 'file', path: file }], clock);

  t.is((await stat(file)).mode & 0o777, 0o600);
  t.true(isArtifactsError(again, 'E_EXISTS'));
  t.regex(stdout, new RegExp(`^fpr:+${made.fingerprint}:`, 'm'));
  t.deepEqual(signer.fingerprints, [made.fingerprint]);
  t.deepEqual(signer.warnings, []);
  t.is(made.publicKey.includes('PRIVATE'), false);
  t.regex(await readFile(file, 'utf8'), /^-----BEGIN PGP PRIVATE KEY BLOCK-----\n/);
});
