/** Packing a tree so that equal trees give equal bytes. */
import { statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { Context } from '../../core/context.ts';
import { runAsOwner } from '../../sandbox/namespaces.ts';
import { makeFolder, writeNewFile } from '../../util/durable.ts';
import { runCommand } from '../../util/run-command.ts';

/**
 * A tar archive of all that is below a folder: in the order of names, owners as numbers, capabilities kept, no time after
 * `epoch`. What the making wrote bears the time of the making, so `epoch` stands in for it.
 */
export async function packTree(folder: string, tar: string, { epoch }: { readonly epoch: number }, ctx: Context): Promise<void> {
  const order = ['--sort=name', '--numeric-owner', `--mtime=@${epoch}`, '--clamp-mtime'];
  // Access and change times would be of the making, and so would the process in the names of pax headers.
  const headers = ['--format=posix', '--pax-option=exthdr.name=%d/PaxHeaders/%f,delete=atime,delete=ctime'];
  const attributes = ['--xattrs', '--xattrs-include=security.capability'];
  const args = ['--create', `--file=${tar}`, `--directory=${folder}`, '--one-file-system', ...order, ...headers, ...attributes, '.'];
  await runAsOwner(['tar', ...args], ctx);
}

/** Packs texts by their paths, as files of root. */
export async function packTexts(texts: Readonly<Record<string, string>>, to: { readonly folder: string; readonly tar: string; readonly epoch: number }, ctx: Context): Promise<void> {
  for (const [path, text] of Object.entries(texts)) {
    makeFolder(dirname(join(to.folder, path)));
    writeNewFile(join(to.folder, path), (write) => write(Buffer.from(text)));
  }
  const owners = ['--owner=root:0', '--group=root:0', '--mode=u=rwX,go=rX', `--mtime=@${to.epoch}`, '--format=ustar'];
  const names = [...new Set(Object.keys(texts).map((path) => path.split('/')[0] ?? ''))].sort(); // tar sorts only what it finds itself
  await runCommand('tar', ['--create', `--file=${to.tar}`, `--directory=${to.folder}`, '--sort=name', ...owners, ...names], { signal: ctx.signal });
}

/** `<tar>.xz`: one stream, which all readers of images take, in blocks of equal size however many processors there are. */
export async function compressXz(tar: string, ctx: Context): Promise<string> {
  const environment = { XZ_OPT: '', XZ_DEFAULTS: '' };
  await runCommand('xz', ['--keep', '--check=crc64', '-4', '--threads=2', '--block-size=8MiB', tar], { environment, signal: ctx.signal });
  return `${tar}.xz`;
}

/** `<tar>.gz`, without name and time. */
export async function compressGzip(tar: string, ctx: Context): Promise<string> {
  await runCommand('gzip', ['--keep', '--no-name', '-6', tar], { environment: { GZIP: '' }, signal: ctx.signal });
  return `${tar}.gz`;
}

export function sizeOf(path: string): number {
  return statSync(path).size;
}
