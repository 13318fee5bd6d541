import type { z } from 'zod';
import { parseAddress } from '../artifacts/git/address.ts';
import { check, refuse } from './check.ts';
import type { CheckContext } from './check.ts';
import type { GitSettings } from './config.ts';
import { ALL, gitSchemas } from './git-schema.ts';
import { suggestion } from './nearest.ts';
import { formatPath } from './problem.ts';
import { fromRoot } from './values.ts';

const GIB = 2 ** 30;
const MINUTE = 60_000;

interface GitOptions {
  readonly root: string;
  /** The value of a variable; undefined when it is not set. */
  value(name: string): unknown;
}

/** The variables about git. Whatever is wrong is reported and left out. */
export function buildGit(options: GitOptions, context: CheckContext): GitSettings {
  const read = <K extends keyof typeof gitSchemas>(name: K): z.output<(typeof gitSchemas)[K]> | undefined => {
    const value = options.value(name);
    if (value === undefined) return undefined;
    return check(gitSchemas[name], value, { path: [name], context }) as z.output<(typeof gitSchemas)[K]> | undefined;
  };
  const repositories = buildRepositories(read('git_repos') ?? [], options.root, context);
  const roles = (read('git_roles') ?? []).map((folder) => fromRoot(options.root, folder));
  const mapping = new Map(Object.entries(read('git_mapping') ?? {}));
  const limits = read('git_limits');
  // What roles name is looked up when a release needs it.
  if (roles.length === 0) refuseUnknown(mapping, repositories.map(({ name }) => name), context);
  return { repositories, roles, mapping, limits: { bytes: limits?.size ?? 2 * GIB, milliseconds: limits?.time ?? 30 * MINUTE } };
}

function buildRepositories(written: z.output<typeof gitSchemas.git_repos>, root: string, context: CheckContext): GitSettings['repositories'] {
  const seen = new Set<string>();
  return written.flatMap(({ name, repo, version, allow_moved_tag: allowMovedTag }, index) => {
    const path = ['git_repos', index];
    const parsed = parseAddress(repo, root);
    if ('problem' in parsed) refuse(context, [...path, 'repo'], `${formatPath([...path, 'repo'])}: ${parsed.problem}`);
    // Archives are files, and some file systems do not tell the two apart.
    if (seen.has(name.toLowerCase())) refuse(context, [...path, 'name'], `${formatPath([...path, 'name'])}: the name ${name} is taken`);
    seen.add(name.toLowerCase());
    if ('problem' in parsed) return [];
    return [{ name, address: parsed.address, version, allowMovedTag: allowMovedTag ?? false, place: context.variables.locate(path) }];
  });
}

function refuseUnknown(mapping: GitSettings['mapping'], names: readonly string[], context: CheckContext): void {
  for (const [series, wanted] of mapping) {
    for (const [index, name] of wanted.entries()) {
      if (name === ALL || names.includes(name)) continue;
      const path = ['git_mapping', series, index];
      refuse(context, path, `${formatPath(path)}: no repository is called "${name}"${suggestion(name, names)}`);
    }
  }
}
