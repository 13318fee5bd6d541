import type { CharacterSet, Pattern } from './pattern-syntax.ts';
import { parseGlob, parseRegex, PatternError } from './pattern-syntax.ts';

/**
 * Patterns come from users and meet texts from upstreams, so the time a match takes must not depend on how cunningly
 * both were chosen. A pattern becomes a program for a machine that is in several places at once; sets of places are
 * remembered as states, and each character of a text is looked at once.
 */
export type Compiled =
  | { readonly ok: true; readonly test: (text: string) => boolean }
  | { readonly ok: false; readonly reason: string };

/** A glob that must match a whole text. */
export function compileGlob(glob: string): Compiled {
  return compile(() => parseGlob(glob), false);
}

/** A regular expression that may match anywhere in a text. `(?i)` in front makes upper and lower case equal. */
export function compileRegex(regex: string): Compiled {
  const ignoreCase = regex.startsWith('(?i)');
  return compile(() => parseRegex(ignoreCase ? regex.slice(4) : regex), ignoreCase);
}

/** One step of a program. `next` and `other` are indices of steps. */
type Step =
  | { readonly kind: 'character'; readonly set: CharacterSet; readonly next: number }
  | { readonly kind: 'fork'; readonly next: number; readonly other: number }
  | { readonly kind: 'start' | 'end'; readonly next: number }
  | { readonly kind: 'match' };

interface Program {
  readonly steps: readonly Step[];
  readonly first: number;
  readonly ignoreCase: boolean;
}

/** A set of places in the program, and where each ASCII character leads from it, as far as it was asked. */
interface State {
  readonly places: readonly number[];
  readonly matches: boolean;
  readonly matchesAtEnd: boolean;
  readonly next: (State | undefined)[];
}

const MAX_STEPS = 2000;

/** States kept at a time; beyond it they are forgotten and made again when needed. */
const MAX_STATES = 1000;

function compile(parse: () => Pattern, ignoreCase: boolean): Compiled {
  try {
    const steps: Step[] = [{ kind: 'match' }];
    const first = emit(steps, parse(), 0);
    const program = { steps, first, ignoreCase };
    return { ok: true, test: matcherOf(program) };
  } catch (error) {
    if (!(error instanceof PatternError)) throw error;
    return { ok: false, reason: error.message };
  }
}

/** Adds the steps of a pattern that go on at `next`; returns the first of them. */
function emit(steps: Step[], pattern: Pattern, next: number): number {
  switch (pattern.kind) {
    case 'character':
      return add(steps, { kind: 'character', set: pattern.set, next });
    case 'start':
    case 'end':
      return add(steps, { kind: pattern.kind, next });
    case 'sequence':
      return pattern.parts.reduceRight((after, part) => emit(steps, part, after), next);
    case 'choice':
      return pattern.parts
        .map((part) => emit(steps, part, next))
        .reduceRight((other, first) => add(steps, { kind: 'fork', next: first, other }));
    case 'repeat':
      return emitRepeat(steps, pattern, next);
  }
}

function emitRepeat(steps: Step[], { part, min, max }: Pattern & { kind: 'repeat' }, next: number): number {
  let after = next;
  if (max === Infinity) {
    const loop = add(steps, { kind: 'fork', next, other: next });
    steps[loop] = { kind: 'fork', next: emit(steps, part, loop), other: next };
    after = loop;
  } else {
    for (let i = min; i < max; i++) after = add(steps, { kind: 'fork', next: emit(steps, part, after), other: next });
  }
  for (let i = 0; i < min; i++) {
    const once = emit(steps, part, after);
    if (once === after) break; // the part is empty: however often, it adds nothing
    after = once;
  }
  return after;
}

function add(steps: Step[], step: Step): number {
  if (steps.length >= MAX_STEPS) throw new PatternError('is too big');
  return steps.push(step) - 1;
}

function matcherOf(program: Program): (text: string) => boolean {
  const states = new Map<string, State>();
  const remember = (places: ReadonlySet<number>, atStart: boolean): State => {
    const state = settle(program, places, atStart);
    const key = `${state.places.join()} ${state.matches} ${state.matchesAtEnd}`;
    const known = states.get(key);
    if (known !== undefined) return known;
    if (states.size >= MAX_STATES) {
      states.clear();
      begin.next.length = 0; // what is forgotten hangs on it
    }
    states.set(key, state);
    return state;
  };
  const begin: State = remember(new Set(), true);

  return (text) => {
    let state = begin;
    for (let at = 0; at < text.length; at++) {
      if (state.matches) return true;
      if (isDead(state)) return false;
      const code = text.codePointAt(at) ?? 0;
      if (code > 0xffff) at++;
      let next = code < 128 ? state.next[code] : undefined;
      if (next === undefined) {
        next = remember(advance(program, state, code), false);
        if (code < 128) state.next[code] = next;
      }
      state = next;
    }
    return state.matches || state.matchesAtEnd;
  };
}

/** Nothing that follows can make it match: a place that is reached later is reached at the start as well. */
function isDead(state: State): boolean {
  return state.places.length === 0 && !state.matchesAtEnd;
}

/** The places behind one character. */
function advance({ steps, ignoreCase }: Program, state: State, code: number): ReadonlySet<number> {
  const places = new Set<number>();
  for (const place of state.places) {
    const step = steps[place];
    if (step?.kind === 'character' && contains(step.set, code, ignoreCase)) places.add(step.next);
  }
  return places;
}

/** Follows all steps that take no character. A search may begin anew at every character, so the first step is always in. */
function settle(program: Program, places: ReadonlySet<number>, atStart: boolean): State {
  const open = [...places, program.first];
  const here = reach(program, open, { atStart, atEnd: false });
  return {
    places: here.places,
    matches: here.matches,
    matchesAtEnd: reach(program, open, { atStart, atEnd: true }).matches,
    next: [],
  };
}

interface Position {
  readonly atStart: boolean;
  readonly atEnd: boolean;
}

function reach(
  { steps }: Program,
  from: readonly number[],
  { atStart, atEnd }: Position,
): { readonly places: readonly number[]; readonly matches: boolean } {
  const seen = new Set<number>();
  const places: number[] = [];
  let matches = false;
  const open = [...from];
  for (let place = open.pop(); place !== undefined; place = open.pop()) {
    const step = steps[place];
    if (step === undefined || seen.has(place)) continue;
    seen.add(place);
    if (step.kind === 'character') places.push(place);
    else if (step.kind === 'match') matches = true;
    else if (step.kind === 'fork') open.push(step.next, step.other);
    else if (step.kind === 'start' ? atStart : atEnd) open.push(step.next);
  }
  return { places: places.sort((a, b) => a - b), matches };
}

function contains(set: CharacterSet, code: number, ignoreCase: boolean): boolean {
  const within = inRanges(set.ranges, code) || (ignoreCase && otherCases(code).some((one) => inRanges(set.ranges, one)));
  return within !== set.negated;
}

function inRanges(ranges: readonly number[], code: number): boolean {
  for (let i = 0; i + 1 < ranges.length; i += 2) {
    if (code >= (ranges[i] ?? 0) && code <= (ranges[i + 1] ?? 0)) return true;
  }
  return false;
}

function otherCases(code: number): readonly number[] {
  const character = String.fromCodePoint(code);
  return [character.toLowerCase(), character.toUpperCase()].map((one) => one.codePointAt(0) ?? 0);
}
