import { eventText } from './event-text.ts';
import type { Reporter, ReporterOptions } from './reporter.ts';

/** For `--quiet`: only warnings, which nobody asked to miss. */
export function quietReporter({ output }: Pick<ReporterOptions, 'output'>): Reporter {
  return {
    report(event) {
      if (event.type === 'warning') output.write(`${eventText(event)}\n`);
    },
    close() {},
  };
}
