/** Text of rpm headers as it may stand in XML: what no XML can hold is repaired or refused, field by field. */
import { isUtf8 } from 'node:buffer';
import type { Header } from './header.ts';
import { malformed } from './malformed.ts';

/** XML 1.0, 2.2 "Char": what no document may hold, escaped or not. */
// oxlint-disable-next-line no-control-regex
const FORBIDDEN = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]/g;

/** The same, of texts with a NUL between them. */
// oxlint-disable-next-line no-control-regex
const FORBIDDEN_BUT_NUL = /[\u0001-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]/;

/** Text for people. Bytes that are no UTF-8 are taken for Latin-1, as createrepo_c does, and what XML forbids is left out. */
export function repairedText(bytes: Buffer): string {
  return decode(bytes).replace(FORBIDDEN, '');
}

/** Names, versions and paths, where a changed letter means another thing. Throws E_FORMAT for what XML forbids. */
export function exactText(bytes: Buffer, field: string, place: string): string {
  const text = decode(bytes);
  const at = text.search(FORBIDDEN);
  if (at === -1) return text;
  const code = text.charCodeAt(at).toString(16).padStart(2, '0');
  throw malformed(place, `the ${field} ${JSON.stringify(text.slice(0, 80))} holds the control character 0x${code} at ${at}`);
}

/** The values of a tag, each as `exactText` reads it. Nearly all are clean, so all are looked at together first. */
export function exactTexts(header: Header, tag: number, { field, place }: { readonly field: string; readonly place: string }): string[] {
  return together(header, tag) ?? header.strings(tag).map((bytes) => exactText(bytes, field, place));
}

/** The same for texts for people. */
export function repairedTexts(header: Header, tag: number): string[] {
  return together(header, tag) ?? header.strings(tag).map(repairedText);
}

/** Undefined where one of them must be looked at by itself. */
function together(header: Header, tag: number): string[] | undefined {
  const bytes = header.packedStrings(tag);
  if (bytes === undefined) return [];
  if (!isUtf8(bytes)) return undefined;
  const text = bytes.toString('utf8', 0, bytes.length - 1);
  return FORBIDDEN_BUT_NUL.test(text) ? undefined : text.split('\0');
}

/** Of Latin-1 the control characters from 0x80 to 0xBF are dropped, as createrepo_c drops them. */
function decode(bytes: Buffer): string {
  if (isUtf8(bytes)) return bytes.toString('utf8');
  return bytes.toString('latin1').replace(/[\u0080-\u00bf]/g, '');
}

const TEXT_ESCAPES: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '\r': '&#13;' };

/** Whether `escapeText` would change the text. */
export function needsEscape(text: string): boolean {
  return /[&<>\r]/.test(text);
}

/** As libxml2 writes the text of an element. */
export function escapeText(text: string): string {
  return text.replace(/[&<>\r]/g, (character) => TEXT_ESCAPES[character] ?? '');
}

/** The same of `escapeAttribute`. */
export function needsAttributeEscape(text: string): boolean {
  return /[&<>"\r\n\t]/.test(text);
}

const ATTRIBUTE_ESCAPES: Readonly<Record<string, string>> = { ...TEXT_ESCAPES, '"': '&quot;', '\n': '&#10;', '\t': '&#9;' };

/** As libxml2 writes the value of an attribute. */
export function escapeAttribute(text: string): string {
  return text.replace(/[&<>"\r\n\t]/g, (character) => ATTRIBUTE_ESCAPES[character] ?? '');
}
