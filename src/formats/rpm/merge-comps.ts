/** Groups, categories and environments of several sources as one comps file: each id once, with what any source says of it. */
import type { Note } from './merge-updateinfo.ts';
import { malformed } from './malformed.ts';
import { escapeAttribute, escapeText } from './text.ts';
import { childText, parseXml, type XmlElement } from './xml.ts';

/** The earlier source's words count; what later ones add is added. What cannot be read is left out, and told. */
export function mergeComps(sources: readonly Buffer[], note: Note): Buffer {
  const merged = new Map<string, XmlElement>();
  for (const [number, source] of sources.entries()) {
    for (const element of readComps(source, number, note)) {
      const key = `${element.name} ${idOf(element)}`;
      const before = merged.get(key);
      merged.set(key, before === undefined ? element : unite(before, element));
    }
  }
  const sorted = [...merged.values()].toSorted((a, b) => KINDS.indexOf(a.name) - KINDS.indexOf(b.name));
  return Buffer.from(`<?xml version="1.0" encoding="UTF-8"?>\n<comps>\n${sorted.map((element) => writeElement(element, '  ')).join('')}</comps>\n`);
}

const KINDS = ['group', 'category', 'environment', 'langpacks'];

function readComps(source: Buffer, number: number, note: Note): readonly XmlElement[] {
  try {
    const root = parseXml(withoutDoctype(source), 'comps');
    if (root.name !== 'comps') throw malformed('comps', `the document is a <${root.name.slice(0, 40)}>`);
    return root.children;
  } catch (error) {
    note(`comps of source ${number + 1} is left out: ${error instanceof Error ? error.message : String(error)}`);
    return [];
  }
}

/** All comps files name the document type of 2003, which nothing reads. Any other stays, and is refused. */
export function withoutDoctype(source: Buffer): Buffer {
  return Buffer.from(source.toString('latin1').replace(/<!DOCTYPE comps PUBLIC "[^"<>[\]]*"\s+"[^"<>[\]]*"\s*>/, ''), 'latin1');
}

function idOf(element: XmlElement): string {
  return childText(element, 'id') ?? '';
}

/** Children that are lists are united; of single ones, and of translations, those are added that were not there. */
function unite(first: XmlElement, second: XmlElement): XmlElement {
  if (LISTS.has(first.name)) return uniteLists(first, second);
  const children = [...first.children];
  for (const item of second.children) {
    const at = children.findIndex((one) => keyOf(one) === keyOf(item));
    const before = children[at];
    if (before === undefined) children.push(item);
    else if (LISTS.has(item.name)) children[at] = uniteLists(before, item);
  }
  return { ...first, children };
}

const LISTS = new Set(['packagelist', 'grouplist', 'optionlist', 'langpacks']);

function keyOf({ name, attributes }: XmlElement): string {
  return `${name} ${attributes['xml:lang'] ?? ''}`;
}

/** How strongly a group wants a package; the strongest of all sources counts. */
const STRENGTH = ['conditional', 'optional', 'default', 'mandatory'];

function uniteLists(first: XmlElement, second: XmlElement): XmlElement {
  const items = new Map(first.children.map((item) => [itemKey(item), item]));
  for (const item of second.children) {
    const before = items.get(itemKey(item));
    if (before === undefined || strength(item) > strength(before)) items.set(itemKey(item), item);
  }
  return { ...first, children: [...items.values()] };
}

function itemKey({ name, attributes, text }: XmlElement): string {
  return `${name} ${text.trim()} ${attributes['name'] ?? ''}`;
}

function strength({ attributes }: XmlElement): number {
  return STRENGTH.indexOf(attributes['type'] ?? 'mandatory');
}

function writeElement({ name, attributes, children, text }: XmlElement, indent: string): string {
  const head = `${indent}<${[name, ...Object.entries(attributes).map(([key, value]) => `${key}="${escapeAttribute(value)}"`)].join(' ')}`;
  if (children.length > 0) return `${head}>\n${children.map((one) => writeElement(one, `${indent}  `)).join('')}${indent}</${name}>\n`;
  const inner = text.trim();
  return inner === '' ? `${head}/>\n` : `${head}>${escapeText(inner)}</${name}>\n`;
}
