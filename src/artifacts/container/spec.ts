/** What a release wants of container images, and where things lie. Pure. */
import type { AptNetwork } from '../../sandbox/apt-folder.ts';
import type { BaseRepositories } from '../../sandbox/root.ts';
import type { Publication } from '../publication.ts';

export interface ContainerSpec {
  readonly release: string;
  readonly images: readonly ImageSpec[];
}

/** The image of one role for one distribution and architecture. */
export interface ImageSpec {
  /** `keystone`. */
  readonly role: string;
  /** As os-release calls the distribution: `debian`. */
  readonly os: string;
  readonly codename: string;
  /** As dpkg names it. */
  readonly architecture: string;
  /** The same as uname(1) does: `x86_64`. */
  readonly machine: string;
  /** The release's own packages: they win over all others. */
  readonly publication: Publication;
  /** The repositories below the release, nearest first. */
  readonly base: BaseRepositories;
  /** How they are reached. */
  readonly network: AptNetwork;
  /** Besides the essential ones and apt. */
  readonly packages: readonly string[];
  /** Id of the task that makes the virtualenv that is unpacked in it. */
  readonly venv: string | undefined;
  readonly files: readonly ImageFile[];
  /** Ansible roles, applied before the commands. */
  readonly ansible: ImageRoles | undefined;
  readonly commands: readonly ImageCommand[];
  /** Lines of shell that succeed in the finished image, or it is refused. */
  readonly checks: readonly string[];
  /** Absolute paths of programs that may be setuid, setgid or have capabilities besides those the packages bring. */
  readonly privileged: readonly string[];
  /** Where those who run it get the release from; undefined: its apt knows no source. */
  readonly consumerUrl: string | undefined;
}

/** A file or folder that is copied into the image. */
export interface ImageFile {
  /** Absolute. */
  readonly from: string;
  /** Absolute, within the image. */
  readonly to: string;
  /** Octal digits; of a folder's files undefined: readable by all, executable if they are. */
  readonly mode: string | undefined;
  /** `user:group`, as names of the image or numbers. */
  readonly owner: string;
}

/** Ansible roles and what they are given. All paths are absolute. */
export interface ImageRoles {
  /** In the order in which they are applied; a role is called like its folder. */
  readonly roles: readonly { readonly path: string; readonly vars: Readonly<Record<string, unknown>> }[];
  /** Folders of roles that others depend on or include. */
  readonly with: readonly string[];
  /** They win over all that roles say. */
  readonly vars: Readonly<Record<string, unknown>>;
  /** Files of variables, as Ansible reads them. */
  readonly varsFiles: readonly string[];
  /** The same; an image in which one of their values is found is refused. */
  readonly secrets: readonly string[];
  /** Groups of the inventory the image is in, besides `<role>_all`. */
  readonly groups: readonly string[];
  /** Tasks are left out that have a tag with one of these words in it. */
  readonly skipTags: readonly string[];
  readonly skipHandlers: boolean;
}

/** A line for the shell of the image. */
export interface ImageCommand {
  readonly run: string;
  /** It sets a running service up, and is left to whoever deploys the image. */
  readonly config: boolean;
}

/** What RPC-O's variables call an image: `keystone-r1.0.0`. */
export function variantOf(release: string, role: string): string {
  return `${role}-${release}`;
}

export function imageId({ role, codename, architecture }: Pick<ImageSpec, 'role' | 'codename' | 'architecture'>): string {
  return `image ${role}-${codename}-${architecture}`;
}

/** Files of an image server never change: each build has a folder of its own. */
export function imageFolder({ os, codename, architecture, role }: Pick<ImageSpec, 'os' | 'codename' | 'architecture' | 'role'>, release: string, build: string): string {
  return `lxc-images/${os}/${codename}/${architecture}/${variantOf(release, role)}/${build}`;
}

export function ociPlace({ role, codename, architecture }: Pick<ImageSpec, 'role' | 'codename' | 'architecture'>, release: string): string {
  return `oci/${release}/${role}-${codename}-${architecture}`;
}
