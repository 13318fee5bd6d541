/** Sources indexes (Debian RepositoryFormat, "Sources Indices"): a record has all files of a source package. */
import type { FileRef, PackageRecord } from '../../core/package.ts';
import type { UpstreamPackage } from '../format.ts';
import { checkLocation, fieldNames, matching, readFields, replaceValue, required, sha256Of } from './index-fields.ts';
import { PACKAGE_NAME, VERSION } from './names.ts';
import { SOURCE, sourceFolder } from './pool-path.ts';
import { malformed, readStanzas, type PlacedStanza } from './stanza-stream.ts';

/** Reads stanzas as their bytes arrive. Throws E_FORMAT, E_WEAK_HASH or E_PATH naming the index and the line. */
export async function* readSources(chunks: AsyncIterable<Buffer>, name: string): AsyncGenerator<UpstreamPackage[]> {
  for await (const batch of readStanzas(chunks, name)) yield batch.map(readSource);
}

const WANTED = fieldNames(['Package', 'Version', 'Directory', 'Checksums-Sha256']);

function readSource(stanza: PlacedStanza): UpstreamPackage {
  const { bytes, place } = stanza;
  const values = readFields(stanza, WANTED);
  const name = matching(values.Package, { name: 'Package', pattern: PACKAGE_NAME }, place);
  const version = matching(values.Version, { name: 'Version', pattern: VERSION }, place);
  const directory = required(values.Directory, 'Directory', place);
  const files = readChecksums(values['Checksums-Sha256']?.text, place);
  const dsc = files.find((file) => file.name.endsWith('.dsc'));
  if (dsc === undefined) throw malformed(place(), 'no .dsc among the files');
  const record: PackageRecord = {
    format: 'apt',
    partition: SOURCE,
    name,
    version,
    architecture: SOURCE,
    files,
    text: replaceValue(bytes, directory, sourceFolder(dsc.sha256)),
  };
  const folder = directory.text === '.' || directory.text === './' ? '' : `${checkLocation(directory.text, 'Directory', place)}/`;
  return { record, locations: files.map((file) => `${folder}${file.name}`) };
}

/** Lines of digest, size and name. A name with a slash would lead out of the folder. */
export function readChecksums(text: string | undefined, place: () => string): FileRef[] {
  if (text === undefined) sha256Of(undefined, place);
  const files: FileRef[] = [];
  for (const line of (text ?? '').split('\n')) {
    if (line.trim() === '') continue;
    const [digest = '', size = '', name = '', ...more] = line.trim().split(/\s+/, 4);
    if (!/^\d{1,15}$/.test(size) || name === '' || more.length > 0) {
      throw malformed(place(), `${JSON.stringify(line.trim().slice(0, 100))} in Checksums-Sha256 is no digest, size and name`);
    }
    if (name.includes('/')) throw malformed(place(), `the file name ${JSON.stringify(name.slice(0, 100))} has a slash`);
    files.push({ name: checkLocation(name, 'file name', place), size: Number(size), sha256: sha256Of(digest, place) });
  }
  return files;
}
