/** Source packages as files: the .dsc (dsc(5)) lists the others. */
import { createHash } from 'node:crypto';
import { sha256 } from '../../core/digest.ts';
import type { FileRef, PackageRecord } from '../../core/package.ts';
import type { LocalText } from '../format.ts';
import { checkedValue, singleParagraph, versionOf, type ControlParagraph } from './control-file.ts';
import { PACKAGE_NAME } from './names.ts';
import { SOURCE, sourceFolder } from './pool-path.ts';
import { readChecksums } from './sources.ts';
import { malformed } from './stanza-stream.ts';

/** Fields that the entry in Sources has otherwise: its own name, and lists of files that hold the .dsc as well. */
const REPLACED = new Set(['source', 'directory', 'files', 'checksums-sha1', 'checksums-sha256']);

/**
 * The entry of a source package in Sources (RepositoryFormat, "Sources Indices"): the fields of the .dsc in their order,
 * `Package` in place of `Source`, and the .dsc among the files. Files are only trusted by their SHA256.
 */
export function readDsc({ fileName, bytes, text }: LocalText): PackageRecord {
  const place = (): string => fileName;
  const paragraph = singleParagraph(text, fileName);
  const name = checkedValue(paragraph, { field: 'Source', pattern: PACKAGE_NAME }, fileName);
  const version = versionOf(paragraph, fileName);
  const parts = readChecksums(paragraph.value('Checksums-Sha256'), place);
  const dsc: FileRef = { name: fileName, size: bytes.length, sha256: sha256(bytes) };
  const files = [dsc, ...parts];
  checkFileNames(files, fileName);
  const md5 = `${createHash('md5').update(bytes).digest('hex')} ${bytes.length} ${fileName}`;
  return {
    format: 'apt',
    partition: SOURCE,
    name,
    version,
    architecture: SOURCE,
    files,
    text: Buffer.concat([
      Buffer.from(`Package: ${name}\n`),
      ...keptFields(paragraph),
      ...md5List(paragraph, md5),
      Buffer.from(`Checksums-Sha256:\n${files.map((file) => ` ${file.sha256} ${file.size} ${file.name}\n`).join('')}`),
      Buffer.from(`Directory: ${sourceFolder(dsc.sha256)}\n`),
    ]),
  };
}

/** What may stand in a list of files and in a URL. A part that is called .dsc would be taken for the one that vouches. */
function checkFileNames(files: readonly FileRef[], label: string): void {
  const seen = new Set<string>();
  for (const [index, { name }] of files.entries()) {
    const odd = !/^[A-Za-z0-9][A-Za-z0-9+.,_~:%@=-]*$/.test(name) || (index > 0 && name.endsWith('.dsc'));
    if (odd) throw malformed(label, `the file name ${JSON.stringify(name.slice(0, 100))} is not allowed`);
    if (seen.has(name)) throw malformed(label, `the file ${name} is listed twice`);
    seen.add(name);
  }
}

function keptFields({ bytes, fields }: ControlParagraph): Buffer[] {
  return fields
    .filter((field) => !REPLACED.has(field.name.toLowerCase()))
    .map(({ start, end }) => withNewline(bytes.subarray(start, end)));
}

/** The list of MD5 sums that old tools read: as it stands, with the .dsc in front. */
function md5List({ value }: ControlParagraph, own: string): Buffer[] {
  const listed = value('Files');
  if (listed === undefined) return [];
  const lines = [own, ...listed.split('\n').map((line) => line.trim())].filter((line) => line !== '');
  return [Buffer.from(`Files:\n${lines.map((line) => ` ${line}\n`).join('')}`)];
}

function withNewline(bytes: Buffer): Buffer {
  return bytes.at(-1) === 0x0a ? bytes : Buffer.concat([bytes, Buffer.from('\n')]);
}
