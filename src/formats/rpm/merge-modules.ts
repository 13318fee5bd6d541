/**
 * Module metadata of several sources as one modules.yaml, by libmodulemd's rules. Documents stay as they were written:
 * versions that look like numbers, and streams such as 1.10, must not become others.
 */
import { isUtf8 } from 'node:buffer';
import { isScalar, parseAllDocuments, visit, type Document } from 'yaml';
import type { HasPackage } from '../format.ts';
import { malformed } from './malformed.ts';
import { mergeDefaults, readDefaults, writeDefaults, type ModuleDefaults } from './merge-module-defaults.ts';
import type { Note } from './merge-updateinfo.ts';
import { isArtifactOf } from './module-artifacts.ts';

interface ModuleDocument {
  readonly kind: string;
  readonly key: string;
  readonly modified: number;
  readonly text: string;
  readonly data: Readonly<Record<string, unknown>>;
  /** Of a document about defaults. */
  readonly defaults?: ModuleDefaults;
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
  return write(merged.values());
}

/** The streams that any of these packages is a part of, and what is said of these modules besides. */
export function extractModules(source: Buffer, has: HasPackage, note: Note): Buffer | undefined {
  const documents = readDocuments(source, 0, note);
  const streams = documents.filter(({ kind, data }) => kind === 'modulemd' && artifactsOf(data).some((artifact) => isArtifactOf(artifact, has)));
  if (streams.length === 0) return undefined;
  const names = new Set(streams.map(({ data }) => String(data['name'])));
  const of = new Set(streams.map(({ data }) => `${String(data['name'])}:${String(data['stream'])}`));
  const isAbout = ({ kind, data: { module, stream } }: ModuleDocument): boolean =>
    kind === DEFAULTS ? names.has(String(module)) : /^modulemd-(?:translations|obsoletes)$/.test(kind) && of.has(`${String(module)}:${String(stream)}`);
  return write(documents.filter((document) => streams.includes(document) || isAbout(document)));
}

function artifactsOf(data: ModuleDocument['data']): readonly string[] {
  const { rpms } = asRecord(data['artifacts']);
  return Array.isArray(rpms) ? rpms.map(String) : [];
}

function write(documents: Iterable<ModuleDocument>): Buffer {
  return Buffer.from(Array.from(documents, ({ text }) => `---\n${text.replace(/\n*$/, '\n')}...\n`).join(''));
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

/** The longest document of a distribution, what its builders wrote into it included, has some thousand lines. */
const MOST_LINES = 20_000;
const MOST_CHARACTERS = 1024 * 1024;

function readDocument(text: string, place: string): ModuleDocument {
  if (text.length > MOST_CHARACTERS || hasMoreLines(text, MOST_LINES)) throw malformed(place, `a document of more than ${MOST_LINES} lines or ${MOST_CHARACTERS} characters`);
  // Every scalar as text, and no aliases: a few lines of them can stand for gigabytes. The parser's own check of keys and its
  // words about errors take time that grows with the square of what there is.
  const [document, ...others] = parseAllDocuments(text, { schema: 'failsafe', uniqueKeys: false, prettyErrors: false, logLevel: 'error' });
  if (document === undefined || !('errors' in document) || others.length > 0 || document.errors.length > 0) throw malformed(place, 'this is no YAML');
  refuseTwice(document, place);
  const root = asRecord(document.toJS({ maxAliasCount: 0 }));
  const data = asRecord(root['data']);
  const kind = String(root['document'] ?? '');
  return { kind, key: [kind, ...(KEYS.get(kind)?.map((name) => String(data[name] ?? '')) ?? [text])].join('\0'), modified: Number(data['modified'] ?? 0) || 0, text, data, ...(kind === DEFAULTS ? { defaults: readDefaults(data) } : {}) };
}

function hasMoreLines(text: string, most: number): boolean {
  let at = -1;
  for (let lines = 0; lines <= most; lines += 1) if ((at = text.indexOf('\n', at + 1)) === -1) return false;
  return true;
}

function refuseTwice(document: Document.Parsed, place: string): void {
  visit(document, {
    Map: (_, { items }) => {
      const keys = new Set(items.map(({ key }) => (isScalar(key) ? key.value : key)));
      if (keys.size < items.length) throw malformed(place, 'a key stands twice');
    },
  });
}

const DEFAULTS = 'modulemd-defaults';

/** What tells documents of a kind apart; documents of other kinds are all kept. */
const KEYS: ReadonlyMap<string, readonly string[]> = new Map([
  ['modulemd', ['name', 'stream', 'version', 'context', 'arch']],
  [DEFAULTS, ['module']],
  ['modulemd-translations', ['module', 'stream']],
  // libmodulemd keeps those of every time, and clients take the newest.
  ['modulemd-obsoletes', ['module', 'stream', 'context', 'modified']],
]);

function asRecord(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Readonly<Record<string, unknown>>) : {};
}

function settle(first: ModuleDocument, second: ModuleDocument, note: Note): ModuleDocument {
  if (first.text === second.text) return first;
  const name = first.key.split('\0').slice(1).filter((part) => part !== '').join(':');
  if (first.defaults !== undefined && second.defaults !== undefined) {
    const defaults = mergeDefaults(first.defaults, second.defaults, { module: name, note });
    return { ...first, defaults, text: writeDefaults(defaults) };
  }
  if (first.kind === 'modulemd') {
    note(`the module ${name} is described differently by two sources; the first counts`);
    return first;
  }
  return second.modified > first.modified ? second : first;
}
