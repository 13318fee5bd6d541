/** The files that a content holds besides packages. */
import type { Catalog } from '../catalog/catalog.ts';
import type { StoredRecord } from '../core/package.ts';
import type { Content } from '../core/snapshot.ts';
import type { ListedFormat } from '../formats/format.ts';

/** In publication order; their texts are short. */
export function listedRecords({ contents, records }: Catalog, { partition }: ListedFormat, content: Content): StoredRecord[] {
  const leaves = contents.leaves(content.id).filter((leaf) => leaf.partition === partition);
  return leaves.flatMap(({ id }) => Array.from(contents.members(id), (member) => records.get(member)));
}
