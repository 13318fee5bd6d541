/**
 * Walks several contents side by side in publication order, name by name, without looking into leaves that need no
 * look: pure, so that merging and comparing are tested as values.
 */
import { comparePlaces, type NamePlace } from '../core/member-order.ts';
import type { Leaf } from '../core/snapshot.ts';

/** What is compared of a member. The catalog's record heads are these. */
export type WalkedMember = NamePlace;

/** One content to walk. `load` gives the members of a leaf in publication order. */
export interface WalkedSource<M extends WalkedMember> {
  readonly leaves: readonly Leaf[];
  readonly load: (leaf: Leaf) => readonly M[];
}

/** Either one leaf that stands for the same names in some sources and in no other, or all members of one name. */
export type Step<M extends WalkedMember> =
  | { readonly kind: 'leaf'; readonly leaf: Leaf; readonly sources: readonly number[] }
  | { readonly kind: 'name'; readonly partition: string; readonly name: string; readonly groups: readonly (readonly M[])[] };

/** Leaves of several sources that begin and end with the same names, where no other source has any of those. */
export interface AlignedLeaves {
  readonly leaves: readonly Leaf[];
  /** Of which source each of them is. */
  readonly sources: readonly number[];
}

/**
 * For aligned leaves the members that not all of them have, a list for each leaf. Undefined where some members of a name
 * differ and others do not, or where so much differs that looking at every name is no dearer.
 */
export type Differing<M extends WalkedMember> = (leaves: readonly Leaf[]) => readonly (readonly M[])[] | undefined;

/**
 * A leaf is handed on whole when every source that has its names has exactly this leaf there. Aligned leaves that differ
 * are offered to `settle` first, which returns true when it has dealt with them.
 */
export function* walk<M extends WalkedMember>(
  sources: readonly WalkedSource<M>[],
  settle: (aligned: AlignedLeaves) => boolean = () => false,
): Generator<Step<M>> {
  const cursors = sources.map((source) => new Cursor(source));
  for (;;) {
    const next = lowest(cursors);
    if (next === undefined) return;
    const aligned = alignedLeaves(cursors, next);
    const shared = aligned === undefined ? undefined : sharedLeaf(aligned);
    if (aligned !== undefined && (shared !== undefined || settle(aligned))) {
      for (const index of aligned.sources) cursors[index]?.skipLeaf();
      if (shared !== undefined) yield { kind: 'leaf', leaf: shared, sources: aligned.sources };
      continue;
    }
    yield { kind: 'name', ...next, groups: cursors.map((cursor) => cursor.take(next)) };
  }
}

/** The names that differ, in publication order, each with its members in the aligned leaves. */
export function* differingNames<M extends WalkedMember>(differing: readonly (readonly M[])[]): Generator<readonly (readonly M[])[]> {
  const names = new Set(differing.flat().map(({ name }) => name));
  for (const name of [...names].sort()) yield differing.map((members) => members.filter((member) => member.name === name));
}

function lowest(cursors: readonly Cursor<WalkedMember>[]): NamePlace | undefined {
  let found: NamePlace | undefined;
  for (const cursor of cursors) {
    const key = cursor.key();
    if (key !== undefined && (found === undefined || comparePlaces(key, found) < 0)) found = key;
  }
  return found;
}

function alignedLeaves(cursors: readonly Cursor<WalkedMember>[], next: NamePlace): AlignedLeaves | undefined {
  const starting = cursors.find((cursor) => isAt(cursor, next) && cursor.unopened() !== undefined);
  const first = starting?.unopened();
  if (first === undefined) return undefined;
  const last = { partition: first.partition, name: first.last };
  const leaves: Leaf[] = [];
  const sources: number[] = [];
  for (const [index, cursor] of cursors.entries()) {
    const leaf = cursor.unopened();
    if (leaf !== undefined && leaf.last === first.last && isAt(cursor, next)) {
      leaves.push(leaf);
      sources.push(index);
      continue;
    }
    const key = cursor.key();
    if (key !== undefined && comparePlaces(key, last) <= 0) return undefined;
  }
  return { leaves, sources };
}

function isAt(cursor: Cursor<WalkedMember>, next: NamePlace): boolean {
  const key = cursor.key();
  return key !== undefined && comparePlaces(key, next) === 0;
}

function sharedLeaf({ leaves }: AlignedLeaves): Leaf | undefined {
  const [first] = leaves;
  return leaves.every(({ digest }) => digest === first?.digest) ? first : undefined;
}

/** Position in one source: before an unopened leaf, or among the members of an opened one. */
class Cursor<M extends WalkedMember> {
  readonly #source: WalkedSource<M>;
  #leaf = 0;
  #members: readonly M[] | undefined;
  #at = 0;

  constructor(source: WalkedSource<M>) {
    this.#source = source;
  }

  unopened(): Leaf | undefined {
    return this.#members === undefined ? this.#source.leaves[this.#leaf] : undefined;
  }

  key(): NamePlace | undefined {
    if (this.#members !== undefined) return this.#members[this.#at];
    const leaf = this.#source.leaves[this.#leaf];
    return leaf === undefined ? undefined : { partition: leaf.partition, name: leaf.first };
  }

  skipLeaf(): void {
    this.#leaf += 1;
  }

  /** The members under this key, which is not above the current one; the cursor moves behind them. */
  take(key: NamePlace): readonly M[] {
    const current = this.key();
    if (current === undefined || comparePlaces(current, key) !== 0) return [];
    const leaf = this.#source.leaves[this.#leaf];
    if (leaf !== undefined) this.#members ??= this.#source.load(leaf);
    const members = this.#members ?? [];
    const from = this.#at;
    while (members[this.#at]?.name === key.name) this.#at += 1;
    const taken = members.slice(from, this.#at);
    if (this.#at === members.length) {
      this.#members = undefined;
      this.#at = 0;
      this.#leaf += 1;
    }
    return taken;
  }
}
