import { readFile, stat } from 'node:fs/promises';
import type { PrivateKey, SignaturePacket } from 'openpgp';
import { armoredBlocks } from './armor.ts';
import { fingerprintOf, isKeyProblem, signingPart } from './key-check.ts';
import { noKey, type SigningKey, type SignWork } from './signing-key.ts';

interface FileSource {
  readonly path: string;
  readonly passphraseFile?: string;
}

/** The secret keys of a file, unlocked and fit to sign at that date. Throws E_NO_KEY. */
export async function openFileKey(source: FileSource, date: Date): Promise<readonly SigningKey[]> {
  const bytes = await readSecret(source.path, 'key file');
  const keys = await parseKeys(bytes, source.path);
  const passphrase = await readPassphrase(source.passphraseFile);
  const warnings = await modeWarnings([source.path, source.passphraseFile]);
  const opened: SigningKey[] = [];
  for (const key of keys) {
    await checkUsable(key, source.path, date);
    opened.push(signingKey(await unlock(key, source, passphrase), opened.length === 0 ? warnings : []));
  }
  return opened;
}

async function readSecret(path: string, what: string): Promise<Buffer> {
  try {
    return await readFile(path);
  } catch (error) {
    const reason = error instanceof Error && 'code' in error ? ` (${String(error.code)})` : '';
    throw noKey(`The ${what} ${path} cannot be read${reason}`, 'Check the path and who may read the file.', error);
  }
}

async function parseKeys(bytes: Buffer, path: string): Promise<readonly PrivateKey[]> {
  const { readPrivateKeys } = await import('openpgp');
  const blocks = armoredBlocks(bytes, 'PRIVATE KEY BLOCK');
  const holdsPublic = armoredBlocks(bytes, 'PUBLIC KEY BLOCK') !== undefined && !blocks;
  if (holdsPublic) throw noKey(`${path} holds public keys only`, NOT_A_KEY);
  try {
    const keys = blocks
      ? await Promise.all(blocks.map((armoredKeys) => readPrivateKeys({ armoredKeys })))
      : [await readPrivateKeys({ binaryKeys: bytes })];
    if (keys.flat().length > 0) return keys.flat();
  } catch (error) {
    throw noKey(`${path} holds no secret key that can be read`, NOT_A_KEY, error);
  }
  throw noKey(`${path} holds no secret key`, NOT_A_KEY);
}

async function checkUsable(key: PrivateKey, path: string, date: Date): Promise<void> {
  const part = await signingPart(key, date);
  if (isKeyProblem(part)) {
    const hint = 'Sign with a key that is valid now, or correct the clock.';
    throw noKey(`The ${part.reason}, of ${path}, at ${date.toISOString()}`, hint);
  }
  // A primary key kept offline is exported without its secret.
  const packet = part.keyPacket as { readonly isDummy?: () => boolean };
  if (packet.isDummy?.()) throw noKey(`The key ${fingerprintOf(key)} in ${path} lacks its secret part`, NOT_A_KEY);
}

async function unlock(key: PrivateKey, source: FileSource, passphrase: string | undefined): Promise<PrivateKey> {
  if (key.isDecrypted()) return key;
  const name = `The key ${fingerprintOf(key)} in ${source.path}`;
  if (passphrase === undefined) throw noKey(`${name} has a passphrase`, 'Name a file with it as the passphrase file.');
  const { decryptKey } = await import('openpgp');
  try {
    return await decryptKey({ privateKey: key, passphrase });
  } catch {
    // The cause is not kept: nothing near a passphrase goes into a message or a stack.
    const hint = 'Check the first line of the passphrase file.';
    throw noKey(`${name}: the passphrase in ${source.passphraseFile} is wrong`, hint);
  }
}

async function readPassphrase(path: string | undefined): Promise<string | undefined> {
  if (path === undefined) return undefined;
  const bytes = await readSecret(path, 'passphrase file');
  return bytes.toString('utf8').split(/\r?\n/, 1)[0] ?? '';
}

async function modeWarnings(paths: readonly (string | undefined)[]): Promise<readonly string[]> {
  const warnings: string[] = [];
  for (const path of paths) {
    if (path === undefined) continue;
    const { mode } = await stat(path);
    if ((mode & 0o077) !== 0) warnings.push(`${path} is a secret that others may read: chmod 600 it`);
  }
  return warnings;
}

function signingKey(key: PrivateKey, warnings: readonly string[]): SigningKey {
  return {
    publicKey: key.toPublic(),
    warnings,
    sign: (work) => signWith(key, work),
  };
}

async function signWith(key: PrivateKey, { text, kind, date }: SignWork): Promise<readonly SignaturePacket[]> {
  const { createMessage, enums, readSignature, sign } = await import('openpgp');
  // A random notation would make equal releases differ.
  const config = { nonDeterministicSignaturesViaNotation: false, preferredHashAlgorithm: enums.hash.sha512 };
  const options = { signingKeys: key, detached: true, format: 'binary', date, config } as const;
  const signature =
    kind === 'text'
      ? await sign({ ...options, message: await createMessage({ text: text.toString() }) })
      : await sign({ ...options, message: await createMessage({ binary: bytesOf(text) }) });
  return (await readSignature({ binarySignature: signature })).packets;
}

function bytesOf(text: string | Uint8Array): Uint8Array {
  return typeof text === 'string' ? Buffer.from(text) : text;
}

const NOT_A_KEY = 'It must be what `gpg --export-secret-keys` writes, with or without --armor.';
