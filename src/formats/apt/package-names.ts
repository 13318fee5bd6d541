/** What people call packages of apt: by name, or as aptly writes one exactly. */
import type { PackageForm, PackageNames } from '../../core/package-names.ts';

export const aptNames: PackageNames = {
  write: ({ name, version, architecture }) => `${name}_${version}_${architecture}`,
  forms: (word) => [exactForm(word) ?? { name: word }],
  part: (key, part) => (part === 'version' ? key.version : part === 'architecture' ? key.architecture : key.name),
  // Anything may be one (Debian Policy 5.7), and no package begins with a capital letter (5.6.1).
  isField: () => true,
};

function exactForm(word: string): PackageForm | undefined {
  const [, name, version, architecture] = /^([^_]+)_([^_]+)_([^_]+)$/.exec(word) ?? [];
  return name === undefined || version === undefined || architecture === undefined ? undefined : { name, version, architecture };
}
