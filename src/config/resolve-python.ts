/** The Python of a release, tied to this machine: the sets of each codename as one. */
import { readFile } from 'node:fs/promises';
import type { Publication } from '../artifacts/publication.ts';
import type { PythonSpec } from '../artifacts/python/spec.ts';
import { parseRequirements } from '../artifacts/python/requirements.ts';
import { ArtifactsError } from '../core/errors.ts';
import type { BaseRepositories } from '../sandbox/root.ts';
import type { Lines, PythonIndex, PythonSet } from './build-python.ts';
import { SYSTEM } from './config.ts';
import type { Config, Release } from './config.ts';
import { distributionOf, kernelArchitecture } from './distribution.ts';
import type { Machine } from './machine.ts';
import { ofCodename } from './mappings.ts';
import { suggestion } from './nearest.ts';
import { pipIndex } from './pip-index.ts';
import { formatPlace } from './problem.ts';

export interface PythonSources {
  readonly machine: Machine;
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** Of the release. */
  readonly codenames: readonly string[];
  /** The repositories below a release of that codename, nearest first. */
  base(codename: string): Promise<BaseRepositories>;
  /** The release's own publication for a codename. */
  publication(codename: string): Publication;
}

/** One spec for each codename that has sets; none where the series is not mapped. E_CONFIG, E_NOT_FOUND for a file that is missing. */
export async function resolvePython(config: Config, release: Release, sources: PythonSources): Promise<readonly PythonSpec[]> {
  const mapping = config.python.mapping.get(release.series);
  if (mapping === undefined) return [];
  const own = mapping.has(SYSTEM) ? await sources.machine.codename() : undefined;
  const specs = sources.codenames.map(async (codename) => {
    const names = ofCodename(mapping, codename, own) ?? [];
    const sets = [...new Set(names)].map((name) => findSet(config, name));
    return sets.length === 0 ? [] : [await joinSets({ config, release, codename, sets }, sources)];
  });
  return (await Promise.all(specs)).flat();
}

function findSet(config: Config, name: string): PythonSet {
  const found = config.python.sets.find((set) => set.name === name);
  if (found !== undefined) return found;
  throw new ArtifactsError('E_CONFIG', `No entry of python_sets is called "${name}"${suggestion(name, config.python.sets.map((set) => set.name))}`);
}

interface Joining {
  readonly config: Config;
  readonly release: Release;
  readonly codename: string;
  readonly sets: readonly PythonSet[];
}

/** Wheels are built once for a distribution, so versions are chosen for all of its sets together. */
async function joinSets({ config, release, codename, sets }: Joining, sources: PythonSources): Promise<PythonSpec> {
  const { machine, environment } = sources;
  const architecture = await machine.architecture();
  const all = async (key: 'requirements' | 'overrides' | 'constraints'): Promise<readonly string[]> => {
    const lists = await Promise.all(sets.map((set) => readLines(set[key], `${set.name}: ${key}`)));
    return lists.flat();
  };
  const flat = <T>(pick: (set: PythonSet) => readonly T[]): readonly T[] => sets.flatMap(pick);
  return {
    release: release.name,
    series: release.series,
    codename,
    architecture,
    distro: `${await distributionOf(config, codename, machine)}-${kernelArchitecture(architecture)}`,
    publication: sources.publication(codename),
    base: await sources.base(codename),
    proxies: (await machine.settings()).proxy,
    buildPackages: [...new Set(flat((set) => set.buildPackages))].sort(),
    requirements: await all('requirements'),
    overrides: await all('overrides'),
    constraints: await all('constraints'),
    buildConstraints: flat((set) => set.buildConstraints),
    noBinary: [...new Set(flat((set) => set.noBinary))].sort(),
    isolation: sets.every((set) => set.isolation),
    git: uniqueBy(flat((set) => set.git), ({ name, subdirectory }) => `${name}/${subdirectory ?? ''}`),
    indexes: joinIndexes(flat((set) => set.indexes ?? [])),
    fallbackIndex: sets.some((set) => set.indexes === undefined) ? () => pipIndex(environment) : undefined,
    getPip: sets.find((set) => set.getPip !== undefined)?.getPip,
    services: services(sets, release),
  };
}

async function readLines({ lines, files }: Lines, where: string): Promise<readonly string[]> {
  const texts = await Promise.all(
    files.map(async (file) => {
      const text = await readFile(file, 'utf8').catch((error: unknown) => {
        throw new ArtifactsError('E_NOT_FOUND', `${where}: ${file} cannot be read`, { cause: error });
      });
      return parseRequirements(text, file).map((requirement) => requirement.text);
    }),
  );
  return [...parseRequirements(lines.join('\n'), where).map(({ text }) => text), ...texts.flat()];
}

function services(sets: readonly PythonSet[], release: Release): PythonSpec['services'] {
  const found = sets.flatMap((set) => set.services.map(({ name, requirements }) => ({ name, requirements, set })));
  for (const [index, { name, set }] of found.entries()) {
    const first = found.findIndex((other) => other.name === name);
    if (first === index) continue;
    throw new ArtifactsError('E_CONFIG', `${formatPlace(set.place)}: service ${name} stands in ${found[first]?.set.name} and in ${set.name}`);
  }
  return found.map(({ name, requirements, set }) => ({
    name,
    requirements: parseRequirements(requirements.join('\n'), `service ${name}`).map(({ text }) => text),
    prefix: `${set.prefix}/${name}-${release.name}`,
  }));
}

function joinIndexes(indexes: readonly PythonIndex[]): readonly PythonIndex[] {
  for (const [position, index] of indexes.entries()) {
    const other = indexes.slice(0, position).find(({ name }) => name === index.name);
    if (other === undefined || other.url === index.url) continue;
    throw new ArtifactsError('E_CONFIG', `Two package indexes are called "${index.name}"`, { hint: 'Give one of them another name.' });
  }
  return uniqueBy(indexes, ({ name, packages }) => `${name} ${packages.join(' ')}`);
}

function uniqueBy<T>(items: readonly T[], keyOf: (item: T) => string): readonly T[] {
  const keys = items.map(keyOf);
  return items.filter((_, index) => keys.indexOf(keys[index] ?? '') === index);
}
