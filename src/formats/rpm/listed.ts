/** Metadata besides primary, filelists and other: it travels as records of a partition of its own. */
import type { FileRef, PackageRecord } from '../../core/package.ts';
import type { Packing } from '../../util/unpack.ts';
import type { Digested, ListedFile, ListedFormat } from '../format.ts';
import { LISTED } from './pool-path.ts';

interface ListedText {
  readonly packing: Packing;
  readonly plain: Digested;
  /** `.xml`, `.yaml`, or nothing. */
  readonly extension: string;
}

/** The record of metadata of a type, as repomd.xml names it. */
export function listedRecord(type: string, { file, packing, plain }: { readonly file: FileRef; readonly packing: Packing; readonly plain: Digested }): PackageRecord {
  const extension = /\.(?:xml|yaml|json|txt)(?=\.|$)/.exec(file.name)?.[0] ?? '';
  const text: ListedText = { packing, plain: { size: plain.size, sha256: plain.sha256 }, extension };
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

const SUFFIXES: Readonly<Record<Packing, string>> = { xz: '.xz', gz: '.gz', bz2: '.bz2', zst: '.zst', none: '' };

export const listedFiles: ListedFormat = {
  partition: LISTED,
  paths: (name, component, architectures) => architectures.map((architecture) => `${baseOf(component, architecture)}/repodata/${name}`),
  record: (name, { offers, plain }) => {
    const offer = offers[0];
    if (offer === undefined) throw new Error(`${name} is offered in no form`);
    const { size, sha256, compression: packing } = offer;
    const file = { name: `${name}${SUFFIXES[packing]}`, size, sha256 };
    return { record: listedRecord(name, { file, packing, plain }), locations: [offer.paths[0] ?? file.name] };
  },
  read: ({ name, text }): ListedFile => {
    const { packing, plain, extension } = JSON.parse(text.toString()) as ListedText;
    return { name: `${name}${extension}`, packing, plain, suffix: SUFFIXES[packing] };
  },
  combine: () => undefined,
};

/** The folder of a repository below its distribution: what `baseurl` points to. */
export function baseOf(component: string, architecture: string): string {
  return component === 'main' ? architecture : `${component}/${architecture}`;
}
