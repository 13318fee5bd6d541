import type { FollowOptions, QuerySubject, Requirement } from '../core/relation.ts';
import type { CompareVersions } from './operator.ts';
import type { MeetingRules, Needer, Universe } from './universe.ts';
import { compareSubjects } from './universe.ts';
import { openCompanions, type Companion } from './companions.ts';
import { rememberWorlds, type World } from './world.ts';

export interface ClosureOptions {
  readonly follow: FollowOptions;
  /**
   * The architectures that are wanted. The needs of `all` packages and of sources are looked up for each of them; a
   * package of another architecture than the needer's is taken only from one of them, and only as Multi-Arch lets it.
   */
  readonly architectures: readonly string[];
  readonly compareVersions: CompareVersions;
  /** Take a package for every alternative that can be had, not for one alternative of each need. */
  readonly allVariants?: boolean;
  /** What is there already: needs that one of these packages meets are not followed. */
  readonly present?: Universe;
}

/** A need that no package of the universe meets. */
export interface Missing {
  readonly subject: QuerySubject;
  /** For which architecture it was looked up. */
  readonly architecture: string;
  readonly requirement: Requirement;
}

export interface Closure {
  /** The roots and what they need, in the order of `compareSubjects`. */
  readonly selected: readonly QuerySubject[];
  /** In the order of their subjects, then as they are written there. */
  readonly missing: readonly Missing[];
}

/**
 * What must be there for the roots to be installed or built, with everything that needs in turn. A need is met by a
 * package selected already, else by the best one of the first alternative that any package meets. Needs that leave no
 * choice are followed first, so that a choice is only made where none of the forced packages makes it. Conflicts are not
 * looked at, and a choice is not taken back when what was chosen misses something itself. Once nothing else is left, packages
 * that want to be there with what is selected come along, as strongly as recommended or suggested ones. The result does not depend on
 * the order of universe or roots. The roots are subjects of the universe.
 */
export function closure(universe: Universe, roots: Iterable<QuerySubject>, options: ClosureOptions): Closure {
  const state: State = {
    worldOf: rememberWorlds(rulesOf(universe, options), options.follow),
    presentOf: options.present === undefined ? undefined : rememberWorlds(rulesOf(options.present, options), options.follow),
    options,
    selected: new Set(),
    unread: [],
    undecided: [],
    conditional: new Set(),
    companions: openCompanions(universe, options),
    missing: [],
  };
  for (const root of inOrder(roots, options)) select(state, root);
  let read = 0;
  let decided = 0;
  while (read < state.unread.length || decided < state.undecided.length || takeConditional(state) || takeCompanions(state)) {
    const subject = state.unread[read];
    const need = state.undecided[decided];
    if (subject !== undefined) {
      read++;
      readNeeds(state, subject);
    } else if (need !== undefined) {
      decided++;
      decide(state, need);
    }
  }
  return { selected: inOrder(state.selected, options), missing: sortMissing(state.missing, options) };
}

/** The direct needs of the members that no package of the universe meets, in the order of `Closure.missing`. */
export function verify(
  universe: Universe,
  members: Iterable<QuerySubject>,
  options: Omit<ClosureOptions, 'allVariants' | 'present'>,
): readonly Missing[] {
  const worldOf = rememberWorlds(rulesOf(universe, options), options.follow);
  const missing: Missing[] = [];
  for (const subject of members) {
    for (const architecture of architecturesOf(subject, options)) {
      const { follow, isMet } = worldOf({ subject, architecture });
      for (const requirement of subject.requirements(follow)) {
        if (!isMet(requirement)) missing.push({ subject, architecture, requirement });
      }
    }
  }
  return sortMissing(missing, options);
}

type Need = Needer & Missing;

/** A need that counts only once certain packages are selected. */
interface Conditional {
  readonly conditions: readonly Need[];
  readonly rest: Need;
}

interface State {
  readonly worldOf: (needer: Needer) => World;
  /** Over what is there already. */
  readonly presentOf: ((needer: Needer) => World) | undefined;
  readonly options: ClosureOptions;
  readonly selected: Set<QuerySubject>;
  /** Selected packages in the order of their selection; their needs are read from the front. */
  readonly unread: QuerySubject[];
  /** Needs that leave a choice, in the order they were read. */
  readonly undecided: Need[];
  readonly conditional: Set<Conditional>;
  /** Packages that may still come along; of one name and architecture the highest version stands first. */
  readonly companions: Map<string, readonly Companion[]>;
  readonly missing: Missing[];
}

function rulesOf(universe: Universe, { compareVersions, architectures }: ClosureOptions): MeetingRules {
  return { universe, compareVersions, architectures: new Set(architectures) };
}

function select(state: State, subject: QuerySubject): void {
  if (state.selected.has(subject)) return;
  state.selected.add(subject);
  state.unread.push(subject);
}

