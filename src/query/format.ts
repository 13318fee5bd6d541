import type { Condition, Query } from './query.ts';

/** A query as text, with no more brackets and quotation marks than it needs. `parseQuery` reads the same query back. */
export function formatQuery(query: Query): string {
  switch (query.kind) {
    case 'any':
      return query.parts.map(formatQuery).join(' | ');
    case 'all':
      return query.parts.map((part) => (part.kind === 'any' ? bracketed(part) : formatQuery(part))).join(', ');
    case 'not':
      return `!${query.part.kind === 'any' || query.part.kind === 'all' ? bracketed(query.part) : formatQuery(query.part)}`;
    case 'word':
    case 'form':
      return query.text;
    case 'field':
      return query.field + formatCondition(query.condition);
    case 'package': {
      if (query.condition === undefined && query.architecture === undefined) return quoted(query.name);
      const architecture = query.architecture === undefined ? '' : ` {${formatValue(query.architecture)}}`;
      return formatName(query.name) + formatCondition(query.condition) + architecture;
    }
  }
}

function bracketed(query: Query): string {
  return `(${formatQuery(query)})`;
}

function formatCondition(condition: Condition | undefined): string {
  if (condition === undefined) return '';
  const { operator, value } = condition;
  const written = operator === 'glob' ? '%' : operator === 'regex' ? '~' : operator;
  return ` (${written} ${formatValue(value)})`;
}

/** Unquoted, a name must not look like a field or the beginning of anything else. */
function formatName(name: string): string {
  return /^[a-z0-9][a-zA-Z0-9.+-]*$/.test(name) ? name : quoted(name);
}

/** What stands first in a bare value could be taken for an operator. */
function formatValue(value: string): string {
  return /^[^\s(){}"'<>=%~][^\s(){}]*$/.test(value) ? value : quoted(value);
}

function quoted(text: string): string {
  return `"${text.replace(/["\\]/g, '\\$&')}"`;
}
