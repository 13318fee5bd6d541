import type { Globals } from '../globals.ts';
import { jsonReporter } from './json.ts';
import { linesReporter } from './lines.ts';
import { quietReporter } from './quiet.ts';
import type { Reporter, ReporterOptions } from './reporter.ts';
import { ttyReporter } from './tty.ts';

const REPORTERS = { bar: ttyReporter, lines: linesReporter, json: jsonReporter, none: quietReporter } as const;

/**
 * The reporter the global options ask for. Left to itself it is bars on a terminal that understands them, and lines in
 * pipes and logs and beside `--json`, whose reader is a program.
 */
export function chooseReporter(
  globals: Pick<Globals, 'json' | 'quiet' | 'progress'>,
  environment: Readonly<Record<string, string | undefined>>,
  options: ReporterOptions,
): Reporter {
  if (globals.quiet) return quietReporter(options);
  if (globals.progress !== 'auto') return REPORTERS[globals.progress](options);
  const terminal = options.output.isTTY === true && environment['TERM'] !== 'dumb';
  return terminal && !globals.json ? ttyReporter(options) : linesReporter(options);
}
