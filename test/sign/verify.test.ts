import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import test from 'ava';
import {
  config,
  enums,
  PacketList,
  PublicSubkeyPacket,
  SignaturePacket,
  type AnyPacket,
} from 'openpgp';
import type { ErrorCode } from '../../src/core/errors.ts';
import { verifyClearsigned, verifyDetached, type Trust, type Verified } from '../../src/sign/verify.ts';
import { rigKey } from '../rig/key.ts';
import { runCommand } from '../rig/run.ts';
import { testWith } from '../rig/skip.ts';
import { tempDir } from '../rig/temp.ts';
import { signRelease } from '../rig/upstream.ts';
import { gpgHome, gpgv, haveFaketime, haveGpg } from './gpg.ts';

const NOW = new Date('2025-06-01T12:00:00Z');
const TEXT = 'Origin: Rig\nSuite: stable  \n- dashed\n-----BEGIN trap\n\nEnd: yes\n';
const SIGNED = 'Origin: Rig\nSuite: stable\n- dashed\n-----BEGIN trap\n\nEnd: yes\n';

async function trustIn(...names: readonly string[]): Promise<Trust> {
  const keys = await Promise.all(names.map(rigKey));
  return { name: 'InRelease', keyrings: keys.map((key) => key.publicKey), fingerprints: keys.map((key) => key.fingerprint), now: NOW };
}

async function signedBy(...names: readonly string[]): Promise<{ inline: string; detached: Buffer }> {
  const [inline, detached] = await signRelease(TEXT, await Promise.all(names.map(rigKey)), new Date(NOW.getTime() - 60_000));
  return { inline: inline.toString(), detached };
}

async function refusal(work: Promise<Verified>): Promise<{ code: ErrorCode; message: string }> {
  try {
    const { fingerprints } = await work;
    throw new Error(`accepted: ${fingerprints.join()}`);
  } catch (error) {
    return error as { code: ErrorCode; message: string };
  }
}

test('gives back the signed text and who signed it', async (t) => {
  const { inline, detached } = await signedBy('upstream');
  const trust = await trustIn('upstream');

  const clear = await verifyClearsigned(Buffer.from(inline), trust);
  const apart = await verifyDetached(Buffer.from(TEXT), detached, trust);

  t.is(clear.text.toString(), SIGNED);
  t.is(apart.text.toString(), TEXT);
  t.deepEqual([clear.fingerprints, apart.fingerprints], [trust.fingerprints, trust.fingerprints]);
  t.deepEqual([...clear.warnings, ...apart.warnings], []);
});

test('line ends and blanks that the signature does not cover may change', async (t) => {
  const { inline } = await signedBy('upstream');
  const trust = await trustIn('upstream');

  const crlf = await verifyClearsigned(Buffer.from(inline.replaceAll(/\r?\n/g, '\r\n')), trust);
  const blanks = await verifyClearsigned(Buffer.from(inline.replace('Origin: Rig', 'Origin: Rig \t')), trust);

  t.is(crlf.text.toString(), SIGNED);
  t.is(blanks.text.toString(), SIGNED);
});

const TAMPERED: Readonly<Record<string, (inline: string) => string>> = {
  'a changed letter': (inline) => inline.replace('stable', 'stably'),
  'an added line': (inline) => inline.replace('Origin', 'Extra: 1\nOrigin'),
  'text before': (inline) => `Suite: evil\n${inline}`,
  'a blank line before': (inline) => `\n${inline}`,
  'text after': (inline) => `${inline}Suite: evil\n`,
  'two messages': (inline) => inline + inline,
  'a message in front of the signature': (inline) => inline.replace('-----BEGIN PGP SIGNATURE', '-----BEGIN PGP SIGNED MESSAGE-----\n\n-----BEGIN PGP SIGNATURE'),
  'no end': (inline) => inline.slice(0, inline.indexOf('-----END')),
  'an unescaped dash': (inline) => inline.replace('- - dashed', '- dashed').replace('- -----BEGIN', '-----BEGIN'),
  'a header of GnuPG': (inline) => inline.replace(/^Hash:/m, 'NotDashEscaped: yes\nHash:'),
  'a text header': (inline) => inline.replace(/^Hash: .*/m, '$&\nSuite: evil'),
  'a blank that hides where headers end': (inline) => inline.replace(/^(Hash: .*)\r?\n/m, '$1\n \nSuite: evil\n'),
  'garbage as signature': (inline) => inline.replace(/(BEGIN PGP SIGNATURE-----\r?\n\r?\n)[^]*?(-----END)/, '$1AAAA\n$2'),
};
for (const [name, tamper] of Object.entries(TAMPERED)) {
  test(`refuses ${name}`, async (t) => {
    const { inline } = await signedBy('upstream');

    const { code, message } = await refusal(verifyClearsigned(Buffer.from(tamper(inline)), await trustIn('upstream')));

    t.true(code === 'E_SIGNATURE' || (name.startsWith('garbage') && code === 'E_UNSIGNED'), `${code} ${message}`);
    t.notRegex(message, /\n/);
  });
}

