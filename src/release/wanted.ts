/** Which packages somebody wants: lists with one package a line, and the lists in Ansible roles. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseAllDocuments } from 'yaml';
import { ArtifactsError } from '../core/errors.ts';

/** A package as apt takes it on a command line: `foo`, `foo=1.2*`, `foo:amd64`. */
export interface WantedPackage {
  readonly name: string;
  /** A glob, as apt has it. */
  readonly version?: string;
  readonly architecture?: string;
  /** Where it is wanted: `lists/base.txt:3`, `roles/nova/defaults/main.yml nova_distro_packages`. */
  readonly from: string;
}

export interface WantedList {
  readonly packages: readonly WantedPackage[];
  /** Entries that name no package as they stand, such as those with a template in them, with their places. */
  readonly unresolved: readonly string[];
}

/** Variables of roles that list Debian packages: `nova_distro_packages`, `apt_packages`. */
const LIST_NAME = /(?:^|_)(?:distro|apt|deb|debian)_packages$/;

/** Reads the lists and the folders of roles, in the order of their names. Throws E_CONFIG for what cannot be read. */
export function readWanted({ wanted, roles }: { readonly wanted: readonly string[]; readonly roles: readonly string[] }): WantedList {
  const found: Written[] = [
    ...wanted.flatMap(readLines),
    ...roles.flatMap((folder) => yamlFiles(folder).flatMap((file) => readRole(file))),
  ];
  const packages: WantedPackage[] = [];
  const unresolved: string[] = [];
  for (const { text, from } of found) {
    const parsed = parseWanted(text);
    if (parsed === undefined) unresolved.push(`${text} (${from})`);
    else packages.push({ ...parsed, from });
  }
  return { packages, unresolved };
}

interface Written {
  readonly text: string;
  readonly from: string;
}

/** Undefined for what is no name of a package. Debian Policy 5.6.1, with the upper case and `_` of third parties. */
export function parseWanted(text: string): Omit<WantedPackage, 'from'> | undefined {
  const match = /^([A-Za-z0-9][A-Za-z0-9+._-]*)(?::([a-z0-9-]+))?(?:=([^\s=]+))?$/.exec(text.trim());
  if (match?.[1] === undefined) return undefined;
  const [, name, architecture, version] = match;
  return { name, ...(version === undefined ? {} : { version }), ...(architecture === undefined ? {} : { architecture }) };
}

function readLines(file: string): Written[] {
  return readText(file)
    .split('\n')
    .map((line, index) => ({ text: line.replace(/#.*$/, '').trim(), from: `${file}:${index + 1}` }))
    .filter(({ text }) => text !== '');
}

function readText(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    throw new ArtifactsError('E_CONFIG', `completeness: cannot read ${file}: ${(error as Error).message}`, { cause: error });
  }
}

/** Links are not followed: a role that links to its parent must not be read for ever. */
function yamlFiles(folder: string): string[] {
  let entries;
  try {
    entries = readdirSync(folder, { recursive: true, withFileTypes: true });
  } catch (error) {
    throw new ArtifactsError('E_CONFIG', `completeness: cannot read ${folder}: ${(error as Error).message}`, { cause: error });
  }
  return entries
    .filter((entry) => entry.isFile() && /\.ya?ml$/.test(entry.name))
    .map((entry) => join(entry.parentPath, entry.name))
    .sort();
}

/** Files that are no YAML, as templates of it may be, hold no variables. */
function readRole(file: string): Written[] {
  return parseAllDocuments(readText(file), { logLevel: 'silent' }).flatMap((document) => {
    if (!('errors' in document) || document.errors.length > 0) return [];
    return lists(document.toJS({ maxAliasCount: 1000 }), file);
  });
}

function lists(value: unknown, file: string): Written[] {
  if (Array.isArray(value)) return value.flatMap((item: unknown) => lists(item, file));
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([key, item]: [string, unknown]) =>
    LIST_NAME.test(key) && Array.isArray(item) ? item.flatMap((entry: unknown) => named(entry, `${file} ${key}`)) : lists(item, file),
  );
}

/** An entry is a text, or a mapping that says further things of a package. */
function named(entry: unknown, from: string): Written[] {
  if (typeof entry === 'string') return [{ text: entry, from }];
  if (typeof entry !== 'object' || entry === null || !('name' in entry) || typeof entry.name !== 'string') return [];
  return [{ text: entry.name, from }];
}
