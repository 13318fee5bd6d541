import { copyFileSync, existsSync, lstatSync, mkdirSync, readdirSync, readFileSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import test from 'ava';
import { buildDeb } from '../rig/deb.ts';
import { rigKey } from '../rig/key.ts';
import { hasCommand, testWith } from '../rig/skip.ts';
import { tempDir } from '../rig/temp.ts';
import { makeRelease, type Built } from './support.ts';

const BUILD = ['build', '--release', 'r1.0.0'];

testWith(hasCommand('flock'), 'needs flock')('RPC-O D12 nothing of the signing key is in the state, what is published, pushed or staged', async (t) => {
  await using dir = await tempDir();
  const { fingerprint } = await rigKey('site');
  const vars = { targets: [{ name: 'near', type: 'local', path: dir.join('near') }] };
  await using scene = await makeRelease(dir, { one: [buildDeb({ name: 'px1' })] }, { vars });
  const { site } = scene;

  await site.json<Built>(BUILD);
  await site.json(['push', '--release', 'r1.0.0']);
  await site.json(['stage', '--release', 'r1.0.0', '--from', site.publicRoot, '--to', dir.join('staged'), '--key', fingerprint]);
  await site.json<Built>([...BUILD, '--replace', '--read-only']);

  const secrets = await secretPieces();
  t.true(holdsAny(readFileSync(join(site.root, 'keys/site.asc')), secrets), 'it would be found where it is');
  const files = [site.state, dir.join('near'), dir.join('staged')].flatMap(filesBelow);
  t.true(files.some((path) => path.endsWith('near/releases/index.json')));
  t.deepEqual(files.filter((path) => holdsAny(readFileSync(path), secrets)), []);
});

test('RPC-O D12 a signing key that lies in the state or in the published tree is refused, links to it too', async (t) => {
  await using dir = await tempDir();
  await using scene = await makeRelease(dir, { one: [buildDeb({ name: 'px1' })] });
  const { site } = scene;
  const key = join(site.root, 'keys/site.asc');
  const [served, kept, link] = [join(site.publicRoot, 'site.asc'), join(site.state, 'site.asc'), dir.join('link.asc')];
  mkdirSync(site.publicRoot, { recursive: true });
  for (const place of [served, kept]) copyFileSync(key, place);
  symlinkSync(served, link);

  for (const file of [served, kept, link]) {
    const refused = await site.json<{ error: { code: string; message: string } }>(BUILD, 2, { env: { GPG_PRIVATE: file } });
    t.like(refused.error, { code: 'E_NO_KEY' });
    t.true(refused.error.message.includes(file), refused.error.message);
  }
  t.false(existsSync(join(site.publicRoot, 'apt-mirror')));
  t.is((await site.json<Built>(BUILD, 0, { env: { GPG_PRIVATE: key } })).result, 'done');
});

/** Lines of the key's armor, and stretches of its bytes, that its public half does not have. */
async function secretPieces(): Promise<readonly Buffer[]> {
  const { secretKey, publicKey } = await rigKey('site');
  const open = bytesOf(publicKey);
  const bytes = bytesOf(secretKey);
  const stretches = Array.from({ length: Math.floor(bytes.length / 16) }, (_, index) => bytes.subarray(index * 16, index * 16 + 16));
  const secret = stretches.filter((stretch) => stretch.length === 16 && !open.includes(stretch));
  return [...secret, ...linesOf(secretKey).filter((line) => line.length >= 32 && !linesOf(publicKey).includes(line)).map((line) => Buffer.from(line)), Buffer.from('PRIVATE KEY BLOCK')];
}

function linesOf(armored: Uint8Array | string): readonly string[] {
  return armored.toString().split('\n').filter((line) => /^[A-Za-z0-9+/]+=*$/.test(line));
}

function bytesOf(armored: Uint8Array | string): Buffer {
  return Buffer.from(linesOf(armored).join(''), 'base64');
}

function holdsAny(bytes: Buffer, pieces: readonly Buffer[]): boolean {
  return pieces.some((piece) => bytes.includes(piece));
}

function filesBelow(folder: string): readonly string[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .map((path) => join(folder, path))
    .filter((path) => lstatSync(path).isFile());
}
