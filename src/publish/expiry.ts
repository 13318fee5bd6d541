/** How long clients will accept what is published. Pure. */
import type { Publication } from '../catalog/publications.ts';

type Dated = Pick<Publication, 'publishedAt' | 'spec'>;

/** What clients will refuse one day is renewed while there is time to notice that nobody renews it. */
export function isHalfExpired({ publishedAt, spec }: Dated, now: Date): boolean {
  if (spec.validUntil === undefined) return false;
  const from = new Date(publishedAt).getTime();
  return now.getTime() - from > (new Date(spec.validUntil).getTime() - from) / 2;
}

/** A day for what is valid for weeks, a quarter of the time for what is valid for hours. */
const NEAR_MILLISECONDS = 24 * 60 * 60 * 1000;

/** `near`: it should have been renewed by now. Undefined for what never expires. */
export function expiry({ publishedAt, spec }: Dated, now: Date): 'valid' | 'near' | 'past' | undefined {
  if (spec.validUntil === undefined) return undefined;
  const end = new Date(spec.validUntil).getTime();
  const whole = end - new Date(publishedAt).getTime();
  if (now.getTime() >= end) return 'past';
  return end - now.getTime() < Math.min(NEAR_MILLISECONDS, whole / 4) ? 'near' : 'valid';
}