test('refuses what is not signed', async (t) => {
  const trust = await trustIn('upstream');
  const { detached } = await signedBy('upstream');

  t.is((await refusal(verifyClearsigned(Buffer.from(TEXT), trust))).code, 'E_UNSIGNED');
  t.is((await refusal(verifyClearsigned(Buffer.from(''), trust))).code, 'E_UNSIGNED');
  t.is((await refusal(verifyDetached(Buffer.from(TEXT), Buffer.alloc(0), trust))).code, 'E_UNSIGNED');
  t.is((await refusal(verifyDetached(Buffer.from(`${TEXT}x`), detached, trust))).code, 'E_SIGNATURE');
  t.is((await refusal(verifyDetached(Buffer.from(TEXT), Buffer.concat([detached, detached]), trust))).code, 'E_SIGNATURE');
});

test('an unknown key is named, and so is one that is known but not trusted', async (t) => {
  const { inline } = await signedBy('stranger');
  const stranger = await rigKey('stranger');
  const trust = await trustIn('upstream');

  const unknown = await refusal(verifyClearsigned(Buffer.from(inline), trust));
  const both = { ...trust, keyrings: [...trust.keyrings, stranger.publicKey] };
  const untrusted = await refusal(verifyClearsigned(Buffer.from(inline), both));

  t.is(unknown.code, 'E_SIGNATURE');
  t.is(unknown.message, `InRelease has no good signature: signed by the unknown key ${stranger.fingerprint}`);
  t.regex(untrusted.message, new RegExp(`signed by ${stranger.fingerprint}, which is not one of the trusted keys`));
  t.deepEqual((await verifyClearsigned(Buffer.from(inline), { ...both, fingerprints: [] })).fingerprints, [stranger.fingerprint]);
});

test('one good signature is enough, and the other is mentioned', async (t) => {
  const { inline, detached } = await signedBy('stranger', 'upstream');
  const trust = await trustIn('upstream');

  const clear = await verifyClearsigned(Buffer.from(inline), trust);
  const apart = await verifyDetached(Buffer.from(TEXT), detached, { ...trust, name: 'dists/x/Release' });

  t.deepEqual(clear.fingerprints, trust.fingerprints);
  t.deepEqual(clear.warnings, [`InRelease: signed by the unknown key ${(await rigKey('stranger')).fingerprint}`]);
  t.regex(apart.warnings[0] ?? '', /^dists\/x\/Release: signed by the unknown key/);
});

test('a trusted key that no keyring holds is named', async (t) => {
  const { inline } = await signedBy('upstream');
  const absent = 'A'.repeat(40);
  const trust = await trustIn('upstream');

  const alone = await refusal(verifyClearsigned(Buffer.from(inline), { ...trust, fingerprints: [absent] }));
  const beside = await verifyClearsigned(Buffer.from(inline), { ...trust, fingerprints: [absent, ...trust.fingerprints] });

  t.regex(alone.message, new RegExp(`the trusted key ${absent} is in no keyring`));
  t.deepEqual(beside.warnings, [`InRelease: the trusted key ${absent} is in no keyring`]);
});

