/** Where releases are pushed to, and what those who use them know: from what is written to what the program works with. */
import { readFileSync } from 'node:fs';
import { isAbsolute } from 'node:path';
import type { z } from 'zod';
import type { TargetDefinition } from '../targets/target.ts';
import { refuse } from './check.ts';
import type { CheckContext } from './check.ts';
import type { ConsumerSettings } from './config.ts';
import type { EnvironmentSettings } from './environment.ts';
import type { single, WrittenTarget } from './schema.ts';
import { fromRoot } from './values.ts';

/** Where RPC-O's hosts served from. */
const REPO_PATH = '/var/www/repo';
/** The name of the target that the environment describes. */
const REPO_TARGET = 'repo';

interface TargetContext {
  readonly root: string;
  readonly environment: EnvironmentSettings;
  readonly context: CheckContext;
}

/** The environment's target comes first: it is nearer than the files. */
export function buildTargets(written: readonly WrittenTarget[], where: TargetContext): readonly TargetDefinition[] {
  const named = new Set<string>();
  const fromFiles = written.flatMap((target, index) => {
    if (named.has(target.name)) refuse(where.context, ['targets', index, 'name'], `targets: the name ${target.name} is taken`);
    named.add(target.name);
    return buildTarget(target, index, where) ?? [];
  });
  const fromEnvironment = environmentTarget(where);
  if (fromEnvironment === undefined) return fromFiles;
  return [fromEnvironment, ...fromFiles.filter(({ name }) => name !== REPO_TARGET)];
}

export function buildConsumers(written: z.output<typeof single.consumers> | undefined, root: string): ConsumerSettings {
  return {
    baseUrl: written?.base_url?.replace(/\/+$/, ''),
    keys: written?.keys ?? [],
    keyring: fromRoot(root, written?.keyring),
  };
}

function buildTarget(written: WrittenTarget, index: number, { root, context }: TargetContext): TargetDefinition | undefined {
  const { name, type, path, host, port, user, key, host_key: hostKey, owner } = written;
  const at = (field: string): (string | number)[] => ['targets', index, field];
  if (type === 'local') {
    const others = { host, port, user, key, host_key: hostKey, owner };
    for (const [field, value] of Object.entries(others)) {
      if (value !== undefined) refuse(context, at(field), `targets[${index}]: ${field} belongs to type rsync`, 'key');
    }
    return { kind: 'local', name, path: fromRoot(root, path) };
  }
  if (!isAbsolute(path)) refuse(context, at('path'), `targets[${index}].path: must be absolute on the host`);
  if (host === undefined) refuse(context, ['targets', index], `targets[${index}]: host is missing`);
  if (hostKey === undefined) refuse(context, ['targets', index], `targets[${index}]: host_key is missing; pin the public key of the host`);
  if (host === undefined || hostKey === undefined) return undefined;
  return { kind: 'rsync', name, host, port, user, key: fromRoot(root, key), hostKeys: hostKey.join('\n'), path, owner };
}

/** REPO_HOST and what belongs to it. Incomplete credentials of a run that pushes nothing do no harm: the host key stays empty, and opening the target tells. */
function environmentTarget({ environment }: TargetContext): TargetDefinition | undefined {
  const { repoHost, repoUser, repoUserKey, repoHostKey, repoPath } = environment;
  if (repoHost === undefined) return undefined;
  const [, host = repoHost, port] = /^(.*?)(?::(\d+))?$/.exec(repoHost) ?? [];
  return {
    kind: 'rsync',
    name: REPO_TARGET,
    host,
    port: port === undefined ? undefined : Number(port),
    user: repoUser,
    key: repoUserKey,
    hostKeys: repoHostKey === undefined ? '' : readIfThere(repoHostKey),
    path: repoPath ?? REPO_PATH,
    owner: undefined,
  };
}

function readIfThere(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return ''; // told when somebody wants to push
  }
}
