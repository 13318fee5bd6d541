/** Packages of an upstream: primary joined with filelists and other, which may be missing or in another order. */
import type { OtherDigest, Sha256 } from '../../core/digest.ts';
import type { FileRef, PackageRecord } from '../../core/package.ts';
import { ownText } from '../../util/own-text.ts';
import type { UpstreamPackage } from '../format.ts';
import { companionId } from './companion-text.ts';
import { malformed } from './malformed.ts';
import { artifactKey, readArtifacts } from './module-artifacts.ts';
import { packageChunks, parsePackage } from './package-chunks.ts';
import { checkKey } from './package-key.ts';
import { packageFileName, poolPath } from '../pool-path.ts';
import { joinTexts } from './record-text.ts';
import { hrefOf, locationBase, readChecksum, type DigestTrust } from './repomd.ts';
import { escapeAttribute, escapeText } from './text.ts';
import { joinVersion } from './version.ts';
import { child, childrenOf, childText, type XmlElement } from './xml.ts';

/** The plain bytes of the three; undefined for what the upstream does not have. */
export interface IndexStreams {
  readonly primary: AsyncIterable<Buffer>;
  readonly filelists: AsyncIterable<Buffer> | undefined;
  readonly other: AsyncIterable<Buffer> | undefined;
  /** Packages that modules are made of are told apart; undefined: none are. */
  readonly modules?: AsyncIterable<Buffer> | undefined;
}

const BATCH = 64;

/** Where the packages lie that primary names, those it names twice as often. Throws like `readPackages`. */
export async function* readPlaces(primary: AsyncIterable<Buffer>, trust: DigestTrust): AsyncGenerator<Pick<Primary, 'href' | 'base' | 'place'> & Pick<FileRef, 'sha256'>> {
  for await (const chunk of packageChunks(primary, 'primary')) {
    const { href, base, place, file } = readPrimary(chunk, trust);
    yield { href, base, place, sha256: file.sha256 };
  }
}

/** Reads packages as the bytes arrive. Throws E_FORMAT, E_WEAK_HASH or E_PATH, naming the package. */
export async function* readPackages({ primary, filelists, other, modules }: IndexStreams, wishes: PackageWishes): AsyncGenerator<UpstreamPackage[]> {
  const files = openCompanion(filelists, 'filelists');
  const changes = openCompanion(other, 'other');
  try {
    const artifacts = modules === undefined ? undefined : await readArtifacts(modules);
    yield* join(primary, { files, changes, artifacts, ...wishes });
  } finally {
    await files.close();
    await changes.close();
  }
}

/** Which packages are wanted, and what will do as their digest. */
export interface PackageWishes extends DigestTrust {
  wants(partition: string): boolean;
}

interface Companions extends PackageWishes {
  readonly files: Companion;
  readonly changes: Companion;
  readonly artifacts: ReadonlySet<string> | undefined;
}

async function* join(primary: AsyncIterable<Buffer>, { files, changes, artifacts, wants, weak }: Companions): AsyncGenerator<UpstreamPackage[]> {
  const seen = new Set<Sha256>();
  let batch: UpstreamPackage[] = [];
  for await (const chunk of packageChunks(primary, 'primary')) {
    const read = readPrimary(chunk, { weak });
    if (seen.has(read.file.sha256)) continue; // the same package twice
    seen.add(ownText(read.file.sha256) as Sha256);
    if (!wants(partitionOf(read.arch))) continue;
    const texts = {
      primary: localised(chunk, read),
      filelists: (await files.take(read.pkgid)) ?? emptyPackage(read, primaryFiles(read.element)),
      other: (await changes.take(read.pkgid)) ?? emptyPackage(read, ''),
    };
    const found = offered(read, joinTexts(texts, read.other));
    batch.push(artifacts?.has(artifactKey(found.record)) === true ? { ...found, bound: true } : found);
    if (batch.length < BATCH) continue;
    yield batch;
    batch = [];
  }
  if (batch.length > 0) yield batch;
  await files.drain();
  await changes.drain();
}

interface Primary {
  readonly element: XmlElement;
  readonly name: string;
  readonly arch: string;
  readonly version: string;
  readonly file: FileRef;
  readonly href: string;
  readonly base: string | undefined;
  readonly place: string;
  /** The digest as upstream's documents call the package by. */
  readonly pkgid: string;
  readonly other: OtherDigest | undefined;
}

function offered(read: Primary, text: Buffer): UpstreamPackage {
  const { href, base, other } = read;
  return {
    record: recordOf(read, text),
    locations: [href],
    ...(base === undefined ? {} : { base }),
    ...(other === undefined ? {} : { checks: { other } }),
  };
}

