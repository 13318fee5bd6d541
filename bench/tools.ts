/** The programs the bench needs: installed when that is allowed, named when it is not. */
import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';
import { mustRun } from './run.ts';

/** Program and the Debian package that has it. */
const NEEDED: readonly (readonly [program: string, debianPackage: string])[] = [
  ['nginx', 'nginx-light'],
  ['aptly', 'aptly'],
  ['gpg', 'gnupg'],
  ['gpgv', 'gpgv'],
  ['curl', 'curl'],
  ['xz', 'xz-utils'],
  ['time', 'time'],
];

/** The same for rpm. */
export const RPM_TOOLS: typeof NEEDED = [
  ['createrepo_c', 'createrepo-c'],
  ['mergerepo_c', 'createrepo-c'],
  ['dnf', 'dnf'],
  ['nginx', 'nginx-light'],
  ['time', 'time'],
];

/** Makes sure that all programs are there. Throws an error that names those that are not. */
export async function requireTools(say: (text: string) => void, needed = NEEDED): Promise<void> {
  const missing = needed.filter(([program]) => !isInstalled(program));
  if (missing.length === 0) return;
  const packages = [...new Set(missing.map(([, debianPackage]) => debianPackage))];
  if (process.getuid?.() !== 0 || !isInstalled('apt-get')) {
    throw new Error(`the bench needs ${missing.map(([program]) => program).join(', ')}: apt-get install ${packages.join(' ')}`);
  }
  say(`installing ${packages.join(', ')}`);
  const environment = { DEBIAN_FRONTEND: 'noninteractive' };
  await mustRun('apt-get', ['update', '-q'], { environment });
  await mustRun('apt-get', ['install', '-yq', '--no-install-recommends', ...packages], { environment });
}

function isInstalled(program: string): boolean {
  const folders = [...(process.env['PATH'] ?? '').split(delimiter), '/usr/sbin', '/usr/bin'];
  return folders.some((folder) => {
    try {
      accessSync(join(folder, program), constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}
