import { readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { ArtifactsError, fromSystemError, hasCode } from '../core/errors.ts';

/** A configuration file as it lies on the disk. */
export interface SourceFile {
  /** Relative to the root, with `/`. */
  readonly file: string;
  readonly bytes: Uint8Array;
}

const FOLDERS = ['vars', 'mappings'];
const LARGEST_FILE = 32 * 1024 * 1024;

/** Every `.yml` and `.yaml` file under vars/ and mappings/ of the root, sorted by path. E_CONFIG when there is neither. */
export async function readSources(root: string): Promise<readonly SourceFile[]> {
  const listed = await Promise.all(FOLDERS.map((folder) => listFiles(root, folder)));
  if (listed.every((files) => files === undefined)) {
    throw new ArtifactsError('E_CONFIG', `There is no vars/ and no mappings/ in ${root}`, {
      hint: 'Give the folder that holds them with --root.',
    });
  }
  const files = listed.flatMap((names) => names ?? []).sort();
  return Promise.all(files.map((file) => readSource(root, file)));
}

async function listFiles(root: string, folder: string): Promise<readonly string[] | undefined> {
  try {
    const entries = await readdir(join(root, folder), { withFileTypes: true });
    const nested = await Promise.all(
      entries.map(async (entry) => {
        // Hidden files are editors' locks and backups.
        if (entry.name.startsWith('.')) return [];
        const path = `${folder}/${entry.name}`;
        if (entry.isDirectory()) return (await listFiles(root, path)) ?? [];
        return /\.ya?ml$/.test(entry.name) ? [path] : [];
      }),
    );
    return nested.flat();
  } catch (error) {
    if (hasCode(error, 'ENOENT', 'ENOTDIR')) {
      return undefined;
    }
    throw fromSystemError(error, `reading ${folder}/`);
  }
}

async function readSource(root: string, file: string): Promise<SourceFile> {
  const path = join(root, file);
  try {
    const { size } = await stat(path);
    if (size > LARGEST_FILE) {
      throw new ArtifactsError('E_CONFIG', `${file} has ${size} bytes; a configuration file may have ${LARGEST_FILE}`);
    }
    return { file, bytes: await readFile(path) };
  } catch (error) {
    if (hasCode(error, 'ENOENT', 'EISDIR')) {
      throw new ArtifactsError('E_CONFIG', `${file} is no readable file`, { cause: error });
    }
    throw fromSystemError(error, `reading ${file}`);
  }
}
