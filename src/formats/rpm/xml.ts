/** Small XML documents as trees, read with bounds: no document types, so no entities of its own, and no depth without end. */
import { isUtf8 } from 'node:buffer';
import { SaxesParser } from 'saxes';
import { ArtifactsError } from '../../core/errors.ts';
import { malformed } from './malformed.ts';

export interface XmlElement {
  /** With its prefix, as written. */
  readonly name: string;
  readonly attributes: Readonly<Record<string, string>>;
  readonly children: readonly XmlElement[];
  /** Its own text, that of its children left out. */
  readonly text: string;
}

const DEEPEST = 32;
const MOST_ATTRIBUTES = 64;

/** Reads a document. Throws E_FORMAT for what is no well-formed XML in UTF-8, or too deep. */
export function parseXml(bytes: Buffer, place: string): XmlElement {
  if (!isUtf8(bytes)) throw malformed(place, 'this is no UTF-8');
  const text = bytes.toString('utf8');
  // A document type can name files and addresses to read, and entities that grow without end.
  if (text.includes('<!DOCTYPE') || text.includes('<!ENTITY')) {
    throw new ArtifactsError('E_FORMAT', `${place}: a document type is refused`, { hint: 'Metadata of repositories has none; ask whoever runs the upstream.' });
  }
  const parser = new SaxesParser({ position: false });
  const open: Draft[] = [];
  let root: Draft | undefined;
  parser.on('error', (error) => {
    throw malformed(place, `this is no XML: ${error.message}`);
  });
  parser.on('opentag', ({ name, attributes }) => {
    const draft: Draft = { name, attributes: attributes as Record<string, string>, children: [], text: '' };
    if (open.length >= DEEPEST) throw malformed(place, `the XML is deeper than ${DEEPEST} elements`);
    if (Object.keys(attributes).length > MOST_ATTRIBUTES) throw malformed(place, `<${name}> has more than ${MOST_ATTRIBUTES} attributes`);
    open.at(-1)?.children.push(draft);
    root ??= draft;
    open.push(draft);
  });
  parser.on('text', (piece) => addText(open, piece));
  parser.on('cdata', (piece) => addText(open, piece));
  parser.on('closetag', () => void open.pop());
  parser.write(text).close();
  if (root === undefined) throw malformed(place, 'this is no XML');
  return root;
}

interface Draft extends XmlElement {
  readonly children: Draft[];
  text: string;
}

function addText(open: readonly Draft[], piece: string): void {
  const last = open.at(-1);
  if (last !== undefined) last.text += piece;
}

/** The first child of that name. */
export function child(element: XmlElement | undefined, name: string): XmlElement | undefined {
  return element?.children.find((one) => one.name === name);
}

/** The text of the first child of that name, without blanks around it; undefined when there is none. */
export function childText(element: XmlElement | undefined, name: string): string | undefined {
  return child(element, name)?.text.trim();
}

export function childrenOf(element: XmlElement | undefined, name: string): readonly XmlElement[] {
  return element?.children.filter((one) => one.name === name) ?? [];
}
