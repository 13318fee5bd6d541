/**
 * Module metadata of several sources as one modules.yaml, by libmodulemd's rules. Documents stay as they were written:
 * versions that look like numbers, and streams such as 1.10, must not become others.
 */
import { isUtf8 } from 'node:buffer';
import { parseAllDocuments, stringify } from 'yaml';
import { malformed } from './malformed.ts';
import type { Note } from './merge-updateinfo.ts';

interface ModuleDocument {
  readonly kind: string;
  readonly key: string;
  readonly modified: number;
  readonly text: string;
  readonly data: Readonly<Record<string, unknown>>;
  /** Two sources wanted other default streams: a third one of the same time does not settle that. */
  readonly torn?: boolean;
}

/** The earlier source has priority. What cannot be read is left out, and told. */
export function mergeModules(sources: readonly Buffer[], note: Note): Buffer {
  const merged = new Map<string, ModuleDocument>();
  for (const [number, source] of sources.entries()) {
    for (const document of readDocuments(source, number, note)) {
      const before = merged.get(document.key);
      merged.set(document.key, before === undefined ? document : settle(before, document, note));
    }
  }
  return Buffer.from([...merged.values()].map(({ text }) => `---\n${text.replace(/\n*$/, '\n')}...\n`).join(''));
}

/** Throws E_FORMAT unless all documents can be read, and are such as dnf knows. */
export function checkModules(source: Buffer, place: string): void {
  if (!isUtf8(source)) throw malformed(place, 'this is no UTF-8');
  const documents = splitDocuments(source.toString('utf8')).map((text) => readDocument(text, place));
  if (documents.length === 0) throw malformed(place, 'there is no document in it');
  const odd = documents.find(({ kind }) => !KEYS.has(kind) && kind !== 'modulemd-packager' && kind !== 'modulemd-stream');
  if (odd !== undefined) throw malformed(place, `"${odd.kind.slice(0, 40)}" is no kind of document about modules`);
}

function readDocuments(source: Buffer, number: number, note: Note): ModuleDocument[] {
  try {
    return splitDocuments(source.toString('utf8')).map((text) => readDocument(text, 'modules.yaml'));
  } catch (error) {
    note(`modules of source ${number + 1} is left out: ${error instanceof Error ? error.message : String(error)}`);
    return [];
  }
}

/** At the marks of documents, which stand at the beginning of a line and nowhere else. */
function splitDocuments(text: string): string[] {
  return text
    .split(/^(?:---|\.\.\.)[ \t]*$/m)
    .map((part) => part.replace(/^\n/, ''))
    .filter((part) => part.trim() !== '');
}

function readDocument(text: string, place: string): ModuleDocument {
  // Every scalar as text, and no aliases: a few lines of them can stand for gigabytes.
  const [document, ...others] = parseAllDocuments(text, { schema: 'failsafe' });
  if (document === undefined || !('errors' in document) || others.length > 0 || document.errors.length > 0) throw malformed(place, 'this is no YAML');
  const root = asRecord(document.toJS({ maxAliasCount: 0 }));
  const data = asRecord(root['data']);
  const kind = String(root['document'] ?? '');
  return { kind, key: [kind, ...(KEYS.get(kind)?.map((name) => String(data[name] ?? '')) ?? [text])].join('\0'), modified: Number(data['modified'] ?? 0) || 0, text, data };
}

/** What tells documents of a kind apart; documents of other kinds are all kept. */
const KEYS: ReadonlyMap<string, readonly string[]> = new Map([
  ['modulemd', ['name', 'stream', 'version', 'context', 'arch']],
  ['modulemd-defaults', ['module']],
  ['modulemd-translations', ['module', 'stream']],
  ['modulemd-obsoletes', ['module', 'stream', 'context']],
]);

function asRecord(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Readonly<Record<string, unknown>>) : {};
}

function settle(first: ModuleDocument, second: ModuleDocument, note: Note): ModuleDocument {
  if (first.text === second.text) return first;
  const name = first.key.split('\0').slice(1).filter((part) => part !== '').join(':');
  if (first.kind === 'modulemd-defaults') return settleDefaults(first, second, note);
  if (first.kind === 'modulemd') {
    note(`the module ${name} is described differently by two sources; the first counts`);
    return first;
  }
  return second.modified > first.modified ? second : first;
}

/** libmodulemd's merger: the newer word counts; two of one time that disagree leave the module without a default stream. */
function settleDefaults(first: ModuleDocument, second: ModuleDocument, note: Note): ModuleDocument {
  if (first.modified !== second.modified) return second.modified > first.modified ? second : first;
  const [one, two] = [first.data['stream'], second.data['stream']];
  const [ours, theirs] = [asRecord(first.data['profiles']), asRecord(second.data['profiles'])];
  const module = String(first.data['module']);
  const isTorn = first.torn === true || (one !== undefined && two !== undefined && one !== two);
  if (isTorn && first.torn !== true) note(`two sources want other default streams of the module ${module}; it has none now`);
  for (const stream of disputed(ours, theirs)) note(`two sources want other default profiles of the module ${module}:${stream}; the first counts`);
  const { stream: _, ...rest } = { ...second.data, ...first.data };
  const data = { ...rest, ...(isTorn || (one ?? two) === undefined ? {} : { stream: one ?? two }), profiles: { ...theirs, ...ours } };
  const text = stringify({ document: 'modulemd-defaults', version: '1', data }, { schema: 'failsafe', defaultStringType: 'QUOTE_DOUBLE', defaultKeyType: 'PLAIN' });
  return { ...first, text, data, torn: isTorn };
}

/** Streams for which both name profiles, and not the same ones. */
function disputed(ours: Readonly<Record<string, unknown>>, theirs: Readonly<Record<string, unknown>>): string[] {
  const profiles = (list: unknown): string => JSON.stringify(Array.isArray(list) ? list.map(String).sort() : list);
  return Object.keys(ours).filter((stream) => Object.hasOwn(theirs, stream) && profiles(ours[stream]) !== profiles(theirs[stream]));
}
