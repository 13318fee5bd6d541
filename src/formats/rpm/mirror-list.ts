/** Lists of mirrors: mirrorlist (one URL a line) and metalink, which also vouches for repomd.xml (MirrorManager). */
import { parseSha256, type Sha256 } from '../../core/digest.ts';
import type { MirrorList } from '../format.ts';
import { malformed } from './malformed.ts';
import { child, childrenOf, parseXml, type XmlElement } from './xml.ts';

/** Throws E_FORMAT, and for a list without any mirror too. */
export function readMirrorList(text: Buffer): MirrorList {
  const list = /^\s*</.test(text.subarray(0, 1000).toString('latin1')) ? readMetalink(text) : { urls: readLines(text), roots: [] };
  if (list.urls.length === 0) throw malformed('the list of mirrors', 'it names no mirror');
  return list;
}

function readLines(text: Buffer): string[] {
  return text
    .toString('utf8')
    .split(/\r?\n/)
    .map((line) => line.trim())
    .filter((line) => /^https?:\/\//i.test(line));
}

const ROOT = 'repodata/repomd.xml';

function readMetalink(text: Buffer): MirrorList {
  const place = 'metalink';
  const files = childrenOf(child(parseXml(text, place), 'files'), 'file');
  const file = files.find(({ attributes }) => attributes['name'] === 'repomd.xml');
  if (file === undefined) throw malformed(place, 'it says nothing of repomd.xml');
  const alternates = childrenOf(child(file, 'mm0:alternates'), 'mm0:alternate');
  const roots = [file, ...alternates].flatMap(digestsOf);
  if (roots.length === 0) throw malformed(place, 'it has no SHA-256 of repomd.xml');
  const urls = childrenOf(child(file, 'resources'), 'url')
    .map(({ attributes, text: url }) => ({ url: url.trim(), preference: Number(attributes['preference'] ?? 0) || 0 }))
    .filter(({ url }) => /^https?:\/\//i.test(url) && url.endsWith(ROOT))
    .sort((a, b) => b.preference - a.preference)
    .map(({ url }) => url.slice(0, -ROOT.length));
  return { urls, roots };
}

function digestsOf(element: XmlElement): Sha256[] {
  const hashes = childrenOf(child(element, 'verification'), 'hash').filter(({ attributes }) => attributes['type'] === 'sha256');
  return hashes.flatMap(({ text }) => parseSha256(text.trim()) ?? []);
}
