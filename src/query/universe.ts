import type { Alternative, Capability, FollowOptions, QuerySubject, Requirement } from '../core/relation.ts';
import { isForAll } from '../core/relation.ts';
import type { CompareVersions } from './operator.ts';
import { compareTexts, holds } from './operator.ts';

/** Packages that may meet each other's needs, found by every name they answer to. */
export interface Universe {
  /** The packages that have this name or provide it; sources never, for nothing can depend on one. */
  named(name: string): readonly QuerySubject[];
  /** At least all that have companions, to be asked while they are iterated. Absent: there are none. */
  companionable?(follow: FollowOptions): Iterable<QuerySubject>;
}

/** Reads the capabilities of every subject, and nothing else of them. */
export function buildUniverse(subjects: Iterable<QuerySubject>): Universe {
  const index = new Map<string, QuerySubject[]>();
  for (const subject of subjects) {
    if (subject.type !== 'source') addToIndex(index, subject);
  }
  return {
    named: (name) => index.get(name) ?? (name.startsWith('/') ? installers(name) : NOBODY),
    companionable: () => new Set([...index.values()].flat()),
  };

  /** Few needs are of files that are no capabilities, and each is looked up once. */
  function installers(path: string): readonly QuerySubject[] {
    const found = [...new Set([...index.values()].flat())].filter((subject) => subject.installs?.(path) === true);
    index.set(path, found);
    return found;
  }
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

const NOBODY: readonly QuerySubject[] = [];

function addToIndex(index: Map<string, QuerySubject[]>, subject: QuerySubject): void {
  for (const { name } of subject.capabilities) {
    const known = index.get(name);
    if (known === undefined) index.set(name, [subject]);
    else if (known.at(-1) !== subject) known.push(subject); // a package may provide a name in several versions
  }
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
  const native = architecture === needer.architecture || isForAll(architecture);
  const reachable = native || rules.architectures.has(architecture);
  switch (alternative.qualifier) {
    case undefined:
      return native || (reachable && candidate.multiArch === 'foreign');
    case 'any':
      return reachable && candidate.multiArch === 'allowed';
    case 'native':
      return native;
    default:
      return reachable && (architecture === alternative.qualifier || isForAll(architecture));
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
    one.architecture === needer.architecture || isForAll(one.architecture) ? 0 : 1;
  return (
    real(a) - real(b) ||
    foreign(a) - foreign(b) ||
    compareVersions(b.version, a.version) ||
    compareSubjects(a, b, compareVersions)
  );
}
