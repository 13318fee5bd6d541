/** Plain tables and numbers for `render`. */

/** Columns padded to their widest cell, two blanks apart; nothing behind the last one. */
export function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const all = [head, ...rows];
  const widths = head.map((_, column) => all.reduce((widest, row) => Math.max(widest, (row[column] ?? '').length), 0));
  return all
    .map((row) => row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join('  ').trimEnd())
    .join('\n');
}

export { bytesText as bytes } from '../util/bytes-text.ts';
export { counted } from '../util/counted.ts';
