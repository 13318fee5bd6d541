import type { Alternative, Capability, FollowOptions, QuerySubject, Requirement } from '../core/relation.ts';
import { openNameIndex } from './name-index.ts';
import type { CompareVersions } from './operator.ts';
import { compareTexts, holds } from './operator.ts';

/** Packages that may meet each other's needs, found by every name they answer to. */
export interface Universe {
  /** The packages that have this name or provide it; sources never, for nothing can depend on one. */
  named(name: string): readonly QuerySubject[];
  /** At least all that have companions, to be asked while they are iterated. Absent: there are none. */
  companionable?(follow: FollowOptions): Iterable<QuerySubject>;
}

/** A universe of packages that are kept as something smaller than subjects. */
export interface SmallUniverse<T> extends Universe {
  /** The one subject that stands for a package in this universe. */
  subjectOf(item: T): QuerySubject;
  itemOf(subject: QuerySubject): T | undefined;
}

/**
 * Reads the capabilities of every package, and keeps none of them: a closure looks at few, and those are read again.
 * `read` is called anew for each look.
 */
export function buildUniverse<T>(packages: Iterable<T>, read: (item: T) => QuerySubject): SmallUniverse<T> {
  const items = [...packages];
  const index = openNameIndex();
  for (const [number, item] of items.entries()) {
    const subject = read(item);
    if (subject.type !== 'source') for (const { name } of subject.capabilities) index.add(name, number);
  }
  const subjects = new Map<T, QuerySubject>();
  const known = new Map<QuerySubject, T>();
  const subjectOf = (item: T): QuerySubject => {
    const before = subjects.get(item);
    if (before !== undefined) return before;
    const subject = read(item);
    subjects.set(item, subject);
    known.set(subject, item);
    return subject;
  };
  const answering = (name: string): readonly QuerySubject[] => {
    const found = index.find(name).map((number) => subjectOf(items[number] as T));
    return found.filter(({ capabilities }) => capabilities.some((one) => one.name === name));
  };
  /** Few needs are of files that are no capabilities. */
  const installs = (subject: QuerySubject, path: string): boolean => subject.type !== 'source' && subject.installs?.(path) === true;
  const installers = (path: string): readonly QuerySubject[] => items.filter((item) => installs(read(item), path)).map(subjectOf);
  return {
    subjectOf,
    itemOf: (subject) => known.get(subject),
    named: remembered((name) => {
      const found = answering(name);
      return found.length > 0 || !name.startsWith('/') ? found : installers(name);
    }),
    companionable: () => items.map(subjectOf).filter(({ type }) => type !== 'source'),
  };
}

function remembered(find: (name: string) => readonly QuerySubject[]): (name: string) => readonly QuerySubject[] {
  const known = new Map<string, readonly QuerySubject[]>();
  return (name) => {
    const before = known.get(name);
    if (before !== undefined) return before;
    const found = find(name);
    known.set(name, found);
    return found;
  };
}

/** Who needs something, and where it is to be installed or built. */
export interface Needer {
  readonly subject: QuerySubject;
  readonly architecture: string;
}

/** The rules by which needs are met. */
export interface MeetingRules {
  readonly universe: Universe;
  readonly compareVersions: CompareVersions;
  /** Architectures a package may come from besides the needer's own and `all`. */
  readonly architectures: ReadonlySet<string>;
}

/** True when some package meets the need, whichever alternative of it, also when all packages are there at once. */
export function canBeMet(rules: MeetingRules, needer: Needer, requirement: Requirement): boolean {
  return requirement.some(
    (alternative) =>
      rules.universe.named(alternative.name).some((candidate) => meets(rules, { needer, alternative, candidate })) !== (alternative.absent === true),
  );
}

/**
 * The packages that meet an alternative, best first: those of that very name before those that provide it, the needer's
 * own architecture before a foreign one, the highest version, then by name. The order does not depend on the order in
 * which the universe was built.
 */
