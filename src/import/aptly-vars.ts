/** What aptly mirrors, written down as variables: the definitions it keeps in its database. */
import { stringify } from 'yaml';
import { ArtifactsError } from '../core/errors.ts';

/** A mirror as `aptly mirror show -json` prints it. */
export interface AptlyMirror {
  readonly name: string;
  readonly url: string;
  readonly distribution: string;
  readonly components: readonly string[];
  readonly architectures: readonly string[];
  readonly filter: string;
  readonly filterWithDeps: boolean;
  readonly sources: boolean;
  readonly udebs: boolean;
  readonly installer: boolean;
}

export interface AptlyRepo {
  readonly name: string;
  readonly comment: string;
}

/** Reads what aptly printed. Throws E_FORMAT. */
export function readMirror(text: string): AptlyMirror {
  const found = readObject(text);
  return {
    name: textOf(found, 'Name'),
    url: textOf(found, 'ArchiveRoot'),
    distribution: textOf(found, 'Distribution'),
    components: listOf(found, 'Components'),
    architectures: listOf(found, 'Architectures'),
    filter: textOf(found, 'Filter'),
    filterWithDeps: found['FilterWithDeps'] === true,
    sources: found['DownloadSources'] === true,
    udebs: found['DownloadUdebs'] === true,
    installer: found['DownloadInstaller'] === true,
  };
}

/** Reads what aptly printed. Throws E_FORMAT. */
export function readRepo(text: string): AptlyRepo {
  const found = readObject(text);
  return { name: textOf(found, 'Name'), comment: textOf(found, 'Comment') };
}

const HEAD = `# Written by \`artifacts import aptly --vars\` from what aptly knows. aptly does not say by which keys a mirror is verified:
# name them under gpg before the first update, by full fingerprint, as docs/configuration.md says.
`;

/** The text of a file for vars/. */
export function variablesText(mirrors: readonly AptlyMirror[], repos: readonly AptlyRepo[]): string {
  const variables = {
    aptly_mirrors: mirrors.map(entryOf),
    ...(repos.length === 0 ? {} : { aptly_repos: repos.map(({ name, comment }) => ({ name: nameOf(name), ...(comment === '' ? {} : { comment }) })) }),
  };
  return `${HEAD}${stringify(variables, { lineWidth: 0 })}`;
}

/** Flat repositories have no components. */
function entryOf({ name, url, distribution, components, architectures, ...rest }: AptlyMirror): Record<string, unknown> {
  return {
    name: nameOf(name),
    archive_url: url,
    distribution,
    ...(components.length === 0 ? {} : { components }),
    ...(architectures.length === 0 ? {} : { architectures }),
    ...(rest.filter === '' ? {} : { filter: rest.filter }),
    ...(rest.filterWithDeps ? { filter_with_deps: true } : {}),
    ...(rest.sources ? { with_sources: true } : {}),
    ...(rest.udebs ? { with_udebs: true } : {}),
    ...(rest.installer ? { with_installer: true } : {}),
    gpg: { key: [] },
  };
}

/** aptly allows more in names than vars/ does. */
function nameOf(name: string): string {
  return name.replaceAll(/[^A-Za-z0-9.+_~-]|\.(?=\.)/g, '-').replace(/^[^A-Za-z0-9]+/, '');
}

function readObject(text: string): Readonly<Record<string, unknown>> {
  try {
    const found: unknown = JSON.parse(text);
    if (typeof found === 'object' && found !== null) return found as Record<string, unknown>;
  } catch {
    // Told below.
  }
  throw new ArtifactsError('E_FORMAT', 'aptly printed something else than the JSON it was asked for', { hint: 'aptly 1.5 and later can.' });
}

function textOf(found: Readonly<Record<string, unknown>>, key: string): string {
  const value = found[key];
  return typeof value === 'string' ? value : '';
}

function listOf(found: Readonly<Record<string, unknown>>, key: string): readonly string[] {
  const value = found[key];
  return Array.isArray(value) ? value.filter((item) => typeof item === 'string' && item !== 'source') : [];
}
