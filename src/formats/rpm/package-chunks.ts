/** Splitting primary, filelists and other into their packages as the bytes arrive. */
import { isUtf8 } from 'node:buffer';
import { malformed } from './malformed.ts';
import { parseXml, type XmlElement } from './xml.ts';

/** A package longer than this is refused: those with the most files have some 20 MB. */
export const LONGEST_PACKAGE = 32 * 1024 * 1024;
/** What may stand before the first package. */
const LONGEST_HEAD = 64 * 1024;

export type IndexKind = 'primary' | 'filelists' | 'other';

/** The document elements. */
export const INDEX_ROOTS: Readonly<Record<IndexKind, { readonly name: string; readonly namespace: string }>> = {
  primary: { name: 'metadata', namespace: 'http://linux.duke.edu/metadata/common' },
  filelists: { name: 'filelists', namespace: 'http://linux.duke.edu/metadata/filelists' },
  other: { name: 'otherdata', namespace: 'http://linux.duke.edu/metadata/other' },
};

const OPEN = Buffer.from('<package');
const CLOSE = Buffer.from('</package>');

/** The bytes from `<package` to `</package>`, one after another. Throws E_FORMAT, also for another number than promised. */
export async function* packageChunks(chunks: AsyncIterable<Buffer>, kind: IndexKind): AsyncGenerator<Buffer> {
  let rest: Buffer = Buffer.alloc(0);
  let promised: number | undefined;
  let count = 0;
  for await (const chunk of chunks) {
    rest = rest.length === 0 ? chunk : Buffer.concat([rest, chunk]);
    if (promised === undefined) {
      const head = takeHead(rest, kind);
      if (head === undefined) continue;
      promised = head.promised;
      rest = rest.subarray(head.length);
    }
    for (;;) {
      const end = packageEnd(rest, kind);
      if (end === undefined) break;
      count += 1;
      yield rest.subarray(rest.indexOf(OPEN), end);
      rest = rest.subarray(end);
    }
    if (rest.length > LONGEST_PACKAGE) throw malformed(kind, 'a package without end');
  }
  checkEnd(rest, { kind, promised });
  if (promised !== undefined && promised !== count) throw malformed(kind, `${promised} packages are promised and ${count} there`);
}

/** The bytes before the first package; undefined while they are not all there. */
function takeHead(bytes: Buffer, kind: IndexKind): { readonly length: number; readonly promised: number } | undefined {
  const root = INDEX_ROOTS[kind];
  const at = bytes.indexOf(`<${root.name}`);
  const end = at === -1 ? -1 : bytes.indexOf('>', at);
  if (end === -1) {
    if (bytes.length > LONGEST_HEAD) throw malformed(kind, `there is no <${root.name}>`);
    return undefined;
  }
  const isEmpty = bytes[end - 1] === SLASH;
  const head = bytes.subarray(0, end + 1);
  const element = parseXml(isEmpty ? head : Buffer.concat([head, Buffer.from(`</${root.name}>`)]), kind);
  if (element.name !== root.name || element.attributes['xmlns'] !== root.namespace) throw malformed(kind, `the document is no <${root.name}> of ${root.namespace}`);
  const promised = element.attributes['packages'] ?? '';
  if (!/^\d{1,9}$/.test(promised)) throw malformed(kind, 'it does not say how many packages it has');
  return { length: end + 1, promised: Number(promised) };
}

const SLASH = 0x2f;

/** Behind the next package; undefined when it is not all there. */
function packageEnd(bytes: Buffer, kind: IndexKind): number | undefined {
  const start = bytes.indexOf(OPEN);
  if (start === -1) return undefined;
  if (!isBlank(bytes.subarray(0, start))) throw malformed(kind, 'something stands between two packages');
  const close = bytes.indexOf(CLOSE, start);
  return close === -1 ? undefined : close + CLOSE.length;
}

function checkEnd(rest: Buffer, { kind, promised }: { readonly kind: IndexKind; readonly promised: number | undefined }): void {
  if (promised === undefined) throw malformed(kind, `there is no <${INDEX_ROOTS[kind].name}>`);
  const text = rest.subarray(0, 200).toString('latin1').trim();
  const isOver = text === `</${INDEX_ROOTS[kind].name}>` || (text === '' && promised === 0);
  if (!isOver || rest.length > LONGEST_HEAD) throw malformed(kind, 'the document does not end where it should');
}

function isBlank(bytes: Buffer): boolean {
  return /^\s*$/.test(bytes.toString('latin1'));
}

/**
 * A package as a tree. What is published is these very bytes within a document of ours, so they must mean the same there:
 * no comments, sections or instructions, and no prefix but `rpm` and `xml`.
 */
export function parsePackage(bytes: Buffer, place: string): XmlElement {
  if (!isUtf8(bytes)) throw malformed(place, 'this is no UTF-8');
  if (bytes.includes('<!') || bytes.includes('<?')) throw malformed(place, 'a package holds more than elements and text');
  const element = parseXml(bytes, place);
  checkPrefixes(element, place);
  return element;
}

function checkPrefixes({ name, attributes, children }: XmlElement, place: string): void {
  for (const word of [name, ...Object.keys(attributes)]) {
    if (!/^(?:(?:rpm|xml):)?[A-Za-z_][\w.-]*$/.test(word) || word === 'xmlns') throw malformed(place, `the name ${JSON.stringify(word.slice(0, 40))} is not of this format`);
  }
  for (const one of children) checkPrefixes(one, place);
}
