import { printableLine } from '../printable.ts';
import type { Measure } from './meter.ts';
import { measureTexts } from './meter.ts';
import { durationText } from './units.ts';

const LONGEST_BAR = 30;
const SHORTEST_BAR = 8;
const LABEL_SHARE = 0.4;

/**
 * A long step as one line of at most `width` columns:
 * `debian: packages  [#########-----------]  45 %  1.2 GB of 2.6 GB  12 MB/s  1 min 05 s left`.
 * In a narrow terminal the bar goes first, then the amount, then the rate; the label is cut last.
 */
export function barText(measure: Measure, width: number): string {
  const { percent, amount, rate } = measureTexts(measure);
  const left = measure.secondsLeft === undefined ? '' : `${durationText(measure.secondsLeft)} left`;
  const label = cut(printableLine(measure.event.label), Math.max(10, Math.floor(width * LABEL_SHARE)));
  const choices = [
    [percent, amount, rate, left],
    [percent, rate, left],
    [percent, left],
    [percent],
  ].map((facts) => facts.filter((fact) => fact !== '').join('  '));
  const facts = choices.find((text) => label.length + 2 + text.length <= width) ?? '';
  const room = Math.min(LONGEST_BAR, width - label.length - facts.length - 6);
  const parts = room < SHORTEST_BAR || percent === '' ? [label, facts] : [label, drawn(measure.fraction, room), facts];
  return cut(parts.filter((part) => part !== '').join('  '), width);
}

/** The text, shortened with a mark when it is longer than the width. */
export function cut(text: string, width: number): string {
  return text.length <= width ? text : `${text.slice(0, Math.max(0, width - 1))}~`;
}

function drawn(fraction: number, room: number): string {
  const full = Math.round(fraction * room);
  return `[${'#'.repeat(full)}${'-'.repeat(room - full)}]`;
}
