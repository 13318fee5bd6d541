/** The text of a record: what stands of a package in primary, filelists and other, in this order. */

import type { OtherDigest } from '../../core/digest.ts';

/** The parts of a record's text. */
export type TextPart = 'primary' | 'filelists' | 'other';

export const TEXT_PARTS: readonly TextPart[] = ['primary', 'filelists', 'other'];

/**
 * A line with the lengths of the three, then the three themselves, each ending in a newline. Behind the lengths stands the
 * digest an upstream lists, when it is no SHA-256, so that the file need not be fetched again to know it.
 */
export function joinTexts(texts: Readonly<Record<TextPart, Buffer>>, other?: OtherDigest): Buffer {
  const parts = TEXT_PARTS.map((part) => texts[part]);
  const words = [...parts.map(({ length }) => String(length)), ...(other === undefined ? [] : [`${other.algorithm}:${other.hex}`])];
  return Buffer.concat([Buffer.from(`${words.join(' ')}\n`), ...parts]);
}

/** The digest behind the lengths. */
export function listedDigest(text: Buffer): OtherDigest | undefined {
  const [algorithm, hex] = text.subarray(0, text.indexOf('\n')).toString('latin1').split(' ')[TEXT_PARTS.length]?.split(':') ?? [];
  return algorithm === undefined || hex === undefined ? undefined : { algorithm: algorithm as OtherDigest['algorithm'], hex };
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
