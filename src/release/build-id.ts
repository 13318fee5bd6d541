import type { Catalog } from '../catalog/catalog.ts';
import type { Clock } from '../core/context.ts';

/** UTC, and later than every id there is, also when two builds end within a second or the clock stands still. */
export function buildId({ catalog, clock }: { readonly catalog: Catalog; readonly clock: Clock }, release: string): string {
  const taken = new Set(catalog.builds.list(release).map(({ id }) => id));
  let time = clock().getTime();
  while (taken.has(compactDate(new Date(time)))) time += 1000;
  return compactDate(new Date(time));
}

/** `YYYYMMDDTHHMMSSZ`. */
export function compactDate(date: Date): string {
  return date.toISOString().replace(/[-:]|\.\d+/g, '');
}
