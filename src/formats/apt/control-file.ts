/** Control files (deb-control(5), Debian Policy 5.3): what a package says of itself, checked as dpkg checks it. */
import { ARCHITECTURE, PACKAGE_NAME } from './names.ts';
import { parseControl, valueOf, type Field } from './stanza.ts';
import { malformed } from './stanza-stream.ts';
import { checkVersion } from './version.ts';

/** A single paragraph with the bytes its fields lie in. */
export interface ControlParagraph {
  readonly bytes: Buffer;
  readonly fields: readonly Field[];
  /** The value of a field, in whatever case its name stands; undefined when it is absent. */
  value(name: string): string | undefined;
}

export interface BinaryStanza {
  readonly name: string;
  readonly version: string;
  readonly architecture: string;
  /** The fields as they stand in the control file, those left out that only an index has. */
  readonly text: Buffer;
}

/** What an index says of a file; in a control file it would contradict ours. */
const OF_THE_INDEX = new Set(['filename', 'size', 'md5sum', 'sha1', 'sha256', 'sha512']);

/** The stanza of a binary package from its control file. Throws E_FORMAT where dpkg would refuse to read it. */
export function binaryStanza(control: Buffer, label: string): BinaryStanza {
  const paragraph = singleParagraph(control, label);
  if (control.includes(0)) throw malformed(label, 'the control file has a zero byte');
  if (control.at(-1) !== NEWLINE) throw malformed(label, 'the last line of the control file does not end');
  // deb-control(5): a line of white space is no part of a value, and no separator either.
  if (/^[ \t]+$/m.test(control.toString('latin1'))) throw malformed(label, 'the control file has a blank line within a value');
  const name = checkedValue(paragraph, { field: 'Package', pattern: PACKAGE_NAME }, label);
  const version = versionOf(paragraph, label);
  const architecture = checkedValue(paragraph, { field: 'Architecture', pattern: ARCHITECTURE }, label);
  if (architecture === 'source') throw malformed(label, 'a binary package has the Architecture "source"');
  const kept = paragraph.fields.filter((field) => !OF_THE_INDEX.has(field.name.toLowerCase()));
  return { name, version, architecture, text: Buffer.concat(kept.map(({ start, end }) => control.subarray(start, end))) };
}

/** The one paragraph of a control file. Throws E_FORMAT for none or several. */
export function singleParagraph(bytes: Buffer, label: string): ControlParagraph {
  const [paragraph] = parseControl(bytes, { label, single: true });
  if (paragraph === undefined) throw malformed(label, 'there are no fields in it');
  const { fields } = paragraph;
  return {
    bytes,
    fields,
    value: (name) => {
      const field = fields.find((candidate) => candidate.name.toLowerCase() === name.toLowerCase());
      return field === undefined ? undefined : valueOf(bytes, field);
    },
  };
}

/** The value of a field that must be there and look like this. */
export function checkedValue({ value }: ControlParagraph, { field, pattern }: { readonly field: string; readonly pattern: RegExp }, label: string): string {
  const text = value(field);
  if (text === undefined || text === '') throw malformed(label, `no ${field}`);
  if (!pattern.test(text)) throw malformed(label, `the ${field} ${JSON.stringify(text.slice(0, 100))} is not allowed`);
  return text;
}

/** The Version, as dpkg accepts it: what is built here is held to the letter, unlike what an upstream already serves. */
export function versionOf(paragraph: ControlParagraph, label: string): string {
  const version = checkedValue(paragraph, { field: 'Version', pattern: /./ }, label);
  const problem = checkVersion(version);
  if (problem !== undefined) throw malformed(label, `the Version ${JSON.stringify(version.slice(0, 100))} ${problem}`);
  return version;
}

const NEWLINE = 0x0a;
