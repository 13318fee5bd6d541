/** apt's own source lists (sources.list(5)), both notations, reduced to what mirroring needs. Pure. */

/** One archive under one suite, as the machine uses it. */
export interface AptSource {
  readonly suite: string;
  /** http and https only, in their order. */
  readonly urls: readonly string[];
  readonly components: readonly string[];
  readonly keys: SourceKeys;
  /** What the source says; undefined: apt's own setting counts. */
  readonly checkValidUntil: boolean | undefined;
  /** `trusted=yes`: apt would not check signatures. */
  readonly trusted: boolean;
  /** `file:line`, for messages. */
  readonly place: string;
}

/** Signed-By. Without files and blocks, the machine's trusted keys serve; fingerprints narrow what counts. */
export interface SourceKeys {
  readonly files: readonly string[];
  /** Keys that stand in the source itself. */
  readonly blocks: readonly string[];
  readonly fingerprints: readonly string[];
}

export interface AptSources {
  readonly sources: readonly AptSource[];
  /** What was left out, and why. */
  readonly warnings: readonly string[];
}

/** Reads a file of the one-line notation (`*.list`): `deb [options] uri suite component…`. */
export function parseOneLine(text: string, file: string): AptSources {
  const found: Found = { sources: [], warnings: [] };
  for (const [index, written] of text.split(/\r?\n/).entries()) {
    const line = written.replace(/#.*$/, '').trim();
    const place = `${file}:${index + 1}`;
    const match = /^deb\s+(?:\[([^\]]*)\]\s*)?(\S+)\s+(\S+)(?:\s+(.*))?$/.exec(line);
    if (match === null) {
      if (line !== '' && !/^deb-src\s/.test(line)) found.warnings.push(`${place}: not understood, left out`);
      continue;
    }
    const [, options = '', uri = '', suite = '', components = ''] = match;
    add(found, { fields: parseOptions(options), uris: [uri], suites: [suite], components: split(components), place });
  }
  return found;
}

/** Reads a file of the deb822 notation (`*.sources`). */
export function parseDeb822(text: string, file: string): AptSources {
  const found: Found = { sources: [], warnings: [] };
  for (const { fields, line } of stanzas(text)) {
    const of = (name: string): string => fields.get(name) ?? '';
    if (!split(of('types')).includes('deb') || falseWord(of('enabled'))) continue;
    add(found, {
      fields,
      uris: split(of('uris')),
      suites: split(of('suites')),
      components: split(of('components')),
      place: `${file}:${line}`,
    });
  }
  return found;
}

/** `key "value";` lines of `apt-config dump`. The last one of a key counts. */
export function parseAptConfig(dump: string): ReadonlyMap<string, string> {
  const lines = dump.matchAll(/^(\S+) "(.*)";$/gm);
  return new Map([...lines].map(([, key = '', value = '']) => [key.toLowerCase(), value]));
}

/** apt's way to read a boolean; undefined when it is none. */
export function parseAptBoolean(text: string | undefined): boolean | undefined {
  if (text === undefined || text.trim() === '') return undefined;
  if (falseWord(text)) return false;
  return /^(?:1|yes|true|with|on|enable)$/i.test(text.trim()) ? true : undefined;
}

interface Found {
  readonly sources: AptSource[];
  readonly warnings: string[];
}

interface Entry {
  /** Lower-case names. */
  readonly fields: ReadonlyMap<string, string>;
  readonly uris: readonly string[];
  readonly suites: readonly string[];
  readonly components: readonly string[];
  readonly place: string;
}

function add(found: Found, { fields, uris, suites, components, place }: Entry): void {
  const urls = uris.filter((uri) => /^https?:\/\//i.test(uri));
  for (const uri of uris) {
    if (urls.includes(uri)) continue;
    const scheme = /^[a-z0-9+.-]+:/i.exec(uri)?.[0] ?? 'no scheme';
    found.warnings.push(`${place}: only http and https can be mirrored (${scheme}), left out`);
  }
  if (urls.length === 0) return;
  const common = {
    urls,
    components,
    keys: parseSignedBy(fields.get('signed-by') ?? ''),
    checkValidUntil: parseAptBoolean(fields.get('check-valid-until')),
    trusted: parseAptBoolean(fields.get('trusted')) === true,
    place,
  };
  for (const suite of suites) found.sources.push({ suite, ...common });
}

function parseSignedBy(text: string): SourceKeys {
  if (text.includes('-----BEGIN PGP PUBLIC KEY BLOCK-----')) return { files: [], blocks: [text.trim()], fingerprints: [] };
  const parts = text.split(/[\s,]+/).filter((part) => part !== '');
  return {
    files: parts.filter((part) => part.startsWith('/')),
    blocks: [],
    // A trailing "!" means: not its subkeys. The fingerprint is pinned all the same.
    fingerprints: parts.filter((part) => !part.startsWith('/')).map((part) => part.replace(/!$/, '').toUpperCase()),
  };
}

/** `[arch=amd64,i386 signed-by=/a.gpg]`; `+=` and `-=` only matter to architectures, which are asked for elsewhere. */
function parseOptions(text: string): ReadonlyMap<string, string> {
  const pairs = text.matchAll(/([A-Za-z-]+?)[+-]?=(\S*)/g);
  return new Map([...pairs].map(([, name = '', value = '']) => [name.toLowerCase(), value]));
}

interface Stanza {
  readonly fields: ReadonlyMap<string, string>;
  readonly line: number;
}

function stanzas(text: string): readonly Stanza[] {
  const found: { fields: Map<string, string>; line: number }[] = [];
  let open: { fields: Map<string, string>; line: number } | undefined;
  let last = '';
  for (const [index, line] of text.split(/\r?\n/).entries()) {
    if (line.startsWith('#')) continue;
    if (line.trim() === '') {
      open = undefined;
      continue;
    }
    const continued = /^[ \t]+(.*)$/.exec(line)?.[1];
    if (continued !== undefined) {
      // A lone dot stands for an empty line, which an armoured key needs after its header.
      open?.fields.set(last, `${open.fields.get(last) ?? ''}\n${continued === '.' ? '' : continued}`);
      continue;
    }
    const [, name = '', value = ''] = /^([^:\s]+):\s*(.*)$/.exec(line) ?? [];
    if (open === undefined) found.push((open = { fields: new Map(), line: index + 1 }));
    last = name.toLowerCase();
    open.fields.set(last, value);
  }
  return found;
}

function split(text: string): readonly string[] {
  return text.split(/\s+/).filter((part) => part !== '');
}

function falseWord(text: string): boolean {
  return /^(?:0|no|false|without|off|disable)$/i.test(text.trim());
}
