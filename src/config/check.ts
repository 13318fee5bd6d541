import type { z } from 'zod';
import { suggestion } from './nearest.ts';
import { formatPath } from './problem.ts';
import type { Findings, Path } from './problem.ts';
import { describeValue } from './values.ts';
import type { Variables } from './variables.ts';

/** What checking needs to know about the configuration as a whole. */
export interface CheckContext {
  readonly variables: Variables;
  readonly findings: Findings;
  /** Paths that already have a problem; nothing further is said of them. */
  readonly refused: Set<string>;
}

/** Puts a problem at the place of a path; the first at a path wins. */
export function refuse(context: CheckContext, path: Path, message: string, part?: 'key' | 'value'): void {
  const where = formatPath(path);
  if (context.refused.has(where)) return;
  context.refused.add(where);
  context.findings.problems.push({ ...context.variables.locate(path, part), message });
}

export function warn(context: CheckContext, path: Path, message: string, part?: 'key' | 'value'): void {
  context.findings.warnings.push({ ...context.variables.locate(path, part), message });
}

/** The value as its schema types it; otherwise undefined, and every issue is a problem at its place. */
export function check<S extends z.ZodType>(
  schema: S,
  value: unknown,
  { path, context }: { readonly path: Path; readonly context: CheckContext },
): z.output<S> | undefined {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  for (const issue of result.error.issues) report(issue, { value, path, context });
  return undefined;
}

interface Checked {
  readonly value: unknown;
  readonly path: Path;
  readonly context: CheckContext;
}

function report(issue: z.core.$ZodIssue, { value, path, context }: Checked): void {
  const inner = issue.path.map((part) => (typeof part === 'symbol' ? String(part) : part));
  const full = [...path, ...inner];
  if (issue.code === 'unrecognized_keys') {
    const messages = issue.message.split('\n');
    for (const [index, key] of issue.keys.entries()) {
      refuse(context, [...full, key], `${formatPath(full)}: ${messages[index] ?? 'unknown key'}`, 'key');
    }
    return;
  }
  refuse(context, full, `${formatPath(full)}: ${describeIssue(issue, valueAt(value, inner))}`);
}

function describeIssue(issue: z.core.$ZodIssue, value: unknown): string {
  switch (issue.code) {
    case 'invalid_type':
      return describeType(issue.expected, value);
    case 'invalid_value': {
      const allowed = issue.values.map(String);
      const near = typeof value === 'string' ? suggestion(value, allowed) : '';
      return `expected ${allowed.join(', ')}, got ${describeValue(value)}${near}`;
    }
    case 'too_small':
      return issue.origin === 'array' ? 'must not be empty' : `must be at least ${String(issue.minimum)}`;
    case 'too_big':
      return `must be at most ${String(issue.maximum)}`;
    default:
      return issue.message;
  }
}

const EXPECTED: Readonly<Record<string, string>> = {
  string: 'text',
  array: 'a list',
  object: 'a mapping (`key: value`)',
  record: 'a mapping (`key: value`)',
  int: 'a whole number',
  number: 'a number',
};

function describeType(expected: string, value: unknown): string {
  if (value === undefined) return 'is missing';
  const wanted = EXPECTED[expected] ?? expected;
  if (value === null && expected === 'array') return 'is empty; write [] for none';
  const inQuotes = expected === 'string' && (typeof value === 'number' || typeof value === 'boolean');
  return `expected ${wanted}, got ${describeValue(value)}${inQuotes ? '; put it in quotes' : ''}`;
}

function valueAt(value: unknown, path: Path): unknown {
  let at = value;
  for (const part of path) {
    if (typeof at !== 'object' || at === null) return undefined;
    at = (at as Readonly<Record<string | number, unknown>>)[part];
  }
  return at;
}
