import { readdirSync, statSync, type Stats } from 'node:fs';
import { basename, join } from 'node:path';
import { ArtifactsError } from '../core/errors.ts';
import type { Digested, LocalFormat } from '../formats/format.ts';
import { formats } from '../formats/index.ts';

/** `part`: listed by an upload or a source package, and nothing by itself. */
export type FileKind = 'package' | 'source' | 'upload' | 'part';

/** A file of the user's, to be read and left as it is. */
export interface FoundFile {
  readonly path: string;
  readonly kind: FileKind;
  /** What somebody else vouched for: other bytes are refused. */
  readonly expected?: Digested;
}

export interface FindOptions {
  readonly format: Pick<LocalFormat, 'kindOf' | 'metadata'>;
  readonly kinds: readonly FileKind[];
  /** What is looked for, for messages: `packages`. */
  readonly noun: string;
}

/**
 * The files named, and those of the wanted kinds anywhere below the folders named, each once and in a fixed order. Throws
 * E_NOT_FOUND for what does not exist and for a folder with none, E_USAGE for a file of another kind.
 */
export function findFiles(paths: readonly string[], options: FindOptions): FoundFile[] {
  const found = new Map<string, FoundFile>();
  for (const path of paths) {
    const stat = statSync(path, { throwIfNoEntry: false });
    for (const file of stat?.isDirectory() === true ? inFolder(path, options) : [named(path, stat, options)]) found.set(file.path, file);
  }
  return [...found.values()];
}

function named(path: string, stat: Stats | undefined, { format, kinds, noun }: FindOptions): FoundFile {
  if (stat === undefined) throw new ArtifactsError('E_NOT_FOUND', `There is no file or folder "${path}"`);
  const kind = format.kindOf(basename(path));
  if (kind === undefined || !kinds.includes(kind)) {
    throw new ArtifactsError('E_USAGE', `"${path}" is none of the ${noun} that go here, by its name`, placeFor(basename(path), format));
  }
  if (!stat.isFile()) throw new ArtifactsError('E_USAGE', `"${path}" is no regular file`);
  return { path, kind };
}

/** Where such a file may belong. */
function placeFor(name: string, { metadata }: FindOptions['format']): { readonly hint?: string } {
  const taker = Object.values(formats).find(({ local }) => local.kindOf(name) === 'package');
  if (taker !== undefined) return { hint: `It goes into a repository of ${taker.id}: \`artifacts repo create NAME --format ${taker.id}\` makes one.` };
  return metadata === undefined ? {} : { hint: 'Metadata is put in by `artifacts repo metadata add`.' };
}

function inFolder(folder: string, { format, kinds, noun }: FindOptions): FoundFile[] {
  const files = readdirSync(folder, { recursive: true, withFileTypes: true }).flatMap((entry) => {
    const kind = format.kindOf(entry.name);
    const path = join(entry.parentPath, entry.name);
    if (kind === undefined || !kinds.includes(kind)) return [];
    const isFile = entry.isFile() || (entry.isSymbolicLink() && statSync(path, { throwIfNoEntry: false })?.isFile() === true);
    return isFile ? [{ path, kind }] : [];
  });
  if (files.length === 0) throw new ArtifactsError('E_NOT_FOUND', `There are no ${noun} in "${folder}"`);
  return files.sort((a, b) => (a.path < b.path ? -1 : 1));
}
