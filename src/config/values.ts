/** The kinds of value the schema is made of. Every parser takes what stands in the file and says what is wrong with it. */
import { isAbsolute, join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { z } from 'zod';
import { parseFingerprint } from '../sign/key-check.ts';
import { suggestion } from './nearest.ts';

/** A parser's answer: the value, or why there is none. */
export type Parsed<T> = { readonly value: T } | { readonly problem: string };

/** Text that a parser turns into a value. A number counts as the text it was written as (parse-source.ts keeps that). */
export function textAs<T>(parse: (text: string) => Parsed<T>) {
  const text = z.preprocess((value) => (typeof value === 'number' ? String(value) : value), z.string());
  return text.transform((text, context): T => {
    const result = parse(text);
    if ('value' in result) return result.value;
    context.issues.push({ code: 'custom', message: result.problem, input: text });
    return z.NEVER;
  });
}

/** An object whose unknown keys are problems of their own, each with the nearest known key. */
export function strict<S extends z.ZodRawShape>(shape: S) {
  const known = Object.keys(shape);
  return z.strictObject(shape, {
    // One line for each of issue.keys, in their order: check.ts puts each at its own place.
    error: (issue) =>
      issue.code === 'unrecognized_keys'
        ? issue.keys.map((key) => unknownKey(key, known)).join('\n')
        : undefined,
  });
}

export function unknownKey(key: string, known: Iterable<string>): string {
  return `unknown key ${quote(key)}${suggestion(key, known)}`;
}

/** YAML's own booleans, and the words Ansible takes for them. */
export const flag = z.unknown().transform((value, context): boolean => {
  if (typeof value === 'boolean') return value;
  if (typeof value === 'string' && /^(?:yes|true|on)$/i.test(value)) return true;
  if (typeof value === 'string' && /^(?:no|false|off)$/i.test(value)) return false;
  context.issues.push({ code: 'custom', message: `expected yes or no, got ${describeValue(value)}`, input: value });
  return z.NEVER;
});

/** A list, or one text of words separated by blanks or commas. Each word is checked by the schema. */
export function words<T extends z.ZodType>(word: T) {
  return z.preprocess(
    (value) => (typeof value === 'string' ? value.split(/[\s,]+/).filter((part) => part !== '') : value),
    z.array(word),
  );
}

/** A list, or the only item of one. */
export function oneOrMore<T extends z.ZodType>(item: T) {
  return z.preprocess((value) => (typeof value === 'string' ? [value] : value), z.array(item));
}

const UNITS_OF_TIME: Readonly<Record<string, number>> = {
  s: 1000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
  w: 604_800_000,
};
const LONGEST = 100 * 366 * 86_400_000;

/** `7d`, `36h`, `1d12h` as milliseconds; above zero and below a hundred years. */
export function parseDuration(text: string): Parsed<number> {
  const wanted = `${quote(text)} is no duration; write one like 7d, 36h or 90m`;
  if (!/^(?:\d{1,9}[smhdw])+$/.test(text)) return { problem: wanted };
  let total = 0;
  for (const [, count = '', unit = ''] of text.matchAll(/(\d+)([smhdw])/g)) {
    total += Number(count) * (UNITS_OF_TIME[unit] ?? 0);
  }
  if (total === 0) return { problem: `${quote(text)} is no time at all` };
  return total > LONGEST ? { problem: `${quote(text)} is more than a hundred years` } : { value: total };
}

export const duration = textAs(parseDuration);

const UNITS_OF_SIZE: Readonly<Record<string, number>> = { KiB: 2 ** 10, MiB: 2 ** 20, GiB: 2 ** 30 };

/** `500MiB`, `2GiB` as bytes. */
export const byteSize = textAs((text) => {
  const [, count = '', unit = ''] = /^([1-9]\d{0,5})([KMG]iB)$/.exec(text) ?? [];
  return count === '' ? { problem: `${quote(text)} is no size; write one like 500MiB or 2GiB` } : { value: Number(count) * (UNITS_OF_SIZE[unit] ?? 1) };
});

/**
 * Names end up in paths, URLs, Release fields and snapshot names, and are typed on command lines: letters, digits and
 * `. + _ ~ -`, no `..`, a letter or digit first.
 */
export function nameProblem(text: string): string | undefined {
  if (text === '') return 'is empty';
  if (text.length > 128) return `${quote(text)} is longer than 128 characters`;
  if (text.includes('..')) return `${quote(text)} holds ".."`;
  if (!/^[A-Za-z0-9][A-Za-z0-9.+_~-]*$/.test(text)) {
    return `${quote(text)} may hold only letters, digits and . + _ ~ -, and must begin with a letter or digit`;
  }
  return undefined;
}

export const safeName = textAs(named);

export function named(text: string): Parsed<string> {
  const problem = nameProblem(text);
  return problem === undefined ? { value: text } : { problem };
}

/** One line of readable text. */
export const line = textAs((text) =>
  // oxlint-disable-next-line no-control-regex
  /[\u0000-\u001f\u007f]/.test(text) || text.trim() === ''
    ? { problem: 'must be one line of text' }
    : { value: text.trim() },
);

/** A path, absolute or relative to the root, that stays where it says. */
export const path = textAs((text) => {
  if (text.includes('-----BEGIN')) return { problem: 'is a key itself; give the path of the file that holds it' };
  // oxlint-disable-next-line no-control-regex
  if (text === '' || /[\u0000-\u001f\u007f\\]/.test(text)) return { problem: 'is no path of a file' };
  if (text.startsWith('~')) return { problem: `${quote(text)}: write the full path instead of ~` };
  if (text.split('/').includes('..')) return { problem: `${quote(text)} must not hold ".."` };
  return { value: text };
});

export const fullFingerprint = textAs((text): Parsed<string> => {
  const value = parseFingerprint(text);
  return value === undefined ? { problem: `${quote(text)} is no full key fingerprint: 40 hex digits (64 for a version 6 key)` } : { value };
});

/** A path of the configuration as an absolute one. */
export function fromRoot<T extends string | undefined>(root: string, file: T): T | string {
  return file === undefined || isAbsolute(file) ? file : join(root, file);
}

export const debianPackage = textAs((text): Parsed<string> => (/^[a-z0-9][a-z0-9+.-]+$/.test(text) ? { value: text } : { problem: `${quote(text)} is no name of a package` }));

/** An http or https URL without query and fragment: paths are appended to it. Never repeated in a message: it may hold a password. */
export function parseHttpUrl(text: string): Parsed<string> {
  const problem = 'must be an URL that begins with http:// or https://';
  // oxlint-disable-next-line no-control-regex
  if (!/^https?:\/\/[^/]/i.test(text) || /[\u0000-\u0020\u007f\\]/.test(text) || !URL.canParse(text)) return { problem };
  const { search, hash } = new URL(text);
  return search === '' && hash === '' ? { value: text } : { problem: 'must be an URL without "?" and "#"' };
}

export const httpUrl = textAs(parseHttpUrl);

/** Where a repository lies: an http URL, or `file:` and a folder of this machine, absolute or below the root. */
export function parseBaseUrl(text: string): Parsed<string> {
  const folder = folderOf(text);
  if (folder === undefined) return parseHttpUrl(text);
  // oxlint-disable-next-line no-control-regex
  const isPlain = /^\/?[^/?#%\\\u0000-\u0020\u007f]+(?:\/[^/?#%\\\u0000-\u0020\u007f]+)*\/?$/.test(folder) && !folder.split('/').includes('..');
  return isPlain ? { value: text } : { problem: 'must be an URL of a plain folder, like file:///srv/mirror, or file:mirror for one below the root' };
}

export const baseUrl = textAs(parseBaseUrl);

/** The same, with a folder made absolute. */
export function absoluteUrl(text: string, root: string): string {
  const folder = folderOf(text);
  return folder === undefined ? text : pathToFileURL(resolve(root, folder)).href;
}

function folderOf(text: string): string | undefined {
  return /^file:(?:\/\/(?=\/))?(.*)$/is.exec(text)?.[1];
}

/** The same of one document, which may be asked for with a query. */
export const documentUrl = textAs((text) => {
  const result = parseHttpUrl(text.replace(/\?[^#]*$/, ''));
  return 'value' in result && URL.canParse(text) ? { value: text } : result;
});

/** A value as a message shows it: short, on one line. */
export function quote(text: string): string {
  return JSON.stringify(text.length > 80 ? `${text.slice(0, 80)}…` : text);
}

export function describeValue(value: unknown): string {
  if (value === null) return 'nothing';
  if (value === undefined) return 'nothing';
  if (typeof value === 'string') return quote(value);
  if (typeof value === 'number') return `the number ${value}`;
  if (typeof value === 'boolean') return value ? 'true' : 'false';
  return Array.isArray(value) ? 'a list' : 'a mapping';
}