test('fingerprints are compared whole, however they are written', async (t) => {
  const { inline } = await signedBy('upstream');
  const trust = await trustIn('upstream');
  const [fingerprint = ''] = trust.fingerprints;
  const spaced = fingerprint.toLowerCase().replaceAll(/(.{4})/g, '$1 ');

  t.is((await verifyClearsigned(Buffer.from(inline), { ...trust, fingerprints: [spaced] })).fingerprints[0], fingerprint);
  t.is((await refusal(verifyClearsigned(Buffer.from(inline), { ...trust, fingerprints: [fingerprint.slice(-16)] }))).code, 'E_CONFIG');
});

test('the date of a signature may not lie in the future, nor the key be younger', async (t) => {
  const { inline } = await signedBy('upstream');
  const trust = await trustIn('upstream');

  const early = await refusal(verifyClearsigned(Buffer.from(inline), { ...trust, now: new Date('2024-06-01') }));

  t.is(early.code, 'E_SIGNATURE');
  t.regex(early.message, /in the future/);
  const before = await refusal(verifyClearsigned(Buffer.from(inline), { ...trust, now: new Date('2019-01-01') }));
  t.is(before.code, 'E_SIGNATURE');
});

test('a keyring may be armored, binary or several blocks, but no keybox and no rubbish', async (t) => {
  const { inline } = await signedBy('upstream');
  const trust = await trustIn('stranger', 'upstream');
  const blocks = [Buffer.concat(trust.keyrings)];
  const binary = [Buffer.from((await rigKey()).unlocked.toPublic().write())];
  const keybox = Buffer.concat([Buffer.from([0, 0, 0, 32, 1, 1, 0, 2]), Buffer.from('KBXf'), Buffer.alloc(20)]);

  for (const keyrings of [blocks, binary]) {
    t.is((await verifyClearsigned(Buffer.from(inline), { ...trust, keyrings })).fingerprints.length, 1);
  }
  for (const keyrings of [[keybox], [Buffer.from('rubbish')]]) {
    t.is((await refusal(verifyClearsigned(Buffer.from(inline), { ...trust, keyrings }))).code, 'E_CONFIG');
  }
});

const DEBIAN_KEYS = '/usr/share/keyrings/debian-archive-keyring.gpg';
const LISTS = '/var/lib/apt/lists';
const inReleases = existsSync(LISTS) && existsSync(DEBIAN_KEYS) ? readdirSync(LISTS).filter((name) => /debian.*_InRelease$/.test(name)) : [];
testWith(inReleases.length > 0 && haveGpg, 'needs the lists of a Debian machine')('agrees with gpgv about real releases', async (t) => {
  for (const name of inReleases) {
    const bytes = readFileSync(`${LISTS}/${name}`);
    const made = new Date(/^Date: (.*)$/m.exec(bytes.toString())?.[1] ?? '');
    const trust = { name: 'InRelease', keyrings: [readFileSync(DEBIAN_KEYS)], fingerprints: [], now: new Date(made.getTime() + 3_600_000) };

    const verified = await verifyClearsigned(bytes, trust);
    const witness = await runCommand('gpgv', ['--keyring', DEBIAN_KEYS, '--output', '-', `${LISTS}/${name}`]);

    t.true(verified.fingerprints.length > 0);
    t.is(verified.text.toString(), witness.stdout, name);
    const changed = Buffer.from(bytes.toString('latin1').replace('Origin: Debian', 'Origin: debian'), 'latin1');
    t.is((await refusal(verifyClearsigned(changed, trust))).code, 'E_SIGNATURE');
  }
});

