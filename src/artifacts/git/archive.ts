import { createHash } from 'node:crypto';
import { createReadStream, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { limited, type GitRun } from './run-git.ts';

export interface ArchiveFiles {
  /** `<name>.tgz`, `<name>.tgz.sha256`, `<name>.checksum`, in a folder. */
  readonly names: readonly string[];
}

/**
 * Packs `<folder>/<name>` as `<folder>/<name>.tgz` with its digests beside it. Its bytes depend on those of the files and
 * on `date` (seconds) alone: who owns them, the umask, the order on disk and the time of day are left out.
 */
export async function writeArchive({ folder, name, date }: { readonly folder: string; readonly name: string; readonly date: number }, run: GitRun): Promise<ArchiveFiles> {
  const archive = `${name}.tgz`;
  // Most of it is a pack, which is compressed already: gzip's usual effort takes twice as long for 2 % of size.
  const form = ['--format=gnu', '--sort=name', '--owner=0', '--group=0', '--numeric-owner', '--mode=u=rwX,go=rX', `--mtime=@${date}`];
  const room = { ...run, limit: 2 * run.limit };
  await limited('tar', ['--create', `--file=${archive}`, '--use-compress-program=gzip -n -3', ...form, '--', name], room, { cwd: folder });
  const { sha1, sha256 } = await digests(join(folder, archive));
  writeFileSync(join(folder, `${archive}.sha256`), `${sha256}  ${archive}\n`);
  // Bare, without a newline, as RPC-O wrote it: roles compare it as it is.
  writeFileSync(join(folder, `${name}.checksum`), sha1);
  return { names: [archive, `${archive}.sha256`, `${name}.checksum`] };
}

async function digests(file: string): Promise<{ readonly sha1: string; readonly sha256: string }> {
  const [sha1, sha256] = [createHash('sha1'), createHash('sha256')];
  for await (const chunk of createReadStream(file, { highWaterMark: 1024 * 1024 })) {
    sha1.update(chunk as Buffer);
    sha256.update(chunk as Buffer);
  }
  return { sha1: sha1.digest('hex'), sha256: sha256.digest('hex') };
}