export function satisfiers(rules: MeetingRules, needer: Needer, alternative: Alternative): readonly QuerySubject[] {
  const found = rules.universe
    .named(alternative.name)
    .filter((candidate) => meets(rules, { needer, alternative, candidate }));
  return found.length < 2 ? found : found.sort((a, b) => byPreference(rules, { needer, alternative, a, b }));
}

/** A total order of packages for output: by name, version, architecture, type, then what is left to tell them apart. */
export function compareSubjects(a: QuerySubject, b: QuerySubject, compareVersions: CompareVersions): number {
  return (
    compareTexts(a.name, b.name) ||
    compareVersions(a.version, b.version) ||
    compareTexts(a.version, b.version) ||
    compareTexts(a.architecture, b.architecture) ||
    compareTexts(a.type, b.type) ||
    compareTexts(a.source.name, b.source.name) ||
    compareVersions(a.source.version, b.source.version)
  );
}

interface Meeting {
  readonly needer: Needer;
  readonly alternative: Alternative;
  readonly candidate: QuerySubject;
}

function meets(rules: MeetingRules, { needer, alternative, candidate }: Meeting): boolean {
  return (
    sameWorld(needer.subject, candidate) &&
    architectureFits(rules, { needer, alternative, candidate }) &&
    offers(rules, candidate, alternative)
  );
}

function offers(rules: MeetingRules, candidate: QuerySubject, alternative: Alternative): boolean {
  const { name, with: besides = [], without = [] } = alternative;
  return (
    (candidate.capabilities.some((one) => one.name === name && versionFits(one, alternative, rules.compareVersions)) ||
      (name.startsWith('/') && candidate.installs?.(name) === true)) &&
    besides.every((one) => offers(rules, candidate, one)) &&
    !without.some((one) => offers(rules, candidate, one))
  );
}

/** Packages of the installer (udebs) and those of the system never meet each other's needs; sources build with the latter. */
function sameWorld(needer: QuerySubject, candidate: QuerySubject): boolean {
  return (needer.type === 'udeb') === (candidate.type === 'udeb');
}

/** Debian Policy 7.5: an unversioned Provides meets no versioned need. */
function versionFits(
  { version, anyVersion }: Capability,
  { operator, version: wanted }: Alternative,
  compareVersions: CompareVersions,
): boolean {
  if (operator === undefined || wanted === undefined || anyVersion === true) return true;
  return version !== undefined && holds(operator, compareVersions(version, wanted));
}

/**
 * The Multi-Arch rules as apt applies them: without a qualifier the needer's architecture or `all` is needed, unless the
 * candidate is `foreign`; with `:any` it must be `allowed`, even on the same architecture. Each architecture is looked
 * at as the native one of its own system, so `all` packages fit everywhere.
 */
function architectureFits(rules: MeetingRules, { needer, alternative, candidate }: Meeting): boolean {
  const { architecture } = candidate;
  const native = architecture === needer.architecture || candidate.isForAll;
  const reachable = native || rules.architectures.has(architecture);
  switch (alternative.qualifier) {
    case undefined:
      return native || (reachable && candidate.multiArch === 'foreign');
    case 'any':
      return reachable && candidate.multiArch === 'allowed';
    case 'native':
      return native;
    default:
      return reachable && (architecture === alternative.qualifier || candidate.isForAll);
  }
}

interface Comparison {
  readonly needer: Needer;
  readonly alternative: Alternative;
  readonly a: QuerySubject;
  readonly b: QuerySubject;
}

function byPreference({ compareVersions }: MeetingRules, { needer, alternative, a, b }: Comparison): number {
  const real = (one: QuerySubject): number => (one.name === alternative.name ? 0 : 1);
  const foreign = (one: QuerySubject): number =>
    one.architecture === needer.architecture || one.isForAll ? 0 : 1;
  return (
    real(a) - real(b) ||
    foreign(a) - foreign(b) ||
    compareVersions(b.version, a.version) ||
    compareSubjects(a, b, compareVersions)
  );
}
