import { openCatalog, type Catalog } from '../../src/catalog/catalog.ts';
import { compareMembers } from '../../src/core/member-order.ts';
import { sha256 } from '../../src/core/digest.ts';
import { recordDigest, type PackageRecord } from '../../src/core/package.ts';
import type { QuerySubject } from '../../src/core/relation.ts';
import type { Content, Snapshot } from '../../src/core/snapshot.ts';
import { formatOf } from '../../src/formats/index.ts';
import { fieldValue, parseControl } from '../../src/formats/apt/stanza.ts';
import type { TempDir } from '../rig/temp.ts';

export const apt = formatOf('apt');

/** A catalog in a folder, closed with it. */
export function testCatalog(dir: TempDir): Catalog & Disposable {
  const catalog = openCatalog(dir.join('catalog.db'));
  return { ...catalog, [Symbol.dispose]: () => catalog.close() };
}

/** Records of a Packages text; each has one file whose bytes are its name and version, so that descriptions alone can differ. */
export function recordsOf(text: string): PackageRecord[] {
  const bytes = Buffer.from(text);
  return parseControl(bytes).map(({ start, end }) => {
    const stanza = bytes.subarray(start, end);
    const [name = '', version = '', architecture = ''] = ['Package', 'Version', 'Architecture'].map((field) => fieldValue(stanza, field) ?? '');
    const content = `${name} ${version} ${architecture}`;
    return {
      format: 'apt',
      partition: fieldValue(stanza, 'X-Index') ?? `binary-${architecture}`,
      name,
      version,
      architecture: fieldValue(stanza, 'X-Index') === 'source' ? 'source' : architecture,
      files: [{ name: `${name}.deb`, size: content.length, sha256: sha256(content) }],
      text: stanza,
    };
  });
}

/** Stores the records as a content, in publication order. */
export function storeRecords(catalog: Catalog, records: readonly PackageRecord[]): Content {
  return catalog.transaction(() => {
    const members = records.map((record) => {
      const digest = recordDigest(record);
      return { ...record, digest, id: catalog.records.find(digest) ?? catalog.records.add(record, digest), size: record.text.length };
    });
    return catalog.contents.storeMembers(members.sort((a, b) => compareMembers(a, b, apt.compareVersions)));
  });
}

/** A snapshot of a Packages text. */
export function freeze(catalog: Catalog, name: string, text: string, at = '2026-01-01T00:00:00.000Z'): Snapshot {
  const content = storeRecords(catalog, recordsOf(text));
  return catalog.snapshots.add({ name, format: 'apt', content, origin: { kind: 'empty' }, createdAt: at });
}

/** One stanza; `needs` are further fields. */
export function stanza(name: string, version: string, fields: Readonly<Record<string, string>> = {}): string {
  const all = { Package: name, Version: version, Architecture: 'amd64', Maintainer: 'Nobody <nobody@example.org>', ...fields };
  return `${Object.entries(all).map(([field, value]) => `${field}: ${value}\n`).join('')}\n`;
}

/** `name_version_architecture` of each, in order. */
export function names(subjects: Iterable<Pick<QuerySubject, 'name' | 'version' | 'architecture'>>): string[] {
  return [...subjects].map(({ name, version, architecture }) => `${name}_${version}_${architecture}`);
}

/** The same for the members of a snapshot. */
export function membersOf(catalog: Catalog, { content }: Snapshot): string[] {
  return names(Array.from(catalog.contents.allMembers(content.id), (id) => catalog.records.head(id)));
}
