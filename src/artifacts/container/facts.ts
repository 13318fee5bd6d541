/** What is known of an image besides its files: what the indexes are generated from. Pure. */
import type { Artifact, ArtifactFacts } from '../../core/artifact.ts';

export interface ImageFacts extends ArtifactFacts {
  readonly role: string;
  /** `<role>-<release>`. */
  readonly variant: string;
  readonly os: string;
  readonly codename: string;
  readonly architecture: string;
  /** `YYYYMMDD_HH:MM`, UTC, of the first build that made these bytes. */
  readonly build: string;
  /** Below the public folder. */
  readonly folder: string;
  /** SHA-256 of the root filesystem as tar, before it is compressed. */
  readonly rootfs: string;
  /** Of the code that packed it. */
  readonly recipe: number;
  /** SHA-256 of incus.tar.xz and rootfs.tar.xz one after the other: how Incus and LXD call the image. */
  readonly fingerprint: string;
  readonly packages: readonly { readonly name: string; readonly version: string; readonly from: string }[];
  /** Paths that are setuid, setgid or have capabilities. */
  readonly privileged: readonly string[];
}

/** The facts of an artifact of this kind; undefined for another, or one recorded by a version that said less. */
export function imageFacts({ kind, facts }: Pick<Artifact, 'kind' | 'facts'>): ImageFacts | undefined {
  const texts = ['role', 'variant', 'os', 'codename', 'architecture', 'build', 'folder', 'rootfs', 'fingerprint'];
  const whole = kind === 'container' && texts.every((name) => typeof facts[name] === 'string');
  return whole ? (facts as ImageFacts) : undefined;
}
