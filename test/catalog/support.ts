import { openCatalog, type Catalog } from '../../src/catalog/catalog.ts';
import { sha256, type Sha256 } from '../../src/core/digest.ts';
import type { Member } from '../../src/core/leaf-cutter.ts';
import { recordDigest, type PackageRecord } from '../../src/core/package.ts';
import type { Content } from '../../src/core/snapshot.ts';

/** The record of a package with that name, whose only file has the name as its content. */
export function recordOf(name: string, partition = 'binary-amd64'): PackageRecord {
  const file = { name: `${name}.deb`, size: name.length, sha256: sha256(name) };
  return { format: 'apt', partition, name, version: '1', architecture: 'amd64', files: [file], text: Buffer.from(`Package: ${name}\n`) };
}

export function addRecord(catalog: Catalog, record: PackageRecord): Member {
  const digest = recordDigest(record);
  const id = catalog.records.find(digest) ?? catalog.records.add(record, digest);
  return { id, digest, partition: record.partition, name: record.name, size: record.text.length };
}

/** The content with packages of these names. */
export function storeContent(catalog: Catalog, names: readonly string[]): Content {
  return catalog.transaction(() => catalog.contents.storeMembers([...names].sort().map((name) => addRecord(catalog, recordOf(name)))));
}

export function addSnapshot(catalog: Catalog, name: string, content: Content): void {
  catalog.transaction(() => catalog.snapshots.add({ name, format: 'apt', content, origin: { kind: 'empty' }, createdAt: '2025-01-01T00:00:00.000Z' }));
}

/** Names of the packages a content holds, in its order. */
export function namesIn(catalog: Catalog, content: number): string[] {
  return Array.from(catalog.contents.allMembers(content), (id) => catalog.records.head(id).name);
}

/** Digests of files by package name. */
export function digestsOf(names: Iterable<string>): Set<Sha256> {
  return new Set(Array.from(names, (name) => sha256(name)));
}

export { openCatalog, type Catalog };
