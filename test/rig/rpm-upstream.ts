/** Rpm repositories as upstreams make them: metadata by createrepo_c, signed like those of real archives. */
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { mkdir, rm, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { gunzipSync, gzipSync } from 'node:zlib';
import { rigKey, type RigKey } from './key.ts';
import type { Builder, Rpm } from './rpm.ts';
import { runCommand, type RunResult } from './run.ts';
import { hasCommand } from './skip.ts';
import type { TempDir } from './temp.ts';
import { signRelease } from './upstream.ts';

export interface RpmUpstreamOptions {
  readonly rpms: readonly Rpm[];
  /** Further arguments of createrepo_c. */
  readonly args?: readonly string[];
  /** Runs createrepo_c; default: the installed one. */
  readonly run?: Builder['run'];
  /** Metadata of further types, as `modifyrepo_c` adds it: `updateinfo.xml`, `modules.yaml`. The type is the name up to the dot. */
  readonly metadata?: Readonly<Record<string, string>>;
  readonly keys?: readonly RigKey[];
  readonly date?: Date;
}

export interface RpmUpstream {
  /** Bytes by path, as they are served. May be changed by hand to tell lies. */
  readonly files: Map<string, Buffer>;
  readonly keyring: Buffer;
  readonly fingerprints: readonly string[];
  republish(changes?: Partial<RpmUpstreamOptions>): Promise<void>;
  /** Signs repomd.xml as it is in `files` now, or this text. */
  sign(repomd?: string): Promise<void>;
  /** Changes the plain text of one of the gzipped documents, and what repomd.xml says of it: a lie told with authority. */
  rewrite(type: string, change: (text: string) => string): Promise<void>;
}

export const hasRpmUpstream = hasCommand('rpmbuild') && hasCommand('createrepo_c');
export const NO_RPM_UPSTREAM = 'rpmbuild or createrepo_c is not installed';

export async function rpmUpstream(dir: TempDir, options: RpmUpstreamOptions, name = 'upstream'): Promise<RpmUpstream> {
  const files = new Map<string, Buffer>();
  const keys = options.keys ?? [await rigKey()];
  let current = options;
  const sign = async (text = files.get('repodata/repomd.xml')?.toString() ?? ''): Promise<void> => {
    const [, detached] = await signRelease(text, keys, current.date ?? new Date());
    files.set('repodata/repomd.xml', Buffer.from(text));
    files.set('repodata/repomd.xml.asc', detached);
  };
  const publish = async (): Promise<void> => {
    await createRepository(dir.join(`${name}-repo`), current, files);
    await sign();
  };
  await publish();
  return {
    files,
    keyring: Buffer.concat(keys.map((key) => key.publicKey)),
    fingerprints: keys.map((key) => key.fingerprint),
    sign,
    rewrite: (type, change) => sign(rewritten(files, type, change)),
    republish: async (changes = {}) => {
      current = { ...current, ...changes };
      await publish();
    },
  };
}

async function createRepository(folder: string, options: RpmUpstreamOptions, files: Map<string, Buffer>): Promise<void> {
  const { rpms, args = [], metadata = {}, date = new Date(), run = runCommand } = options;
  const make = (command: string, words: readonly string[]): Promise<void> => succeed(run(command, words), command);
  await rm(folder, { recursive: true, force: true });
  await mkdir(join(folder, 'Packages'), { recursive: true });
  const seconds = Math.floor(date.getTime() / 1000);
  for (const { fileName, bytes } of rpms) {
    await writeFile(join(folder, 'Packages', fileName), bytes);
    await utimes(join(folder, 'Packages', fileName), seconds, seconds);
  }
  await make('createrepo_c', ['--no-database', '--revision', String(seconds), '--set-timestamp-to-revision', ...args, folder]);
  for (const [name, text] of Object.entries(metadata)) {
    await writeFile(join(folder, name), text);
    await make('modifyrepo_c', ['--mdtype', name.replace(/\..*/s, ''), join(folder, name), join(folder, 'repodata')]);
  }
  for (const path of files.keys()) if (!path.startsWith('repodata/')) files.delete(path);
  for (const path of readdirSync(folder, { recursive: true, encoding: 'utf8', withFileTypes: true })) {
    if (!path.isFile()) continue;
    const full = join(path.parentPath, path.name);
    files.set(full.slice(folder.length + 1), readFileSync(full));
  }
}

function rewritten(files: Map<string, Buffer>, type: string, change: (text: string) => string): string {
  const repomd = files.get('repodata/repomd.xml')?.toString() ?? '';
  const record = new RegExp(`<data type="${type}">.*?</data>`, 's').exec(repomd)?.[0] ?? '';
  const href = /href="([^"]*)"/.exec(record)?.[1] ?? '';
  const plain = Buffer.from(change(gunzipSync(files.get(href) ?? Buffer.alloc(0)).toString()));
  const packed = gzipSync(plain);
  files.set(href, packed);
  const changed = record
    .replace(/(<checksum type="sha256">)[^<]*/, `$1${digest(packed)}`)
    .replace(/(<open-checksum type="sha256">)[^<]*/, `$1${digest(plain)}`)
    .replace(/(<size>)[^<]*/, `$1${packed.length}`)
    .replace(/(<open-size>)[^<]*/, `$1${plain.length}`);
  return repomd.replace(record, changed);
}

function digest(bytes: Buffer): string {
  return createHash('sha256').update(bytes).digest('hex');
}

async function succeed(result: Promise<RunResult>, command: string): Promise<void> {
  const { status, stderr, stdout } = await result;
  if (status !== 0) throw new Error(`${command}: ${stderr}${stdout}`);
}
