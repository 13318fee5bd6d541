import type { LocalFormat } from '../format.ts';
import { readChanges } from './changes.ts';
import { packageSuffix, readDeb, scanDeb } from './deb.ts';
import { readDsc } from './dsc.ts';

/** What `dpkg-buildpackage` leaves behind: packages, source packages and the .changes that lists both. */
export const localFiles: LocalFormat = {
  kindOf: (fileName) => {
    if (packageSuffix(fileName) !== undefined) return 'package';
    if (fileName.endsWith('.dsc')) return 'source';
    return fileName.endsWith('.changes') ? 'upload' : undefined;
  },
  scan: scanDeb,
  readPackage: readDeb,
  readSource: readDsc,
  readUpload: readChanges,
};
