import type { Event } from './event.ts';

/** The last argument of whatever waits: how it learns that it should stop, and where it tells how far it is. */
export interface Context {
  readonly signal: AbortSignal;
  readonly report: (event: Event) => void;
}

/** The only clock of the program; SOURCE_DATE_EPOCH and tests replace it. */
export type Clock = () => Date;

/** Real time, or the fixed second of SOURCE_DATE_EPOCH (reproducible-builds.org) when the environment sets it. */
export function clockFrom(environment: Readonly<Record<string, string | undefined>>): Clock {
  const epoch = environment['SOURCE_DATE_EPOCH'];
  if (epoch !== undefined && /^\d+$/.test(epoch)) {
    const fixed = Number(epoch) * 1000;
    return () => new Date(fixed);
  }
  return () => new Date();
}
