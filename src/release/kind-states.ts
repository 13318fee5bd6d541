/** How far each kind of artifact of a release is. */
import type { Catalog } from '../catalog/catalog.ts';
import { familiesOf, nodesOf } from './nodes.ts';
import { releaseFacts } from './facts.ts';
import { isThere } from './plan.ts';
import type { ReleaseSpec } from './spec.ts';

/** `absent`: nothing of it was made yet. `failed`: the last attempt at a part of it failed or was stopped. */
export type KindState = 'absent' | 'building' | 'ready' | 'failed';

export interface KindStatus {
  readonly kind: string;
  readonly state: KindState;
  /** What is there, of how many parts. */
  readonly ready: number;
  readonly of: number;
  /** One line for each part whose last attempt failed. */
  readonly problems: readonly string[];
}

export interface StatusTools {
  readonly catalog: Catalog;
  readonly now: Date;
  /** Whether a build of the release runs at this moment. */
  readonly isBuilding: boolean;
}

/** The state of every kind the release has parts of, in the order they are made. */
export function kindStates(spec: ReleaseSpec, { catalog, now, isBuilding }: StatusTools): KindStatus[] {
  const facts = releaseFacts(catalog, spec, now);
  const nodes = nodesOf(spec, spec.codenames).filter(({ kind }) => kind === 'publish' || kind === 'artifact' || kind === 'place');
  const attempts = catalog.artifacts.attempts(spec.name);
  return familiesOf(spec).flatMap((kind) => {
    const own = nodes.filter(({ family }) => family === kind);
    if (own.length === 0) return [];
    const ready = own.filter((node) => isThere(node, facts)).length;
    const open = attempts.filter((attempt) => attempt.kind === kind && attempt.state !== 'ready');
    const building = isBuilding && open.some(({ state }) => state === 'building');
    const problems = building ? [] : open.map(({ id, state, detail }) => `${id}: ${state === 'failed' ? detail : 'was stopped before it was done'}`);
    return [{ kind, state: stateOf({ ready, of: own.length, building, problems }), ready, of: own.length, problems }];
  });
}

function stateOf({ ready, of, building, problems }: { ready: number; of: number; building: boolean; problems: readonly string[] }): KindState {
  if (building) return 'building';
  if (problems.length > 0) return 'failed';
  return ready === of ? 'ready' : 'absent';
}
