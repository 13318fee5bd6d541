/** Merging contents by one of several policies, with conflicts told instead of the last source winning silently. Pure. */
import { describePackage, packageKey, sameFiles, type FileRef, type PackageKey, type RecordDigest } from '../core/package.ts';
import { cutLeaves, isClosed, type LeafDraft, type Member } from '../core/leaf-cutter.ts';
import { compareMembers } from '../core/member-order.ts';
import type { Leaf, MergePolicy } from '../core/snapshot.ts';
import type { HasPackage } from '../formats/format.ts';
import { differingNames, walk, type AlignedLeaves, type Differing, type WalkedSource } from './walk.ts';

export interface MergedMember extends Member, PackageKey {
  readonly files: readonly FileRef[];
}

export interface MergeSource extends WalkedSource<MergedMember> {
  /** For messages: the snapshot's name. */
  readonly name: string;
}

/** Same name, version and architecture, other bytes: both cannot stand in one index. */
export interface MergeConflict {
  readonly package: PackageKey;
  readonly first: { readonly source: string; readonly digest: RecordDigest; readonly files: readonly FileRef[] };
  readonly second: { readonly source: string; readonly digest: RecordDigest; readonly files: readonly FileRef[] };
}

export interface MergeResult {
  readonly pieces: readonly (Leaf | LeafDraft)[];
  readonly conflicts: readonly MergeConflict[];
  /** Packages described differently by two sources though their files are the same; the later source's word counts. */
  readonly redescribed: readonly PackageKey[];
}

export interface MergeOptions {
  readonly policy: MergePolicy;
  readonly compareVersions: (a: string, b: string) => number;
  /** The partition whose members are no versions of a package: all of them are kept, whatever the policy. */
  readonly listedPartition: string;
  /** Packages that are parts of sets taken as a whole: all of them are kept, and the policy chooses among the others. */
  readonly isBound?: HasPackage | undefined;
  /** Saves looking at every name of leaves that differ little. */
  readonly differing?: Differing<MergedMember>;
}

/** Merges the sources in their order. With conflicts the pieces are not to be used. */
export function mergeContents(sources: readonly MergeSource[], options: MergeOptions): MergeResult {
  const pieces: (Leaf | LeafDraft)[] = [];
  const conflicts: MergeConflict[] = [];
  const redescribed: PackageKey[] = [];
  const cutter = cutLeaves((leaf) => pieces.push(leaf));
  const settle = (aligned: AlignedLeaves): boolean => {
    const leaf = cutter.atCut() ? winningLeaf(aligned, sources, { ...options, conflicts, redescribed }) : undefined;
    if (leaf === undefined) return false;
    cutter.end();
    pieces.push(leaf);
    return true;
  };

  for (const step of walk(sources, settle)) {
    const agreed = step.kind === 'name' ? agreedMember(step.groups) : undefined;
    if (agreed !== undefined) {
      cutter.add(agreed);
    } else if (step.kind === 'name') {
      const united = unite(step.groups, sources, { ...options, conflicts, redescribed });
      for (const member of choose(united, options)) cutter.add(member);
    } else if (cutter.atCut() && isClosed(step.leaf) && !choosesWithin(options)) {
      cutter.end();
      pieces.push(step.leaf);
    } else {
      for (const name of byName(sources[step.sources[0] ?? 0]?.load(step.leaf) ?? [])) {
        for (const member of choose(name.map((item) => ({ member: item, source: step.sources[0] ?? 0 })), options)) {
          cutter.add(member);
        }
      }
    }
  }
  cutter.end();
  return { pieces, conflicts, redescribed };
}

/** Whether a leaf that all sources have may lose members all the same. */
function choosesWithin({ policy }: MergeOptions): boolean {
  return policy === 'latest' || policy === 'source' || policy === 'newest';
}

interface Found {
  readonly conflicts: MergeConflict[];
  readonly redescribed: PackageKey[];
}

/** The one of these leaves that merging all of them results in, as where a source has what is newest of everything. */
function winningLeaf(
  { leaves, sources: indexes }: AlignedLeaves,
  sources: readonly MergeSource[],
  { conflicts, redescribed, ...options }: MergeOptions & Found,
): Leaf | undefined {
  // The highest version may be chosen among members that all leaves have.
  const differing = choosesWithin(options) ? undefined : options.differing?.(leaves);
  if (differing === undefined) return undefined;
  const found: Found = { conflicts: [], redescribed: [] };
  let winners = [...leaves.keys()].filter((index) => isClosed(leaves[index] as Leaf));
  for (const groups of differingNames(differing)) {
    const bySource = sources.map((_, source) => groups[indexes.indexOf(source)] ?? []);
    const chosen = choose(unite(bySource, sources, { ...options, ...found }), options);
    winners = winners.filter((index) => sameMembers(groups[index] ?? [], chosen));
    if (winners.length === 0) return undefined;
  }
  conflicts.push(...found.conflicts);
  redescribed.push(...found.redescribed);
  return leaves[winners[0] ?? 0];
}

