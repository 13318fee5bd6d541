/** Which packages somebody wants: lists with one package a line, and the lists in Ansible roles. */
import { readConfigured, roleVariables } from '../util/role-variables.ts';

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
    ...roles.flatMap(readRole),
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
  return readConfigured(file, 'completeness')
    .split('\n')
    .map((line, index) => ({ text: line.replace(/#.*$/, '').trim(), from: `${file}:${index + 1}` }))
    .filter(({ text }) => text !== '');
}

function readRole(folder: string): Written[] {
  return [...roleVariables(folder, 'completeness')].flatMap(({ name, value, file }) =>
    LIST_NAME.test(name) && Array.isArray(value) ? value.flatMap((entry: unknown) => named(entry, `${file} ${name}`)) : [],
  );
}

/** An entry is a text, or a mapping that says further things of a package. */
function named(entry: unknown, from: string): Written[] {
  if (typeof entry === 'string') return [{ text: entry, from }];
  if (typeof entry !== 'object' || entry === null || !('name' in entry) || typeof entry.name !== 'string') return [];
  return [{ text: entry.name, from }];
}
