import type { Event, NodeEvent, WaitingEvent } from '../../core/event.ts';
import { printableLine } from '../printable.ts';
import { durationText } from './units.ts';

type SpokenEvent = Exclude<Event, { readonly type: 'progress' | 'progress-end' }>;

const LONGEST_STATE = 'blocked'.length;

/** An event that stands for itself as one line without its newline: the same on a terminal and in a log. */
export function eventText(event: SpokenEvent): string {
  switch (event.type) {
    case 'phase':
      return printableLine(`${event.subject}: ${event.text}`);
    case 'note':
      return printableLine(event.message);
    case 'warning':
      return printableLine(`warning: ${event.message}`);
    case 'waiting':
      return printableLine(waitingText(event));
    case 'node':
      return nodeText(event);
    default:
      return event satisfies never;
  }
}

/** A row of the table of a release build: state, node, details, and how long it took when that is known (seconds). */
export function nodeText({ node, state, detail }: NodeEvent, seconds?: number): string {
  const extras = [detail, seconds === undefined ? undefined : `(${durationText(seconds)})`];
  const row = [state.padEnd(LONGEST_STATE), node, ...extras.filter((extra) => extra !== undefined)].join('  ');
  return printableLine(row);
}

function waitingText({ lock, holder }: WaitingEvent): string {
  if (holder === undefined) return `waiting for the ${lock} lock`;
  const { pid, host, command, since } = holder;
  return `waiting for the ${lock} lock held by pid ${pid} on ${host} (command ${command}) since ${since}`;
}
