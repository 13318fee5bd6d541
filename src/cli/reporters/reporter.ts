import type { Event } from '../../core/event.ts';
import type { Output } from '../output.ts';

/**
 * A consumer of events that writes to standard error. Reporters know nothing of each other and every one of them gets
 * every event; how often a long step is shown is a reporter's own business.
 */
export interface Reporter {
  report(event: Event): void;
  /** Leaves the terminal as it was. Nothing is reported afterwards; may be called twice. */
  close(): void;
}

/** What every reporter is made with. */
export interface ReporterOptions {
  readonly output: Output;
  /** Milliseconds that only grow: `performance.now`, or a test's own. */
  readonly now: () => number;
}
