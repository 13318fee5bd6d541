/** repomd.xml: the list of a repository's metadata (createrepo_c's reading and writing of it). */
import { parseSha256, standIn, type OtherDigest } from '../../core/digest.ts';
import { ArtifactsError } from '../../core/errors.ts';
import { pathProblem } from '../../util/safe-path.ts';
import type { ListedDigest } from '../format.ts';
import { malformed } from './malformed.ts';
import { escapeAttribute, escapeText } from './text.ts';
import { child, childrenOf, childText, parseXml, type XmlElement } from './xml.ts';

/** One `<data>`. */
export interface RepomdRecord extends ListedDigest {
  readonly type: string;
  /** Below the repository's URL. */
  readonly href: string;
  /** The URL it counts from instead. */
  readonly base?: string | undefined;
  /** Of the unpacked bytes; absent for what is not packed, and where nobody tells. */
  readonly open?: ListedDigest;
  /** Seconds since 1970. */
  readonly timestamp?: number;
}

export interface Repomd {
  readonly revision: string;
  readonly records: readonly RepomdRecord[];
}

const NAMESPACE = 'http://linux.duke.edu/metadata/repo';

/** Reads verified bytes. Throws E_FORMAT, E_WEAK_HASH or E_PATH. */
export function readRepomd(bytes: Buffer, trust: DigestTrust = {}): Repomd {
  const root = parseXml(bytes, 'repomd.xml');
  if (root.name !== 'repomd') throw malformed('repomd.xml', `the document is a <${root.name.slice(0, 40)}>`);
  const records = childrenOf(root, 'data').map((data) => readRecord(data, trust));
  return { revision: childText(root, 'revision') ?? '', records: withoutRepetitions(records) };
}

/** A record that is there twice is one. Of two that differ, which one clients read is chance: throws E_FORMAT. */
function withoutRepetitions(records: readonly RepomdRecord[]): RepomdRecord[] {
  const byType = new Map<string, RepomdRecord>();
  for (const record of records) {
    const before = byType.get(record.type);
    if (before === undefined) byType.set(record.type, record);
    else if (before.sha256 !== record.sha256 || before.href !== record.href || before.base !== record.base) throw malformed('repomd.xml', `two different records of the type ${JSON.stringify(record.type)}`);
  }
  return [...byType.values()];
}

function readRecord(data: XmlElement, trust: DigestTrust): RepomdRecord {
  const type = data.attributes['type'] ?? '';
  const place = `repomd.xml, ${JSON.stringify(type.slice(0, 60))}`;
  if (!/^[A-Za-z0-9][A-Za-z0-9_+.-]*$/.test(type)) throw malformed(place, 'this is no type of metadata');
  const location = child(data, 'location');
  const open = child(data, 'open-checksum');
  const timestamp = Number.parseInt(childText(data, 'timestamp') ?? '', 10);
  return {
    type,
    href: asPath(hrefOf(location, place)),
    base: locationBase(location, place),
    ...readChecksum(child(data, 'checksum'), { ...trust, place }),
    ...readSize(data, 'size', place),
    ...(open === undefined ? {} : { open: { ...readChecksum(open, { ...trust, place }), ...readSize(data, 'open-size', place) } }),
    ...(Number.isSafeInteger(timestamp) && timestamp >= 0 ? { timestamp } : {}),
  };
}

/** Clients (librepo) take the location of metadata as a part of an URL, and that of a package as a name: `%2B` of metadata is `+`. */
function asPath(href: string): string {
  try {
    const parts = href.split('/').map(decodeURIComponent);
    const path = parts.join('/');
    return parts.some((part) => part.includes('/')) || pathProblem(path) !== undefined ? href : path;
  } catch {
    return href; // a percent sign that encodes nothing
  }
}

/** Paths below the repository, and nothing else: an address of its own would leave what was verified. */
export function hrefOf(location: XmlElement | undefined, place: string): string {
  const href = (location?.attributes['href'] ?? '').replace(/^(\.\/+)+/, '');
  const problem = /^[a-z][a-z0-9+.-]*:/i.test(href) ? 'is an address' : pathProblem(href);
  if (problem === undefined) return href;
  throw new ArtifactsError('E_PATH', `${place}: the location ${JSON.stringify(href.slice(0, 200))} ${problem}`);
}

/** Where the location counts from, when that is not the repository itself (XML Base). Whoever fetches decides on the host. */
export function locationBase(location: XmlElement | undefined, place: string): string | undefined {
  const written = location?.attributes['xml:base'];
  if (written === undefined) return undefined;
  const url = /^https?:\/\//i.test(written) && URL.canParse(written) ? new URL(written) : undefined;
  if (url !== undefined && url.username === '' && url.password === '' && url.search === '' && url.hash === '') return url.href;
  const shown = written.replace(/\/\/[^/]*@/, '//').slice(0, 200);
  throw new ArtifactsError('E_PATH', `${place}: it counts from ${JSON.stringify(shown)}, which is no plain http or https address`);
}

