/** Variables as Ansible roles and playbooks keep them: mappings in YAML files, at any depth. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseAllDocuments } from 'yaml';
import { ArtifactsError } from '../core/errors.ts';

export interface RoleVariable {
  readonly name: string;
  /** Texts, lists and mappings. */
  readonly value: unknown;
  readonly file: string;
}

/**
 * Every variable of the folder's YAML files, in the order of the files' names; what a variable holds comes after it. Throws
 * E_CONFIG, beginning with `setting`, for what cannot be read.
 */
export function* roleVariables(folder: string, setting: string): Generator<RoleVariable> {
  for (const file of yamlFiles(folder, setting)) {
    // Files that are no YAML, as templates of it may be, hold no variables.
    // Plain words stay as they are written: a version is no number, though 1.10 and 12e34 look like one.
    for (const document of parseAllDocuments(readConfigured(file, setting), { logLevel: 'silent', schema: 'failsafe' })) {
      if (!('errors' in document) || document.errors.length > 0) continue;
      yield* variablesIn(document.toJS({ maxAliasCount: 1000 }), file);
    }
  }
}

/** The text of a file that a setting names. Throws E_CONFIG. */
export function readConfigured(file: string, setting: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    throw new ArtifactsError('E_CONFIG', `${setting}: cannot read ${file}: ${(error as Error).message}`, { cause: error });
  }
}

/** Links are not followed: a role that links to its parent must not be read for ever. */
function yamlFiles(folder: string, setting: string): string[] {
  let entries;
  try {
    entries = readdirSync(folder, { recursive: true, withFileTypes: true });
  } catch (error) {
    throw new ArtifactsError('E_CONFIG', `${setting}: cannot read ${folder}: ${(error as Error).message}`, { cause: error });
  }
  return entries
    .filter((entry) => entry.isFile() && /\.ya?ml$/.test(entry.name))
    .map((entry) => join(entry.parentPath, entry.name))
    .sort();
}

function* variablesIn(value: unknown, file: string): Generator<RoleVariable> {
  if (Array.isArray(value)) {
    for (const item of value as readonly unknown[]) yield* variablesIn(item, file);
  } else if (typeof value === 'object' && value !== null) {
    for (const [name, item] of Object.entries(value) as [string, unknown][]) {
      yield { name, value: item, file };
      yield* variablesIn(item, file);
    }
  }
}
