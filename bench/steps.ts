/** What is compared, in the order it is done. A further step is a further entry; it may build on those before it. */
import type { Action } from './contender.ts';
import { LOCAL_DEBS } from './local-debs.ts';
import type { State } from './upstream.ts';

/** How far our figure may reach: a ratio to aptly's, or an absolute value. */
export interface Target {
  readonly ratio?: number;
  readonly seconds?: number;
  readonly peakBytes?: number;
  readonly bytes?: number;
}

export interface Step {
  readonly id: string;
  readonly title: string;
  /** `time`: seconds and peak memory of the actions together; `growth`: by how many bytes they make the catalog larger. */
  readonly measures: 'time' | 'growth';
  /** The upstream's state from here on. */
  readonly upstream?: State;
  readonly actions: readonly Action[];
  readonly target: Target;
  /** Later steps need what it leaves behind, so it is done even when it is not asked for. */
  readonly lasting?: boolean;
}

const MiB = 1024 * 1024;

export const STEPS: readonly Step[] = [
  {
    id: 'help',
    title: '--help',
    measures: 'time',
    actions: [{ verb: 'help' }],
    target: { seconds: 0.15 },
  },
  {
    id: 'cold',
    title: 'cold mirror update',
    measures: 'time',
    upstream: 'base',
    actions: [{ verb: 'update' }],
    target: { ratio: 0.6, peakBytes: 250 * MiB },
    lasting: true,
  },
  {
    id: 'unchanged',
    title: 'update, nothing changed',
    measures: 'time',
    actions: [{ verb: 'update' }],
    target: { ratio: 0.04 },
  },
  {
    id: 'snapshot',
    title: 'snapshot of the mirror',
    measures: 'time',
    actions: [{ verb: 'snapshot', name: 'first' }],
    target: {},
    lasting: true,
  },
  {
    id: 'search',
    title: 'search by name pattern',
    measures: 'time',
    actions: [{ verb: 'search', snapshot: 'first', query: 'Name (% lib*-dev)' }],
    target: { ratio: 0.4 },
  },
  {
    id: 'filter',
    title: 'filter with dependencies',
    measures: 'time',
    actions: [{ verb: 'filter', source: 'first', name: 'filtered', query: 'Name (% gnome*)' }],
    target: { ratio: 1 },
  },
  {
    id: 'verify',
    title: 'verify that every dependency is there',
    measures: 'time',
    actions: [{ verb: 'verify', snapshot: 'first' }],
    target: { ratio: 1 },
  },
  {
    id: 'publish',
    title: 'first publish, without Contents',
    measures: 'time',
    actions: [{ verb: 'publish', snapshot: 'first' }],
    target: { ratio: 0.5 },
    lasting: true,
  },
  {
    id: 'daily',
    title: 'growth of the catalog: update with 50 changes and snapshot',
    measures: 'growth',
    upstream: 'daily',
    actions: [{ verb: 'update' }, { verb: 'snapshot', name: 'second' }],
    target: { bytes: 200 * 1024 },
    lasting: true,
  },
  {
    id: 'republish',
    title: 'publish after 50 packages changed',
    measures: 'time',
    actions: [{ verb: 'switch', snapshot: 'second' }],
    target: { ratio: 0.1 },
    lasting: true,
  },
  {
    id: 'changed',
    title: 'update, 2 % changed',
    measures: 'time',
    upstream: 'weekly',
    actions: [{ verb: 'update' }],
    target: { ratio: 0.25 },
    lasting: true,
  },
  {
    id: 'third',
    title: 'snapshot of the changed mirror',
    measures: 'time',
    actions: [{ verb: 'snapshot', name: 'third' }],
    target: {},
    lasting: true,
  },
  {
    id: 'republish-many',
    title: 'publish after 2 % changed',
    measures: 'time',
    actions: [{ verb: 'switch', snapshot: 'third' }],
    target: {},
  },
  {
    id: 'merge',
    title: 'merge of two snapshots that differ in 2 %',
    measures: 'time',
    actions: [{ verb: 'merge', name: 'merged', sources: ['first', 'third'] }],
    target: { ratio: 3 },
  },
  {
    id: 'add',
    title: `repo add of ${LOCAL_DEBS.toLocaleString('en')} packages`,
    measures: 'time',
    actions: [{ verb: 'add' }],
    target: { seconds: 5 },
  },
];

/** The steps of a run: all, or those asked for and what they build on. Throws when there is no such step. */
export function chooseSteps(only: readonly string[] | undefined): { readonly steps: readonly Step[]; readonly shown: ReadonlySet<string> } {
  const ids = [...STEPS.map(({ id }) => id), FLOOR];
  const unknown = only?.find((id) => !ids.includes(id));
  if (unknown !== undefined) throw new Error(`there is no step "${unknown}": ${ids.join(', ')}`);
  const shown = new Set(only ?? ids);
  const last = STEPS.findLastIndex(({ id }) => shown.has(id));
  return { steps: STEPS.slice(0, last + 1).filter(({ id, lasting }) => shown.has(id) || lasting), shown };
}

/** Fetching the same files with curl, which neither checks nor remembers anything. */
export const FLOOR = 'floor';