/** Whether SHA-1 will do. */
export interface DigestTrust {
  readonly weak?: boolean | undefined;
}

/** Digits of the digests that are taken; `sha` is what SHA-1 was called in metadata of 2008. */
const OTHERS: Readonly<Record<string, readonly [OtherDigest['algorithm'], number]>> = {
  sha512: ['sha512', 128],
  sha384: ['sha384', 96],
  sha1: ['sha1', 40],
  sha: ['sha1', 40],
};

/** Throws E_WEAK_HASH for SHA-1, unless it will do, and for all that is weaker or unknown. */
export function readChecksum(checksum: XmlElement | undefined, { weak = false, place }: DigestTrust & { readonly place: string }): Omit<ListedDigest, 'size'> {
  const type = checksum?.attributes['type'] ?? '';
  const text = checksum?.text.trim().toLowerCase() ?? '';
  const sha256 = type === 'sha256' ? parseSha256(text) : undefined;
  if (sha256 !== undefined) return { sha256 };
  const [algorithm, digits] = Object.hasOwn(OTHERS, type) ? (OTHERS[type] ?? []) : [];
  if (type !== 'sha256' && (algorithm === undefined || (algorithm === 'sha1' && !weak))) throw weakHash(type, place);
  if (algorithm === undefined || text.length !== digits || !/^[0-9a-f]+$/.test(text)) throw malformed(place, `the checksum is no ${type.toUpperCase()}`);
  const other: OtherDigest = { algorithm, hex: text };
  return { sha256: standIn(other), other };
}

function weakHash(type: string, place: string): ArtifactsError {
  const what = type === '' ? 'missing' : `of the type ${JSON.stringify(type.slice(0, 20))}`;
  const isSha1 = type === 'sha' || type === 'sha1';
  return new ArtifactsError('E_WEAK_HASH', `${place}: the checksum is ${what}, not sha256`, {
    hint: isSha1
      ? 'Ask the upstream for metadata with SHA-256; weak_checksums of the mirror takes SHA-1 all the same.'
      : 'SHA-256, SHA-384 and SHA-512 are taken: ask the upstream for metadata with one of them.',
  });
}

/** Old tools and some that serve repositories tell no sizes; clients (librepo) do not ask for them. */
function readSize(data: XmlElement, name: 'size' | 'open-size', place: string): Pick<ListedDigest, 'size'> {
  const text = childText(data, name);
  if (text === undefined) return {};
  if (/^\d{1,15}$/.test(text)) return { size: Number(text) };
  throw malformed(place, `the ${name} ${JSON.stringify(text.slice(0, 20))} is no number`);
}

/** The first records, in the order clients expect; all others by their types. */
const FIRST = ['primary', 'filelists', 'other'];

/** Writes a repomd.xml; records in createrepo_c's order. */
export function writeRepomd({ revision, records }: Repomd): Buffer {
  const rank = ({ type }: RepomdRecord): number => (FIRST.includes(type) ? FIRST.indexOf(type) : FIRST.length);
  const sorted = records.toSorted((a, b) => rank(a) - rank(b) || (a.type < b.type ? -1 : a.type > b.type ? 1 : a.href < b.href ? -1 : 1));
  return Buffer.from(
    [
      '<?xml version="1.0" encoding="UTF-8"?>',
      `<repomd xmlns="${NAMESPACE}" xmlns:rpm="http://linux.duke.edu/metadata/rpm">`,
      `  <revision>${escapeText(revision)}</revision>`,
      ...sorted.flatMap(recordLines),
      '</repomd>',
      '',
    ].join('\n'),
  );
}

function recordLines({ type, href, sha256, size, open, timestamp }: RepomdRecord): string[] {
  return [
    `  <data type="${escapeAttribute(type)}">`,
    `    <checksum type="sha256">${sha256}</checksum>`,
    ...(open === undefined ? [] : [`    <open-checksum type="sha256">${open.sha256}</open-checksum>`]),
    `    <location href="${escapeAttribute(href)}"/>`,
    ...(timestamp === undefined ? [] : [`    <timestamp>${timestamp}</timestamp>`]),
    ...(size === undefined ? [] : [`    <size>${size}</size>`]),
    ...(open?.size === undefined ? [] : [`    <open-size>${open.size}</open-size>`]),
    '  </data>',
  ];
}
