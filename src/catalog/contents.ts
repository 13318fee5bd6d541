import { sha256, type Sha256 } from '../core/digest.ts';
import { cutLeaves, type LeafDraft, type Member } from '../core/leaf-cutter.ts';
import { LISTED } from '../core/package.ts';
import type { Content, Leaf } from '../core/snapshot.ts';
import { asBuffer } from './records.ts';
import type { Database } from './open.ts';

interface LeafRow extends Omit<Leaf, 'digest'> {
  readonly digest: Uint8Array;
}

interface ContentRow {
  readonly id: number;
  readonly digest: Uint8Array;
  readonly count: number;
}

/** A leaf of a content in the making: one the catalog has, or a new one. */
export type Piece = Leaf | LeafDraft;

export interface Contents {
  get(id: number): Content;
  /** Its leaves in publication order. */
  leaves(content: number): Leaf[];
  /** Record numbers of a leaf's members in publication order. */
  members(leaf: number): Uint32Array;
  /** Record numbers of all members in publication order. */
  allMembers(content: number): Uint32Array;
  /** Numbers of the contents that hold a record. */
  holding(record: { readonly id: number; readonly partition: string; readonly name: string }): number[];
  /** Stores the content made of these leaves, sharing whatever is there already. */
  store(pieces: Iterable<Piece>): Content;
  /** Stores the content with these members, given in publication order. */
  storeMembers(members: Iterable<Member>): Content;
}

const LEAF = 'id, digest, partition, first, last, count, size';

export function openContents(database: Database): Contents {
  const get = (id: number): Content => {
    const row = database.get<ContentRow>('SELECT id, digest, count FROM content WHERE id = ?', id);
    if (row === undefined) throw new Error(`Content ${id} is missing from the catalog`);
    return contentFrom(row);
  };
  const leaves = (content: number): Leaf[] =>
    database
      .all<LeafRow>(
        `SELECT ${LEAF} FROM content_leaf JOIN leaf ON leaf.id = content_leaf.leaf WHERE content = ? ORDER BY seq`,
        content,
      )
      .map((row) => ({ ...row, digest: hex(row.digest) }));
  const members = (leaf: number): Uint32Array => {
    const row = database.get<{ members: Uint8Array }>('SELECT members FROM leaf WHERE id = ?', leaf);
    if (row === undefined) throw new Error(`Leaf ${leaf} is missing from the catalog`);
    return unpack(row.members);
  };
  const store = (pieces: Iterable<Piece>): Content => storeContent(database, pieces);
  return {
    get,
    leaves,
    members,
    allMembers: (content) => {
      const parts = database
        .all<{ members: Uint8Array }>(
          'SELECT members FROM content_leaf JOIN leaf ON leaf.id = content_leaf.leaf WHERE content = ? ORDER BY seq',
          content,
        )
        .map((row) => asBuffer(row.members));
      return unpack(Buffer.concat(parts));
    },
    holding: (record) => contentsHolding(database, record),
    store,
    storeMembers: (list) => {
      const drafts: LeafDraft[] = [];
      const cutter = cutLeaves((leaf) => drafts.push(leaf));
      for (const member of list) cutter.add(member);
      cutter.end();
      return store(drafts);
    },
  };
}

/** Few leaves have a name between their first and their last one. */
function contentsHolding(database: Database, { id, partition, name }: Parameters<Contents['holding']>[0]): number[] {
  const rows = database.all<{ id: number; members: Uint8Array }>(
    'SELECT id, members FROM leaf WHERE partition = ? AND first <= ? AND last >= ?',
    partition,
    name,
    name,
  );
  const found = rows.filter((row) => unpack(row.members).includes(id)).map((row) => row.id);
  return database
    .all<{ content: number }>(
      'SELECT DISTINCT content FROM content_leaf WHERE leaf IN (SELECT value FROM json_each(?)) ORDER BY content',
      JSON.stringify(found),
    )
    .map((row) => row.content);
}

function storeContent(database: Database, pieces: Iterable<Piece>): Content {
  const list = [...pieces];
  const digest = sha256(list.map((piece) => `${piece.digest}\n`).join(''));
  const raw = Buffer.from(digest, 'hex');
  const known = database.get<ContentRow>('SELECT id, digest, count FROM content WHERE digest = ?', raw);
  if (known !== undefined) return contentFrom(known);

  const packages = list.filter(({ partition }) => partition !== LISTED);
  const count = packages.reduce((sum, piece) => sum + ('count' in piece ? piece.count : piece.members.length), 0);
  const id = database.run('INSERT INTO content (digest, count) VALUES (?, ?)', raw, count);
  for (const [seq, piece] of list.entries()) {
    const leaf = 'id' in piece ? piece.id : storeLeaf(database, piece);
    database.run('INSERT INTO content_leaf (content, seq, leaf) VALUES (?, ?, ?)', id, seq, leaf);
  }
  return { id, digest, count };
}

function storeLeaf(database: Database, leaf: LeafDraft): number {
  const raw = Buffer.from(leaf.digest, 'hex');
  const known = database.get<{ id: number }>('SELECT id FROM leaf WHERE digest = ?', raw);
  if (known !== undefined) return known.id;
  return database.run(
    'INSERT INTO leaf (digest, partition, first, last, count, size, members) VALUES (?, ?, ?, ?, ?, ?, ?)',
    raw,
    leaf.partition,
    leaf.first,
    leaf.last,
    leaf.members.length,
    leaf.size,
    pack(leaf.members),
  );
}

function pack(members: readonly Member[]): Buffer {
  const bytes = Buffer.alloc(members.length * 4);
  for (const [index, member] of members.entries()) bytes.writeUInt32LE(member.id, index * 4);
  return bytes;
}

function unpack(bytes: Uint8Array): Uint32Array {
  const buffer = asBuffer(bytes);
  const ids = new Uint32Array(buffer.length / 4);
  for (let i = 0; i < ids.length; i += 1) ids[i] = buffer.readUInt32LE(i * 4);
  return ids;
}

function contentFrom(row: ContentRow): Content {
  return { id: row.id, digest: hex(row.digest), count: row.count };
}

function hex(bytes: Uint8Array): Sha256 {
  return asBuffer(bytes).toString('hex') as Sha256;
}
