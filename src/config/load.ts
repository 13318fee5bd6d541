/**
 * Reads vars/ and mappings/ into a Config. The steps: files -> YAML -> one set of variables -> templates -> schema ->
 * rules. Each reports all it finds; at the end everything wrong is thrown as one error. Nothing here looks at the
 * machine: its sources and architecture are resolved when they are needed.
 */
import { access } from 'node:fs/promises';
import { resolve } from 'node:path';
import { buildConfig } from './build-config.ts';
import { refuse } from './check.ts';
import type { CheckContext } from './check.ts';
import type { Config, Mirror } from './config.ts';
import { parseEnvironment } from './environment.ts';
import type { Environment, EnvironmentSettings } from './environment.ts';
import { groupBy } from './group-by.ts';
import { PACKAGE_VARIABLES } from './mappings.ts';
import { parseSource } from './parse-source.ts';
import { configError, newFindings, sortProblems } from './problem.ts';
import type { Findings, Problem } from './problem.ts';
import { readSources } from './read-sources.ts';
import type { SourceFile } from './read-sources.ts';
import { applyRules } from './rules.ts';
import { IGNORED_VARIABLES, KNOWN_VARIABLES } from './schema.ts';
import { resolveTemplates, templateReferences } from './templates.ts';
import { unknownKey } from './values.ts';
import { isMapping, joinSources } from './variables.ts';
import type { Variables } from './variables.ts';

export interface LoadOptions {
  /** The folder that holds vars/ and mappings/. */
  readonly root: string;
  readonly environment: Environment;
  /** The files, when they were read before; otherwise they are read from the root. */
  readonly sources?: readonly SourceFile[];
}

/** The configuration. Throws one E_CONFIG for all problems (`details.problems`); warnings are in the result. */
export async function loadConfig(options: LoadOptions): Promise<Config> {
  const root = resolve(options.root);
  const findings = newFindings();
  const environment = parseEnvironment(options.environment, findings.problems);
  const variables = await loadVariables(options, findings.problems);
  const context: CheckContext = { variables, findings, refused: new Set() };
  const value = templateResolver(context, environment);
  const config = buildConfig({ root, environment, value }, context);
  applyRules(config, context, writtenNames(value));
  refuseUnknownVariables(context);
  if (findings.problems.length > 0) throw configError(findings.problems);
  const warnings = [...findings.warnings, ...(await missingKeyrings(config.mirrors))];
  return { ...config, warnings: sortProblems(warnings) };
}

/** The files as one set of variables. */
export async function loadVariables(options: LoadOptions, problems: Problem[]): Promise<Variables> {
  const sources = options.sources ?? (await readSources(options.root));
  const parsed = sources.map((source) => parseSource(source, problems)).filter((source) => source !== undefined);
  return joinSources(parsed, problems);
}

/** Values by the name of their variable, templates resolved, each once. */
export function templateResolver(
  context: CheckContext,
  environment: EnvironmentSettings,
): (name: string) => unknown {
  const { variables } = context;
  const resolved = new Map<string, unknown>();
  const lookup = (name: string): unknown => {
    if (name === 'rpc_release') return environment.release ?? plainText(variables.get(name));
    if (name === 'rpc_series') return plainText(variables.get(name)) ?? plainText(lookup('rpc_release'))?.split('.')[0];
    // RPC-O gives this one on the command line of its playbook, and leaves it out of its file.
    if (name === 'aptly_mirror_do_updates') return variables.get(name) ?? true;
    return variables.get(name) ?? undefined;
  };
  const options = {
    lookup,
    names: variables.names,
    refuse: (path: readonly (string | number)[], message: string) => refuse(context, path, message),
  };
  return (name) => {
    if (!resolved.has(name)) {
      const value = resolveTemplates(variables.get(name), [name], options);
      // `aptly_repos:` with everything below it commented out is as good as no aptly_repos.
      resolved.set(name, value === null || value === '' ? undefined : value);
    }
    return resolved.get(name);
  };
}

function plainText(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' && !value.includes('{{') ? value : undefined;
}

/** Names of all mirrors and repositories, whether or not the rest of the entry is right. */
function writtenNames(value: (name: string) => unknown): ReadonlySet<string> {
  const names = Object.values(PACKAGE_VARIABLES).flatMap(({ mirrors, repos }) => [mirrors, repos]).flatMap((list) => {
    const entries = value(list);
    return Array.isArray(entries) ? entries.map((entry: unknown) => (isMapping(entry) ? entry['name'] : undefined)) : [];
  });
  return new Set(names.filter((name) => typeof name === 'string'));
}

/** A variable of one's own is fine when a template uses it; any other unknown one is a slip of the pen. */
function refuseUnknownVariables(context: CheckContext): void {
  const { variables } = context;
  const used = new Set<string>();
  for (const name of variables.names) templateReferences(variables.get(name), used);
  for (const name of variables.names) {
    if (KNOWN_VARIABLES.includes(name) || IGNORED_VARIABLES.includes(name) || used.has(name)) continue;
    refuse(context, [name], unknownKey(name, KNOWN_VARIABLES), 'key');
  }
}

/** Keyrings are wanted at the next update, not before: until then a missing one is a warning. */
async function missingKeyrings(mirrors: readonly Mirror[]): Promise<Findings['warnings']> {
  const users = groupBy(
    mirrors.filter((mirror) => mirror.present).flatMap((mirror) => mirror.keyrings.map((file) => ({ file, mirror }))),
    ({ file }) => file,
  );
  const warnings: Problem[] = [];
  for (const [file, [first, ...others]] of users) {
    if (first === undefined || (await exists(file))) continue;
    const more = others.length > 0 ? ` (and ${others.length} more)` : '';
    const message = `the keyring ${file} of mirror ${first.mirror.name}${more} does not exist`;
    warnings.push({ ...first.mirror.place, message });
  }
  return warnings;
}

async function exists(path: string): Promise<boolean> {
  try {
    await access(path);
    return true;
  } catch {
    return false;
  }
}