function readPrimary(chunk: Buffer, trust: DigestTrust): Primary {
  const element = parsePackage(chunk, 'primary');
  const name = childText(element, 'name') ?? '';
  const arch = childText(element, 'arch') ?? '';
  const written = child(element, 'version')?.attributes ?? {};
  const place = `primary, ${JSON.stringify(`${name}.${arch}`.slice(0, 100))}`;
  const { epoch = '0', ver = '', rel = '' } = written;
  if (element.attributes['type'] !== 'rpm') throw malformed(place, 'this is no rpm package');
  checkKey({ name, arch, epoch, version: ver, release: rel }, place);
  const location = child(element, 'location');
  const href = hrefOf(location, place);
  const { sha256, other } = readChecksum(child(element, 'checksum'), { ...trust, place });
  const fileName = packageFileName(href.slice(href.lastIndexOf('/') + 1), sha256, () => `${place}: the location`);
  const size = child(element, 'size')?.attributes['package'] ?? '';
  if (!/^\d{1,15}$/.test(size)) throw malformed(place, 'no size');
  const file = { name: fileName, size: Number(size), sha256 };
  const base = locationBase(location, place);
  return { element, name, arch, version: joinVersion({ epoch, version: ver, release: rel }), file, href, base, place, pkgid: other?.hex ?? sha256, other };
}

function recordOf({ name, arch, version, file }: Primary, text: Buffer): PackageRecord {
  return { format: 'rpm', partition: partitionOf(arch), name, version, architecture: arch, files: [file], text };
}

/** Source packages stand in repositories of their own, whether or not their sources may be given away. */
export function partitionOf(arch: string): string {
  return arch === 'nosrc' ? 'src' : arch;
}

/** The bytes with the location made ours. Nothing else in a package is written `<location`: text cannot hold it. */
function localised(chunk: Buffer, { file, place }: Primary): Buffer {
  const start = chunk.indexOf('<location');
  const end = chunk.indexOf('>', start);
  if (start === -1 || end === -1 || chunk.indexOf('<location', end) !== -1) throw malformed(place, 'there is not one location');
  const close = Buffer.from('</location>');
  const behind = chunk[end - 1] === 0x2f ? end + 1 : chunk.indexOf(close, end) + close.length;
  const ours = Buffer.from(`<location href="${escapeAttribute(poolPath(file))}"/>`);
  return Buffer.concat([chunk.subarray(0, start), ours, chunk.subarray(behind), NEWLINE]);
}

const NEWLINE = Buffer.from('\n');

/** What stands for a package that the document does not name. */
function emptyPackage({ element, pkgid, name, arch }: Primary, lines: string): Buffer {
  const { epoch = '0', ver = '', rel = '' } = child(element, 'version')?.attributes ?? {};
  const version = `  <version epoch="${epoch}" ver="${escapeAttribute(ver)}" rel="${escapeAttribute(rel)}"/>\n`;
  return Buffer.from(`<package pkgid="${pkgid}" name="${escapeAttribute(name)}" arch="${arch}">\n${version}${lines}</package>\n`);
}

function primaryFiles(element: XmlElement): string {
  return childrenOf(child(element, 'format'), 'file')
    .map(({ attributes, text }) => `  <file${attributes['type'] === undefined ? '' : ` type="${escapeAttribute(attributes['type'])}"`}>${escapeText(text)}</file>\n`)
    .join('');
}

interface Companion {
  /** The package with this digest; undefined when the document has none. */
  take(pkgid: string): Promise<Buffer | undefined>;
  /** Reads on to the end, so that the whole document is checked. */
  drain(): Promise<void>;
  /** Lets go of what is not read. */
  close(): Promise<void>;
}

/** Bytes of packages that wait for theirs to come in primary. */
const MOST_WAITING = 1024 * 1024 * 1024;

/** Documents in the order of primary, as all common tools write them, are read in step with it. */
function openCompanion(stream: AsyncIterable<Buffer> | undefined, kind: 'filelists' | 'other'): Companion {
  if (stream === undefined) return { take: async () => undefined, drain: async () => {}, close: async () => {} };
  const chunks = packageChunks(stream, kind);
  const waiting = new Map<string, Buffer>();
  let bytes = 0;
  return {
    take: async (pkgid) => {
      const known = waiting.get(pkgid);
      if (known !== undefined) {
        waiting.delete(pkgid);
        bytes -= known.length;
        return known;
      }
      for (let next = await chunks.next(); next.done !== true; next = await chunks.next()) {
        const found = companionId(next.value, kind);
        const text = Buffer.concat([next.value, NEWLINE]);
        if (found === pkgid) return text;
        waiting.set(found, text);
        bytes += text.length;
        if (bytes > MOST_WAITING) throw malformed(kind, 'its packages stand in quite another order than those of primary');
      }
      return undefined;
    },
    drain: async () => {
      for (let next = await chunks.next(); next.done !== true; next = await chunks.next()) companionId(next.value, kind);
    },
    close: async () => void (await chunks.return(undefined)),
  };
}