function sameMembers(a: readonly MergedMember[], b: readonly MergedMember[]): boolean {
  return a.length === b.length && a.every(({ id }, index) => id === b[index]?.id);
}

/** The only member of a name, when no source that has the name says anything else: by far the most are so. */
function agreedMember(groups: readonly (readonly MergedMember[])[]): MergedMember | undefined {
  let found: MergedMember | undefined;
  for (const group of groups) {
    const member = group[0];
    if (member === undefined) continue;
    if (group.length > 1 || (found !== undefined && found.digest !== member.digest)) return undefined;
    found = member;
  }
  return found;
}

interface Sourced {
  readonly member: MergedMember;
  readonly source: number;
}

/** All members of one name from all sources, each name, version and architecture once. */
function unite(
  groups: readonly (readonly MergedMember[])[],
  sources: readonly MergeSource[],
  { policy, conflicts, redescribed }: Found & Pick<MergeOptions, 'policy'>,
): Sourced[] {
  const united = new Map<string, Sourced>();
  for (const [source, group] of groups.entries()) {
    for (const member of group) {
      const key = `${member.version}\0${member.architecture}`;
      const before = united.get(key);
      if (before !== undefined && before.member.digest !== member.digest) {
        if (sameFiles(before.member.files, member.files)) redescribed.push(packageKey(member));
        else conflicts.push(conflictOf(before, { member, source }, sources));
      }
      if (before === undefined || policy !== 'first') united.set(key, { member, source });
    }
  }
  return [...united.values()];
}

function conflictOf(first: Sourced, second: Sourced, sources: readonly MergeSource[]): MergeConflict {
  const side = ({ member, source }: Sourced): MergeConflict['first'] => ({
    source: sources[source]?.name ?? '',
    digest: member.digest,
    files: member.files,
  });
  return { package: packageKey(second.member), first: side(first), second: side(second) };
}

function choose(members: readonly Sourced[], options: MergeOptions): MergedMember[] {
  const kept = applyPolicy(members, options).map(({ member }) => member);
  // Digests order listed files by chance, and which source's word counts is told by the order of the sources.
  if (kept[0]?.partition === options.listedPartition) return kept;
  return kept.sort((a, b) => compareMembers(a, b, options.compareVersions));
}

function applyPolicy(members: readonly Sourced[], options: MergeOptions): readonly Sourced[] {
  const { isBound, listedPartition } = options;
  if (members.length < 2 || members[0]?.member.partition === listedPartition) return members;
  if (isBound === undefined) return chooseVersions(members, options);
  const bound = members.filter(({ member }) => isBound(member));
  return [...bound, ...chooseVersions(members.filter((item) => !bound.includes(item)), options)];
}

function chooseVersions(members: readonly Sourced[], { policy, compareVersions }: MergeOptions): readonly Sourced[] {
  switch (policy) {
    case 'no-remove':
    case 'source': // chosen before
    case 'newest':
      return members;
    case 'first':
      return perArchitecture(members, (group) => {
        const first = Math.min(...group.map(({ source }) => source));
        return group.filter(({ source }) => source === first);
      });
    case 'latest':
      return perArchitecture(members, (group) => [
        group.reduce((best, item) => (compareVersions(item.member.version, best.member.version) > 0 ? item : best)),
      ]);
    case 'replace':
      return perArchitecture(members, (group) => {
        const last = Math.max(...group.map(({ source }) => source));
        return group.filter(({ source }) => source === last);
      });
    default:
      return policy satisfies never;
  }
}

function perArchitecture(members: readonly Sourced[], keep: (group: Sourced[]) => Sourced[]): Sourced[] {
  const groups = new Map<string, Sourced[]>();
  for (const item of members) {
    const group = groups.get(item.member.architecture);
    if (group === undefined) groups.set(item.member.architecture, [item]);
    else group.push(item);
  }
  return [...groups.values()].flatMap(keep);
}

function* byName(members: readonly MergedMember[]): Generator<MergedMember[]> {
  let group: MergedMember[] = [];
  for (const member of members) {
    if (group.length > 0 && group[0]?.name !== member.name) {
      yield group;
      group = [];
    }
    group.push(member);
  }
  if (group.length > 0) yield group;
}

/** One line for people, naming both origins. */
export function describeConflict(conflict: MergeConflict): string {
  const bytes = (side: MergeConflict['first']): string => side.files.map((file) => file.sha256.slice(0, 12)).join(' ');
  const { first, second } = conflict;
  return `${describePackage(conflict.package)} is ${bytes(first)} in ${first.source} and ${bytes(second)} in ${second.source}`;
}
