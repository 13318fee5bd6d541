/** Git repositories as the variables of Ansible roles name them: `nova_git_repo` with `nova_git_install_branch`. */
import { basename } from 'node:path';
import { roleVariables } from '../util/role-variables.ts';

export interface DiscoveredRepository {
  /** `<prefix>_git_package_name`, or the last part of the URL. */
  readonly name: string;
  readonly repo: string;
  readonly version: string;
  /** Where it is named: `roles/nova/defaults/main.yml`. */
  readonly from: string;
}

/** A value, and a file that sets it. */
interface Setting {
  readonly value: string;
  readonly file: string;
}

const REPO = /^(.+)_git_repo$/;
/** A template that is but the name of a variable. */
const REFERENCE = /\{\{\s*([A-Za-z_]\w*)\s*\}\}/g;

/**
 * Every combination of a repository and a version that the folders' files give a name to; templates are filled in where the
 * files give their variable one value. Throws E_CONFIG for folders that cannot be read.
 */
export function discoverGit(folders: readonly string[]): DiscoveredRepository[] {
  const settings = new Map<string, Setting[]>();
  for (const folder of folders) {
    for (const { name, value, file } of roleVariables(folder, 'git_roles')) {
      if (typeof value !== 'string') continue;
      const known = settings.get(name) ?? [];
      settings.set(name, known);
      if (!known.some((setting) => setting.value === value)) known.push({ value, file });
    }
  }
  const fill = (text: string): string =>
    text.replace(REFERENCE, (template, name: string) => {
      const values = settings.get(name) ?? [];
      return values.length === 1 && values[0] !== undefined ? values[0].value : template;
    });
  return [...settings].flatMap(([variable, repos]) => {
    const prefix = REPO.exec(variable)?.[1];
    const versions = prefix === undefined ? [] : (settings.get(`${prefix}_git_install_branch`) ?? []);
    const named = settings.get(`${prefix}_git_package_name`)?.[0];
    return repos.flatMap((repo) =>
      versions.map((version) => {
        const url = fill(repo.value);
        const from = [...new Set([repo.file, version.file])].join(' and ');
        return { name: named === undefined ? basename(url, '.git') : fill(named.value), repo: url, version: fill(version.value), from };
      }),
    );
  });
}
