import type { ProgressEvent } from '../../core/event.ts';
import { amountText, rateText } from './units.ts';

/** Rate and time left are those of the last seconds: a slow start or a stall long ago says nothing of what comes. */
const WINDOW_MS = 15_000;
const SAMPLE_MS = 500;

/** How far a long step is and how fast it goes. */
export interface Measure {
  readonly event: ProgressEvent;
  /** 0 to 1; 0 while the total is not known. */
  readonly fraction: number;
  /** Units per second; undefined until two moments are known. */
  readonly rate: number | undefined;
  readonly secondsLeft: number | undefined;
  /** Seconds since the first event. */
  readonly elapsed: number;
}

/** Watches one long step. */
export interface Meter {
  add(event: ProgressEvent): Measure;
  readonly latest: Measure;
}

interface Sample {
  readonly at: number;
  readonly done: number;
}

export function createMeter(first: ProgressEvent, now: () => number): Meter {
  const begun = now();
  let samples: Sample[] = [{ at: begun, done: first.done }];
  let latest = measure(first, samples, { at: begun, begun });
  return {
    add(event) {
      const at = now();
      const last = samples.at(-1);
      if (last === undefined || at - last.at >= SAMPLE_MS) {
        samples = [...samples.filter((sample) => at - sample.at <= WINDOW_MS), { at, done: event.done }];
      }
      latest = measure(event, samples, { at, begun });
      return latest;
    },
    get latest() {
      return latest;
    },
  };
}

/** `45 %, 1.2 GB of 2.6 GB, 12 MB/s, 1 min 05 s left`, as a list for the reporter to choose from. */
export function measureTexts({ event, fraction, rate }: Measure): { percent: string; amount: string; rate: string } {
  const { done, total, unit } = event;
  return {
    percent: total > 0 ? `${Math.floor(fraction * 100)} %` : '',
    amount: total > 0 ? `${amountWithin(done, event)} of ${amountText(total, unit)}` : amountText(done, unit),
    rate: rate === undefined ? '' : rateText(rate, unit),
  };
}

/** `3 of 7 files` needs its unit once, `1.2 GB of 950 MB` needs it twice. */
function amountWithin(done: number, { unit }: ProgressEvent): string {
  return unit === 'bytes' ? amountText(done, unit) : String(Math.round(done));
}

function measure(
  event: ProgressEvent,
  samples: readonly Sample[],
  { at, begun }: { readonly at: number; readonly begun: number },
): Measure {
  const oldest = samples[0];
  const seconds = oldest === undefined ? 0 : (at - oldest.at) / 1000;
  const rate = oldest === undefined || seconds < 0.2 ? undefined : Math.max(0, event.done - oldest.done) / seconds;
  const left = event.total - event.done;
  return {
    event,
    fraction: event.total > 0 ? Math.min(1, Math.max(0, event.done / event.total)) : 0,
    rate,
    secondsLeft: rate === undefined || rate === 0 || event.total <= 0 || left < 0 ? undefined : left / rate,
    elapsed: (at - begun) / 1000,
  };
}
