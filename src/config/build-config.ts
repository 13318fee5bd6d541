import type { z } from 'zod';
import type { MergePolicy } from '../core/snapshot.ts';
import type { RetentionRule } from '../retention/policy.ts';
import { readMergeFlags, readRepoFlag } from './aptly-flags.ts';
import { buildBaseRepositories } from './base-repositories.ts';
import { buildContainerImage, containerMappingSchema } from './build-container.ts';
import { buildGit } from './build-git.ts';
import { buildMirror, unique } from './build-mirror.ts';
import { buildRpmMirror } from './build-rpm-mirror.ts';
import { buildPythonSet, pythonMappingSchema } from './build-python.ts';
import { buildConsumers, buildTargets } from './build-targets.ts';
import { check, refuse, warn } from './check.ts';
import type { CheckContext } from './check.ts';
import { NATIVE, SYSTEM } from './config.ts';
import type { CompletenessSettings, Config, Independent, Mapping, PackageFormat, Release, Repo, Signing, SigningKey } from './config.ts';
import type { EnvironmentSettings } from './environment.ts';
import { PACKAGE_VARIABLES } from './mappings.ts';
import { formatPath } from './problem.ts';
import type { Path } from './problem.ts';
import { IGNORED_VARIABLES, independentSchema, mikoSchema, releaseSchema, repoSchema, single } from './schema.ts';
import type { WrittenRetentionRule, WrittenSigningKey } from './schema.ts';
import { fromRoot, nameProblem } from './values.ts';
import { isMapping } from './variables.ts';

const DAY = 86_400_000;

export interface BuildOptions {
  readonly root: string;
  /** The value of a variable with its templates resolved; undefined when it is not set, or empty. */
  value(name: string): unknown;
  readonly environment: EnvironmentSettings;
}

/** The configuration with its defaults. Whatever is wrong is reported and left out; rules across variables follow later. */
export function buildConfig(options: BuildOptions, context: CheckContext): Config {
  const { root, environment } = options;
  const read = <K extends keyof typeof single>(name: K): z.output<(typeof single)[K]> | undefined =>
    readSingle(name, options.value(name), context);
  const architectures = unique(read('aptly_architectures') ?? [NATIVE]);
  const downloads = read('downloads');
  return {
    root,
    architectures,
    mirrors: [
      ...buildList(PACKAGE_VARIABLES.apt.mirrors, options, context, (value, path) => buildMirror(value, { path, context, defaults: { root, architectures } })),
      ...buildList(PACKAGE_VARIABLES.rpm.mirrors, options, context, (value, path) => buildRpmMirror(value, { path, context, root })),
    ],
    repos: (['apt', 'rpm'] as const).flatMap((format) =>
      buildList(PACKAGE_VARIABLES[format].repos, options, context, (value, path) => buildRepo(value, path, { format, context })),
    ),
    releases: buildReleases(options, context),
    ...buildMappings('apt', options, context),
    rpm: {
      ...buildMappings('rpm', options, context),
      mergePolicy: read('rpm_merge_policy') ?? 'no-remove',
      clients: new Map(Object.entries(read('rpm_client_profiles') ?? {})),
    },
    distributions: new Map(Object.entries(read('distributions') ?? {})),
    baseRepositories: buildBaseRepositories(entriesOf(options.value('base_repositories'), ['base_repositories'], context), root, context),
    containers: {
      images: buildList('container_images', options, context, (value, path) => buildContainerImage(value, path, { root, context })),
      mapping: buildMapping('container_mapping', options, context, (value, path) => check(containerMappingSchema, value, { path, context })),
    },
    python: {
      sets: buildList('python_sets', options, context, (value, path) => buildPythonSet(value, path, { root, context })),
      mapping: buildMapping('python_mapping', options, context, (value, path) => check(pythonMappingSchema, value, { path, context })),
    },
    mergePolicy: buildPolicy(options, context),
    dontSnapshot: read('aptly_dont_snapshot_list') ?? [],
    followSuggests: read('aptly_dependency_follow_suggests') ?? false,
    signing: buildSigning(read('signing'), options, context),
    publish: buildPublish(read('publish')),
    downloads: { parallel: downloads?.parallel ?? 16, proxy: downloads?.proxy },
    retention: (read('retention') ?? []).map(buildRetention),
    targets: buildTargets(read('targets') ?? [], { root, environment, context }),
    consumers: buildConsumers(read('consumers'), root),
    completeness: buildCompleteness(read('completeness'), root),
    git: buildGit(options, context),
    environment,
    warnings: [],
    ignored: context.variables.names
      .filter((name) => IGNORED_VARIABLES.includes(name))
      .map((name) => ({ name, ...context.variables.locate([name], 'key') })),
  };
}

