import { createHash } from 'node:crypto';
import { existsSync, lstatSync, readdirSync, readFileSync, readlinkSync, statSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { rigKey, type RigKey } from './key.ts';
import { runCommand } from './run.ts';
import { tempDir } from './temp.ts';

/** Every file, folder and link below the folder with its bytes, mode and time of change: equal only when nothing was touched. */
export function fingerprint(folder: string): readonly string[] {
  if (!existsSync(folder)) return [];
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .sort()
    .map((name) => {
      const path = join(folder, name);
      const { mode, mtimeNs, nlink, ino } = lstatSync(path, { bigint: true });
      const what = lstatSync(path).isSymbolicLink() ? readlinkSync(path) : statSync(path).isFile() ? hashOf(path) : 'folder';
      return `${name} ${mode.toString(8)} ${mtimeNs} ${nlink} ${ino} ${what}`;
    });
}

export function hashOf(path: string): string {
  return createHash('sha256').update(readFileSync(path)).digest('hex');
}

/** The name and the bytes of every file below a folder; two trees are the same when these are. */
export function contentsOf(folder: string): Readonly<Record<string, string>> {
  const entries = readdirSync(folder, { recursive: true, encoding: 'utf8' }).sort();
  return Object.fromEntries(
    entries.flatMap((name) => {
      const path = join(folder, name);
      if (lstatSync(path).isSymbolicLink()) return [[name, `-> ${readlinkSync(path)}`]];
      return statSync(path).isFile() ? [[name, hashOf(path)]] : [];
    }),
  );
}

/** An index file as a Release lists it. */
export interface ListedFile {
  readonly sha256: string;
  readonly size: number;
  readonly path: string;
}

export function listedFiles(release: string): readonly ListedFile[] {
  const section = /^SHA256:\n((?: .*\n)*)/m.exec(release)?.[1] ?? '';
  return [...section.matchAll(/^ ([0-9a-f]{64}) +(\d+) (.*)$/gm)].map(([, sha256 = '', size = '', path = '']) => ({
    sha256,
    size: Number(size),
    path,
  }));
}

/** Problems of a served distribution as gpgv, xz and plain hashing see them; none when it is whole. Each file is read. */
export async function inspectDistribution(folder: string, prefix: string, key?: RigKey): Promise<readonly string[]> {
  const problems: string[] = [];
  const release = readFileSync(join(folder, 'Release'), 'utf8');
  const keyring = (key ?? (await rigKey('site'))).publicKey;
  for (const files of [['InRelease'], ['Release.gpg', 'Release']]) {
    const good = await gpgv(keyring, files.map((name) => join(folder, name)));
    if (!good) problems.push(`gpgv refuses ${files.join(' ')}`);
  }
  if (!readFileSync(join(folder, 'InRelease'), 'utf8').includes(release.trimEnd())) problems.push('InRelease says something else than Release');
  const listed = listedFiles(release);
  if (listed.length === 0) problems.push('Release lists nothing');
  for (const { path, sha256, size } of listed) {
    if (!/\.(gz|xz)$/.test(path)) continue; // the plain form is listed, not served
    const hashed = path.replace(/[^/]*$/, `by-hash/SHA256/${sha256}`);
    for (const name of [path, hashed]) {
      const file = join(folder, name);
      if (!existsSync(file)) problems.push(`${name} is missing`);
      else if (statSync(file).size !== size || hashOf(file) !== sha256) problems.push(`${name} is not as listed`);
    }
    if (path.endsWith('.xz')) problems.push(...(await inspectFilenames(join(folder, path), prefix)));
  }
  return problems;
}

/** True when gpgv finds the signature good. The keyring is armored; gpgv itself reads binary ones only. */
export async function gpgv(keyring: Uint8Array, files: readonly string[]): Promise<boolean> {
  const base64 = /\n\n([\s\S]*?)\n[=-]/.exec(Buffer.from(keyring).toString().replaceAll('\r', ''))?.[1] ?? '';
  await using dir = await tempDir();
  await writeFile(dir.join('keyring.gpg'), Buffer.from(base64, 'base64'));
  return (await runCommand('gpgv', ['--keyring', dir.join('keyring.gpg'), ...files])).status === 0;
}

async function inspectFilenames(packages: string, prefix: string): Promise<readonly string[]> {
  const { stdout, status } = await runCommand('xz', ['-dc', packages]);
  if (status !== 0) return [`${packages} cannot be unpacked`];
  return stdout
    .split('\n\n')
    .filter((stanza) => stanza.includes('\nFilename: '))
    .flatMap((stanza) => {
      const name = /^Filename: (.*)$/m.exec(stanza)?.[1] ?? '';
      const sha256 = /^SHA256: (.*)$/m.exec(stanza)?.[1];
      const file = join(prefix, name);
      if (!existsSync(file)) return [`${name} is missing`];
      return hashOf(file) === sha256 ? [] : [`${name} is not as listed`];
    });
}
