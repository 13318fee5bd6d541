/** Metadata besides primary, filelists and other: it travels as records of a partition of its own. */
import type { OtherDigest } from '../../core/digest.ts';
import { LISTED, type FileRef, type PackageRecord } from '../../core/package.ts';
import { suffixOf, type Packing } from '../../util/packing.ts';
import type { Digested, ExtractFile, HasPackage, ListedFile, ListedFormat } from '../format.ts';
import { malformed } from './malformed.ts';
import { mergeComps } from './merge-comps.ts';
import { extractModules, mergeModules } from './merge-modules.ts';
import { artifactKey, readArtifacts } from './module-artifacts.ts';
import { extractUpdateinfo, mergeUpdateinfo, pruneUpdateinfo, type Note } from './merge-updateinfo.ts';
import { archOfTree, EXACT, EXTRA, TREEINFO } from './pool-path.ts';

/** What the text of a record tells. */
export interface ListedText {
  readonly packing: Packing;
  readonly plain: Digested;
  /** `.xml`, `.yaml`, or nothing. */
  readonly extension: string;
  /** The digest an upstream lists, when it is no SHA-256. */
  readonly other?: OtherDigest;
}

interface ListedFacts {
  readonly file: FileRef;
  readonly packing: Packing;
  readonly plain: Digested;
  readonly other?: OtherDigest | undefined;
}

/** The record of metadata of a type, as repomd.xml names it. */
export function listedRecord(type: string, { file, packing, plain, other }: ListedFacts): PackageRecord {
  const extension = /\.(?:xml|yaml|json|txt)(?=\.|$)/.exec(file.name)?.[0] ?? '';
  const text: ListedText = { packing, plain: { size: plain.size, sha256: plain.sha256 }, extension, ...(other === undefined ? {} : { other }) };
  return {
    format: 'rpm',
    partition: LISTED,
    name: type,
    version: file.sha256,
    architecture: LISTED,
    files: [file],
    text: Buffer.from(JSON.stringify(text)),
  };
}

/** The same with the true digests and sizes. */
export function settledListed(record: PackageRecord, { size, sha256 }: Digested, plain: Digested | undefined): PackageRecord {
  const text = JSON.parse(record.text.toString()) as ListedText;
  const [file] = record.files;
  if (file === undefined) throw new Error(`The listed file ${record.name} has no file`);
  return listedRecord(record.name, { ...text, file: { ...file, size, sha256 }, plain: plain ?? { size, sha256 } });
}

/** The digest an upstream lists of a listed file, when it is no SHA-256. */
export function listedOther(text: Buffer): OtherDigest | undefined {
  return (JSON.parse(text.toString()) as ListedText).other;
}

export const listedFiles: ListedFormat = {
  partition: LISTED,
  paths: (name, component, architectures) => {
    const arch = archOfTree(name);
    if (arch !== undefined) return architectures.includes(arch) ? [`${baseOf(component, arch)}/${TREEINFO}`] : [];
    return (name === EXACT || typeOfName(name) === EXTRA ? [] : architectures).map((architecture) => `${baseOf(component, architecture)}/repodata/${name}`);
  },
  record: (name, { offers, plain }) => {
    const offer = offers[0];
    if (offer?.size === undefined || plain?.size === undefined) throw new Error(`${name} is offered in no form, or without its size`);
    const { size, sha256, compression: packing } = offer;
    const file = { name: `${name}${suffixOf(packing)}`, size, sha256 };
    return { record: listedRecord(name, { file, packing, plain: { ...plain, size: plain.size } }), locations: [offer.paths[0] ?? file.name] };
  },
  read: ({ name, text }): ListedFile => {
    const { packing, plain, extension } = JSON.parse(text.toString()) as ListedText;
    return { name: `${withoutAlias(name)}${extension}`, packing, plain };
  },
  combine: (name) => {
    const merge = MERGES.get(typeOfName(name));
    return merge === undefined ? undefined : (parts, note) => combined(parts, (texts) => merge(texts, note));
  },
  prune: (name) => (typeOfName(name) === 'updateinfo' ? pruneUpdateinfo : undefined),
  extract: (name) => EXTRACTS.get(typeOfName(name)),
  readBound: (name, chunks) => (typeOfName(name) === 'modules' ? modulePackages(chunks) : undefined),
};

async function modulePackages(chunks: AsyncIterable<Buffer>): Promise<HasPackage> {
  const artifacts = await readArtifacts(chunks);
  return (key) => artifacts.has(artifactKey(key));
}

/** The type of metadata by the name it is published under. Types may hold dots: `susedata.de`. */
export function typeOfName(name: string): string {
  return name.replace(/\.(?:xml|yaml|json|txt)$/, '');
}

/** Comps in one form or another are one thing: published twice, clients would read the one that was not merged. */
export function withoutAlias(type: string): string {
  return /^group_(?:gz|xz|zst)$/.test(type) ? 'group' : type;
}

const MERGES: ReadonlyMap<string, (texts: readonly Buffer[], note: Note) => Buffer> = new Map([
  ['updateinfo', mergeUpdateinfo],
  ['group', mergeComps],
  ['modules', mergeModules],
]);

const EXTRACTS: ReadonlyMap<string, ExtractFile> = new Map([
  ['updateinfo', extractUpdateinfo],
  ['modules', extractModules],
]);

/** What one source may unpack to: the largest advisories there are have some 60 MB. */
const LARGEST_TEXT = 512 * 1024 * 1024;

async function* combined(parts: readonly AsyncIterable<Buffer>[], merge: (texts: readonly Buffer[]) => Buffer): AsyncGenerator<Buffer> {
  const texts: Buffer[] = [];
  for (const part of parts) {
    const chunks: Buffer[] = [];
    let size = 0;
    for await (const chunk of part) {
      size += chunk.length;
      if (size > LARGEST_TEXT) throw malformed('metadata', `more than ${LARGEST_TEXT} bytes`);
      chunks.push(chunk);
    }
    texts.push(Buffer.concat(chunks));
  }
  yield merge(texts);
}

/** The folder of a repository below its distribution: what `baseurl` points to. */
export function baseOf(component: string, architecture: string): string {
  return component === 'main' ? architecture : `${component}/${architecture}`;
}
