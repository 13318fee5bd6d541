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
  const wanted = TEXT_PARTS.indexOf(part);
  const lengths = [0];
  let at = 0;
  for (; text[at] !== LINE_FEED && at < text.length; at += 1) {
    if (text[at] === BLANK) lengths.push(0);
    else lengths.push((lengths.pop() ?? 0) * 10 + (text[at] ?? 0) - ZERO);
  }
  const start = lengths.slice(0, wanted).reduce((sum, length) => sum + length, at + 1);
  return text.subarray(start, start + (lengths[wanted] ?? 0));
}

const LINE_FEED = 0x0a;
const BLANK = 0x20;
const ZERO = 0x30;
