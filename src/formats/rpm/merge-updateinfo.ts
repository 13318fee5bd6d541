/** Advisories of several sources as one updateinfo. Where two say different things of one id, a rule decides; none is lost silently. */
import type { HasPackage } from '../format.ts';
import { malformed } from './malformed.ts';
import { joinVersion } from './version.ts';
import { child, childrenOf, parseXml, type XmlElement } from './xml.ts';

/** Told when advisories of one id are at odds, and how that was settled. */
export type Note = (message: string) => void;

interface Advisory {
  readonly id: string;
  readonly text: string;
  /** Milliseconds since 1970; 0 when it says none. */
  readonly date: number;
  readonly version: number;
  /** The attributes of its packages. */
  readonly rows: readonly Readonly<Record<string, string>>[];
  readonly packages: ReadonlySet<string>;
  readonly names: ReadonlySet<string>;
}

/** The earlier source is the one with priority. What cannot be read is left out, and told. */
export function mergeUpdateinfo(sources: readonly Buffer[], note: Note): Buffer {
  const merged = new Map<string, Advisory>();
  for (const [number, source] of sources.entries()) {
    for (const advisory of readAdvisories(source, number, note)) {
      const before = merged.get(advisory.id);
      merged.set(advisory.id, before === undefined ? advisory : settle(before, advisory, note));
    }
  }
  return write([...merged.values()].map(({ text }) => text));
}

/** Without the packages that are not there, and without advisories of which none is. Undefined when all are, or nothing can be read. */
export function pruneUpdateinfo(source: Buffer, has: HasPackage): Buffer | undefined {
  const advisories = readAdvisories(source, 0, () => {});
  const kept = advisories.map((advisory) => pruned(advisory, has));
  if (kept.every((text, at) => text === advisories[at]?.text)) return undefined;
  return write(kept.filter((text) => text !== ''));
}

/** The advisories about any of these packages, whole: what else they are about may follow. */
export function extractUpdateinfo(source: Buffer, has: HasPackage, note: Note): Buffer | undefined {
  const about = readAdvisories(source, 0, note).filter(({ rows }) => rows.some((row) => isOf(row, has)));
  return about.length === 0 ? undefined : write(about.map(({ text }) => text));
}

function isOf({ name = '', epoch = '0', version = '', release = '', arch = '' }: Advisory['rows'][number], has: HasPackage): boolean {
  return has({ name, version: joinVersion({ epoch, version, release }), architecture: arch });
}

function write(advisories: readonly string[]): Buffer {
  return Buffer.from(`<?xml version="1.0" encoding="UTF-8"?>\n<updates>\n${advisories.map((text) => `${text}\n`).join('')}</updates>\n`);
}

/** Empty when nothing is left of what it was about. */
function pruned({ text, rows }: Advisory, has: HasPackage): string {
  const isThere = rows.map((row) => isOf(row, has));
  if (isThere.every((one) => one)) return text;
  if (!isThere.includes(true)) return '';
  const spans = [...elementSpans(text, 'package')];
  // Rows that cannot be told apart stay.
  if (spans.length !== rows.length) return text;
  let kept = '';
  let end = 0;
  for (const [at, span] of spans.entries()) {
    const line = wholeLine(text, span, end);
    kept += text.slice(end, isThere[at] === true ? line.end : line.start);
    end = line.end;
  }
  return kept + text.slice(end);
}

interface Span {
  readonly start: number;
  readonly end: number;
}

/** Where elements of a name stand that hold none of their own. Read in one pass, whatever stands there without an end. */
function* elementSpans(text: string, name: string): Generator<Span> {
  let open: number | undefined;
  for (const { 0: tag, index } of text.matchAll(new RegExp(`<${name}(?=[\\s/>])[^<>]*>|</${name}\\s*>`, 'g'))) {
    const end = index + tag.length;
    if (tag.endsWith('/>')) {
      yield { start: index, end };
    } else if (!tag.startsWith('</')) {
      open ??= index;
    } else if (open !== undefined) {
      yield { start: open, end };
      open = undefined;
    }
  }
}

