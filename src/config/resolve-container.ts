/** The container images of a release, tied to this machine. */
import type { ContainerSpec, ImageSpec } from '../artifacts/container/spec.ts';
import type { Publication } from '../artifacts/publication.ts';
import { ArtifactsError } from '../core/errors.ts';
import type { BaseRepositories } from '../sandbox/root.ts';
import type { ContainerImage } from './build-container.ts';
import { SYSTEM } from './config.ts';
import type { Config, Release } from './config.ts';
import { distributionOf, kernelArchitecture } from './distribution.ts';
import type { Machine } from './machine.ts';
import { ofCodename } from './mappings.ts';
import { suggestion } from './nearest.ts';

export interface ContainerSources {
  readonly machine: Machine;
  /** Of the release. */
  readonly codenames: readonly string[];
  /** The repositories below a release of that codename, nearest first. */
  base(codename: string): Promise<BaseRepositories>;
  /** The release's own publication for a codename. */
  publication(codename: string): Publication;
  /** Where deployers get the release from. */
  readonly consumerUrl: string | undefined;
}

/** No images where the series is not mapped. E_CONFIG. */
export async function resolveContainers(config: Config, release: Release, sources: ContainerSources): Promise<ContainerSpec> {
  const mapping = config.containers.mapping.get(release.series);
  if (mapping === undefined) return { release: release.name, images: [] };
  const own = mapping.has(SYSTEM) ? await sources.machine.codename() : undefined;
  const images = sources.codenames.map(async (codename) => {
    const names = ofCodename(mapping, codename, own) ?? [];
    return Promise.all([...new Set(names)].map((name) => imageOf(findImage(config, name), { config, codename }, sources)));
  });
  return { release: release.name, images: (await Promise.all(images)).flat() };
}

function findImage(config: Config, name: string): ContainerImage {
  const found = config.containers.images.find((image) => image.name === name);
  if (found !== undefined) return found;
  throw new ArtifactsError('E_CONFIG', `No entry of container_images is called "${name}"${suggestion(name, config.containers.images.map((image) => image.name))}`);
}

async function imageOf(image: ContainerImage, { config, codename }: { readonly config: Config; readonly codename: string }, sources: ContainerSources): Promise<ImageSpec> {
  const { machine } = sources;
  const architecture = await machine.architecture();
  const distribution = await distributionOf(config, codename, machine);
  const kernel = kernelArchitecture(architecture);
  return {
    role: image.name,
    os: distribution.replace(/-[^-]*$/, ''),
    codename,
    architecture,
    machine: kernel,
    publication: sources.publication(codename),
    base: await sources.base(codename),
    network: (await machine.settings()).proxy,
    packages: image.packages,
    venv: image.venv === undefined ? undefined : `venv ${image.venv} ${distribution}-${kernel}`,
    files: image.files,
    ansible: image.ansible,
    commands: image.commands,
    checks: image.checks,
    privileged: image.privileged,
    consumerUrl: sources.consumerUrl,
  };
}
