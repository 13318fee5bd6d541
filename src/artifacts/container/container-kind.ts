/** Container images: what image servers list of those of all releases, for LXC's download template, Incus and LXD. */
import type { Artifact } from '../../core/artifact.ts';
import type { ArtifactKind, Listing } from '../kind.ts';
import { imageFacts, type ImageFacts } from './facts.ts';

export const containerKind: ArtifactKind = {
  name: 'container',
  listings: () => [],
  shared: (artifacts) => {
    const images = artifacts.flatMap((artifact) => {
      const facts = imageFacts(artifact);
      return facts === undefined ? [] : [{ artifact, facts }];
    });
    return [indexSystem(images), streamsIndex(images), streamsImages(images)];
  },
};

interface Image {
  readonly artifact: Artifact;
  readonly facts: ImageFacts;
}

/** `dist;release;arch;variant;build;path/`, as lxc's download template reads it: the first line that fits is taken. */
function indexSystem(images: readonly Image[]): Listing {
  const lines = images.map(({ facts }) => [facts.os, facts.codename, facts.architecture, facts.variant, facts.build, `/${facts.folder}/`].join(';'));
  return { path: 'meta/1.0/index-system', bytes: lines.map((line) => `${line}\n`).join(''), signed: true };
}

function productOf({ os, codename, architecture, variant }: ImageFacts): string {
  return [os, codename, architecture, variant].join(':');
}

function streamsIndex(images: readonly Image[]): Listing {
  const products = [...new Set(images.map(({ facts }) => productOf(facts)))].sort();
  const index = { images: { datatype: 'image-downloads', format: 'products:1.0', path: 'streams/v1/images.json', products } };
  return { path: 'streams/v1/index.json', bytes: `${JSON.stringify({ format: 'index:1.0', index }, undefined, 2)}\n`, signed: true };
}

function streamsImages(images: readonly Image[]): Listing {
  const products = Object.fromEntries(images.toSorted((a, b) => (productOf(a.facts) < productOf(b.facts) ? -1 : 1)).map((image) => [productOf(image.facts), product(image)]));
  const text = JSON.stringify({ content_id: 'images', datatype: 'image-downloads', format: 'products:1.0', products }, undefined, 2);
  return { path: 'streams/v1/images.json', bytes: `${text}\n`, signed: true };
}

/** Incus: shared/simplestreams/products.go. A version is called by its date, the hashes of both halves stand at the first. */
function product({ artifact, facts }: Image): unknown {
  const { os, codename, architecture, variant, build, folder, fingerprint } = facts;
  const item = (name: string, ftype: string, more: Readonly<Record<string, unknown>> = {}): object => {
    const file = artifact.files.find(({ path }) => path === `${folder}/${name}`);
    return file === undefined ? {} : { [ftype]: { ftype, path: file.path, sha256: file.sha256, size: file.size, ...more } };
  };
  const combined = { combined_rootxz_sha256: fingerprint, combined_sha256: fingerprint };
  const items = { ...item('incus.tar.xz', 'incus.tar.xz', combined), ...item('incus.tar.xz', 'lxd.tar.xz', combined), ...item('rootfs.tar.xz', 'root.tar.xz') };
  return {
    aliases: [os, codename, variant].join('/'),
    arch: architecture,
    os,
    release: codename,
    release_title: codename,
    requirements: {},
    variant,
    versions: { [build]: { items } },
  };
}
