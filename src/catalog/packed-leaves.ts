import type { Sha256 } from '../core/digest.ts';
import type { Database } from './open.ts';
import { asBuffer } from './records.ts';

/** Which form of which piece of a leaf's texts. */
export interface LeafForm {
  readonly leaf: Sha256;
  readonly part: string;
  readonly packing: 'gz' | 'xz' | 'zst';
}

/** A leaf as it stands in published indexes: a gzip member or an xz block, whose two sizes only the latter needs. */
export interface PackedLeaf {
  readonly bytes: Buffer;
  readonly unpaddedSize: number;
  readonly plainSize: number;
}

/** Compressed leaves: see `LeafCache`. */
export interface PackedLeaves {
  get(form: LeafForm): PackedLeaf | undefined;
  /** The leaves among these that lack any of the forms. */
  lacking(leaves: readonly Sha256[], forms: readonly Omit<LeafForm, 'leaf'>[]): ReadonlySet<Sha256>;
  put(entries: readonly (readonly [LeafForm, PackedLeaf])[]): void;
  /** Removes what is not among these. Returns how many leaves went. */
  keep(leaves: ReadonlySet<Sha256>): number;
}

interface Row {
  bytes: Uint8Array;
  unpadded_size: number;
  plain_size: number;
}

export function openPackedLeaves(database: () => Database): PackedLeaves {
  return {
    get: ({ leaf, part, packing }) => {
      const row = database().get<Row>(
        'SELECT bytes, unpadded_size, plain_size FROM packed WHERE leaf = ? AND part = ? AND packing = ?',
        Buffer.from(leaf, 'hex'),
        part,
        packing,
      );
      if (row === undefined) return undefined;
      return { bytes: asBuffer(row.bytes), unpaddedSize: row.unpadded_size, plainSize: row.plain_size };
    },
    lacking: (leaves, forms) => lacking(database(), leaves, forms),
    put: (entries) => put(database(), entries),
    keep: (leaves) => keep(database(), leaves),
  };
}

function lacking(database: Database, leaves: readonly Sha256[], forms: readonly Omit<LeafForm, 'leaf'>[]): ReadonlySet<Sha256> {
  const row = database.get<{ leaves: string }>(
    `SELECT json_group_array(DISTINCT item.value) AS leaves FROM json_each(?) AS item JOIN json_each(?) AS form
     WHERE NOT EXISTS (
       SELECT 1 FROM packed INDEXED BY packed_form
       WHERE leaf = unhex(item.value) AND part = form.value ->> 'part' AND packing = form.value ->> 'packing'
     )`,
    JSON.stringify(leaves),
    JSON.stringify(forms),
  );
  return new Set(JSON.parse(row?.leaves ?? '[]') as Sha256[]);
}

function put(database: Database, entries: readonly (readonly [LeafForm, PackedLeaf])[]): void {
  database.transaction(() => {
    for (const [{ leaf, part, packing }, { bytes, unpaddedSize, plainSize }] of entries) {
      database.run(
        'INSERT OR REPLACE INTO packed (leaf, part, packing, bytes, unpadded_size, plain_size) VALUES (?, ?, ?, ?, ?, ?)',
        Buffer.from(leaf, 'hex'),
        part,
        packing,
        bytes,
        unpaddedSize,
        plainSize,
      );
    }
  });
}

function keep(database: Database, leaves: ReadonlySet<Sha256>): number {
  return database.transaction(() => {
    let removed = 0;
    for (const { leaf } of database.all<{ leaf: Uint8Array }>('SELECT DISTINCT leaf FROM packed')) {
      const raw = asBuffer(leaf);
      if (leaves.has(raw.toString('hex') as Sha256)) continue;
      database.run('DELETE FROM packed WHERE leaf = ?', raw);
      removed += 1;
    }
    return removed;
  });
}
