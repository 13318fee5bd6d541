/** How much of the pool snapshots take: in all, and what would be freed if one alone were dropped. */
import type { Catalog } from '../catalog/catalog.ts';

export interface SnapshotSize {
  /** Bytes of all files of its packages, each file once. */
  readonly bytes: number;
  /** Bytes of the files that no other snapshot, mirror, repository or published tree needs. */
  readonly unique: number;
}

export interface Sizes {
  readonly snapshots: ReadonlyMap<number, SnapshotSize>;
  /** Bytes of the files that any snapshot needs, each once. */
  readonly total: number;
}

/** More than one holder, or one that is no snapshot. */
const SHARED = -1;

/** Sizes by the number of the snapshot. Looks at every record, so it takes a while on big catalogs. */
export function measureSnapshots(catalog: Catalog): Sizes {
  const files = numberFiles(catalog);
  const snapshots = catalog.snapshots.list();
  const leaves = new Map(snapshots.map(({ id, content }) => [id, catalog.contents.leaves(content.id).map((leaf) => leaf.id)]));
  const filesOf = rememberedFiles(catalog, files);
  const holders = findHolders(catalog, { leaves, filesOf, count: files.sizes.length });
  const inAny = new Set<number>();
  const sizes = snapshots.map(({ id }) => {
    const own = new Set((leaves.get(id) ?? []).flatMap(filesOf));
    let bytes = 0;
    let unique = 0;
    for (const file of own) {
      const size = files.sizes[file] ?? 0;
      inAny.add(file);
      bytes += size;
      if (holders[file] === id) unique += size;
    }
    return [id, { bytes, unique }] as const;
  });
  let total = 0;
  for (const file of inAny) total += files.sizes[file] ?? 0;
  return { snapshots: new Map(sizes), total };
}

interface NumberedFiles {
  /** Numbers of the files of a record, by the record's number. */
  readonly byRecord: ReadonlyMap<number, readonly number[]>;
  readonly sizes: readonly number[];
}

/** Files as small numbers: digests by the hundred thousand are slow to compare. */
function numberFiles(catalog: Catalog): NumberedFiles {
  const numbers = new Map<string, number>();
  const sizes: number[] = [];
  const byRecord = new Map<number, number[]>();
  for (const { id, files } of catalog.records.eachRecordFiles()) {
    const own: number[] = [];
    for (const { sha256, size } of files) {
      let number = numbers.get(sha256);
      if (number === undefined) {
        number = sizes.push(size) - 1;
        numbers.set(sha256, number);
      }
      own.push(number);
    }
    byRecord.set(id, own);
  }
  return { byRecord, sizes };
}

function rememberedFiles(catalog: Catalog, files: NumberedFiles): (leaf: number) => readonly number[] {
  const known = new Map<number, readonly number[]>();
  return (leaf) => {
    let found = known.get(leaf);
    if (found === undefined) {
      found = Array.from(catalog.contents.members(leaf)).flatMap((id) => files.byRecord.get(id) ?? []);
      known.set(leaf, found);
    }
    return found;
  };
}

interface Holding {
  readonly leaves: ReadonlyMap<number, readonly number[]>;
  readonly filesOf: (leaf: number) => readonly number[];
  readonly count: number;
}

/** For each file the only snapshot that holds it, or SHARED. */
function findHolders(catalog: Catalog, { leaves, filesOf, count }: Holding): Int32Array {
  const byLeaf = new Map<number, number>();
  const hold = (holder: number, leaf: number): void => {
    const before = byLeaf.get(leaf);
    byLeaf.set(leaf, before === undefined || before === holder ? holder : SHARED);
  };
  for (const [snapshot, list] of leaves) for (const leaf of list) hold(snapshot, leaf);
  for (const content of catalog.sweep.heldBesidesSnapshots()) {
    for (const { id } of catalog.contents.leaves(content)) hold(SHARED, id);
  }
  const holders = new Int32Array(count); // 0: nobody's, for numbers of snapshots begin with 1
  for (const [leaf, holder] of byLeaf) {
    for (const file of filesOf(leaf)) holders[file] = holders[file] === 0 || holders[file] === holder ? holder : SHARED;
  }
  return holders;
}
