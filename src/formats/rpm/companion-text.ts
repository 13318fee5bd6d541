/**
 * Packages of filelists and other, which are most of an upstream's metadata and are passed on as they are: what all common
 * tools write is known by its shape, in a quarter of the time that an XML parser takes to say that it is well-formed.
 */
import { isUtf8 } from 'node:buffer';
import { malformed } from './malformed.ts';
import { parsePackage } from './package-chunks.ts';

/** The pkgid of a package of either document. Throws E_FORMAT for what is no package, or has no pkgid or name. */
export function companionId(bytes: Buffer, kind: 'filelists' | 'other'): string {
  const known = isUtf8(bytes) ? shapedId(bytes.toString('latin1')) : undefined;
  if (known !== undefined) return known;
  const { pkgid, name } = parsePackage(bytes, kind).attributes;
  if (pkgid === undefined || name === undefined) throw malformed(kind, 'a package without pkgid and name');
  return pkgid;
}

const HEAD = /<package pkgid="([0-9a-f]+)" name="[^"<]*" arch="[^"<]*">[ \t\r\n]*<version epoch="[^"<]*" ver="[^"<]*" rel="[^"<]*"\/>[ \t\r\n]*/y;
const LINE = /<(?:file(?: type="[^"<]*")?>[^<]*<\/file|changelog author="[^"<]*" date="[^"<]*">[^<]*<\/changelog)>[ \t\r\n]*/y;
const END = '</package>';

/**
 * What no shape tells: characters that XML forbids (U+FFFE and U+FFFF as their bytes in UTF-8), references but the common
 * ones, and the end of a section without its beginning.
 */
// oxlint-disable-next-line no-control-regex
const DOUBTFUL = /[\u0000-\u0008\u000b\u000c\u000e-\u001f]|\u00ef\u00bf[\u00be\u00bf]|&(?!(?:amp|lt|gt|quot|apos);)|\]\]>/;

/** Undefined for a package of another shape: it may be one all the same. `text` has a character for each byte. */
function shapedId(text: string): string | undefined {
  HEAD.lastIndex = 0;
  const id = HEAD.exec(text)?.[1];
  if (id === undefined || DOUBTFUL.test(text)) return undefined;
  let at = HEAD.lastIndex;
  for (LINE.lastIndex = at; LINE.test(text); at = LINE.lastIndex);
  return text.startsWith(END, at) && at + END.length === text.length ? id : undefined;
}
