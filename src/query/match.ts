import type { PackageNames } from '../core/package-names.ts';
import type { QuerySubject } from '../core/relation.ts';
import type { CompareVersions } from './operator.ts';
import { compareTexts, holds } from './operator.ts';
import { compileGlob, compileRegex } from './pattern.ts';
import type { Condition, FieldTerm, FieldType, PackageTerm, Query, WordTerm } from './query.ts';
import { fieldType } from './query.ts';
import { fieldOrPackage, formTest, onlyName } from './words.ts';

export type Matcher = (subject: QuerySubject) => boolean;

/** What a repository format tells of its packages. */
export interface QueryRules {
  readonly compareVersions: CompareVersions;
  readonly names: PackageNames;
}

/**
 * Makes a query a function, so that what it needs is prepared once for all subjects. A word means all that it can mean: where
 * there are many packages, `settle` the query first.
 */
export function matcher(query: Query, rules: QueryRules): Matcher {
  switch (query.kind) {
    case 'all': {
      const parts = query.parts.map((part) => matcher(part, rules));
      return (subject) => parts.every((part) => part(subject));
    }
    case 'any':
      return anyMatcher(query.parts, rules);
    case 'not': {
      const part = matcher(query.part, rules);
      return (subject) => !part(subject);
    }
    case 'word':
      return wordMatcher(query, rules);
    case 'form':
      return formTest(query.form, rules.names);
    case 'package':
      return packageMatcher(query, rules);
    case 'field': {
      const term = fieldOrPackage(query, rules.names);
      return term.kind === 'field' ? fieldMatcher(term, rules) : matcher(term, rules);
    }
  }
}

/** Lists of thousands of plain names and of exact packages are common in filters: they become one look into a set each. */
function anyMatcher(parts: readonly Query[], rules: QueryRules): Matcher {
  const names = new Set(parts.flatMap((part) => (isPlainName(part) ? [part.name] : [])));
  const exact = new Map<string, Matcher[]>();
  const others: Matcher[] = [];
  for (const part of parts) {
    const name = part.kind === 'form' ? onlyName(part.form) : undefined;
    if (isPlainName(part)) continue;
    const list = name === undefined ? others : (exact.get(name) ?? []);
    list.push(matcher(part, rules));
    if (name !== undefined) exact.set(name, list);
  }
  return (subject) =>
    (names.size > 0 && subject.capabilities.some(({ name }) => names.has(name))) ||
    exact.get(subject.name)?.some((part) => part(subject)) === true ||
    others.some((part) => part(subject));
}

function isPlainName(query: Query): query is PackageTerm {
  return query.kind === 'package' && query.condition === undefined && query.architecture === undefined;
}

function wordMatcher({ text, column }: WordTerm, rules: QueryRules): Matcher {
  const forms = rules.names.forms(text).map((form) => formTest(form, rules.names));
  const answers = packageMatcher({ kind: 'package', name: text, column }, rules);
  return (subject) => answers(subject) || forms.some((test) => test(subject));
}

function packageMatcher({ name, condition, architecture }: PackageTerm, { compareVersions }: QueryRules): Matcher {
  const test = condition === undefined ? undefined : valueTest(condition, 'version', compareVersions);
  return (subject) =>
    (architecture === undefined || fitsArchitecture(subject, architecture)) &&
    subject.capabilities.some(
      (one) => one.name === name && (test === undefined || (one.version !== undefined && test(one.version))),
    );
}

/** What can be installed there: `all` packages can be everywhere, but are no sources. */
function fitsArchitecture(subject: QuerySubject, architecture: string): boolean {
  return subject.architecture === architecture || (subject.isForAll && architecture !== 'source');
}

function fieldMatcher({ field, condition }: FieldTerm, { compareVersions }: QueryRules): Matcher {
  const read = fieldReader(field);
  if (condition === undefined) return (subject) => (read(subject) ?? '') !== '';
  const test = valueTest(condition, fieldType(field), compareVersions);
  return (subject) => {
    const value = read(subject);
    return value !== undefined && test(value);
  };
}

function fieldReader(field: string): (subject: QuerySubject) => string | undefined {
  switch (field) {
    case 'Name':
      return (subject) => subject.name;
    case 'Version':
    case '$Version':
      return (subject) => subject.version;
    case 'Architecture':
    case '$Architecture':
      return (subject) => subject.architecture;
    case '$PackageType':
      return (subject) => subject.type;
    case '$Source':
      return (subject) => subject.source.name;
    case '$SourceVersion':
      return (subject) => subject.source.version;
    default:
      return (subject) => subject.field(field);
  }
}

/** The test of a condition, by the rules of a field of that type. */
export function valueTest(
  { operator, value }: Condition,
  type: FieldType,
  compareVersions: CompareVersions,
): (value: string) => boolean {
  if (operator === 'glob' || operator === 'regex') {
    const compiled = operator === 'glob' ? compileGlob(value) : compileRegex(value);
    if (!compiled.ok) throw new Error(`Pattern ${value} ${compiled.reason}`); // parseQuery lets none through
    return compiled.test;
  }
  switch (type) {
    case 'version':
      return (actual) => holds(operator, compareVersions(actual, value));
    case 'number':
      return (actual) => /^\d+$/.test(actual) && holds(operator, Number(actual) - Number(value));
    case 'text':
      return (actual) => holds(operator, compareTexts(actual, value));
  }
}
