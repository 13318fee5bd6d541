import type { ProgressEvent } from '../../core/event.ts';
import { bytesText } from '../../util/bytes-text.ts';
import { counted } from '../../util/counted.ts';

/** `1.5 MB`, `12 files` or `1 file`. */
export function amountText(amount: number, unit: ProgressEvent['unit']): string {
  return unit === 'bytes' ? bytesText(amount) : counted(Math.round(amount), unit.slice(0, -1));
}

/** Units per second: `1.5 MB/s`, `12 files/s`. */
export function rateText(rate: number, unit: ProgressEvent['unit']): string {
  if (unit === 'bytes') return `${bytesText(rate)}/s`;
  return `${rate < 9.95 ? rate.toFixed(1) : Math.round(rate)} ${unit}/s`;
}

/** Seconds: `4 s`, `1 min 05 s`, `2 h 03 min`. */
export function durationText(seconds: number): string {
  const whole = Math.max(0, Math.round(seconds));
  if (whole < 60) return `${whole} s`;
  if (whole < 3600) return `${Math.floor(whole / 60)} min ${padded(whole % 60)} s`;
  const minutes = Math.round(whole / 60);
  return `${Math.floor(minutes / 60)} h ${padded(minutes % 60)} min`;
}

function padded(value: number): string {
  return String(value).padStart(2, '0');
}
