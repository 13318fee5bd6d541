/** Packages that want to be there with others: rpm's Supplements and Enhances. */
import type { FollowOptions, QuerySubject, Requirement } from '../core/relation.ts';
import type { CompareVersions } from './operator.ts';
import { compareSubjects, type Universe } from './universe.ts';

export interface Companion {
  readonly subject: QuerySubject;
  /** It comes along when all needs of one of them are met. */
  readonly reasons: readonly (readonly Requirement[])[];
}

export interface CompanionOptions {
  readonly follow: FollowOptions;
  readonly architectures: readonly string[];
  readonly compareVersions: CompareVersions;
}

/**
 * Those of the wanted architectures by name and architecture, the highest version of each first. The order does not depend
 * on that of the universe. Nothing is read when neither recommended nor suggested packages are followed.
 */
export function openCompanions(universe: Universe, { follow, architectures, compareVersions }: CompanionOptions): Map<string, readonly Companion[]> {
  if (follow.recommends !== true && follow.suggests !== true) return new Map();
  const found: Companion[] = [];
  for (const subject of universe.companionable?.(follow) ?? []) {
    if (!subject.isForAll && !architectures.includes(subject.architecture)) continue;
    const reasons = subject.companions?.(follow) ?? [];
    if (reasons.length > 0) found.push({ subject, reasons });
  }
  found.sort((a, b) => compareSubjects(b.subject, a.subject, compareVersions));
  const groups = new Map<string, Companion[]>();
  for (const companion of found) {
    const key = `${companion.subject.name} ${companion.subject.architecture}`;
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [companion]);
    else group.push(companion);
  }
  return groups;
}
