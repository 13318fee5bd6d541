/** Small contents for property tests, without a catalog: what walk, merge and diff see of snapshots. */
import { createHash } from 'node:crypto';
import fc from 'fast-check';
import type { Sha256 } from '../../src/core/digest.ts';
import { cutLeaves, type LeafDraft } from '../../src/core/leaf-cutter.ts';
import type { RecordDigest } from '../../src/core/package.ts';
import type { Leaf } from '../../src/core/snapshot.ts';
import type { MergedMember, MergeSource } from '../../src/snapshot/merge.ts';

/** A package of the model: `bytes` and `text` are variants of its file and of its description. */
export interface Package {
  readonly partition: string;
  readonly name: string;
  readonly version: string;
  readonly architecture: string;
  readonly bytes: number;
  readonly text: number;
}

const hex = (text: string): string => createHash('sha256').update(text).digest('hex');

export const compareVersions = (a: string, b: string): number => Number(a) - Number(b);

export function memberOf({ partition, name, version, architecture, bytes, text }: Package): MergedMember {
  const key = `${partition} ${name} ${version} ${architecture}`;
  const file = hex(`${key} ${bytes}`);
  // As long as it takes for cuts to happen among few members; it depends on nothing but the package.
  const size = 4000 + (Number.parseInt(file.slice(0, 4), 16) % 60_000);
  return {
    id: Number.parseInt(hex(`${key} ${bytes} ${text}`).slice(0, 8), 16),
    digest: hex(`${key} ${bytes} ${text}`) as RecordDigest,
    partition,
    name,
    version,
    architecture,
    size,
    files: [{ name: `${name}.deb`, size: 1, sha256: file as Sha256 }],
  };
}

export function sortMembers(members: readonly MergedMember[]): MergedMember[] {
  const key = (member: MergedMember): string => `${member.partition}\0${member.name}\0${member.version}\0${member.digest}`;
  return [...members].sort((a, b) => (key(a) < key(b) ? -1 : 1));
}

export function cut(members: readonly MergedMember[]): LeafDraft[] {
  const leaves: LeafDraft[] = [];
  const cutter = cutLeaves((leaf) => leaves.push(leaf));
  for (const member of sortMembers(members)) cutter.add(member);
  cutter.end();
  return leaves;
}

export interface ModelSource extends MergeSource {
  readonly members: readonly MergedMember[];
  /** Digests of the leaves that were looked into. */
  readonly loaded: Set<string>;
}

const stored = new Map<string, { readonly leaf: Leaf; readonly members: readonly MergedMember[] }>();

/** The packages as a snapshot of that name. Equal leaves have equal numbers, as in a catalog. */
export function sourceOf(name: string, packages: readonly Package[]): ModelSource {
  const members = sortMembers(packages.map(memberOf));
  const loaded = new Set<string>();
  const leaves = cut(members).map(({ members: held, ...draft }) => {
    const known = stored.get(draft.digest) ?? { leaf: { ...draft, id: stored.size + 1, count: held.length }, members: held as MergedMember[] };
    stored.set(draft.digest, known);
    return known.leaf;
  });
  const load = (leaf: Leaf): readonly MergedMember[] => {
    loaded.add(leaf.digest);
    return stored.get(leaf.digest)?.members ?? [];
  };
  return { name, leaves, load, members, loaded };
}

/** As the catalog's: undefined where some members of a name differ and others do not. */
export function differing(leaves: readonly Leaf[]): MergedMember[][] | undefined {
  const lists = leaves.map(({ digest }) => [...(stored.get(digest)?.members ?? [])]);
  const inAll = (member: MergedMember): boolean => lists.every((list) => list.some(({ id }) => id === member.id));
  const names = new Set(lists.flat().filter((member) => !inAll(member)).map(({ name }) => name));
  if (lists.flat().some((member) => inAll(member) && names.has(member.name))) return undefined;
  return lists.map((list) => list.filter((member) => !inAll(member)));
}

const aPackage = fc.record({
  partition: fc.constantFrom('binary-all', 'binary-amd64'),
  name: fc.integer({ min: 0, max: 60 }).map((n) => `p${String(n).padStart(2, '0')}`),
  version: fc.constantFrom('1', '2', '3'),
  bytes: fc.constantFrom(0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1),
  text: fc.constantFrom(0, 0, 0, 0, 0, 0, 1),
});

const packages = fc
  .uniqueArray(aPackage, { maxLength: 90, selector: ({ partition, name, version }) => `${partition} ${name} ${version}` })
  .map((list) => list.map((item) => ({ ...item, architecture: item.partition.replace('binary-', '') })));

/** Several lists of packages that have much in common, as snapshots of one upstream have. */
export const families = fc
  .tuple(packages, fc.array(fc.tuple(packages, fc.integer({ min: 0, max: 100 })), { minLength: 1, maxLength: 3 }))
  .map(([base, others]) => [base, ...others.map(([own, share]) => blend(base, own, share))]);

/** The first `share` percent of the base, and some of its own. */
function blend(base: readonly Package[], own: readonly Package[], share: number): Package[] {
  const kept = sortPackages(base).slice(0, Math.ceil((base.length * share) / 100));
  const taken = new Set(kept.map(keyOf));
  return [...kept, ...own.slice(0, 12).filter((item) => !taken.has(keyOf(item)))];
}

function sortPackages(list: readonly Package[]): Package[] {
  return [...list].sort((a, b) => (keyOf(a) < keyOf(b) ? -1 : 1));
}

export function keyOf({ partition, name, version, architecture }: Omit<Package, 'bytes' | 'text'>): string {
  return `${partition} ${name} ${version} ${architecture}`;
}
