import type { Event } from '../../core/event.ts';
import { barText, cut } from './bar.ts';
import { eventText, nodeText } from './event-text.ts';
import type { Meter } from './meter.ts';
import { createMeter } from './meter.ts';
import type { Reporter, ReporterOptions } from './reporter.ts';
import { createStopwatch } from './stopwatch.ts';

/** The bars are drawn at most this often. */
const FRAME_MS = 100;
const MOST_ROWS = 12;

const HIDE_CURSOR = '\u001b[?25l';
const SHOW_CURSOR = '\u001b[?25h';
const CLEAR_LINE_END = '\u001b[K';
const CLEAR_BELOW = '\u001b[J';

/**
 * For terminals: lines that stay, and below them what is going on now - running nodes of a release build and one bar per
 * long step - drawn over in place.
 */
export function ttyReporter({ output, now }: ReporterOptions): Reporter {
  const meters = new Map<string, Meter>();
  const stopwatch = createStopwatch(now);
  let drawnRows = 0;
  let drawnAt = -Infinity;
  let timer: NodeJS.Timeout | undefined;
  let closed = false;

  const width = (): number => Math.max(20, (output.columns ?? 80) - 1); // the last column would wrap the line

  const live = (): string[] => {
    const nodes = stopwatch.running().map(([node, seconds]) => nodeText({ type: 'node', node, state: 'running' }, seconds));
    const bars = [...meters.values()].map(({ latest }) => barText(latest, width()));
    const most = Math.min(MOST_ROWS, Math.max(1, (output.rows ?? 24) - 2));
    const rows = [...nodes, ...bars];
    return rows.length <= most ? rows : [...rows.slice(0, most - 1), `and ${rows.length - most + 1} more`];
  };

  /** Writes lines that stay above the live rows, and those anew. One write, so that nothing flickers. */
  const draw = (staying: readonly string[]): void => {
    clearTimeout(timer);
    timer = undefined;
    const rows = live().map((row) => cut(row, width()));
    const back = drawnRows === 0 ? '' : `\u001b[${drawnRows}A\r`;
    const cursor = drawnRows === 0 && rows.length > 0 ? HIDE_CURSOR : '';
    const shown = drawnRows > 0 && rows.length === 0 ? SHOW_CURSOR : '';
    const text = [...staying, ...rows].map((row) => `${row}${CLEAR_LINE_END}\n`).join('');
    output.write(`${cursor}${back}${text}${drawnRows === 0 ? '' : CLEAR_BELOW}${shown}`);
    drawnRows = rows.length;
    drawnAt = now();
  };

  const drawSoon = (): void => {
    if (now() - drawnAt >= FRAME_MS) draw([]);
    else timer ??= setTimeout(() => draw([]), FRAME_MS).unref();
  };

  return {
    report(event) {
      if (closed) return;
      const staying = stayingLine(event, stopwatch.lap.bind(stopwatch));
      if (event.type === 'progress') watch(meters, event, now);
      if (event.type === 'progress-end') meters.delete(event.id);
      if (staying === undefined) drawSoon();
      else draw([staying]);
    },
    close() {
      if (closed) return;
      closed = true;
      meters.clear();
      clearTimeout(timer);
      if (drawnRows > 0) output.write(`\u001b[${drawnRows}A\r${CLEAR_BELOW}${SHOW_CURSOR}`);
      drawnRows = 0;
    },
  };
}

function watch(meters: Map<string, Meter>, event: Event & { readonly type: 'progress' }, now: () => number): void {
  const known = meters.get(event.id);
  if (known === undefined) meters.set(event.id, createMeter(event, now));
  else known.add(event);
}

/** The line an event leaves behind; a node that begins to run and a bar leave none. */
function stayingLine(
  event: Event,
  lap: (event: Event & { readonly type: 'node' }) => number | undefined,
): string | undefined {
  switch (event.type) {
    case 'progress':
    case 'progress-end':
      return undefined;
    case 'node': {
      const seconds = lap(event);
      return event.state === 'running' ? undefined : nodeText(event, seconds);
    }
    default:
      return eventText(event);
  }
}