/** With the blanks around it and the end of its line, as far as none of it belongs to what stands before. */
function wholeLine(text: string, { start, end }: Span, before: number): Span {
  const isBlank = (at: number): boolean => text[at] === ' ' || text[at] === '\t';
  let from = start;
  while (from > before && isBlank(from - 1)) from -= 1;
  let to = end;
  while (isBlank(to)) to += 1;
  return { start: from, end: text[to] === '\n' ? to + 1 : to };
}

function readAdvisories(source: Buffer, number: number, note: Note): Advisory[] {
  try {
    const root = parseXml(source, 'updateinfo');
    if (root.name !== 'updates') throw malformed('updateinfo', `the document is a <${root.name.slice(0, 40)}>`);
    const elements = childrenOf(root, 'update');
    const text = source.toString('utf8');
    const texts = Array.from(elementSpans(text, 'update'), ({ start, end }) => text.slice(start, end));
    if (texts.length !== elements.length) throw malformed('updateinfo', 'advisories cannot be told apart');
    return elements.map((element, at) => readAdvisory(element, texts[at] ?? ''));
  } catch (error) {
    note(`updateinfo of source ${number + 1} is left out: ${error instanceof Error ? error.message : String(error)}`);
    return [];
  }
}

function readAdvisory(element: XmlElement, text: string): Advisory {
  const packages = childrenOf(child(element, 'pkglist'), 'collection').flatMap((collection) => childrenOf(collection, 'package'));
  const nevra = ({ attributes: { name = '', epoch = '0', version = '', release = '', arch = '' } }: XmlElement): string => `${name}-${epoch}:${version}-${release}.${arch}`;
  return {
    id: child(element, 'id')?.text.trim() ?? '',
    text,
    date: dateOf(child(element, 'updated')) || dateOf(child(element, 'issued')),
    version: Number.parseInt(element.attributes['version'] ?? '', 10) || 0,
    rows: packages.map(({ attributes }) => attributes),
    packages: new Set(packages.map(nevra)),
    names: new Set(packages.map(({ attributes }) => attributes['name'] ?? '')),
  };
}

/** `YYYY-MM-DD[ HH:MM:SS]` or seconds since 1970. */
function dateOf(element: XmlElement | undefined): number {
  const text = element?.attributes['date'] ?? '';
  if (/^\d{5,}$/.test(text)) return Number(text) * 1000;
  const [, day, time = '00:00:00'] = /^(\d{4}-\d{2}-\d{2})(?:[ T](\d{2}:\d{2}:\d{2}))?/.exec(text) ?? [];
  const date = new Date(`${day}T${time}Z`).getTime();
  return Number.isNaN(date) ? 0 : date;
}

/** Pulp's rules for advisories of one id, but for those it gives up on: there both lists of packages are kept, and it is told. */
function settle(first: Advisory, second: Advisory, note: Note): Advisory {
  if (first.text === second.text) return first;
  const shared = [...second.packages].filter((one) => first.packages.has(one)).length;
  const sharesNames = [...second.names].some((one) => first.names.has(one));
  if (first.date === second.date && first.version === second.version) {
    if (shared === second.packages.size) return first;
    if (shared === first.packages.size) return second;
    if (shared > 0) note(`the advisory ${first.id} names different packages in two sources; all of them are kept`);
    return united(first, second);
  }
  if (shared > 0 || sharesNames) return newer(first, second);
  note(`the advisory ${first.id} is about other packages in another source; all of them are kept`);
  return united(newer(first, second), newer(first, second) === first ? second : first);
}

function newer(first: Advisory, second: Advisory): Advisory {
  if (first.date !== second.date) return second.date > first.date ? second : first;
  return second.version > first.version ? second : first;
}

/** The collections of both, each with its own name. */
function united(first: Advisory, second: Advisory): Advisory {
  const collections = /<pkglist[^>]*>([^]*)<\/pkglist>/.exec(second.text)?.[1] ?? '';
  const end = first.text.lastIndexOf('</pkglist>');
  if (end === -1) return second;
  return {
    ...first,
    text: `${first.text.slice(0, end)}${collections.trim()}\n${first.text.slice(end)}`,
    rows: [...first.rows, ...second.rows],
    packages: new Set([...first.packages, ...second.packages]),
    names: new Set([...first.names, ...second.names]),
  };
}
