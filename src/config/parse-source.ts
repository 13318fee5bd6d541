import { isAlias, isMap, isScalar, isSeq, LineCounter, parseDocument, visit } from 'yaml';
import type { Document, Node, Pair, ParsedNode, YAMLMap } from 'yaml';
import type { Path, Place, Problem } from './problem.ts';
import type { SourceFile } from './read-sources.ts';

/** A file read: plain values by their top-level key, and the way back from a value to its place. */
export interface ParsedSource {
  readonly file: string;
  readonly values: ReadonlyMap<string, unknown>;
  /** The place of a value, of its key (`part: 'key'`), or of the nearest thing around it that is written. */
  locate(path: Path, part?: 'key' | 'value'): Place;
}

/** An alias may be used, but not to blow a small file up to gigabytes. */
const MOST_ALIASES = 100;

/** Parses YAML 1.2. What is wrong with the file goes to `problems`; the result is then undefined. */
export function parseSource(source: SourceFile, problems: Problem[]): ParsedSource | undefined {
  const { file } = source;
  const text = decode(source.bytes);
  if (text === undefined) {
    problems.push({ file, line: 0, column: 0, message: 'is no UTF-8 text' });
    return undefined;
  }
  const counter = new LineCounter();
  const place = (offset: number): Place => {
    const { line, col } = counter.linePos(offset);
    return { file, line: Math.max(line, 1), column: Math.max(col, 1) };
  };
  const refuse = (offset: number, message: string): undefined => {
    problems.push({ ...place(offset), message });
  };
  try {
    // stringKeys keeps a release called 1.0 from becoming the number 1, and refuses an unquoted {{ template }}.
    const document = parseDocument(text, { lineCounter: counter, prettyErrors: false, stringKeys: true, merge: true });
    const faults = [...document.errors, ...document.warnings];
    for (const fault of faults) refuse(fault.pos[0], explain(fault.code, fault.message));
    if (faults.length > 0) return undefined;
    const { contents } = document;
    if (contents === null) return { file, values: new Map(), locate: () => place(0) };
    if (!isMap(contents)) {
      if (isScalar(contents) && contents.value === null) return { file, values: new Map(), locate: () => place(0) };
      return refuse(contents.range[0], 'the file must hold variables, written `name: value`');
    }
    keepDigits(document);
    const values = new Map(Object.entries(document.toJS({ maxAliasCount: MOST_ALIASES }) as object));
    const offsetOf = locator(document);
    return { file, values, locate: (path, part = 'value') => place(offsetOf(path, part)) };
  } catch (error) {
    // The parser throws these two for what would exhaust memory or stack: alias bombs and endless nesting.
    if (error instanceof ReferenceError) return refuse(0, `more than ${MOST_ALIASES} uses of aliases, or a bad alias`);
    if (error instanceof RangeError) return refuse(0, 'nested too deeply');
    throw error;
  }
}

/** Text without NUL and of valid UTF-8; a byte order mark is dropped. */
function decode(bytes: Uint8Array): string | undefined {
  if (bytes.includes(0)) return undefined;
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    return undefined;
  }
}

/** A fingerprint of forty decimal digits, or one like 12E345…, is text: a number only stays one when nothing is lost. */
function keepDigits(document: Document<ParsedNode>): void {
  visit(document, {
    Scalar(_key, node) {
      if (typeof node.value === 'number' && node.source !== undefined && String(node.value) !== node.source) {
        node.value = node.source;
      }
    },
  });
}

function explain(code: string, message: string): string {
  switch (code) {
    case 'DUPLICATE_KEY':
      return 'this key stands twice in one mapping';
    case 'TAB_AS_INDENT':
      return 'a tab indents this line; YAML wants spaces';
    case 'NON_STRING_KEY':
      return 'keys must be plain text; a {{ template }} must stand in quotes';
    case 'TAG_RESOLVE_FAILED':
      return `${message.split('\n')[0] ?? message}; tags are not used here`;
    case 'MULTIPLE_DOCS':
      return 'the file holds several documents (`---`); one is allowed';
    default:
      return message.split('\n')[0] ?? message;
  }
}

function locator(document: Document<ParsedNode>): (path: Path, part: 'key' | 'value') => number {
  const pairs = new WeakMap<YAMLMap, Map<string, Pair<unknown, unknown>>>();
  const pairOf = (map: YAMLMap, key: string): Pair<unknown, unknown> | undefined => {
    let known = pairs.get(map);
    if (known === undefined) {
      known = new Map(map.items.map((pair) => [isScalar(pair.key) ? String(pair.key.value) : '', pair]));
      pairs.set(map, known);
    }
    return known.get(key);
  };
  return (path, part) => {
    let node: unknown = document.contents;
    let offset = startOf(node) ?? 0;
    for (const [index, step] of path.entries()) {
      if (isAlias(node)) node = node.resolve(document);
      if (isMap(node)) {
        const pair = pairOf(node, String(step));
        if (pair === undefined) return offset;
        const keyOffset = startOf(pair.key) ?? offset;
        if (index === path.length - 1 && part === 'key') return keyOffset;
        node = pair.value;
        offset = startOf(node) ?? keyOffset;
      } else if (isSeq(node) && typeof step === 'number') {
        node = node.items[step];
        offset = startOf(node) ?? offset;
      } else return offset;
    }
    return offset;
  };
}

function startOf(node: unknown): number | undefined {
  return (node as Node | null | undefined)?.range?.[0];
}
