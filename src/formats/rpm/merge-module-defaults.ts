/**
 * What several documents say of the defaults of one module, by the rules of libmodulemd's merger: everything is kept that
 * any says, and where two differ the newer one counts. Each word keeps its own time, so that the order matters to ties alone.
 */
import { stringify } from 'yaml';
import type { Note } from './merge-updateinfo.ts';

/** Of documents by their places in them: `stream`, `profiles` of a stream, the same for a purpose. */
export type ModuleDefaults = ReadonlyMap<string, Word>;

interface Word {
  readonly path: readonly string[];
  /** Undefined: two of one time wanted other streams, and what a third one of that time says does not settle it. */
  readonly value: string | readonly unknown[] | undefined;
  readonly modified: number;
}

/** Reads the `data` of a document, all of it as text. */
export function readDefaults(data: Readonly<Record<string, unknown>>): ModuleDefaults {
  const modified = Number(data['modified'] ?? 0) || 0;
  const words = new Map<string, Word>();
  const read = (value: unknown, path: readonly string[]): void => {
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) for (const [key, below] of Object.entries(value)) read(below, [...path, key]);
    else words.set(JSON.stringify(path), { path, value: Array.isArray(value) ? value : String(value), modified });
  };
  read(data, []);
  return words;
}

/** `module` is what it is called in notes. */
export function mergeDefaults(first: ModuleDefaults, second: ModuleDefaults, { module, note }: { readonly module: string; readonly note: Note }): ModuleDefaults {
  const merged = new Map(first);
  for (const [key, word] of second) {
    const before = first.get(key);
    if (before === undefined || word.modified > before.modified) merged.set(key, word);
    else if (word.modified === before.modified && !isEqual(before, word)) merged.set(key, settle(before, { module, note }));
  }
  return merged;
}

/** The document that says all of it. */
export function writeDefaults(defaults: ModuleDefaults): string {
  const data = new Map<string, unknown>();
  for (const { path, value } of defaults.values()) {
    if (value === undefined) continue;
    let folder = data;
    for (const key of path.slice(0, -1)) {
      const below = folder.get(key);
      const next = below instanceof Map ? below : new Map<string, unknown>();
      if (next !== below) folder.set(key, next);
      folder = next;
    }
    folder.set(path.at(-1) ?? '', value);
  }
  return stringify({ document: 'modulemd-defaults', version: '1', data }, { schema: 'failsafe', defaultStringType: 'QUOTE_DOUBLE', defaultKeyType: 'PLAIN' });
}

/** Lists of profiles have no order. */
function isEqual(one: Word, two: Word): boolean {
  const comparable = ({ value }: Word): string => JSON.stringify(Array.isArray(value) ? value.map(String).sort() : value);
  return comparable(one) === comparable(two);
}

/** Two words of one time that differ. */
function settle(first: Word, { module, note }: { readonly module: string; readonly note: Note }): Word {
  const purpose = first.path[0] === 'intents' ? ` for ${first.path[1]}` : '';
  const name = first.path.at(-1);
  if (name !== 'stream') {
    note(`two sources want other default profiles of the module ${module}:${name}${purpose}; the first counts`);
    return first;
  }
  if (first.value !== undefined) note(`two sources want other default streams of the module ${module}${purpose}; it has none now`);
  return { ...first, value: undefined };
}
