/** Packages indexes (Debian RepositoryFormat, "Packages Indices"): plain bytes to records. */
import { posix } from 'node:path';
import type { PackageRecord } from '../../core/package.ts';
import type { UpstreamPackage } from '../format.ts';
import { checkLocation, fieldNames, matching, readFields, replaceValue, required, sha256Of } from './index-fields.ts';
import { ARCHITECTURE, PACKAGE_NAME, VERSION } from './names.ts';
import { packageFileName, poolPath } from '../pool-path.ts';
import { readStanzas, type PlacedStanza } from './stanza-stream.ts';

export interface PackagesOptions {
  /** What the index is called in messages. */
  readonly name: string;
  /** `binary` for Packages of programs, `debian-installer` for udebs. */
  readonly section: 'binary' | 'debian-installer';
}

/** Reads stanzas as their bytes arrive. Throws E_FORMAT, E_WEAK_HASH or E_PATH naming the index and the line. */
export async function* readPackages(
  chunks: AsyncIterable<Buffer>,
  options: PackagesOptions,
): AsyncGenerator<UpstreamPackage[]> {
  for await (const batch of readStanzas(chunks, options.name)) yield batch.map((stanza) => readPackage(stanza, options));
}

const WANTED = fieldNames(['Package', 'Version', 'Architecture', 'Filename', 'Size', 'SHA256']);

function readPackage(stanza: PlacedStanza, { section }: PackagesOptions): UpstreamPackage {
  const { bytes, place } = stanza;
  const values = readFields(stanza, WANTED);
  const name = matching(values.Package, { name: 'Package', pattern: PACKAGE_NAME }, place);
  const version = matching(values.Version, { name: 'Version', pattern: VERSION }, place);
  const architecture = matching(values.Architecture, { name: 'Architecture', pattern: ARCHITECTURE }, place);
  const size = Number(matching(values.Size, { name: 'Size', pattern: /^\d{1,15}$/ }, place));
  const filename = required(values.Filename, 'Filename', place);
  const location = checkLocation(filename.text, 'Filename', place);
  const sha256 = sha256Of(values.SHA256?.text, place);
  const file = { name: packageFileName(posix.basename(location), sha256, () => `${place()}: the Filename`), size, sha256 };
  const record: PackageRecord = {
    format: 'apt',
    partition: `${section}-${architecture}`,
    name,
    version,
    architecture,
    files: [file],
    text: replaceValue(bytes, filename, poolPath(file)),
  };
  return { record, locations: [location] };
}
