/**
 * Walks several contents side by side in publication order, name by name, without looking into leaves that need no
 * look: pure, so that merging and comparing are tested as values.
 */
import type { Leaf } from '../core/snapshot.ts';

/** What is compared of a member. The catalog's record heads are these. */
export interface WalkedMember {
  readonly partition: string;
  readonly name: string;
}

/** One content to walk. `load` gives the members of a leaf in publication order. */
export interface WalkedSource<M extends WalkedMember> {
  readonly leaves: readonly Leaf[];
  readonly load: (leaf: Leaf) => readonly M[];
}

/** Either one leaf that stands for the same names in some sources and in no other, or all members of one name. */
export type Step<M extends WalkedMember> =
  | { readonly kind: 'leaf'; readonly leaf: Leaf; readonly sources: readonly number[] }
  | { readonly kind: 'name'; readonly partition: string; readonly name: string; readonly groups: readonly (readonly M[])[] };

/** A leaf is handed on whole when every source that has its names has exactly this leaf there. */
export function* walk<M extends WalkedMember>(sources: readonly WalkedSource<M>[]): Generator<Step<M>> {
  const cursors = sources.map((source) => new Cursor(source));
  for (;;) {
    const next = lowest(cursors);
    if (next === undefined) return;
    const shared = sharedLeaf(cursors, next);
    if (shared !== undefined) {
      for (const index of shared.sources) cursors[index]?.skipLeaf();
      yield { kind: 'leaf', ...shared };
      continue;
    }
    yield { kind: 'name', ...next, groups: cursors.map((cursor) => cursor.take(next)) };
  }
}

interface Key {
  readonly partition: string;
  readonly name: string;
}

function compareKeys(a: Key, b: Key): number {
  if (a.partition !== b.partition) return a.partition < b.partition ? -1 : 1;
  if (a.name !== b.name) return a.name < b.name ? -1 : 1;
  return 0;
}

function lowest(cursors: readonly Cursor<WalkedMember>[]): Key | undefined {
  let found: Key | undefined;
  for (const cursor of cursors) {
    const key = cursor.key();
    if (key !== undefined && (found === undefined || compareKeys(key, found) < 0)) found = key;
  }
  return found;
}

function sharedLeaf(
  cursors: readonly Cursor<WalkedMember>[],
  next: Key,
): { leaf: Leaf; sources: number[] } | undefined {
  let leaf: Leaf | undefined;
  for (const cursor of cursors) {
    const key = cursor.key();
    if (key !== undefined && compareKeys(key, next) === 0) leaf ??= cursor.unopened();
  }
  if (leaf === undefined) return undefined;
  const last = { partition: leaf.partition, name: leaf.last };
  const sources: number[] = [];
  for (const [index, cursor] of cursors.entries()) {
    const key = cursor.key();
    if (cursor.unopened()?.digest === leaf.digest) sources.push(index);
    else if (key !== undefined && compareKeys(key, last) <= 0) return undefined;
  }
  return { leaf, sources };
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

  key(): Key | undefined {
    if (this.#members !== undefined) return this.#members[this.#at];
    const leaf = this.#source.leaves[this.#leaf];
    return leaf === undefined ? undefined : { partition: leaf.partition, name: leaf.first };
  }

  skipLeaf(): void {
    this.#leaf += 1;
  }

  /** The members under this key, which is not above the current one; the cursor moves behind them. */
  take(key: Key): readonly M[] {
    const current = this.key();
    if (current === undefined || compareKeys(current, key) !== 0) return [];
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
