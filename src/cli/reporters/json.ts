import { printableJson } from '../printable.ts';
import type { Reporter, ReporterOptions } from './reporter.ts';

/** A long step is told at most this often; its end is always told. */
const PERIOD_MS = 1000;

/** For programs: each event as one line of JSON, with the fields of core/event.ts. */
export function jsonReporter({ output, now }: ReporterOptions): Reporter {
  const shownAt = new Map<string, number>();
  return {
    report(event) {
      if (event.type === 'progress') {
        if (now() - (shownAt.get(event.id) ?? -Infinity) < PERIOD_MS && event.done !== event.total) return;
        shownAt.set(event.id, now());
      }
      if (event.type === 'progress-end') shownAt.delete(event.id);
      output.write(`${printableJson(JSON.stringify(event))}\n`);
    },
    close() {},
  };
}
