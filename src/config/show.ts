import { redact } from '../http/redact.ts';
import type { CheckContext } from './check.ts';
import type { Config } from './config.ts';
import { parseEnvironment } from './environment.ts';
import { loadConfig, loadVariables, templateResolver } from './load.ts';
import type { LoadOptions } from './load.ts';
import { formatPath, formatPlace, newFindings } from './problem.ts';
import type { Path } from './problem.ts';
import { readSources } from './read-sources.ts';
import { IGNORED_VARIABLES } from './schema.ts';

/** One value that counts, and where it comes from. */
export interface ShownValue {
  /** `aptly_mirrors[0].archive_url` */
  readonly name: string;
  /** Text, number or boolean, templates filled in; an empty list or mapping as such. Passwords in URLs are hidden. */
  readonly value: unknown;
  /** `vars/aptly.yml:3:5`, `default`, or `environment`. */
  readonly from: string;
}

/** Every value of a valid configuration, with its place: the files' values first, then defaults. Throws as loadConfig does. */
export async function configPlaces(options: LoadOptions): Promise<readonly ShownValue[]> {
  const sources = options.sources ?? (await readSources(options.root));
  const config = await loadConfig({ ...options, sources });
  const findings = newFindings();
  const variables = await loadVariables({ ...options, sources }, findings.problems);
  const context: CheckContext = { variables, findings, refused: new Set() };
  const resolve = templateResolver(context, parseEnvironment(options.environment, findings.problems));
  const written = variables.names
    .filter((name) => !IGNORED_VARIABLES.includes(name))
    .flatMap((name) =>
      leaves(resolve(name), [name]).map(({ path, value }) => ({
        name: formatPath(path),
        value: shown(value),
        from: formatPlace(variables.locate(path)),
      })),
    );
  const names = new Set(written.map(({ name }) => name));
  const defaults = defaultValues(config).filter(({ name }) => !names.has(name));
  return [...written, ...defaults, ...environmentValues(config)];
}

function defaultValues(config: Config): readonly ShownValue[] {
  const { publish, downloads } = config;
  const values: Readonly<Record<string, unknown>> = {
    'aptly_architectures[0]': config.architectures[0],
    aptly_snapshot_merge_flags: config.mergePolicy,
    rpm_merge_policy: config.rpm.mergePolicy,
    aptly_dependency_follow_suggests: config.followSuggests,
    'publish.origin': publish.origin,
    'publish.label': publish.label,
    'publish.keep_generations': publish.keepGenerations,
    'publish.keep_for': `${publish.keepFor / 1000}s`,
    'publish.signed_by': publish.signedBy,
    'publish.contents': publish.contents,
    'downloads.parallel': downloads.parallel,
  };
  return Object.entries(values).map(([name, value]) => ({ name, value, from: 'default' }));
}

function environmentValues(config: Config): readonly ShownValue[] {
  return Object.entries(config.environment)
    .filter(([, value]) => value !== undefined)
    .map(([name, value]) => ({ name: `environment.${name}`, value: shown(value), from: 'environment' }));
}

interface LeafValue {
  readonly path: Path;
  readonly value: unknown;
}

function leaves(value: unknown, path: Path): readonly LeafValue[] {
  if (Array.isArray(value)) {
    return value.length === 0 ? [{ path, value: [] }] : value.flatMap((item, index) => leaves(item, [...path, index]));
  }
  if (typeof value !== 'object' || value === null) return [{ path, value }];
  const entries = Object.entries(value);
  return entries.length === 0 ? [{ path, value: {} }] : entries.flatMap(([key, item]) => leaves(item, [...path, key]));
}

function shown(value: unknown): unknown {
  return typeof value === 'string' && /^https?:\/\//i.test(value) ? redact(value) : value;
}
