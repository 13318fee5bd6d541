/** Which packages of snapshots are parts of sets that are taken as a whole, as the listed files of those tell it. */
import type { Catalog } from '../catalog/catalog.ts';
import type { StoredRecord } from '../core/package.ts';
import type { Snapshot } from '../core/snapshot.ts';
import type { HasPackage } from '../formats/format.ts';
import { formatOf } from '../formats/index.ts';
import type { Pool } from '../pool/index.ts';
import { unpackFile } from '../util/unpack.ts';

/** One answer for all of them, since what they list is published together. Undefined: no package is part of any set. */
export async function boundPackages(
  snapshots: readonly Snapshot[],
  { catalog, pool }: { readonly catalog: Catalog; readonly pool: Pool },
  signal: AbortSignal,
): Promise<HasPackage | undefined> {
  const found: HasPackage[] = [];
  for (const [format, records] of listedRecords(snapshots, catalog)) {
    const { listed } = formatOf(format).publishing;
    for (const record of records.values()) {
      const { name, packing } = listed.read(record);
      const [file] = record.files;
      const reading = file === undefined ? undefined : listed.readBound?.(name, unpackFile(pool.path(file.sha256), packing, signal));
      if (reading !== undefined) found.push(await reading);
    }
  }
  return found.length === 0 ? undefined : (key) => found.some((has) => has(key));
}

/** Listed files of formats that know of sets, each once, by format and number. */
function listedRecords(snapshots: readonly Snapshot[], { contents, records }: Catalog): ReadonlyMap<string, ReadonlyMap<number, StoredRecord>> {
  const found = new Map<string, Map<number, StoredRecord>>();
  for (const { format, content } of snapshots) {
    const { listed } = formatOf(format).publishing;
    if (listed.readBound === undefined) continue;
    const known = found.get(format) ?? new Map<number, StoredRecord>();
    found.set(format, known);
    for (const leaf of contents.leaves(content.id)) {
      if (leaf.partition !== listed.partition) continue;
      for (const id of contents.members(leaf.id)) if (!known.has(id)) known.set(id, records.get(id));
    }
  }
  return found;
}
