/** Changing a content at some names: leaves that hold none of them are taken over unread, so the cost follows the change. */
import type { Catalog } from '../catalog/catalog.ts';
import type { RecordHead } from '../catalog/records.ts';
import { cutLeaves, isClosed, type LeafDraft, type Member } from '../core/leaf-cutter.ts';
import { compareMembers, comparePlaces, type NamePlace, type OrderedMember } from '../core/member-order.ts';
import type { RecordDigest } from '../core/package.ts';
import type { Content, Leaf } from '../core/snapshot.ts';

/** A member that can be put in its place. */
export type PlacedMember = Member & OrderedMember;

export interface ContentEdit {
  readonly add: readonly PlacedMember[];
  readonly drop: readonly (NamePlace & { readonly digest: RecordDigest })[];
}

/** The members of a content that have these names. */
export function membersNamed(catalog: Catalog, content: Content, names: readonly NamePlace[]): RecordHead[] {
  const wanted = new Set(names.map(textOf));
  const parts = splitAtLeaves(catalog.contents.leaves(content.id), names.toSorted(comparePlaces));
  return parts.flatMap(({ leaf, own }) => (own.length === 0 ? [] : headsOf(catalog, leaf).filter((head) => wanted.has(textOf(head)))));
}

/** Stores the content with this change. Call it within a transaction. */
export function editContent(
  content: Content,
  { add, drop }: ContentEdit,
  { catalog, compareVersions }: { readonly catalog: Catalog; readonly compareVersions: (a: string, b: string) => number },
): Content {
  const pieces: (Leaf | LeafDraft)[] = [];
  const cutter = cutLeaves((leaf) => pieces.push(leaf));
  const gone = new Set(drop.map(({ digest }) => digest));
  const added = new Set(add);
  for (const { leaf, own } of splitAtLeaves(catalog.contents.leaves(content.id), [...add, ...drop].sort(comparePlaces))) {
    if (leaf !== undefined && own.length === 0 && cutter.atCut() && isClosed(leaf)) {
      cutter.end();
      pieces.push(leaf);
      continue;
    }
    const kept = headsOf(catalog, leaf).filter(({ digest }) => !gone.has(digest));
    const joined: PlacedMember[] = [...kept, ...own.filter((place): place is PlacedMember => added.has(place as PlacedMember))];
    for (const member of joined.sort((a, b) => compareMembers(a, b, compareVersions))) cutter.add(member);
  }
  cutter.end();
  return catalog.contents.store(pieces);
}

interface Part<P> {
  /** Undefined for what stands behind all leaves. */
  readonly leaf: Leaf | undefined;
  readonly own: readonly P[];
}

/** Gives each leaf the positions up to its last name that no leaf before it has. The positions are sorted. */
function splitAtLeaves<P extends NamePlace>(leaves: readonly Leaf[], positions: readonly P[]): Part<P>[] {
  let at = 0;
  const parts = leaves.map((leaf): Part<P> => {
    const from = at;
    const last = { partition: leaf.partition, name: leaf.last };
    for (let next = positions[at]; next !== undefined && comparePlaces(next, last) <= 0; next = positions[at]) at += 1;
    return { leaf, own: positions.slice(from, at) };
  });
  return [...parts, { leaf: undefined, own: positions.slice(at) }];
}

function headsOf(catalog: Catalog, leaf: Leaf | undefined): RecordHead[] {
  return leaf === undefined ? [] : catalog.members.heads(catalog.contents.members(leaf.id));
}

function textOf({ partition, name }: NamePlace): string {
  return `${partition}\0${name}`;
}
