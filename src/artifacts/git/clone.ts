/** A clone at one commit that has the same bytes wherever and whenever it is made. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { git, type GitRun } from './run-git.ts';
import { checkLinks, checkTree, LINK, parseBlobs, parseTree, SUBMODULE, type TreeEntry } from './tree.ts';

export interface CloneRequest {
  /** A bare repository with the commit; only read. */
  readonly from: string;
  readonly commit: string;
  /** The branch or tag the commit was found by. */
  readonly ref: string | undefined;
  /** Where the clone is to be; it does not exist yet. */
  readonly folder: string;
}

export interface Clone {
  /** Of the commit, in seconds since 1970. */
  readonly date: number;
  readonly tags: number;
  /** Folders that stay empty, since submodules are not fetched. */
  readonly submodules: number;
  /** Files of which only the pointer is there. */
  readonly lfs: number;
}

/** The end of the year 9999: later dates have no common notation. */
const LAST_DATE = 253_402_300_799;

/**
 * Writes the working files and a `.git` with the whole history of the commit, the tags in it, and the branch or tag it was
 * found by. Throws E_PATH or E_TOO_LARGE for trees that cannot or must not lie on a disk.
 */
export async function writeClone(request: CloneRequest, run: GitRun): Promise<Clone> {
  const { from, commit, folder } = request;
  const entries = await readTree(request, run);
  const tags = await tagsOf(request, run);
  const { stdout } = await git(['show', '--no-patch', '--format=%ct', commit, '--'], run, { repository: from });
  const date = Math.min(Math.max(Number(stdout.toString().trim()), 0), LAST_DATE);
  const repository = join(folder, '.git');
  writeSkeleton(repository, request, tags);
  await pack(request, { repository, tags }, run);
  const own = { repository, environment: { GIT_WORK_TREE: folder } };
  // An index without sizes and times of files: it holds for every copy, and git looks them up when it first needs them.
  await git(['read-tree', commit], run, own);
  await git(['checkout-index', '--all', '--quiet'], run, own);
  return { date, tags: tags.length, submodules: entries.filter(({ mode }) => mode === SUBMODULE).length, lfs: await countPointers(entries, run, own) };
}

async function readTree({ from, commit }: CloneRequest, run: GitRun): Promise<readonly TreeEntry[]> {
  const { stdout } = await git(['ls-tree', '-r', '-l', '-z', commit], run, { repository: from });
  const entries = parseTree(stdout);
  checkTree(entries, run.limit);
  const links = entries.filter(({ mode }) => mode === LINK);
  if (links.length === 0) return entries;
  const blobs = await git(['cat-file', '--batch'], run, { repository: from, input: Buffer.from(links.map(({ id }) => `${id}\n`).join('')) });
  const targets = parseBlobs(blobs.stdout);
  checkLinks(new Map(links.map(({ path }, index) => [path, targets[index] ?? ''])));
  return entries;
}

interface Tag {
  readonly name: string;
  readonly id: string;
  /** What an annotated tag names, or empty. */
  readonly peeled: string;
}

/** Tools that derive a version from the history need them. */
async function tagsOf({ from, commit }: CloneRequest, run: GitRun): Promise<readonly Tag[]> {
  const format = '--format=%(refname) %(objectname) %(*objectname)';
  const { stdout } = await git(['for-each-ref', `--merged=${commit}`, format, 'refs/tags'], run, { repository: from });
  const lines = stdout.toString().split('\n').filter((line) => line !== '');
  return lines.map((line) => {
    const [name = '', id = '', peeled = ''] = line.split(' ');
    return { name, id, peeled };
  });
}

/** What `git init` would write, and nothing that depends on the machine or on git's version. */
function writeSkeleton(repository: string, { commit, ref }: CloneRequest, tags: readonly Tag[]): void {
  for (const folder of ['objects/pack', 'objects/info', 'refs/heads', 'refs/tags']) mkdirSync(join(repository, folder), { recursive: true });
  const branch = ref?.startsWith('refs/heads/') === true ? ref : undefined;
  const sha256 = commit.length === 64;
  const core = `[core]\n\trepositoryformatversion = ${sha256 ? 1 : 0}\n\tfilemode = true\n\tbare = false\n\tlogallrefupdates = true\n`;
  writeFileSync(join(repository, 'config'), sha256 ? `${core}[extensions]\n\tobjectformat = sha256\n` : core);
  writeFileSync(join(repository, 'HEAD'), branch === undefined ? `${commit}\n` : `ref: ${branch}\n`);
  const refs = [...tags, ...(branch === undefined ? [] : [{ name: branch, id: commit, peeled: '' }])].sort((a, b) => Buffer.compare(Buffer.from(a.name), Buffer.from(b.name)));
  const lines = refs.map(({ name, id, peeled }) => `${id} ${name}\n${peeled === '' ? '' : `^${peeled}\n`}`);
  writeFileSync(join(repository, 'packed-refs'), ['# pack-refs with: peeled fully-peeled sorted \n', ...lines].join(''));
}

/**
 * The history as one pack. Its bytes depend on the objects alone when no delta and no compressed object of another pack is
 * used again, one thread looks for deltas, and git sees no refs but the clone's own, for tags decide the order. That costs
 * twice what a clone does; half of git's usual window saves a fifth of it for 1 to 5 % of size.
 */
async function pack({ from, commit }: CloneRequest, { repository, tags }: { readonly repository: string; readonly tags: readonly Tag[] }, run: GitRun): Promise<void> {
  const tips = [...new Set([commit, ...tags.map(({ id }) => id)])].sort();
  const options = ['--quiet', '--revs', '--threads=1', '--no-reuse-delta', '--no-reuse-object', '--delta-base-offset', '--window=5', '--depth=50'];
  await git(['pack-objects', ...options, '--no-use-bitmap-index', join(repository, 'objects', 'pack', 'pack')], run, {
    repository,
    environment: { GIT_ALTERNATE_OBJECT_DIRECTORIES: join(from, 'objects') },
    input: Buffer.from(tips.map((id) => `${id}\n`).join('')),
  });
}

/** Files for Git LFS: what they stand for lies elsewhere and is not fetched. */
async function countPointers(entries: readonly TreeEntry[], run: GitRun, own: { readonly repository: string; readonly environment: Readonly<Record<string, string>> }): Promise<number> {
  if (!entries.some(({ path }) => /(?:^|\/)\.gitattributes$/.test(path))) return 0;
  const input = Buffer.from(entries.map(({ path }) => `${path}\0`).join(''), 'latin1');
  const { stdout } = await git(['check-attr', '-z', '--stdin', 'filter'], run, { ...own, input });
  return stdout.toString('latin1').split('\0').filter((field, index) => index % 3 === 2 && field === 'lfs').length;
}
