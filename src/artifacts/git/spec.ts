/** What git repositories a release is made of. */

export interface GitSpec {
  readonly release: string;
  readonly repositories: readonly GitRepository[];
  readonly limits: GitLimits;
}

export interface GitRepository {
  /** Names the archive: `git-archives/<release>/<name>.tgz`. */
  readonly name: string;
  readonly address: GitAddress;
  /** A branch, a tag, or a whole commit id; `refs/heads/…` and `refs/tags/…` say which of the first two. */
  readonly version: string;
  /** Whether the tag may name another commit than it did for this release before. */
  readonly allowMovedTag: boolean;
}

export interface GitAddress {
  /** As git takes it, without a password: `https://…`, `http://…`, `ssh://…`, `file://…`, or an absolute path. */
  readonly url: string;
  /** As it may be shown and published: as it was written, without user and password. */
  readonly shown: string;
  /** Sent to that host only; never shown, recorded or given on a command line. */
  readonly login?: { readonly user: string; readonly password: string };
}

export interface GitLimits {
  /** Of a pack that is fetched, and of all files of the commit together. */
  readonly bytes: number;
  /** For one repository: fetching and archiving it. */
  readonly milliseconds: number;
}

/** Folder of a release's archives, below the public one. */
export function archivePlace(release: string): string {
  return `git-archives/${release}`;
}