function needsOf(subject: QuerySubject, { worldOf, options }: State): readonly Need[] {
  return architecturesOf(subject, options).flatMap((architecture) =>
    subject.requirements(worldOf({ subject, architecture }).follow).map((requirement) => ({ subject, architecture, requirement })),
  );
}

/** For which its needs are looked up. */
function architecturesOf(subject: QuerySubject, { architectures }: Pick<ClosureOptions, 'architectures'>): readonly string[] {
  const everywhere = subject.isForAll || subject.type === 'source';
  return everywhere ? architectures : [subject.architecture];
}

function readNeeds(state: State, subject: QuerySubject): void {
  for (const need of needsOf(subject, state)) {
    if (need.requirement.some(({ absent }) => absent === true)) {
      state.conditional.add(conditionalNeed(need));
      continue;
    }
    const [first, ...others] = need.requirement;
    if (first === undefined || isPresent(state, need)) continue;
    const found = state.worldOf(need).satisfiers(first);
    const [only] = found;
    if (others.length === 0 && found.length === 1 && only !== undefined) select(state, only);
    else state.undecided.push(need);
  }
}

function conditionalNeed(need: Need): Conditional {
  const conditions = need.requirement.flatMap(({ absent, ...condition }) => (absent === true ? [{ ...need, requirement: [condition] }] : []));
  return { conditions, rest: { ...need, requirement: need.requirement.filter(({ absent }) => absent !== true) } };
}

/** Moves those whose conditions hold by now to the undecided ones: true when there are any. What is selected stays so. */
function takeConditional(state: State): boolean {
  const before = state.undecided.length;
  for (const need of state.conditional) {
    if (!need.conditions.every((condition) => isSelected(state, condition) || isPresent(state, condition))) continue;
    state.conditional.delete(need);
    if (!isPresent(state, need.rest)) state.undecided.push(need.rest);
  }
  return state.undecided.length > before;
}

/** Selects what wants to be there with something that is selected: true when there is any. */
function takeCompanions(state: State): boolean {
  const before = state.selected.size;
  const { companions, selected, options } = state;
  for (const [key, versions] of companions) {
    const wanted = versions.some(({ subject }) => selected.has(subject)) ? undefined : versions.find((one) => comesAlong(state, one));
    if (wanted === undefined) continue;
    companions.delete(key);
    const { subject } = wanted;
    const itself = architecturesOf(subject, options).map((architecture) => ({ subject, architecture, requirement: [{ name: subject.name }] }));
    if (!itself.some((need) => isPresent(state, need))) select(state, subject);
  }
  return selected.size > before;
}

/** Of what is there already alone nothing comes: that it did not come before was somebody's choice. */
function comesAlong(state: State, { subject, reasons }: Companion): boolean {
  return architecturesOf(subject, state.options).some((architecture) =>
    reasons.some((reason) => {
      const needs = reason.map((requirement) => ({ subject, architecture, requirement }));
      const isNew = (need: Need): boolean => isSelected(state, need, (one) => one.isForAll || one.architecture === architecture);
      return needs.some(isNew) && needs.every((need) => isNew(need) || isPresent(state, need));
    }),
  );
}

function isPresent({ presentOf }: State, need: Need): boolean {
  return presentOf?.(need).isMet(need.requirement) === true;
}

/** Whether a package that is selected already meets the need, by any alternative. */
function isSelected({ worldOf, selected }: State, need: Need, counts: (candidate: QuerySubject) => boolean = () => true): boolean {
  const { satisfiers } = worldOf(need);
  return need.requirement.some(
    (alternative) => alternative.absent !== true && satisfiers(alternative).some((candidate) => selected.has(candidate) && counts(candidate)),
  );
}

function decide(state: State, need: Need): void {
  const { options, selected } = state;
  const { satisfiers } = state.worldOf(need);
  if (options.allVariants !== true && isSelected(state, need)) return;
  let met = false;
  for (const alternative of need.requirement) {
    const found = satisfiers(alternative);
    const best = found.find((one) => selected.has(one)) ?? found[0];
    if (best === undefined) continue;
    select(state, best);
    met = true;
    if (options.allVariants !== true) return;
  }
  if (!met) state.missing.push(need);
}

function inOrder(subjects: Iterable<QuerySubject>, { compareVersions }: ClosureOptions): readonly QuerySubject[] {
  return [...subjects].sort((a, b) => compareSubjects(a, b, compareVersions));
}

function sortMissing(missing: readonly Missing[], { architectures, compareVersions }: ClosureOptions): readonly Missing[] {
  return [...missing].sort(
    (a, b) =>
      compareSubjects(a.subject, b.subject, compareVersions) ||
      architectures.indexOf(a.architecture) - architectures.indexOf(b.architecture),
  );
}