testWith(haveGpg, 'needs gpg')('accepts what gpg signs, and gpgv what is accepted', async (t) => {
  await using dir = await tempDir();
  await using gpg = await gpgHome(dir);
  const fingerprints = [await gpg.makeKey('ed'), await gpg.makeKey('rsa', { algorithm: 'rsa2048' })];
  const keyring = await gpg.exported(...fingerprints);
  await writeFile(dir.join('text'), TEXT);
  await gpg.run(['--local-user', fingerprints[0] ?? '', '--local-user', fingerprints[1] ?? '', '--clearsign', dir.join('text')]);
  await gpg.run(['--local-user', fingerprints[1] ?? '', '--detach-sign', dir.join('text')]);
  const trust = { name: 'InRelease', keyrings: [keyring], fingerprints, now: new Date() };

  const clear = await verifyClearsigned(await readFile(dir.join('text.asc')), trust);
  const apart = await verifyDetached(Buffer.from(TEXT), await readFile(dir.join('text.sig')), trust);
  const witness = await gpgv(dir, keyring, [dir.join('text.asc')]);

  t.deepEqual(clear.fingerprints, fingerprints);
  t.is(clear.text.toString(), witness.text);
  t.deepEqual(apart.fingerprints, fingerprints.slice(1));
});

testWith(haveGpg, 'needs gpg')('bytes that are no UTF-8 are verified and given back as they are', async (t) => {
  await using dir = await tempDir();
  await using gpg = await gpgHome(dir);
  const fingerprint = await gpg.makeKey('latin');
  const latin = Buffer.from('Label: M\u00fcller\n', 'latin1');
  await writeFile(dir.join('text'), latin);
  await gpg.run(['--clearsign', dir.join('text')]);
  const trust = { name: 'InRelease', keyrings: [await gpg.exported(fingerprint)], fingerprints: [fingerprint], now: new Date() };

  const { text } = await verifyClearsigned(await readFile(dir.join('text.asc')), trust);

  t.deepEqual(text, latin);
});

testWith(haveGpg, 'needs gpg')('A08 A10 S06 refuses weak digests, weak keys and revoked keys', async (t) => {
  await using dir = await tempDir();
  await using gpg = await gpgHome(dir);
  const strong = await gpg.makeKey('strong');
  const short = await gpg.makeKey('short', { algorithm: 'rsa1024' });
  const dsa = await gpg.makeKey('dsa', { algorithm: 'dsa2048' });
  const codes: Record<string, string> = {};
  const judge = async (name: string, signer: string, args: readonly string[] = []): Promise<void> => {
    const { stdout } = await gpg.run(['--local-user', signer, ...args, '--clearsign'], { input: TEXT });
    const trust = { name: 'InRelease', keyrings: [await gpg.exported(signer)], fingerprints: [signer], now: new Date() };
    codes[name] = (await refusal(verifyClearsigned(Buffer.from(stdout), trust))).code;
  };

  await judge('sha1', short, ['--digest-algo', 'SHA1', '--allow-weak-digest-algos']);
  await judge('rsa1024', short);
  await judge('dsa', dsa);
  const { stdout: signedBefore } = await gpg.run(['--local-user', strong, '--clearsign'], { input: TEXT });
  const revocation = await readFile(`${gpg.home}/openpgp-revocs.d/${strong}.rev`, 'utf8');
  const before = await gpg.exported(strong);
  await gpg.run(['--import'], { input: revocation.replace(/^:-----/m, '-----') });
  const trust = { name: 'InRelease', keyrings: [before, await gpg.exported(strong)], fingerprints: [strong], now: new Date() };
  codes['revoked'] = (await refusal(verifyClearsigned(Buffer.from(signedBefore), trust))).code;

  t.deepEqual(codes, { sha1: 'E_WEAK_HASH', rsa1024: 'E_SIGNATURE', dsa: 'E_SIGNATURE', revoked: 'E_KEY_REVOKED' });
  const unaware = await verifyClearsigned(Buffer.from(signedBefore), { ...trust, name: 'InRelease', keyrings: [before] });
  t.deepEqual(unaware.fingerprints, [strong]);
});

