import type { Sha256 } from './digest.ts';

/** A file of an artifact: where it is published, below the public folder, and its bytes in the pool. */
export interface ArtifactFile {
  readonly path: string;
  readonly size: number;
  readonly sha256: Sha256;
}

/** What is known of an artifact besides its files, in the words of its kind; JSON. */
export type ArtifactFacts = Readonly<Record<string, unknown>>;

/** Something a release is made of besides packages, made once and never changed: a tarball, wheels, a virtualenv, an image. */
export interface Artifact {
  readonly release: string;
  /** Unique within the release: `git keystone`, `image keystone-bookworm-amd64`. */
  readonly id: string;
  /** `git`, `python`, `container`. */
  readonly kind: string;
  readonly files: readonly ArtifactFile[];
  readonly facts: ArtifactFacts;
  /** ISO 8601, UTC. */
  readonly madeAt: string;
}
