import type { ProgressEvent } from '../../core/event.ts';
import { printableLine } from '../printable.ts';
import { eventText, nodeText } from './event-text.ts';
import type { Measure, Meter } from './meter.ts';
import { createMeter, measureTexts } from './meter.ts';
import type { Reporter, ReporterOptions } from './reporter.ts';
import { createStopwatch } from './stopwatch.ts';
import { amountText, durationText, rateText } from './units.ts';

/** A long step is shown after this time, or at the next quarter when that comes sooner. */
const PERIOD_MS = 5000;
/** But never more often than this: quick steps go by without filling the log. */
const SHORTEST_MS = 1000;

interface Step {
  readonly meter: Meter;
  shownAt: number;
  quarter: number;
}

/** For logs and pipes: one line per event, and a line now and then for a long step. */
export function linesReporter({ output, now }: ReporterOptions): Reporter {
  const steps = new Map<string, Step>();
  const stopwatch = createStopwatch(now);
  const line = (text: string): void => {
    output.write(`${text}\n`);
  };
  return {
    report(event) {
      switch (event.type) {
        case 'progress': {
          const step = track(steps, event, now);
          if (isDue(step, now())) line(progressText(step.meter.latest));
          return;
        }
        case 'progress-end': {
          const step = steps.get(event.id);
          if (step !== undefined) line(endText(step.meter.latest));
          steps.delete(event.id);
          return;
        }
        case 'node':
          line(nodeText(event, stopwatch.lap(event)));
          return;
        default:
          line(eventText(event));
      }
    },
    close() {},
  };
}

function track(steps: Map<string, Step>, event: ProgressEvent, now: () => number): Step {
  const known = steps.get(event.id);
  if (known !== undefined) {
    known.meter.add(event);
    return known;
  }
  const meter = createMeter(event, now);
  const step = { meter, shownAt: now(), quarter: quarterOf(meter.latest) };
  steps.set(event.id, step);
  return step;
}

function isDue(step: Step, at: number): boolean {
  const silence = at - step.shownAt;
  const quarter = quarterOf(step.meter.latest);
  if (silence < PERIOD_MS && (silence < SHORTEST_MS || quarter <= step.quarter)) return false;
  step.shownAt = at;
  step.quarter = quarter;
  return true;
}

function quarterOf({ fraction }: Measure): number {
  return Math.floor(fraction * 4);
}

/** `debian: packages: 45 %, 1.2 GB of 2.6 GB, 12 MB/s, 1 min 05 s left`. */
function progressText(measure: Measure): string {
  const { percent, amount, rate } = measureTexts(measure);
  const left = measure.secondsLeft === undefined ? '' : `${durationText(measure.secondsLeft)} left`;
  const facts = [percent, amount, rate, left].filter((fact) => fact !== '').join(', ');
  return printableLine(`${measure.event.label}: ${facts}`);
}

/** `debian: packages: 2.6 GB in 3 min 10 s (14 MB/s)`; what took no time to speak of has no rate. */
function endText({ event, elapsed }: Measure): string {
  const amount = amountText(event.done, event.unit);
  if (elapsed < 1) return printableLine(`${event.label}: ${amount}`);
  const rate = rateText(event.done / elapsed, event.unit);
  return printableLine(`${event.label}: ${amount} in ${durationText(elapsed)} (${rate})`);
}
