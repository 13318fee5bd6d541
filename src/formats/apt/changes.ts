/** Uploads (deb-changes(5)): the .changes file lists what was built, with sizes and digests. */
import type { QuerySubject } from '../../core/relation.ts';
import type { LocalText, Upload } from '../format.ts';
import { checkedValue, singleParagraph, versionOf } from './control-file.ts';
import { PACKAGE_NAME } from './names.ts';
import { readChecksums } from './sources.ts';
import { malformed } from './stanza-stream.ts';

/** Reads a .changes file. Its files are only trusted by their SHA256. */
export function readChanges({ fileName, text }: LocalText): Upload {
  const paragraph = singleParagraph(text, fileName);
  // deb-changes(5): "source (version)" when the version of the binary packages is another one.
  const written = paragraph.value('Source') ?? '';
  const source = /^([^\s(]+)\s*\(.*\)$/.exec(written)?.[1] ?? written;
  if (!PACKAGE_NAME.test(source)) throw malformed(fileName, `the Source ${JSON.stringify(source.slice(0, 100))} is not allowed`);
  const version = versionOf(paragraph, fileName);
  const architecture = checkedValue(paragraph, { field: 'Architecture', pattern: /^[a-z0-9 \n-]+$/ }, fileName);
  const files = readChecksums(paragraph.value('Checksums-Sha256'), () => fileName);
  if (files.length === 0) throw malformed(fileName, 'no files are listed');
  const names = new Set<string>();
  for (const { name } of files) {
    if (names.has(name)) throw malformed(fileName, `the file ${name} is listed twice`);
    names.add(name);
  }
  const subject: QuerySubject = {
    name: source,
    version,
    architecture,
    isForAll: architecture === 'all',
    type: 'changes',
    source: { name: source, version },
    field: paragraph.value,
    capabilities: [{ name: source, version }],
    requirements: () => [],
    multiArch: 'no',
  };
  return { files, subject };
}
