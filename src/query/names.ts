import { valueTest } from './match.ts';
import { compareTexts } from './operator.ts';
import type { Query } from './query.ts';
import { onlyName, partTest } from './words.ts';

/**
 * The names that packages matching a query can have, or undefined when the query leaves them open: lets callers look
 * into an index instead of at every package. Words are to be settled before. It is a bound and no answer: what has such a name must still be matched.
 *
 * By `name` these are the packages' own names. A dependency-like term such as `mail-transport-agent` is met by packages
 * of any name; by `capability` it counts, and the names are those that packages answer to, by name or by Provides.
 */
export function exactNames(query: Query, by: 'name' | 'capability' = 'name'): ReadonlySet<string> | undefined {
  switch (query.kind) {
    case 'form': {
      const name = onlyName(query.form);
      return name === undefined ? undefined : new Set([name]);
    }
    case 'package':
      return by === 'capability' ? new Set([query.name]) : undefined;
    case 'field':
      return query.field === 'Name' && query.condition?.operator === '='
        ? new Set([query.condition.value])
        : undefined;
    case 'word':
    case 'not':
      return undefined;
    case 'all':
      return narrowest(query.parts.map((part) => exactNames(part, by)));
    case 'any':
      return union(query.parts.map((part) => exactNames(part, by)));
  }
}

/**
 * Any part that binds the names binds the whole. Sets are not intersected: a package matching `Name (= a), b` has the
 * name a and answers to b, so by capability both sets hold, and neither excludes the other.
 */
function narrowest(sets: readonly (ReadonlySet<string> | undefined)[]): ReadonlySet<string> | undefined {
  return sets.reduce((best, set) => (best === undefined || (set !== undefined && set.size < best.size) ? set : best));
}

function union(sets: readonly (ReadonlySet<string> | undefined)[]): ReadonlySet<string> | undefined {
  const names = new Set<string>();
  for (const set of sets) {
    if (set === undefined) return undefined;
    for (const name of set) names.add(name);
  }
  return names;
}

/**
 * A test of names that every package matching the query passes, or undefined when the query leaves names open. Like
 * `exactNames` a bound and no answer.
 */
export function nameTest(query: Query): ((name: string) => boolean) | undefined {
  switch (query.kind) {
    case 'form':
      return query.form['name'] === undefined ? undefined : partTest(query.form['name']);
    case 'field':
      return query.field === 'Name' && query.condition !== undefined ? valueTest(query.condition, 'text', compareTexts) : undefined;
    case 'word':
    case 'package':
    case 'not':
      return undefined;
    case 'all': {
      const tests = query.parts.flatMap((part) => nameTest(part) ?? []);
      return tests.length === 0 ? undefined : (name) => tests.every((test) => test(name));
    }
    case 'any': {
      const tests = query.parts.map(nameTest);
      return tests.every((test) => test !== undefined) ? (name) => tests.some((test) => test(name)) : undefined;
    }
  }
}

/** Whether matching looks at more of a package than name, version, architecture, type and what it answers to. */
export function readsText(query: Query): boolean {
  switch (query.kind) {
    case 'all':
    case 'any':
      return query.parts.some(readsText);
    case 'not':
      return readsText(query.part);
    case 'field':
      return !['Name', 'Version', '$Version', 'Architecture', '$Architecture', '$PackageType'].includes(query.field);
    case 'word':
    case 'form':
    case 'package':
      return false;
  }
}

/** Whether matching looks at what packages provide. */
export function asksCapabilities(query: Query): boolean {
  switch (query.kind) {
    case 'all':
    case 'any':
      return query.parts.some(asksCapabilities);
    case 'not':
      return asksCapabilities(query.part);
    case 'word':
    case 'package':
      return true;
    case 'field':
    case 'form':
      return false;
  }
}
