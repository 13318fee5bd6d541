/** Our own Release files read back as a client reads them: to check what is served against what it promises. */
import { posix } from 'node:path';
import { packingOf, unpackedName } from '../../util/packing.ts';
import type { IndexOffer, ServedForm, ServedRoot, UpstreamIndex } from '../format.ts';
import { isBundle } from './installer.ts';
import { readDate, readFields } from './release.ts';
import { readListing, type Listing } from './release-listing.ts';

/** Throws E_FORMAT, E_PATH or E_WEAK_HASH. */
export function readServed(root: Buffer): ServedRoot {
  const fields = readFields(root.toString('utf8'));
  const files = readListing(fields.get('sha256'));
  const validUntil = fields.get('valid-until');
  const forms = formsOf(files);
  return {
    date: readDate(fields.get('date'), 'Date'),
    ...(validUntil === undefined ? {} : { validUntil: readDate(validUntil, 'Valid-Until') }),
    files,
    forms,
    bundles: [...files.keys()].filter(isBundle),
    indexes: [...forms].flatMap(([name, list]) => indexOf(name, list, files) ?? []),
  };
}

function formsOf(files: Listing): Map<string, readonly ServedForm[]> {
  const forms = new Map<string, ServedForm[]>();
  for (const path of files.keys()) {
    const name = unpackedName(path);
    forms.set(name, [...(forms.get(name) ?? []), { path, packing: packingOf(path) }]);
  }
  return forms;
}

function indexOf(name: string, forms: readonly ServedForm[], files: Listing): UpstreamIndex | undefined {
  const kind = kindOf(name);
  const plain = files.get(name);
  if (kind === undefined || plain === undefined) return undefined;
  const offers = forms.flatMap(({ path, packing }): IndexOffer[] => {
    const listed = files.get(path);
    return listed === undefined ? [] : [{ ...listed, paths: [path], compression: packing }];
  });
  return { name, kind, offers, plain };
}

function kindOf(name: string): string | undefined {
  switch (posix.basename(name)) {
    case 'Packages':
      return name.includes('/debian-installer/') ? 'udebs' : 'packages';
    case 'Sources':
      return 'sources';
    default:
      return undefined;
  }
}
