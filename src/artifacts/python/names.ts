/** Names of projects, wheels and source archives, as the packaging standards write them. Pure. */
import { ArtifactsError } from '../../core/errors.ts';

/** Longer names are nobody's, and make paths that file systems refuse. */
const LONGEST_NAME = 100;

/** PEP 503: what two spellings of one name have in common. Throws E_FORMAT for what is no name (PEP 508). */
export function normalizeName(name: string): string {
  if (name.length > LONGEST_NAME || !/^[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?$/.test(name)) {
    throw new ArtifactsError('E_FORMAT', `${JSON.stringify(name.slice(0, 120))} is no name of a Python project`);
  }
  return name.replace(/[-_.]+/g, '-').toLowerCase();
}

/** A file of a project, told by its name. */
export interface Distribution {
  readonly kind: 'wheel' | 'sdist';
  /** Normalized. */
  readonly name: string;
  readonly version: string;
}

/** What a file name says; undefined for what is neither a wheel nor a source archive, or is named like something else. */
export function parseFileName(file: string, project: string): Distribution | undefined {
  const found = file.endsWith('.whl') ? parseWheelName(file) : parseSdistName(file, project);
  return found?.name === project ? found : undefined;
}

/** Binary distribution format, "File name convention": name-version(-build)-python-abi-platform.whl */
function parseWheelName(file: string): Distribution | undefined {
  const match = /^([A-Za-z0-9][A-Za-z0-9._]*)-([A-Za-z0-9_.!+]+)(?:-\d[^-]*)?-[A-Za-z0-9_.]+-[A-Za-z0-9_.]+-[A-Za-z0-9_.]+\.whl$/.exec(file);
  const [, name = '', version = ''] = match ?? [];
  return match === null ? undefined : { kind: 'wheel', name: name.replace(/[-_.]+/g, '-').toLowerCase(), version };
}

/** Older archives write the name with dashes, so only a known name tells where the version begins. */
function parseSdistName(file: string, project: string): Distribution | undefined {
  const stem = /^([A-Za-z0-9][A-Za-z0-9._+!-]*)\.(?:tar\.gz|tar\.bz2|tar\.xz|tgz|zip)$/.exec(file)?.[1];
  for (const [index, character] of [...(stem ?? '')].entries()) {
    if (character !== '-' || stem === undefined) continue;
    const name = stem.slice(0, index).replace(/[-_.]+/g, '-').toLowerCase();
    if (name === project) return { kind: 'sdist', name, version: stem.slice(index + 1) };
  }
  return undefined;
}

/**
 * Version specifiers, "Normalization", as far as file names need it: letter case, `-` and `_` beside `.`, a leading `v`,
 * zeros at the end. Equal texts are equal versions; a rare spelling that is not told equal costs a missed short cut.
 */
export function comparableVersion(version: string): string {
  const [plain = '', local] = version.toLowerCase().replace(/^v/, '').split('+', 2);
  const release = plain.replace(/[-_]/g, '.').replace(/^((?:\d+!)?\d+(?:\.\d+)*?)(?:\.0)+(?=$|[^.\d]|\.[a-z])/, '$1');
  return local === undefined ? release : `${release}+${local.replace(/[-_]/g, '.')}`;
}
