/**
 * Installer trees: `.treeinfo` names images and their digests (productmd 1.2, and what was before it). It and its images
 * are one record, so that no merge can bring one's images under another's list.
 */
import { posix } from 'node:path';
import { parseSha256, sha256, type Sha256 } from '../../core/digest.ts';
import { ArtifactsError } from '../../core/errors.ts';
import { pathProblem } from '../../util/safe-path.ts';
import type { BundledFile, UpstreamBundle, UpstreamIndex, UpstreamRequest } from '../format.ts';
import { listedRecord } from './listed.ts';
import { malformed } from './malformed.ts';
import { EXTRA_FILES, TREE_TYPE, TREEINFO } from './pool-path.ts';

/** What is wanted of an upstream: a list as it is there, or the one with this digest. */
const WISH = /^(treeinfo|extra_files)(?::([0-9a-f]{64}))?$/;

/** The lists that are wanted though nothing signed lists them. */
export function wantedLists({ kinds = [] }: UpstreamRequest): { readonly path: string; readonly sha256?: Sha256 }[] {
  return kinds.flatMap((kind) => {
    const [, name, digest = ''] = WISH.exec(kind) ?? [];
    if (name === undefined) return [];
    const pinned = parseSha256(digest);
    return [{ path: name === 'treeinfo' ? TREEINFO : EXTRA_FILES, ...(pinned === undefined ? {} : { sha256: pinned }) }];
  });
}

/** Reads a list of an upstream. What is published names our repository for those of all variants, unless it is kept exactly. */
export function readTree(index: UpstreamIndex, text: Buffer): UpstreamBundle {
  const tree = parseTree(text);
  const images = imagesOf(tree);
  const own = index.kind === 'exact' ? { text, elsewhere: [] } : withOwnRepository(text.toString());
  const file = { name: TREEINFO, size: own.text.length, sha256: sha256(own.text) };
  return {
    files: images,
    ...(own.text.equals(text) ? {} : { text: own.text }),
    notes: own.elsewhere.map((variant) => `${TREEINFO}: the variant ${variant}: mirror that repository too and merge it, or what it has is missing`),
    record: (sizes) => {
      const record = listedRecord(`${TREE_TYPE}-${archOf(tree)}`, { file, packing: 'none', plain: file });
      const listed = images.map(({ path, sha256: digest }, at) => ({ name: path, sha256: digest, size: sizes[at] ?? 0 }));
      return { record: { ...record, files: [file, ...listed] }, locations: [TREEINFO, ...images.map(({ path }) => path)] };
    },
  };
}

/** The files a served list vouches for, by their paths below the distribution. Throws E_FORMAT, E_PATH or E_WEAK_HASH. */
export function servedTree(path: string, text: Buffer): readonly BundledFile[] {
  return imagesOf(parseTree(text)).map((file) => ({ ...file, path: posix.join(posix.dirname(path), file.path) }));
}

type Tree = ReadonlyMap<string, ReadonlyMap<string, string>>;

const MOST_LINES = 20_000;

/** As Python's configparser reads it, but for values over several lines, which such lists have not. */
function parseTree(text: Buffer): Tree {
  const tree = new Map<string, Map<string, string>>();
  const lines = text.toString().split(/\r?\n/);
  if (lines.length > MOST_LINES) throw malformed(TREEINFO, `more than ${MOST_LINES} lines`);
  let section: Map<string, string> | undefined;
  for (const line of lines) {
    if (/^\s*(?:[#;].*)?$/.test(line)) continue;
    const title = /^\[([^\]]+)\]\s*$/.exec(line)?.[1];
    if (title !== undefined) {
      if (tree.has(title)) throw malformed(TREEINFO, `two sections [${title.slice(0, 60)}]`);
      section = new Map();
      tree.set(title, section);
      continue;
    }
    const at = line.search(/[=:]/);
    const key = /^\s/.test(line) ? '' : line.slice(0, Math.max(0, at)).trimEnd();
    if (key === '' || section === undefined) throw malformed(TREEINFO, `the line ${JSON.stringify(line.slice(0, 80))} is neither a section nor a value`);
    section.set(key, line.slice(at + 1).trim());
  }
  return tree;
}

/** rpm's name of an architecture that trees call by an older one. */
const OLDER: ReadonlyMap<string, string> = new Map([['i386', 'i686'], ['amd64', 'x86_64']]);

function archOf(tree: Tree): string {
  const arch = tree.get('tree')?.get('arch') ?? tree.get('general')?.get('arch') ?? '';
  if (!/^[A-Za-z0-9_]+$/.test(arch)) throw malformed(TREEINFO, 'it names no architecture');
  return OLDER.get(arch) ?? arch;
}

/** Everything with a digest but the metadata of repositories, which is not theirs alone; what is named has to have one. */
function imagesOf(tree: Tree): BundledFile[] {
  const digests = new Map<string, Sha256 | undefined>();
  for (const [path, value] of tree.get('checksums') ?? []) digests.set(treePath(path, TREEINFO), parseSha256(/^sha256:(.*)$/.exec(value)?.[1] ?? ''));
  const named = [...tree].filter(([section]) => section === 'stage2' || section.startsWith('images-')).flatMap(([, values]) => [...values.values()]);
  const isOwn = (path: string): boolean => !/(?:^|\/)repodata\//.test(path);
  const wanted = [...new Set([...digests.keys(), ...named.map((path) => treePath(path, TREEINFO))])].filter(isOwn);
  return wanted.map((path) => {
    const digest = digests.get(path);
    if (digest !== undefined) return { path, sha256: digest };
    throw new ArtifactsError('E_WEAK_HASH', `${TREEINFO}: there is no SHA-256 of ${JSON.stringify(path.slice(0, 200))}`, {
      hint: 'Only what can be verified is published: leave `treeinfo` out, or ask the upstream for checksums.',
    });
  });
}

/** The path, where a file that `list` names may lie there. Throws E_PATH. */
export function treePath(path: string, list: string): string {
  const problem = pathProblem(path) ?? (path === TREEINFO || path === EXTRA_FILES || /^(?:repodata|pool)$/.test(path) || path.startsWith('pool/') ? 'is taken' : undefined);
  if (problem === undefined) return path;
  throw new ArtifactsError('E_PATH', `${list}: the path ${JSON.stringify(path.slice(0, 200))} ${problem}`);
}

/** What stands before values that say where packages are, with the part of the key behind `source_` or `debug_`. */
const REPOSITORY = /^(?:source_|debug_)?(repository|packages|packagedir)\s*[=:]\s*/;

/** What is merged lies in one repository: there all variants are, and in `pool` their packages. */
function withOwnRepository(text: string): { readonly text: Buffer; readonly elsewhere: readonly string[] } {
  const elsewhere: string[] = [];
  let section = '';
  const lines = text.split('\n').map((line) => {
    section = /^\[([^\]]+)\]/.exec(line)?.[1] ?? section;
    const [head, key] = REPOSITORY.exec(line) ?? [];
    if (head === undefined || !/^variant-|^general$/.test(section)) return line;
    const value = line.slice(head.length).trimEnd();
    if (key === 'repository' && head.startsWith('repository') && !/^\.?\/?$/.test(value)) elsewhere.push(`${section.replace(/^variant-/, '')} lies at ${JSON.stringify(value.slice(0, 100))}`);
    return `${head}${key === 'repository' ? '.' : 'pool'}`;
  });
  return { text: Buffer.from(lines.join('\n')), elsewhere };
}
