/** What a release wants of Python for one distribution, and where things lie. Pure. */
import type { AptNetwork } from '../../sandbox/apt-folder.ts';
import type { BaseRepositories } from '../../sandbox/root.ts';
import type { Publication } from '../publication.ts';
import type { PackageIndex } from './indexes.ts';

export interface PythonSpec {
  readonly release: string;
  readonly series: string;
  readonly codename: string;
  /** As dpkg names it. */
  readonly architecture: string;
  /** What RPC-O calls a distribution: `debian-12-x86_64`. */
  readonly distro: string;
  /** The release's own packages: the build root is made from them before all others. */
  readonly publication: Publication;
  /** The repositories below the release, nearest first. */
  readonly base: BaseRepositories;
  /** Proxies for those of them that are read by http. */
  readonly proxies: AptNetwork;
  /** Packages of the build root besides Python and a C compiler. */
  readonly buildPackages: readonly string[];
  /** Lines as in a requirements file. */
  readonly requirements: readonly string[];
  readonly overrides: readonly string[];
  readonly constraints: readonly string[];
  /** Versions of build tools: setuptools, cython. */
  readonly buildConstraints: readonly string[];
  /** Projects that are only taken as source; `*` for anything. */
  readonly noBinary: readonly string[];
  /** Whether each build gets its own build tools from the index; otherwise those of the root serve. */
  readonly isolation: boolean;
  readonly git: readonly GitSource[];
  readonly indexes: readonly PackageIndex[];
  /** The index for whatever none of those is for: what pip on this machine asks. It is found out when something is made. */
  readonly fallbackIndex: (() => Promise<PackageIndex>) | undefined;
  /** A get-pip.py to hand out; an absolute path. */
  readonly getPip: string | undefined;
  readonly services: readonly ServiceSpec[];
}

/** A project that is built from a git tarball of the release. */
export interface GitSource {
  /** Of the git artifact. */
  readonly name: string;
  /** Where the project lies in it. */
  readonly subdirectory: string | undefined;
}

/** A virtualenv. */
export interface ServiceSpec {
  readonly name: string;
  readonly requirements: readonly string[];
  /** Where it is to be unpacked: its scripts name that path. */
  readonly prefix: string;
}

export function releasePlace({ release, distro }: Pick<PythonSpec, 'release' | 'distro'>): string {
  return `os-releases/${release}/${distro}`;
}

export function venvPlace({ release, distro }: Pick<PythonSpec, 'release' | 'distro'>): string {
  return `venvs/${release}/${distro}`;
}

export function wheelsId(distro: string): string {
  return `wheels ${distro}`;
}

/** `keystone-r1.0.0-x86_64`: what the files of a virtualenv begin with. */
export function venvStem(spec: Pick<PythonSpec, 'release' | 'distro'>, service: string): string {
  return `${service}-${spec.release}-${spec.distro.slice(spec.distro.lastIndexOf('-') + 1)}`;
}
