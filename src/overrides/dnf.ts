/** Dnf: .repo files for each codename that is one of rpm, and each of its architectures. */
import { posix } from 'node:path';
import type { OverrideFile, OverrideInput } from './overrides.ts';

const FILE_NAME = 'rpco';
const KEY_FOLDER = '/etc/pki/rpm-gpg';
const ENDING = '/repodata/repomd.xml';
/** Source packages are a repository of their own, which nobody reads who did not ask for it. */
const SOURCE = 'source';

interface Repository {
  readonly codename: string;
  readonly architecture: string;
  /** Below the public folder. */
  readonly folder: string;
  /** Of an exact copy: the keys of its upstream. */
  readonly key: string | undefined;
}

/** A folder for each codename and architecture, and the key: fetched from where the packages are, it would prove nothing. */
export function dnfSettings(input: OverrideInput): OverrideFile[] {
  const repositories = repositoriesOf(input);
  if (repositories.length === 0) return [];
  const places = repositories.filter(({ architecture }) => architecture !== SOURCE).map(({ codename, architecture }) => `${codename}/${architecture}`);
  return [
    { path: `dnf/${FILE_NAME}.asc`, text: input.publicKey },
    ...repositories.flatMap(({ folder, key }) => (key === undefined ? [] : [{ path: `dnf/${nameOf(folder)}.asc`, text: key }])),
    ...[...new Set(places)].sort().map((place) => {
      const own = repositories.filter(({ codename, architecture }) => place === `${codename}/${architecture}` || (architecture === SOURCE && place.startsWith(`${codename}/`)));
      return { path: `dnf/${place}/${FILE_NAME}.repo`, text: own.map((repository) => section(repository, input)).join('\n') };
    }),
  ];
}

function repositoriesOf({ release, publications, paths }: OverrideInput): Repository[] {
  return publications
    .filter(({ prefix, distribution }) => prefix.startsWith('rpm-mirror/') && distribution.startsWith(`${release}-`))
    .flatMap(({ prefix, distribution, keys = {} }) => {
      const top = `${prefix}/${distribution}/`;
      const folders = paths.filter((path) => path.startsWith(top) && path.endsWith(ENDING)).map((path) => path.slice(0, -ENDING.length));
      return folders.map((folder) => ({ codename: distribution.slice(release.length + 1), architecture: posix.basename(folder), folder, key: keys[folder.slice(top.length)] }));
    });
}

function nameOf(folder: string): string {
  return `${FILE_NAME}-${folder.slice('rpm-mirror/'.length).replaceAll(/[^A-Za-z0-9.:_-]/g, '-')}`;
}

function section({ folder, architecture, key }: Repository, { release, mode, baseUrl }: OverrideInput): string {
  return [
    `[${nameOf(folder)}]`,
    `name=${release} ${folder}`,
    `baseurl=${baseUrl}/${folder}/`,
    `enabled=${architecture === SOURCE ? 0 : 1}`,
    'gpgcheck=0',
    'repo_gpgcheck=1',
    `gpgkey=file://${KEY_FOLDER}/${key === undefined ? FILE_NAME : nameOf(folder)}.asc`,
    // dnf.conf(5), "priority": the lower one wins, whatever the versions are.
    `priority=${mode === 'strict' ? 1 : 50}`,
    '',
  ].join('\n');
}
