/** What people call rpm packages: dnf's package specs, of which the whole NEVRA is the most exact one. */
import type { PackageKey } from '../../core/package.ts';
import type { PackageForm, PackageNames } from '../../core/package-names.ts';
import { isKnownField } from './subject.ts';
import { splitVersion } from './version.ts';

export const rpmNames: PackageNames = {
  write: (key) => `${key.name}-${key.version}.${key.architecture}`,
  forms,
  part,
  isField: isKnownField,
};

/**
 * dnf(8), "Specifying packages": name-epoch:version-release.arch, name.arch, name, name-epoch:version-release and
 * name-epoch:version, in this order, and a glob may at last be one of the whole. An epoch that is not written may be any.
 * Names may hold hyphens and dots, so a word is cut where the last of them are.
 */
function forms(word: string): readonly PackageForm[] {
  if (/[(/=<>\s]/.test(word)) return [];
  const found: PackageForm[] = [];
  const add = (form: PackageForm | undefined, more: PackageForm = {}): void => {
    if (form !== undefined) found.push({ ...form, ...more });
  };
  const dot = word.lastIndexOf('.');
  const architecture = word.slice(dot + 1);
  if (dot !== -1 && /^[^-:]+$/.test(architecture)) {
    add(withRelease(word.slice(0, dot)), { architecture });
    add(nameForm(word.slice(0, dot)), { architecture });
  }
  add(nameForm(word));
  add(withRelease(word));
  add(withVersion(word));
  if (/[*?[]/.test(word)) add({ [word.includes(':') ? 'epochAndAll' : 'all']: word });
  return found;
}

function nameForm(name: string): PackageForm | undefined {
  return name === '' || name.includes(':') ? undefined : { name };
}

/** name-epoch:version */
function withVersion(text: string): PackageForm | undefined {
  const [left, right] = cutAtHyphen(text);
  const name = nameForm(left);
  const [, epoch, version] = /^(?:(\d+):)?([^:]+)$/.exec(right) ?? [];
  if (name === undefined || version === undefined) return undefined;
  return { ...name, version, ...(epoch === undefined ? {} : { epoch: plainNumber(epoch) }) };
}

/** name-epoch:version-release */
function withRelease(text: string): PackageForm | undefined {
  const [left, release] = cutAtHyphen(text);
  const form = withVersion(left);
  return form === undefined || release === '' || release.includes(':') ? undefined : { ...form, release };
}

/** Both empty where there is no hyphen. */
function cutAtHyphen(text: string): readonly [string, string] {
  const at = text.lastIndexOf('-');
  return at === -1 ? ['', ''] : [text.slice(0, at), text.slice(at + 1)];
}

function part(key: PackageKey, wanted: string): string {
  const { epoch, version, release } = splitVersion(key.version);
  switch (wanted) {
    case 'epoch':
      return plainNumber(epoch);
    case 'version':
      return version;
    case 'release':
      return release;
    case 'architecture':
      return key.architecture;
    case 'all':
      return `${key.name}-${version}-${release}.${key.architecture}`;
    case 'epochAndAll':
      return `${key.name}-${plainNumber(epoch)}:${version}-${release}.${key.architecture}`;
    default:
      return key.name;
  }
}

function plainNumber(digits: string): string {
  return digits.replace(/^0+(?=\d)/, '');
}
