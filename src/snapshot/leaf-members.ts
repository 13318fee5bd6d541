/** Reading leaves that are walked side by side: little of every member, and the rest only of those that differ. */
import type { Catalog } from '../catalog/catalog.ts';
import type { MemberOutline } from '../catalog/members.ts';
import type { RecordHead } from '../catalog/records.ts';
import type { FileRef, RecordDigest } from '../core/package.ts';
import type { Content, Leaf } from '../core/snapshot.ts';
import type { MergedMember } from './merge.ts';
import type { Differing, WalkedSource } from './walk.ts';

/** The contents as sources for a walk. What several of them hold is read once. */
export function walkedSources(catalog: Catalog, contents: readonly Content[]): WalkedSource<MergedMember>[] {
  const load = leafReader(catalog);
  return contents.map(({ id }) => ({ leaves: catalog.contents.leaves(id), load }));
}

/** Where more than one in so many members differ, every name is looked at. */
const ONE_IN_MEMBERS = 4;

/** Finds by their numbers which members differ, and reads only those and the names of the ones beside them. */
export function differingMembers({ contents, members }: Catalog): Differing<MergedMember> {
  const countHolders = holderCounter();
  return (leaves) => {
    const lists = leaves.map(({ id }) => contents.members(id));
    const heldBy = countHolders(lists);
    const differs = (id: number | undefined): boolean => id !== undefined && heldBy[id] !== lists.length;
    const own = lists.map((list) => list.filter(differs));
    if (own.some((ids, index) => ids.length * ONE_IN_MEMBERS > (leaves[index]?.count ?? 0))) return undefined;
    const beside = lists.map((list) => list.filter((id, at) => !differs(id) && (differs(list[at - 1]) || differs(list[at + 1]))));
    const heads = new Map(members.heads(distinct(own)).map((head) => [head.id, head]));
    const found = own.map((ids) => Array.from(ids, (id) => heads.get(id)).filter((head) => head !== undefined));
    // Members of one name stand together, so a name that is in both kinds shows at their borders.
    const names = new Set(found.flat().map(({ name }) => name));
    return members.names(distinct(beside)).some((name) => names.has(name)) ? undefined : found;
  };
}

/** In how many of some lists each number is, counted in one place that grows with the numbers: they are counted densely. */
function holderCounter(): (lists: readonly Uint32Array[]) => Uint32Array {
  let counts = new Uint32Array(0);
  let counted: readonly Uint32Array[] = [];
  return (lists) => {
    for (const list of counted) for (const id of list) counts[id] = 0;
    const highest = lists.reduce((most, list) => list.reduce((a, b) => Math.max(a, b), most), 0);
    if (highest >= counts.length) counts = new Uint32Array(highest * 2);
    for (const list of lists) for (const id of list) counts[id] = (counts[id] ?? 0) + 1;
    counted = lists;
    return counts;
  };
}

function distinct(lists: readonly Uint32Array[]): Uint32Array {
  const found = new Set<number>();
  for (const list of lists) for (const id of list) found.add(id);
  return Uint32Array.from(found);
}

/** Members that a reader remembers: some leaves of each of a few sources. */
const REMEMBERED = 3000;

function leafReader({ contents, members, records }: Catalog): (leaf: Leaf) => MergedMember[] {
  const known = new Map<number, MergedMember>();
  return (leaf) => {
    if (known.size > REMEMBERED) known.clear();
    const ids = contents.members(leaf.id);
    for (const outline of members.outlines(ids.filter((id) => !known.has(id)))) {
      known.set(outline.id, new LeafMember(outline, leaf.partition, records.head));
    }
    return Array.from(ids, (id) => known.get(id)).filter((member) => member !== undefined);
  };
}

/** A member whose version, architecture and files are read when somebody asks. */
class LeafMember implements MergedMember {
  readonly id: number;
  readonly digest: RecordDigest;
  readonly partition: string;
  readonly name: string;
  readonly size: number;
  readonly #read: (id: number) => RecordHead;
  #head: RecordHead | undefined;

  constructor({ id, digest, name, size }: MemberOutline, partition: string, read: (id: number) => RecordHead) {
    this.id = id;
    this.digest = digest;
    this.partition = partition;
    this.name = name;
    this.size = size;
    this.#read = read;
  }

  get version(): string {
    return this.#rest().version;
  }

  get architecture(): string {
    return this.#rest().architecture;
  }

  get files(): readonly FileRef[] {
    return this.#rest().files;
  }

  #rest(): RecordHead {
    return (this.#head ??= this.#read(this.id));
  }
}
