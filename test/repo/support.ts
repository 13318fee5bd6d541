import { createHash } from 'node:crypto';
import { mkdir, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { inProcess } from '../operations/in-process.ts';
import { ar, tar } from '../rig/archive.ts';
import { buildDeb, type Deb, type DebOptions } from '../rig/deb.ts';
import type { RigKey } from '../rig/key.ts';
import { makeSite, type Site } from '../rig/site.ts';
import type { SourcePackage } from '../rig/source.ts';
import type { TempDir } from '../rig/temp.ts';
import { signRelease } from '../rig/upstream.ts';

/** A site without mirrors, whose commands run as a user would run them. */
export function realSite(dir: TempDir, vars: Readonly<Record<string, unknown>> = {}): Promise<Site> {
  return makeSite(dir, { mirrors: {}, vars, miko: { r1: { rig: [] } } });
}

/** The same with its commands run in this process. */
export async function repoSite(dir: TempDir, vars: Readonly<Record<string, unknown>> = {}): Promise<Site> {
  return inProcess(await realSite(dir, vars));
}

/** Writes a package to a file called as dpkg-deb would, or as asked. */
export async function writeDeb(path: string, options: DebOptions): Promise<Deb> {
  const deb = buildDeb(options);
  await mkdir(dirname(path), { recursive: true });
  await writeFile(path, deb.bytes);
  return deb;
}

/** The same package with other bytes. */
export function otherBytes(name: string): DebOptions {
  return { name, files: { [`usr/share/${name}/other`]: 'other\n' } };
}

/** Something with the name of a package that is none. */
export function brokenDeb(): Buffer {
  return ar([['debian-binary', Buffer.from('2.0\n')], ['control.tar', tar([{ path: './' }])]]);
}

export async function writeSource(folder: string, source: SourcePackage): Promise<void> {
  await mkdir(folder, { recursive: true });
  for (const [name, bytes] of source.files) await writeFile(`${folder}/${name}`, bytes);
}

export interface UploadOptions {
  readonly source?: string;
  readonly files: ReadonlyMap<string, Buffer>;
  readonly key?: RigKey;
  /** Further fields. */
  readonly more?: string;
}

/** Writes the files and a .changes that lists them, signed where a key is given. Returns the path of the .changes. */
export async function writeUpload(folder: string, { source = 'hello', files, key, more = '' }: UploadOptions): Promise<string> {
  await mkdir(folder, { recursive: true });
  const sums = [...files].map(([name, bytes]) => ` ${createHash('sha256').update(bytes).digest('hex')} ${bytes.length} ${name}\n`);
  const head = `Format: 1.8\nSource: ${source}\nArchitecture: amd64\nVersion: 1.0-1\nDistribution: unstable\n${more}`;
  const text = `${head}Checksums-Sha256:\n${sums.join('')}`;
  for (const [name, bytes] of files) await writeFile(`${folder}/${name}`, bytes);
  const path = `${folder}/${source}_1.0-1_amd64.changes`;
  await writeFile(path, key === undefined ? text : ((await signRelease(text, [key], new Date()))[0] ?? ''));
  return path;
}

export interface RepoShown {
  readonly count: number;
  readonly comment: string;
  readonly packages: readonly { readonly name: string; readonly version: string; readonly architecture: string; readonly digest: string }[];
}

/** Names and versions of what a repository holds. */
export async function namesIn(site: Site, repo: string): Promise<readonly string[]> {
  const { packages } = await site.json<RepoShown>(['repo', 'show', repo, '--packages']);
  return packages.map(({ name, version, architecture }) => `${name}_${version}_${architecture}`);
}
