import type { PackageKey, RecordDigest } from './package.ts';

/** What decides where a member stands. */
export interface OrderedMember extends PackageKey {
  readonly partition: string;
  readonly digest: RecordDigest;
}

/** Where all members of one name stand. */
export type NamePlace = Pick<OrderedMember, 'partition' | 'name'>;

/** Publication order as far as names decide it: partition, then name. */
export function comparePlaces(a: NamePlace, b: NamePlace): -1 | 0 | 1 {
  if (a.partition !== b.partition) return a.partition < b.partition ? -1 : 1;
  return a.name < b.name ? -1 : a.name > b.name ? 1 : 0;
}

/** Publication order: partition, name, version as the format orders it, then identity, so that no two are equal. */
export function compareMembers(a: OrderedMember, b: OrderedMember, compareVersions: (a: string, b: string) => number): number {
  const places = comparePlaces(a, b);
  if (places !== 0) return places;
  const versions = a.version === b.version ? 0 : compareVersions(a.version, b.version);
  if (versions !== 0) return versions;
  if (a.version !== b.version) return a.version < b.version ? -1 : 1;
  return a.digest < b.digest ? -1 : a.digest > b.digest ? 1 : 0;
}

/** What must not stand twice in one index with different bytes, as text to look it up by. */
export function memberKey({ partition, name, version, architecture }: Omit<OrderedMember, 'digest'>): string {
  return `${partition}\0${name}\0${version}\0${architecture}`;
}
