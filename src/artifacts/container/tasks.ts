/** What is to be made of the container images of a release. */
import { lstatSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { canonicalJson, sha256, type Sha256 } from '../../core/digest.ts';
import { ArtifactsError } from '../../core/errors.ts';
import type { ArtifactTask } from '../kind.ts';
import { makeImage, RECIPE } from './make-image.ts';
import { describeRoles } from './role-folders.ts';
import { imageId, ociPlace, type ContainerSpec, type ImageSpec } from './spec.ts';

/** `image <role>-<codename>-<architecture>` for each image. Throws E_NOT_FOUND when a file it copies is not there. */
export function containerTasks(spec: ContainerSpec): readonly ArtifactTask[] {
  return spec.images.map((image) => ({
    id: imageId(image),
    kind: 'container',
    needs: [image.publication.node, ...(image.venv === undefined ? [] : [image.venv])],
    places: [ociPlace(image, spec.release)],
    inputs: inputsOf(image),
    // One root filesystem at a time: making it keeps the disk busy.
    lock: `container-${image.codename}-${image.architecture}`,
    make: (request, ctx) => makeImage(image, request, ctx),
  }));
}

function inputsOf({ base, network: _network, files, ansible, checks, ...image }: ImageSpec): ArtifactTask['inputs'] {
  return {
    ...image,
    ...(checks.length === 0 ? {} : { checks }),
    ...(ansible === undefined ? {} : { ansible: describeRoles(ansible) }),
    recipe: RECIPE,
    base: base.described,
    files: files.map(({ from, ...file }) => ({ ...file, digest: digestOf(from) })),
  };
}

/** Of a file's bytes, or of the names and digests below a folder. */
function digestOf(path: string): Sha256 {
  const entry = lstatSync(path, { throwIfNoEntry: false });
  if (entry === undefined) throw new ArtifactsError('E_NOT_FOUND', `${path}, which an image is to have, does not exist`, { hint: 'It is named in container_images in vars/.' });
  if (entry.isFile()) return sha256(readFileSync(path));
  if (!entry.isDirectory()) throw new ArtifactsError('E_CONFIG', `${path} is neither a file nor a folder`);
  const names = readdirSync(path).sort();
  return sha256(canonicalJson(names.map((name) => [name, digestOf(join(path, name))])));
}
