/** Member headers of ar archives as deb(5) wants them: the common form, without any of its extensions for long names. */
import { malformed } from './stanza-stream.ts';

export const AR_MAGIC = '!<arch>\n';
export const AR_HEADER_BYTES = 60;

export interface ArMember {
  /** Without the blanks behind it, and without the slash that some writers put there. */
  readonly name: string;
  readonly size: number;
}

/**
 * Reads a header of 60 bytes. Names in the long forms of GNU (`//`, `/12`) and BSD (`#1/20`) come out as they stand and
 * so never are the name of a member that belongs in a package; their sizes are not trusted with anything.
 */
export function readArHeader(header: Buffer, label: string): ArMember {
  const text = header.toString('latin1');
  if (text.slice(58) !== '`\n') throw malformed(label, 'the package is damaged: a member does not begin where it should');
  const size = /^(\d{1,10}) *$/.exec(text.slice(48, 58))?.[1];
  if (size === undefined) throw malformed(label, `the size ${JSON.stringify(text.slice(48, 58))} of a member is no number`);
  return { name: text.slice(0, 16).replace(/ +$/, '').replace(/\/$/, ''), size: Number(size) };
}
