/** What is found out about needs, remembered: in a distribution most are equal to some other. */
import type { Alternative, FollowOptions, QuerySubject, Requirement } from '../core/relation.ts';
import type { MeetingRules, Needer } from './universe.ts';
import { canBeMet, satisfiers } from './universe.ts';

/**
 * Where a package is installed or built: which packages meet a need depends on nothing else of who needs it. Formats give
 * equal needs as one and the same object, so an object is what is remembered.
 */
export interface World {
  readonly follow: FollowOptions;
  /** As `canBeMet` tells. */
  isMet(requirement: Requirement): boolean;
  /** As `satisfiers` tells. */
  satisfiers(alternative: Alternative): readonly QuerySubject[];
}

/** The world of whoever needs something, one for each kind of package and architecture. The universe must not change. */
export function rememberWorlds(rules: MeetingRules, follow: FollowOptions): (needer: Needer) => World {
  const worlds = new Map<string, World>();
  return (needer) => {
    const { subject, architecture } = needer;
    const name = subject.type === 'udeb' ? `udeb ${architecture}` : architecture;
    let world = worlds.get(name);
    if (world === undefined) worlds.set(name, (world = openWorld(rules, needer, follow)));
    return world;
  };
}

function openWorld(rules: MeetingRules, needer: Needer, follow: FollowOptions): World {
  return {
    follow: { ...follow, architecture: needer.architecture },
    isMet: remember((requirement: Requirement) => canBeMet(rules, needer, requirement)),
    satisfiers: remember((alternative: Alternative) => satisfiers(rules, needer, alternative)),
  };
}

function remember<K, V>(find: (key: K) => V): (key: K) => V {
  const known = new Map<K, V>();
  return (key) => {
    let value = known.get(key);
    if (value === undefined) known.set(key, (value = find(key)));
    return value;
  };
}
