import type { Artifact } from '../../core/artifact.ts';

/** What is recorded of an archive. */
export interface GitFacts {
  /** Of the archive: another number, another form. */
  readonly form: number;
  /** Without user and password. */
  readonly url: string;
  /** What was asked for. */
  readonly version: string;
  /** The branch or tag that was; undefined for a commit. */
  readonly ref: string | undefined;
  readonly commit: string;
  /** Of the commit; ISO 8601, UTC. */
  readonly date: string;
  /** How many tags of the history are in it. */
  readonly tags: number;
  /** How many were left out. */
  readonly submodules: number;
  /** Files of which it has but the pointer. */
  readonly lfs: number;
}

/** What the artifact's facts say, or undefined when it is none of this kind. */
export function gitFacts({ kind, facts }: Artifact): GitFacts | undefined {
  return kind === 'git' ? (facts as unknown as GitFacts) : undefined;
}
