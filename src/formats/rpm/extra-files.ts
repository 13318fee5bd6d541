/**
 * `extra_files.json` of composes: licences, keys and whatever else lies beside the packages, with its digests (productmd's
 * ExtraFiles, version 1). Only exact copies have a place for those files: they are names of the upstream's own tree.
 */
import { parseSha256, sha256, type Sha256 } from '../../core/digest.ts';
import { ArtifactsError } from '../../core/errors.ts';
import type { BundledFile, UpstreamBundle } from '../format.ts';
import { listedRecord } from './listed.ts';
import { malformed } from './malformed.ts';
import { EXTRA, EXTRA_FILES } from './pool-path.ts';
import { treePath } from './treeinfo.ts';

/** Those of distributions list a dozen. */
const MOST_FILES = 10_000;

/** Throws E_FORMAT, E_PATH, and E_WEAK_HASH for a file without a SHA-256. */
export function readExtraFiles(text: Buffer): UpstreamBundle {
  const files = listedFiles(parse(text));
  const list = { name: EXTRA_FILES, size: text.length, sha256: sha256(text) };
  return {
    files,
    record: (sizes) => {
      const record = listedRecord(EXTRA, { file: list, packing: 'none', plain: list });
      const own = files.map(({ path, sha256: digest }, at) => ({ name: path, sha256: digest, size: sizes[at] ?? 0 }));
      return { record: { ...record, files: [list, ...own] }, locations: [EXTRA_FILES, ...files.map(({ path }) => path)] };
    },
  };
}

function parse(text: Buffer): readonly unknown[] {
  let document: unknown;
  try {
    document = JSON.parse(text.toString());
  } catch {
    throw malformed(EXTRA_FILES, 'this is no JSON');
  }
  const data = fieldOf(document, 'data');
  if (!Array.isArray(data)) throw malformed(EXTRA_FILES, 'it lists nothing');
  if (data.length > MOST_FILES) throw malformed(EXTRA_FILES, `more than ${MOST_FILES} files`);
  return data;
}

function listedFiles(entries: readonly unknown[]): BundledFile[] {
  const files = new Map<string, Sha256>();
  for (const entry of entries) {
    const name = fieldOf(entry, 'file');
    if (typeof name !== 'string') throw malformed(EXTRA_FILES, 'an entry names no file');
    const path = treePath(name, EXTRA_FILES);
    const digest = parseSha256(String(fieldOf(fieldOf(entry, 'checksums'), 'sha256') ?? ''));
    if (digest === undefined) throw new ArtifactsError('E_WEAK_HASH', `${EXTRA_FILES}: there is no SHA-256 of ${JSON.stringify(path.slice(0, 200))}`);
    if ((files.get(path) ?? digest) !== digest) throw malformed(EXTRA_FILES, `${JSON.stringify(path.slice(0, 200))} is listed with two digests`);
    files.set(path, digest);
  }
  return [...files].map(([path, digest]) => ({ path, sha256: digest }));
}

function fieldOf(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null && Object.hasOwn(value, name) ? (value as Readonly<Record<string, unknown>>)[name] : undefined;
}
