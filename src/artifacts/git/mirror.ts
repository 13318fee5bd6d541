/** Bare copies of upstreams in the cache: one for each URL, brought up to date once a run, and made anew when damaged. */
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { ArtifactsError, isArtifactsError } from '../../core/errors.ts';
import type { Kept, Workshop } from '../kind.ts';
import { localPath } from './address.ts';
import { git, isOverLimit, loginOf, tooLarge, type GitRun } from './run-git.ts';
import { gitSettings } from './settings.ts';
import type { GitAddress, GitLimits } from './spec.ts';
import { parseRefs, type RemoteRef } from './versions.ts';

const CACHE = 'git';
const BRANCHES_AND_TAGS = ['+refs/heads/*:refs/heads/*', '+refs/tags/*:refs/tags/*'];

/** Milliseconds before an upstream that failed is asked again. */
const PAUSES = [300, 2000];

export interface GitMirror {
  /** Branches and tags the upstream has; undefined when there is no such repository any more. Throws E_FETCH. */
  refs(): Promise<readonly RemoteRef[] | undefined>;
  /**
   * The bare repository with the commit, its whole history and the upstream's branches and tags. Throws E_FETCH, E_TOO_LARGE,
   * and E_NOT_FOUND when the upstream has no such commit.
   */
  withCommit(commit: string): Promise<string>;
  /** Forgets the copy: it turned out to be damaged. */
  discard(): void;
  readonly run: GitRun;
}

/** Equal for tasks that use one copy: they take turns. */
export function mirrorKey({ url }: GitAddress): string {
  return createHash('sha256').update(url).digest('hex').slice(0, 32);
}

/** The lock of whoever works with the copy. */
export function mirrorLock(key: string): string {
  return `git-${key}`;
}

/** All copies. Their settings are written whenever they are used. */
export function keptMirrors(cache: Workshop['cache']): readonly Kept[] {
  const folder = cache(CACHE);
  if (!existsSync(folder)) return [];
  return readdirSync(folder).flatMap((name) => {
    const [, key] = /^(\w+)\.config$/.exec(name) ?? [];
    if (key === undefined) return [];
    const paths = [`${key}.git`, name].map((entry) => join(folder, entry));
    return [{ paths, used: statSync(join(folder, name)).mtimeMs, lock: mirrorLock(key) }];
  });
}

/** The copy of an upstream. Whoever uses it holds the lock of its key. */
export function openMirror(address: GitAddress, workshop: Workshop, { limits, signal }: { readonly limits: GitLimits; readonly signal: AbortSignal }): GitMirror {
  const key = mirrorKey(address);
  const repository = join(workshop.cache(CACHE), `${key}.git`);
  const below = repositoryBelow(workshop, key);
  const run = { settings: writeSettings(workshop, { address, key, repository, below }), limit: limits.bytes, milliseconds: limits.milliseconds, signal };
  const place: Place = { address, repository, below, run };
  const seen = seenIn(workshop, key);
  return {
    run,
    refs: () => (seen.refs ??= askTwice(() => listRefs(address, run), signal)),
    withCommit: async (commit) => {
      const refs = (await seen.refs) ?? [];
      if (!seen.updated && !((await holds(commit, place)) && (await isCurrent(refs, place)))) await update(refs, place);
      seen.updated = true;
      if (!(await holds(commit, place))) await fetchCommit(commit, place);
      return repository;
    },
    discard: () => {
      rmSync(repository, { recursive: true, force: true });
      seen.updated = false;
    },
  };
}

interface Place {
  readonly address: GitAddress;
  readonly repository: string;
  /** The same copy of production, during a read-only run. */
  readonly below: string | undefined;
  readonly run: GitRun;
}

interface Seen {
  refs?: Promise<readonly RemoteRef[] | undefined>;
  updated: boolean;
}

/** What this run knows of upstreams already: a workshop lasts as long as a run. */
const seenByRun = new WeakMap<Workshop, Map<string, Seen>>();

function seenIn(workshop: Workshop, key: string): Seen {
  const all = seenByRun.get(workshop) ?? new Map<string, Seen>();
  seenByRun.set(workshop, all);
  const seen = all.get(key) ?? { updated: false };
  all.set(key, seen);
  return seen;
}

function repositoryBelow(workshop: Workshop, key: string): string | undefined {
  const folder = workshop.cacheBelow(CACHE);
  const repository = folder === undefined ? undefined : join(folder, `${key}.git`);
  return repository !== undefined && existsSync(repository) ? repository : undefined;
}

function writeSettings(workshop: Workshop, { address, key, repository, below }: Omit<Place, 'run'> & { readonly key: string }): string {
  const upstream = localPath(address);
  const trusted = [repository, `${repository}.new`, below, upstream, upstream && join(upstream, '.git')].filter((folder) => folder !== undefined);
  mkdirSync(workshop.cache(CACHE), { recursive: true });
  const file = join(workshop.cache(CACHE), `${key}.config`);
  writeFileSync(file, gitSettings(trusted));
  return file;
}

/** An upstream that fails is asked again; one that answers and refuses is not. */
async function askTwice<T>(ask: () => Promise<T>, signal: AbortSignal): Promise<T> {
  for (const pause of PAUSES) {
    try {
      return await ask();
    } catch (error) {
      if (!isArtifactsError(error, 'E_FETCH') || error.details?.['again'] === false) throw error;
      await sleep(pause, undefined, { signal });
    }
  }
  return ask();
}

async function listRefs(address: GitAddress, run: GitRun): Promise<readonly RemoteRef[] | undefined> {
  const args = ['ls-remote', '--heads', '--tags', '--', address.url];
  const { status, stdout, stderr } = await git(args, run, { accept: [128], environment: loginOf(address) });
  if (status === 0) return parseRefs(stdout.toString());
  if (isGone(stderr)) return undefined;
  throw fetchFailure(address, stderr);
}

