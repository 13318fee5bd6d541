/** The text of a record: what stands of a package in primary, filelists and other, in this order. */

/** The parts of a record's text. */
export type TextPart = 'primary' | 'filelists' | 'other';

export const TEXT_PARTS: readonly TextPart[] = ['primary', 'filelists', 'other'];

/** A line with the lengths of the three, then the three themselves, each ending in a newline. */
export function joinTexts(texts: Readonly<Record<TextPart, Buffer>>): Buffer {
  const parts = TEXT_PARTS.map((part) => texts[part]);
  return Buffer.concat([Buffer.from(`${parts.map(({ length }) => length).join(' ')}\n`), ...parts]);
}

/** One of the three. */
export function textPart(text: Buffer, part: TextPart): Buffer {
  const line = text.indexOf('\n');
  const lengths = text.subarray(0, line).toString('latin1').split(' ').map(Number);
  const index = TEXT_PARTS.indexOf(part);
  const start = lengths.slice(0, index).reduce((sum, length) => sum + length, line + 1);
  return text.subarray(start, start + (lengths[index] ?? 0));
}
