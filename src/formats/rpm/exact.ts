/** A repository kept as its upstream made it: every file that repomd.xml lists, and repomd.xml with its signature. */
import { posix } from 'node:path';
import { ArtifactsError } from '../../core/errors.ts';
import { LISTED, type FileRef, type PackageRecord } from '../../core/package.ts';
import type { Packing } from '../../util/packing.ts';
import type { ExactFormat, ExactPlace } from '../format.ts';
import { EXACT } from './pool-path.ts';
import type { ListedText } from './listed.ts';
import { readPlaces } from './read-index.ts';

/** Beside repomd.xml, where zypper and our own .repo files look for the key it is signed with. */
const KEY = 'repodata/repomd.xml.key';

interface ExactText extends ListedText {
  /** What repomd.xml lists as primary. */
  readonly primary: string;
  readonly form: Packing;
  readonly weak: boolean;
}

/** The record of it all: its first files are repomd.xml, the signature and the key. */
export function exactRecord(files: readonly FileRef[], facts: Omit<ExactText, keyof ListedText>): PackageRecord {
  const [root] = files;
  if (root === undefined) throw new Error('An exact repository without root metadata');
  const { sha256: version, size } = root;
  const text: ExactText = { packing: 'none', plain: { size, sha256: version }, extension: '', ...facts };
  return { format: 'rpm', partition: LISTED, name: EXACT, version, architecture: LISTED, files, text: Buffer.from(JSON.stringify(text)) };
}

export const exactFormat: ExactFormat = {
  keyPath: KEY,
  isExact: ({ partition, name }) => partition === LISTED && name === EXACT,
  index: ({ files, text }) => {
    const { primary, form } = JSON.parse(text.toString()) as ExactText;
    const file = files.find(({ name }) => name === primary);
    if (file === undefined) throw new Error(`An exact repository lacks its ${primary}`);
    return { file, packing: form };
  },
  places: placesOf,
};

async function* placesOf({ files, text }: Pick<PackageRecord, 'files' | 'text'>, chunks: AsyncIterable<Buffer>): AsyncGenerator<ExactPlace> {
  const { weak } = JSON.parse(text.toString()) as ExactText;
  const taken = takePaths(files);
  for await (const { href, base, sha256, place } of readPlaces(chunks, { weak })) {
    if (base !== undefined) throw notExact(place, 'the package');
    taken(href, sha256, place);
    yield { path: href, sha256 };
  }
}

/** E_PATH for what lies at another address than the repository. */
export function notExact(place: string, what: string): ArtifactsError {
  return new ArtifactsError('E_PATH', `${place}: ${what} lies at another address, so the repository cannot be kept exactly`, {
    hint: 'Leave `exact` out: then it is fetched from there and published with ours.',
  });
}

/** Throws E_PATH when a path is a folder of another one, and E_CONFLICT when two files would lie at one path. */
function takePaths(files: readonly FileRef[]): (path: string, sha256: string, place: string) => void {
  const paths = new Map<string, string>();
  const folders = new Set<string>();
  const take = (path: string, sha256: string, place: string): void => {
    const before = paths.get(path);
    if (before !== undefined && before !== sha256) throw new ArtifactsError('E_CONFLICT', `${place}: another file lies at ${JSON.stringify(path)}`);
    if (folders.has(path)) throw new ArtifactsError('E_PATH', `${place}: ${JSON.stringify(path)} is a folder`);
    paths.set(path, sha256);
    for (let folder = posix.dirname(path); folder !== '.' && !folders.has(folder); folder = posix.dirname(folder)) {
      if (paths.has(folder)) throw new ArtifactsError('E_PATH', `${place}: ${JSON.stringify(folder)} is a file`);
      folders.add(folder);
    }
  };
  for (const { name, sha256 } of files) take(name, sha256, 'repomd.xml');
  return take;
}
