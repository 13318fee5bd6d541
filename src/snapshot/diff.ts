/** What changed from one content to another. Pure; looks only into leaves that differ. */
import { packageKey, sameFiles, type FileRef, type PackageKey, type RecordDigest } from '../core/package.ts';
import { differingNames, walk, type AlignedLeaves, type Differing, type WalkedMember, type WalkedSource } from './walk.ts';

export interface DiffedMember extends WalkedMember, PackageKey {
  readonly digest: RecordDigest;
  readonly files: readonly FileRef[];
}

/** A package of one name and architecture whose versions differ. */
export interface VersionChange {
  readonly name: string;
  readonly architecture: string;
  readonly from: readonly string[];
  readonly to: readonly string[];
}

/** The same version with another description, or with other bytes. */
export interface Redescription extends PackageKey {
  readonly files: 'same' | 'different';
}

export interface ContentDiff {
  readonly added: readonly PackageKey[];
  readonly removed: readonly PackageKey[];
  readonly changed: readonly VersionChange[];
  readonly redescribed: readonly Redescription[];
}

export interface DiffBuilder {
  readonly added: PackageKey[];
  readonly removed: PackageKey[];
  readonly changed: VersionChange[];
  readonly redescribed: Redescription[];
}

/** From `a` to `b`: what must be added to and removed from `a` to get `b`. `differing` saves looking at every name. */
export function diffContents(a: WalkedSource<DiffedMember>, b: WalkedSource<DiffedMember>, differing?: Differing<DiffedMember>): ContentDiff {
  const diff: DiffBuilder = { added: [], removed: [], changed: [], redescribed: [] };
  const settle = ({ leaves }: AlignedLeaves): boolean => {
    const members = differing?.(leaves);
    for (const [before = [], after = []] of differingNames(members ?? [])) compareGroups(before, after, diff);
    return members !== undefined;
  };
  for (const step of walk([a, b], settle)) {
    if (step.kind === 'name') {
      compareGroups(step.groups[0] ?? [], step.groups[1] ?? [], diff);
    } else if (step.sources.length === 1) {
      const side = step.sources[0] === 0 ? { source: a, list: diff.removed } : { source: b, list: diff.added };
      for (const member of side.source.load(step.leaf)) side.list.push(packageKey(member));
    }
  }
  return diff;
}

function compareGroups(before: readonly DiffedMember[], after: readonly DiffedMember[], diff: DiffBuilder): void {
  if (before.length === after.length && before.every(({ digest }, index) => digest === after[index]?.digest)) return;
  const architectures = new Set([...before, ...after].map((member) => member.architecture));
  for (const architecture of architectures) {
    const from = before.filter((member) => member.architecture === architecture);
    const to = after.filter((member) => member.architecture === architecture);
    compareVersionsOfOne(from, to, diff);
  }
}

function compareVersionsOfOne(from: readonly DiffedMember[], to: readonly DiffedMember[], diff: DiffBuilder): void {
  const gone = from.filter((member) => !to.some((other) => other.version === member.version));
  const come = to.filter((member) => !from.some((other) => other.version === member.version));
  const sample = from[0] ?? to[0];
  if (gone.length > 0 && come.length > 0 && sample !== undefined) {
    const { name, architecture } = sample;
    diff.changed.push({ name, architecture, from: gone.map((item) => item.version), to: come.map((item) => item.version) });
  } else {
    diff.removed.push(...gone.map(packageKey));
    diff.added.push(...come.map(packageKey));
  }
  for (const member of to) {
    const old = from.find((other) => other.version === member.version);
    if (old === undefined || old.digest === member.digest) continue;
    diff.redescribed.push({ ...packageKey(member), files: sameFiles(old.files, member.files) ? 'same' : 'different' });
  }
}
