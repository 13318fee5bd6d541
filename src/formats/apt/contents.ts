/** Contents files (Debian RepositoryFormat, "Contents indices"): a path and the packages that install it, on a line. */
import type { PackageRecord } from '../../core/package.ts';
import type { FileListFormat, FileListPlan } from '../format.ts';

/** Lines hold bytes as Latin-1 characters: paths need not be UTF-8. */
export const contentsFormat: FileListFormat = {
  plan: planContents,
  archiver: ['dpkg-deb', '--fsys-tarfile'],
  qualifiedName,
  line: (path, packages) => `${path.padEnd(60)} ${packages.join(',')}`,
  readLine,
  packageName: (qualified) => qualified.slice(qualified.lastIndexOf('/') + 1),
};

function planContents(partitions: ReadonlySet<string>, architectures: readonly string[]): FileListPlan[] {
  const of = (section: string, prefix: string): FileListPlan[] => {
    if (![...partitions].some((partition) => partition.startsWith(`${section}-`))) return [];
    return architectures.map((architecture) => ({
      name: `${prefix}${architecture}`,
      partitions: [`${section}-${architecture}`, `${section}-all`],
    }));
  };
  return [...of('binary', 'Contents-'), ...of('debian-installer', 'Contents-udeb-')];
}

/** RepositoryFormat: `[[area/]section/]name`; a section that is not known is left out. */
function qualifiedName({ name, text }: Pick<PackageRecord, 'name' | 'text'>): string {
  const section = /^section:[ \t]*(\S+)/im.exec(text.toString('latin1'))?.[1];
  return section === undefined ? name : `${section}/${name}`;
}

/** Paths may hold blanks, lists of packages may not: the last run of blanks parts them. */
function readLine(line: string): { readonly path: string; readonly packages: readonly string[] } | undefined {
  const match = /^(.*\S)[ \t]+(\S+)$/.exec(line);
  if (match === null || /^FILE[ \t]+LOCATION$/.test(line)) return undefined;
  return { path: match[1] ?? '', packages: (match[2] ?? '').split(',') };
}
