/**
 * Files a Release lists that are no indexes of packages: Translation, Contents, DEP-11 and whatever else. They travel as
 * records of a partition of their own, so that snapshots, merges and clean-ups treat them like everything else.
 */
import { posix } from 'node:path';
import { sha256 } from '../../core/digest.ts';
import { LISTED, type PackageRecord } from '../../core/package.ts';
import { suffixOf, type Packing } from '../../util/packing.ts';
import type { Digested, ListedFile, ListedFormat, UpstreamIndex, UpstreamPackage } from '../format.ts';
import { readStanzas } from './stanza-stream.ts';

interface ListedText {
  readonly packing: Packing;
  readonly plain: Digested;
}

/**
 * The record of a listed file in its best form. `name` is its path below the component, the packing's suffix left out.
 * With `named` it is fetched by its name, for folders that may have no files by digest.
 */
export function listedRecord(name: string, { offers, plain }: UpstreamIndex, { named = false } = {}): UpstreamPackage {
  const offer = offers[0];
  if (offer?.size === undefined || plain?.size === undefined) throw new Error(`${name} is offered in no form, or without its size`);
  const { size, sha256: digest, compression: packing } = offer;
  const text: ListedText = { packing, plain: { size: plain.size, sha256: plain.sha256 } };
  const record: PackageRecord = {
    format: 'apt',
    partition: LISTED,
    name,
    version: digest,
    architecture: LISTED,
    files: [{ name: `${posix.basename(name)}${suffixOf(packing)}`, size, sha256: digest }],
    text: Buffer.from(JSON.stringify(text)),
  };
  return { record, locations: [offer.paths.at(named ? -1 : 0) ?? name] };
}

export const listedFiles: ListedFormat = {
  partition: LISTED,
  paths: (name, component) => [`${component}/${name}`],
  record: (name, index) => listedRecord(name, index),
  read: ({ name, text }): ListedFile => {
    const { packing, plain } = JSON.parse(text.toString()) as ListedText;
    return { name, packing, plain };
  },
  combine: (name) => {
    if (name.startsWith('i18n/Translation-')) return combineTranslations;
    if (/^dep11\/Components-.*\.yml$/.test(name)) return combineComponents;
    return undefined;
  },
};

/** Each description once: several sources translate the same packages. */
async function* combineTranslations(parts: readonly AsyncIterable<Buffer>[]): AsyncGenerator<Buffer> {
  const seen = new Set<string>();
  for (const part of parts) {
    for await (const batch of readStanzas(part, 'Translation')) {
      const fresh = batch.filter(({ bytes }) => !seen.has(sha256(bytes)));
      for (const { bytes } of fresh) seen.add(sha256(bytes));
      yield Buffer.concat(fresh.flatMap(({ bytes }) => [bytes, Buffer.from('\n')]));
    }
  }
}

/** AppStream DEP-11: YAML documents behind a header document, of which one file has one. */
async function* combineComponents(parts: readonly AsyncIterable<Buffer>[]): AsyncGenerator<Buffer> {
  for (const [index, part] of parts.entries()) {
    if (index === 0) yield* part;
    else yield* behindHeader(part);
  }
}

const DOCUMENT = '\n---\n';

async function* behindHeader(part: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  let head: Buffer | undefined = Buffer.alloc(0);
  for await (const chunk of part) {
    if (head === undefined) {
      yield chunk;
      continue;
    }
    head = Buffer.concat([head, chunk]);
    const second = head.indexOf(DOCUMENT, 1);
    if (second === -1) continue;
    yield head.subarray(second + 1);
    head = undefined;
  }
}
