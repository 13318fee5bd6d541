/** The Date of the next generation. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Catalog } from '../catalog/catalog.ts';
import type { Clock, Context } from '../core/context.ts';
import type { Place } from './layout.ts';

interface DateTools {
  readonly catalog: Catalog;
  readonly clock: Clock;
}

/** apt takes a Date that lies more than ten seconds in its future for a fault (apt.conf(5), Acquire::Max-FutureTime). */
const MOST_AHEAD_MILLISECONDS = 4000;

/**
 * Clients refuse a Date that goes back, also when an older snapshot is published again or a dropped distribution returns;
 * Dates are whole seconds. So whoever publishes more than once a second is held back before the Dates run ahead.
 */
export async function nextDate(place: Place, { catalog, clock }: DateTools, ctx: Context): Promise<Date> {
  const published = catalog.publications.generations(place.prefix, place.distribution).map(({ publishedAt }) => new Date(publishedAt).getTime());
  const least = Math.max(-Infinity, ...published) + 1000;
  if (least - clock().getTime() > MOST_AHEAD_MILLISECONDS) await sleep(1000, undefined, { signal: ctx.signal });
  const second = Math.floor(clock().getTime() / 1000) * 1000;
  return new Date(Math.max(second, least));
}