function buildMappings(format: PackageFormat, options: BuildOptions, context: CheckContext): Pick<Config, 'miko' | 'independent'> {
  const { miko, independent } = PACKAGE_VARIABLES[format];
  return {
    miko: buildMapping(miko, options, context, (value, path) => check(mikoSchema, value, { path, context })),
    independent: buildMapping(independent, options, context, (value, path) => buildIndependent(value, path, context)),
  };
}

function buildPublish(written: z.output<typeof single.publish> | undefined): Config['publish'] {
  return {
    origin: written?.origin ?? 'artifacts',
    label: written?.label ?? 'artifacts',
    keepGenerations: written?.keep_generations ?? 3,
    keepFor: written?.keep_for ?? DAY,
    validFor: written?.valid_for,
    signedBy: written?.signed_by ?? false,
    contents: written?.contents ?? false,
  };
}

function readSingle<K extends keyof typeof single>(
  name: K,
  value: unknown,
  context: CheckContext,
): z.output<(typeof single)[K]> | undefined {
  if (value === undefined) return undefined;
  return check(single[name], value, { path: [name], context }) as z.output<(typeof single)[K]> | undefined;
}

function buildList<T>(
  name: string,
  options: BuildOptions,
  context: CheckContext,
  build: (value: unknown, path: Path) => T | undefined,
): readonly T[] {
  const value = options.value(name);
  if (value === undefined) return [];
  if (!Array.isArray(value)) {
    refuse(context, [name], `${name}: expected a list`);
    return [];
  }
  return value.map((item, index) => build(item, [name, index])).filter((item) => item !== undefined);
}

function buildMapping<T>(
  name: string,
  options: BuildOptions,
  context: CheckContext,
  build: (value: unknown, path: Path) => readonly T[] | undefined,
): Mapping<T> {
  const series = entriesOf(options.value(name), [name], context).map(([key, value]) => {
    const codenames = entriesOf(value, [name, key], context).map(([codename, list]) => {
      // A list that is wrong stays as an empty one, so that nobody is told the codename is missing.
      return [codename, build(list, [name, key, codename]) ?? []] as const;
    });
    return [key, new Map(codenames)] as const;
  });
  return new Map(series);
}

/** The entries of a mapping whose keys are names. */
function entriesOf(value: unknown, path: Path, context: CheckContext): readonly (readonly [string, unknown])[] {
  if (value === undefined) return [];
  if (!isMapping(value)) {
    refuse(context, path, `${formatPath(path)}: expected a mapping (\`key: value\`)`);
    return [];
  }
  return Object.entries(value).filter(([key]) => {
    const problem = nameProblem(key);
    if (problem !== undefined) refuse(context, [...path, key], `${formatPath(path)}: the key ${problem}`, 'key');
    return problem === undefined;
  });
}

