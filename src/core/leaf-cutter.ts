/**
 * Where a content is cut into leaves. A cut depends only on what its own leaf holds, never on what follows or went
 * before, so equal contents have equal leaves however they came about, and an insertion moves the cuts of one leaf.
 */
import { createHash } from 'node:crypto';
import type { Sha256 } from './digest.ts';
import type { RecordDigest } from './package.ts';
import type { Leaf } from './snapshot.ts';

/** A member as the cutter and a merge see it. */
export interface Member {
  readonly id: number;
  readonly digest: RecordDigest;
  readonly partition: string;
  readonly name: string;
  /** Bytes of published text, without what separates it from the next. */
  readonly size: number;
}

/** A leaf that may or may not be in the catalog yet. */
export interface LeafDraft {
  readonly digest: Sha256;
  readonly partition: string;
  readonly first: string;
  readonly last: string;
  readonly size: number;
  readonly members: readonly Member[];
}

/**
 * With names and stanzas as Debian has them these give leaves of about 128 KiB: small enough that a changed package
 * costs little compression, large enough that xz loses only some percent against one solid stream (docs/decisions).
 */
const SMALLEST = 64 * 1024;
const LARGEST = 512 * 1024;
const ONE_IN_NAMES = 64;

/** True when a leaf of this size ends after the last member of this name. */
function endsLeaf(size: number, name: string): boolean {
  return size >= LARGEST || (size >= SMALLEST && nameHash(name) % ONE_IN_NAMES === 0);
}

/** True when nothing that may follow in its partition can become part of this leaf. */
export function isClosed(leaf: Pick<Leaf, 'size' | 'last'>): boolean {
  return endsLeaf(leaf.size, leaf.last);
}

/** Receives members in publication order and hands on finished leaves. */
export interface LeafCutter {
  add(member: Member): void;
  /** True when the next member starts a new leaf, so that a closed leaf may be taken over whole. */
  atCut(): boolean;
  /** Ends the last leaf. */
  end(): void;
}

export function cutLeaves(emit: (leaf: LeafDraft) => void): LeafCutter {
  let members: Member[] = [];
  let size = 0;
  const flush = (): void => {
    const first = members[0];
    const last = members.at(-1);
    if (first === undefined || last === undefined) return;
    emit({ digest: leafDigest(members), partition: first.partition, first: first.name, last: last.name, size, members });
    members = [];
    size = 0;
  };
  /** Members of one name stay together, so whether a leaf has ended is known when the next name comes. */
  const isOver = (next: Member): boolean => {
    const last = members.at(-1);
    if (last === undefined) return false;
    return last.partition !== next.partition || (last.name !== next.name && endsLeaf(size, last.name));
  };
  return {
    add: (member) => {
      if (isOver(member)) flush();
      members.push(member);
      size += member.size;
    },
    atCut: () => {
      const last = members.at(-1);
      return last === undefined || endsLeaf(size, last.name);
    },
    end: flush,
  };
}

/** SHA-256 over the partition and the digests of the members in their order. */
function leafDigest(members: readonly Member[]): Sha256 {
  const digests = members.map(({ digest }) => digest).join('');
  return createHash('sha256').update(`${members[0]?.partition}\0`).update(digests, 'hex').digest('hex') as Sha256;
}

/** FNV-1a over the UTF-16 units with a final mix, since its low bits alone are weak. */
function nameHash(name: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < name.length; i += 1) hash = Math.imul(hash ^ name.charCodeAt(i), 0x01000193);
  hash = Math.imul(hash ^ (hash >>> 16), 0x45d9f3b);
  return (hash ^ (hash >>> 13)) >>> 0;
}
