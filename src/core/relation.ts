/** What a package needs and offers, in the words every repository format shares. */

export type VersionOperator = '<<' | '<=' | '=' | '>=' | '>>';

/** One possibility to satisfy a need: `libc6 (>= 2.36)`, `python3:any`. */
export interface Alternative {
  readonly name: string;
  readonly operator?: VersionOperator;
  readonly version?: string;
  /** The architecture qualifier after the colon: `any`, `native`, or an architecture. */
  readonly qualifier?: string;
  /** What the same package must offer besides: rpm's `with`. */
  readonly with?: readonly Alternative[];
  /** What it must not offer: rpm's `without`. */
  readonly without?: readonly Alternative[];
  /** Met as long as nothing that is there is one: what stands behind rpm's `if`. */
  readonly absent?: boolean;
}

/** Any one of the alternatives will do; they stand in the packager's order of preference. */
export type Requirement = readonly Alternative[];

/** A name a package answers to. Its own name with its own version is one; `Provides` adds others. */
export interface Capability {
  readonly name: string;
  /** Absent for an unversioned Provides, which satisfies no versioned need (Debian Policy 7.5). */
  readonly version?: string;
  /** Satisfies needs of any version: what rpm provides without one. */
  readonly anyVersion?: boolean;
}

/** Which kinds of need a closure follows. */
export interface FollowOptions {
  readonly recommends?: boolean;
  readonly suggests?: boolean;
  /** Follow build dependencies of source packages. */
  readonly source?: boolean;
  /** Leave out build dependencies that do not apply to builds for this architecture. Absent: all are kept. */
  readonly architecture?: string;
}

/** What a query or a closure sees of a package, whatever its format. */
export interface QuerySubject {
  readonly name: string;
  readonly version: string;
  readonly architecture: string;
  /** Whether that is the word for all architectures: Debian's `all`, rpm's `noarch`. */
  readonly isForAll: boolean;
  /** `deb`, `udeb`, `source`, `rpm`… */
  readonly type: string;
  /** Name and version of the source package it was built from. */
  readonly source: { readonly name: string; readonly version: string };
  /** The value of a field of its description, folded lines joined by newline; undefined when absent. Case-insensitive. */
  field(name: string): string | undefined;
  /** Its own name first, then what it provides. */
  readonly capabilities: readonly Capability[];
  /** Whether it installs this path: where needs may be of files. Asked only for paths that are no capabilities. */
  installs?(path: string): boolean;
  requirements(follow: FollowOptions): readonly Requirement[];
  /** What it wants to be there with: each list is a reason to take it once all needs of the list are met. Absent: nothing. */
  companions?(follow: FollowOptions): readonly (readonly Requirement[])[];
  /** When it was built and when its file was made, in seconds of Unix time. Absent: packages of this kind do not tell. */
  times?(): { readonly built?: number; readonly file?: number };
  /** The Multi-Arch field: `same`, `foreign`, `allowed` or `no`. */
  readonly multiArch: 'same' | 'foreign' | 'allowed' | 'no';
}