testWith(haveGpg && haveFaketime, 'needs gpg and faketime')('A08 refuses expired keys and signatures, unless another is good', async (t) => {
  await using dir = await tempDir();
  await using gpg = await gpgHome(dir);
  const expired = await gpg.makeKey('expired', { at: '2020-01-01', until: '1y' });
  const good = await gpg.makeKey('good', { at: '2020-01-01' });
  const keyring = await gpg.exported(expired, good);
  const sign = async (args: readonly string[]): Promise<Buffer> =>
    Buffer.from((await gpg.run([...args, '--clearsign'], { input: TEXT, at: '2020-06-01' })).stdout);
  const trust = { name: 'InRelease', keyrings: [keyring], fingerprints: [expired, good], now: NOW };

  const byExpired = await refusal(verifyClearsigned(await sign(['--local-user', expired]), trust));
  const expiredSignature = await refusal(verifyClearsigned(await sign(['--default-sig-expire', '1m', '--local-user', good]), trust));
  const byBoth = await verifyClearsigned(await sign(['--local-user', expired, '--local-user', good]), trust);
  const then = await verifyClearsigned(await sign(['--local-user', expired]), { ...trust, now: new Date('2020-07-01') });

  t.is(byExpired.code, 'E_KEY_EXPIRED');
  t.is(expiredSignature.code, 'E_SIGNATURE_EXPIRED');
  t.deepEqual(byBoth.fingerprints, [good]);
  t.deepEqual(byBoth.warnings, [`InRelease: key ${expired} has expired`]);
  t.deepEqual(then.fingerprints, [expired]);
});

test('A09 a subkey that does not confirm its primary key counts for nothing', async (t) => {
  const { unlocked: primary, fingerprint } = await rigKey('thief');
  const { unlocked: victim } = await rigKey();
  const stolen = new PublicSubkeyPacket();
  await (stolen as unknown as { read(bytes: Uint8Array): Promise<void> }).read(victim.toPublic().keyPacket.write());
  const binding = new SignaturePacket();
  binding.signatureType = enums.signature.subkeyBinding;
  binding.publicKeyAlgorithm = primary.keyPacket.algorithm as unknown as enums.publicKey;
  binding.hashAlgorithm = enums.hash.sha512;
  binding.keyFlags = new Uint8Array([enums.keyFlags.signData]);
  const data = { key: primary.keyPacket, bind: stolen } as unknown as Uint8Array;
  // The library's own types leave out what this needs: the configuration.
  const sign = binding.sign.bind(binding) as (...args: readonly unknown[]) => Promise<void>;
  await sign(primary.keyPacket, data, new Date('2020-01-02'), false, config);
  const packets = primary.toPublic().toPacketList();
  const ownPart = packets.slice(0, packets.indexOfTag(enums.packet.publicSubkey)[0]);
  const list = new PacketList<AnyPacket>();
  list.push(...ownPart, stolen, binding);
  const { inline } = await signedBy('upstream');

  const { code, message } = await refusal(
    verifyClearsigned(Buffer.from(inline), { name: 'InRelease', keyrings: [list.write()], fingerprints: [fingerprint], now: NOW }),
  );

  t.is(code, 'E_SIGNATURE');
  t.regex(message, /Missing embedded signature/);
});

testWith(haveGpg, 'needs gpg')('a subkey signs for its primary key, unless the primary is asked for alone', async (t) => {
  await using dir = await tempDir();
  await using gpg = await gpgHome(dir);
  const primary = await gpg.makeKey('primary');
  await gpg.run(['--quick-add-key', primary, 'ed25519', 'sign', 'never']);
  const { stdout: listing } = await gpg.run(['--with-colons', '--list-keys', primary]);
  const subkey = [...listing.matchAll(/^fpr:+([0-9A-F]{40}):/gm)][1]?.[1] ?? '';
  const { stdout } = await gpg.run(['--local-user', `${subkey}!`, '--clearsign'], { input: TEXT });
  const keyrings = [await gpg.exported(primary)];
  const pinned = (pin: string): Promise<Verified> =>
    verifyClearsigned(Buffer.from(stdout), { name: 'InRelease', keyrings, fingerprints: [pin], now: new Date(Date.now() + 1000) });

  t.deepEqual((await pinned(primary)).fingerprints, [primary]);
  t.deepEqual((await pinned(subkey)).fingerprints, [primary]);
  t.deepEqual((await pinned(`${subkey}!`)).fingerprints, [primary]);
  t.is((await refusal(pinned(`${primary}!`))).code, 'E_SIGNATURE');
});
