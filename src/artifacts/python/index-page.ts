/** Pages of a package index, read and written as PEP 503 says. Pure. */
import { parseSha256, type Sha256 } from '../../core/digest.ts';

/** What file systems take. */
const LONGEST_FILE = 255;

/** A file a page links to. */
export interface PageFile {
  readonly file: string;
  readonly url: string;
  readonly sha256: Sha256;
  /** PEP 345's Requires-Python, for readers of the page. */
  readonly requiresPython?: string;
  /** PEP 592: not to be chosen unless asked for by its very version; the reason, perhaps empty. */
  readonly yanked?: string;
  /** PEP 714: digest of the metadata, which is served beside the file. */
  readonly metadata?: Sha256;
}

/** The files a page links to with a SHA-256; others cannot be verified and are left out. `base` is the page's own URL. */
export function parsePage(html: string, base: string): readonly PageFile[] {
  const href = Array.from(tags(html, 'base'), readAttributes).find((attributes) => attributes.has('href'))?.get('href');
  const root = href !== undefined && URL.canParse(href, base) ? new URL(href, base).href : base;
  return Array.from(tags(html, 'a'), readAttributes).flatMap((attributes) => parseLink(attributes, root) ?? []);
}

/** What stands in the tags of that name. An end that is missing is looked for once. */
function* tags(html: string, name: string): Generator<string> {
  const begin = new RegExp(`<${name}\\b`, 'gi');
  while (begin.exec(html) !== null) {
    const end = html.indexOf('>', begin.lastIndex);
    if (end === -1) return;
    yield html.slice(begin.lastIndex, end);
    begin.lastIndex = end;
  }
}

function parseLink(attributes: ReadonlyMap<string, string>, base: string): PageFile | undefined {
  const href = attributes.get('href');
  if (href === undefined || !URL.canParse(href, base)) return undefined;
  const url = new URL(href, base);
  const digest = parseSha256(/(?:^#|&)sha256=([0-9a-fA-F]{64})(?:$|&)/.exec(url.hash)?.[1] ?? '');
  const file = lastPart(url.pathname);
  if (digest === undefined || file === undefined || !/^https?:$/.test(url.protocol)) return undefined;
  url.hash = '';
  const requiresPython = attributes.get('data-requires-python');
  const yanked = attributes.get('data-yanked');
  return {
    file,
    url: url.href,
    sha256: digest,
    ...(requiresPython === undefined ? {} : { requiresPython }),
    ...(yanked === undefined ? {} : { yanked }),
  };
}

function lastPart(path: string): string | undefined {
  try {
    const name = decodeURIComponent(path.slice(path.lastIndexOf('/') + 1));
    return name.length <= LONGEST_FILE && /^[A-Za-z0-9][A-Za-z0-9._+!-]*$/.test(name) ? name : undefined;
  } catch {
    return undefined;
  }
}

function readAttributes(text: string): ReadonlyMap<string, string> {
  const found = text.matchAll(/([a-zA-Z-]+)(?:\s*=\s*(?:"([^"]*)"|'([^']*)'|([^\s"'>]+)))?/g);
  return new Map([...found].map(([, name = '', double, single, bare]) => [name.toLowerCase(), unescape(double ?? single ?? bare ?? '')]));
}

const ENTITIES: Readonly<Record<string, string>> = { lt: '<', gt: '>', amp: '&', quot: '"', apos: "'" };

function unescape(text: string): string {
  return text.replace(/&(?:#(\d{1,7})|#x([0-9a-f]{1,6})|(lt|gt|amp|quot|apos));/gi, (whole, decimal?: string, hex?: string, name?: string) => {
    if (name !== undefined) return ENTITIES[name.toLowerCase()] ?? whole;
    const code = decimal === undefined ? Number.parseInt(hex ?? '', 16) : Number(decimal);
    return code > 0 && code <= 0x10ffff ? String.fromCodePoint(code) : whole;
  });
}

export function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
}

/** The page of a project. */
export function projectPage(name: string, files: readonly PageFile[]): string {
  const links = files.map((one) => {
    const attributes = [
      ['href', `${one.url}#sha256=${one.sha256}`],
      ['data-requires-python', one.requiresPython],
      ['data-yanked', one.yanked],
      // PEP 658's name, which older clients know, and PEP 714's, which newer ones do.
      ['data-dist-info-metadata', one.metadata === undefined ? undefined : `sha256=${one.metadata}`],
      ['data-core-metadata', one.metadata === undefined ? undefined : `sha256=${one.metadata}`],
    ] as const;
    const written = attributes.flatMap(([key, value]) => (value === undefined ? [] : `${key}="${escapeHtml(value)}"`));
    return `<a ${written.join(' ')}>${escapeHtml(one.file)}</a><br>\n`;
  });
  return htmlPage(`Links for ${name}`, links.join(''));
}

export function htmlPage(title: string, body: string): string {
  const head = `<meta charset="utf-8"><meta name="pypi:repository-version" content="1.1"><title>${escapeHtml(title)}</title>`;
  return `<!DOCTYPE html>\n<html><head>${head}</head><body>\n${body}</body></html>\n`;
}
