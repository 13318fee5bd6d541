import type { NodeEvent } from '../../core/event.ts';

/** How long each node of a release build has been running. */
export interface Stopwatch {
  /** Seconds since the node was reported as running, when this event ends that; undefined otherwise. */
  lap(event: NodeEvent): number | undefined;
  /** Nodes that run now, in the order they began, with the seconds since. */
  running(): readonly (readonly [node: string, seconds: number])[];
}

export function createStopwatch(now: () => number): Stopwatch {
  const begun = new Map<string, number>();
  return {
    lap({ node, state }) {
      if (state === 'running') {
        begun.set(node, now());
        return undefined;
      }
      const start = begun.get(node);
      begun.delete(node);
      return start === undefined ? undefined : (now() - start) / 1000;
    },
    running: () => [...begun].map(([node, start]) => [node, (now() - start) / 1000]),
  };
}
