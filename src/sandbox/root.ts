/** Root filesystems made from apt repositories, and what is needed to make one. */
import type { Sha256 } from '../core/digest.ts';

/** A repository a root filesystem is made from. */
export interface AptSource {
  /** `http://…`, or `file:/…` for a published tree on this machine. */
  readonly uri: string;
  readonly suite: string;
  readonly components: readonly string[];
  /** Path of the public keys that may sign it, armored or not. */
  readonly signedBy: string;
  /** Pin-Priority of its packages, apt_preferences(5); 500 where nothing is said. */
  readonly priority?: number;
}

/** Repositories below a release, known by their description until something is made from them. */
export interface BaseRepositories {
  /** What of them decides what is made: no address, for another mirror of the same archive makes nothing else. JSON. */
  readonly described: readonly unknown[];
  /** Looks up this machine's sources, and keys. Nearest first. */
  resolve(): Promise<readonly AptSource[]>;
}

export interface RootSpec {
  readonly codename: string;
  readonly architecture: string;
  /** Nearest first. */
  readonly sources: readonly AptSource[];
  /** Packages besides the essential ones. */
  readonly packages: readonly string[];
}

export interface InstalledPackage {
  readonly name: string;
  readonly version: string;
  readonly architecture: string;
  /** Position in the spec's sources of the nearest one that has it. */
  readonly source: number;
}

/** A root filesystem that is never written to: work is done over it. */
export interface Root {
  readonly path: string;
  /** Digest of the packages it consists of, their bytes included. */
  readonly digest: Sha256;
  /** In the order of their names. */
  readonly packages: readonly InstalledPackage[];
}
