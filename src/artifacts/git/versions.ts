/** From what an upstream has to the commit that was asked for. Pure. */
import { ArtifactsError } from '../../core/errors.ts';

/** A branch or tag of an upstream. */
export interface RemoteRef {
  /** `refs/heads/main`. */
  readonly name: string;
  readonly id: string;
  /** What an annotated tag names. */
  readonly peeled?: string;
}

export interface Resolved {
  readonly commit: string;
  /** The branch or tag it was found by; undefined for a commit. */
  readonly ref: string | undefined;
  /** Another meaning the version has. */
  readonly passedOver: string | undefined;
}

/** Whole ids of SHA-1 and SHA-256 repositories. */
const COMMIT = /^(?:[0-9a-f]{40}|[0-9a-f]{64})$/;

export function isCommit(version: string): boolean {
  return COMMIT.test(version);
}

/** Reads what `git ls-remote` prints: an id, a tab and a name; `^{}` after the name of a tag is what it names. */
export function parseRefs(text: string): RemoteRef[] {
  const refs = new Map<string, RemoteRef>();
  for (const line of text.split('\n')) {
    const [id = '', name = ''] = line.split('\t');
    if (!isCommit(id)) continue;
    const tag = name.endsWith('^{}') ? refs.get(name.slice(0, -3)) : undefined;
    if (tag !== undefined) refs.set(tag.name, { ...tag, peeled: id });
    else if (!name.endsWith('^{}')) refs.set(name, { name, id });
  }
  return [...refs.values()];
}

/**
 * The commit of a branch, tag or commit id. Names count as they are written, never as the beginning of others; a tag goes
 * before a branch, as with `git rev-parse`. Undefined when the upstream has no such name.
 */
export function resolveVersion(version: string, refs: readonly RemoteRef[]): Resolved | undefined {
  if (isCommit(version)) return { commit: version, ref: undefined, passedOver: undefined };
  const names = version.startsWith('refs/') ? [version] : [`refs/tags/${version}`, `refs/heads/${version}`];
  const [first, second] = names.flatMap((name) => refs.find((ref) => ref.name === name) ?? []);
  if (first !== undefined) return { commit: first.peeled ?? first.id, ref: first.name, passedOver: second?.name };
  if (/^[0-9a-f]{4,39}$/.test(version)) {
    throw new ArtifactsError('E_NOT_FOUND', `"${version}" is no branch or tag, and too short for a commit`, {
      hint: 'Write all 40 digits: what is abbreviated can come to mean something else.',
    });
  }
  return undefined;
}
