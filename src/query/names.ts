import type { Query } from './query.ts';

/**
 * The names that packages matching a query can have, or undefined when the query leaves them open: lets callers look
 * into an index instead of at every package. It is a bound and no answer: what has such a name must still be matched.
 *
 * By `name` these are the packages' own names. A dependency-like term such as `mail-transport-agent` is met by packages
 * of any name; by `capability` it counts, and the names are those that packages answer to, by name or by Provides.
 */
export function exactNames(query: Query, by: 'name' | 'capability' = 'name'): ReadonlySet<string> | undefined {
  switch (query.kind) {
    case 'exact':
      return new Set([query.name]);
    case 'package':
      return by === 'capability' ? new Set([query.name]) : undefined;
    case 'field':
      return query.field === 'Name' && query.condition?.operator === '='
        ? new Set([query.condition.value])
        : undefined;
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