/** What the transports say of a repository that is not there; nothing else counts as that. */
function isGone(stderr: string): boolean {
  return /^fatal: repository '[^']*' not found$/m.test(stderr) || /does not appear to be a git repository$/m.test(stderr) || /^(?:remote: )?ERROR: Repository not found/im.test(stderr);
}

async function holds(commit: string, { repository, run }: Place): Promise<boolean> {
  if (!existsSync(repository)) return false;
  const { status } = await git(['cat-file', '-e', `${commit}^{commit}`], run, { repository, accept: [1, 128] });
  return status === 0;
}

async function isCurrent(refs: readonly RemoteRef[], { repository, run }: Place): Promise<boolean> {
  const { status, stdout } = await git(['for-each-ref', '--format=%(objectname) %(refname)', 'refs/heads', 'refs/tags'], run, { repository, accept: [128] });
  const there = stdout.toString().split('\n').filter((line) => line !== '').sort();
  return status === 0 && there.join() === refs.map(({ id, name }) => `${id} ${name}`).sort().join();
}

/** In place where that works. A copy that is new, or cannot be mended, takes its name only when it is complete. */
async function update(refs: readonly RemoteRef[], place: Place): Promise<void> {
  const { address, repository, run } = place;
  if (existsSync(repository)) {
    const failure = await fetch(BRANCHES_AND_TAGS, place);
    if (failure === undefined) {
      await git(['gc', '--auto', '--quiet'], run, { repository, accept: [1, 128, 255] });
      return;
    }
    if (isOverLimit(failure)) throw tooLarge(run.limit);
  }
  const fresh = { ...place, repository: `${repository}.new` };
  rmSync(fresh.repository, { recursive: true, force: true });
  try {
    await initialize(refs, fresh);
    const failure = await fetch(BRANCHES_AND_TAGS, fresh);
    if (failure !== undefined) throw isOverLimit(failure) ? tooLarge(run.limit) : fetchFailure(address, failure);
    rmSync(repository, { recursive: true, force: true });
    renameSync(fresh.repository, repository);
  } finally {
    rmSync(fresh.repository, { recursive: true, force: true });
  }
}

async function initialize(refs: readonly RemoteRef[], { repository, below, run }: Place): Promise<void> {
  const format = refs[0]?.id.length === 64 ? 'sha256' : 'sha1';
  await git(['init', '--quiet', '--bare', '--template=', `--object-format=${format}`, repository], run);
  if (below === undefined) return;
  mkdirSync(join(repository, 'objects', 'info'), { recursive: true });
  writeFileSync(join(repository, 'objects', 'info', 'alternates'), `${join(below, 'objects')}\n`);
}

/** A commit no branch or tag leads to any more; most servers give it to whoever knows its id. */
async function fetchCommit(commit: string, place: Place): Promise<void> {
  const failure = await fetch([`+${commit}:refs/artifacts/${commit}`], place);
  if (failure === undefined) return;
  if (isOverLimit(failure)) throw tooLarge(place.run.limit);
  throw new ArtifactsError('E_NOT_FOUND', `${place.address.shown} has no commit ${commit}`, { hint: reasonOf(failure) });
}

/** Undefined when all went well, else what git said. */
async function fetch(refspecs: readonly string[], { address, repository, run }: Place): Promise<string | undefined> {
  const trace = join(repository, 'artifacts-trace');
  const options = ['--quiet', '--prune', '--force', '--no-tags', '--no-write-fetch-head', '--no-recurse-submodules'];
  const environment = { ...loginOf(address), GIT_TRACE2_EVENT: trace };
  rmSync(trace, { force: true });
  const { status, stderr } = await git(['fetch', ...options, '--', address.url, ...refspecs], run, { repository, accept: [1, 128], environment });
  if (status !== 0) return stderr;
  return isUnchecked(trace) ? fsck(repository, run) : undefined;
}

/**
 * git checks what it receives by its own protocol, but neither bundles (before 2.45) nor what it gathers file by file from a
 * server that knows no git: then no command was told to check.
 */
function isUnchecked(trace: string): boolean {
  return !/"--(?:strict|fsck-objects)[="]/.test(readFileSync(trace, 'utf8'));
}

async function fsck(repository: string, run: GitRun): Promise<string | undefined> {
  const { status, stdout, stderr } = await git(['fsck', '--strict', '--no-dangling', '--no-progress'], run, { repository, accept: [1, 2, 3, 4, 5, 6, 7, 8, 12, 16, 128] });
  if (status === 0) return undefined;
  // It has what must not be used already, and its refs would say that it is up to date.
  rmSync(repository, { recursive: true, force: true });
  return `fatal: fsck: ${stderr || stdout.toString()}`;
}

function fetchFailure(address: GitAddress, stderr: string): ArtifactsError {
  const reason = reasonOf(stderr);
  const redirected = /error: 30[1278]\b/.test(stderr);
  return new ArtifactsError('E_FETCH', `${address.shown}: ${reason}`, {
    hint: redirected ? 'It redirects, which is not followed; write the URL it leads to.' : 'Try again later; what was archived before stays.',
    // A server that answered, and objects that were refused, are the same in a second.
    details: { again: !/error: [34]\d\d\b|fsck|Authentication failed|could not read Username/.test(stderr) },
  });
}

/** The line that says why; git puts advice behind it. */
function reasonOf(stderr: string): string {
  const lines = stderr.trim().split('\n');
  return (lines.find((line) => /^error: .*(?:fsck|object)/.test(line)) ?? lines.find((line) => /^(?:fatal|error|ERROR)/.test(line)) ?? lines.at(-1) ?? '').replace(/^fatal: /, '');
}
