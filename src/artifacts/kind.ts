/**
 * What a release is made of besides packages. A kind says how each of its artifacts is made, and which files list what
 * is there; the release decides what is to be made and when, keeps the files in the pool and publishes them.
 */
import type { Artifact, ArtifactFacts } from '../core/artifact.ts';
import type { Clock, Context } from '../core/context.ts';
import type { Sha256 } from '../core/digest.ts';

export interface ArtifactKind {
  /** What `--only` takes: `git`. */
  readonly name: string;
  /**
   * Files that list what lies in a place of a release, from all that lies there: indexes, digests, manifests. Their paths
   * are below the public folder, in the place. Pure.
   */
  listings(place: string, artifacts: readonly Artifact[]): readonly Listing[];
  /**
   * Files that all releases share, from the artifacts of this kind of all of them, the last made first. Files of one
   * folder appear together, in place of all that was in it. Pure.
   */
  shared?(artifacts: readonly Artifact[]): readonly Listing[];
  /** What it keeps in its caches from run to run, to make it again faster. */
  kept?(cache: Workshop['cache']): readonly Kept[];
}

/** An entry of a cache. Nothing but time is lost with it. */
export interface Kept {
  readonly paths: readonly string[];
  /** When a run last used it, milliseconds since the epoch. */
  readonly used: number;
  /** The lock of the tasks that use it, where they do so for longer than it takes to look it up. */
  readonly lock?: string;
}

/** A file that is generated from the catalog, never edited. */
export interface Listing {
  /** Below the public folder. */
  readonly path: string;
  readonly bytes: Uint8Array | string;
  /** Whether a detached signature, `<path>.asc`, stands beside it. */
  readonly signed: boolean;
}

/** An artifact to be made: what of, and how. */
export interface ArtifactTask {
  /** `<kind> <name>`, unique within the release. */
  readonly id: string;
  readonly kind: string;
  /** Ids of the nodes it is made from: other tasks, and publications as `publish <prefix> <distribution>`. */
  readonly needs: readonly string[];
  /**
   * Folders below the public one that belong to this release alone and are replaced as a whole, those its files lie in:
   * `git-archives/r1.0.0`. Files that lie in none of them are shared by releases and never change.
   */
  readonly places: readonly string[];
  /** All that decides the result besides what it needs, in readable form: a change of it makes the artifact anew. JSON. */
  readonly inputs: Readonly<Record<string, unknown>>;
  /** Two tasks with one lock take turns, whatever release they belong to. */
  readonly lock?: string;
  make(request: MakeRequest, ctx: Context): Promise<MadeArtifact>;
}

export interface MakeRequest {
  readonly release: string;
  /** UTC, `YYYYMMDDTHHMMSSZ`. */
  readonly build: string;
  /** An empty folder for the files; it goes when they are in the pool. */
  readonly folder: string;
  /** The artifacts it needs, by id. Publications lie below the public folder already. */
  readonly needed: ReadonlyMap<string, Artifact>;
  /** What was made under this id for this release before. */
  readonly previous: Artifact | undefined;
  /** Where the bytes of a file of an artifact are; to be read and linked, never written. */
  pathOf(sha256: Sha256): string;
  readonly workshop: Workshop;
}

/** What all tasks work with. */
export interface Workshop {
  readonly publicRoot: string;
  /** A folder of one's own that outlives runs and may be deleted: `cache('git')`. */
  cache(name: string): string;
  /** The same of production during a read-only run, where there is one: for reading only. */
  cacheBelow(name: string): string | undefined;
  /** For what need not outlive the run. */
  readonly temporary: string;
  readonly clock: Clock;
  readonly environment: Readonly<Record<string, string | undefined>>;
}

export interface MadeArtifact {
  readonly files: readonly MadeFile[];
  readonly facts: ArtifactFacts;
  /** One line for the person who watches: `4 wheels built, 12 reused`. */
  readonly detail: string;
}

export interface MadeFile {
  /** Where it is to be published, below the public folder. */
  readonly path: string;
  /** Where its bytes are now; the file is moved from the task's folder, and copied from anywhere else. */
  readonly from: string;
  /**
   * Whether `<path>.asc`, a detached signature, is to stand beside it. One that is among the files stays: a published file
   * never changes, whatever key signs now.
   */
  readonly signed?: boolean;
}