function buildRepo(
  value: unknown,
  path: Path,
  { format, context }: { readonly format: PackageFormat; readonly context: CheckContext },
): Repo | undefined {
  const written = check(repoSchema, value, { path, context });
  if (written === undefined) return undefined;
  let { comment } = written;
  for (const [index, text] of (written.create_flags ?? []).entries()) {
    const at = [...path, 'create_flags', index];
    const result = readRepoFlag(text);
    if ('problem' in result) refuse(context, at, `${formatPath(at)}: ${result.problem}`);
    else if ('ignored' in result.value) warn(context, at, `${text} has no effect: ${result.value.ignored}`);
    else comment ??= result.value.value;
  }
  return { name: written.name, format, comment, present: written.state === 'present', place: context.variables.locate(path) };
}

function buildReleases(options: BuildOptions, context: CheckContext): readonly Release[] {
  return entriesOf(options.value('releases'), ['releases'], context).flatMap(([name, value]) => {
    const path = ['releases', name];
    if (name === SYSTEM) refuse(context, path, `releases: ${SYSTEM} is no name for a release`, 'key');
    const written = check(releaseSchema, value, { path, context });
    if (written === undefined) return [];
    const series = written.series ?? name.replace(/\..*$/s, '');
    const codenames = unique(written.codenames);
    return [{ name, series, codenames, state: written.state, place: context.variables.locate(path, 'key') }];
  });
}

function buildIndependent(value: unknown, path: Path, context: CheckContext): readonly Independent[] | undefined {
  return check(independentSchema, value, { path, context })?.map(({ src, dest }) => ({ source: src, dest }));
}

function buildPolicy(options: BuildOptions, context: CheckContext): MergePolicy {
  const name = 'aptly_snapshot_merge_flags';
  const value = options.value(name);
  // Not said: what RPC-O says. Said to be empty: what aptly does without a flag.
  if (value === undefined) return context.variables.get(name) === '' ? 'replace' : 'no-remove';
  const result = readMergeFlags(value);
  if ('value' in result) return result.value;
  refuse(context, [name], `${name}: ${result.problem}`);
  return 'no-remove';
}

function buildSigning(
  written: z.output<typeof single.signing> | undefined,
  { root, environment }: BuildOptions,
  context: CheckContext,
): Signing {
  const keys = (written?.keys ?? []).map((key, index) => buildKey(key, ['signing', 'keys', index], { root, context }));
  const publicKey = environment.publicKey ?? fromRoot(root, written?.public_key);
  // The environment is nearer than a file: GPG_PRIVATE replaces what the files name.
  if (environment.privateKey !== undefined) {
    return { keys: [{ kind: 'file', file: environment.privateKey, passphraseFile: undefined }], publicKey };
  }
  return { keys: keys.filter((key) => key !== undefined), publicKey };
}

function buildKey(
  { file, passphrase_file: passphraseFile, agent, home }: WrittenSigningKey,
  path: Path,
  { root, context }: { readonly root: string; readonly context: CheckContext },
): SigningKey | undefined {
  const where = formatPath(path);
  if (file !== undefined && agent === undefined && home === undefined) {
    return { kind: 'file', file: fromRoot(root, file), passphraseFile: fromRoot(root, passphraseFile) };
  }
  if (agent !== undefined && file === undefined && passphraseFile === undefined) {
    return { kind: 'agent', fingerprint: agent, home: fromRoot(root, home) };
  }
  refuse(context, path, `${where}: write either file (and passphrase_file) or agent (and home)`);
  return undefined;
}

function buildRetention({ pattern, keep, older_than: olderThan }: WrittenRetentionRule): RetentionRule {
  return { pattern, ...(keep === undefined ? {} : { keep }), ...(olderThan === undefined ? {} : { olderThan }) };
}

function buildCompleteness(
  written: z.output<typeof single.completeness> | undefined,
  root: string,
): CompletenessSettings | undefined {
  if (written === undefined) return undefined;
  const absolute = (paths: readonly string[]): string[] => paths.map((one) => fromRoot(root, one));
  return { wanted: absolute(written.wanted), roles: absolute(written.roles), ignore: written.ignore, base: written.base };
}
