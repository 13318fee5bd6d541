/** What an image has besides its packages, put into its tree from within: no link of the tree leads outside. */
import { join } from 'node:path';
import type { Context } from '../../core/context.ts';
import { ROOT_EPOCH } from '../../sandbox/prepare-root.ts';
import { runIn, type Bind, type RunResult } from '../../sandbox/run-in.ts';
import { writeNewFile } from '../../util/durable.ts';
import type { ImageCommand, ImageFile, ImageSpec } from './spec.ts';

/** An image in the making. */
export interface ImageTree {
  readonly path: string;
  /** For what need not outlive the making. */
  readonly temporary: string;
  /** Where the output of its commands goes. */
  readonly log: string;
}

/** What is handed in is seen here while it is copied; the folder goes with the sandbox. */
export const HANDED_IN = '/dev/handed-in';

/** Runs a line of shell as root of the image, without a network; the image keeps what it writes. Throws E_TOOL. */
export async function runInTree(tree: ImageTree, run: string, options: { readonly binds?: readonly Bind[]; readonly words?: readonly string[] }, ctx: Context): Promise<RunResult> {
  const environment = { HOME: '/root', DEBIAN_FRONTEND: 'noninteractive', SOURCE_DATE_EPOCH: String(ROOT_EPOCH) };
  const command = ['sh', '-ec', run, 'sh', ...(options.words ?? [])];
  return runIn(tree, command, { temporary: tree.temporary, keep: true, user: 'root', environment, log: tree.log, binds: options.binds ?? [] }, ctx);
}

/** Unpacks a virtualenv where its scripts expect it. */
export async function addVenv(tree: ImageTree, { tarball, prefix }: { readonly tarball: string; readonly prefix: string }, ctx: Context): Promise<void> {
  const run = `mkdir -p "$1"; tar -xzf ${HANDED_IN}/venv.tgz -C "$1"; chown -R -h 0:0 "$1"`;
  await runInTree(tree, run, { binds: [{ from: tarball, to: `${HANDED_IN}/venv.tgz` }], words: [prefix] }, ctx);
}

/** Copies files and folders in, in their order. */
export async function addFiles(tree: ImageTree, files: readonly ImageFile[], ctx: Context): Promise<void> {
  for (const { from, to, mode, owner } of files) {
    const run = `if [ -d ${HANDED_IN}/it ]; then
  mkdir -p "$1"; cp -R ${HANDED_IN}/it/. "$1"
else
  mkdir -p "\${1%/*}/"; cp ${HANDED_IN}/it "$1"
fi
chown -R -h "$3" "$1"
if [ -n "$2" ]; then chmod "$2" "$1"; else chmod -R a+rX,u+w,go-w "$1"; fi`;
    await runInTree(tree, run, { binds: [{ from, to: `${HANDED_IN}/it` }], words: [to, mode ?? '', owner] }, ctx);
  }
}

/**
 * Tells apt in the image where the release is, and nothing else. Without an address it knows no source: better than one
 * of the machine that made the image.
 */
export async function addSources(tree: ImageTree, { image, key }: { readonly image: ImageSpec; readonly key: string }, ctx: Context): Promise<void> {
  const text = consumerSources(image);
  if (text === undefined) return;
  const file = join(tree.temporary, 'release.sources');
  writeNewFile(file, (write) => write(Buffer.from(text)));
  const owned = { mode: '0644', owner: '0:0' };
  await addFiles(tree, [{ ...owned, from: file, to: SOURCES_FILE }, { ...owned, from: key, to: KEY_FILE }], ctx);
}

const SOURCES_FILE = '/etc/apt/sources.list.d/release.sources';
const KEY_FILE = '/etc/apt/keyrings/release.asc';

/** All that may stand in the sources of the image. */
export function consumerSources({ consumerUrl, publication, architecture }: ImageSpec): string | undefined {
  if (consumerUrl === undefined) return undefined;
  const { prefix, suite, components } = publication;
  const fields = { Types: 'deb', URIs: `${consumerUrl}/${prefix}`, Suites: suite, Components: components.join(' '), Architectures: architecture, 'Signed-By': KEY_FILE };
  return Object.entries(fields).map(([name, value]) => `${name}: ${value}\n`).join('');
}

/** Runs the commands but those that configure: they belong to whoever deploys. */
export async function runCommands(tree: ImageTree, commands: readonly ImageCommand[], ctx: Context): Promise<void> {
  for (const { run } of commands.filter(({ config }) => !config)) await runInTree(tree, run, {}, ctx);
}
