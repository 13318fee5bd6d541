import { rmSync } from 'node:fs';
import { join } from 'node:path';
import type { Artifact } from '../../core/artifact.ts';
import type { Context } from '../../core/context.ts';
import { ArtifactsError, isArtifactsError } from '../../core/errors.ts';
import type { ArtifactTask, MadeArtifact, MakeRequest } from '../kind.ts';
import { versionProblem } from './address.ts';
import { writeArchive } from './archive.ts';
import { writeClone } from './clone.ts';
import { gitFacts, type GitFacts } from './facts.ts';
import { mirrorKey, mirrorLock, openMirror, type GitMirror } from './mirror.ts';
import { archivePlace, type GitLimits, type GitRepository, type GitSpec } from './spec.ts';
import { isCommit, resolveVersion, type Resolved } from './versions.ts';

/** Changes when the same commit is archived in another form. */
const FORM = 1;

/** A task for each repository of the release. */
export function gitTasks({ release, repositories, limits }: GitSpec): ArtifactTask[] {
  return repositories.map((repository) => {
    const { name, address, version } = repository;
    return {
      id: `git ${name}`,
      kind: 'git',
      needs: [],
      places: [archivePlace(release)],
      inputs: { url: address.shown, version, form: FORM },
      lock: mirrorLock(mirrorKey(address)),
      make: (request, ctx) => makeInTime({ repository, limits, request }, ctx),
    };
  });
}

interface Making {
  readonly repository: GitRepository;
  readonly limits: GitLimits;
  readonly request: MakeRequest;
}

async function makeInTime(making: Making, ctx: Context): Promise<MadeArtifact> {
  const { repository, limits } = making;
  const deadline = AbortSignal.timeout(limits.milliseconds);
  try {
    return await make(making, { ...ctx, signal: AbortSignal.any([ctx.signal, deadline]) });
  } catch (error) {
    if (!deadline.aborted || ctx.signal.aborted || isArtifactsError(error)) throw error;
    const message = `${repository.address.shown}: not done within ${Math.round(limits.milliseconds / 1000)} seconds`;
    throw new ArtifactsError('E_FETCH', message, { hint: 'git_limits.time raises the limit.', cause: error });
  }
}

async function make(making: Making, ctx: Context): Promise<MadeArtifact> {
  const { repository, limits, request } = making;
  const { address, version } = repository;
  const previous = previousOf(request.previous);
  const problem = versionProblem(version);
  if (problem !== undefined) throw new ArtifactsError('E_CONFIG', `"${version}" ${problem}`);
  // A commit never changes: nobody needs to be asked.
  if (previous !== undefined && isCommit(version) && isSame(previous, { commit: version, ref: undefined })) return reuse(previous, request);
  const mirror = openMirror(address, request.workshop, { limits, signal: ctx.signal });
  const refs = await mirror.refs();
  const resolved = refs === undefined ? undefined : resolveVersion(version, refs);
  if (resolved === undefined) return keepPrevious(making, { previous, what: refs === undefined ? 'the repository' : `its ${version}` }, ctx);
  tell(repository, resolved, ctx);
  refuseMovedTag(repository, resolved, previous);
  if (previous !== undefined && isSame(previous, resolved)) return reuse(previous, request);
  return archive(making, { mirror, resolved }, ctx);
}

interface Previous {
  readonly artifact: Artifact;
  readonly facts: GitFacts;
}

function previousOf(artifact: Artifact | undefined): Previous | undefined {
  const facts = artifact === undefined ? undefined : gitFacts(artifact);
  return artifact === undefined || facts === undefined ? undefined : { artifact, facts };
}

function isSame({ facts }: Previous, { commit, ref }: Pick<Resolved, 'commit' | 'ref'>): boolean {
  return facts.commit === commit && facts.ref === ref && facts.form === FORM;
}

function reuse({ artifact, facts }: Previous, { pathOf }: MakeRequest, detail = `${facts.commit.slice(0, 12)} as before`): MadeArtifact {
  return { files: artifact.files.map(({ path, sha256 }) => ({ path, from: pathOf(sha256) })), facts: artifact.facts, detail };
}

/** An upstream that goes away takes nothing with it; a network that fails is no upstream that went away. */
function keepPrevious({ repository, request }: Making, { previous, what }: { readonly previous: Previous | undefined; readonly what: string }, ctx: Context): MadeArtifact {
  const { address, name } = repository;
  if (previous === undefined) {
    throw new ArtifactsError('E_NOT_FOUND', `${address.shown}: ${what} is not there`, { hint: 'Correct its entry in vars/.' });
  }
  const commit = previous.facts.commit.slice(0, 12);
  ctx.report({ type: 'warning', message: `git ${name}: ${what} is gone from ${address.shown}; ${commit}, archived before, is kept` });
  return reuse(previous, request, `${commit} kept, ${what} is gone`);
}

function tell({ name, version }: GitRepository, { ref, passedOver }: Resolved, ctx: Context): void {
  if (passedOver === undefined) return;
  ctx.report({ type: 'warning', message: `git ${name}: ${version} is a tag and a branch; the tag counts. Write ${passedOver} for the other, ${ref} for this one` });
}

/** A tag says that nothing will change any more. */
function refuseMovedTag({ address, allowMovedTag }: GitRepository, { ref, commit }: Resolved, previous: Previous | undefined): void {
  if (allowMovedTag || ref?.startsWith('refs/tags/') !== true) return;
  if (previous === undefined || previous.facts.ref !== ref || previous.facts.commit === commit) return;
  throw new ArtifactsError('E_CONFLICT', `${address.shown}: the tag ${ref.slice('refs/tags/'.length)} was moved from ${previous.facts.commit} to ${commit}`, {
    hint: 'If that is right, set allow_moved_tag for it.',
    details: { before: previous.facts.commit, now: commit },
  });
}

async function archive(making: Making, { mirror, resolved }: { readonly mirror: GitMirror; readonly resolved: Resolved }, ctx: Context): Promise<MadeArtifact> {
  const { repository, request } = making;
  const { name, address, version } = repository;
  const folder = join(request.folder, name);
  const clone = async () => writeClone({ from: await mirror.withCommit(resolved.commit), commit: resolved.commit, ref: resolved.ref, folder }, mirror.run);
  const written = await clone().catch(async (error: unknown) => {
    // Tools fail over a damaged copy, which is no fault of the upstream's; if a new one is no better, it is.
    if (!isArtifactsError(error, 'E_TOOL') || error.details === undefined) throw error;
    mirror.discard();
    rmSync(folder, { recursive: true, force: true });
    return clone();
  });
  const { names } = await writeArchive({ folder: request.folder, name, date: written.date }, mirror.run);
  const { commit, ref } = resolved;
  const { tags, submodules, lfs } = written;
  const date = new Date(written.date * 1000).toISOString();
  const facts: GitFacts = { form: FORM, url: address.shown, version, ref, commit, date, tags, submodules, lfs };
  for (const left of leftOut(facts)) ctx.report({ type: 'note', message: `git ${name}: ${left}` });
  const place = archivePlace(request.release);
  return {
    files: names.map((file) => ({ path: `${place}/${file}`, from: join(request.folder, file) })),
    facts: { ...facts },
    detail: isCommit(version) ? commit.slice(0, 12) : `${commit.slice(0, 12)} of ${version}`,
  };
}

function leftOut({ submodules, lfs }: GitFacts): string[] {
  return [
    ...(submodules > 0 ? [`its submodules (${submodules}) are left out`] : []),
    ...(lfs > 0 ? [`of its files in Git LFS (${lfs}) only the pointers are there`] : []),
  ];
}
