/**
 * Jinja templates as RPC-O's variables use them, reduced to a closed set: `{{ name }}` where the name is rpc_release,
 * rpc_series or another plain variable. Whatever else Jinja can do is refused, because it would need Ansible.
 */
import { PACKAGE_VARIABLES } from './mappings.ts';
import { suggestion } from './nearest.ts';
import { formatPath } from './problem.ts';
import type { Path } from './problem.ts';

export interface TemplateOptions {
  /** The raw value of a variable; undefined when there is none. */
  lookup(name: string): unknown;
  readonly names: readonly string[];
  /** Called once for every problem, with the path of the value that holds the template. */
  refuse(path: Path, message: string): void;
}

/** What stands for the release in names that are the same for every release; filled in when a release is resolved. */
export const RELEASE_PLACEHOLDER = '{{ rpc_release }}';
export const SERIES_PLACEHOLDER = '{{ rpc_series }}';

const DEEPEST = 32;
const REFERENCE = /\{\{(.*?)\}\}/gs;
const NAME = /^\s*([A-Za-z_]\w*)\s*$/;

/** The value with every template replaced. A text that is one template only becomes the variable's value, of any type. */
export function resolveTemplates(value: unknown, path: Path, options: TemplateOptions): unknown {
  if (path.length > DEEPEST) {
    options.refuse(path.slice(0, 2), 'is nested too deeply, or holds itself');
    return undefined;
  }
  if (typeof value === 'string') return mayHoldTemplate(value) ? resolveText(value, path, options) : value;
  if (Array.isArray(value)) return value.map((item, index) => resolveTemplates(item, [...path, index], options));
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value).map(([key, item]) => [key, resolveTemplates(item, [...path, key], options)]);
  return Object.fromEntries(entries);
}

/** Names of the variables that templates anywhere in the value refer to. */
export function templateReferences(value: unknown, found: Set<string>, depth = 0): void {
  if (depth > DEEPEST) return;
  if (typeof value === 'string') {
    if (!mayHoldTemplate(value)) return;
    for (const [, inner = ''] of value.matchAll(REFERENCE)) {
      for (const [word] of inner.matchAll(/[A-Za-z_]\w*/g)) found.add(word);
    }
  } else if (typeof value === 'object' && value !== null) {
    for (const item of Object.values(value)) templateReferences(item, found, depth + 1);
  }
}

/** The name for one release: both placeholders filled in. */
export function fillRelease(text: string, release: { readonly name: string; readonly series: string }): string {
  return text.replaceAll(RELEASE_PLACEHOLDER, release.name).replaceAll(SERIES_PLACEHOLDER, release.series);
}

function mayHoldTemplate(text: string): boolean {
  return text.includes('{{') || text.includes('{%');
}

function resolveText(text: string, path: Path, options: TemplateOptions): unknown {
  if (text.includes('{%')) {
    options.refuse(path, `${formatPath(path)}: Jinja statements ({% … %}) are not supported; write the value itself`);
    return undefined;
  }
  const whole = /^\{\{([^{}]*)\}\}$/.exec(text.trim());
  if (whole !== null && !isPerRelease(path)) return resolveReference(whole[1] ?? '', path, options, []);
  let failed = false;
  const resolved = text.replace(REFERENCE, (_match, inner: string) => {
    const name = NAME.exec(inner)?.[1];
    if (isPerRelease(path) && name === 'rpc_release') return RELEASE_PLACEHOLDER;
    if (isPerRelease(path) && name === 'rpc_series') return SERIES_PLACEHOLDER;
    const value = resolveReference(inner, path, options, []);
    if (isPlain(value)) return String(value);
    if (value !== undefined) options.refuse(path, `${formatPath(path)}: {{${inner}}} is no plain text`);
    failed = true;
    return '';
  });
  return failed ? undefined : resolved;
}

/** Sources and local repositories are named once for all releases, so the release is not known when they are read. */
function isPerRelease(path: Path): boolean {
  if (path[0] === 'aptly_dont_snapshot_list') return true;
  return Object.values(PACKAGE_VARIABLES).some(
    ({ miko, independent, repos }) => path[0] === miko || path[0] === independent || (path[0] === repos && path[2] === 'name'),
  );
}

function resolveReference(inner: string, path: Path, options: TemplateOptions, within: readonly string[]): unknown {
  const where = formatPath(path);
  const name = NAME.exec(inner)?.[1];
  if (name === undefined) {
    options.refuse(path, `${where}: {{${inner.slice(0, 80)}}} is not supported; only the name of a variable is`);
    return undefined;
  }
  if (within.includes(name)) {
    options.refuse(path, `${where}: {{ ${name} }} refers to itself (${[...within, name].join(' -> ')})`);
    return undefined;
  }
  const value = options.lookup(name);
  if (value === undefined) {
    options.refuse(path, `${where}: {{ ${name} }} is not known${hintFor(name, options.names)}`);
    return undefined;
  }
  if (typeof value !== 'string' || !mayHoldTemplate(value)) return value;
  return resolveNested(value, { name, path, options, within: [...within, name] });
}

interface Nested {
  readonly name: string;
  readonly path: Path;
  readonly options: TemplateOptions;
  readonly within: readonly string[];
}

function resolveNested(text: string, { name, path, options, within }: Nested): unknown {
  let failed = false;
  const resolved = text.replace(REFERENCE, (_match, inner: string) => {
    const value = resolveReference(inner, path, options, within);
    if (isPlain(value)) return String(value);
    failed = true;
    return '';
  });
  if (failed) return undefined;
  if (!resolved.includes('{%')) return resolved;
  options.refuse(path, `${formatPath(path)}: {{ ${name} }} holds Jinja statements, which are not supported`);
  return undefined;
}

function isPlain(value: unknown): value is string | number | boolean {
  return typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean';
}

function hintFor(name: string, names: readonly string[]): string {
  if (name === 'rpc_release' || name === 'rpc_series') return ': set RPC_RELEASE, or the variable rpc_release';
  return suggestion(name, names);
}
