/** Advisories of several sources as one updateinfo. Where two say different things of one id, a rule decides; none is lost silently. */
import { malformed } from './malformed.ts';
import { child, childrenOf, parseXml, type XmlElement } from './xml.ts';

/** Told when advisories of one id are at odds, and how that was settled. */
export type Note = (message: string) => void;

interface Advisory {
  readonly id: string;
  readonly text: string;
  /** Milliseconds since 1970; 0 when it says none. */
  readonly date: number;
  readonly version: number;
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
  return Buffer.from(`<?xml version="1.0" encoding="UTF-8"?>\n<updates>\n${[...merged.values()].map(({ text }) => `${text}\n`).join('')}</updates>\n`);
}

function readAdvisories(source: Buffer, number: number, note: Note): Advisory[] {
  try {
    const root = parseXml(source, 'updateinfo');
    if (root.name !== 'updates') throw malformed('updateinfo', `the document is a <${root.name.slice(0, 40)}>`);
    const elements = childrenOf(root, 'update');
    const texts = source.toString('utf8').match(/<update[\s>][^]*?<\/update>/g) ?? [];
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
    packages: new Set([...first.packages, ...second.packages]),
    names: new Set([...first.names, ...second.names]),
  };
}
