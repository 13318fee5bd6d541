/** The image as an OCI layout: OCI Image Layout Specification 1.0. */
import { join } from 'node:path';
import { sha256, type Sha256 } from '../../core/digest.ts';
import { writeNewFile } from '../../util/durable.ts';
import { hashFile } from '../../util/hash-file.ts';
import type { MadeFile } from '../kind.ts';
import { goMachineOf } from './meta.ts';
import { sizeOf } from './pack.ts';

export interface OciImage {
  readonly architecture: string;
  /** `org.opencontainers.image.ref.name`. */
  readonly name: string;
  /** Digest of the root filesystem, packed. */
  readonly rootfs: Sha256;
  /** The same, compressed. */
  readonly gzip: string;
  /** Seconds. */
  readonly created: number;
}

/** Writes the layout's small files to a folder; its one layer stays where it is. */
export async function makeOciLayout(image: OciImage, { folder, place }: { readonly folder: string; readonly place: string }): Promise<readonly MadeFile[]> {
  const created = new Date(image.created * 1000).toISOString().replace('.000', '');
  const layer = { mediaType: 'application/vnd.oci.image.layer.v1.tar+gzip', digest: named(await hashFile(image.gzip)), size: sizeOf(image.gzip) };
  const config = json({
    created,
    architecture: goMachineOf(image.architecture),
    os: 'linux',
    config: { Env: ['PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin'], Cmd: ['/bin/sh'] },
    rootfs: { type: 'layers', diff_ids: [named(image.rootfs)] },
    history: [{ created, created_by: image.name }],
  });
  const manifest = json({
    schemaVersion: 2,
    mediaType: 'application/vnd.oci.image.manifest.v1+json',
    config: { mediaType: 'application/vnd.oci.image.config.v1+json', ...described(config) },
    layers: [layer],
  });
  const index = json({
    schemaVersion: 2,
    mediaType: 'application/vnd.oci.image.index.v1+json',
    manifests: [
      {
        mediaType: 'application/vnd.oci.image.manifest.v1+json',
        ...described(manifest),
        platform: { architecture: goMachineOf(image.architecture), os: 'linux' },
        annotations: { 'org.opencontainers.image.ref.name': image.name },
      },
    ],
  });
  const blob = (digest: string): string => `blobs/sha256/${digest.slice('sha256:'.length)}`;
  const texts = { 'oci-layout': json({ imageLayoutVersion: '1.0.0' }), 'index.json': index, [blob(described(config).digest)]: config, [blob(described(manifest).digest)]: manifest };
  for (const [path, text] of Object.entries(texts)) writeNewFile(join(folder, path), (write) => write(Buffer.from(text)));
  return [...Object.keys(texts).map((path) => ({ path: `${place}/${path}`, from: join(folder, path) })), { path: `${place}/${blob(layer.digest)}`, from: image.gzip }];
}

function json(value: unknown): string {
  return JSON.stringify(value);
}

function named(digest: Sha256): string {
  return `sha256:${digest}`;
}

function described(text: string): { readonly digest: string; readonly size: number } {
  return { digest: named(sha256(text)), size: Buffer.byteLength(text) };
}
