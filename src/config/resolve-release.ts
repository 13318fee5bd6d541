/** A release of the configuration, tied to this machine: its codenames and, for each, what is merged and published apart. */
import { ArtifactsError } from '../core/errors.ts';
import type { MergePolicy } from '../core/snapshot.ts';
import { SYSTEM } from './config.ts';
import type { Config, Independent, Mapping, PackageFormat, Release, ReleaseState } from './config.ts';
import { resolveArchitectures } from './describe-mirror.ts';
import { localMachine } from './machine.ts';
import type { Machine } from './machine.ts';
import { mappingsOf, noCodename, ofCodename } from './mappings.ts';
import { suggestion } from './nearest.ts';
import { formatPlace } from './problem.ts';
import { fillRelease } from './templates.ts';

export interface ResolvedRelease {
  readonly name: string;
  readonly series: string;
  readonly state: ReleaseState;
  readonly codenames: readonly ResolvedCodename[];
  /** What the indexes are published for, even when empty. */
  readonly architectures: readonly string[];
  /** Every source of every codename, each once, in the order of its first use. */
  readonly sources: readonly ReleaseSource[];
}

export interface ResolvedCodename {
  readonly codename: string;
  readonly format: PackageFormat;
  readonly mergePolicy: MergePolicy;
  /** The kind of clients it is for; undefined: any. */
  readonly clients?: string;
  /** In the order of the merge. */
  readonly merged: readonly string[];
  readonly independent: readonly Independent[];
}

export interface ReleaseSource {
  readonly kind: 'mirror' | 'repo';
  readonly name: string;
  readonly format: PackageFormat;
}

/** The release of that name. E_NOT_FOUND with the nearest name. */
export function findRelease(config: Config, name: string): Release {
  const release = config.releases.find((candidate) => candidate.name === name);
  if (release !== undefined) return release;
  const near = suggestion(name, config.releases.map((candidate) => candidate.name));
  throw new ArtifactsError('E_NOT_FOUND', `No release is called "${name}"${near}`, {
    hint: 'Releases are declared as `releases` in vars/.',
  });
}

/** Fills in `system` codenames and the release's name in sources, and leaves out what is not frozen. E_CONFIG when a codename is not mapped. */
export async function resolveRelease(
  config: Config,
  release: Release,
  machine: Machine = localMachine,
): Promise<ResolvedRelease> {
  const names = await Promise.all(
    release.codenames.map((name) => (name === SYSTEM ? machine.codename() : Promise.resolve(name))),
  );
  const own = needsCodename(config, release) ? await machine.codename() : undefined;
  const codenames = [...new Set(names)].map((codename) => resolveCodename({ config, release, codename, own }));
  return {
    name: release.name,
    series: release.series,
    state: release.state,
    codenames,
    architectures: await resolveArchitectures(config.architectures, machine),
    sources: allSources(config, release, codenames),
  };
}

/** Only a mapping for `system` makes the machine's codename matter: others resolve on any machine. */
function needsCodename(config: Config, { series }: Release): boolean {
  return mappingsOf(config).some(({ miko, independent }) => miko.get(series)?.has(SYSTEM) === true || independent.get(series)?.has(SYSTEM) === true);
}

interface Resolving {
  readonly config: Config;
  readonly release: Release;
  readonly codename: string;
  /** The machine's codename. */
  readonly own: string | undefined;
}

function resolveCodename(resolving: Resolving): ResolvedCodename {
  const { config, release, codename } = resolving;
  const mappings = mappingsOf(config).find(({ miko }) => mapped(miko, resolving) !== undefined);
  const merged = mappings === undefined ? undefined : mapped(mappings.miko, resolving);
  if (mappings === undefined || merged === undefined) {
    throw new ArtifactsError(
      'E_CONFIG',
      `${formatPlace(release.place)}: release ${release.name}: ${noCodename(config, release.series, codename)}`,
      { hint: 'Add the codename to the mapping, or build on a machine of one that is mapped.' },
    );
  }
  const clients = mappings.clients.get(codename);
  const independent: readonly Independent[] = mapped(mappings.independent, resolving) ?? [];
  const frozen = (source: string): boolean => !config.dontSnapshot.includes(source);
  return {
    codename,
    format: mappings.format,
    mergePolicy: mappings.mergePolicy,
    ...(clients === undefined ? {} : { clients }),
    merged: [...new Set(merged)].filter(frozen).map((source) => fillRelease(source, release)),
    independent: independent
      .filter(({ source }) => frozen(source))
      .map(({ source, dest }) => ({ source: fillRelease(source, release), dest })),
  };
}

function mapped<T>(mapping: Mapping<T>, { release, codename, own }: Resolving): readonly T[] | undefined {
  return ofCodename(mapping.get(release.series), codename, own);
}

function allSources(
  config: Config,
  release: Release,
  codenames: readonly ResolvedCodename[],
): readonly ReleaseSource[] {
  const repos = new Set(config.repos.map((repo) => fillRelease(repo.name, release)));
  const formats = new Map(codenames.flatMap(({ format, merged, independent }) => [...merged, ...independent.map(({ source }) => source)].map((name) => [name, format])));
  return Array.from(formats, ([name, format]) => ({ kind: repos.has(name) ? 'repo' : 'mirror', name, format }));
}
