/** What a commit's tree holds, judged before it is written to disk. Pure. */
import { posix } from 'node:path';
import { ArtifactsError } from '../../core/errors.ts';

export interface TreeEntry {
  readonly mode: string;
  readonly id: string;
  /** Bytes; undefined for a submodule. */
  readonly size: number | undefined;
  readonly path: string;
}

/** As git writes them. */
export const LINK = '120000';
export const SUBMODULE = '160000';

const LONGEST_PART = 255;
/** What a link may say (PATH_MAX, without the byte that ends it), and so the most parts a path can have. */
const LONGEST_TARGET = 4095;
const MOST_PARTS = (LONGEST_TARGET + 1) / 2;
/** What the kernel follows before it gives up (path_resolution(7)). */
const MOST_LINKS = 40;

/** Reads `git ls-tree -r -l -z`. */
export function parseTree(bytes: Buffer): TreeEntry[] {
  // A character per byte: names are bytes, and comparing them must not confuse two.
  return bytes.toString('latin1').split('\0').filter((record) => record !== '').map((record) => {
    const tab = record.indexOf('\t');
    const [mode = '', , id = '', size = ''] = record.slice(0, tab).split(/ +/);
    return { mode, id, size: /^\d+$/.test(size) ? Number(size) : undefined, path: record.slice(tab + 1) };
  });
}

/** Throws E_TOO_LARGE or E_PATH for what cannot or must not lie on a disk. */
export function checkTree(entries: readonly TreeEntry[], limit: number): void {
  const total = entries.reduce((sum, { size }) => sum + (size ?? 0), 0);
  if (total > limit) throw new ArtifactsError('E_TOO_LARGE', `The files of the commit have ${total} bytes, more than the limit of ${limit}`, { hint: 'git_limits.size raises it.' });
  for (const { path } of entries) {
    const parts = path.split('/');
    // git's own checks refuse these on the way in; a cache may be older than they are.
    const bad = parts.find((part) => part === '' || part === '.' || part === '..' || part.toLowerCase() === '.git' || part.length > LONGEST_PART);
    if (bad !== undefined) throw new ArtifactsError('E_PATH', `The commit holds the path ${shown(path)}`);
  }
}

/**
 * Throws E_PATH for a symbolic link that leads out of the tree, deeper than paths go, or into `.git`: whoever unpacks the
 * archive may follow it.
 * Links that lead nowhere, or in a circle, stay as they are. `links` are targets by the path of their link.
 */
export function checkLinks(links: ReadonlyMap<string, string>): void {
  for (const [path, target] of links) {
    if (target.length > LONGEST_TARGET) throw new ArtifactsError('E_PATH', `The commit holds the symbolic link ${shown(path)}, which is longer than a path may be`);
    if (leadsOut(path, target, links)) throw new ArtifactsError('E_PATH', `The commit holds the symbolic link ${shown(path)}, which leads out of it to ${shown(target)}`);
  }
}

/** Walks as the kernel does: part by part, and through the links on the way. */
function leadsOut(path: string, target: string, links: ReadonlyMap<string, string>): boolean {
  let at = posix.dirname(path) === '.' ? [] : posix.dirname(path).split('/');
  const ahead = [...splitTarget(target)];
  if (target.startsWith('/')) return true;
  for (let followed = 0; ahead.length > 0; ) {
    const part = ahead.shift() ?? '';
    if (part === '..') {
      if (at.length === 0) return true;
      at = at.slice(0, -1);
      continue;
    }
    const next = [...at, part];
    if (next.length > MOST_PARTS) return true;
    if (next[0]?.toLowerCase() === '.git') return true;
    const through = links.get(next.join('/'));
    if (through === undefined) {
      at = next;
      continue;
    }
    followed += 1;
    if (through.startsWith('/')) return true;
    if (followed > MOST_LINKS) return false;
    ahead.unshift(...splitTarget(through));
  }
  return false;
}

function splitTarget(target: string): string[] {
  return target.split('/').filter((part) => part !== '' && part !== '.');
}

function shown(path: string): string {
  return JSON.stringify(Buffer.from(path, 'latin1').toString().slice(0, 200));
}

/** Reads `git cat-file --batch`: the bytes of each object, a character per byte. */
export function parseBlobs(bytes: Buffer): string[] {
  const found: string[] = [];
  for (let at = 0; at < bytes.length; ) {
    const end = bytes.indexOf(0x0a, at);
    const size = Number(bytes.toString('latin1', at, end).split(' ')[2]);
    if (end === -1 || !Number.isInteger(size)) throw new ArtifactsError('E_FORMAT', 'git cat-file gave what is no object');
    found.push(bytes.toString('latin1', end + 1, end + 1 + size));
    at = end + 1 + size + 1;
  }
  return found;
}
